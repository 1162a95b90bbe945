//! The run that is looked into, and its checkpoints and epochs.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::path::PathBuf;

use serde::Serialize;
use utoipa::ToSchema;
use vivarium_models::classify::Classifier;
use vivarium_models::contract::{Event, Record, Started};
use vivarium_models::data::PhotoTransform;
use vivarium_models::graph::Graph;
use vivarium_models::inspect::film::{Folder, FrameName};
use vivarium_models::links;
use vivarium_models::networks::Model;
use vivarium_models::onnx;
use vivarium_models::spec::RunSpec;
use vivarium_models::train::{self, CheckpointPosition};

use crate::data_dir::library_of_run;
use crate::error::{Error, Result};
use crate::images::pins::version;
use crate::index::{Index, events, runs as rows};
use crate::run_dir::{RunDir, RunId};

/// The first `started` event is searched among this many events and bytes.
const FIRST_EVENTS: usize = 64;
const FIRST_BYTES: usize = 1 << 20;

/// A run whose network is looked into.
#[derive(Clone, Debug)]
pub struct InspectTarget {
    /// The run.
    pub id: RunId,
    /// Its directory.
    pub dir: RunDir,
    /// Its settings.
    pub spec: RunSpec,
    /// Whether it is queued or has a worker.
    pub active: bool,
    /// Its first `started` event.
    pub started: Started,
}

/// The environment of a run, where `line` of its log tells it.
fn started(line: &str) -> Option<Started> {
    match Record::parse(line).ok()?.event {
        Event::Started(started) => Some(*started),
        _ => None,
    }
}

impl InspectTarget {
    /// Loads the run `id`, whose directory is `dir`.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it has not begun, its data are points, or it was imported.
    pub async fn load(index: &Index, id: RunId, dir: RunDir) -> Result<Self> {
        Self::of_any_data(index, id, dir).await?.of_images()
    }

    /// Loads a run, also one of points in the plane.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it has not begun, or was imported.
    pub async fn of_any_data(index: &Index, id: RunId, dir: RunDir) -> Result<Self> {
        let (run, started) = index
            .read(move |c| {
                let run = rows::get(c, id)?;
                // A worker writes `started` before anything else.
                let first = events::after(c, id, 0, FIRST_EVENTS, FIRST_BYTES)?;
                let started = first.iter().find_map(|event| started(&event.body));
                Ok((run, started))
            })
            .await?;
        run.is_own("there is no network to look into")?;
        let spec: RunSpec =
            serde_json::from_value(run.spec).map_err(|e| Error::json("the run's settings", e))?;
        Self::new(id, dir, spec, run.status.is_active(), started)
    }

