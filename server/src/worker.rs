//! A worker trains the run of one directory, from its beginning or from its last checkpoint,
//! and writes what happens to the directory. It knows no network, no SQL and no server.

use std::error::Error as StdError;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use vivarium_models::train::{self, Control, Event, Observer, Places, Reason};

use crate::data_dir;
use crate::error::{Error, Result};
use crate::run_dir::RunDir;
use crate::run_dir::lock::Lock;
use crate::run_dir::log::EventLog;

/// The exit status of a worker that found its run held by another (`EX_TEMPFAIL`).
pub const HELD_BY_ANOTHER: u8 = 75;

/// Raised by the signals that ask a worker to stop: it finishes the step, writes a checkpoint
/// and ends well.
pub fn stop_on_signals() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|e| Error::file("signals", e))?;
    }
    Ok(stop)
}

/// Keeps the process alive when the terminal it was started from goes away.
pub fn survive_hangup() -> Result<()> {
    let ignored = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGHUP, ignored).map_err(|e| Error::file("signals", e))?;
    Ok(())
}

/// When memory runs out, a worker is the one to go: its run resumes, while the server
/// would take every stream with it. The greater the score, up to 1000, the sooner. Best effort:
/// only Linux knows the file.
pub fn offer_to_the_oom_killer(score: u16) {
    let _ = fs::write("/proc/self/oom_score_adj", score.to_string());
}

/// Trains the run in `dir`, whose lock the caller holds, until it ends or `stop` is raised.
/// `watcher` sees every event as it happens.
///
/// # Errors
/// The reason is also written to the run's log as its last event, where the log can be written.
pub fn train(
    dir: &RunDir,
    _held: &Lock,
    stop: &AtomicBool,
    watcher: &mut dyn FnMut(&Event),
) -> Result<Reason> {
    // Not one line may be added to a log that is not a worker's.
    dir.has_more_than_curves()?;
    // Nor may a line go where a link leads.
    dir.refuse_links()?;
    let log = EventLog::open(&dir.events_file())?;
    let library = data_dir::library_of_run(dir.path());
    let result = dir.spec(&library).and_then(|spec| {
        tracing::info!(run = %dir.path().display(), resumed_after_step = log.logged().step, "training");
        let mut recorder = Recorder { log: &log, stop, watcher };
        Ok(train::train(&spec, &library, places(dir), &mut recorder)?)
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

/// Where the loop finds and puts its files. The pinned image is the only one that is not in the run's directory, in which
/// nobody but the worker writes.
fn places(dir: &RunDir) -> Places {
    Places {
        checkpoints: dir.checkpoints(),
        start: Some(dir.start()),
        film: Some(dir.film()),
        pinned: data_dir::pin_of_run(dir.path()),
    }
}

/// Trains the run at `path`: the whole life of `vivarium worker`.
pub fn run(path: &Path) -> Result<Reason> {
    let stop = stop_on_signals()?;
    survive_hangup()?;
    offer_to_the_oom_killer(500);
    let dir = RunDir::at(path);
    let lock = Lock::take(&dir.lock_file())?;
    train(&dir, &lock, &stop, &mut |event| {
        if let Event::Note { message } = event {
            tracing::warn!("{message}");
        }
    })
}

/// Carries the training loop's events to the log, and the wish to stop to the loop.
struct Recorder<'a> {
    log: &'a EventLog,
    stop: &'a AtomicBool,
    watcher: &'a mut dyn FnMut(&Event),
}

impl Observer for Recorder<'_> {
    fn observe(&mut self, event: &Event) -> Result<Control, Box<dyn StdError + Send + Sync>> {
        self.log.append(event)?;
        (self.watcher)(event);
        let stop = self.stop.load(Ordering::Relaxed);
        Ok(if stop {
            Control::Stop
        } else {
            Control::Continue
        })
    }

    fn sync(&mut self) -> Result<(), Box<dyn StdError + Send + Sync>> {
        Ok(self.log.sync()?)
    }
}
