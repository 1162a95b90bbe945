//! A worker trains the run of one directory, from its beginning or from its last checkpoint, and writes the results to
//! the directory. It uses no network, no SQL and no server.

use std::error::Error as StdError;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use vivarium_models::contract::{Event, Reason};
use vivarium_models::spec::RunSpec;
use vivarium_models::train::{self, Control, Observer, Record, RunPaths};

use crate::data_dir;
use crate::error::{Error, Result};
use crate::job::ASKS_FOR_ANOTHER_JOB;
use crate::panics;
use crate::run_dir::RunDir;
use crate::run_dir::lock::Lock;
use crate::run_dir::log::EventLog;
use crate::run_dir::scan::Logged;
use crate::run_dir::start::StartRecord;

/// The exit status of a worker whose run is held by another worker (`EX_TEMPFAIL`).
pub const HELD_BY_ANOTHER: u8 = 75;

/// The message of the last event of a worker that was asked to leave its job.
const LEFT_ITS_JOB: &str = "The job ended before the run; it goes on in another one.";

/// The requests to stop that reached this process as signals.
#[derive(Debug)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    leaves_job: Arc<AtomicBool>,
    message: &'static str,
}

impl Stop {
    /// Listens to the signals: the worker finishes the step, writes a checkpoint and exits. Closing the terminal stops
    /// it, too, unless the hangup signal is ignored. `message` is that of the run's last event then.
    pub fn on_signals(message: &'static str) -> Result<Self> {
        let this = Self {
            asked: Arc::default(),
            leaves_job: Arc::default(),
            message,
        };
        let hangup = (!hangup_is_ignored()).then_some(SIGHUP);
        let stops = [SIGTERM, SIGINT].into_iter().chain(hangup);
        let asked = stops.map(|signal| (signal, &this.asked));
        // A job's time is over soon.
        let leaves = [(SIGUSR1, &this.leaves_job), (SIGUSR1, &this.asked)];
        for (signal, flag) in leaves.into_iter().chain(asked) {
            signal_hook::flag::register(signal, Arc::clone(flag))
                .map_err(|e| Error::system("cannot listen to signals", e))?;
        }
        Ok(this)
    }

    /// Stops before the first step, with this message.
    pub fn at_once(message: &'static str) -> Self {
        Self {
            asked: Arc::new(AtomicBool::new(true)),
            leaves_job: Arc::default(),
            message,
        }
    }

    fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Whether the worker was asked to leave its job to another one.
    fn leaves_job(&self) -> bool {
        self.leaves_job.load(Ordering::Relaxed)
    }

    fn message(&self) -> &'static str {
        match self.leaves_job() {
            true => LEFT_ITS_JOB,
            false => self.message,
        }
    }
}

/// Whether this process was started to survive its terminal, as by `nohup`: listening to the signal would undo that.
/// Only Linux tells.
pub fn hangup_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 << (SIGHUP - 1) != 0)
}

/// Makes the kernel kill a worker first when memory runs out: its run resumes, while the server would take every stream
/// with it. The greater the score, up to 1000, the sooner. Best effort: only Linux has the file.
pub fn set_oom_score(score: u16) {
    let _ = fs::write("/proc/self/oom_score_adj", score.to_string());
}

/// Trains the run in `dir`, whose lock is `held`, until it ends or is asked to `stop`. If the directory is `shared`,
/// other machines read it while it trains. `watcher` sees every event as it happens.
///
/// # Errors
/// The reason is also written to the run's log as its last event, if the log can be written.
pub fn train(
    dir: &RunDir,
    held: &Lock,
    shared: bool,
    stop: &Stop,
    watcher: &mut dyn FnMut(&Event),
) -> Result<Reason> {
    // No line may be added to a log that is not a worker's.
    dir.has_more_than_curves()?;
    // No line may go where a link leads.
    dir.refuse_links()?;
    let log = EventLog::open(&dir.events_file())?.with_fence(held.fence(), shared);
    let library = data_dir::library_of_run(dir.path());
    // Whatever ends the training becomes the log's last event, even a panic.
    let result = panics::catch_sync(|| {
        let spec = dir.spec(&library)?;
        tracing::info!(run = %dir.path().display(), resumed_after_step = log.logged().step, "training");
        let mut recorder = Recorder {
            log: &log,
            stop,
            watcher,
        };
        Ok(train::train(
            &spec,
            &library,
            run_paths(dir, &spec, log.logged())?,
            &mut recorder,
        )?)
    });
    if let Err(error) = &result {
        let message = error.to_string();
        let failed = Event::Finished {
            reason: Reason::Failed,
            message,
        };
        watcher(&failed);
        if let Err(second) = log.append(&failed).and_then(|()| log.sync()) {
            tracing::error!(error = %second, "the failure could not be written to the log");
        }
    }
    result
}

