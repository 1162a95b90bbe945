//! The thread that writes the index, one transaction after the other.
//!
//! A transaction takes the write lock when it begins. One that began by reading and wrote later would be refused at
//! once while another program holds the lock: SQLite does not wait in the middle of a transaction, whatever its busy
//! timeout, because what was read may be stale.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::{in_use, is_busy};
use crate::error::{Error, Result};
use crate::labels::{LabelFiles, RunLabels};
use crate::run_dir::RunId;

/// How long SQLite itself waits for the lock before the thread checks whether the caller still waits.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_millis(250);

/// A lock that is held longer than this is logged.
const TELL_AFTER: Duration = Duration::from_secs(1);

/// A unit of work of the thread.
type Job = Box<dyn FnOnce(&Connection, &LabelFiles, &watch::Sender<i64>) + Send>;

/// A transaction that counts changed runs.
pub struct Writing<'a> {
    connection: &'a Connection,
    change: i64,
    labels: &'a LabelFiles,
    /// The labels of runs before this transaction wrote them.
    labels_before: RefCell<Vec<(RunId, Option<RunLabels>)>>,
}

impl Writing<'_> {
    /// The change number of this transaction, by which waiters find its changes.
    pub fn change(&self) -> i64 {
        self.change
    }

    /// The labels of a run in its label file.
    pub(super) fn labels_in_file(&self, id: RunId) -> Option<RunLabels> {
        self.labels.get(id)
    }

    /// Writes the label file of a run, or removes it. This happens before the commit: after a kill between the two, the
    /// next start completes the change. A rollback restores the file.
    pub(super) fn save_labels(&self, id: RunId, labels: Option<&RunLabels>) -> Result<()> {
        let before = self.labels.get(id);
        if before.as_ref() == labels {
            return Ok(());
        }
        self.labels_before.borrow_mut().push((id, before));
        self.put_labels(id, labels)
    }

    fn put_labels(&self, id: RunId, labels: Option<&RunLabels>) -> Result<()> {
        match labels {
            Some(labels) => self.labels.save(id, labels),
            None => self.labels.remove(id),
        }
    }

    fn is_committed(&self) {
        self.labels_before.borrow_mut().clear();
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        for (id, before) in self.labels_before.take().into_iter().rev() {
            if let Err(error) = self.put_labels(id, before.as_ref()) {
                tracing::error!(run = %id, %error, "a change of labels could not be rolled back");
            }
        }
    }
}

impl std::ops::Deref for Writing<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

/// A handle to the thread, which ends with the last clone.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: mpsc::UnboundedSender<Job>,
    changes: watch::Receiver<i64>,
}

impl Writer {
    pub(super) fn start(
        path: &Path,
        connection: Connection,
        labels: LabelFiles,
        last_change: i64,
    ) -> Result<Self> {
        let (publish, changes) = watch::channel(last_change);
        let (jobs, mut queue) = mpsc::unbounded_channel::<Job>();
        thread::Builder::new()
            .name("index".to_owned())
            .spawn(move || {
                while let Some(job) = queue.blocking_recv() {
                    job(&connection, &labels, &publish);
                }
            })
            .map_err(|e| Error::file(path, e))?;
        Ok(Self { jobs, changes })
    }

    pub(super) fn changes(&self) -> watch::Receiver<i64> {
        self.changes.clone()
    }

    /// Runs `work` in a transaction that begins within `patience`; `None` waits without limit.
    pub(super) async fn run<T, F>(&self, patience: Option<Duration>, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Writing<'_>) -> Result<T> + Send + 'static,
    {
        let gone = || Error::Gone("the index");
        let (answer, mut answered) = oneshot::channel();
        let claim = Arc::new(Claim::default());
        let theirs = Arc::clone(&claim);
        let job: Job = Box::new(move |connection, labels, publish| {
            let change = *publish.borrow() + 1;
            // A panic in one change must not end the thread.
            let writing = || Writing {
                connection,
                change,
                labels,
                labels_before: RefCell::default(),
            };
            let done = AssertUnwindSafe(|| transact(writing(), &theirs, work));
            let result = catch_unwind(done).unwrap_or(Err(Error::Gone("a change of the index")));
            if result.is_ok() {
                publish.send_replace(change);
            }
            let _ = answer.send(result);
        });
        self.jobs.send(job).map_err(|_| gone())?;
        if let Some(patience) = patience
            && let Ok(result) = tokio::time::timeout(patience, &mut answered).await
        {
            return result.map_err(|_| gone())?;
        }
        if patience.is_some() && claim.give_up() {
            return Err(Error::IndexInUse);
        }
        answered.await.map_err(|_| gone())?
    }
}

/// Decides a race: between the thread that begins a transaction and the caller that stops waiting.
#[derive(Default)]
struct Claim(AtomicU8);

impl Claim {
    const BEGUN: u8 = 1;
    const GIVEN_UP: u8 = 2;

    fn settle(&self, as_what: u8) -> bool {
        let (order, failed) = (Ordering::AcqRel, Ordering::Acquire);
        self.0.compare_exchange(0, as_what, order, failed).is_ok()
    }

    fn begin(&self) -> bool {
        self.settle(Self::BEGUN)
    }

    fn give_up(&self) -> bool {
        self.settle(Self::GIVEN_UP)
    }

    fn is_given_up(&self) -> bool {
        self.0.load(Ordering::Acquire) == Self::GIVEN_UP
    }
}

/// Rolls back when dropped without a commit.
struct Open<'a>(&'a Connection);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit()
            && let Err(error) = self.0.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a change of the index could not be rolled back");
        }
    }
}

fn transact<T>(
    writing: Writing<'_>,
    claim: &Claim,
    work: impl FnOnce(&Writing<'_>) -> Result<T>,
) -> Result<T> {
    let connection = writing.connection;
    when_free(connection, "BEGIN IMMEDIATE", || claim.is_given_up())?;
    let _open = Open(connection);
    if !claim.begin() {
        return Err(Error::IndexInUse);
    }
    let value = work(&writing)?;
    when_free(connection, "COMMIT", || false)?;
    writing.is_committed();
    Ok(value)
}

/// Runs a statement once no other program holds the lock, unless the caller has stopped waiting.
fn when_free(connection: &Connection, sql: &str, give_up: impl Fn() -> bool) -> Result<()> {
    let since = Instant::now();
    let mut told = false;
    loop {
        match connection.execute_batch(sql) {
            Err(error) if is_busy(&error) && !give_up() => {
                if !told && since.elapsed() >= TELL_AFTER {
                    told = true;
                    tracing::warn!("another program has locked the index: changes wait for it");
                }
                // SQLite does not wait by itself here.
                thread::sleep(Duration::from_millis(5));
            }
            result => {
                if told && result.is_ok() {
                    tracing::info!(waited = ?since.elapsed(), "the index is free again");
                }
                return result.map_err(in_use);
            }
        }
    }
}
