//! One row a run.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::summary::Summary;
use super::{Writing, curves};
use crate::error::{Error, Result};
use crate::run_dir::RunId;
use crate::run_dir::board::Source;

/// Where a run is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Waits for its turn.
    Queued,
    /// A worker trains it.
    Running,
    /// Trained to an end of its own: completed, stopped early, or diverged.
    Finished,
    /// Stopped by a person; it can go on.
    Stopped,
    /// The worker failed or died; it can go on from its last checkpoint.
    Failed,
    /// The server was stopped, or found no worker; it can go on.
    Interrupted,
}

impl Status {
    /// Every status, in the order of a run's life.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Running,
        Self::Finished,
        Self::Stopped,
        Self::Failed,
        Self::Interrupted,
    ];

    /// The word for it, in the API and in the index.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }

    /// What the reason of a `finished` event makes of a run.
    pub fn of_reason(reason: &str) -> Self {
        match reason {
            "completed" | "early_stopped" | "diverged" => Self::Finished,
            "stopped" => Self::Stopped,
            _ => Self::Failed,
        }
    }

    /// Whether a worker has the run or will have it.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }

    fn parse(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|status| status.name() == name)
            .unwrap_or(Self::Interrupted)
    }
}

/// A run as the API tells it.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Counts runs as they came to this index: what tells their lines apart wherever they are drawn.
    pub number: i64,
    /// Its page.
    pub url: String,
    /// A label; never a path.
    pub name: String,
    /// Where it is in its life.
    pub status: Status,
    /// Its place in the queue, from 1.
    pub position: Option<u64>,
    /// Of its end, if it has ended: `completed`, `stopped`, `early_stopped`, `diverged`, `failed`.
    pub reason: Option<String>,
    /// The reason in words, or what is to be known.
    pub message: String,
    /// RFC 3339.
    pub created: String,
    /// It was asked to stop and has not yet.
    pub stopping: bool,
    /// The RunSpec; of an imported run its name and the settings that its files tell.
    pub spec: Value,
    /// Where its curves are from, if it was imported: then there is nothing but curves.
    pub source: Option<Source>,
    /// Labels.
    pub tags: Vec<String>,
    /// What people wrote about it.
    pub notes: String,
    /// The sweep it belongs to.
    pub sweep: Option<String>,
    /// Its figures.
    pub summary: Summary,
    /// The number of its last change: of two states of a run the one with the greater number is the newer.
    pub changed: i64,
    /// The last indexed event.
    #[serde(skip)]
    pub seq: u64,
    /// Bytes of the event log that are indexed.
    #[serde(skip)]
    pub offset: u64,
}

impl Run {
    /// Whether there is more than curves.
    ///
    /// # Errors
    /// [`Error::Conflict`] of an imported run, which says that `what` cannot be.
    pub fn is_own(&self, what: &str) -> Result<()> {
        match &self.source {
            None => Ok(()),
            Some(_) => Err(Error::Conflict(format!(
                "The run was imported from TensorBoard files, which have its curves alone: {what}."
            ))),
        }
    }
}

/// What is known of a run when it enters the index.
pub struct NewRun {
    /// Its id.
    pub id: RunId,
    /// Its label.
    pub name: String,
    /// The RunSpec as JSON text; of an imported run what stands in its place.
    pub spec: String,
    /// The sweep it belongs to.
    pub sweep: Option<String>,
    /// Where it begins.
    pub status: Status,
    /// The number that it had before; the next one where it is new, or another run has that.
    pub number: Option<i64>,
}

const COLUMNS: &str = "id, name, tags, notes, sweep, spec, status, stopping, reason, message, summary, offset, seq, changed,
    CASE WHEN queued IS NULL THEN NULL ELSE (SELECT count(*) FROM runs AS other WHERE other.queued <= runs.queued) END,
    key";

/// A run, unless it does not exist or is deleted.
pub fn find(connection: &Connection, id: RunId) -> Result<Option<Run>> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE id = ?1 AND NOT deleted");
    Ok(connection
        .prepare_cached(&sql)?
        .query_row([id.to_string()], from_row)
        .optional()?)
}

/// A run, or the error that says there is none.
pub fn get(connection: &Connection, id: RunId) -> Result<Run> {
    find(connection, id)?.ok_or_else(|| Error::NotFound(format!("run {id}")))
}

