//! Evaluations of runs: what their predictions on a split are worth. A process of its own computes one at a time, and
//! its files are cached.
//!
//! * here: [`Evaluations`], which starts the processes and follows them.
//! * [`compute`]: what such a process does.
//! * [`cache`]: the folder of the files. `scores_file`: the scores of a split in a file.
//! * [`comparison`]: two runs on the same samples. [`label_issues`]: what the folds of a sweep say of labels.
//!
//! Invariants: an evaluation that nobody waits for ends soon; nothing is written in a run's directory; an answer is
//! that of one checkpoint, whatever the run writes meanwhile. A run that trains may replace a checkpoint every moment: who
//! asks joins the evaluation that is under way, of a checkpoint that was the newest when its weights were read.

pub mod cache;
pub mod comparison;
pub mod compute;
pub mod label_issues;
mod scores_file;

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;
use tokio::sync::{Semaphore, watch};
use vivarium_models::data::Split;
use vivarium_models::evaluate::{ClassCurves, curves};

use crate::blocking::{blocking, on_thread};
use crate::error::{Error, Result};
use crate::inspect::target::{Checkpoint, InspectTarget};
use crate::launch::LocalLauncher;
use crate::run_dir::RunId;
use cache::{Entry, EvaluationCache, Version};
use compute::{EvaluationRequest, Line, Phase, Progress};

/// Processes at a time: each takes the memory of a network and of its data.
const MAX_CONCURRENT: usize = 1;

/// Evaluations that wait or run.
const MAX_JOBS: usize = 16;

/// An evaluation that nobody waits for is ended after this time. A page asks again every second.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the server looks whether somebody waits.
const LOOK: Duration = Duration::from_millis(500);

/// Curves that are computed at a time.
const MAX_CURVES: usize = 2;

/// The most of what a process says on standard error.
const MAX_FAULT: u64 = 8 * 1024;

/// The split of a run at a checkpoint.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The run.
    pub target: Arc<InspectTarget>,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The split.
    pub split: Split,
}

impl Subject {
    /// The split of a run at a checkpoint, by default the best. A test split is evaluated when the run is over, so that
    /// nobody makes choices by it.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the run has not begun, has no such checkpoint, or is not over.
    pub async fn of_run(
        target: InspectTarget,
        checkpoint: Option<String>,
        split: Split,
    ) -> Result<Self> {
        if target.active && split == Split::Test {
            return Err(Error::Conflict(
                "The run is not over. Its test split is evaluated when it is, so that nobody makes choices by it; until then its validation split can be."
                    .to_owned(),
            ));
        }
        let target = Arc::new(target);
        let of = Arc::clone(&target);
        let found = blocking(move || Ok(of.snapshot(checkpoint.as_deref())?.weights()?.clone()));
        Ok(Self {
            checkpoint: found.await?,
            target,
            split,
        })
    }
}

/// What an evaluation came to so far.
#[derive(Debug)]
pub enum Outcome<T> {
    /// It is there.
    Ready(T),
    /// It takes longer.
    Pending(Progress),
}

/// Evaluates and caches. Clones share the cache.
#[derive(Clone)]
pub struct Evaluations(Arc<Inner>);

struct Inner {
    launcher: LocalLauncher,
    cache: EvaluationCache,
    permit: Semaphore,
    curves: Semaphore,
    jobs: Mutex<HashMap<Key, Arc<Job>>>,
}

/// What one job at a time evaluates: a run's checkpoint by its name, and a split.
type Key = (RunId, &'static str, &'static str);

/// An evaluation that waits or runs.
struct Job {
    state: watch::Sender<State>,
    waiting: Mutex<Waiting>,
}

/// Who waits for a job.
struct Waiting {
    requests: usize,
    /// When the last request ended.
    left: Instant,
}

#[derive(Clone, Debug)]
enum State {
    Running(Progress),
    Done(Entry),
    Failed(String),
}

/// Counts a request that waits, until it is dropped.
struct Waiter(Arc<Job>);

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        waiting.requests -= 1;
        waiting.left = Instant::now();
    }
}