/// The paths that the training loop reads and writes. Only the pinned image is outside the run's directory, where
/// nobody but the worker writes.
fn run_paths(dir: &RunDir, spec: &RunSpec, logged: Logged) -> Result<RunPaths> {
    let began = logged.began.unwrap_or_default();
    let start = match spec.network.weights()? {
        // A run with a checkpoint needs them no more, and one of `vivarium import` has its own.
        Some(file) if logged.step == 0 && !dir.start().exists() => {
            let path = data_dir::weights_of_run(dir.path(), &file);
            let path = path.filter(|path| path.is_file()).ok_or_else(|| {
                Error::Conflict(format!(
                    "The network's weights, {file}, are not in the data folder."
                ))
            })?;
            Some(path)
        }
        _ => Some(dir.start()),
    };
    let transfer = spec.training.transfer.as_ref();
    if transfer.is_some() && logged.step == 0 && !start.as_ref().is_some_and(|path| path.is_file())
    {
        let message = "The weights that the run starts from, checkpoints/start.safetensors, are not in its directory.";
        return Err(Error::Conflict(message.to_owned()));
    }
    let record = StartRecord::read(dir)?;
    Ok(RunPaths {
        fresh_head: record.as_ref().map_or(
            transfer.is_some_and(|transfer| transfer.fresh_head),
            |record| record.fresh_head,
        ),
        start_note: record.map(|record| record.in_words()),
        record: Some(Record {
            threads: began.threads,
            instructions: began.instructions,
            data_hash: began.data_hash,
            step: logged.step,
            epoch: logged.epoch,
        }),
        graph: Some(dir.graph_file()),
        checkpoints: dir.checkpoints(),
        start,
        film: Some(dir.film()),
        pinned: data_dir::pin_of_run(dir.path()),
    })
}

/// Trains the run at `path`: all of `vivarium worker`. Returns the exit status.
pub fn run(path: &Path, shared: bool) -> Result<u8> {
    // A server knows why it stopped a worker.
    let stop = Stop::on_signals("")?;
    set_oom_score(500);
    let dir = RunDir::at(path);
    let lock = Lock::inherit_or_take(&dir.lock_file())?;
    let reason = train(&dir, &lock, shared, &stop, &mut |event| {
        if let Event::Note { message } = event {
            tracing::warn!("{message}");
        }
    })?;
    tracing::info!(?reason, "the worker is done");
    Ok(match reason {
        Reason::Stopped if stop.leaves_job() => ASKS_FOR_ANOTHER_JOB,
        _ => 0,
    })
}

/// Carries the training loop's events to the log, and requests to stop to the loop.
struct Recorder<'a> {
    log: &'a EventLog,
    stop: &'a Stop,
    watcher: &'a mut dyn FnMut(&Event),
}

impl Observer for Recorder<'_> {
    fn observe(&mut self, event: &Event) -> Result<Control, Box<dyn StdError + Send + Sync>> {
        let stopped = Event::Finished {
            reason: Reason::Stopped,
            message: self.stop.message().to_owned(),
        };
        let event = match event {
            Event::Finished {
                reason: Reason::Stopped,
                ..
            } => &stopped,
            other => other,
        };
        self.log.append(event)?;
        (self.watcher)(event);
        Ok(if self.stop.is_asked() {
            Control::Stop
        } else {
            Control::Continue
        })
    }

    fn sync(&mut self) -> Result<(), Box<dyn StdError + Send + Sync>> {
        Ok(self.log.sync()?)
    }
}
