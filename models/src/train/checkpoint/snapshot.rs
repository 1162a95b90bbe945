//! A checkpoint is a pair of files: `last.safetensors`, the weights, which any program can load, and
//! `last.state.safetensors`, the optimizer's state and the progress, which resuming needs. Where a run averages its
//! weights, the first has the average, which is served, and the second the weights that are trained, under `raw.…`.
//!
//! Two files cannot be replaced atomically. So each contains its position in training, and during the replacement the
//! earlier pair stays under the name `previous`. Whenever the process dies, weights and state of the same position
//! exist, and mixed pairs are recognised.
//!
//! | after the process died | last weights | last state | previous weights | previous state | read |
//! |---|---|---|---|---|---|
//! | before anything was renamed | old | old | older or none | older or none | last |
//! | while the old pair was linked | old | old | old or none | old or none | last |
//! | between the renames | new | old | old | old | previous |
//! | after the renames | new | new | old | old | last |
//!
//! `previous` stays until the run is finished, because `last` may be damaged later.
//!
//! On file systems without hard links the old files are renamed to `previous` instead. Weights and state of one
//! position may then have different names, so all four combinations are tried.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};
use crate::networks::{Model, TensorValues};
use crate::tensor_file::{self, Content, Slice, TensorSlice};
use crate::train::learner::Learner;
use crate::train::progress::Progress;
use crate::train::run_paths::Record;

const MOMENT: &str = "vivarium.moment";
pub(super) const STEP: &str = "vivarium.step";
pub(super) const EPOCH: &str = "vivarium.epoch";
const PROGRESS: &str = "vivarium.progress";
const STEPS: &str = "vivarium.optimizer.steps";
const UNFROZEN: &str = "vivarium.optimizer.unfrozen";

/// Stands before the names of weights in the state.
const RAW: &str = "raw.";

/// A tensor with its name and shape.
type Named = (String, Vec<usize>, TensorValues);

/// The two files of a checkpoint.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) weights: PathBuf,
    pub(super) state: PathBuf,
}

impl Files {
    pub(super) fn named(folder: &Path, name: &str) -> Self {
        Self {
            weights: folder.join(format!("{name}.safetensors")),
            state: folder.join(format!("{name}.state.safetensors")),
        }
    }
}

/// A checkpoint in memory.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    weights: Vec<Named>,
    /// The weights that are trained, where `weights` are their average.
    raw: Option<Vec<Named>>,
    optimizer: Vec<(String, Vec<f32>)>,
    position: Position,
    pub(super) progress: Progress,
}

/// The position of the optimizer.
#[derive(Clone, Copy, Debug)]
struct Position {
    steps: u64,
    /// The steps after which all parameters were trained, where some were frozen before.
    unfrozen: Option<u64>,
}

impl Position {
    fn of(learner: &Learner) -> Self {
        Self {
            steps: learner.optimizer.steps(),
            unfrozen: learner.unfrozen(),
        }
    }
}

impl Snapshot {
    /// Copies the state of a learner.
    pub(super) fn of(learner: &Learner, progress: &Progress) -> Result<Self> {
        let state = learner.optimizer.state(learner.model.store());
        Ok(Self {
            weights: learner.served_model().weights()?,
            raw: learner.raw_model().map(Model::weights).transpose()?,
            optimizer: state
                .map(|(name, values)| (name, values.to_vec()))
                .collect(),
            position: Position::of(learner),
            progress: progress.clone(),
        })
    }

    /// Writes both files under temporary names.
    pub(super) fn write(&self, files: &Files) -> Result<()> {
        let numbers = |shape: &[usize], values| TensorSlice {
            shape: shape.to_vec(),
            values,
        };
        let weights = self.weights.iter().map(|named| slice(named, ""));
        let raw = self.raw.iter().flatten().map(|named| slice(named, RAW));
        let state = self.optimizer.iter().map(|(name, values)| {
            let shape = [values.len()];
            (name.clone(), numbers(&shape, Slice::F32(values)))
        });
        let weights = |path: &Path, metadata| tensor_file::write(path, weights, metadata);
        let state = state.chain(raw);
        write(files, weights, state, self.position, &self.progress)
    }

