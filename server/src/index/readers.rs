//! The threads that read the index, each with a connection of its own.
//!
//! A change wakes every stream at once. A fixed number of threads serves them in turn; a thread and a connection per
//! stream would cost megabytes each.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction};
use tokio::sync::oneshot;

use super::{PATIENCE, in_use, is_busy, schema};
use crate::error::{Error, Result};
use crate::panics::catch_sync;

/// The number of readers. More than there are cores, so that a long curve does not delay short answers.
const READERS: usize = 8;

/// After this many steps of SQLite's virtual machine the reader checks whether the caller still waits.
const STEPS_BETWEEN_LOOKS: i32 = 2000;

/// A unit of work of a reader.
type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Tells a reader, when dropped, that the caller no longer waits.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A handle to the readers, which end with the last clone.
#[derive(Clone)]
pub(super) struct Readers {
    jobs: mpsc::Sender<Job>,
}

impl Readers {
    /// Opens the connections to the index at `path` and starts their threads.
    pub(super) fn start(path: &Path) -> Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..READERS {
            let mut connection = schema::open_to_read(path)?;
            let queue = Arc::clone(&queue);
            std::thread::Builder::new()
                .name("index-reader".to_owned())
                .spawn(move || {
                    while let Some(job) = next(&queue) {
                        job(&mut connection);
                    }
                })
                .map_err(|e| Error::file(path, e))?;
        }
        Ok(Self { jobs })
    }

    /// Runs `work` when a reader is free.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let gone = || Error::Gone("a reader of the index");
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting(Arc::default());
        let gone_away = Arc::clone(&waiting.0);
        let job: Job = Box::new(move |connection| {
            // The caller no longer waits: its stream was closed.
            if answer.is_closed() {
                return;
            }
            let look = move || gone_away.load(Ordering::Relaxed);
            if let Err(error) = connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(look)) {
                tracing::debug!(%error, "a reader of the index reads to its end");
            }
            // A panic in one answer must not end the thread.
            let _ = answer.send(catch_sync(|| snapshot(connection, work)));
            let _ = connection.progress_handler(0, None::<fn() -> bool>);
        });
        self.jobs.send(job).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

/// Runs `work` on one state of the index. The first query takes the snapshot, and is the only one that can be blocked
/// by another program.
fn snapshot<T>(connection: &Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    let until = Instant::now() + PATIENCE;
    let take = || -> rusqlite::Result<Transaction<'_>> {
        let transaction = connection.unchecked_transaction()?;
        transaction
            .prepare_cached("SELECT 1 FROM sqlite_schema LIMIT 1")?
            .query_row([], |_| Ok(()))?;
        Ok(transaction)
    };
    // Ends with the reading, also when it panics.
    let _open = loop {
        match take() {
            Err(error) if is_busy(&error) && Instant::now() < until => {
                thread::sleep(Duration::from_millis(5));
            }
            result => break result.map_err(in_use)?,
        }
    };
    work(connection)
}

fn next(queue: &Mutex<mpsc::Receiver<Job>>) -> Option<Job> {
    let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    queue.recv().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reading_that_nobody_waits_for_stops() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite3");
        let _writer = schema::open(&path).unwrap();
        let readers = Readers::start(&path).unwrap();
        let (begun, begins) = oneshot::channel();
        let (ended, ends) = oneshot::channel();
        let endless = readers.run(move |connection| {
            let _ = begun.send(());
            let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
            let result = connection.query_row(sql, [], |row| row.get::<_, i64>(0));
            let _ = ended.send(result.is_err());
            Ok(())
        });
        tokio::select! {
            _ = endless => panic!("it has no end"),
            _ = begins => {}
        }
        assert!(ends.await.unwrap(), "it was broken off");
        assert_eq!(readers.run(|_| Ok(7)).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_fault_in_one_answer_leaves_the_readers_to_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite3");
        let _writer = schema::open(&path).unwrap();
        let readers = Readers::start(&path).unwrap();
        for _ in 0..2 * READERS {
            let faulty = readers.run(|_| -> Result<()> { panic!("a fault") });
            assert!(faulty.await.is_err());
        }
        assert_eq!(readers.run(|_| Ok(7)).await.unwrap(), 7);
    }
}
