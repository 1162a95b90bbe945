//! The index: what the run directories tell, in SQLite, where it can be searched, and the home
//! of names, tags and notes. Everything about training in it can be rebuilt from the directories; names, tags and
//! notes also lie beside it, in [files](crate::labels).
//!
//! * [`schema`]: opens the file, checks it, sets a damaged one aside; `writer`: the thread that
//!   writes it; `readers`: the threads that read it.
//! * [`runs`]: one row per run: status, settings, summary. [`run_labels`]: its name, tags and notes. [`removal`]: deleted
//!   runs. [`damage`]: rows that cannot be read.
//! * [`events`]: the lines of every `events.ndjson`, as they are.
//! * [`mod@line`]: a line understood; [`summary`]: lines folded into the figures of a run.
//! * [`curves`]: what lines give to curves, as plain numbers, which [`extremes`] stores so that any stretch is
//!   drawn from few rows; [`metrics`]: what a picture needs of them, by way of [`downsample`] and of [`ema`], whose
//!   averages [`moving`] keeps; [`statistics`]: what a table needs.
//!
//! What always holds: one thread writes, in transactions, in the order of the calls; a reader sees
//! one state of the file from its first query to its last; whoever waits on [`Index::changes`] is
//! woken after the transaction is in the file. A reader that was slow asks again from where it was:
//! nothing is queued for it. Another program may hold the file for a while (a backup, a viewer):
//! writers and readers wait for it.

#[cfg(test)]
mod curve_tests;
pub mod curves;
pub mod damage;
pub mod downsample;
pub mod ema;
pub mod events;
pub mod extremes;
pub mod line;
pub mod metrics;
pub mod moving;
mod readers;
pub mod removal;
pub mod run_labels;
pub mod runs;
pub mod schema;
pub mod statistics;
pub mod summary;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

use crate::error::{BadRow, Error, Result};
use crate::labels::LabelFiles;
use damage::{Damage, Unreadable};
use moving::MovingAverages;
use readers::Readers;
use runs::Run;
use writer::Writer;
pub use writer::Writing;

/// How long a request waits for a file that another program holds.
const PATIENCE: Duration = Duration::from_secs(8);

/// Curves that are read at a time, of the readers that there are.
const CURVES_AT_ONCE: usize = 4;

/// A handle on the index; clones share it.
#[derive(Clone)]
pub struct Index {
    writer: Writer,
    readers: Readers,
    damage: Arc<Damage>,
    averages: Arc<MovingAverages>,
    /// Curves that are read at a time: short answers find a reader free.
    curves: Arc<Semaphore>,
    id: Uuid,
}

impl Index {
    /// Opens the index at `path`, makes it agree with the files of labels beside it, in `labels/`, and starts its
    /// threads.
    pub fn open(path: &Path) -> Result<Self> {
        let connection = schema::open(path)?;
        let labels = LabelFiles::in_folder(path.with_file_name("labels"));
        run_labels::reconcile(&connection, &labels)?;
        let last_change = runs::last_change(&connection)?;
        Ok(Self {
            writer: Writer::start(path, connection, labels, last_change)?,
            readers: Readers::start(path)?,
            damage: Arc::default(),
            averages: Arc::default(),
            curves: Arc::new(Semaphore::new(CURVES_AT_ONCE)),
            id: Uuid::now_v7(),
        })
    }

    /// Every run that can be read, newest first.
    pub async fn list(&self) -> Result<Vec<Run>> {
        let (runs, bad) = self.read(runs::list).await?;
        bad.into_iter().for_each(|row| self.damage.met(row));
        Ok(runs)
    }

    /// Runs that are missing in [`list`](Self::list).
    pub fn unreadable(&self) -> Vec<Unreadable> {
        self.damage.unreadable()
    }

    /// Rows that were met and are to be read again from their directories.
    pub fn to_repair(&self) -> Vec<BadRow> {
        self.damage.to_repair()
    }

    /// Notes that a row can be read again.
    pub fn repaired(&self, key: i64) {
        self.damage.repaired(key);
    }

    /// Notes why a row cannot be read again.
    pub fn beyond_repair(&self, key: i64, why: String) {
        self.damage.beyond_repair(key, why);
    }

    /// Runs `work` in a transaction on the writer thread, commits, then wakes those who follow.
    ///
    /// # Errors
    /// [`Error::IndexInUse`] when another program holds the index for too long: nothing is changed then.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Writing<'_>) -> Result<T> + Send + 'static,
    {
        self.writer.run(Some(PATIENCE), work).await
    }

    /// [`write`](Self::write) for work that no client waits for: it waits as long as another program
    /// holds the index.
    pub async fn write_with_retries<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Writing<'_>) -> Result<T> + Send + 'static,
    {
        let result = self.writer.run(None, work).await;
        if let Err(Error::Unreadable(row)) = &result {
            self.damage.met(row.clone());
        }
        result
    }

    /// Runs `work` on one of the readers' connections, off the async threads, in one transaction.
    ///
    /// # Errors
    /// [`Error::IndexInUse`] when another program holds the index for too long.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let result = self.readers.run(work).await;
        if let Err(Error::Unreadable(row)) = &result {
            self.damage.met(row.clone());
        }
        result
    }

    /// [`read`](Self::read) for curves, of which few are read at a time.
    pub async fn read_curves<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &MovingAverages) -> Result<T> + Send + 'static,
    {
        let permit = Arc::clone(&self.curves).acquire_owned().await;
        let permit = permit.map_err(|_| Error::Gone("a reader of the index"))?;
        let averages = Arc::clone(&self.averages);
        self.read(move |connection| {
            let _permit = permit;
            work(connection, &averages)
        })
        .await
    }

    /// Tells this opening of the index from any other: the numbers of changes compare within one alone.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The number of the last change, to wait on. Mark it seen before reading, so that what
    /// changes in between wakes the next wait.
    pub fn changes(&self) -> watch::Receiver<i64> {
        self.writer.changes()
    }
}

/// Whether another connection has what this one needs, so that it is worth to try again.
fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseBusy | DatabaseLocked)
    )
}

/// Names the one reason for which waiting helps.
fn in_use(error: rusqlite::Error) -> Error {
    if is_busy(&error) {
        Error::IndexInUse
    } else {
        error.into()
    }
}
