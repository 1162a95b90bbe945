//! Supervises runs: one Tokio task for each run that waits or trains.
//!
//! * `job_queue`: who waits, who may run.
//! * `run_task`: the task of a run: wait, launch, record the final status. `follow_log`: its log, into the index.
//! * `create`: new runs. `sweeps`: many at once. `deletion`: into the trash and back.
//! * `reconcile`: brings the index and the run directories together, at the start and after:
//!   adopts workers that outlived a server, indexes runs that came from elsewhere. `repair`: rows of the
//!   index that cannot be read. `curve_migration`: curves of an index of an earlier version.
//!   `imported`: runs whose curves were replaced.
//!
//! What always holds: a run has at most one task, a task at most one worker, and only tasks (and
//! the reconciliation, for runs without one) change a run's status.

mod create;
mod curve_migration;
mod deletion;
mod follow_log;
mod imported;
mod job_queue;
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

/// A handle on the supervisor; clones share it.
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
    /// Of each imported run: which `board.json` the index has.
    stamps: Mutex<HashMap<RunId, imported::Stamp>>,
    /// Held shared while a run gets its directory, its row and its task, or loses them; held alone
    /// by the reconciliation for each run it deals with, which must see all of these or none.
    lifecycle: RwLock<()>,
    /// Held while a sweep gets more runs: two who add at once would add the same.
    sweep_lock: tokio::sync::Mutex<()>,
    tracker: TaskTracker,
    shutdown: CancellationToken,
}

impl Supervisor {
    /// Completes or undoes what a server that died was changing, and starts to supervise the runs of `data`, at most
    /// `jobs` at a time, until `shutdown`.
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

    /// No request is answered yet and no run has a task: what is half done was left so.
    async fn recover(&self) {
        if let Err(error) = self.recover_creations().await {
            tracing::error!(%error, "runs that were being made could not be completed");
        }
        if let Err(error) = self.recover_deletions().await {
            tracing::error!(%error, "runs that were being deleted could not be completed");
        }
    }

    /// Lines a run up again that was stopped, failed or was interrupted.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it waits or trains already, is through, or was imported.
    pub async fn resume(&self, id: RunId) -> Result<()> {
        let _lifecycle = self.0.lifecycle.read().await;
        self.0
            .index
            .write(move |w| {
                let run = runs::get(w, id)?;
                run.is_own("there is nothing to resume")?;
                match run.status {
                    Status::Stopped | Status::Failed | Status::Interrupted => runs::enqueue(w, id),
                    Status::Queued => Err(Error::Conflict(
                        "The run waits for its turn already.".into(),
                    )),
                    Status::Running => Err(Error::Conflict("The run is training already.".into())),
                    Status::Finished => Err(Error::Conflict(
                        "The run is through; copy it into a new one to train further.".into(),
                    )),
                }
            })
            .await?;
        // Lined up whatever happens: its row says so.
        let _ = blocking(|| failpoint("resume.indexed")).await;
        self.spawn_task(id, Start::Queue(self.0.queue.enqueue()));
        Ok(())
    }

    /// Asks a run to stop with a checkpoint; one that only waits leaves the line.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it neither waits nor trains.
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
        // It is told whatever happens: its row says so.
        let _ = blocking(|| failpoint("stop.indexed")).await;
        self.tell_to_stop(id);
        Ok(())
    }

    /// Tells the task of a run that its row says to stop. One that has no task yet reads it there before it begins.
    fn tell_to_stop(&self, id: RunId) {
        if let Some(task) = self.tasks().get(&id) {
            // A task that is just ending does not listen any more, and need not.
            let _ = task.send(Command::Stop);
        }
    }

    /// A run's directory.
    pub fn run_dir(&self, id: RunId) -> RunDir {
        RunDir::of(&self.0.runs, id)
    }

    /// Waits until every run is put to rest; call it after the shutdown was asked for.
    pub async fn join(&self) {
        self.0.tracker.close();
        self.0.tracker.wait().await;
    }

    /// Starts the task of a run that has none.
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
            // Only this task: a run that was resumed since has the next one.
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
