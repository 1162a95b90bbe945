//! Measures training steps on random data: the median time after a warm-up, as the PyTorch benchmark does.

use std::time::Instant;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::form::check_network;
use crate::networks::Model;
use crate::ops::set_threads;
use crate::random::Key;
use crate::spec::{FieldError, NetworkSpec, OptimizerSpec};
use crate::train::{Learner, peak_memory_bytes};

/// Steps before the first that is measured.
const WARM_UP: u64 = 3;

/// Classes of the random data.
const CLASSES: usize = 10;

/// The settings of a measurement.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// The network and its options; see [`network`].
    pub network: NetworkSpec,
    /// Images a step.
    pub batch: usize,
    /// Pixels along a side.
    pub size: usize,
    /// Values a pixel: 1 or 3.
    pub channels: usize,
    /// The optimizer.
    pub optimizer: BenchOptimizer,
    /// Measured steps, after three of warm-up.
    pub steps: usize,
    /// Threads to compute with.
    pub threads: usize,
}

/// The optimizers that can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BenchOptimizer {
    /// Learning rate 0.01, momentum 0.9, weight decay 0.0005.
    Sgd,
    /// Learning rate 0.001.
    AdamW,
}

/// The result of a measurement. Serialises to the fields of the `bench` command's JSON.
#[derive(Clone, Debug, Serialize)]
pub struct BenchResult {
    /// The network's name.
    pub net: String,
    /// Images a step.
    pub batch: usize,
    /// Pixels along a side.
    pub size: usize,
    /// The optimizer's name.
    pub opt: BenchOptimizer,
    /// Threads computed with.
    pub threads: usize,
    /// The median of the steps' times, in milliseconds.
    pub step_ms: f64,
    /// `batch` over the median.
    pub images_per_s: f64,
    /// The most memory the process ever held, in MiB; `None` where the system does not say.
    pub peak_rss_mib: Option<u64>,
}

/// Checks the options of a network and fills in defaults: `{"kind": "mlp", "norm": true}`.
///
/// # Errors
/// Every fault at once, by path.
pub fn network(json: &serde_json::Value) -> std::result::Result<NetworkSpec, Vec<FieldError>> {
    check_network(json)
}

/// Measures full training steps (forward, loss, backward, optimizer) on random data.
///
/// # Errors
/// When the network does not take images of that size, or threads cannot be started.
pub fn bench(options: &BenchOptions) -> Result<BenchResult> {
    let BenchOptions {
        batch,
        size,
        channels,
        steps,
        threads,
        ..
    } = *options;
    for (name, value) in [
        ("batch", batch),
        ("size", size),
        ("channels", channels),
        ("steps", steps),
        ("threads", threads),
    ] {
        if value == 0 {
            return Err(Error::setting(name, "must be at least 1"));
        }
    }
    set_threads(threads)?;
    let input = [channels, size, size];
    let model = Model::new(&options.network, &input, CLASSES, 0)?;
    let rule = options.optimizer.rule();
    let mut learner = Learner::new(model, &rule, 0);
    let mut values = vec![0.0; batch * channels * size * size];
    Key::new(0, "bench images").fill_normal(&mut values, 1.0);
    let mut generator = Key::new(0, "bench classes").generator();
    let targets: Vec<u32> = (0..batch)
        .map(|_| generator.below(CLASSES as u64) as u32)
        .collect();
    let x = learner.batch(values, batch)?;
    for step in 1..=WARM_UP {
        learner.step(&x, &targets, rule.lr(), step)?;
    }
    let mut times = Vec::with_capacity(steps);
    for step in 1..=steps as u64 {
        let began = Instant::now();
        learner.step(&x, &targets, rule.lr(), WARM_UP + step)?;
        times.push(began.elapsed().as_secs_f64());
    }
    let median = median(&mut times);
    Ok(BenchResult {
        net: options.network.kind.clone(),
        batch,
        size,
        opt: options.optimizer,
        threads,
        step_ms: round(median * 1e3, 1e3),
        images_per_s: round(batch as f64 / median, 10.0),
        peak_rss_mib: peak_memory_bytes().map(|bytes| bytes.div_ceil(1 << 20)),
    })
}

impl BenchOptimizer {
    fn rule(self) -> OptimizerSpec {
        match self {
            Self::Sgd => OptimizerSpec::Sgd {
                lr: 0.01,
                momentum: 0.9,
                weight_decay: 5e-4,
                nesterov: false,
            },
            Self::AdamW => OptimizerSpec::AdamW {
                lr: 1e-3,
                beta1: 0.9,
                beta2: 0.999,
                eps: 1e-8,
                weight_decay: 0.01,
            },
        }
    }
}

/// The median; of an even number of times, the mean of the two in the middle.
fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    if times.len().is_multiple_of(2) {
        (times[middle - 1] + times[middle]) / 2.0
    } else {
        times[middle]
    }
}

fn round(value: f64, places: f64) -> f64 {
    (value * places).round() / places
}
