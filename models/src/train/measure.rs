//! Estimates the time and memory of a run from a few of its steps on random data, before it starts and without its data
//! set.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::boundary;
use super::environment::peak_memory_bytes;
use super::learner::Learner;
use super::loader;
use super::plan::Plan;
use crate::classify::evaluation_rows;
use crate::error::Result;
use crate::graph::Graph;
use crate::networks::Model;
use crate::ops::{set_threads, threads};
use crate::random::Key;
use crate::spec::{RunSpec, TrainingSpec};

/// The most measured steps.
const MOST: usize = 20;

/// After this time, three steps are enough.
const ENOUGH: Duration = Duration::from_secs(2);

/// After this time, no further step is started.
const LIMIT: Duration = Duration::from_secs(8);

/// The result of a measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepTiming {
    /// Measured steps, after one of warm-up.
    #[schema(minimum = 1)]
    pub steps: u64,
    /// The median time of a step, in seconds.
    pub step_seconds: f64,
    /// Seconds per sample of an evaluation.
    pub evaluation_seconds: f64,
    /// The epochs in which a part of the network is frozen; `null` where none is.
    #[serde(default)]
    pub frozen: Option<FrozenTiming>,
    /// The peak memory of the measuring process, with the network, its optimizer and a batch, but without the data
    /// set; `null` if unknown.
    pub peak_memory_bytes: Option<u64>,
    /// The number of threads.
    pub threads: usize,
}

/// The measurement of epochs in which a part of the network is frozen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FrozenTiming {
    /// The median time of a step, in seconds; where the results of the frozen layers are kept, without them.
    pub step_seconds: f64,
    /// Seconds per sample of an evaluation, likewise.
    pub evaluation_seconds: f64,
    /// Seconds per sample of the frozen layers, where their results are kept.
    pub sample_seconds: Option<f64>,
}

/// Measures training steps of a network on random batches of `batch` samples. Takes about two seconds, and at most ten
/// if a step takes less than two. `keeps_features` says whether the run keeps the results of its frozen layers.
///
/// # Errors
/// When the network cannot be built, or threads cannot be started.
pub fn measure(
    graph: Graph,
    training: &TrainingSpec,
    batch: usize,
    keeps_features: bool,
) -> Result<StepTiming> {
    let began = Instant::now();
    let threads = training
        .threads
        .map_or_else(threads::available, |n| n as usize);
    set_threads(threads)?;
    let classes = graph.output().first().copied().unwrap_or(1);
    let model = Model::of_graph(graph, training.seed)?;
    let mut learner = Learner::of_run(model, training).with_ema(training.ema.as_ref())?;
    let mut generator = Key::new(0, "measured classes").generator();
    let targets: Vec<u32> = (0..batch)
        .map(|_| generator.below(classes as u64) as u32)
        .collect();
    let transfer = training.transfer.as_ref().filter(|_| learner.is_frozen());
    let unfreezes = transfer.is_some_and(|transfer| transfer.unfreeze_at.is_some());
    let frozen = match learner.is_frozen() {
        true if keeps_features => Some(kept_features(&mut learner, &targets, began)?),
        true if unfreezes => Some(whole_samples(&mut learner, &targets, began)?),
        _ => None,
    };
    let (steps, whole) = match &frozen {
        Some((steps, timing)) if !unfreezes => (*steps, timing.of_whole_samples()),
        _ => {
            if unfreezes {
                learner.unfreeze(0);
            }
            whole_samples(&mut learner, &targets, began)?
        }
    };
    Ok(StepTiming {
        steps,
        step_seconds: whole.step_seconds,
        evaluation_seconds: whole.evaluation_seconds,
        frozen: frozen.map(|(_, timing)| timing),
        peak_memory_bytes: peak_memory_bytes(),
        threads,
    })
}

/// A learning rate that hardly changes the weights, so that training on random data does not diverge; but large enough to
/// avoid subnormal numbers, which are slow.
const LR: f64 = 1e-20;

/// Random samples of a network.
fn samples(learner: &Learner, n: usize) -> Vec<f32> {
    let width: usize = learner.model().input().iter().product();
    let mut values = vec![0.0; n * width];
    Key::new(0, "measured samples").fill_normal(&mut values, 1.0);
    values
}