/// Every run, newest first.
pub fn list(connection: &Connection) -> Result<Vec<Run>> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE NOT deleted ORDER BY id DESC");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What changed after change number `after`: runs as they are now, and the ids of removed ones.
pub fn changed_since(connection: &Connection, after: i64) -> Result<(Vec<Run>, Vec<String>)> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE changed > ?1 AND NOT deleted ORDER BY id");
    let mut statement = connection.prepare_cached(&sql)?;
    let runs = statement
        .query_map([after], from_row)?
        .collect::<rusqlite::Result<_>>()?;
    let mut statement =
        connection.prepare_cached("SELECT id FROM runs WHERE changed > ?1 AND deleted")?;
    let removed = statement.query_map([after], |row| row.get(0))?;
    Ok((runs, removed.collect::<rusqlite::Result<_>>()?))
}

/// Every run that the index ever saw since it was opened, with the bytes of its log that are
/// indexed; removed ones too, whose directories may still be on their way out.
pub fn offsets(connection: &Connection) -> Result<Vec<(RunId, u64)>> {
    let mut statement = connection.prepare_cached("SELECT id, offset FROM runs")?;
    let rows = statement.query_map([], |row| {
        let id: String = row.get(0)?;
        Ok((id.parse().ok(), row.get(1)?))
    })?;
    let rows: Vec<(Option<RunId>, u64)> = rows.collect::<rusqlite::Result<_>>()?;
    Ok(rows
        .into_iter()
        .filter_map(|(id, offset)| Some((id?, offset)))
        .collect())
}

/// The number of the last change to any row.
pub fn last_change(connection: &Connection) -> Result<i64> {
    Ok(
        connection.query_row("SELECT coalesce(max(changed), 0) FROM runs", [], |row| {
            row.get(0)
        })?,
    )
}

/// How many runs there are of each status.
pub fn count(connection: &Connection, status: Status) -> Result<u64> {
    let sql = "SELECT count(*) FROM runs WHERE status = ?1 AND NOT deleted";
    Ok(connection
        .prepare_cached(sql)?
        .query_row([status.name()], |row| row.get(0))?)
}

/// The key of a run's rows in the other tables.
pub fn key(connection: &Connection, id: RunId) -> Result<i64> {
    connection
        .prepare_cached("SELECT key FROM runs WHERE id = ?1 AND NOT deleted")?
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?
        .ok_or_else(|| Error::NotFound(format!("run {id}")))
}

/// Enters a run; one that is there already stays as it is.
pub fn insert(writing: &Writing<'_>, run: &NewRun) -> Result<()> {
    writing
        .prepare_cached(
            "INSERT OR IGNORE INTO runs (id, name, spec, sweep, status, changed, key)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, (SELECT ?7 WHERE NOT EXISTS (SELECT 1 FROM runs WHERE key = ?7)))",
        )?
        .execute(params![
            run.id.to_string(),
            run.name,
            run.spec,
            run.sweep,
            run.status.name(),
            writing.change(),
            run.number
        ])?;
    if run.status == Status::Queued {
        enqueue(writing, run.id)
    } else {
        Ok(())
    }
}

/// Puts a run at the end of the queue.
pub fn enqueue(writing: &Writing<'_>, id: RunId) -> Result<()> {
    writing
        .prepare_cached(
            "UPDATE runs SET status = 'queued', stopping = 0, message = '', changed = ?2,
             queued = 1 + (SELECT coalesce(max(queued), 0) FROM runs) WHERE id = ?1",
        )?
        .execute(params![id.to_string(), writing.change()])?;
    Ok(())
}

/// Gives a run its status and a message, and takes it out of the queue: those behind move up.
pub fn set_status(writing: &Writing<'_>, id: RunId, status: Status, message: &str) -> Result<()> {
    writing
        .prepare_cached(
            "UPDATE runs SET changed = ?2 WHERE queued > (SELECT queued FROM runs WHERE id = ?1)",
        )?
        .execute(params![id.to_string(), writing.change()])?;
    writing
        .prepare_cached(
            "UPDATE runs SET status = ?3, message = ?4, queued = NULL, stopping = 0, changed = ?2 WHERE id = ?1",
        )?
        .execute(params![id.to_string(), writing.change(), status.name(), message])?;
    Ok(())
}

