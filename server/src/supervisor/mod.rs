//! Supervises runs: one Tokio task for each run that is queued or training.
//!
//! * `job_queue`: limits how many runs train at a time.
//! * `run_task`: the task of a run: wait, launch, record the final status. `follow_log`: its log, into the index.
//! * `create`: new runs. `sweeps`: many at once. `deletion`: into the trash and back.
//! * `reconcile`: brings the index and the run directories into agreement, at the start and periodically: adopts
//!   workers that outlived a server and indexes runs created elsewhere. `look`: which directories it looks at.
//!   `index_batch`: many finished runs at once. `repair`: unreadable rows of the index.
//!   `curve_migration`: curves of an index of an earlier version. `imported`: imported runs whose files were replaced.
//!
//! Invariants: a run has at most one task, a task at most one worker, and only tasks (and the reconciliation, for runs
//! without one) change a run's status.

mod create;
mod curve_migration;
mod deletion;
mod follow_log;
mod imported;
mod index_batch;
mod job_queue;
mod look;
mod reconcile;
mod repair;
mod run_task;
#[cfg(test)]
mod run_task_tests;
mod sweeps;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{RwLock, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vivarium_models::data::Library;

use crate::blocking::blocking;
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::failpoint::failpoint;
use crate::index::Index;
use crate::index::runs::{self, Run, Status};
use crate::launch::Launcher;
use crate::panics;
use crate::reserve::Reserve;
use crate::run_dir::{RunDir, RunId};
use crate::sweeps::store::Sweeps;
use crate::trash::Trash;
use job_queue::JobQueue;
use run_task::{Command, Start};

/// A handle to the supervisor; clones share it.
#[derive(Clone)]
pub struct Supervisor(Arc<Shared>);

struct Shared {
    /// The folder of all runs.
    runs: PathBuf,
    library: Library,
    sweeps: Sweeps,
    trash: Trash,
    reserve: Reserve,
    index: Index,
    launcher: Box<dyn Launcher>,
    queue: JobQueue,
    tasks: Mutex<HashMap<RunId, mpsc::UnboundedSender<Command>>>,
    /// The version of `board.json` that the index has of each imported run.
    stamps: Mutex<HashMap<RunId, imported::Stamp>>,
    /// Held for reading while a run gets or loses its directory, row and task. The reconciliation holds it for writing
    /// for each run that it handles, so that it sees all of these or none.
    lifecycle: RwLock<()>,
    /// Held while a sweep grows: two concurrent requests would add the same runs.
    sweep_lock: tokio::sync::Mutex<()>,
    tracker: TaskTracker,
    shutdown: CancellationToken,
}

impl Supervisor {
    /// Completes or rolls back the changes that an earlier server left unfinished, then supervises the runs of `data`,
    /// at most `jobs` at a time, until `shutdown`.
    pub async fn start(
        data: &DataDir,
        index: Index,
        launcher: Box<dyn Launcher>,
        jobs: usize,
        shutdown: CancellationToken,
    ) -> Self {
        let this = Self(Arc::new(Shared {
            runs: data.runs(),
            library: data.library(),
            sweeps: Sweeps::in_folder(data.sweeps()),
            trash: Trash::in_folder(data.trash(), data.runs()),
            reserve: Reserve::at(data.reserve()),
            index,
            launcher,
            queue: JobQueue::new(jobs),
            tasks: Mutex::default(),
            stamps: Mutex::default(),
            lifecycle: RwLock::default(),
            sweep_lock: tokio::sync::Mutex::default(),
            tracker: TaskTracker::new(),
            shutdown,
        }));
        this.recover().await;
        this.0
            .tracker
            .spawn(this.clone().reconcile_until_shutdown());
        this.0.tracker.spawn(this.clone().migrate_curves());
        this
    }

    /// Called before any request is answered and any run has a task: every unfinished change is a leftover.
    async fn recover(&self) {
        if let Err(error) = self.recover_creations().await {
            tracing::error!(%error, "unfinished creations of runs could not be completed");
        }
        if let Err(error) = self.recover_deletions().await {
            tracing::error!(%error, "unfinished deletions of runs could not be completed");
        }
    }

