//! What a run will take, before it starts: measured by a process of its own, one at a time, and remembered.

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
use vivarium_models::spec::RunSpec;
use vivarium_models::train::{Plan, StepTiming};

use crate::error::{Error, Result};
use crate::launch::LocalLauncher;

/// How long a measurement may take. It aims at two seconds; a network may be so large that one step takes longer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(15);

/// How long to wait for others' measurements. With the time for one's own it is less than a request may take.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);

/// How many measurements are remembered.
const MAX_ENTRIES: NonZeroUsize = NonZeroUsize::new(128).unwrap();

/// How long they hold: what else the machine does changes.
const MAX_AGE: Duration = Duration::from_secs(600);

/// What `vivarium measure` reads.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MeasureRequest {
    pub(crate) spec: RunSpec,
    pub(crate) input: Vec<usize>,
    pub(crate) classes: usize,
    pub(crate) batch: usize,
}

/// What a run will take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// What was measured; `None` where it could not be.
    pub measured: Option<StepTiming>,
    /// The seconds of the whole run, if nothing ends it early.
    pub seconds: Option<f64>,
    /// The most memory that the run holds, its data set among it; `None` where it is not known.
    pub memory_bytes: Option<u64>,
    /// Where nothing could be measured because a step takes too long: the run takes more than these seconds.
    pub at_least_seconds: Option<f64>,
    /// Why nothing could be measured; empty where it could.
    pub note: String,
}

/// How a measurement ended.
#[derive(Clone, Debug)]
enum Outcome {
    Measured(StepTiming),
    TooLong,
    /// Killed, which is what the system does when memory runs out.
    Killed,
    Failed(String),
}

/// Measures and remembers. Clones share both.
#[derive(Clone, Debug)]
pub struct Estimator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    launcher: LocalLauncher,
    /// Two measurements at a time would each measure the other.
    permit: Semaphore,
    measured: Mutex<LruCache<String, (Instant, Outcome)>>,
}

impl Estimator {
    /// An estimator whose measurements are processes of this machine, with the threads of its workers.
    pub fn new(launcher: LocalLauncher) -> Self {
        Self(Arc::new(Inner {
            launcher,
            permit: Semaphore::new(1),
            measured: Mutex::new(LruCache::new(MAX_ENTRIES)),
        }))
    }

    /// What a run will take. Dropping the future ends the measurement under way.
    ///
    /// # Errors
    /// When the measuring process cannot be started or read.
    pub async fn estimate(&self, spec: &RunSpec, plan: &Plan) -> Result<Estimate> {
        let batch = spec.training.batch_size.min(plan.train_samples).max(1);
        let request = MeasureRequest {
            spec: spec.clone(),
            input: plan.input.clone(),
            classes: plan.classes.len(),
            batch: usize::try_from(batch).unwrap_or(usize::MAX),
        };
        let key = key(spec, plan, batch);
        if let Some(outcome) = self.remembered(&key) {
            return Ok(outcome.estimate(spec, plan));
        }
        let Ok(permit) = tokio::time::timeout(QUEUE_TIMEOUT, self.0.permit.acquire()).await else {
            return Ok(Estimate::none("Other settings are being measured."));
        };
        let _permit = permit.map_err(|_| Error::Gone("the estimator"))?;
        // Who waited before may have wanted the same.
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
            // A process that is gone already does not take it, and tells by its status why.
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

/// What a step's time and memory depend on; not how many there are, nor the rate or the seed.
fn key(spec: &RunSpec, plan: &Plan, batch: u64) -> String {
    let mut optimizer = json!(spec.training.optimizer);
    if let Some(optimizer) = optimizer.as_object_mut() {
        // Without momentum there is no velocity to keep.
        let momentum = optimizer
            .get("momentum")
            .and_then(Value::as_f64)
            .is_some_and(|m| m > 0.0);
        let kind = optimizer.get("kind").cloned();
        *optimizer = serde_json::Map::new();
        optimizer.insert("kind".to_owned(), kind.unwrap_or_default());
        optimizer.insert("momentum".to_owned(), Value::from(momentum));
    }
    json!([
        spec.network,
        optimizer,
        batch,
        spec.training.threads,
        spec.training.clip.is_some(),
        plan.input,
        plan.classes.len(),
    ])
    .to_string()
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
                // Making the network takes less time than a step of it, so a step takes half of it or more.
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
