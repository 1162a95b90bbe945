//! The task of one run: it waits in the queue, launches a worker, follows its log and records its final status.
//!
//! A write that the index refuses, because the disk is full or another program has locked the file, is retried until it
//! succeeds: without its final status a run would seem to train forever, and the runs behind it would never start.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::Supervisor;
use super::follow_log::Followed;
use super::job_queue::{Permit, Waiter};
use crate::blocking::blocking;
use crate::error::Result;
use crate::index::Writing;
use crate::index::runs::{self, Status};
use crate::launch::{Exit, Worker};
use crate::panics;
use crate::run_dir::{RunId, worker_log};
use crate::worker;

/// The pause before a failed operation is retried.
pub(super) const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// How long a server that is shutting down retries a failed operation.
pub(super) const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// The message of a run that stops because its server does.
const SERVER_STOPPED: &str = "The server was stopped; the run continues when it starts again.";

/// How the task of a run begins.
pub(super) enum Start {
    /// Wait in the queue first.
    Queue(Waiter),
    /// Follow a worker that is running already.
    Adopt {
        /// The worker.
        worker: Box<dyn Worker>,
        /// Whether an earlier server asked the worker to stop; the run is then queued again afterwards.
        interrupted: bool,
    },
}

/// A command for the task of a run.
pub(super) enum Command {
    /// Stop after writing a checkpoint.
    Stop,
    /// End at once, and drop the sender when the worker has ended.
    Kill(oneshot::Sender<()>),
}

/// The requests to stop that arrived while the worker ran.
#[derive(Default)]
pub(super) struct Signals {
    pub stop: bool,
    pub shutdown: bool,
    /// The worker ran before this task.
    pub adopted: bool,
    /// An earlier server stopped the worker, not a user.
    pub interrupted: bool,
    /// Dropping these senders when the task ends answers the requests.
    pub kill: Vec<oneshot::Sender<()>>,
}

impl Signals {
    pub(super) fn receive(&mut self, command: Command) {
        match command {
            Command::Stop => self.stop = true,
            Command::Kill(done) => self.kill.push(done),
        }
    }

    fn must_end(&self) -> bool {
        self.stop || !self.kill.is_empty()
    }
}

/// The receiving end of a task's commands.
pub(super) type Inbox = mpsc::UnboundedReceiver<Command>;

/// What happens to a run whose worker has ended.
enum Outcome {
    /// It has this final status, with a message.
    Ended(Status, String),
    /// It returns to the queue.
    Requeue,
    /// The server shuts down, and a scheduler keeps its job: the next server adopts it.
    Left,
}

impl Supervisor {
    /// Runs until the run has a final status, or the server shuts down.
    pub(super) async fn run_task(self, id: RunId, mut start: Start, mut inbox: Inbox) {
        let mut signals = Signals::default();
        loop {
            let end = self.run_to_end(id, start, &mut inbox, &mut signals);
            let end = panics::catch(end).await.unwrap_or_else(|error| {
                tracing::error!(run = %id, %error, "the run cannot be supervised");
                Outcome::Ended(Status::Failed, error.to_string())
            });
            let written = match end {
                Outcome::Ended(status, message) => {
                    let write = move |w: &Writing<'_>| runs::set_status(w, id, status, &message);
                    self.persist(id, &mut inbox, &mut signals, true, write)
                        .await;
                    break;
                }
                Outcome::Requeue => {
                    let write = move |w: &Writing<'_>| runs::enqueue(w, id);
                    self.persist(id, &mut inbox, &mut signals, false, write)
                        .await
                }
                Outcome::Left => break,
            };
            if written.is_none() {
                break;
            }
            signals = Signals::default();
            start = Start::Queue(self.0.queue.enqueue());
        }
    }