/// Notes that a worker has the run: its last end is no longer the last word.
pub fn set_running(writing: &Writing<'_>, id: RunId) -> Result<()> {
    set_status(writing, id, Status::Running, "")?;
    writing
        .prepare_cached("UPDATE runs SET reason = NULL WHERE id = ?1")?
        .execute([id.to_string()])?;
    Ok(())
}

/// Notes that a run was asked to stop.
pub fn set_stopping(writing: &Writing<'_>, id: RunId) -> Result<()> {
    writing
        .prepare_cached("UPDATE runs SET stopping = 1, changed = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), writing.change()])?;
    Ok(())
}

/// Sets the labels that people gave; `None` leaves a label as it is.
pub fn set_labels(
    writing: &Writing<'_>,
    id: RunId,
    name: Option<&str>,
    tags: Option<&[String]>,
    notes: Option<&str>,
) -> Result<()> {
    let tags = tags.map(|tags| Value::from(tags).to_string());
    writing
        .prepare_cached(
            "UPDATE runs SET name = coalesce(?3, name), tags = coalesce(?4, tags), notes = coalesce(?5, notes),
             changed = ?2 WHERE id = ?1",
        )?
        .execute(params![id.to_string(), writing.change(), name, tags, notes])?;
    Ok(())
}

/// Stores what further events made of a run.
pub fn set_progress(writing: &Writing<'_>, id: RunId, run: &Run) -> Result<()> {
    let summary = serde_json::to_string(&run.summary).unwrap_or_default();
    writing
        .prepare_cached(
            "UPDATE runs SET summary = ?3, offset = ?4, seq = ?5, reason = ?6, message = ?7, changed = ?2 WHERE id = ?1",
        )?
        .execute(params![
            id.to_string(),
            writing.change(),
            summary,
            run.offset,
            run.seq,
            run.reason,
            run.message
        ])?;
    Ok(())
}

/// Marks a run as removed and drops its events.
pub fn delete(writing: &Writing<'_>, id: RunId) -> Result<()> {
    let key = key(writing, id)?;
    set_status(writing, id, Status::Stopped, "")?;
    writing
        .prepare_cached("DELETE FROM events WHERE run = ?1")?
        .execute([key])?;
    curves::delete(writing, key)?;
    writing
        .prepare_cached("UPDATE runs SET deleted = 1 WHERE key = ?1")?
        .execute([key])?;
    Ok(())
}

/// Forgets that a run was removed: it comes back.
pub fn forget_deletion(writing: &Writing<'_>, id: RunId) -> Result<()> {
    writing
        .prepare_cached("DELETE FROM runs WHERE id = ?1 AND deleted")?
        .execute([id.to_string()])?;
    Ok(())
}

/// Forgets removed runs; nobody follows who could have seen them.
pub fn forget_deleted(writing: &Writing<'_>) -> Result<()> {
    writing.execute("DELETE FROM runs WHERE deleted", [])?;
    Ok(())
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Run> {
    let id: String = row.get(0)?;
    let id: RunId = id.parse().map_err(|e| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(e))
    })?;
    let json = |column: usize| -> rusqlite::Result<Value> {
        let text: String = row.get(column)?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    };
    let status: String = row.get(6)?;
    let mut spec = json(5)?;
    // Only an imported run's has one: a RunSpec has no such field.
    let source = spec.as_object_mut().and_then(|spec| spec.remove("source"));
    Ok(Run {
        id,
        number: row.get(15)?,
        url: format!("/runs/{id}"),
        name: row.get(1)?,
        status: Status::parse(&status),
        position: row.get(14)?,
        reason: row.get(8)?,
        message: row.get(9)?,
        created: humantime::format_rfc3339_millis(id.created()).to_string(),
        stopping: row.get(7)?,
        spec,
        source: source.and_then(|source| serde_json::from_value(source).ok()),
        tags: serde_json::from_value(json(2)?).unwrap_or_default(),
        notes: row.get(3)?,
        sweep: row.get(4)?,
        summary: serde_json::from_value(json(10)?).unwrap_or_default(),
        changed: row.get(13)?,
        seq: row.get(12)?,
        offset: row.get(11)?,
    })
}
