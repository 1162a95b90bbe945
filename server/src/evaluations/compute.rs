//! What the process `vivarium evaluate` does: scores of a split and of the validation split, and the figures.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use utoipa::ToSchema;
use vivarium_models::contract::Started;
use vivarium_models::data::{Library, Split, split_samples};
use vivarium_models::evaluate::{Evaluation, SplitScores, evaluate};
use vivarium_models::graph::Graph;
use vivarium_models::links;
use vivarium_models::spec::RunSpec;
use vivarium_models::train::{CheckpointPosition, Evaluator, Record, checkpoint_position};

use super::Subject;
use super::cache::{Entry, Version};
use super::scores_file::{ScoresFile, header};
use crate::atomic_file::{INCOMING, write_atomically};
use crate::data_dir::library_of_run;
use crate::error::{Error, Result};
use crate::images::pins::version as file_version;
use crate::run_dir::RunDir;

/// The most scores of a split.
const MAX_SCORES: usize = 1 << 27;

/// What resamples are drawn from.
const SEED: u64 = 0;

/// How often a checkpoint is read that is replaced meanwhile.
const READS: usize = 20;

/// How often progress is told.
const TELL: Duration = Duration::from_millis(200);

/// The input of the process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EvaluationRequest {
    run_dir: PathBuf,
    spec: RunSpec,
    started: Started,
    split: Split,
    checkpoint: String,
    weights: PathBuf,
    /// The folder of the run's evaluations.
    into: PathBuf,
}

impl EvaluationRequest {
    pub(super) fn new(subject: &Subject, into: PathBuf) -> Self {
        let target = &subject.target;
        Self {
            run_dir: target.dir.path().to_owned(),
            spec: target.spec.clone(),
            started: target.started.clone(),
            split: subject.split,
            checkpoint: subject.checkpoint.name.to_owned(),
            weights: subject.checkpoint.path.clone(),
            into,
        }
    }

    /// The place of the files, once it is known which checkpoint was evaluated.
    pub(super) fn entry(&self, version: &Version) -> Entry {
        Entry::of(&self.into, &self.checkpoint, version)
    }

    /// Loads the weights, and tells which they are: a run may write its next checkpoint at any time.
    fn load_weights(&self, evaluator: &Evaluator) -> Result<(Version, Option<CheckpointPosition>)> {
        for _ in 0..READS {
            // A file that is gone is named by the error of its reading.
            let before = file_version(&self.weights);
            let position = checkpoint_position(&self.weights).ok().flatten();
            evaluator.load_weights(&self.weights)?;
            if let Some(version) = before
                && file_version(&self.weights).as_ref() == Some(&version)
            {
                let version = Version::of(&version, &self.started.data_hash);
                return Ok((version, position));
            }
        }
        Err(Error::Conflict(
            "The run writes checkpoints faster than they can be read. Evaluate it when it is over."
                .to_owned(),
        ))
    }
}

/// A line that the process writes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// How far it is.
    Progress(Progress),
    /// It is done: the checkpoint that it evaluated.
    Evaluated(Version),
}

/// What an evaluation is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EvaluationPhase)]
pub enum Phase {
    /// Other evaluations go first.
    Waiting,
    /// The network and the data are read.
    Loading,
    /// The network predicts the training split.
    Train,
    /// The network predicts the validation split, on which the temperature and the thresholds are fitted.
    Validation,
    /// The network predicts the test split.
    Test,
    /// Figures and intervals are computed.
    Figures,
}

/// How far an evaluation is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = EvaluationProgress)]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// The share of the phase that is done, 0 to 1.
    pub share: f64,
    /// Samples that are predicted; 0 in other phases.
    pub done: usize,
    /// Samples of the split; 0 in other phases.
    pub total: usize,
}

impl Progress {
    /// At the beginning of a phase.
    pub(super) fn of(phase: Phase) -> Self {
        Self {
            phase,
            share: 0.0,
            done: 0,
            total: 0,
        }
    }

    pub(super) fn waiting() -> Self {
        Self::of(Phase::Waiting)
    }
}

