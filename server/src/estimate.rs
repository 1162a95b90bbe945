//! Estimates the time and memory of a run before it starts: measured by a process of its own, one at a time, and
//! cached.

use std::num::NonZeroUsize;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use vivarium_models::graph::Graph;
use vivarium_models::spec::{RunSpec, TrainingSpec};
use vivarium_models::train::{Plan, StepTiming};

use crate::error::{Error, Result};
use crate::launch::LocalLauncher;
use crate::machine::{self, in_gib};

/// The maximum duration of a measurement. It aims at two seconds, but a single step of a large network may take longer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(15);

/// How long a request waits for other measurements. Together with its own it takes less time than a request may.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);

/// The maximum number of cached measurements.
const MAX_ENTRIES: NonZeroUsize = NonZeroUsize::new(128).unwrap();

/// How long a measurement is valid: the load of the machine changes.
const MAX_AGE: Duration = Duration::from_secs(600);

/// The input of `vivarium measure`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MeasureRequest {
    pub(crate) graph: Graph,
    pub(crate) training: TrainingSpec,
    pub(crate) batch: usize,
    /// Whether the run keeps the results of its frozen layers.
    pub(crate) keeps_features: bool,
}

/// The estimated cost of a run.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Estimate {
    /// The measurement; `null` if it failed.
    pub measured: Option<StepTiming>,
    /// The duration of the whole run in seconds, unless it ends early.
    pub seconds: Option<f64>,
    /// The peak memory of the run, including its data set; `null` if it is not known.
    pub memory_bytes: Option<u64>,
    /// If a step takes too long to measure: a lower bound of the duration in seconds.
    pub at_least_seconds: Option<f64>,
    /// Why nothing was measured; empty otherwise.
    pub note: String,
}

/// How a measurement ended.
#[derive(Clone, Debug)]
enum Outcome {
    Measured(StepTiming),
    TooLong,
    /// Killed, as the system does when memory runs out.
    Killed,
    Failed(String),
}

/// Measures and caches. Clones share the cache.
#[derive(Clone, Debug)]
pub struct Estimator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    launcher: LocalLauncher,
    /// Concurrent measurements would distort each other.
    permit: Semaphore,
    measured: Mutex<LruCache<String, (Instant, Outcome)>>,
}

impl Estimator {
    /// An estimator whose measurements run on this machine with as many threads as a worker.
    pub fn new(launcher: LocalLauncher) -> Self {
        Self(Arc::new(Inner {
            launcher,
            permit: Semaphore::new(1),
            measured: Mutex::new(LruCache::new(MAX_ENTRIES)),
        }))
    }

    /// Estimates a run. Dropping the future ends the measurement.
    ///
    /// # Errors
    /// When the measuring process cannot be started or read.
    pub async fn estimate(&self, spec: &RunSpec, plan: &Plan) -> Result<Estimate> {
        if let Some(note) = too_large(spec, plan) {
            let (least, _) = plan.graph.least_memory_bytes(batch_of(spec, plan));
            return Ok(Estimate {
                memory_bytes: Some(least),
                ..Estimate::none(&note)
            });
        }
        let batch = batch_of(spec, plan);
        let request = MeasureRequest {
            graph: plan.graph.clone(),
            training: spec.training.clone(),
            batch: usize::try_from(batch).unwrap_or(usize::MAX),
            keeps_features: plan.keeps_features,
        };
        let key = key(spec, plan, batch);
        if let Some(outcome) = self.remembered(&key) {
            return Ok(outcome.estimate(spec, plan));
        }
        let Ok(permit) = tokio::time::timeout(QUEUE_TIMEOUT, self.0.permit.acquire()).await else {
            return Ok(Estimate::none("Other settings are being measured."));
        };
        let _permit = permit.map_err(|_| Error::Gone("the estimator"))?;
        // An earlier request may have measured the same.
        if let Some(outcome) = self.remembered(&key) {
            return Ok(outcome.estimate(spec, plan));
        }
        let outcome = self.measure(&request).await?;
        self.remember(key, outcome.clone());
        Ok(outcome.estimate(spec, plan))
    }

