//! The threads that read the index, each with a connection of its own.
//!
//! A change wakes every stream at once. A few threads that are always the same ones serve them in
//! turn; a thread and a connection for each stream would cost megabytes apiece.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::schema;
use crate::error::{Error, Result};

/// Readers at a time; whoever comes then waits. More than there are cores, so that somebody's long
/// curve holds up nobody's short answer.
const READERS: usize = 8;

/// What a reader does, one after the other.
type Job = Box<dyn FnOnce(&Connection) + Send>;

/// A handle on the readers; they end with the last clone.
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
            let connection = schema::open_to_read(path)?;
            let queue = Arc::clone(&queue);
            std::thread::Builder::new()
                .name("index-reader".to_owned())
                .spawn(move || {
                    while let Some(job) = next(&queue) {
                        job(&connection);
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
        let job: Job = Box::new(move |connection| {
            // Nobody waits any more: a stream that was closed.
            if answer.is_closed() {
                return;
            }
            // A fault in one answer must not take the thread from all others.
            if let Ok(result) = catch_unwind(AssertUnwindSafe(|| work(connection))) {
                let _ = answer.send(result);
            }
        });
        self.jobs.send(job).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

fn next(queue: &Mutex<mpsc::Receiver<Job>>) -> Option<Job> {
    let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    queue.recv().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

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
