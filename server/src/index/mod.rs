//! The index: what the run directories tell, in SQLite, where it can be searched, and the home
//! of names, tags and notes. Everything about training in it can be rebuilt from the directories.
//!
//! * [`schema`]: opens the file, checks it, sets a damaged one aside.
//! * [`runs`]: one row a run: status, settings, summary.
//! * [`events`]: the lines of every `events.ndjson`, as they are.
//! * [`mod@line`]: a line understood; [`summary`]: lines folded into the figures of a run;
//!   [`metrics`]: lines unfolded into series.
//!
//! What always holds: one thread writes, in transactions, in the order of the calls; a reader sees
//! whole transactions; whoever waits on [`Index::changes`] is woken after the transaction is in
//! the file. A reader that was slow asks again from where it was: nothing is queued for it.

pub mod events;
pub mod line;
pub mod metrics;
pub mod runs;
pub mod schema;
pub mod summary;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction};
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::{Error, Result};

/// Connections kept open for readers; more are opened for a rush and closed after it.
const IDLE_READERS: usize = 8;

/// A handle on the index; clones share it.
#[derive(Clone)]
pub struct Index {
    jobs: mpsc::UnboundedSender<Job>,
    changes: watch::Receiver<i64>,
    readers: Arc<Readers>,
}

/// What the writer thread does, one after the other.
type Job = Box<dyn FnOnce(&mut Connection, &watch::Sender<i64>) + Send>;

struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

/// A transaction that keeps count of changed runs.
pub struct Writing<'a> {
    tx: Transaction<'a>,
    change: i64,
}

impl Writing<'_> {
    /// The number under which this transaction's changes are found by those who follow.
    pub fn change(&self) -> i64 {
        self.change
    }
}

impl std::ops::Deref for Writing<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.tx
    }
}

impl Index {
    /// Opens the index at `path` and starts its writer thread.
    pub fn open(path: &Path) -> Result<Self> {
        let mut connection = schema::open(path)?;
        let last_change = runs::last_change(&connection)?;
        let (publish, changes) = watch::channel(last_change);
        let (jobs, mut queue) = mpsc::unbounded_channel::<Job>();
        std::thread::Builder::new()
            .name("index".to_owned())
            .spawn(move || {
                while let Some(job) = queue.blocking_recv() {
                    job(&mut connection, &publish);
                }
            })
            .map_err(|e| Error::file(path, e))?;
        let readers = Readers {
            path: path.to_owned(),
            idle: Mutex::default(),
        };
        Ok(Self {
            jobs,
            changes,
            readers: Arc::new(readers),
        })
    }

    /// Runs `work` in a transaction on the writer thread, commits, then wakes those who follow.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Writing<'_>) -> Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection, publish| {
            let change = *publish.borrow() + 1;
            let result = transact(connection, change, work);
            if result.is_ok() {
                publish.send_replace(change);
            }
            let _ = answer.send(result);
        });
        self.jobs.send(job).map_err(|_| Error::Gone("the index"))?;
        answered.await.map_err(|_| Error::Gone("the index"))?
    }

    /// Runs `work` on a connection of its own, off the async threads.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let readers = Arc::clone(&self.readers);
        tokio::task::spawn_blocking(move || {
            let connection = readers.take()?;
            let result = work(&connection);
            readers.put_back(connection);
            result
        })
        .await
        .map_err(|_| Error::Gone("a reader of the index"))?
    }

    /// The number of the last change, to wait on. Mark it seen before reading, so that what
    /// changes in between wakes the next wait.
    pub fn changes(&self) -> watch::Receiver<i64> {
        self.changes.clone()
    }
}

fn transact<T>(
    connection: &mut Connection,
    change: i64,
    work: impl FnOnce(&Writing<'_>) -> Result<T>,
) -> Result<T> {
    let writing = Writing {
        tx: connection.transaction()?,
        change,
    };
    let value = work(&writing)?;
    writing.tx.commit()?;
    Ok(value)
}

impl Readers {
    fn take(&self) -> Result<Connection> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        match idle {
            Some(connection) => Ok(connection),
            None => schema::open_to_read(&self.path),
        }
    }

    fn put_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS {
            idle.push(connection);
        }
    }
}
