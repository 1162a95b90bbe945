//! The writer of `events.ndjson`: it numbers events, gathers steps into lines, and never writes a step twice.
//!
//! A resumed run repeats the steps between its last checkpoint and the end of its worker. The log has those steps
//! already, and training is deterministic, so they are not written again: apart from `started` lines, the log of a run
//! that was killed equals that of a run that was not.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use vivarium_models::contract::{Event, Record, Steps};
use vivarium_models::links;

use super::lock::Fence;
use super::scan::{Logged, scan_log};
use crate::error::{Error, Result};

/// Steps wait at most this long before they are written. The contract allows 100 ms; the rest is left for readers.
const GATHER: Duration = Duration::from_millis(40);

/// How often a log that other machines read is synced: a file server's client may keep what is written for long.
const SYNC_INTERVAL: Duration = Duration::from_secs(1);

/// The most steps of a line, so that a line stays cheap to read.
const MAX_STEPS: usize = 512;

/// Appends events to `events.ndjson`. A separate thread writes steps that have waited long enough while training is
/// busy with a long step.
#[derive(Debug)]
pub struct EventLog {
    shared: Arc<Shared>,
    flusher: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    inner: Mutex<Inner>,
    wake: Condvar,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    file: File,
    /// The length of the complete lines in bytes, to which the file is truncated after a failed write.
    len: u64,
    logged: Logged,
    pending: Option<Steps>,
    written_at: Instant,
    failure: Option<Error>,
    /// Proves that the writer still holds the lock of the run.
    fence: Option<Fence>,
    /// Where other machines read the log: when it was last synced to the file server.
    shared: Option<Instant>,
    closed: bool,
}

impl EventLog {
    /// Opens the log for appending and removes an incomplete last line.
    ///
    /// # Errors
    /// [`Error::EventLog`], with the line's number, when a line is not the next event.
    pub fn open(path: &Path) -> Result<Self> {
        let options = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .clone();
        let file = links::refuse(path)
            .and_then(|()| options.open(path))
            .map_err(|e| Error::file(path, e))?;
        let (logged, len) = scan_log(path, &file)?;
        file.set_len(len).map_err(|e| Error::file(path, e))?;
        let shared = Arc::new(Shared {
            inner: Mutex::new(Inner {
                path: path.to_owned(),
                file,
                len,
                logged,
                pending: None,
                written_at: Instant::now() - GATHER,
                failure: None,
                fence: None,
                shared: None,
                closed: false,
            }),
            wake: Condvar::new(),
        });
        let flusher = thread::Builder::new()
            .name("event-log".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || flush_in_time(&shared)
            })
            .map_err(|e| Error::file(path, e))?;
        Ok(Self {
            shared,
            flusher: Some(flusher),
        })
    }

    /// The log of a worker that holds a lock: nothing is written when another worker has taken it. If the directory is
    /// `shared`, the log is synced every second, so that other machines see it.
    pub fn with_fence(self, fence: Fence, shared: bool) -> Self {
        {
            let mut inner = self.shared.lock();
            inner.fence = Some(fence);
            inner.shared = shared.then(Instant::now);
        }
        self
    }

    /// The state of the log so far.
    pub fn logged(&self) -> Logged {
        self.shared.lock().logged.clone()
    }

    /// Appends an event, unless the log has it already.
    pub fn append(&self, event: &Event) -> Result<()> {
        let mut inner = self.shared.lock();
        inner.check()?;
        match event {
            Event::Steps(steps) => {
                inner.gather(steps)?;
                if inner.pending.is_some() {
                    self.shared.wake.notify_one();
                }
                Ok(())
            }
            other => inner.append(other),
        }
    }

    /// Writes gathered steps and syncs the log to the disk.
    pub fn sync(&self) -> Result<()> {
        let mut inner = self.shared.lock();
        inner.check()?;
        inner.flush()?;
        // A checkpoint follows, which must not be another worker's.
        inner.check_fence()?;
        inner.sync()
    }
}

