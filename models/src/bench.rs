//! How long a training step takes, measured as PyTorch's is: on random data, the median after a warm-up.

use serde::Serialize;

use crate::error::Result;
use crate::spec::NetworkSpec;

/// What to measure.
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
    /// The rule that changes the parameters.
    pub optimizer: BenchOptimizer,
    /// Steps measured, after three that are not.
    pub steps: usize,
    /// Threads to compute with.
    pub threads: usize,
}

/// The rules that can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BenchOptimizer {
    /// Learning rate 0.01, momentum 0.9, weight decay 0.0005.
    Sgd,
    /// Learning rate 0.001.
    AdamW,
}

/// What was measured. Serialises to the fields of the contract's `bench` line.
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

/// The network of a name, its options checked and filled with their defaults: `{"kind": "mlp", "norm": true}`.
///
/// # Errors
/// Every fault at once, by path.
pub fn network(
    json: &serde_json::Value,
) -> std::result::Result<NetworkSpec, Vec<crate::spec::FieldError>> {
    let _ = json;
    todo!()
}

/// Measures full training steps (forward, loss, backward, optimizer) on random data.
///
/// # Errors
/// When the network does not take images of that size, or the threads cannot be had.
pub fn bench(options: &BenchOptions) -> Result<BenchResult> {
    let _ = options;
    todo!()
}
