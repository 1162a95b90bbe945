//! The task of a run: wait for the turn, launch a worker, follow its log, note its end.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};

use super::Supervisor;
use super::turns::{Ticket, Turn};
use crate::aside::blocking;
use crate::error::{Error, Result};
use crate::index::runs::{self, Status};
use crate::index::{Writing, events};
use crate::launch::{Exit, Worker};
use crate::run_dir::tail::{self, Following, Place};
use crate::run_dir::{RunId, worker_log};
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

/// A log that cannot be followed for now.
#[derive(Default)]
struct Trouble {
    /// How long to wait before the next try.
    pause: Duration,
    until: Option<Instant>,
}

impl Trouble {
    const FIRST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(2);

    /// Whether it is time to try.
    fn is_over(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() >= until)
    }

    /// Told once, however often it comes.
    fn came(&mut self, id: RunId, error: &Error) {
        if self.until.is_none() {
            tracing::error!(run = %id, %error, "the log cannot be followed for now");
        }
        self.pause = (self.pause * 2).clamp(Self::FIRST, Self::LONGEST);
        self.until = Some(Instant::now() + self.pause);
    }

    fn passed(&mut self, id: RunId) {
        if self.until.is_some() {
            tracing::info!(run = %id, "the log is followed again");
            *self = Self::default();
        }
    }
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
        let running = self
            .0
            .index
            .write_patiently(move |w| {
                let run = runs::get(w, id)?;
                if !run.stopping {
                    runs::set_running(w, id)?;
                }
                Ok(!run.stopping)
            })
            .await?;
        if !running {
            // Asked for before this task could be told.
            let message = "Stopped before it began.".to_owned();
            return Ok(Err((Status::Stopped, message)));
        }
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
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // An error must not leave the worker unattended, nor end the following: it is tried again.
        let mut trouble = Trouble::default();
        let mut place = None;
        let exit = loop {
            tokio::select! {
                exit = worker.ended() => break exit,
                _ = look.tick(), if trouble.is_over() => {
                    // Not to the log's end: a worker that writes faster than the index takes it
                    // in would never let a command be heard.
                    match self.index_next(id, &mut place).await {
                        Ok(_) => trouble.passed(id),
                        Err(error) => trouble.came(id, &error),
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
        loop {
            match self.catch_up(id).await {
                // The index is at fault, not the run.
                Err(error) if error.is_of_the_index() => {
                    trouble.came(id, &error);
                    tokio::time::sleep(trouble.pause).await;
                }
                result => return result.map(|()| exit),
            }
        }
    }

    /// Indexes what the log has gained until now: whoever writes on does not keep the caller.
    pub(super) async fn catch_up(&self, id: RunId) -> Result<()> {
        let known = self.0.index.read(move |c| events::place(c, id)).await?;
        let path = self.dir(id).events_file();
        let (end, is_the_same) =
            blocking(move || Ok((tail::len(&path)?, tail::is_continued(&path, known)?))).await?;
        if !is_the_same {
            self.begin_again(id, known).await?;
        }
        let mut place = None;
        while self.index_next(id, &mut place).await? && place.is_none_or(|place| place.offset < end)
        {
        }
        Ok(())
    }

    /// Indexes the next lines of a log, as many as are read at once, after `place`, or from where the index is.
    /// Returns whether there was something to do.
    ///
    /// The log is the truth: where it is not the one that is indexed (a loss of power takes lines that
    /// were not yet on the disk), it is indexed again from its first line.
    async fn index_next(&self, id: RunId, place: &mut Option<Place>) -> Result<bool> {
        let from = match place.take() {
            Some(known) => known,
            None => self.0.index.read(move |c| events::place(c, id)).await?,
        };
        let path = self.dir(id).events_file();
        let following = blocking(move || tail::read_on(&path, from)).await?;
        let (lines, to) = match following {
            Following::Lines(lines, to) => (lines, to),
            Following::Another => return self.begin_again(id, from).await,
        };
        if lines.is_empty() {
            *place = Some(from);
            return Ok(false);
        }
        let append = move |w: &Writing<'_>| events::append(w, id, from, &lines, to);
        match self.0.index.write_patiently(append).await {
            // An index of before lines were recognised: the place itself may be wrong.
            Err(Error::EventLog { .. }) if from.offset > 0 && from.line.is_none() => {
                return self.begin_again(id, from).await;
            }
            Err(error) => return Err(error),
            Ok(done) => *place = done.then_some(to),
        }
        Ok(true)
    }

    async fn begin_again(&self, id: RunId, from: Place) -> Result<bool> {
        tracing::warn!(
            run = %id, indexed = from.offset,
            "the log is not the one that was indexed (cut back or replaced): it is indexed anew"
        );
        let forget = move |w: &Writing<'_>| events::begin_again(w, id);
        self.0.index.write_patiently(forget).await?;
        Ok(true)
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

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use futures_util::FutureExt as _;
    use futures_util::future::BoxFuture;
    use serde_json::json;
    use tokio_util::sync::CancellationToken;
    use vivarium_models::spec;

    use super::*;
    use crate::data_dir::DataDir;
    use crate::index::Index;
    use crate::launch::Launcher;
    use crate::run_dir::RunDir;

    /// Launches workers that write events without a pause until they are told to stop.
    struct Chatterers;

    struct Chatterer {
        stop: Arc<AtomicBool>,
        ended: oneshot::Receiver<()>,
    }

    impl Launcher for Chatterers {
        fn launch(&self, dir: &RunDir) -> Result<Box<dyn Worker>> {
            let stop = Arc::new(AtomicBool::new(false));
            let (end, ended) = oneshot::channel();
            let mut log = File::create(dir.events_file()).unwrap();
            let told = Arc::clone(&stop);
            thread::spawn(move || {
                for seq in 1.. {
                    let event = match told.load(Ordering::Relaxed) {
                        true => json!({"seq": seq, "kind": "finished", "reason": "stopped"}),
                        false => json!({"seq": seq, "kind": "note", "message": "and"}),
                    };
                    writeln!(log, "{event}").unwrap();
                    if event["kind"] == "finished" {
                        break;
                    }
                    thread::sleep(Duration::from_micros(100));
                }
                let _ = end.send(());
            });
            Ok(Box::new(Chatterer { stop, ended }))
        }

        fn adopt(&self, _: &RunDir) -> Result<Option<Box<dyn Worker>>> {
            Ok(None)
        }
    }

    impl Worker for Chatterer {
        fn ended(&mut self) -> BoxFuture<'_, Exit> {
            (&mut self.ended).map(|_| Exit::Code(0)).boxed()
        }

        fn stop(&self) {
            self.stop.store(true, Ordering::Relaxed);
        }

        fn kill(&self) {
            self.stop();
        }
    }

    #[tokio::test]
    async fn a_worker_that_never_pauses_is_stopped_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(Some(folder.path().to_owned())).unwrap();
        std::fs::create_dir_all(data.runs()).unwrap();
        let index = Index::open(&folder.path().join("index.sqlite")).unwrap();
        let shutdown = CancellationToken::new();
        let supervisor = Supervisor::start(
            &data,
            index.clone(),
            Box::new(Chatterers),
            1,
            shutdown.clone(),
        )
        .await;
        // On a busy machine the index takes longer than the worker does for its next line.
        let busy = tokio::spawn(async move {
            let work = |_: &Writing<'_>| {
                thread::sleep(Duration::from_millis(5));
                Ok(())
            };
            while index.write(work).await.is_ok() {}
        });
        let spec = json!({"data": {"set": "digits"}, "network": {"kind": "mlp"}});
        let spec = spec::check(&spec, &data.library()).unwrap();
        let id = supervisor.create(spec).await.unwrap();
        let until = async |hope: &dyn Fn(&runs::Run) -> bool| {
            let waiting = async {
                loop {
                    let run = supervisor.run(id).await.unwrap();
                    if hope(&run) {
                        return run;
                    }
                    tokio::time::sleep(LOOK).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(20), waiting)
                .await
                .expect("it comes to pass")
        };
        // It is in full flow.
        until(&|run| run.seq > 100).await;
        supervisor.stop(id).await.unwrap();
        let run = until(&|run| run.status == Status::Stopped).await;
        let text = std::fs::read_to_string(supervisor.dir(id).events_file()).unwrap();
        assert_eq!(run.seq, text.lines().count() as u64, "all of it is indexed");
        busy.abort();
        shutdown.cancel();
        supervisor.rest().await;
    }
}
