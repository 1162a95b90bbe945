//! The task of a run: wait for the turn, launch a worker, follow its log, note its end.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

use super::turns::{Ticket, Turn};
use super::{Supervisor, blocking};
use crate::error::{Error, Result};
use crate::index::events;
use crate::index::runs::{self, Status};
use crate::launch::{Exit, Worker};
use crate::run_dir::{RunId, tail, worker_log};
use crate::worker;

/// How often a log is looked at. With the 40 ms for which a worker gathers steps, a step is in
/// the index at most 100 ms after it was made.
const LOOK: Duration = Duration::from_millis(25);

/// How the task of a run begins.
pub(super) enum Beginning {
    /// With a place in the line.
    Wait(Ticket),
    /// With a worker that lives.
    Adopt(Box<dyn Worker>),
}

/// What the task of a run is told.
pub(super) enum Command {
    /// Stop with a checkpoint.
    Stop,
    /// End at once, and drop the sender when there is no worker any more.
    Kill(oneshot::Sender<()>),
}

/// What the task was told before the worker ended.
#[derive(Default)]
struct Told {
    stop: bool,
    shutdown: bool,
    /// Dropped, and thereby answered, when the task ends.
    kill: Vec<oneshot::Sender<()>>,
}

impl Supervisor {
    pub(super) async fn live(
        self,
        id: RunId,
        beginning: Beginning,
        me: mpsc::UnboundedSender<Command>,
        mut inbox: mpsc::UnboundedReceiver<Command>,
    ) {
        let mut told = Told::default();
        let end = self
            .until_the_end(id, beginning, &mut inbox, &mut told)
            .await;
        // Nobody takes a run for one that was left behind while it has no task any more and its
        // status does not yet say why.
        let _changing = self.0.changing.read().await;
        // Out of the table before the status says that the run can be resumed, but only this
        // task: a run that is resumed at once has the next one.
        {
            let mut tasks = self.tasks();
            if tasks.get(&id).is_some_and(|task| task.same_channel(&me)) {
                tasks.remove(&id);
            }
        }
        let noted = match end {
            Ok((status, message)) => self.set_status(id, status, message).await,
            Err(error) => {
                tracing::error!(run = %id, %error, "the run cannot be supervised");
                self.set_status(id, Status::Failed, error.to_string()).await
            }
        };
        if let Err(error) = noted {
            tracing::error!(run = %id, %error, "the end of the run could not be indexed");
        }
    }

    /// Returns the status in which the run ends, with a message.
    async fn until_the_end(
        &self,
        id: RunId,
        beginning: Beginning,
        inbox: &mut mpsc::UnboundedReceiver<Command>,
        told: &mut Told,
    ) -> Result<(Status, String)> {
        let (mut process, _turn) = match beginning {
            Beginning::Adopt(worker) => (worker, self.0.turns.already_running()),
            Beginning::Wait(ticket) => match self.wait(id, ticket, inbox, told).await? {
                Ok(started) => started,
                Err(end) => return Ok(end),
            },
        };
        loop {
            let exit = self.follow(id, process.as_mut(), inbox, told).await?;
            if exit == Exit::Code(worker::HELD_BY_ANOTHER.into())
                && let Some(other) = self.0.launcher.adopt(&self.dir(id))?
            {
                process = other;
                continue;
            }
            return self.judge(id, exit, told).await;
        }
    }

