//! The index: the contents of the run directories in SQLite, where they can be searched; and the home of names, tags
//! and notes. Everything about training can be rebuilt from the directories; names, tags and notes are also stored
//! beside the index, in [files](crate::labels).
//!
//! * [`schema`]: opens and checks the file, and replaces a damaged one; `writer`: the thread that writes it; `readers`:
//!   the threads that read it.
//! * [`runs`]: one row per run: status, settings, summary. [`run_labels`]: its name, tags and notes. [`removal`]:
//!   deleted runs. [`damage`]: rows that cannot be read.
//! * [`events`]: the lines of every `events.ndjson`, unchanged.
//! * [`facts`]: what is searched and sorted of a run; [`fields`]: the fields of a search and the keys of an order;
//!   [`search`]: the language in which runs are searched; [`listing`]: runs page by page; [`facets`]: the values that runs
//!   have.
//! * [`summary`]: the metrics of a run, folded from its events.
//! * [`curves`]: the values of lines as plain numbers, read by [`positions`], which [`extremes`] stores so that any range is drawn from few
//!   rows; [`metrics`]: the points of a chart, by way of [`downsample`] and [`ema`], whose averages [`moving`] caches;
//!   [`statistics`]: the figures of a table.
//!
//! Invariants: one thread writes, in transactions, in the order of the calls; a reader sees one state of the file from
//! its first query to its last; a waiter on [`Index::changes`] wakes after the transaction is committed. A slow reader
//! asks again from its last position: nothing is queued for it. While another program holds the file (a backup, a
//! viewer), writers and readers wait.

#[cfg(test)]
mod curve_tests;
pub mod curves;
pub mod damage;
pub mod downsample;
pub mod ema;
pub mod events;
pub mod extremes;
pub mod facets;
pub mod facts;
pub mod fields;
pub mod listing;
pub mod metrics;
pub mod moving;
pub mod positions;
mod readers;
pub mod removal;
pub mod run_labels;
pub mod runs;
pub mod schema;
pub mod search;
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

/// The maximum number of curves that are read at a time, fewer than there are readers.
const CURVES_AT_ONCE: usize = 4;

/// A handle to the index; clones share it.
#[derive(Clone)]
pub struct Index {
    writer: Writer,
    readers: Readers,
    damage: Arc<Damage>,
    averages: Arc<MovingAverages>,
    /// Limits how many curves are read at a time, so that short answers find a free reader.
    curves: Arc<Semaphore>,
    id: Uuid,
}

impl Index {
    /// Opens the index at `path`, reconciles it with the label files beside it, in `labels/`, and starts its threads.
    pub fn open(path: &Path) -> Result<Self> {
        let connection = schema::open(path)?;
        let labels = LabelFiles::in_folder(path.with_file_name("labels"));
        run_labels::reconcile(&connection, &labels)?;
        let last_change = runs::last_change(&connection)?;
        let damage = Arc::<Damage>::default();
        if schema::is_long(path) {
            check_in_background(path, &damage)?;
        }
        Ok(Self {
            writer: Writer::start(path, connection, labels, last_change)?,
            readers: Readers::start(path)?,
            damage,
            averages: Arc::default(),
            curves: Arc::new(Semaphore::new(CURVES_AT_ONCE)),
            id: Uuid::now_v7(),
        })
    }

    /// Runs as `read` selects them; the rows among them that cannot be read are noted.
    pub async fn runs<F>(&self, read: F) -> Result<Vec<Run>>
    where
        F: FnOnce(&Connection) -> Result<runs::Read> + Send + 'static,
    {
        let (runs, bad) = self.read(read).await?;
        self.note_unreadable(bad);
        Ok(runs)
    }

    /// Notes rows that cannot be read, to be told and repaired.
    pub fn note_unreadable(&self, rows: Vec<BadRow>) {
        rows.into_iter().for_each(|row| self.damage.met(row));
    }

    /// The runs that cannot be shown, as far as they were met.
    pub fn unreadable(&self) -> Vec<Unreadable> {
        self.damage.unreadable()
    }

    /// The unreadable rows that are to be repaired from their directories.
    pub fn to_repair(&self) -> Vec<BadRow> {
        self.damage.to_repair()
    }

    /// Records that a row is repaired.
    pub fn repaired(&self, key: i64) {
        self.damage.repaired(key);
    }

    /// Records why a row cannot be repaired.
    pub fn beyond_repair(&self, key: i64, why: String) {
        self.damage.beyond_repair(key, why);
    }

    /// Runs `work` in a transaction on the writer thread, commits, then wakes the waiters.
    ///
    /// # Errors
    /// [`Error::IndexInUse`] when another program holds the index for too long; nothing is changed then.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Writing<'_>) -> Result<T> + Send + 'static,
    {
        self.writer.run(Some(PATIENCE), work).await
    }

    /// Like [`write`](Self::write), for work that no client waits for: it waits as long as another program holds the
    /// index.
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

    /// Runs `work` on a reader's connection, outside the async threads, in one transaction.
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

    /// Like [`read`](Self::read), for curves, whose concurrency is limited.
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

    /// Identifies this opening of the index: change numbers are comparable only within one.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The number of the last change, to wait on. Mark it seen before reading, so that later changes wake the next
    /// wait.
    pub fn changes(&self) -> watch::Receiver<i64> {
        self.writer.changes()
    }
}

/// Checks all of an index that is in use already.
fn check_in_background(path: &Path, damage: &Arc<Damage>) -> Result<()> {
    let (path, damage) = (path.to_owned(), Arc::clone(damage));
    let check = move || match schema::check(&path) {
        Ok(None) => {}
        Ok(Some(message)) => {
            tracing::error!(index = %path.display(), message, "the index is damaged; the next start sets it aside and rebuilds it");
            damage.of_file(message);
        }
        Err(error) => {
            tracing::warn!(index = %path.display(), %error, "the index could not be checked")
        }
    };
    let thread = std::thread::Builder::new().name("index-check".to_owned());
    let started = thread.spawn(check);
    started.map_err(|e| Error::system("cannot start a thread", e))?;
    Ok(())
}

/// Whether another connection holds a lock that this one needs, so that a retry may succeed.
fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseBusy | DatabaseLocked)
    )
}

/// Maps the one error that waiting resolves.
fn in_use(error: rusqlite::Error) -> Error {
    if is_busy(&error) {
        Error::IndexInUse
    } else {
        error.into()
    }
}
