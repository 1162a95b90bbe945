//! Writes what every layer of a trained network makes of a photo, as PNG files:
//!
//! ```text
//! cargo run --release -- train --network residual-small --data digits --set training.epochs=1
//! cargo run --release -p vivarium-models --example feature_maps -- RUN_DIR photo.jpg /tmp/maps
//! ```
//!
//! `RUN_DIR` is a run directory with a data set that is part of the crate, such as digits, or the folder that the example
//! `train_mlp` made.

#![allow(clippy::print_stdout, reason = "an example prints what it shows")]

use std::error::Error;
use std::fs::{self, File};
use std::path::Path;

use vivarium_models::data::{self, Library, decode_image, network_input};
use vivarium_models::graph::Graph;
use vivarium_models::inspect::{Inspector, SheetQuery};
use vivarium_models::spec::RunSpec;

/// The largest photo that is decoded, in pixels.
const MOST_PIXELS: u64 = 64_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [run, photo, out] = &arguments[..] else {
        return Err("usage: feature_maps RUN_DIR PHOTO OUT".into());
    };
    let (run, out) = (Path::new(run), Path::new(out));

    // The data set says what the classes are called and how values are normalised; the directory has the graph.
    let spec: RunSpec = serde_json::from_reader(File::open(run.join("spec.json"))?)?;
    let data = data::load(&spec.data, &Library::none())?;
    let graph = Graph::read(&run.join("network.json"))?.ok_or("the run has not started")?;
    let inspector = Inspector::open(
        graph,
        data.classes,
        data.normalisation,
        &run.join("checkpoints/best.safetensors"),
    )?;

    // One forward pass, with the activations of every layer.
    let picture = decode_image(&fs::read(photo)?, MOST_PIXELS)?;
    let recording =
        inspector.record(&network_input(inspector.input(), &picture, data.transform)?)?;

    fs::create_dir_all(out)?;
    for layer in inspector.layers().iter().filter(|layer| layer.has_features) {
        let maps = inspector.feature_sheet(&recording, &layer.name, &SheetQuery::default())?;
        let file = out.join(format!("{}.png", layer.name));
        fs::write(&file, maps.sheet.png()?)?;
        println!("{}", file.display());
    }
    Ok(())
}
