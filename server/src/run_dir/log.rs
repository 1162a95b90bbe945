//! The writer of `events.ndjson`: numbers events, gathers steps into lines, never writes twice.
//!
//! A resumed run trains again what lies between its checkpoint and its death. Those steps are in
//! the log already, and training is deterministic, so they are not written a second time: the log
//! of a run that was killed reads like the log of a run that was not, but for its `started` lines.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Map, Value, json};
use vivarium_models::links;
use vivarium_models::train::{Event, Step};

use super::not_finite;
use super::scan::{Logged, scan_log};
use crate::error::{Error, Result};

/// Steps wait at most this long before they are written. The contract allows 100 ms;
/// half of it leaves time for those who read.
const GATHER: Duration = Duration::from_millis(40);

/// A line holds at most this many steps, so that one line never is a burden to its readers.
const MAX_STEPS: usize = 512;

/// Appends events to `events.ndjson`. A thread of its own writes out the steps that have waited
/// long enough while the training is busy with a long step.
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
    /// Bytes of whole lines: what a failed write is cut back to.
    len: u64,
    logged: Logged,
    pending: Option<Steps>,
    written_at: Instant,
    failure: Option<io::Error>,
    closed: bool,
}

/// Says what the `null`s of an event stand for: of an epoch's two losses each its own, and for the whole line the first.
fn name_losses(event: &Event, fields: &mut Map<String, Value>) {
    let losses = match event {
        Event::Epoch(end) => {
            let validation = end.validation.as_ref().map(|score| score.loss);
            [("train", Some(end.train.loss)), ("validation", validation)]
        }
        Event::Test(test) => [("test", Some(test.loss)), ("", None)],
        _ => return,
    };
    for (part, loss) in losses {
        let Some(word) = loss.and_then(not_finite::word) else {
            continue;
        };
        if let Some(Value::Object(score)) = fields.get_mut(part) {
            score.insert("not_finite".to_owned(), json!(word));
        }
        fields.entry("not_finite").or_insert_with(|| json!(word));
    }
}

/// Steps of one epoch that go into one line.
#[derive(Debug)]
struct Steps {
    first: u64,
    not_finite: Option<&'static str>,
    loss: Vec<f64>,
    accuracy: Vec<f64>,
    lr: Vec<f64>,
    last: Step,
}

impl EventLog {
    /// Opens the log to append; cuts off a torn last line.
    ///
    /// # Errors
    /// [`Error::EventLog`] names the line when the file holds something else than events in order.
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

    /// What the log tells so far.
    pub fn logged(&self) -> Logged {
        self.shared.lock().logged.clone()
    }

    /// Writes one event, unless the log tells it already.
    pub fn append(&self, event: &Event) -> Result<()> {
        let mut inner = self.shared.lock();
        inner.check()?;
        match event {
            Event::Step(step) => {
                inner.gather(step)?;
                if inner.pending.is_some() {
                    self.shared.wake.notify_one();
                }
                Ok(())
            }
            other => inner.append(other),
        }
    }

    /// Writes what is gathered and makes the whole log survive a power cut.
    pub fn sync(&self) -> Result<()> {
        let mut inner = self.shared.lock();
        inner.check()?;
        inner.flush()?;
        inner
            .file
            .sync_data()
            .map_err(|e| Error::file(&inner.path, e))
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

/// The flusher's life: sleep until something is gathered, then until it has waited long enough.
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
        } else if let Err(Error::File { source, .. }) = inner.flush() {
            inner.failure = Some(source);
        }
    }
}

impl Inner {
    /// Reports a failure that the flusher met.
    fn check(&mut self) -> Result<()> {
        match self.failure.take() {
            Some(source) => Err(Error::file(&self.path, source)),
            None => Ok(()),
        }
    }

