//! Development.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "its output is what it is for"
)]
use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use candle_core::{Device, Tensor};
use serde_json::{Map, json};
use vivarium_models::networks::Model;
use vivarium_models::nn::{Context, Mode};
use vivarium_models::onnx;
use vivarium_models::ops::{Tape, cross_entropy};
use vivarium_models::spec::NetworkSpec;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    for folder in &arguments {
        let folder = Path::new(folder);
        let bytes = std::fs::read(folder.join("model.onnx")).unwrap();
        let start = Instant::now();
        let imported = match onnx::import(bytes, "Imported", 1 << 30) {
            Ok(imported) => imported,
            Err(error) => {
                println!("{}: {error}", folder.display());
                continue;
            }
        };
        let took = start.elapsed();
        std::fs::write(folder.join("network.py"), &imported.source).unwrap();
        imported
            .save_state_dict(&folder.join("weights.safetensors"))
            .unwrap();
        let spec = NetworkSpec {
            kind: "custom".to_owned(),
            options: Map::from_iter([("source".to_owned(), json!(imported.source))]),
        };
        let model = Model::new(&spec, &imported.input, imported.classes, 0).unwrap();
        model.set_weights(&imported.tensors).unwrap();
        std::fs::write(folder.join("model.py"), model.graph().pytorch()).unwrap();
        println!("{}: {took:?}, {:?}", folder.display(), imported.notes);
        let Ok(values) =
            candle_core::safetensors::load(folder.join("values.safetensors"), &Device::Cpu)
        else {
            continue;
        };
        let scores = model
            .forward(&values["x"], &mut Context::new(Mode::Evaluate))
            .unwrap();
        let again = onnx::export(
            model.graph(),
            &model.weights().unwrap(),
            &onnx::Metadata::default(),
        )
        .unwrap();
        std::fs::write(folder.join("again.onnx"), &again).unwrap();
        let back = onnx::import(again, "Imported", 1 << 30);
        match back {
            Ok(back) => {
                let same = back
                    .tensors
                    .iter()
                    .map(|(n, ..)| n)
                    .eq(imported.tensors.iter().map(|(n, ..)| n));
                println!(
                    "  back again: same names {same}, same text {}",
                    back.source == imported.source
                );
            }
            Err(error) => println!("  back again: {error}"),
        }
        let targets: Vec<u32> = values["targets"]
            .to_vec1::<i64>()
            .unwrap()
            .iter()
            .map(|t| *t as u32)
            .collect();
        let losses = train(&model, &values["x"], &targets);
        let tensors = HashMap::from([
            ("scores".to_owned(), scores),
            (
                "losses".to_owned(),
                Tensor::new(losses, &Device::Cpu).unwrap(),
            ),
        ]);
        candle_core::safetensors::save(&tensors, folder.join("ours.safetensors")).unwrap();
    }
}

fn train(model: &Model, x: &Tensor, targets: &[u32]) -> Vec<f32> {
    let mut losses = Vec::new();
    for step in 1..=2 {
        let (loss, tape) = Tape::record(|| {
            let scores = model
                .forward(x, &mut Context::new(Mode::Train { seed: 0, step }))
                .unwrap();
            cross_entropy(&scores, targets).unwrap()
        });
        losses.push(loss.mean as f32);
        let gradients = tape.backward(&loss.tensor).unwrap();
        for (_, parameter) in model.store().parameters() {
            if let Some(gradient) = gradients.get(&parameter.id()) {
                let next = (parameter.as_tensor() - (gradient * 0.01).unwrap()).unwrap();
                parameter.set(&next).unwrap();
            }
        }
    }
    losses
}
