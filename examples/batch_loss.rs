//! Builds a network and prints its loss over one batch, before any training:
//!
//! ```text
//! cargo run --release -p vivarium-models --example batch_loss -- vgg16
//! ```
//!
//! To compare with: equal scores for all ten digits have the cross-entropy ln 10 = 2.303.

#![allow(clippy::print_stdout, reason = "an example prints what it shows")]

use std::error::Error;

use candle_core::{Device, Tensor};
use serde_json::json;
use vivarium_models::data::{self, Library};
use vivarium_models::form;
use vivarium_models::networks::Model;
use vivarium_models::nn::{Context, Mode};

fn main() -> Result<(), Box<dyn Error>> {
    let kind = std::env::args().nth(1).unwrap_or_else(|| "mlp".to_owned());

    let library = Library::none();
    let document = json!({"data": {"set": "digits"}, "network": {"kind": kind}});
    let spec = form::check(&document, &library).map_err(|mut faults| faults.remove(0))?;
    let data = data::load(&spec.data, &library)?;

    // Parameters have the names and shapes that PyTorch gives them, and are drawn from the seed.
    let model = Model::new(
        &spec.network,
        &data.input,
        data.classes.len(),
        spec.training.seed,
    )?;
    for (name, parameter) in model.store().parameters() {
        println!("{name} {:?}", parameter.dims());
    }

    // A batch is a tensor [n, channels, height, width], normalised, and a class for each sample.
    let (values, targets) = data.train.slice(0..64)?;
    let shape = [&[targets.len()], &data.input[..]].concat();
    let batch = Tensor::from_vec(values, shape, &Device::Cpu)?;

    let scores = model.forward(&batch, &mut Context::new(Mode::Evaluate))?;
    let loss = model.criterion().loss(&scores, targets)?;
    println!(
        "loss {:.4}, {} of {} right",
        loss.mean,
        loss.correct,
        targets.len()
    );
    Ok(())
}