/// The figures of a run on a split.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RunEvaluation {
    /// The split.
    pub split: Split,
    /// The checkpoint.
    pub checkpoint: EvaluatedCheckpoint,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// Identifies the split's samples: two runs with the same are evaluated on the same samples in the same order.
    pub sample_set: String,
    /// The name of the data set.
    pub data_set: String,
    /// The hash of its images and imported labels; `null` for a set of this program.
    pub data_sha256: Option<String>,
    /// The figures.
    #[serde(flatten)]
    pub figures: Evaluation,
}

/// The checkpoint that was evaluated.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct EvaluatedCheckpoint {
    /// `best` or `last`.
    pub name: String,
    /// Completed epochs, if the file tells.
    pub epoch: Option<u64>,
    /// Completed steps, if the file tells.
    pub step: Option<u64>,
    /// Identifies its content, and the data.
    pub version: Version,
}

/// Tells progress, not too often.
struct Teller<'a> {
    tell: &'a dyn Fn(&Progress) -> Result<()>,
    last: Option<(Phase, Instant)>,
}

impl Teller<'_> {
    fn tell(&mut self, progress: &Progress) -> Result<()> {
        let soon = self
            .last
            .is_some_and(|(phase, at)| phase == progress.phase && at.elapsed() < TELL);
        if soon {
            return Ok(());
        }
        self.last = Some((progress.phase, Instant::now()));
        (self.tell)(progress)
    }
}

/// Evaluates a split and writes its files; returns which checkpoint that is of. `tell` is told the progress, and may fail
/// to end the evaluation.
///
/// # Errors
/// When the data or the checkpoint cannot be used, with a message for users.
pub(crate) fn compute(
    request: EvaluationRequest,
    tell: &dyn Fn(&Progress) -> Result<()>,
) -> Result<Version> {
    let mut teller = Teller { tell, last: None };
    let dir = RunDir::at(&request.run_dir);
    dir.refuse_links()?;
    let library = library_of_run(dir.path());
    let (spec, started) = (&request.spec, &request.started);
    let graph = match Graph::read(&dir.graph_file())? {
        Some(graph) => graph,
        None => spec.network.graph(&started.input, started.classes.len())?,
    };
    let record = Record {
        threads: Some(started.threads),
        instructions: Some(started.instructions.clone()),
        ..Record::default()
    };
    let evaluator = Evaluator::open(spec, &library, graph, &record)?;
    if evaluator.data().hash != started.data_hash {
        return Err(Error::Conflict(
            "The data set has changed since the run began: its samples are no longer the same."
                .to_owned(),
        ));
    }
    let (version, position) = request.load_weights(&evaluator)?;
    let entry = request.entry(&version);
    fs::create_dir_all(entry.folder()).map_err(|e| Error::file(entry.folder(), e))?;
    let split = request.split;
    let has_validation = !evaluator.data().validation.is_empty();
    if has_validation {
        write_scores(&evaluator, Split::Validation, &entry, &mut teller)?;
    }
    write_scores(&evaluator, split, &entry, &mut teller)?;
    let sample_set = sample_set(&evaluator, &library, spec, split);
    // Figures need neither the network nor the data.
    drop(evaluator);
    let scores = entry.scores(split)?;
    let validation = has_validation
        .then(|| entry.scores(Split::Validation))
        .transpose()?;
    let mut failed = None;
    let figures = evaluate(
        scores_of(&scores),
        validation.as_ref().map(scores_of),
        SEED,
        &mut |share| {
            let progress = Progress {
                share,
                ..Progress::of(Phase::Figures)
            };
            teller.tell(&progress).map_err(|error| {
                let message = error.to_string();
                failed = Some(error);
                vivarium_models::Error::Threads(message)
            })
        },
    );
    let figures = match (figures, failed) {
        (_, Some(error)) => return Err(error),
        (figures, None) => figures?,
    };
    let evaluation = RunEvaluation {
        split,
        checkpoint: EvaluatedCheckpoint {
            name: request.checkpoint,
            epoch: position.map(|CheckpointPosition { epoch, .. }| epoch),
            step: position.map(|CheckpointPosition { step, .. }| step),
            version: version.clone(),
        },
        classes: started.classes.clone(),
        sample_set,
        data_set: spec.data.set.clone(),
        data_sha256: content_of(&library, &spec.data.set),
        figures,
    };
    let json = serde_json::to_vec(&evaluation).map_err(|e| Error::json("an evaluation", e))?;
    write_atomically(&entry.evaluation_file(split), &json)?;
    Ok(version)
}

