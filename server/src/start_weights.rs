//! Finds the weights that a run with `training.transfer` starts from, and checks before the run is created that they fit
//! its network.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use vivarium_models::contract::{Event, Reason, Record};
use vivarium_models::data::{self, Library};
use vivarium_models::graph::Graph;
use vivarium_models::links;
use vivarium_models::spec::{RunSpec, Transfer};

use crate::data_dir;
use crate::error::{Error, Result};
use crate::run_dir::RunDir;
use crate::run_dir::start::StartWeights;
use crate::run_id::RunId;

/// The setting that names the weights.
const FROM: &str = "training.transfer.from";

/// The end of a log in which its last event is looked for.
const LOG_TAIL: u64 = 64 * 1024;

/// Finds the weights that a run is to start from, and checks that they fit its network; `None` where it starts from
/// none, or from those that its network's text names without `training.transfer`.
///
/// # Errors
/// [`Error::Field`] of `training.transfer.from`, which says what is wrong.
pub fn find(runs: &Path, spec: &RunSpec, library: &Library) -> Result<Option<StartWeights>> {
    let Some(transfer) = &spec.training.transfer else {
        return Ok(None);
    };
    let refuse = |message: &str| Error::field(FROM, transfer.from.as_str(), message);
    if transfer.from == Transfer::IMPORTED {
        let file = spec.network.weights()?;
        let file = file.ok_or_else(|| refuse("no weights were imported with this network"))?;
        let weights = data_dir::weights_beside(runs, &file);
        let weights = weights.filter(|path| path.is_file()).ok_or_else(|| {
            refuse(&format!(
                "the network's weights, {file}, are not in the data folder"
            ))
        })?;
        return Ok(Some(StartWeights {
            weights,
            name: file,
            fresh_head: transfer.fresh_head,
        }));
    }
    let id: RunId = (transfer.from.parse())
        .map_err(|_| refuse("must be imported, or the id of a finished run"))?;
    let dir = RunDir::of(runs, id);
    if !dir.path().is_dir() {
        return Err(refuse("there is no run of this id"));
    }
    if dir.has_more_than_curves().is_err() {
        return Err(refuse(
            "has only curves and no weights: it was imported from TensorBoard files",
        ));
    }
    let Some(weights) = weights_of(&dir) else {
        return Err(refuse(
            "has no weights yet: it must be a run that has finished",
        ));
    };
    match last_event(&dir)? {
        Some(Event::Finished {
            reason: Reason::Completed | Reason::EarlyStopped | Reason::Stopped,
            ..
        }) => {}
        Some(Event::Finished { .. }) => {
            return Err(refuse("did not end well: it failed, or its loss diverged"));
        }
        _ => return Err(refuse("has not finished")),
    }
    let source = dir.recorded_spec(library)?;
    let missing = || refuse("has no network.json, which describes its network");
    let theirs = Graph::read(&dir.graph_file())?.ok_or_else(missing)?;
    let (input, classes) = data::shape(&spec.data, library)?;
    let own = spec.network.graph(&input, classes)?;
    fits(&own, &theirs).map_err(|message| refuse(&message))?;
    Ok(Some(StartWeights {
        weights,
        name: source.name,
        fresh_head: transfer.fresh_head || source.data.set != spec.data.set,
    }))
}

/// The weights of a run: its best, else its last.
fn weights_of(dir: &RunDir) -> Option<PathBuf> {
    let files = ["best", "last"].map(|name| dir.checkpoints().join(format!("{name}.safetensors")));
    files.into_iter().find(|path| path.is_file())
}

/// The last event of a run's log.
fn last_event(dir: &RunDir) -> Result<Option<Event>> {
    let path = dir.events_file();
    let failed = |e| Error::file(&path, e);
    let mut file = match links::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let len = file.metadata().map_err(failed)?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(LOG_TAIL)))
        .map_err(failed)?;
    let lines = BufReader::new(file).split(b'\n').map_while(io::Result::ok);
    let last = lines.filter(|line| !line.is_empty()).last();
    let record = last.and_then(|line| Record::parse(&String::from_utf8(line).ok()?).ok());
    Ok(record.map(|record| record.event))
}

/// Whether a network takes the weights of another, but for the last layer.
fn fits(own: &Graph, theirs: &Graph) -> std::result::Result<(), String> {
    let head = own.head();
    let is_head = |name: &str| {
        let layer = name.rsplit_once('.').map_or("", |(layer, _)| layer);
        layer == head
    };
    let state_dict = theirs.state_dict();
    let mut found: HashMap<&str, &[usize]> = state_dict
        .iter()
        .map(|(name, shape)| (name.as_str(), shape.as_slice()))
        .collect();
    for (name, shape) in own.state_dict() {
        match found.remove(name.as_str()) {
            None => {
                return Err(format!(
                    "is a run of another network, which has no {name}: choose that network, or another run"
                ));
            }
            Some(other) if other != shape && !is_head(&name) => {
                return Err(format!(
                    "has a network in which {name} has the shape {other:?} and not {shape:?}: its options, or the size and \
                     channels of its images, are others"
                ));
            }
            Some(_) => {}
        }
    }
    match found.keys().min() {
        None => Ok(()),
        Some(name) => Err(format!(
            "is a run of another network, which has {name}: choose that network, or another run"
        )),
    }
}