impl Job {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            state: watch::Sender::new(State::Running(Progress::waiting())),
            waiting: Mutex::new(Waiting {
                requests: 0,
                left: Instant::now(),
            }),
        })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn join(self: &Arc<Self>) -> Waiter {
        self.waiting().requests += 1;
        Waiter(Arc::clone(self))
    }

    /// Ends when nobody has waited for a while.
    async fn abandoned(&self) {
        loop {
            {
                let waiting = self.waiting();
                if waiting.requests == 0 && waiting.left.elapsed() > PATIENCE {
                    return;
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Evaluations {
    /// Evaluations whose processes run on this machine and whose files lie in the cache.
    pub fn new(launcher: LocalLauncher, cache: EvaluationCache) -> Self {
        Self(Arc::new(Inner {
            launcher,
            cache,
            permit: Semaphore::new(MAX_CONCURRENT),
            curves: Semaphore::new(MAX_CURVES),
            jobs: Mutex::default(),
        }))
    }

    /// The evaluation of a subject, or of a checkpoint of its name that was the newest when an evaluation under way read
    /// it. It is begun if it is not there, and the request waits for it at most this long.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it fails, [`Error::Overloaded`] when too many wait.
    pub async fn ask(&self, subject: &Subject, wait: Duration) -> Result<Outcome<Entry>> {
        let version = Version::of(
            &subject.checkpoint.version,
            &subject.target.started.data_hash,
        );
        if let Some(entry) = self.kept(subject, &version).await? {
            return Ok(Outcome::Ready(entry));
        }
        let key = (
            subject.target.id,
            subject.checkpoint.name,
            subject.split.name(),
        );
        let waiter = self.job(key, subject)?.join();
        let mut state = waiter.0.state.subscribe();
        let over = |state: &State| !matches!(state, State::Running(_));
        let _ = tokio::time::timeout(wait, state.wait_for(over)).await;
        let state = waiter.0.state.borrow().clone();
        match state {
            State::Running(progress) => Ok(Outcome::Pending(progress)),
            State::Done(entry) => {
                self.forget(key, &waiter.0);
                let removed = || Error::Gone("the files of an evaluation");
                let entry = cached(entry, subject.split).await?.ok_or_else(removed)?;
                Ok(Outcome::Ready(entry))
            }
            State::Failed(message) => {
                // The next request tries again.
                self.forget(key, &waiter.0);
                Err(Error::Conflict(message))
            }
        }
    }

    /// The evaluation of a split at a version of the subject's checkpoint, if it was computed and is still there.
    ///
    /// # Errors
    /// When the server is ending.
    pub async fn kept(&self, subject: &Subject, version: &Version) -> Result<Option<Entry>> {
        let run = self.0.cache.of_run(subject.target.id);
        cached(
            Entry::of(&run, subject.checkpoint.name, version),
            subject.split,
        )
        .await
    }

    /// The curves of some classes, from the scores of an evaluation.
    ///
    /// # Errors
    /// When there is no such class, or the scores cannot be read.
    pub async fn curves(
        &self,
        entry: Entry,
        split: Split,
        classes: Vec<usize>,
    ) -> Result<Vec<ClassCurves>> {
        let _permit = self.light().await?;
        on_thread("curves", move || {
            let scores = entry.scores(split)?;
            Ok(curves(&scores, scores.targets(), &classes)?)
        })
        .await
    }

    /// Waits for a place among the short computations.
    async fn light(&self) -> Result<tokio::sync::SemaphorePermit<'_>> {
        let permit = self.0.curves.acquire().await;
        permit.map_err(|_| Error::Gone("the evaluations"))
    }

    /// The job of a key, which is begun if there is none.
    fn job(&self, key: Key, subject: &Subject) -> Result<Arc<Job>> {
        let mut jobs = self.jobs();
        if let Some(job) = jobs.get(&key) {
            return Ok(Arc::clone(job));
        }
        if jobs.len() >= MAX_JOBS {
            return Err(Error::Overloaded(
                "Too many runs are being evaluated; try again in a moment.",
            ));
        }
        let job = Job::new();
        jobs.insert(key, Arc::clone(&job));
        let (this, task) = (self.clone(), Arc::clone(&job));
        let into = self.0.cache.of_run(subject.target.id);
        let request = EvaluationRequest::new(subject, into);
        tokio::spawn(async move {
            tokio::select! {
                // Dropping the other branch kills its process.
                () = task.abandoned() => {}
                state = this.run(&request, &task.state) => {
                    task.state.send_replace(state);
                    task.abandoned().await;
                }
            }
            this.forget(key, &task);
        });
        Ok(job)
    }

    async fn run(&self, request: &EvaluationRequest, state: &watch::Sender<State>) -> State {
        let Ok(_permit) = self.0.permit.acquire().await else {
            return State::Failed("The server is ending.".to_owned());
        };
        let tell = |progress| {
            state.send_replace(State::Running(progress));
        };
        let version = match self.process(request, tell).await {
            Ok(Ok(version)) => version,
            Ok(Err(fault)) => return State::Failed(fault),
            Err(error) => {
                tracing::error!(%error, "an evaluation failed");
                return State::Failed(error.to_string());
            }
        };
        let entry = request.entry(&version);
        let (cache, kept) = (self.0.cache.clone(), entry.clone());
        let swept = blocking(move || cache.sweep(&kept)).await;
        if let Err(error) = swept {
            tracing::warn!(%error, "the cache of evaluations could not be swept");
        }
        State::Done(entry)
    }

    /// Runs a process to its end; returns which checkpoint it evaluated, or what it says is wrong.
    async fn process(
        &self,
        request: &EvaluationRequest,
        tell: impl Fn(Progress),
    ) -> Result<Result<Version, String>> {
        let failed = |e| Error::system("cannot evaluate a run", e);
        tell(Progress::of(Phase::Loading));
        let mut child = Command::from(self.0.launcher.command())
            .arg("evaluate")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Error::Gone("an evaluation"));
        };
        // A process that has died already does not read this; its status tells why.
        let _ = stdin.write_all(json!(request).to_string().as_bytes()).await;
        drop(stdin);
        let mut lines = BufReader::new(stdout).lines();
        let follow = async {
            let mut evaluated = None;
            while let Some(line) = lines.next_line().await? {
                match serde_json::from_str(&line) {
                    Ok(Line::Progress(progress)) => tell(progress),
                    Ok(Line::Evaluated(version)) => evaluated = Some(version),
                    Err(_) => {}
                }
            }
            Ok::<_, std::io::Error>(evaluated)
        };
        let listen = async {
            let mut fault = Vec::new();
            stderr.take(MAX_FAULT).read_to_end(&mut fault).await?;
            Ok(fault)
        };
        let (evaluated, fault) = tokio::try_join!(follow, listen).map_err(failed)?;
        let status = child.wait().await.map_err(failed)?;
        let fault = String::from_utf8_lossy(&fault);
        let fault = fault.trim().trim_start_matches("vivarium: ");
        Ok(match (evaluated, status.success(), status.code()) {
            (Some(version), true, _) => Ok(version),
            (_, _, None) => Err(
                "The evaluation was killed, as the system does when memory runs out.".to_owned(),
            ),
            (_, _, Some(_)) => Err(fault.to_owned()),
        })
    }

    /// Removes a job, unless another one took its name.
    fn forget(&self, key: Key, job: &Arc<Job>) {
        let mut jobs = self.jobs();
        if jobs.get(&key).is_some_and(|known| Arc::ptr_eq(known, job)) {
            jobs.remove(&key);
        }
    }

    fn jobs(&self) -> MutexGuard<'_, HashMap<Key, Arc<Job>>> {
        self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entry, if it holds the evaluation of the split.
async fn cached(entry: Entry, split: Split) -> Result<Option<Entry>> {
    blocking(move || Ok(entry.holds(split).then_some(entry))).await
}