fn scores_of(file: &ScoresFile) -> SplitScores<'_> {
    SplitScores {
        scores: file,
        targets: file.targets(),
    }
}

/// Writes the scores of a split and its targets, unless they are there.
fn write_scores(
    evaluator: &Evaluator,
    split: Split,
    entry: &Entry,
    teller: &mut Teller<'_>,
) -> Result<()> {
    if entry.scores(split).is_ok() {
        return Ok(());
    }
    let (samples, classes) = (evaluator.samples(split), evaluator.data().classes.len());
    if samples.is_empty() {
        return Err(Error::Conflict(format!(
            "The run has no {} samples.",
            split.name()
        )));
    }
    if samples.len().saturating_mul(classes) > MAX_SCORES {
        return Err(Error::Conflict(format!(
            "{} samples of {classes} classes are too many to evaluate: at most {MAX_SCORES} scores are kept.",
            samples.len()
        )));
    }
    let path = entry.scores_path(split);
    let failed = |e| Error::file(&path, e);
    links::refuse(entry.folder()).map_err(failed)?;
    let file = NamedTempFile::with_prefix_in(INCOMING, entry.folder()).map_err(failed)?;
    let mut writer = BufWriter::with_capacity(1 << 20, file);
    writer
        .write_all(&header(evaluator.kind(), classes))
        .map_err(failed)?;
    let phase = match split {
        Split::Train => Phase::Train,
        Split::Validation => Phase::Validation,
        Split::Test => Phase::Test,
    };
    let mut done = 0;
    let mut error = None;
    let mut tell = |done: usize| {
        teller.tell(&Progress {
            phase,
            share: done as f64 / samples.len() as f64,
            done,
            total: samples.len(),
        })
    };
    tell(0)?;
    let computed = evaluator.for_each_batch(split, |rows| {
        let written = rows
            .iter()
            .try_for_each(|value| writer.write_all(&value.to_le_bytes()).map_err(failed));
        done += rows.len() / classes;
        written.and_then(|()| tell(done)).map_err(|failure| {
            let message = failure.to_string();
            error = Some(failure);
            vivarium_models::Error::Threads(message)
        })
    });
    if let Some(error) = error {
        return Err(error);
    }
    computed?;
    let file = writer.into_inner().map_err(|e| failed(e.into_error()))?;
    let targets: Vec<u8> = samples
        .labels()
        .iter()
        .flat_map(|label| label.to_le_bytes())
        .collect();
    write_atomically(&entry.targets_path(split), &targets)?;
    file.persist(&path).map_err(|e| failed(e.error))?;
    Ok(())
}

/// The hash of the images and the imported labels of a stored set.
pub(super) fn content_of(library: &Library, set: &str) -> Option<String> {
    Some(library.find(set)?.metadata?.sha256)
}

/// Identifies the samples of a split whatever size they have and however they are normalised: by the set's content and
/// by what selects the split.
fn sample_set(evaluator: &Evaluator, library: &Library, spec: &RunSpec, split: Split) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update(text);
        hash.update([0]);
    };
    add(&spec.data.set);
    add(split.name());
    match content_of(library, &spec.data.set) {
        Some(sha256) => add(&sha256),
        None => add(env!("CARGO_PKG_VERSION")),
    }
    // Points are generated from their options; those of images only say how they are shown to a network.
    if evaluator.data().range.is_some() {
        add(&serde_json::json!(spec.data.options).to_string());
    }
    if split != Split::Test {
        let data = &spec.data;
        let selects = (data.validation, data.limit, data.folds, data.fold);
        add(&format!("{selects:?}"));
    }
    // What a version of the labels excludes.
    let mut imported = spec.data.clone();
    imported.options.remove("version");
    let [own, all] = [&spec.data, &imported].map(|data| split_samples(data, library, split).ok());
    if own != all {
        own.iter()
            .flatten()
            .for_each(|sample| add(&sample.to_string()));
    }
    let labels = evaluator.samples(split).labels();
    labels
        .iter()
        .for_each(|label| hash.update(label.to_le_bytes()));
    hex::encode(&hash.finalize()[..16])
}