    fn gather(&mut self, step: &Step) -> Result<()> {
        if step.step <= self.logged.step {
            return Ok(());
        }
        let not_finite = not_finite::word(step.loss);
        let fits = self.pending.as_ref().is_some_and(|p| {
            p.last.epoch == step.epoch
                && p.loss.len() < MAX_STEPS
                && (p.not_finite == not_finite || p.not_finite.is_none() || not_finite.is_none())
        });
        if !fits {
            self.flush()?;
        }
        let steps = self
            .pending
            .get_or_insert_with(|| Steps::starting_with(step));
        steps.not_finite = steps.not_finite.or(not_finite);
        steps.loss.push(step.loss);
        steps.accuracy.push(step.accuracy);
        steps.lr.push(step.lr);
        steps.last = step.clone();
        self.logged.step = step.step;
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
            Event::Step(_)
            | Event::Started(_)
            | Event::Checkpoint { .. }
            | Event::Note { .. }
            | Event::Finished { .. } => false,
        };
        if told {
            return Ok(());
        }
        let mut fields = match serde_json::to_value(event) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => Map::new(),
            Err(error) => return Err(Error::file(&self.path, error.into())),
        };
        name_losses(event, &mut fields);
        self.write(fields)?;
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
            Some(steps) => self.write(steps.into_fields()),
            None => Ok(()),
        }
    }

    fn write(&mut self, mut fields: Map<String, Value>) -> Result<()> {
        let mut line = Map::new();
        line.insert(
            "kind".to_owned(),
            fields.shift_remove("kind").unwrap_or_default(),
        );
        line.insert("seq".to_owned(), json!(self.logged.seq + 1));
        let now = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
        line.insert("time".to_owned(), json!(now));
        line.extend(fields);
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            // Half a line must not stand before the next one: back to the last whole line.
            let _ = self.file.set_len(self.len);
            return Err(Error::file(&self.path, error));
        }
        self.len += text.len() as u64;
        self.logged.seq += 1;
        self.written_at = Instant::now();
        Ok(())
    }
}

impl Steps {
    fn starting_with(step: &Step) -> Self {
        Self {
            first: step.step,
            not_finite: None,
            loss: Vec::new(),
            accuracy: Vec::new(),
            lr: Vec::new(),
            last: step.clone(),
        }
    }

    fn into_fields(self) -> Map<String, Value> {
        let mut fields = Map::new();
        let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        set("kind", json!("steps"));
        set("first_step", json!(self.first));
        set("epoch", json!(self.last.epoch));
        set("samples_seen", json!(self.last.samples_seen));
        set("seconds", json!(self.last.seconds));
        set("loss", json!(self.loss));
        set("accuracy", json!(self.accuracy));
        set("lr", json!(self.lr));
        set("images_per_s", json!(self.last.images_per_s));
        if let Some(kind) = self.not_finite {
            set("not_finite", json!(kind));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vivarium_models::train::{EpochEnd, Score};

    fn step(number: u64, epoch: u64, loss: f64) -> Event {
        Event::Step(Step {
            step: number,
            epoch,
            samples_seen: number * 4,
            loss,
            accuracy: 0.5,
            lr: 0.01,
            seconds: number as f64 * 0.001,
            images_per_s: 4000.0,
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
    fn each_loss_of_an_epoch_and_of_the_test_has_its_own_word() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        let log = EventLog::open(&path).unwrap();
        let score = |loss| Score {
            loss,
            accuracy: 0.5,
        };
        let ends = [
            (f64::NEG_INFINITY, Some(f64::NAN)),
            (0.5, Some(f64::NEG_INFINITY)),
            (f64::INFINITY, None),
            (0.5, Some(0.25)),
        ];
        for (epoch, (train, validation)) in (1..).zip(ends) {
            let end = EpochEnd {
                epoch,
                step: epoch,
                samples_seen: epoch,
                train: score(train),
                validation: validation.map(score),
                seconds: 1.0,
                elapsed: 1.0,
                peak_memory_bytes: None,
            };
            log.append(&Event::Epoch(end)).unwrap();
        }
        drop(log);
        let told: Vec<_> = lines(&path)
            .iter()
            .map(|line| {
                [
                    line["not_finite"].clone(),
                    line["train"]["not_finite"].clone(),
                    line["validation"]["not_finite"].clone(),
                ]
            })
            .collect();
        let null = Value::Null;
        assert_eq!(
            told,
            [
                [json!("-inf"), json!("-inf"), json!("nan")],
                [json!("-inf"), null.clone(), json!("-inf")],
                [json!("inf"), json!("inf"), null.clone()],
                [null.clone(), null.clone(), null],
            ]
        );
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
