//! The task of a run: wait for the turn, launch a worker, follow its log, note its end.
//!
//! What the index does not take now, because the disk is full or another program holds the file, is tried again until it
//! does: a run whose end is not noted would train for ever on its page, and those behind it would wait for ever.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};

use super::Supervisor;
use super::turns::{Ticket, Turn};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::index::runs::{self, Status};
use crate::index::{Writing, events};
use crate::launch::{Exit, Worker};
use crate::run_dir::tail::{self, Following, Place};
use crate::run_dir::{RunId, worker_log};
use crate::tasks;
use crate::worker;

/// How often a log is looked at. With the 40 ms for which a worker gathers steps, a step is in
/// the index at most 100 ms after it was made.
const LOOK: Duration = Duration::from_millis(25);

/// Between two tries of what failed.
const AGAIN: Duration = Duration::from_millis(500);

/// How long a server that stops tries what fails.
const AT_SHUTDOWN: Duration = Duration::from_secs(2);

/// What is said of a run that stops because its server does.
const SERVER_STOPPED: &str = "The server was stopped; the run goes on when it starts again.";

/// How the task of a run begins.
pub(super) enum Beginning {
    /// With a place in the line.
    Wait(Ticket),
    /// With a worker that lives.
    Adopt {
        /// The worker.
        worker: Box<dyn Worker>,
        /// Whether an earlier server asked it to stop, so that the run goes on when it has.
        interrupted: bool,
    },
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
    /// An earlier server told the worker to stop, not a person.
    interrupted: bool,
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
    fn is_ready(&self) -> bool {
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

impl Told {
    fn hear(&mut self, command: Command) {
        match command {
            Command::Stop => self.stop = true,
            Command::Kill(done) => self.kill.push(done),
        }
    }

    fn to_end(&self) -> bool {
        self.stop || !self.kill.is_empty()
    }
}

type Inbox = mpsc::UnboundedReceiver<Command>;

/// What becomes of a run whose worker is gone.
enum End {
    /// It ends in this status, with a message.
    Over(Status, String),
    /// It waits for its turn again.
    GoesOn,
}

impl Supervisor {
    pub(super) async fn live(self, id: RunId, mut beginning: Beginning, mut inbox: Inbox) {
        let mut told = Told::default();
        loop {
            let end = self.until_the_end(id, beginning, &mut inbox, &mut told);
            let end = tasks::catch(end).await.unwrap_or_else(|error| {
                tracing::error!(run = %id, %error, "the run cannot be supervised");
                End::Over(Status::Failed, error.to_string())
            });
            let written = match end {
                End::Over(status, message) => {
                    let write = move |w: &Writing<'_>| runs::set_status(w, id, status, &message);
                    self.persist(id, &mut inbox, &mut told, true, write).await;
                    break;
                }
                End::GoesOn => {
                    let write = move |w: &Writing<'_>| runs::enqueue(w, id);
                    self.persist(id, &mut inbox, &mut told, false, write).await
                }
            };
            if written.is_none() {
                break;
            }
            told = Told::default();
            beginning = Beginning::Wait(self.0.turns.line_up());
        }
    }

    /// Writes to the index, again and again until it holds. Gives up, and returns `None`, when the run is deleted, when
    /// the server has stopped, or, unless this is the run's end, when the run is to stop.
    async fn persist<T, F>(
        &self,
        id: RunId,
        inbox: &mut Inbox,
        told: &mut Told,
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
            if self.0.shutdown.is_cancelled() && now > *last_try.get_or_insert(now + AT_SHUTDOWN) {
                return None;
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                Some(command) = inbox.recv() => told.hear(command),
            }
            if !told.kill.is_empty() || (!end && told.stop) {
                return None;
            }
        }
    }

    /// Returns what becomes of the run when it has no worker any more.
    async fn until_the_end(
        &self,
        id: RunId,
        beginning: Beginning,
        inbox: &mut Inbox,
        told: &mut Told,
    ) -> Result<End> {
        let (mut process, _turn) = match beginning {
            Beginning::Adopt {
                worker,
                interrupted,
            } => {
                told.interrupted = interrupted;
                (worker, self.0.turns.already_running())
            }
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
            if exit != Exit::Code(0) {
                self.remove_unfinished(id).await;
            }
            return self.judge(id, exit, told).await;
        }
    }

    /// Waits for the turn and launches a worker, or says how the waiting ended.
    async fn wait(
        &self,
        id: RunId,
        mut ticket: Ticket,
        inbox: &mut Inbox,
        told: &mut Told,
    ) -> Result<std::result::Result<(Box<dyn Worker>, Turn), End>> {
        let stopped = || {
            let message = "Stopped before it began.".to_owned();
            Ok(Err(End::Over(Status::Stopped, message)))
        };
        let turn = tokio::select! {
            // A wish to stop goes before a turn that comes in the same moment.
            biased;
            Some(command) = inbox.recv() => {
                told.hear(command);
                return stopped();
            }
            () = self.0.shutdown.cancelled() => return Ok(Err(interrupted())),
            turn = ticket.turn() => turn,
        };
        // A wish to stop that was noted before this task could be told goes first.
        let running = move |w: &Writing<'_>| {
            let run = runs::get(w, id)?;
            if !run.stopping {
                runs::set_running(w, id)?;
            }
            Ok(!run.stopping)
        };
        match self.persist(id, inbox, told, false, running).await {
            Some(true) => {}
            Some(false) => return stopped(),
            None if told.to_end() => return stopped(),
            None => return Ok(Err(interrupted())),
        }
        let worker = self.0.launcher.launch(&self.dir(id))?;
        Ok(Ok((worker, turn)))
    }