    async fn measure(&self, request: &MeasureRequest) -> Result<Outcome> {
        let failed = |e| Error::system("cannot run a measurement", e);
        let mut child = Command::from(self.0.launcher.command())
            .arg("measure")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let (Some(mut stdin), Some(mut stdout), Some(mut stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Error::Gone("a measurement"));
        };
        let talk = async {
            // A process that has died already does not read this; its status tells why.
            let _ = stdin.write_all(json!(request).to_string().as_bytes()).await;
            drop(stdin);
            let (mut line, mut fault) = (String::new(), String::new());
            stdout.read_to_string(&mut line).await?;
            stderr.read_to_string(&mut fault).await?;
            Ok((child.wait().await?, line, fault))
        };
        let Ok(ended) = tokio::time::timeout(TIMEOUT, talk).await else {
            return Ok(Outcome::TooLong);
        };
        let (status, line, fault) = ended.map_err(failed)?;
        Ok(match serde_json::from_str(&line) {
            Ok(measured) if status.success() => Outcome::Measured(measured),
            _ if status.code().is_none() => Outcome::Killed,
            _ => Outcome::Failed(fault.trim().trim_start_matches("vivarium: ").to_owned()),
        })
    }

    fn remembered(&self, key: &str) -> Option<Outcome> {
        let mut measured = self.measured();
        let (at, outcome) = measured.get(key)?;
        (at.elapsed() < MAX_AGE).then(|| outcome.clone())
    }

    fn remember(&self, key: String, outcome: Outcome) {
        self.measured().put(key, (Instant::now(), outcome));
    }

    fn measured(&self) -> MutexGuard<'_, LruCache<String, (Instant, Outcome)>> {
        self.0
            .measured
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The settings that determine the time and memory of a step, which the number of steps, the learning rate and the seed
/// do not.
fn key(spec: &RunSpec, plan: &Plan, batch: u64) -> String {
    let mut optimizer = json!(spec.training.optimizer);
    if let Some(optimizer) = optimizer.as_object_mut() {
        // Without momentum there is no velocity.
        let momentum = optimizer
            .get("momentum")
            .and_then(Value::as_f64)
            .is_some_and(|m| m > 0.0);
        let kind = optimizer.get("kind").cloned();
        *optimizer = serde_json::Map::new();
        optimizer.insert("kind".to_owned(), kind.unwrap_or_default());
        optimizer.insert("momentum".to_owned(), Value::from(momentum));
    }
    let transfer = spec.training.transfer.as_ref();
    let frozen = transfer.map(|transfer| {
        let unfreezes = transfer.unfreeze_at.is_some();
        (transfer.trainable_blocks, unfreezes, plan.keeps_features)
    });
    json!([
        plan.graph,
        optimizer,
        batch,
        spec.training.threads,
        spec.training.clip.is_some(),
        spec.training.ema.is_some(),
        frozen,
    ])
    .to_string()
}

/// The samples of a step.
fn batch_of(spec: &RunSpec, plan: &Plan) -> u64 {
    spec.training.batch_size.min(plan.train_samples).max(1)
}

/// Why a run cannot be trained on this machine: its network alone needs more memory than there is.
pub(crate) fn too_large(spec: &RunSpec, plan: &Plan) -> Option<String> {
    too_large_for(&plan.graph, batch_of(spec, plan), machine::memory_bytes()?)
}

/// Why a network needs more than `available` bytes for a batch.
pub(crate) fn too_large_for(graph: &Graph, batch: u64, available: u64) -> Option<String> {
    let (least, place) = graph.least_memory_bytes(batch);
    (least > available).then(|| {
        let samples = match batch {
            1 => "one sample".to_owned(),
            _ => format!("a batch of {batch}"),
        };
        format!(
            "needs at least {} for {samples}, most of it for {}, and this machine has {}",
            in_gib(least),
            graph.nodes[place].name,
            in_gib(available)
        )
    })
}

impl Outcome {
    fn estimate(self, spec: &RunSpec, plan: &Plan) -> Estimate {
        match self {
            Self::Measured(measured) => Estimate {
                seconds: Some(measured.seconds(spec, plan)),
                memory_bytes: measured.memory_bytes(spec, plan),
                measured: Some(measured),
                at_least_seconds: None,
                note: String::new(),
            },
            Self::TooLong => {
                // Building the network takes less time than a step, so a step takes at least half of it.
                let step = TIMEOUT.as_secs_f64() / 2.0;
                Estimate {
                    at_least_seconds: Some(step * plan.total_steps as f64),
                    ..Estimate::none(&format!(
                        "No step could be measured within {} s.",
                        TIMEOUT.as_secs()
                    ))
                }
            }
            Self::Killed => Estimate::none(
                "The measurement was killed, as the system does when memory runs out. The run would be too.",
            ),
            Self::Failed(fault) => Estimate::none(&format!("The measurement failed: {fault}")),
        }
    }
}

impl Estimate {
    fn none(note: &str) -> Self {
        Self {
            measured: None,
            seconds: None,
            memory_bytes: None,
            at_least_seconds: None,
            note: note.to_owned(),
        }
    }
}
