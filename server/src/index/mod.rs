//! The index: what the run directories tell, in SQLite, where it can be searched, and the home
//! of names, tags and notes. Everything about training in it can be rebuilt from the directories.
//!
//! * [`schema`]: opens the file, checks it, sets a damaged one aside; `readers`: the threads that
//!   read it.
//! * [`runs`]: one row a run: status, settings, summary.
//! * [`events`]: the lines of every `events.ndjson`, as they are.
//! * [`mod@line`]: a line understood; [`summary`]: lines folded into the figures of a run.
//! * [`curves`]: what lines give to curves, as plain numbers; [`metrics`]: what a picture needs of
//!   them, by way of [`thin`](thin::thin) and [`smooth`](smooth::smooth); [`statistics`]: what a
//!   table needs.
//!
//! What always holds: one thread writes, in transactions, in the order of the calls; a reader sees
//! whole transactions; whoever waits on [`Index::changes`] is woken after the transaction is in
//! the file. A reader that was slow asks again from where it was: nothing is queued for it.

pub mod curves;
pub mod events;
pub mod line;
pub mod metrics;
mod readers;
pub mod runs;
pub mod schema;
pub mod smooth;
pub mod statistics;
pub mod summary;
pub mod thin;

use std::path::Path;

use rusqlite::{Connection, Transaction};
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use crate::error::{Error, Result};
use readers::Readers;

/// A handle on the index; clones share it.
#[derive(Clone)]
pub struct Index {
    jobs: mpsc::UnboundedSender<Job>,
    changes: watch::Receiver<i64>,
    readers: Readers,
    id: Uuid,
}

/// What the writer thread does, one after the other.
type Job = Box<dyn FnOnce(&mut Connection, &watch::Sender<i64>) + Send>;

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
        Ok(Self {
            jobs,
            changes,
            readers: Readers::start(path)?,
            id: Uuid::now_v7(),
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

    /// Runs `work` on one of the readers' connections, off the async threads.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.readers.run(work).await
    }

    /// Tells this opening of the index from any other: the numbers of changes compare within one alone.
    pub fn id(&self) -> Uuid {
        self.id
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