    /// Queues a run again that was stopped or interrupted, or that failed.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the run is queued, training or finished, or was imported.
    pub async fn resume(&self, id: RunId) -> Result<()> {
        let _lifecycle = self.0.lifecycle.read().await;
        self.0
            .index
            .write(move |w| {
                let run = runs::get(w, id)?;
                run.is_own("there is nothing to resume")?;
                match run.status {
                    Status::Stopped | Status::Failed | Status::Interrupted => runs::enqueue(w, id),
                    Status::Queued => Err(Error::Conflict("The run is queued already.".into())),
                    Status::Running => Err(Error::Conflict("The run is training already.".into())),
                    Status::Finished => Err(Error::Conflict(
                        "The run is finished; copy it into a new one to train further.".into(),
                    )),
                }
            })
            .await?;
        // Queued even if this fails: the row says so.
        let _ = blocking(|| failpoint("resume.indexed")).await;
        self.spawn_task(id, Start::Queue(self.0.queue.enqueue()));
        Ok(())
    }

    /// Asks a run to stop after a checkpoint; a queued run leaves the queue.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the run is neither queued nor training.
    pub async fn stop(&self, id: RunId) -> Result<()> {
        self.0
            .index
            .write(move |w| {
                let run = runs::get(w, id)?;
                run.is_own("there is nothing to stop")?;
                if !run.status.is_active() {
                    let status = run.status.name();
                    return Err(Error::Conflict(format!(
                        "The run is {status}: there is nothing to stop."
                    )));
                }
                runs::set_stopping(w, id)
            })
            .await?;
        // The task is told even if this fails: the row says so.
        let _ = blocking(|| failpoint("stop.indexed")).await;
        self.tell_to_stop(id);
        Ok(())
    }

    /// Tells the task of a run to stop. A task that does not exist yet reads the request from the row before it begins.
    fn tell_to_stop(&self, id: RunId) {
        if let Some(task) = self.tasks().get(&id) {
            // A task that is ending no longer receives commands, and need not.
            let _ = task.send(Command::Stop);
        }
    }

    /// Whether workers are jobs of a scheduler.
    pub fn has_scheduler(&self) -> bool {
        self.0.launcher.is_scheduler()
    }

    /// The folder of all runs.
    pub fn runs_folder(&self) -> PathBuf {
        self.0.runs.clone()
    }

    /// The directory of a run.
    pub fn run_dir(&self, id: RunId) -> RunDir {
        RunDir::of(&self.0.runs, id)
    }

    /// Waits until all tasks have ended. Call it after requesting the shutdown.
    pub async fn join(&self) {
        self.0.tracker.close();
        self.0.tracker.wait().await;
    }

    /// Spawns the task of a run that has none.
    fn spawn_task(&self, id: RunId, start: Start) {
        let (commands, inbox) = mpsc::unbounded_channel();
        self.tasks().insert(id, commands.clone());
        let this = self.clone();
        self.0.tracker.spawn(async move {
            let task = async {
                this.clone().run_task(id, start, inbox).await;
                Ok(())
            };
            if let Err(error) = panics::catch(task).await {
                tracing::error!(run = %id, %error, "the run is left to the reconciliation");
            }
            // Only this task: a run that was resumed meanwhile has another.
            let mut tasks = this.tasks();
            if tasks
                .get(&id)
                .is_some_and(|task| task.same_channel(&commands))
            {
                tasks.remove(&id);
            }
        });
    }

    fn tasks(&self) -> MutexGuard<'_, HashMap<RunId, mpsc::UnboundedSender<Command>>> {
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(&self, id: RunId) -> Result<Run> {
        self.0.index.read(move |c| runs::get(c, id)).await
    }

    async fn set_status(
        &self,
        id: RunId,
        status: Status,
        message: impl Into<String>,
    ) -> Result<()> {
        let message = message.into();
        self.0
            .index
            .write_with_retries(move |w| runs::set_status(w, id, status, &message))
            .await
    }
}