    /// Retries a write to the index until it succeeds. Returns `None` when the run is deleted, when the server has
    /// stopped, or, unless `end` is set, when the run is asked to stop.
    async fn persist<T, F>(
        &self,
        id: RunId,
        inbox: &mut Inbox,
        signals: &mut Signals,
        end: bool,
        write: F,
    ) -> Option<T>
    where
        T: Send + 'static,
        F: Fn(&Writing<'_>) -> Result<T> + Clone + Send + 'static,
    {
        let mut failed = false;
        let mut last_try = None;
        loop {
            match self.0.index.write(write.clone()).await {
                Ok(value) => {
                    if failed {
                        tracing::info!(run = %id, "the run's state is indexed now");
                    }
                    return Some(value);
                }
                Err(error) if !failed => {
                    tracing::error!(run = %id, %error, "the run's state could not be indexed; retrying");
                    failed = true;
                }
                Err(_) => {}
            }
            let now = tokio::time::Instant::now();
            if self.0.shutdown.is_cancelled() && now > *last_try.get_or_insert(now + SHUTDOWN_GRACE)
            {
                return None;
            }
            tokio::select! {
                () = tokio::time::sleep(RETRY_INTERVAL) => {}
                Some(command) = inbox.recv() => signals.receive(command),
            }
            if !signals.kill.is_empty() || (!end && signals.stop) {
                return None;
            }
        }
    }

    /// Runs or adopts a worker until it has ended.
    async fn run_to_end(
        &self,
        id: RunId,
        start: Start,
        inbox: &mut Inbox,
        signals: &mut Signals,
    ) -> Result<Outcome> {
        // The last step before the job; `None` if it began before this task.
        let mut began_at = None;
        let (mut process, _permit) = match start {
            Start::Adopt {
                worker,
                interrupted,
            } => {
                signals.adopted = true;
                signals.interrupted = interrupted;
                (worker, self.0.queue.permit_for_running())
            }
            Start::Queue(waiter) => {
                began_at = self.run_with_retries(id).await?.summary.step;
                match self.wait_and_launch(id, waiter, inbox, signals).await? {
                    Ok(started) => started,
                    Err(end) => return Ok(end),
                }
            }
        };
        loop {
            let followed = self
                .follow_log(id, process.as_mut(), inbox, signals)
                .await?;
            let exit = match followed {
                Followed::ToTheEnd(exit) => exit,
                Followed::Left => return Ok(Outcome::Left),
            };
            // A command line holds the lock until its job is submitted; a job that its scheduler has forgotten may live.
            let may_have_another = exit == Exit::Code(worker::HELD_BY_ANOTHER.into())
                || (exit == Exit::Unknown && self.0.launcher.is_scheduler());
            if may_have_another
                && let Some(other) = self.0.launcher.adopt(&self.run_dir(id)).await?
            {
                process = other;
                continue;
            }
            if exit != Exit::Code(0) {
                self.remove_unfinished(id).await;
            }
            return self.final_status(id, exit, began_at, signals).await;
        }
    }

    /// Waits for a permit and launches a worker, or returns how the waiting ended.
    async fn wait_and_launch(
        &self,
        id: RunId,
        mut waiter: Waiter,
        inbox: &mut Inbox,
        signals: &mut Signals,
    ) -> Result<std::result::Result<(Box<dyn Worker>, Permit), Outcome>> {
        let stopped = || {
            let message = "Stopped before it began.".to_owned();
            Ok(Err(Outcome::Ended(Status::Stopped, message)))
        };
        let permit = tokio::select! {
            // A request to stop takes precedence over a permit that arrives at the same moment.
            biased;
            Some(command) = inbox.recv() => {
                signals.receive(command);
                return stopped();
            }
            () = self.0.shutdown.cancelled() => return Ok(Err(interrupted())),
             permit = waiter.permit() => permit,
        };
        let has_queue = self.0.launcher.is_scheduler();
        // A request to stop may have been recorded before this task could receive it.
        let running = move |w: &Writing<'_>| {
            let run = runs::get(w, id)?;
            match run.stopping {
                true => {}
                false if has_queue => runs::set_waiting(w, id, None)?,
                false => runs::set_running(w, id)?,
            }
            Ok(!run.stopping)
        };
        match self.persist(id, inbox, signals, false, running).await {
            Some(true) => {}
            Some(false) => return stopped(),
            None if signals.must_end() => return stopped(),
            None => return Ok(Err(interrupted())),
        }
        let worker = self.0.launcher.launch(&self.run_dir(id)).await?;
        Ok(Ok((worker, permit)))
    }