    /// Reads the first combination whose files are of the same position, fit the learner, and are not ahead of the
    /// recorded events.
    ///
    /// Returns the snapshot with its files, and the faults of unusable files.
    pub(super) fn read(
        candidates: &[Files],
        learner: &Learner,
        record: Option<&Record>,
    ) -> (Option<(Self, Files)>, Vec<Error>) {
        let mut faults = Vec::new();
        let mut weights: Vec<(&Path, Content)> = Vec::new();
        let mut states: Vec<(&Path, Content)> = Vec::new();
        let mut tried = Vec::new();
        for files in candidates {
            for (path, found) in [(&files.weights, &mut weights), (&files.state, &mut states)] {
                match tensor_file::read(path) {
                    Ok(Some(content)) => found.push((path, content)),
                    Ok(None) => {}
                    Err(error) => faults.push(error),
                }
            }
            for (weights_path, weights) in &weights {
                for (state_path, state) in &states {
                    let pair = (*weights_path, *state_path);
                    let moments = (moment(weights), moment(state));
                    if moments.0.is_none() || moments.0 != moments.1 || tried.contains(&pair) {
                        continue;
                    }
                    tried.push(pair);
                    let weights = (*weights_path, weights);
                    match Self::from_contents(weights, (state_path, state), learner, record) {
                        Ok(snapshot) => {
                            let (weights, state) = (pair.0.to_path_buf(), pair.1.to_path_buf());
                            return (Some((snapshot, Files { weights, state })), faults);
                        }
                        Err(error) => faults.push(error),
                    }
                }
            }
        }
        if let (Some((path, _)), true) = (weights.first(), faults.is_empty()) {
            faults.push(Error::checkpoint(
                path,
                "there is no state of the same moment beside it",
            ));
        } else if let (Some((path, _)), true) = (states.first(), faults.is_empty()) {
            faults.push(Error::checkpoint(
                path,
                "there are no weights of the same moment beside it",
            ));
        }
        (None, faults)
    }

    fn from_contents(
        weights: (&Path, &Content),
        state: (&Path, &Content),
        learner: &Learner,
        record: Option<&Record>,
    ) -> Result<Self> {
        let (weights_path, weights) = weights;
        let (state_path, state) = state;
        let fault = |message: String| Error::checkpoint(state_path, message);
        let entry = |name: &str| {
            state
                .metadata
                .get(name)
                .ok_or_else(|| fault(format!("{name} is missing")))
        };
        let progress: Progress =
            serde_json::from_str(entry(PROGRESS)?).map_err(|e| fault(e.to_string()))?;
        if let Some(record) = record
            && (progress.step > record.step || progress.epoch > record.epoch)
        {
            return Err(fault(format!(
                "it is of step {}, and the record of the run ends at step {}",
                progress.step, record.step
            )));
        }
        let number = |name: &str, text: &str| {
            let number = text.parse::<u64>();
            number.map_err(|_| fault(format!("{name} is no number")))
        };
        let unfrozen = state.metadata.get(UNFROZEN);
        let position = Position {
            steps: number(STEPS, entry(STEPS)?)?,
            unfrozen: unfrozen.map(|text| number(UNFROZEN, text)).transpose()?,
        };
        let mut optimizer = Vec::new();
        let is_whole = position.unfrozen.is_some();
        for (name, len) in learner.optimizer.layout(learner.model.store(), is_whole) {
            match state.tensors.get(&name) {
                Some((_, TensorValues::F32(kept))) if kept.len() == len => {
                    optimizer.push((name, kept.clone()))
                }
                _ => return Err(fault(format!("{name} is missing or of another shape"))),
            }
        }
        if let Some((name, _)) = optimizer
            .iter()
            .find(|(_, values)| !values.iter().all(|v| v.is_finite()))
        {
            return Err(fault(format!("{name} has values that are not finite")));
        }
        let raw = learner.raw_model().map(|model| {
            let tensors = state.tensors.iter().filter_map(|(name, tensor)| {
                Some((name.strip_prefix(RAW)?.to_owned(), tensor.clone()))
            });
            model.match_state_dict(state_path, tensors.collect())
        });
        let weights = learner
            .model
            .match_state_dict(weights_path, weights.tensors.clone())?;
        Ok(Self {
            weights,
            raw: raw.transpose()?,
            optimizer,
            position,
            progress,
        })
    }

