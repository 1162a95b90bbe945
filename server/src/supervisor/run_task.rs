//! The task of one run: it waits in the queue, launches a worker, follows its log and records its final status.
//!
//! A write that the index refuses, because the disk is full or another program has locked the file, is retried until it
//! succeeds: without its final status a run would seem to train forever, and the runs behind it would never start.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};

use super::Supervisor;
use super::job_queue::{Permit, Waiter};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::index::runs::{self, Status};
use crate::index::{Writing, events};
use crate::launch::{Exit, Worker};
use crate::panics;
use crate::run_dir::tail::{self, Following, Place};
use crate::run_dir::{RunId, worker_log};
use crate::worker;

/// How often a log is read. A worker gathers steps for 40 ms, so a step is in the index at most
/// 100 ms after it was made.
const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// The pause before a failed operation is retried.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// How long a server that is shutting down retries a failed operation.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// The message of a run that stops because its server does.
const SERVER_STOPPED: &str = "The server was stopped; the run goes on when it starts again.";

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
struct Signals {
    stop: bool,
    shutdown: bool,
    /// An earlier server stopped the worker, not a user.
    interrupted: bool,
    /// Dropping these senders when the task ends answers the requests.
    kill: Vec<oneshot::Sender<()>>,
}

/// Exponential backoff while a log cannot be followed.
#[derive(Default)]
struct Backoff {
    /// The pause before the next attempt.
    pause: Duration,
    until: Option<Instant>,
}

impl Backoff {
    const SHORTEST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(2);

    /// Whether the pause is over.
    fn is_ready(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() >= until)
    }

    /// Signals once, however often it comes.
    fn failed(&mut self, id: RunId, error: &Error) {
        if self.until.is_none() {
            tracing::error!(run = %id, %error, "the log cannot be followed for now");
        }
        self.pause = (self.pause * 2).clamp(Self::SHORTEST, Self::LONGEST);
        self.until = Some(Instant::now() + self.pause);
    }

    fn succeeded(&mut self, id: RunId) {
        if self.until.is_some() {
            tracing::info!(run = %id, "the log is followed again");
            *self = Self::default();
        }
    }
}

impl Signals {
    fn receive(&mut self, command: Command) {
        match command {
            Command::Stop => self.stop = true,
            Command::Kill(done) => self.kill.push(done),
        }
    }

    fn must_end(&self) -> bool {
        self.stop || !self.kill.is_empty()
    }
}

type Inbox = mpsc::UnboundedReceiver<Command>;

/// What happens to a run whose worker has ended.
enum Outcome {
    /// It has this final status, with a message.
    Ended(Status, String),
    /// It returns to the queue.
    Requeue,
}

