//! Tests of the task of a run, with workers that are threads.

use std::fs::File;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use vivarium_models::form;
use vivarium_models::spec;

use super::Supervisor;
use super::run_task::{Command, RETRY_INTERVAL};
use crate::data_dir::DataDir;
use crate::error::Result;
use crate::index::runs::{self, Status};
use crate::index::{Index, Writing};
use crate::job::{Job, JobState};
use crate::launch::{Exit, LOG_INTERVAL, Launcher, State, Worker};
use crate::run_dir::{RunDir, RunId};

/// Launches workers that write events without a pause until they are told to stop.
struct Chatterers;

struct Chatterer {
    stop: Arc<AtomicBool>,
    ended: oneshot::Receiver<()>,
}

impl Launcher for Chatterers {
    fn launch<'a>(&'a self, dir: &'a RunDir) -> BoxFuture<'a, Result<Box<dyn Worker>>> {
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
        ready(Ok(Box::new(Chatterer { stop, ended }) as _)).boxed()
    }

    fn adopt<'a>(&'a self, _: &'a RunDir) -> BoxFuture<'a, Result<Option<Box<dyn Worker>>>> {
        ready(Ok(None)).boxed()
    }

    fn is_scheduler(&self) -> bool {
        false
    }

    fn log_intervals(&self) -> (Duration, Duration) {
        (LOG_INTERVAL, LOG_INTERVAL)
    }
}

impl Worker for Chatterer {
    fn state(&mut self) -> BoxFuture<'_, State> {
        (&mut self.ended)
            .map(|_| State::Ended(Exit::Code(0)))
            .boxed()
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
            let (id, ..) = RunDir::create_locked(&data.runs(), &spec(&data), None).unwrap();
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
                tokio::time::sleep(LOG_INTERVAL).await;
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
    form::check(&spec, &data.library()).unwrap()
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
async fn what_a_full_disk_does_not_take_is_indexed_when_there_is_room_and_the_next_run_starts() {
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
        tokio::time::sleep(LOG_INTERVAL).await;
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
    fn launch<'a>(&'a self, dir: &'a RunDir) -> BoxFuture<'a, Result<Box<dyn Worker>>> {
        if !self.0.swap(true, Ordering::Relaxed) {
            return ready(Ok(Box::new(Fault) as _)).boxed();
        }
        let event = json!({"seq": 1, "kind": "finished", "reason": "completed"});
        std::fs::write(dir.events_file(), format!("{event}\n")).unwrap();
        ready(Ok(Box::new(Done) as _)).boxed()
    }

    fn adopt<'a>(&'a self, _: &'a RunDir) -> BoxFuture<'a, Result<Option<Box<dyn Worker>>>> {
        ready(Ok(None)).boxed()
    }

    fn is_scheduler(&self) -> bool {
        false
    }

    fn log_intervals(&self) -> (Duration, Duration) {
        (LOG_INTERVAL, LOG_INTERVAL)
    }
}

impl Worker for Fault {
    fn state(&mut self) -> BoxFuture<'_, State> {
        async { panic!("a fault in a task") }.boxed()
    }

    fn stop(&self) {}

    fn kill(&self) {}
}

impl Worker for Done {
    fn state(&mut self) -> BoxFuture<'_, State> {
        async { State::Ended(Exit::Code(0)) }.boxed()
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
struct Survivors {
    has_faulted: AtomicBool,
    /// What the last event of a worker says.
    message: &'static str,
    /// Whether someone else cancelled its job.
    is_cancelled: bool,
}

struct Survivor {
    dir: RunDir,
    message: &'static str,
    exit: Exit,
}

struct Quiet;

impl Launcher for Survivors {
    fn launch<'a>(&'a self, _: &'a RunDir) -> BoxFuture<'a, Result<Box<dyn Worker>>> {
        ready(Ok(Box::new(Quiet) as _)).boxed()
    }

    fn adopt<'a>(&'a self, dir: &'a RunDir) -> BoxFuture<'a, Result<Option<Box<dyn Worker>>>> {
        if self.has_faulted.swap(true, Ordering::Relaxed) {
            panic!("a fault in another run");
        }
        let survivor = Survivor {
            dir: dir.clone(),
            message: self.message,
            exit: match self.is_cancelled {
                true => Exit::Cancelled,
                false => Exit::Unknown,
            },
        };
        ready(Ok(Some(Box::new(survivor) as _))).boxed()
    }