    /// Restores the learner from the snapshot.
    pub(super) fn restore(self, learner: &mut Learner) -> Result<Progress> {
        learner.served_model().set_weights(&self.weights)?;
        if let Some(raw) = &self.raw {
            learner.model.set_weights(raw)?;
        }
        if let Some(steps) = self.position.unfrozen {
            learner.unfreeze(steps);
        }
        let mut kept: HashMap<_, _> = self.optimizer.into_iter().collect();
        learner
            .optimizer
            .restore(learner.model.store(), self.position.steps, |name| {
                kept.remove(name)
            })
            .map_err(|message| Error::setting("training.optimizer", message))?;
        Ok(self.progress)
    }
}

/// A tensor to be written, under its name after a prefix.
fn slice<'a>((name, shape, values): &'a Named, prefix: &str) -> (String, TensorSlice<'a>) {
    let values = match values {
        TensorValues::F32(values) => Slice::F32(values),
        TensorValues::I64(values) => Slice::I64(values),
    };
    let slice = TensorSlice {
        shape: shape.clone(),
        values,
    };
    (format!("{prefix}{name}"), slice)
}

/// The position in training of a file.
fn moment(content: &Content) -> Option<&String> {
    content.metadata.get(MOMENT)
}

/// Writes the current state of a learner, without copying it first.
pub(super) fn write_learner(files: &Files, learner: &Learner, progress: &Progress) -> Result<()> {
    let state = learner
        .optimizer
        .state(learner.model.store())
        .map(|(name, values)| {
            let numbers = TensorSlice {
                shape: vec![values.len()],
                values: Slice::F32(values),
            };
            (name, numbers)
        });
    let raw = learner.raw_model().map(Model::weights).transpose()?;
    let state = state.chain(raw.iter().flatten().map(|named| slice(named, RAW)));
    let served = learner.served_model();
    let weights = |path: &Path, metadata| served.write_state_dict(path, metadata);
    write(files, weights, state, Position::of(learner), progress)
}

/// Reads weights, which must be of the given step.
pub(super) fn read_weights(path: &Path, step: u64, model: &Model) -> Result<Vec<Named>> {
    let content = tensor_file::read(path)?
        .ok_or_else(|| Error::file(path, io::ErrorKind::NotFound.into()))?;
    match content.metadata.get(STEP) {
        Some(of) if *of == step.to_string() => model.match_state_dict(path, content.tensors),
        _ => Err(Error::checkpoint(path, format!("it is not of step {step}"))),
    }
}

fn write<'a>(
    files: &Files,
    weights: impl FnOnce(&Path, HashMap<String, String>) -> Result<()>,
    state: impl IntoIterator<Item = (String, TensorSlice<'a>)>,
    position: Position,
    progress: &Progress,
) -> Result<()> {
    // The time of writing distinguishes two checkpoints of the same step.
    let clock = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos();
    let moment = format!("{}-{clock:x}-{:x}", progress.step, std::process::id());
    let mut shared = HashMap::from([
        (MOMENT.to_owned(), moment),
        (STEP.to_owned(), progress.step.to_string()),
        (EPOCH.to_owned(), progress.epoch.to_string()),
        ("format".to_owned(), "pt".to_owned()),
    ]);
    weights(&files.weights, shared.clone())?;
    let progress = serde_json::to_string(progress)
        .map_err(|e| Error::checkpoint(&files.state, e.to_string()))?;
    shared.insert(PROGRESS.to_owned(), progress);
    shared.insert(STEPS.to_owned(), position.steps.to_string());
    if let Some(steps) = position.unfrozen {
        shared.insert(UNFROZEN.to_owned(), steps.to_string());
    }
    tensor_file::write(&files.state, state, shared).inspect_err(|_| {
        let _ = fs::remove_file(&files.weights);
    })
}

/// Fsyncs a folder, to make renames durable.
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|e| Error::file(folder, e))?;
    }
    Ok(())
}

/// Hard-links a file, or renames it where that is not possible. A missing file is no error.
pub(super) fn link(from: &Path, to: &Path) -> Result<()> {
    remove(to)?;
    match fs::hard_link(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(_) => rename(from, to),
        Ok(()) => Ok(()),
    }
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|e| Error::file(to, e))
}

/// Removes a file, if it exists.
pub(super) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file(path, error)),
        _ => Ok(()),
    }
}