impl Supervisor {
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
                        tracing::info!(run = %id, "the index has the run's state now");
                    }
                    return Some(value);
                }
                Err(error) if !failed => {
                    tracing::error!(run = %id, %error, "the run's state could not be indexed; it is tried again until it can");
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
        let (mut process, _permit) = match start {
            Start::Adopt {
                worker,
                interrupted,
            } => {
                signals.interrupted = interrupted;
                (worker, self.0.queue.permit_for_running())
            }
            Start::Queue(waiter) => match self.wait_and_launch(id, waiter, inbox, signals).await? {
                Ok(started) => started,
                Err(end) => return Ok(end),
            },
        };
        loop {
            let exit = self
                .follow_log(id, process.as_mut(), inbox, signals)
                .await?;
            if exit == Exit::Code(worker::HELD_BY_ANOTHER.into())
                && let Some(other) = self.0.launcher.adopt(&self.run_dir(id))?
            {
                process = other;
                continue;
            }
            if exit != Exit::Code(0) {
                self.remove_unfinished(id).await;
            }
            return self.final_status(id, exit, signals).await;
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
        // A request to stop may have been recorded before this task could receive it.
        let running = move |w: &Writing<'_>| {
            let run = runs::get(w, id)?;
            if !run.stopping {
                runs::set_running(w, id)?;
            }
            Ok(!run.stopping)
        };
        match self.persist(id, inbox, signals, false, running).await {
            Some(true) => {}
            Some(false) => return stopped(),
            None if signals.must_end() => return stopped(),
            None => return Ok(Err(interrupted())),
        }
        let worker = self.0.launcher.launch(&self.run_dir(id))?;
        Ok(Ok((worker, permit)))
    }

    /// Indexes the log until the worker has ended and all of it is indexed.
    ///
    /// # Errors
    /// When the log is damaged, or the run is deleted. The worker has ended then too: an error must not leave it
    /// unattended.
    async fn follow_log(
        &self,
        id: RunId,
        worker: &mut dyn Worker,
        inbox: &mut Inbox,
        signals: &mut Signals,
    ) -> Result<Exit> {
        let mut look = tokio::time::interval(POLL_INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // An error must neither leave the worker unattended nor end this loop.
        let mut backoff = Backoff::default();
        let mut place = None;
        let exit = loop {
            tokio::select! {
                exit = worker.ended() => break exit,
                _ = look.tick(), if backoff.is_ready() => {
                    // Not to the end of the log: with a worker that writes faster than the index
                    // accepts, no command would ever be received.
                    match self.index_next(id, &mut place).await {
                        Ok(_) => backoff.succeeded(id),
                        Err(error) => backoff.failed(id, &error),
                    }
                }
                Some(command) = inbox.recv() => {
                    signals.receive(command);
                    if signals.kill.is_empty() {
                        worker.stop();
                    } else {
                        worker.kill();
                    }
                }
                () = self.0.shutdown.cancelled(), if !signals.shutdown => {
                    signals.shutdown = true;
                    self.mark_interrupted(id, signals).await;
                    worker.stop();
                }
            }
        };
        let mut last_try = None;
        loop {
            match self.catch_up(id).await {
                // The index is at fault, not the run.
                Err(error) if error.is_of_the_index() => backoff.failed(id, &error),
                result => return result.map(|()| exit),
            }
            let now = tokio::time::Instant::now();
            if self.0.shutdown.is_cancelled() && now > *last_try.get_or_insert(now + SHUTDOWN_GRACE)
            {
                return Ok(exit);
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.pause) => {}
                Some(command) = inbox.recv() => signals.receive(command),
            }
            if !signals.kill.is_empty() {
                return Ok(exit);
            }
        }
    }

    /// Records, before the worker is told to stop, that it stops because of the server. If the server dies before the
    /// worker has ended, the next server knows that no user asked for it.
    async fn mark_interrupted(&self, id: RunId, signals: &Signals) {
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

    /// Indexes the log up to its current end. Lines that a worker adds meanwhile are left for later.
    pub(super) async fn catch_up(&self, id: RunId) -> Result<()> {
        let known = self.0.index.read(move |c| events::place(c, id)).await?;
        let path = self.run_dir(id).events_file();
        let (end, is_the_same) =
            blocking(move || Ok((tail::len(&path)?, tail::is_continued(&path, known)?))).await?;
        if !is_the_same {
            self.reindex(id, known).await?;
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
        let path = self.run_dir(id).events_file();
        let following = blocking(move || tail::read_on(&path, from)).await?;
        let (lines, to) = match following {
            Following::Lines(lines, to) => (lines, to),
            Following::Another => return self.reindex(id, from).await,
        };
        if lines.is_empty() {
            *place = Some(from);
            return Ok(false);
        }
        let append = move |w: &Writing<'_>| events::append(w, id, from, &lines, to);
        match self.0.index.write_with_retries(append).await {
            // An index of before lines were recognised: the place itself may be wrong.
            Err(Error::EventLog { .. }) if from.offset > 0 && from.line.is_none() => {
                return self.reindex(id, from).await;
            }
            Err(error) => return Err(error),
            Ok(done) => *place = done.then_some(to),
        }
        Ok(true)
    }

    async fn reindex(&self, id: RunId, from: Place) -> Result<bool> {
        tracing::warn!(
            run = %id, indexed = from.offset,
            "the log is not the one that was indexed (cut back or replaced): it is indexed anew"
        );
        let forget = move |w: &Writing<'_>| events::begin_again(w, id);
        self.0.index.write_with_retries(forget).await?;
        Ok(true)
    }

    /// The final status of a run whose worker has ended.
    async fn final_status(&self, id: RunId, exit: Exit, signals: &Signals) -> Result<Outcome> {
        let run = self.run_with_retries(id).await?;
        let status = run.reason.as_deref().map(Status::of_reason);
        let stopped = matches!(status, None | Some(Status::Stopped));
        // A worker that is asked to stop before it listens to signals ends by the signal.
        let obeyed = status.is_some() || exit == Exit::Signal(signal_hook::consts::SIGTERM);
        if !signals.must_end() && stopped && obeyed {
            if signals.shutdown {
                return Ok(interrupted());
            }
            if signals.interrupted {
                return Ok(Outcome::Requeue);
            }
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
        match (exit, line) {
            (Exit::Code(_), Some(line)) => format!("{exit} Its log ends with: {}", line.trim()),
            _ => exit.to_string(),
        }
    }
}

/// Logs how many files of a partial checkpoint were removed, or why that failed.
pub(super) fn log_unfinished(id: RunId, removed: Result<usize>) {
    match removed {
        Ok(0) => {}
        Ok(files) => tracing::info!(run = %id, files, "removed half a checkpoint"),
        Err(error) => tracing::warn!(run = %id, %error, "half a checkpoint could not be removed"),
    }
}

fn interrupted() -> Outcome {
    Outcome::Ended(Status::Interrupted, SERVER_STOPPED.to_owned())
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

    /// A supervisor of one run at a time, in a folder of its own.
    struct Place {
        supervisor: Supervisor,
        data: DataDir,
        index: Index,
        shutdown: CancellationToken,
        _folder: tempfile::TempDir,
    }

    impl Place {
        async fn new(launcher: impl Launcher + 'static, before: &[Status]) -> (Self, Vec<RunId>) {
            let folder = tempfile::tempdir().unwrap();
            let data = DataDir::open(Some(folder.path().to_owned())).unwrap();
            std::fs::create_dir_all(data.runs()).unwrap();
            let index = Index::open(&folder.path().join("index.sqlite")).unwrap();
            let mut ids = Vec::new();
            for &status in before {
                let (id, ..) = RunDir::create_locked(&data.runs(), &spec(&data)).unwrap();
                let new = runs::NewRun {
                    id,
                    name: String::new(),
                    tags: Vec::new(),
                    notes: String::new(),
                    spec: "{}".to_owned(),
                    sweep: None,
                    status,
                    number: None,
                };
                index.write(move |w| runs::insert(w, &new)).await.unwrap();
                ids.push(id);
            }
            let shutdown = CancellationToken::new();
            let launcher = Box::new(launcher);
            let supervisor =
                Supervisor::start(&data, index.clone(), launcher, 1, shutdown.clone()).await;
            let place = Self {
                supervisor,
                data,
                index,
                shutdown,
                _folder: folder,
            };
            (place, ids)
        }

        async fn create(&self) -> RunId {
            let spec = spec(&self.data);
            self.supervisor.create(spec).await.unwrap()
        }

        async fn until(&self, id: RunId, hope: impl Fn(&runs::Run) -> bool) -> runs::Run {
            let waiting = async {
                loop {
                    let run = self.supervisor.run(id).await.unwrap();
                    if hope(&run) {
                        return run;
                    }
                    tokio::time::sleep(POLL_INTERVAL).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(60), waiting)
                .await
                .expect("it comes to pass")
        }

        async fn execute(&self, sql: &'static str) {
            let work = move |w: &Writing<'_>| Ok(w.execute_batch(sql)?);
            self.index.write(work).await.unwrap();
        }

        async fn end(self) {
            self.shutdown.cancel();
            self.supervisor.join().await;
        }
    }

    fn spec(data: &DataDir) -> spec::RunSpec {
        let spec = json!({"data": {"set": "digits"}, "network": {"kind": "mlp"}});
        spec::check(&spec, &data.library()).unwrap()
    }

    #[tokio::test]
    async fn a_worker_that_never_pauses_is_stopped_all_the_same() {
        let (place, _) = Place::new(Chatterers, &[]).await;
        let index = place.index.clone();
        // On a busy machine the index takes longer than the worker does for its next line.
        let busy = tokio::spawn(async move {
            let work = |_: &Writing<'_>| {
                thread::sleep(Duration::from_millis(5));
                Ok(())
            };
            while index.write(work).await.is_ok() {}
        });
        let id = place.create().await;
        // It is in full flow.
        place.until(id, |run| run.seq > 100).await;
        place.supervisor.stop(id).await.unwrap();
        let run = place.until(id, |run| run.status == Status::Stopped).await;
        let text = std::fs::read_to_string(place.supervisor.run_dir(id).events_file()).unwrap();
        assert_eq!(run.seq, text.lines().count() as u64, "all of it is indexed");
        busy.abort();
        place.end().await;
    }

    #[tokio::test]
    async fn what_a_full_disk_does_not_take_is_indexed_when_there_is_room_and_the_next_run_starts()
    {
        let (place, _) = Place::new(Chatterers, &[]).await;
        let first = place.create().await;
        let second = place.create().await;
        place.until(first, |run| run.seq > 10).await;
        place
            .execute(
                "CREATE TRIGGER full BEFORE UPDATE ON runs BEGIN SELECT RAISE(FAIL, 'the disk is full'); END",
            )
            .await;
        // A wish to stop cannot be noted either, but the worker hears it.
        assert!(place.supervisor.stop(first).await.is_err());
        let task = place.supervisor.tasks().get(&first).cloned().unwrap();
        task.send(Command::Stop).unwrap();
        let log = place.supervisor.run_dir(first).events_file();
        while !std::fs::read_to_string(&log).unwrap().contains("finished") {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        // Some tries fail.
        tokio::time::sleep(2 * RETRY_INTERVAL).await;
        let status = async |id| place.supervisor.run(id).await.unwrap().status;
        assert_eq!(status(first).await, Status::Running);
        assert_eq!(status(second).await, Status::Queued);
        place.execute("DROP TRIGGER full").await;
        place
            .until(first, |run| run.status == Status::Stopped)
            .await;
        place.until(second, |run| run.seq > 10).await;
        place.end().await;
    }

    /// Launches a worker that cannot be followed, then others that are done at once.
    #[derive(Default)]
    struct Faulty(AtomicBool);

    struct Fault;

    struct Done;

    impl Launcher for Faulty {
        fn launch(&self, dir: &RunDir) -> Result<Box<dyn Worker>> {
            if !self.0.swap(true, Ordering::Relaxed) {
                return Ok(Box::new(Fault));
            }
            let event = json!({"seq": 1, "kind": "finished", "reason": "completed"});
            std::fs::write(dir.events_file(), format!("{event}\n")).unwrap();
            Ok(Box::new(Done))
        }

        fn adopt(&self, _: &RunDir) -> Result<Option<Box<dyn Worker>>> {
            Ok(None)
        }
    }

    impl Worker for Fault {
        fn ended(&mut self) -> BoxFuture<'_, Exit> {
            async { panic!("a fault in a task") }.boxed()
        }

        fn stop(&self) {}

        fn kill(&self) {}
    }

    impl Worker for Done {
        fn ended(&mut self) -> BoxFuture<'_, Exit> {
            async { Exit::Code(0) }.boxed()
        }

        fn stop(&self) {}

        fn kill(&self) {}
    }

    #[tokio::test]
    async fn a_run_whose_task_panics_fails_and_the_next_one_has_its_turn() {
        let (place, _) = Place::new(Faulty::default(), &[]).await;
        let first = place.create().await;
        let second = place.create().await;
        let run = place.until(first, |run| run.status == Status::Failed).await;
        assert!(run.message.contains("a fault in a task"), "{}", run.message);
        place
            .until(second, |run| run.status == Status::Finished)
            .await;
        place.end().await;
    }

    /// Finds workers that an earlier server asked to stop, and launches some that work on.
    #[derive(Default)]
    struct Survivors(AtomicBool);

    struct Survivor(RunDir);

    struct Quiet;

    impl Launcher for Survivors {
        fn launch(&self, _: &RunDir) -> Result<Box<dyn Worker>> {
            Ok(Box::new(Quiet))
        }

        fn adopt(&self, dir: &RunDir) -> Result<Option<Box<dyn Worker>>> {
            if self.0.swap(true, Ordering::Relaxed) {
                panic!("a fault in another run");
            }
            Ok(Some(Box::new(Survivor(dir.clone()))))
        }
    }

    impl Worker for Survivor {
        fn ended(&mut self) -> BoxFuture<'_, Exit> {
            async {
                let event = json!({"seq": 1, "kind": "finished", "reason": "stopped"});
                std::fs::write(self.0.events_file(), format!("{event}\n")).unwrap();
                Exit::Unknown
            }
            .boxed()
        }

        fn stop(&self) {}

        fn kill(&self) {}
    }

    impl Worker for Quiet {
        fn ended(&mut self) -> BoxFuture<'_, Exit> {
            futures_util::future::pending().boxed()
        }

        fn stop(&self) {}

        fn kill(&self) {}
    }

    #[tokio::test]
    async fn a_run_that_an_earlier_server_stopped_goes_on_when_its_worker_has_ended() {
        let before = [Status::Interrupted, Status::Interrupted];
        let (place, ids) = Place::new(Survivors::default(), &before).await;
        // It is adopted and ends; then it waits for its turn again, and has it.
        let run = place
            .until(ids[0], |run| {
                run.seq == 1 && run.status == Status::Running && run.reason.is_none()
            })
            .await;
        assert_eq!(run.message, "");
        place.shutdown.cancel();
    }
}