    /// Loads a run from its directory alone, without an index.
    ///
    /// # Errors
    /// Those of [`InspectTarget::load`]; and when the directory is not a run's.
    pub fn from_dir(id: RunId, dir: RunDir) -> Result<Self> {
        let spec = dir.recorded_spec(&library_of_run(dir.path()))?;
        let events = dir.events_file();
        let file = match links::open(&events) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(Error::file(&events, error)),
        };
        let lines = file
            .into_iter()
            .flat_map(|file| BufReader::new(file).lines());
        let started = lines
            .map_while(std::io::Result::ok)
            .find_map(|line| started(&line));
        Self::new(id, dir, spec, false, started)?.of_images()
    }

    fn new(
        id: RunId,
        dir: RunDir,
        spec: RunSpec,
        active: bool,
        started: Option<Started>,
    ) -> Result<Self> {
        dir.refuse_links()?;
        let started = started.ok_or_else(|| {
            Error::Conflict("The run has not begun: there is nothing to look at yet.".to_owned())
        })?;
        Ok(Self {
            id,
            dir,
            spec,
            active,
            started,
        })
    }

    fn of_images(self) -> Result<Self> {
        match self.started.input.len() {
            3 => Ok(self),
            _ => Err(Error::Conflict(
                "The data of this run are points in the plane; its page shows how they are divided."
                    .to_owned(),
            )),
        }
    }

    /// The network's graph: that of the run's directory, or in a run of an earlier version that of its settings.
    ///
    /// # Errors
    /// When neither can be read.
    pub fn graph(&self) -> Result<Graph> {
        if let Some(graph) = Graph::read(&self.dir.graph_file())? {
            return Ok(graph);
        }
        let network = &self.spec.network;
        Ok(network.graph(&self.started.input, self.started.classes.len())?)
    }

    /// The network of a checkpoint as an ONNX file.
    ///
    /// # Errors
    /// When the checkpoint cannot be read, or the file would be too large.
    pub fn onnx(&self, checkpoint: &Checkpoint) -> Result<Vec<u8>> {
        let model = Model::of_graph(self.graph()?, 0)?;
        model.load_state_dict(&checkpoint.path)?;
        let transform = PhotoTransform::of(&self.spec.data)?;
        let metadata = onnx::Metadata {
            labels: self.started.classes.clone(),
            normalisation: self.started.normalisation.clone(),
            fit: transform.fit.name().to_owned(),
            round: transform.round,
            more: BTreeMap::from([("run".to_owned(), self.spec.name.clone())]),
        };
        Ok(onnx::export(model.graph(), &model.weights()?, &metadata)?)
    }

    /// The network of a checkpoint as a classifier of photos.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    pub fn classifier(&self, checkpoint: &Checkpoint) -> Result<Classifier> {
        let started = &self.started;
        Ok(Classifier::open(
            self.graph()?,
            started.classes.clone(),
            PhotoTransform::of(&self.spec.data)?,
            &started.normalisation,
            &checkpoint.path,
        )?)
    }

    /// The film of the run.
    pub fn film(&self) -> Folder {
        Folder::at(self.dir.film())
    }

    /// The existing checkpoints.
    pub fn checkpoints(&self) -> Vec<Checkpoint> {
        let there = ["best", "last"].into_iter();
        there.filter_map(|name| self.checkpoint(name)).collect()
    }

    /// A frame, if it is in the film.
    pub fn frame(&self, name: impl Into<FrameName>) -> Option<FrameFile> {
        let name = name.into();
        let path = self.film().frame(name);
        let version = version(&path)?;
        Some(FrameFile {
            name,
            path,
            version,
        })
    }

    /// The newest frame, if there is one.
    ///
    /// # Errors
    /// When the folder of the film cannot be read.
    pub fn newest_frame(&self) -> Result<Option<FrameFile>> {
        let newest = self.film().names()?.pop();
        Ok(newest.and_then(|name| self.frame(name)))
    }

    fn checkpoint(&self, name: &'static str) -> Option<Checkpoint> {
        let path = self.dir.checkpoints().join(format!("{name}.safetensors"));
        let version = version(&path)?;
        Some(Checkpoint {
            name,
            path,
            version,
        })
    }

    /// The meaning of the parameter `checkpoint`: `best`, `last` or a frame of the film. By default `best`, or `last`
    /// while there is no `best`.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the checkpoint does not exist yet, [`Error::Field`] for an unknown value or a frame
    /// that is not in the film.
    pub fn snapshot(&self, word: Option<&str>) -> Result<Snapshot> {
        let none = |which: &str| {
            Error::Conflict(format!(
                "The run has no {which} yet: the first is written after its first epoch, or within half a minute."
            ))
        };
        match word {
            None => {
                let first = self.checkpoints().into_iter().next();
                first
                    .map(Snapshot::Network)
                    .ok_or_else(|| none("checkpoint"))
            }
            Some(word @ ("best" | "last")) => {
                let name = if word == "best" { "best" } else { "last" };
                let found = self.checkpoint(name).map(Snapshot::Network);
                found.ok_or_else(|| none(&format!("checkpoint “{name}”")))
            }
            Some(word) => {
                let wrong = |message: String| Error::field("checkpoint", word, message);
                let Ok(name) = word.parse::<FrameName>() else {
                    let message = "must be “best”, “last” or an epoch of the film; within the first epoch a step such as “step-8”";
                    return Err(wrong(message.to_owned()));
                };
                match self.frame(name) {
                    Some(frame) => Ok(Snapshot::Frame(frame)),
                    None => Err(wrong(format!(
                        "is not in the film, which has {}",
                        in_words(&self.film().names()?)
                    ))),
                }
            }
        }
    }
}