    /// Records, before the worker is told to stop, that it stops because of the server. If the server dies before the
    /// worker has ended, the next server knows that no user asked for it.
    pub(super) async fn mark_interrupted(&self, id: RunId, signals: &Signals) {
        if signals.must_end() {
            return;
        }
        let noting = async {
            while let Err(error) = self
                .set_status(id, Status::Interrupted, SERVER_STOPPED)
                .await
            {
                tracing::warn!(run = %id, %error, "the interruption could not be indexed");
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
        };
        // The worker is stopped in any case.
        let _ = tokio::time::timeout(SHUTDOWN_GRACE, noting).await;
    }

    /// What becomes of a run whose worker has ended; `began_at` is its last step when this task launched the worker.
    async fn final_status(
        &self,
        id: RunId,
        exit: Exit,
        began_at: Option<u64>,
        signals: &Signals,
    ) -> Result<Outcome> {
        let run = self.run_with_retries(id).await?;
        let status = run.reason.as_deref().map(Status::of_reason);
        let stopped = matches!(status, None | Some(Status::Stopped));
        // A worker that is asked to stop before it listens to signals ends by the signal, a job that waits is cancelled.
        let by_signal = Exit::Signal(signal_hook::consts::SIGTERM);
        let obeyed = status.is_some() || exit == by_signal || exit == Exit::Cancelled;
        if !signals.must_end() && stopped && obeyed {
            if signals.shutdown {
                return Ok(interrupted());
            }
            if signals.interrupted {
                return Ok(Outcome::Requeue);
            }
        }
        if !signals.must_end() && stopped {
            match exit {
                Exit::Cancelled => return Ok(Outcome::Ended(Status::Stopped, exit.to_string())),
                // A job that ends without a further step would end so again.
                _ if exit.is_of_the_job() && run.summary.step > began_at => {
                    return Ok(Outcome::Requeue);
                }
                _ if exit.is_of_the_job() => {
                    let message = format!("{exit} It had not trained a step.");
                    return Ok(Outcome::Ended(Status::Failed, message));
                }
                _ => {}
            }
        }
        // The machine stopped it together with its server: a user who stops `vivarium train` is named in its last event.
        if !signals.must_end() && stopped && obeyed && signals.adopted && run.message.is_empty() {
            return Ok(Outcome::Requeue);
        }
        Ok(match status {
            Some(status) => Outcome::Ended(status, run.message),
            None if signals.stop && obeyed => Outcome::Ended(Status::Stopped, String::new()),
            None => Outcome::Ended(Status::Failed, self.failure_message(id, exit).await),
        })
    }

    /// Reads a run from the index, and retries while another program has locked it.
    async fn run_with_retries(&self, id: RunId) -> Result<runs::Run> {
        loop {
            match self.run(id).await {
                Err(error) if error.is_of_the_index() && !self.0.shutdown.is_cancelled() => {
                    tracing::warn!(run = %id, %error, "the index could not be read");
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
                result => return result,
            }
        }
    }

    /// Removes the partial files of a worker that died while it wrote.
    async fn remove_unfinished(&self, id: RunId) {
        let dir = self.run_dir(id);
        log_unfinished(id, blocking(move || dir.remove_unfinished()).await);
    }

    /// The message for a worker that wrote no final event: its exit status, and the last line of
    /// its log if no signal ended it.
    async fn failure_message(&self, id: RunId, exit: Exit) -> String {
        let path = self.run_dir(id).worker_log();
        let log = blocking(move || worker_log::tail(&path, 4096)).await;
        let log = log.unwrap_or_default();
        let line = log.lines().rev().find(|line| !line.trim().is_empty());
        match (&exit, line) {
            (Exit::Code(_), Some(line)) => format!("{exit} Its log ends with: {}", line.trim()),
            _ => exit.to_string(),
        }
    }
}

/// Logs how many files of a partial checkpoint were removed, or why that failed.
pub(super) fn log_unfinished(id: RunId, removed: Result<usize>) {
    match removed {
        Ok(0) => {}
        Ok(files) => tracing::info!(run = %id, files, "removed a partial checkpoint"),
        Err(error) => {
            tracing::warn!(run = %id, %error, "a partial checkpoint could not be removed")
        }
    }
}

fn interrupted() -> Outcome {
    Outcome::Ended(Status::Interrupted, SERVER_STOPPED.to_owned())
}
