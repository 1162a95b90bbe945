//! Writes a network's state dict, or reads one that PyTorch saved, and prints the scores of two images:
//! `state_dict save|load KIND FILE [OPTION=VALUE ...]`. `tests/golden/exchange.py` runs it against PyTorch.

#![allow(clippy::print_stdout, reason = "its output is what it is for")]
use std::error::Error;
use std::path::Path;

use candle_core::{Device, Tensor};
use serde_json::{Value, json};
use vivarium_models::data::Library;
use vivarium_models::form;
use vivarium_models::networks::Model;
use vivarium_models::nn::{Context, Mode};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [way, kind, file, options @ ..] = &arguments[..] else {
        return Err("state_dict save|load KIND FILE [OPTION=VALUE ...]".into());
    };
    let mut network = json!({"kind": kind});
    for option in options {
        let (name, value) = option.split_once('=').ok_or("OPTION=VALUE")?;
        network[name] = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    }
    let document = json!({"data": {"set": "digits"}, "network": network});
    let run = form::check(&document, &Library::none()).map_err(|e| format!("{e:?}"))?;
    let model = Model::new(&run.network, &[3, 32, 32], 10, 1)?;
    let pixel = |i: usize| ((i * 37 % 256) as f32 - 128.0) / 64.0;
    let x = Tensor::from_iter((0..2 * 3 * 32 * 32).map(pixel), &Device::Cpu)?;
    let x = x.reshape((2, 3, 32, 32))?;
    match way.as_str() {
        "load" => model.load_state_dict(Path::new(file))?,
        "save" => {
            // Changes the running statistics from their initial values.
            model.forward(&x, &mut Context::new(Mode::Train { seed: 0, step: 1 }))?;
            model.save_state_dict(Path::new(file))?;
        }
        other => return Err(format!("{other} is neither save nor load").into()),
    }
    let scores = model.forward(&x, &mut Context::new(Mode::Evaluate))?;
    println!("{}", json!(scores.to_vec2::<f32>()?));
    Ok(())
}
