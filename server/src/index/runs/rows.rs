//! Reads runs from their rows.

use rusqlite::types::Type;
use rusqlite::{Connection, Row, Rows};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Run, Status};
use crate::base_path;
use crate::error::{BadRow, Error, Result};
use crate::index::damage;
use crate::job::Job;
use crate::run_dir::RunId;

pub(super) const COLUMNS: &str = "id, name, tags, notes, sweep, spec, status, stopping, reason, message, summary, seq, changed, curves, made,
    CASE WHEN queued IS NULL THEN NULL ELSE (SELECT count(*) FROM runs AS other WHERE other.queued <= runs.queued) END,
    key, job";

/// The index of `key` among [`COLUMNS`].
pub(super) const KEY: usize = 16;

/// The index of `changed` among [`COLUMNS`].
pub(super) const CHANGED: usize = 12;

/// The index of `job` among [`COLUMNS`].
const JOB: usize = 17;

/// A run, or `None` if it does not exist or is deleted.
pub fn find(connection: &Connection, id: RunId) -> Result<Option<Run>> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE id = ?1 AND NOT deleted");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map(read).transpose()
}

/// A run.
///
/// # Errors
/// [`Error::NotFound`] when it does not exist or is deleted.
pub fn get(connection: &Connection, id: RunId) -> Result<Run> {
    find(connection, id)?.ok_or_else(|| Error::NotFound(format!("run {id}")))
}

/// Runs, and the rows among them that cannot be read.
pub type Read = (Vec<Run>, Vec<BadRow>);

/// The runs that should have a worker or a place in the queue, or lost theirs with an earlier server. Reads every row,
/// one at a time, so that those that cannot be read are found.
pub fn unfinished(connection: &Connection) -> Result<Read> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE NOT deleted");
    let mut statement = connection.prepare_cached(&sql)?;
    readable(statement.query([])?, |run| {
        run.status.is_active() || run.status == Status::Interrupted
    })
}

/// The runs of a sweep, in the order in which they were created.
pub fn of_sweep(connection: &Connection, sweep: &str) -> Result<Read> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE sweep = ?1 AND NOT deleted ORDER BY key");
    readable(connection.prepare_cached(&sql)?.query([sweep])?, |_| true)
}

/// The runs of these ids that exist, in this order.
pub fn named(connection: &Connection, ids: &[RunId]) -> Result<Read> {
    let (mut runs, mut bad) = (Vec::new(), Vec::new());
    for &id in ids {
        match find(connection, id) {
            Ok(run) => runs.extend(run),
            Err(Error::Unreadable(row)) => bad.push(row),
            Err(error) => return Err(error),
        }
    }
    Ok((runs, bad))
}

/// The runs whose keys these are, in this order.
pub fn with_keys(connection: &Connection, keys: &[i64]) -> Result<Read> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE key = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let (mut runs, mut bad) = (Vec::new(), Vec::new());
    for key in keys {
        let (found, faulty) = readable(statement.query([key])?, |_| true)?;
        runs.extend(found);
        bad.extend(faulty);
    }
    Ok((runs, bad))
}

/// Reads the rows whose runs `keep` wants; an unreadable row does not hide the others.
fn readable(mut rows: Rows<'_>, keep: impl Fn(&Run) -> bool) -> Result<Read> {
    let (mut runs, mut bad) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        match read(row) {
            Ok(run) if keep(&run) => runs.push(run),
            Ok(_) => {}
            Err(Error::Unreadable(row)) => bad.push(row),
            Err(error) => return Err(error),
        }
    }
    Ok((runs, bad))
}

pub(super) fn read(row: &Row<'_>) -> Result<Run> {
    from_row(row).map_err(|error| {
        let id = row
            .get_ref(0)
            .ok()
            .and_then(|id| id.as_str().ok()?.parse().ok());
        damage::fault(row.get(KEY).unwrap_or_default(), id, error)
    })
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Run> {
    let id: String = row.get(0)?;
    let id: RunId = id
        .parse()
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(e)))?;
    let status: String = row.get(6)?;
    let mut spec: Value = json(row, 5)?;
    // Only imported runs have it: a RunSpec has no such field.
    let source = spec.as_object_mut().and_then(|spec| spec.remove("source"));
    Ok(Run {
        id,
        number: row.get(16)?,
        url: base_path::url(&format!("/runs/{id}")),
        name: row.get(1)?,
        status: Status::parse(&status),
        position: row.get(15)?,
        reason: row.get(8)?,
        message: row.get(9)?,
        created: humantime::format_rfc3339_millis(id.created()).to_string(),
        stopping: row.get(7)?,
        job: job_of(row, JOB)?,
        spec,
        source: source.and_then(|source| serde_json::from_value(source).ok()),
        tags: json(row, 2)?,
        notes: row.get(3)?,
        sweep: row.get(4)?,
        summary: json(row, 10)?,
        changed: row.get(12)?,
        seq: row.get(11)?,
        curves: row.get(13)?,
        made: row.get(14)?,
    })
}

/// The job of a run, unless an older version's text cannot be read.
fn job_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Job>> {
    let text: Option<String> = row.get(column)?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Parses a column of JSON text.
fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}