    /// Carries the log into the index until the worker has ended and all of it is there.
    ///
    /// # Errors
    /// When the log is damaged, or the run is deleted. The worker has ended then too: an error must not leave it
    /// unattended.
    async fn follow(
        &self,
        id: RunId,
        worker: &mut dyn Worker,
        inbox: &mut Inbox,
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
                _ = look.tick(), if trouble.is_ready() => {
                    // Not to the log's end: a worker that writes faster than the index takes it
                    // in would never let a command be heard.
                    match self.index_next(id, &mut place).await {
                        Ok(_) => trouble.passed(id),
                        Err(error) => trouble.came(id, &error),
                    }
                }
                Some(command) = inbox.recv() => {
                    told.hear(command);
                    if told.kill.is_empty() {
                        worker.stop();
                    } else {
                        worker.kill();
                    }
                }
                () = self.0.shutdown.cancelled(), if !told.shutdown => {
                    told.shutdown = true;
                    self.note_interruption(id, told).await;
                    worker.stop();
                }
            }
        };
        let mut last_try = None;
        loop {
            match self.catch_up(id).await {
                // The index is at fault, not the run.
                Err(error) if error.is_of_the_index() => trouble.came(id, &error),
                result => return result.map(|()| exit),
            }
            let now = tokio::time::Instant::now();
            if self.0.shutdown.is_cancelled() && now > *last_try.get_or_insert(now + AT_SHUTDOWN) {
                return Ok(exit);
            }
            tokio::select! {
                () = tokio::time::sleep(trouble.pause) => {}
                Some(command) = inbox.recv() => told.hear(command),
            }
            if !told.kill.is_empty() {
                return Ok(exit);
            }
        }
    }

    /// Notes, before a worker is told to stop, that it stops because its server does: if the server dies before the
    /// worker has ended, the next one knows that no person wanted that.
    async fn note_interruption(&self, id: RunId, told: &Told) {
        if told.to_end() {
            return;
        }
        let noting = async {
            while let Err(error) = self
                .set_status(id, Status::Interrupted, SERVER_STOPPED)
                .await
            {
                tracing::warn!(run = %id, %error, "the interruption could not be indexed");
                tokio::time::sleep(AGAIN).await;
            }
        };
        // The worker is stopped in any case.
        let _ = tokio::time::timeout(AT_SHUTDOWN, noting).await;
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
    async fn judge(&self, id: RunId, exit: Exit, told: &Told) -> Result<End> {
        let run = self.run_in_time(id).await?;
        let status = run.reason.as_deref().map(Status::of_reason);
        let stopped = matches!(status, None | Some(Status::Stopped));
        // A worker that is asked to stop before it listens to signals ends by the signal.
        let obeyed = status.is_some() || exit == Exit::Signal(signal_hook::consts::SIGTERM);
        if !told.to_end() && stopped && obeyed {
            if told.shutdown {
                return Ok(interrupted());
            }
            if told.interrupted {
                return Ok(End::GoesOn);
            }
        }
        Ok(match status {
            Some(status) => End::Over(status, run.message),
            None if told.stop && obeyed => End::Over(Status::Stopped, String::new()),
            None => End::Over(Status::Failed, self.last_words(id, exit).await),
        })
    }

    /// A run of the index, which may be held by another program for a while.
    async fn run_in_time(&self, id: RunId) -> Result<runs::Run> {
        loop {
            match self.run(id).await {
                Err(error) if error.is_of_the_index() && !self.0.shutdown.is_cancelled() => {
                    tracing::warn!(run = %id, %error, "the index could not be read");
                    tokio::time::sleep(AGAIN).await;
                }
                result => return result,
            }
        }
    }

    /// Removes what a worker left that died while it wrote.
    async fn remove_unfinished(&self, id: RunId) {
        let dir = self.dir(id);
        tell_unfinished(id, blocking(move || dir.remove_unfinished()).await);
    }

    /// How a worker ended that wrote no last event: the exit, and its log's last line if it
    /// ended by itself.
    async fn last_words(&self, id: RunId, exit: Exit) -> String {
        let path = self.dir(id).worker_log();
        let log = blocking(move || worker_log::tail(&path, 4096)).await;
        let log = log.unwrap_or_default();
        let line = log.lines().rev().find(|line| !line.trim().is_empty());
        match (exit, line) {
            (Exit::Code(_), Some(line)) => format!("{exit} Its log ends with: {}", line.trim()),
            _ => exit.to_string(),
        }
    }
}

/// Logs how many files of half a checkpoint were removed, or why not.
pub(super) fn tell_unfinished(id: RunId, removed: Result<usize>) {
    match removed {
        Ok(0) => {}
        Ok(files) => tracing::info!(run = %id, files, "removed half a checkpoint"),
        Err(error) => tracing::warn!(run = %id, %error, "half a checkpoint could not be removed"),
    }
}

fn interrupted() -> End {
    End::Over(Status::Interrupted, SERVER_STOPPED.to_owned())
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
                    tokio::time::sleep(LOOK).await;
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
            self.supervisor.rest().await;
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
        let text = std::fs::read_to_string(place.supervisor.dir(id).events_file()).unwrap();
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
        let log = place.supervisor.dir(first).events_file();
        while !std::fs::read_to_string(&log).unwrap().contains("finished") {
            tokio::time::sleep(LOOK).await;
        }
        // Some tries fail.
        tokio::time::sleep(2 * AGAIN).await;
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
