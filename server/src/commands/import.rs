//! `import`: makes a run from weights that another program trained.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use vivarium_models::contract::Event;
use vivarium_models::data;
use vivarium_models::form;
use vivarium_models::networks::{Model, is_onnx_file, weights_info};

use super::print;
use super::weights_header::Header;
use crate::cli::ImportWeights;
use crate::console::notice;
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::networks::{self, Import, OwnNetworks};
use crate::run_dir::RunDir;
use crate::settings;
use crate::worker::{self, Stop};

pub(super) fn import(args: &ImportWeights) -> Result<()> {
    let folder = DataDir::open(args.data.data_dir.clone())?;
    let library = folder.library();
    let own = OwnNetworks::in_folder(folder.networks());
    let imported = match is_onnx_file(&args.weights)? {
        true => Some(Import::read(
            &own,
            &folder.weights(),
            &args.weights,
            &args
                .weights
                .file_name()
                .unwrap_or_default()
                .to_string_lossy(),
        )?),
        false => None,
    };
    let mut document = describe(args, imported.as_ref())?;
    let weights = imported.as_ref().map_or(&*args.weights, Import::weights);
    for note in imported.iter().flat_map(|imported| &imported.network.notes) {
        notice(format_args!("vivarium: {note}"));
    }
    own.complete(&mut document)?;
    let spec = form::check(&document, &library).map_err(|errors| {
        networks::with_file(Some(&args.network), Error::Spec(own.with_names(errors)))
    })?;
    let outline = data::summary(&spec.data, &library)?;
    let network = Model::new(
        &spec.network,
        &outline.input,
        outline.classes.len(),
        spec.training.seed,
    )?;
    if let Some(header) = Header::read(weights)? {
        header.check(weights, network.store().count() as u64, args.fresh_head)?;
    }
    // Checked before the run is created: weights that do not fit leave no run behind.
    let notes = network
        .load_pretrained(weights, args.fresh_head)
        .map_err(with_the_way_out)?;
    for note in notes {
        notice(format_args!("vivarium: {note}"));
    }
    let (id, dir, lock) = RunDir::create_locked(&folder.runs(), &spec, None)?;
    let begun = begin(&network, &dir).and_then(|()| {
        // A worker that is to stop at once writes everything that a run has: its beginning, its checkpoint, its end.
        worker::train(&dir, &lock, false, &Stop::at_once(""), &mut |event| {
            if let Event::Note { message } = event {
                notice(format_args!("{message}"));
            }
        })?;
        // The network is kept when all else is done: a file that is refused leaves neither a run nor a network behind.
        imported.map(Import::keep).transpose()
    });
    if begun.is_err() {
        // A run that cannot begin is removed; the error says why.
        let _ = fs::remove_dir_all(dir.path());
    }
    if let Some(network) = begun? {
        notice(format_args!(
            "vivarium: the network is kept as {}",
            network.name
        ));
    }
    let told = json!({"run": id, "directory": dir.path(), "parameters": network.store().count()});
    print(&told.to_string())
}

/// Writes the weights where the worker looks for them.
fn begin(network: &Model, dir: &RunDir) -> Result<()> {
    let folder = dir.checkpoints();
    fs::create_dir_all(&folder).map_err(|e| Error::file(&folder, e))?;
    Ok(network.save_state_dict(&dir.start())?)
}

/// The RunSpec that the arguments describe. The text of an ONNX file says itself what its images are. Otherwise, unless set,
/// batch normalisation follows the file, and images are as torchvision's weights expect them.
fn describe(args: &ImportWeights, imported: Option<&Import<'_>>) -> Result<Value> {
    let name = args
        .weights
        .file_stem()
        .map_or("weights".into(), |stem| stem.to_string_lossy());
    let mut json = json!({
        "name": name.chars().take(200).collect::<String>(),
        "data": {"set": args.data_set},
        "training": {"optimizer": {"lr": 0.001}},
    });
    if let Some(imported) = imported {
        json["network"] = json!({"kind": imported.network.name, "source": imported.source});
        settings::apply(&mut json, &args.set)?;
        return Ok(json);
    }
    json["network"] = Value::Object(networks::of_argument(&args.network)?);
    for (setting, value) in [
        ("size", json!(224)),
        ("channels", json!(3)),
        ("normalisation", json!("imagenet")),
    ] {
        json["data"][setting] = value;
    }
    if args.network == "vgg16" {
        // Decided by the header alone, which is read before anything else; a file without one gets an error that says
        // so.
        let batch_norm = match Header::read(&args.weights)? {
            Some(header) => header.has_statistics(),
            None => weights_info(&args.weights)?.batch_norm,
        };
        let norm = if batch_norm { "batch" } else { "none" };
        settings::set_at(&mut json, "network.norm", Value::from(norm));
    }
    settings::apply(&mut json, &args.set)?;
    Ok(json)
}

/// Adds a hint to the error about a last layer with other classes.
fn with_the_way_out(error: vivarium_models::Error) -> Error {
    match error {
        vivarium_models::Error::Checkpoint { path, message } if message.contains("fresh head") => {
            Error::Usage(format!(
                "{}: {message}: --fresh-head",
                Path::new(&path).display()
            ))
        }
        other => other.into(),
    }
}
