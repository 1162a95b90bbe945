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
use crate::random::{Generator, Key};
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
    /// The peak memory of the measuring process, with the network, its optimizer and a batch, but without the data
    /// set; `null` if unknown.
    pub peak_memory_bytes: Option<u64>,
    /// The number of threads.
    pub threads: usize,
}

/// Measures training steps of a network on random batches of `batch` samples. Takes about two seconds, and at most ten
/// if a step takes less than two.
///
/// # Errors
/// When the network cannot be built, or threads cannot be started.
pub fn measure(graph: Graph, training: &TrainingSpec, batch: usize) -> Result<StepTiming> {
    let began = Instant::now();
    let threads = training
        .threads
        .map_or_else(threads::available, |n| n as usize);
    set_threads(threads)?;
    let width: usize = graph.input().iter().product();
    let classes = graph.output().first().copied().unwrap_or(1);
    let model = Model::of_graph(graph, training.seed)?;
    let mut learner = Learner::of_run(model, training).with_ema(training.ema.as_ref())?;
    let samples = |n: usize| {
        let mut values = vec![0.0; n * width];
        Key::new(0, "measured samples").fill(&mut values, Generator::normal);
        values
    };
    let mut generator = Key::new(0, "measured classes").generator();
    let targets: Vec<u32> = (0..batch)
        .map(|_| generator.below(classes as u64) as u32)
        .collect();
    let x = learner.batch(samples(batch), batch)?;
    // A learning rate that hardly changes the weights, so that training on random data does not diverge; but large
    // enough to avoid subnormal numbers, which are slow.
    let lr = 1e-20;
    let mut step = |number: u64| -> Result<f64> {
        let began = Instant::now();
        learner.step(&x, &targets, lr, number)?;
        Ok(began.elapsed().as_secs_f64())
    };
    // The first step also allocates memory.
    let first = step(1)?;
    let mut times = Vec::new();
    while times.len() < MOST
        && began.elapsed() < LIMIT
        && (times.len() < 3 || began.elapsed() < ENOUGH)
    {
        times.push(step(2 + times.len() as u64)?);
    }
    if times.is_empty() {
        times.push(first);
    }
    times.sort_by(f64::total_cmp);
    let step_seconds = (times[(times.len() - 1) / 2] + times[times.len() / 2]) / 2.0;
    let evaluation_seconds = if began.elapsed() < LIMIT {
        let rows = evaluation_rows(width);
        let values = samples(rows);
        let mut fastest = f64::INFINITY;
        for _ in 0..2 {
            let began = Instant::now();
            learner.scores(values.clone(), rows, false)?;
            fastest = fastest.min(began.elapsed().as_secs_f64());
        }
        fastest / rows as f64
    } else {
        // A step costs about three forward passes.
        step_seconds / batch as f64 / 3.0
    };
    Ok(StepTiming {
        steps: times.len() as u64,
        step_seconds,
        evaluation_seconds,
        peak_memory_bytes: peak_memory_bytes(),
        threads,
    })
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
        let evaluated = plan.validation_samples * epochs
            + plan.test_samples
            + (boundaries * boundary::SAMPLES) as u64;
        self.step_seconds * plan.total_steps as f64 + self.evaluation_seconds * evaluated as f64
    }

    /// The estimated peak memory of a whole run, in bytes: the measured memory, the data set, and the batches that are
    /// made ahead; `None` if unknown.
    pub fn memory_bytes(&self, spec: &RunSpec, plan: &Plan) -> Option<u64> {
        let batch = spec.training.batch_size.min(plan.train_samples);
        let values = plan.input.iter().fold(batch, |n, side| n * *side as u64);
        let ahead = loader::batches_ahead(values) * values * size_of::<f32>() as u64;
        Some(self.peak_memory_bytes? + plan.data_bytes + ahead)
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
            let measured = measure(graph, &spec.training, 7).unwrap();
            assert!((3..=20).contains(&measured.steps));
            assert!(measured.step_seconds > 0.0 && measured.step_seconds < 1.0);
            assert!(measured.evaluation_seconds > 0.0);
        }
    }
}
