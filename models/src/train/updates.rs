//! The updates of a perceptron in an epoch, computed again.
//!
//! Nothing is recorded for them: a run is deterministic, so its steps are repeated from weights that its log has, in
//! the order that its seed gives. Whoever asks compares the weights at the end with those of the log.

use serde::Serialize;
use utoipa::ToSchema;

use super::learner::Learner;
use super::linear;
use super::loader::{DataLoader, LoaderConfig};
use super::schedule::lr_at;
use crate::contract::LinearWeights;
use crate::data::{Samples, Splits};
use crate::error::{Error, Result};
use crate::graph::{Criterion, Graph};
use crate::networks::Model;
use crate::spec::{OptimizerSpec, RunSpec};

/// The most steps that are computed again for an epoch: about a second.
const MOST_STEPS: u64 = 200_000;

/// What a perceptron did in one epoch.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct EpochUpdates {
    /// The epoch, from 1.
    pub epoch: u64,
    /// The training samples that it saw.
    pub samples: u64,
    /// How many of them it classified wrong when it saw them.
    pub mistakes: u64,
    /// The weights at its start: a row for each class, or one row, as the boundary has them.
    pub before: Vec<[f32; 3]>,
    /// The weights at its end.
    pub after: Vec<[f32; 3]>,
    /// The steps with a mistake, in order.
    pub updates: Vec<Update>,
}

/// A step in which at least one sample was classified wrong.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = PerceptronUpdate)]
pub struct Update {
    /// The step, from 1.
    pub step: u64,
    /// The learning rate of the step.
    pub lr: f64,
    /// The samples of the step, by whose number the sum of the mistakes is divided.
    pub batch: usize,
    /// The mistakes.
    pub mistakes: Vec<Mistake>,
    /// The weights before the step.
    pub before: Vec<[f32; 3]>,
    /// The weights after the step.
    pub after: Vec<[f32; 3]>,
}

/// A sample that was classified wrong: another class scored at least as much as its own.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = PerceptronMistake)]
pub struct Mistake {
    /// The sample, from 0, in the order of the training split.
    pub sample: usize,
    /// Its normalised coordinates.
    pub x: [f32; 2],
    /// Its class.
    pub target: usize,
    /// The other class that scored most.
    pub rival: usize,
    /// The scores of all classes.
    pub scores: Vec<f32>,
}

/// Weights of a run that its log has.
#[derive(Clone, Debug)]
pub struct RecordedWeights {
    /// Whole epochs done.
    pub epoch: u64,
    /// The weights.
    pub weights: LinearWeights,
}

/// Whether steps can only be repeated from the start of the run: what the optimizer remembers is not in the log.
pub fn needs_start_of_run(spec: &RunSpec) -> bool {
    !matches!(spec.training.optimizer, OptimizerSpec::Sgd { momentum, .. } if momentum == 0.0)
}

/// Computes the updates of an epoch again, from weights at its start or earlier; from those before the first step where
/// [`needs_start_of_run`] says so. `graph` and `data` are those of the run.
///
/// # Errors
/// [`Error::Setting`] when the network is no perceptron on points, the run keeps an average of its weights, or more
/// than 200,000 steps would have to be repeated.
pub fn epoch_updates(
    spec: &RunSpec,
    data: &Splits,
    graph: Graph,
    start: &RecordedWeights,
    epoch: u64,
) -> Result<EpochUpdates> {
    if graph.criterion != Criterion::Perceptron || !linear::is_linear(&graph) {
        let message = "only a perceptron on points in the plane has updates that can be shown";
        return Err(Error::setting("network.kind", message));
    }
    if spec.training.ema.is_some() {
        let message =
            "the run keeps an average of its weights, which is not what the updates change";
        return Err(Error::setting("training.ema", message));
    }
    let epoch = epoch.max(start.epoch + 1);
    let config = LoaderConfig::of_run(data, &spec.training);
    let batches = config.batches();
    let steps = epoch.saturating_sub(start.epoch).saturating_mul(batches);
    if steps > MOST_STEPS {
        let message = format!(
            "{steps} steps would have to be computed again, more than {MOST_STEPS}; choose an epoch close after one with a boundary"
        );
        return Err(Error::setting("epoch", message));
    }
    let model = Model::of_graph(graph, spec.training.seed)?;
    linear::set_rows(&model, &start.weights.rows)?;
    let mut learner = Learner::of_run(model, &spec.training);
    let mut loader = DataLoader::new(config, start.epoch, 0)?;
    let mut found = EpochUpdates {
        epoch,
        samples: 0,
        mistakes: 0,
        before: Vec::new(),
        after: Vec::new(),
        updates: Vec::new(),
    };
    let first = (epoch - 1) * batches + 1;
    for step in start.epoch * batches + 1..=epoch * batches {
        if step == first {
            found.before = linear::rows(learner.model())?;
        }
        let batch = loader.next()?;
        let lr = lr_at(
            &spec.training.schedule,
            spec.training.optimizer.lr(),
            batches,
            batches * spec.training.epochs,
            step,
        );
        let n = batch.targets.len();
        let mistakes = match step >= first {
            true => mistakes(&learner, &data.train, &batch.indices)?,
            false => Vec::new(),
        };
        let before = match mistakes.is_empty() {
            true => Vec::new(),
            false => linear::rows(learner.model())?,
        };
        let x = learner.batch(batch.values, n)?;
        let targets: &[u32] = &batch.targets;
        let loss = learner.step(&x, targets, lr, step)?;
        if step >= first {
            found.samples += n as u64;
        }
        if !loss.mean.is_finite() {
            break;
        }
        if !mistakes.is_empty() {
            found.mistakes += mistakes.len() as u64;
            found.updates.push(Update {
                step,
                lr,
                batch: n,
                mistakes,
                before,
                after: linear::rows(learner.model())?,
            });
        }
    }
    found.after = linear::rows(learner.model())?;
    Ok(found)
}

/// The samples of a batch that the network classifies wrong, by the rule of
/// [`perceptron_loss`](crate::ops::perceptron_loss).
fn mistakes(learner: &Learner, samples: &Samples, indices: &[u32]) -> Result<Vec<Mistake>> {
    let mut values = Vec::with_capacity(2 * indices.len());
    for index in indices {
        values.extend(samples.values(*index as usize)?);
    }
    let points: Vec<_> = values.chunks_exact(2).map(|x| [x[0], x[1]]).collect();
    let scores = learner.scores(values, indices.len(), false)?.to_vec2()?;
    let each = indices.iter().zip(points).zip(scores);
    let wrong = each.filter_map(|((index, x), scores)| {
        let sample = *index as usize;
        let target = samples.labels()[sample] as usize;
        let rival = rival(&scores, target)?;
        (scores[rival] >= scores[target]).then_some(Mistake {
            sample,
            x,
            target,
            rival,
            scores,
        })
    });
    Ok(wrong.collect())
}

/// The class that scores most among all but the target; the first of equals.
fn rival(scores: &[f32], target: usize) -> Option<usize> {
    let others = (0..scores.len()).filter(|class| *class != target);
    others.reduce(|best, class| {
        if scores[class] > scores[best] {
            class
        } else {
            best
        }
    })
}