impl Drop for EventLog {
    fn drop(&mut self) {
        {
            let mut inner = self.shared.lock();
            inner.closed = true;
            if let Err(error) = inner.flush() {
                tracing::error!(%error, "the last steps could not be written");
            }
        }
        self.shared.wake.notify_one();
        if let Some(flusher) = self.flusher.take() {
            let _ = flusher.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs the flusher thread: it sleeps until steps are gathered, then until they have waited long enough.
fn flush_in_time(shared: &Shared) {
    let mut inner = shared.lock();
    while !inner.closed {
        let age = inner.written_at.elapsed();
        if inner.pending.is_none() || inner.failure.is_some() {
            inner = shared
                .wake
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        } else if age < GATHER {
            inner = shared
                .wake
                .wait_timeout(inner, GATHER - age)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        } else if let Err(error) = inner.flush() {
            inner.failure = Some(error);
        }
    }
}

impl Inner {
    /// Returns an error that the flusher thread encountered.
    fn check(&mut self) -> Result<()> {
        self.failure.take().map_or(Ok(()), Err)
    }

    fn check_fence(&self) -> Result<()> {
        self.fence.as_ref().map_or(Ok(()), Fence::check)
    }

    fn sync(&mut self) -> Result<()> {
        self.shared = self.shared.map(|_| Instant::now());
        self.file
            .sync_data()
            .map_err(|e| Error::file(&self.path, e))
    }

    /// Adds those steps to the waiting ones that the log does not have yet.
    fn gather(&mut self, steps: &Steps) -> Result<()> {
        if steps.last_step() <= self.logged.step {
            return Ok(());
        }
        if self.pending.as_ref().is_some_and(|p| !fits(p, steps)) {
            self.flush()?;
        }
        self.logged.step = steps.last_step();
        match &mut self.pending {
            Some(pending) => extend(pending, steps),
            None => self.pending = Some(steps.clone()),
        }
        if self.written_at.elapsed() >= GATHER {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn append(&mut self, event: &Event) -> Result<()> {
        self.flush()?;
        let told = match event {
            Event::Epoch(end) => end.epoch <= self.logged.epoch,
            Event::Boundary(b) => self.logged.boundary.is_some_and(|epoch| b.epoch <= epoch),
            Event::Test(_) => self.logged.test,
            _ => false,
        };
        if told {
            return Ok(());
        }
        self.write(event.clone())?;
        match event {
            Event::Epoch(end) => self.logged.epoch = end.epoch,
            Event::Boundary(b) => self.logged.boundary = Some(b.epoch),
            Event::Test(_) => self.logged.test = true,
            _ => {}
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        match self.pending.take() {
            Some(steps) => self.write(Event::Steps(steps)),
            None => Ok(()),
        }
    }

    fn write(&mut self, event: Event) -> Result<()> {
        self.check_fence()?;
        let record = Record {
            seq: self.logged.seq + 1,
            time: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            event,
        };
        let mut text = record
            .to_line()
            .map_err(|error| Error::file(&self.path, error.into()))?;
        text.push('\n');
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            // An incomplete line must not precede the next one, so the file is truncated to its last complete line.
            let _ = self.file.set_len(self.len);
            return Err(Error::file(&self.path, error));
        }
        self.len += text.len() as u64;
        self.logged.seq += 1;
        self.written_at = Instant::now();
        match self.shared {
            Some(synced) if synced.elapsed() >= SYNC_INTERVAL => self.sync(),
            _ => Ok(()),
        }
    }
}

/// Whether steps fit into the line of the steps before them: a line has one epoch and one kind of value that is not
/// finite.
fn fits(before: &Steps, next: &Steps) -> bool {
    let words = (before.not_finite, next.not_finite);
    before.epoch == next.epoch
        && before.last_step() + 1 == next.first_step
        && before.loss.len() + next.loss.len() <= MAX_STEPS
        && (words.0 == words.1 || words.0.is_none() || words.1.is_none())
}

fn extend(before: &mut Steps, next: &Steps) {
    before.loss.extend(&next.loss);
    before.accuracy.extend(&next.accuracy);
    before.lr.extend(&next.lr);
    before.samples_seen = next.samples_seen;
    before.seconds = next.seconds;
    before.images_per_s = next.images_per_s;
    before.not_finite = before.not_finite.or(next.not_finite);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use vivarium_models::contract::NotFinite;

    fn step(number: u64, epoch: u64, loss: f64) -> Event {
        Event::Steps(Steps {
            first_step: number,
            epoch,
            samples_seen: number * 4,
            seconds: number as f64 * 0.001,
            loss: vec![loss],
            accuracy: vec![0.5],
            lr: vec![0.01],
            images_per_s: Some(4000.0),
            not_finite: NotFinite::of(loss),
        })
    }

    fn lines(path: &Path) -> Vec<Value> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn steps_told(lines: &[Value]) -> Vec<u64> {
        let mut told = Vec::new();
        for line in lines.iter().filter(|line| line["kind"] == "steps") {
            let first = line["first_step"].as_u64().unwrap();
            told.extend((0..line["loss"].as_array().unwrap().len() as u64).map(|i| first + i));
        }
        told
    }

    #[test]
    fn every_step_is_written_once_and_lines_do_not_cross_epochs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        let log = EventLog::open(&path).unwrap();
        for n in 1..=2000 {
            log.append(&step(n, (n - 1) / 700 + 1, 1.0 / n as f64))
                .unwrap();
        }
        drop(log);
        let lines = lines(&path);
        assert_eq!(steps_told(&lines), (1..=2000).collect::<Vec<_>>());
        for (i, line) in lines.iter().enumerate() {
            assert_eq!(line["seq"], i as u64 + 1);
            let first = line["first_step"].as_u64().unwrap();
            assert_eq!(line["epoch"], (first - 1) / 700 + 1);
        }
    }

    #[test]
    fn a_lone_step_is_written_without_a_further_event() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        let log = EventLog::open(&path).unwrap();
        log.append(&step(1, 1, 0.5)).unwrap();
        log.append(&step(2, 1, 0.4)).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while steps_told(&lines(&path)).len() < 2 {
            assert!(
                Instant::now() < deadline,
                "the second step was never written"
            );
            thread::yield_now();
        }
        drop(log);
    }

    #[test]
    fn losses_that_are_not_finite_are_null_with_their_kind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        let log = EventLog::open(&path).unwrap();
        let losses = [
            0.5,
            f64::INFINITY,
            f64::NAN,
            f64::NAN,
            f64::NEG_INFINITY,
            0.25,
            f64::INFINITY,
        ];
        for (n, loss) in (1..).zip(losses) {
            log.append(&step(n, 1, loss)).unwrap();
        }
        drop(log);
        let told: Vec<_> = lines(&path)
            .iter()
            .flat_map(|line| {
                let kind = line.get("not_finite").cloned().unwrap_or_default();
                line["loss"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(move |v| (v.is_null(), kind.clone()))
                    .collect::<Vec<_>>()
            })
            .filter(|(null, _)| *null)
            .map(|(_, kind)| kind)
            .collect();
        assert_eq!(told, ["inf", "nan", "nan", "-inf", "inf"]);
    }

    #[test]
    fn a_reopened_log_cuts_the_torn_line_and_tells_nothing_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        let log = EventLog::open(&path).unwrap();
        for n in 1..=10 {
            log.append(&step(n, 1, 0.1)).unwrap();
        }
        drop(log);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], b"{\"kind\":\"steps\",\"se"].concat()).unwrap();
        let log = EventLog::open(&path).unwrap();
        assert_eq!(log.logged().step, 10);
        for n in 6..=12 {
            log.append(&step(n, 1, 0.1)).unwrap();
        }
        drop(log);
        assert_eq!(steps_told(&lines(&path)), (1..=12).collect::<Vec<_>>());
    }

    #[test]
    fn a_log_with_a_hole_is_refused_by_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        std::fs::write(
            &path,
            "{\"kind\":\"note\",\"seq\":1}\n{\"kind\":\"note\",\"seq\":3}\n",
        )
        .unwrap();
        assert!(matches!(
            EventLog::open(&path),
            Err(Error::EventLog { line: 2, .. })
        ));
    }
}