/// The number of measured steps, and the median of their seconds.
fn median_of_steps(began: Instant, mut step: impl FnMut(u64) -> Result<()>) -> Result<(u64, f64)> {
    let mut timed = |number: u64| -> Result<f64> {
        let began = Instant::now();
        step(number)?;
        Ok(began.elapsed().as_secs_f64())
    };
    // The first step also allocates memory.
    let first = timed(1)?;
    let mut times = Vec::new();
    while times.len() < MOST
        && began.elapsed() < LIMIT
        && (times.len() < 3 || began.elapsed() < ENOUGH)
    {
        times.push(timed(2 + times.len() as u64)?);
    }
    if times.is_empty() {
        times.push(first);
    }
    times.sort_by(f64::total_cmp);
    let median = (times[(times.len() - 1) / 2] + times[times.len() / 2]) / 2.0;
    Ok((times.len() as u64, median))
}

/// The seconds of the fastest of two passes.
fn fastest(pass: impl Fn() -> Result<()>) -> Result<f64> {
    let mut fastest = f64::INFINITY;
    for _ in 0..2 {
        let began = Instant::now();
        pass()?;
        fastest = fastest.min(began.elapsed().as_secs_f64());
    }
    Ok(fastest)
}

/// Steps and evaluations of whole samples.
fn whole_samples(
    learner: &mut Learner,
    targets: &[u32],
    began: Instant,
) -> Result<(u64, FrozenTiming)> {
    let batch = targets.len();
    let x = learner.batch(samples(learner, batch), batch)?;
    let (steps, step_seconds) = median_of_steps(began, |number| {
        learner.step(&x, targets, LR, number).map(drop)
    })?;
    let evaluation_seconds = if began.elapsed() < LIMIT {
        let rows = evaluation_rows(learner.model().input().iter().product());
        let values = samples(learner, rows);
        fastest(|| learner.scores(values.clone(), rows, false).map(drop))? / rows as f64
    } else {
        // A step costs about three forward passes.
        step_seconds / batch as f64 / 3.0
    };
    let timing = FrozenTiming {
        step_seconds,
        evaluation_seconds,
        sample_seconds: None,
    };
    Ok((steps, timing))
}

/// The frozen layers once, and steps and evaluations of what follows them.
fn kept_features(
    learner: &mut Learner,
    targets: &[u32],
    began: Instant,
) -> Result<(u64, FrozenTiming)> {
    let rows = evaluation_rows(learner.model().input().iter().product());
    let values = samples(learner, rows);
    let sample_seconds =
        fastest(|| learner.features(values.clone(), rows).map(drop))? / rows as f64;
    let features = learner.features(values, rows)?;
    let row = features.narrow(0, 0, 1)?;
    let batch = candle_core::Tensor::cat(&vec![row; targets.len()], 0)?;
    let (steps, step_seconds) = median_of_steps(began, |number| {
        learner
            .step_from_features(&batch, targets, LR, number)
            .map(drop)
    })?;
    let evaluation_seconds =
        fastest(|| learner.scores_from_features(&features).map(drop))? / rows as f64;
    let timing = FrozenTiming {
        step_seconds,
        evaluation_seconds,
        sample_seconds: Some(sample_seconds),
    };
    Ok((steps, timing))
}

impl FrozenTiming {
    /// Steps and evaluations without anything kept.
    fn of_whole_samples(&self) -> Self {
        Self {
            evaluation_seconds: self.evaluation_seconds + self.sample_seconds.unwrap_or(0.0),
            sample_seconds: None,
            ..self.clone()
        }
    }
}