    fn is_scheduler(&self) -> bool {
        false
    }

    fn log_intervals(&self) -> (Duration, Duration) {
        (LOG_INTERVAL, LOG_INTERVAL)
    }
}

impl Worker for Survivor {
    fn state(&mut self) -> BoxFuture<'_, State> {
        async {
            let event = json!({
                "seq": 1, "kind": "finished", "reason": "stopped", "message": self.message
            });
            std::fs::write(self.dir.events_file(), format!("{event}\n")).unwrap();
            State::Ended(self.exit.clone())
        }
        .boxed()
    }

    fn stop(&self) {}

    fn kill(&self) {}
}

impl Worker for Quiet {
    fn state(&mut self) -> BoxFuture<'_, State> {
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

#[tokio::test]
async fn a_worker_that_outlived_its_server_and_stopped_goes_on_unless_someone_meant_it() {
    let goes_on = |run: &runs::Run| run.status == Status::Running && run.reason.is_none();
    let by_user = "It was stopped at the command line.";
    for (message, is_cancelled) in [("", false), (by_user, false), ("", true)] {
        let survivors = Survivors {
            message,
            is_cancelled,
            ..Survivors::default()
        };
        let (place, ids) = Place::new(survivors, &[Status::Running]).await;
        let run = place
            .until(ids[0], |run| {
                run.seq == 1 && (goes_on(run) || run.status == Status::Stopped)
            })
            .await;
        assert_eq!(goes_on(&run), message.is_empty() && !is_cancelled);
        match is_cancelled {
            true => assert_eq!(run.message, Exit::Cancelled.to_string()),
            false => assert_eq!(run.message, message),
        }
        place.shutdown.cancel();
    }
}

/// Launches one worker, whose log is at its end at once, and which tells the states that the test has it tell.
struct Told(Mutex<Option<mpsc::UnboundedReceiver<State>>>);

struct Telling(mpsc::UnboundedReceiver<State>);

impl Launcher for Told {
    fn launch<'a>(&'a self, dir: &'a RunDir) -> BoxFuture<'a, Result<Box<dyn Worker>>> {
        let event = json!({
            "seq": 1, "kind": "finished", "reason": "diverged", "message": "The loss is infinite."
        });
        std::fs::write(dir.events_file(), format!("{event}\n")).unwrap();
        let states = self.0.lock().unwrap().take().unwrap();
        ready(Ok(Box::new(Telling(states)) as _)).boxed()
    }

    fn adopt<'a>(&'a self, _: &'a RunDir) -> BoxFuture<'a, Result<Option<Box<dyn Worker>>>> {
        ready(Ok(None)).boxed()
    }

    fn is_scheduler(&self) -> bool {
        true
    }

    fn log_intervals(&self) -> (Duration, Duration) {
        (LOG_INTERVAL, LOG_INTERVAL)
    }
}

impl Worker for Telling {
    fn state(&mut self) -> BoxFuture<'_, State> {
        self.0.recv().map(Option::unwrap).boxed()
    }

    fn stop(&self) {}

    fn kill(&self) {}
}

#[tokio::test]
async fn the_end_that_a_log_tells_outlasts_what_a_scheduler_tells_late() {
    for state in [JobState::Waiting, JobState::Running] {
        let (teller, states) = mpsc::unbounded_channel();
        let (place, _) = Place::new(Told(Mutex::new(Some(states))), &[]).await;
        let id = place.create().await;
        let job = Job {
            scheduler: "slurm".to_owned(),
            id: Some("7".to_owned()),
            state,
            host: None,
            reason: None,
            text: "Slurm does not answer.".to_owned(),
        };
        place.until(id, |run| run.seq == 1).await;
        let late = match state {
            JobState::Waiting => State::Waiting(job.clone()),
            JobState::Running => State::Running(Some(job.clone())),
        };
        teller.send(late).unwrap();
        place.until(id, |run| run.job.as_ref() == Some(&job)).await;
        teller.send(State::Ended(Exit::Code(0))).unwrap();
        let run = place.until(id, |run| run.job.is_none()).await;
        assert_eq!(run.status, Status::Finished);
        assert_eq!(run.reason.as_deref(), Some("diverged"));
        assert_eq!(run.message, "The loss is infinite.");
        place.end().await;
    }
}