    /// Waits for the turn and launches a worker, or says how the waiting ended.
    async fn wait(
        &self,
        id: RunId,
        mut ticket: Ticket,
        inbox: &mut mpsc::UnboundedReceiver<Command>,
        told: &mut Told,
    ) -> Result<std::result::Result<(Box<dyn Worker>, Turn), (Status, String)>> {
        let turn = tokio::select! {
            // A wish to stop goes before a turn that comes in the same moment.
            biased;
            Some(command) = inbox.recv() => {
                if let Command::Kill(done) = command {
                    told.kill.push(done);
                }
                let message = "Stopped before it began.".to_owned();
                return Ok(Err((Status::Stopped, message)));
            }
            () = self.0.shutdown.cancelled() => {
                // Still waiting at the next start.
                return Ok(Err((Status::Interrupted, "The server was stopped.".to_owned())));
            }
            turn = ticket.turn() => turn,
        };
        self.0
            .index
            .write(move |w| runs::set_running(w, id))
            .await?;
        let worker = self.0.launcher.launch(&self.dir(id))?;
        Ok(Ok((worker, turn)))
    }

    /// Carries the log into the index until the worker has ended and all of it is there.
    async fn follow(
        &self,
        id: RunId,
        worker: &mut dyn Worker,
        inbox: &mut mpsc::UnboundedReceiver<Command>,
        told: &mut Told,
    ) -> Result<Exit> {
        let mut offset = self.run(id).await?.offset;
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // An error must not leave the worker unattended: it is kept until the worker has ended.
        let mut trouble = None;
        let exit = loop {
            tokio::select! {
                exit = worker.ended() => break exit,
                _ = look.tick(), if trouble.is_none() => {
                    if let Err(error) = self.catch_up(id, &mut offset).await {
                        tracing::error!(run = %id, %error, "the log cannot be followed");
                        trouble = Some(error);
                    }
                }
                Some(command) = inbox.recv() => match command {
                    Command::Stop => {
                        told.stop = true;
                        worker.stop();
                    }
                    Command::Kill(done) => {
                        told.kill.push(done);
                        worker.kill();
                    }
                },
                () = self.0.shutdown.cancelled(), if !told.shutdown => {
                    told.shutdown = true;
                    worker.stop();
                }
            }
        };
        match trouble {
            Some(error) => Err(error),
            None => self.catch_up(id, &mut offset).await.map(|()| exit),
        }
    }

    /// Indexes what the log has gained since byte `offset`.
    pub(super) async fn catch_up(&self, id: RunId, offset: &mut u64) -> Result<()> {
        loop {
            let (path, from) = (self.dir(id).events_file(), *offset);
            let (lines, to) = blocking(move || tail::read_lines(&path, from)).await?;
            if lines.is_empty() {
                return Ok(());
            }
            self.0
                .index
                .write(move |w| events::append(w, id, &lines, to))
                .await?;
            *offset = to;
        }
    }

    /// What the end of a worker makes of its run.
    async fn judge(&self, id: RunId, exit: Exit, told: &Told) -> Result<(Status, String)> {
        let run = self.run(id).await?;
        let status = run.reason.as_deref().map(Status::of_reason);
        let stopped = matches!(status, None | Some(Status::Stopped));
        // A worker that is asked to stop before it listens to signals ends by the signal.
        let obeyed = status.is_some() || exit == Exit::Signal(signal_hook::consts::SIGTERM);
        if told.shutdown && !told.stop && stopped && obeyed {
            let message = "The server was stopped; the run goes on when it starts again.";
            return Ok((Status::Interrupted, message.to_owned()));
        }
        match status {
            Some(status) => Ok((status, run.message)),
            None if told.stop && obeyed => Ok((Status::Stopped, String::new())),
            None => Ok((Status::Failed, self.last_words(id, exit).await?)),
        }
    }

    /// How a worker ended that wrote no last event: the exit, and its log's last line if it
    /// ended by itself.
    async fn last_words(&self, id: RunId, exit: Exit) -> Result<String, Error> {
        let path = self.dir(id).worker_log();
        let log = blocking(move || worker_log::tail(&path, 4096)).await?;
        let line = log.lines().rev().find(|line| !line.trim().is_empty());
        Ok(match (exit, line) {
            (Exit::Code(_), Some(line)) => format!("{exit} Its log ends with: {}", line.trim()),
            _ => exit.to_string(),
        })
    }
}