impl StepTiming {
    /// The estimated seconds of a whole run without early stopping: steps, evaluations after every epoch and at the
    /// end, and decision boundaries of two-dimensional data.
    pub fn seconds(&self, spec: &RunSpec, plan: &Plan) -> f64 {
        let epochs = spec.training.epochs;
        let boundaries = match plan.input.len() {
            1 => {
                1 + (1..=epochs)
                    .filter(|e| boundary::wanted(*e, epochs))
                    .count()
            }
            _ => 0,
        };
        let validation = plan.validation_samples as f64;
        let steps = plan.steps_per_epoch as f64;
        let epoch = |step_seconds: f64, evaluation_seconds: f64| {
            step_seconds * steps + evaluation_seconds * validation
        };
        let transfer = spec.training.transfer.as_ref();
        let frozen = match (transfer, &self.frozen) {
            (Some(transfer), Some(timing)) => Some((transfer.frozen_epochs(epochs), timing)),
            _ => None,
        };
        let (frozen_epochs, in_frozen_epochs) = frozen.map_or((0, 0.0), |(frozen, timing)| {
            let samples = plan.train_samples as f64 + validation;
            let once = timing.sample_seconds.unwrap_or(0.0) * samples;
            let each = epoch(timing.step_seconds, timing.evaluation_seconds);
            (frozen, once + each * frozen as f64)
        });
        let rest = (epochs - frozen_epochs) as f64;
        let evaluated = plan.test_samples + (boundaries * boundary::SAMPLES) as u64;
        in_frozen_epochs
            + epoch(self.step_seconds, self.evaluation_seconds) * rest
            + self.evaluation_seconds * evaluated as f64
    }

    /// The estimated peak memory of a whole run, in bytes: the measured memory, the data set, and the batches that are
    /// made ahead; `None` if unknown.
    pub fn memory_bytes(&self, spec: &RunSpec, plan: &Plan) -> Option<u64> {
        let batch = spec.training.batch_size.min(plan.train_samples);
        let values = plan.input.iter().fold(batch, |n, side| n * *side as u64);
        let ahead = loader::batches_ahead(values) * values * size_of::<f32>() as u64;
        Some(self.peak_memory_bytes? + plan.data_bytes + plan.feature_bytes + ahead)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::data::{self, Library};
    use crate::form::check;
    use crate::train::prepare;

    #[test]
    fn a_run_takes_its_steps_its_evaluations_and_its_boundaries() {
        let measured = StepTiming {
            steps: 3,
            step_seconds: 1.0,
            evaluation_seconds: 0.001,
            frozen: None,
            peak_memory_bytes: None,
            threads: 1,
        };
        let seconds = |set: &str| {
            let spec = check(&json!({
                "data": {"set": set, "validation": 0.2}, "network": {"kind": "mlp"}, "training": {"epochs": 3}
            }), &Library::none())
            .unwrap();
            let plan = prepare(&spec, &Library::none()).unwrap();
            let rest = measured.seconds(&spec, &plan) - plan.total_steps as f64;
            rest * 1000.0 - (plan.validation_samples * 3 + plan.test_samples) as f64
        };
        let memory = |peak: Option<u64>| {
            let spec = check(
                &json!({"data": {"set": "digits", "size": 32}, "network": {"kind": "mlp"}}),
                &Library::none(),
            )
            .unwrap();
            let plan = prepare(&spec, &Library::none()).unwrap();
            StepTiming {
                peak_memory_bytes: peak,
                ..measured.clone()
            }
            .memory_bytes(&spec, &plan)
        };
        // The images as bytes, index and label of each, and three batches of 64 as floats.
        let rest = 1797 * (64 + 8) + 3 * 64 * 32 * 32 * 4;
        assert_eq!(memory(Some(1 << 20)), Some((1 << 20) + rest));
        assert_eq!(memory(None), None);
        assert!(seconds("digits").abs() < 1e-6);
        assert!((seconds("moons") - 4.0 * 4096.0).abs() < 1e-6);
    }

    #[test]
    fn points_and_images_are_measured() {
        for (set, kind) in [("moons", "perceptron"), ("digits", "mlp")] {
            let spec = check(
                &json!({
                    "data": {"set": set}, "network": {"kind": kind},
                    "training": {"threads": 1, "clip": 1.0, "schedule": {"kind": "one_cycle"}}
                }),
                &Library::none(),
            )
            .unwrap();
            let (input, classes) = data::shape(&spec.data, &Library::none()).unwrap();
            let graph = spec.network.graph(&input, classes).unwrap();
            let measured = measure(graph, &spec.training, 7, false).unwrap();
            assert!((3..=20).contains(&measured.steps));
            assert!(measured.step_seconds > 0.0 && measured.step_seconds < 1.0);
            assert!(measured.evaluation_seconds > 0.0);
        }
    }
}
