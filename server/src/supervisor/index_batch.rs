//! Indexes many finished runs that the index does not know, as after the loss of the index, in few transactions. A
//! transaction for each of the steps of each run would make ten thousand runs take minutes.

use std::collections::{HashMap, VecDeque};

use rusqlite::Connection;

use super::Supervisor;
use super::reconcile::status_from_log;
use crate::blocking::blocking;
use crate::error::Result;
use crate::index::runs::{self, NewRun, Status};
use crate::index::{Writing, events};
use crate::job;
use crate::run_dir::lock::Holder;
use crate::run_dir::tail::{self, Following, Place};
use crate::run_dir::{RunDir, RunId, lock};

/// The maximum number of runs per transaction, which other changes wait for.
const BATCH_RUNS: usize = 64;

/// The maximum number of bytes of logs per transaction.
const BATCH_BYTES: u64 = 4 << 20;

/// The log of a run that is indexed by itself: it is read a piece at a time.
const LONG_LOG: u64 = 1 << 20;

/// A run as its directory has it.
struct ReadRun {
    row: NewRun,
    /// Lines of its log, with the places before and after them.
    log: Vec<(Place, Vec<String>, Place)>,
}

impl ReadRun {
    /// The length of its log.
    fn bytes(&self) -> u64 {
        self.log.last().map_or(0, |(_, _, to)| to.offset)
    }
}

impl Supervisor {
    /// Indexes those of these runs that are new to the index and over, and returns the others. What is wrong with a run
    /// is left to whoever indexes it by itself.
    pub(super) async fn index_finished(&self, ids: Vec<RunId>) -> Result<Vec<RunId>> {
        let known = move |c: &Connection| {
            let each = ids.into_iter().map(|id| Ok((id, runs::is_known(c, id)?)));
            each.collect::<Result<Vec<_>>>()
        };
        let known = self.0.index.read(known).await?;
        let (known, new): (Vec<_>, Vec<_>) = known.into_iter().partition(|(_, known)| *known);
        let mut others: Vec<_> = known.into_iter().map(|(id, _)| id).collect();
        let ids: Vec<_> = new.into_iter().map(|(id, _)| id).collect();
        if ids.len() < 2 {
            others.extend(ids);
            return Ok(others);
        }
        let sweeps = self.0.sweeps.clone();
        let sweeps = blocking(move || Ok(sweeps.by_run())).await?;
        let mut ids = VecDeque::from(ids);
        while !ids.is_empty() && !self.0.shutdown.is_cancelled() {
            let _lock = self.0.lifecycle.write().await;
            let batch: Vec<_> = ids.drain(..ids.len().min(BATCH_RUNS)).collect();
            let (with_task, batch): (Vec<_>, Vec<_>) = {
                let tasks = self.tasks();
                batch.into_iter().partition(|id| tasks.contains_key(id))
            };
            others.extend(with_task);
            let (left, unread) = self.index_batch(batch, &sweeps).await?;
            others.extend(left);
            unread.into_iter().rev().for_each(|id| ids.push_front(id));
        }
        others.extend(ids);
        Ok(others)
    }

    /// Indexes the first runs of a batch in one transaction; returns those that it leaves to others, and those that it
    /// did not read because it has enough.
    async fn index_batch(
        &self,
        ids: Vec<RunId>,
        sweeps: &HashMap<RunId, String>,
    ) -> Result<(Vec<RunId>, Vec<RunId>)> {
        let ids: Vec<_> = ids
            .into_iter()
            .map(|id| (id, sweeps.get(&id).cloned()))
            .collect();
        let this = self.clone();
        let (read, mut others, unread) = blocking(move || {
            let (mut read, mut others, mut bytes) = (Vec::new(), Vec::new(), 0);
            let mut ids = ids.into_iter();
            for (id, sweep) in ids.by_ref() {
                match this.read_finished(id, sweep) {
                    Some(run) => {
                        bytes += run.bytes();
                        read.push(run);
                    }
                    None => others.push(id),
                }
                if bytes >= BATCH_BYTES {
                    break;
                }
            }
            let unread: Vec<_> = ids.map(|(id, _)| id).collect();
            Ok((read, others, unread))
        })
        .await?;
        let write = move |w: &Writing<'_>| {
            let mut left = Vec::new();
            for run in read {
                let id = run.row.id;
                if !alone(w, || insert(w, run))? {
                    left.push(id);
                }
            }
            Ok(left)
        };
        others.extend(self.0.index.write_with_retries(write).await?);
        Ok((others, unread))
    }

    /// Reads a run that is over: its log ends with a `finished` event, and no worker may write to it any more.
    fn read_finished(&self, id: RunId, sweep: Option<String>) -> Option<ReadRun> {
        let dir = self.run_dir(id);
        let path = dir.events_file();
        if tail::len(&path).ok()? > LONG_LOG
            || self.0.trash.pending_restore(id).is_some()
            || dir.imported_file().exists()
            || may_go_on(&dir)
        {
            return None;
        }
        let (name, spec) = dir.name_and_spec(&self.0.library).ok()?;
        let mut log = Vec::new();
        let mut from = Place::default();
        while let Following::Lines(lines, to) = tail::read_on(&path, from).ok()? {
            if lines.is_empty() {
                break;
            }
            log.push((from, lines, to));
            from = to;
        }
        Some(ReadRun {
            row: NewRun::new(id, name, spec.to_string(), sweep, Status::Stopped),
            log,
        })
    }
}

/// Whether a worker has the run, of this machine or of a cluster.
fn may_go_on(dir: &RunDir) -> bool {
    let path = dir.lock_file();
    lock::is_held(&path).unwrap_or(true)
        || Holder::read(&path).is_some_and(|holder| holder.is_elsewhere())
        || job::is_open(&dir.job_file())
}

/// Does one part of a transaction; returns `false` and undoes it if it fails.
fn alone(connection: &Connection, part: impl FnOnce() -> Result<bool>) -> Result<bool> {
    connection.execute_batch("SAVEPOINT one")?;
    let done = match part() {
        Err(error) if error.is_of_the_index() => return Err(error),
        done => done.unwrap_or(false),
    };
    if !done {
        connection.execute_batch("ROLLBACK TO one")?;
    }
    connection.execute_batch("RELEASE one")?;
    Ok(done)
}

/// Inserts a run with its log and its status; returns `false` if the log does not end with the end of the run.
fn insert(writing: &Writing<'_>, run: ReadRun) -> Result<bool> {
    let id = run.row.id;
    if runs::is_known(writing, id)? {
        return Ok(false);
    }
    runs::insert(writing, &run.row)?;
    for (from, lines, to) in &run.log {
        events::append(writing, id, *from, lines, *to)?;
    }
    let indexed = runs::get(writing, id)?;
    let (status, message) = status_from_log(&indexed);
    runs::set_status(writing, id, status, &message)?;
    Ok(indexed.reason.is_some())
}
