//! Trains a multilayer perceptron on handwritten digits:
//!
//! ```text
//! cargo run --release -p vivarium-models --example train_mlp -- /tmp/mlp
//! ```
//!
//! `/tmp/mlp` then holds `spec.json`, what was asked for with every default filled in, `network.json`, the network's graph, and
//! `checkpoints/`. Run it again and it goes on from the last checkpoint.

#![allow(clippy::print_stdout, reason = "an example prints what it shows")]

use std::error::Error;
use std::fs::{self, File};
use std::path::PathBuf;

use serde_json::json;
use vivarium_models::contract::Event;
use vivarium_models::data::Library;
use vivarium_models::form;
use vivarium_models::train::{Control, Observer, RunPaths, train};

/// Prints the events of a run that a person wants to see.
struct Printer;

impl Observer for Printer {
    fn observe(&mut self, event: &Event) -> Result<Control, Box<dyn Error + Send + Sync>> {
        match event {
            Event::Started(run) => println!("{} parameters", run.parameters),
            Event::Epoch(end) => println!("epoch {}: loss {:.4}", end.epoch, end.train.loss),
            Event::Test(test) => println!("test accuracy {:.1} %", 100.0 * test.score.accuracy),
            _ => {}
        }
        Ok(Control::Continue)
    }

    // Called before a checkpoint is published. What this observer writes, the terminal, need not be durable.
    fn sync(&mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: train_mlp FOLDER")?);

    // Digits are part of the crate, so no folder of data sets is needed.
    let library = Library::none();
    let document = json!({
        "data": {"set": "digits"},
        "network": {"kind": "mlp"},
        "training": {"epochs": 3}
    });
    let spec = form::check(&document, &library).map_err(|mut faults| faults.remove(0))?;

    fs::create_dir_all(&folder)?;
    serde_json::to_writer_pretty(File::create(folder.join("spec.json"))?, &spec)?;
    let checkpoints = folder.join("checkpoints");
    let paths = RunPaths {
        graph: Some(folder.join("network.json")),
        ..RunPaths::from(&*checkpoints)
    };
    let reason = train(&spec, &library, paths, &mut Printer)?;
    println!("{reason:?}");
    Ok(())
}