/// A file of weights.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// `best` or `last`.
    pub name: &'static str,
    /// The file.
    pub path: PathBuf,
    /// Changes with the content.
    pub version: String,
}

impl Checkpoint {
    /// The moment of training that it stores, if it says so.
    pub fn moment(&self) -> Option<CheckpointPosition> {
        train::checkpoint_position(&self.path).ok().flatten()
    }

    /// The checkpoint as the API returns it.
    pub fn info(&self) -> CheckpointInfo {
        let moment = self.moment();
        CheckpointInfo {
            name: self.name,
            epoch: moment.map(|moment| moment.epoch),
            step: moment.map(|moment| moment.step),
        }
    }
}

/// A checkpoint as the API returns it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Checkpoint)]
pub struct CheckpointInfo {
    name: &'static str,
    epoch: Option<u64>,
    step: Option<u64>,
}

/// A frame of the film.
#[derive(Clone, Debug)]
pub struct FrameFile {
    /// Its name.
    pub name: FrameName,
    /// The file.
    pub path: PathBuf,
    /// Changes with the content.
    pub version: String,
}

/// What is inspected.
#[derive(Clone, Debug)]
pub enum Snapshot {
    /// A network with its weights.
    Network(Checkpoint),
    /// A frame of the film, which has pictures and no weights.
    Frame(FrameFile),
}

/// What is looked at, as requests name it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum SnapshotName {
    /// `best` or `last`; of the film, a step of the first epoch such as `step-8`.
    Word(String),
    /// An epoch of the film; 0 before the first step.
    Epoch(u64),
}

impl std::fmt::Display for SnapshotName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(name) => f.write_str(name),
            Self::Epoch(epoch) => write!(f, "{epoch}"),
        }
    }
}

impl Snapshot {
    /// Its name in requests.
    pub fn name(&self) -> SnapshotName {
        match self {
            Self::Network(checkpoint) => SnapshotName::Word(checkpoint.name.to_owned()),
            Self::Frame(frame) => match frame.name {
                FrameName::Epoch(epoch) => SnapshotName::Epoch(epoch),
                step @ FrameName::Step(_) => SnapshotName::Word(step.to_string()),
            },
        }
    }

    /// Changes with the content.
    pub fn version(&self) -> &str {
        match self {
            Self::Network(checkpoint) => &checkpoint.version,
            Self::Frame(frame) => &frame.version,
        }
    }

    /// The checkpoint with the weights.
    ///
    /// # Errors
    /// [`Error::Field`] for a frame of a film, which has no weights.
    pub fn weights(&self) -> Result<&Checkpoint> {
        match self {
            Self::Network(checkpoint) => Ok(checkpoint),
            Self::Frame(frame) => Err(Error::field(
                "checkpoint",
                frame.name.to_string(),
                "must be “best” or “last”: a film keeps pictures and no weights",
            )),
        }
    }
}

/// Lists frames by the first few and the last.
fn in_words(frames: &[FrameName]) -> String {
    let all: Vec<_> = frames.iter().map(FrameName::to_string).collect();
    match &all[..] {
        [] => "no frame yet".to_owned(),
        few if few.len() <= 8 => few.join(", "),
        [first, second, third, .., last] => format!("{first}, {second}, {third}, … {last}"),
        few => few.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_frames_are_told_by_the_first_and_the_last() {
        let named = |frames: &[u64]| frames.iter().map(|epoch| (*epoch).into()).collect();
        let words = |frames: Vec<FrameName>| in_words(&frames);
        assert_eq!(words(Vec::new()), "no frame yet");
        assert_eq!(words(named(&[1, 2, 4])), "1, 2, 4");
        let many: Vec<u64> = (1..=100).map(|epoch| 2 * epoch).collect();
        assert_eq!(words(named(&many)), "2, 4, 6, … 200");
        let early = [FrameName::Epoch(0), FrameName::Step(8)];
        assert_eq!(words(early.to_vec()), "0, step-8");
    }
}
