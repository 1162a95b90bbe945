//! One row a run.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, Rows, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::summary::Summary;
use super::{Writing, damage, run_labels};
use crate::base_path;
use crate::error::{BadRow, Error, Result};
use crate::labels::RunLabels;
use crate::run_dir::RunId;
use crate::run_dir::imported::Source;
use crate::run_dir::tail::{Mark, Place};

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
    /// The last event that is in the curves: the last indexed one, but for an index of an earlier version, whose curves
    /// are made anew.
    #[serde(skip)]
    pub curves: u64,
    /// The number of the change that last made its curves others than they were, other than longer.
    #[serde(skip)]
    pub made: i64,
}

impl Run {
    /// What people call it.
    pub fn labels(&self) -> RunLabels {
        RunLabels {
            name: self.name.clone(),
            tags: self.tags.clone(),
            notes: self.notes.clone(),
        }
    }

    /// Whether it was given a name, tags or notes that its directory does not tell.
    pub(super) fn is_labelled(&self) -> bool {
        let told = self.spec.get("name").and_then(Value::as_str);
        !self.tags.is_empty() || !self.notes.is_empty() || told != Some(&self.name)
    }

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
    /// Labels.
    pub tags: Vec<String>,
    /// What people wrote about it.
    pub notes: String,
}

impl NewRun {
    /// A run that was never here before.
    pub fn new(
        id: RunId,
        name: String,
        spec: String,
        sweep: Option<String>,
        status: Status,
    ) -> Self {
        Self {
            id,
            name,
            spec,
            sweep,
            status,
            number: None,
            tags: Vec::new(),
            notes: String::new(),
        }
    }
}

const COLUMNS: &str = "id, name, tags, notes, sweep, spec, status, stopping, reason, message, summary, seq, changed, curves, made,
    CASE WHEN queued IS NULL THEN NULL ELSE (SELECT count(*) FROM runs AS other WHERE other.queued <= runs.queued) END,
    key";

/// The place of `key` among [`COLUMNS`].
const KEY: usize = 16;

/// A run, unless it does not exist or is deleted.
pub fn find(connection: &Connection, id: RunId) -> Result<Option<Run>> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE id = ?1 AND NOT deleted");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map(read).transpose()
}

/// A run, or the error that says there is none.
pub fn get(connection: &Connection, id: RunId) -> Result<Run> {
    find(connection, id)?.ok_or_else(|| Error::NotFound(format!("run {id}")))
}

/// Every run, newest first, and the rows that cannot be read.
pub fn list(connection: &Connection) -> Result<(Vec<Run>, Vec<BadRow>)> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE NOT deleted ORDER BY id DESC");
    readable(connection.prepare_cached(&sql)?.query([])?)
}

/// What changed after change number `after`: runs as they are now, rows that cannot be read, and the ids of removed
/// runs.
pub fn changed_since(
    connection: &Connection,
    after: i64,
) -> Result<(Vec<Run>, Vec<BadRow>, Vec<String>)> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE changed > ?1 AND NOT deleted ORDER BY id");
    let (runs, bad) = readable(connection.prepare_cached(&sql)?.query([after])?)?;
    let mut statement =
        connection.prepare_cached("SELECT id FROM runs WHERE changed > ?1 AND deleted")?;
    let removed = statement.query_map([after], |row| row.get(0))?;
    Ok((
        runs,
        bad,
        removed.filter_map(rusqlite::Result::ok).collect(),
    ))
}

/// One row that cannot be read hides no other.
fn readable(mut rows: Rows<'_>) -> Result<(Vec<Run>, Vec<BadRow>)> {
    let (mut runs, mut bad) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        match read(row) {
            Ok(run) => runs.push(run),
            Err(Error::Unreadable(row)) => bad.push(row),
            Err(error) => return Err(error),
        }
    }
    Ok((runs, bad))
}

fn read(row: &Row<'_>) -> Result<Run> {
    from_row(row).map_err(|error| {
        let id = row
            .get_ref(0)
            .ok()
            .and_then(|id| id.as_str().ok()?.parse().ok());
        damage::fault(row.get(KEY).unwrap_or_default(), id, error)
    })
}

/// Every run that the index ever saw since it was opened, with how far its log is indexed; removed ones
/// too, whose directories may still be on their way out.
pub fn places(connection: &Connection) -> Result<Vec<(RunId, Place)>> {
    let sql = "SELECT id, offset, line_bytes, line_crc FROM runs";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut places = Vec::new();
    while let Some(row) = rows.next()? {
        let id = row.get_ref(0)?.as_str().ok().and_then(|id| id.parse().ok());
        // What cannot be read of a row is the repair's to deal with.
        if let Some(id) = id {
            places.push((id, place_of(row, 1).unwrap_or_default()));
        }
    }
    Ok(places)
}

/// How far a log is indexed, from three columns.
pub(super) fn place_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Place> {
    let (bytes, crc): (Option<u64>, Option<u32>) = (row.get(column + 1)?, row.get(column + 2)?);
    Ok(Place {
        offset: row.get(column)?,
        line: bytes.zip(crc).map(|(bytes, crc)| Mark { bytes, crc }),
    })
}

/// The runs that wait or train.
pub fn active(connection: &Connection) -> Result<Vec<RunId>> {
    let sql = "SELECT id FROM runs WHERE status IN ('queued', 'running') AND NOT deleted ORDER BY queued, id";
    let mut statement = connection.prepare_cached(sql)?;
    let ids = statement.query_map([], |row| row.get::<_, String>(0))?;
    let ids = ids.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

/// The number of the last change to any row.
pub fn last_change(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row(
        "SELECT coalesce(max(changed), 0) FROM runs WHERE typeof(changed) = 'integer'",
        [],
        |row| row.get(0),
    )?)
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
            "INSERT OR IGNORE INTO runs (id, name, spec, sweep, status, changed, made, key, tags, notes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, (SELECT ?7 WHERE NOT EXISTS (SELECT 1 FROM runs WHERE key = ?7)), ?8, ?9)",
        )?
        .execute(params![
            run.id.to_string(),
            run.name,
            run.spec,
            run.sweep,
            run.status.name(),
            writing.change(),
            run.number,
            Value::from(run.tags.as_slice()).to_string(),
            run.notes
        ])?;
    // Its name, tags and notes from before the index was lost.
    if let Some(labels) = writing.labels_in_file(run.id) {
        run_labels::put(writing, run.id, &labels, writing.change())?;
    }
    if run.status == Status::Queued {
        enqueue(writing, run.id)
    } else {
        Ok(())
    }
}

/// Puts a run at the end of the queue: its last end is no longer the last word.
pub fn enqueue(writing: &Writing<'_>, id: RunId) -> Result<()> {
    writing
        .prepare_cached(
            "UPDATE runs SET status = 'queued', stopping = 0, reason = NULL, message = '', changed = ?2,
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

/// Stores what further events made of a run.
pub fn set_progress(writing: &Writing<'_>, id: RunId, run: &Run, place: Place) -> Result<()> {
    let summary = serde_json::to_string(&run.summary).unwrap_or_default();
    writing
        .prepare_cached(
            "UPDATE runs SET summary = ?3, offset = ?4, seq = ?5, reason = ?6, message = ?7, line_bytes = ?8, line_crc = ?9,
             curves = ?10, changed = ?2 WHERE id = ?1",
        )?
        .execute(params![
            id.to_string(),
            writing.change(),
            summary,
            place.offset,
            run.seq,
            run.reason,
            run.message,
            place.line.map(|line| line.bytes),
            place.line.map(|line| line.crc),
            run.curves,
        ])?;
    Ok(())
}

/// Runs that have events which are not in their curves.
pub fn without_curves(connection: &Connection) -> Result<Vec<RunId>> {
    let sql = "SELECT id FROM runs WHERE curves < seq AND NOT deleted ORDER BY id DESC";
    let mut statement = connection.prepare_cached(sql)?;
    let ids = statement.query_map([], |row| row.get::<_, String>(0))?;
    Ok(ids.filter_map(|id| id.ok()?.parse().ok()).collect())
}

/// Notes the last event that is in the curves of a run.
pub(super) fn set_curves(writing: &Writing<'_>, id: RunId, seq: u64) -> Result<()> {
    writing
        .prepare_cached("UPDATE runs SET curves = ?3, changed = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), writing.change(), seq])?;
    Ok(())
}

/// Notes that the curves of a run are others than they were, other than longer.
pub(super) fn set_made(writing: &Writing<'_>, key: i64) -> Result<()> {
    writing
        .prepare_cached("UPDATE runs SET made = ?2 WHERE key = ?1")?
        .execute(params![key, writing.change()])?;
    Ok(())
}

/// The run whose rows have a key, where that can be read.
pub(super) fn id_of(connection: &Connection, key: i64) -> Option<RunId> {
    let sql = "SELECT id FROM runs WHERE key = ?1";
    let id: String = connection.query_row(sql, [key], |row| row.get(0)).ok()?;
    id.parse().ok()
}

/// Sets the specification of an imported run, whose files are others than they were.
pub fn set_spec(writing: &Writing<'_>, id: RunId, spec: &str) -> Result<()> {
    writing
        .prepare_cached("UPDATE runs SET spec = ?3, changed = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), writing.change(), spec])?;
    Ok(())
}

/// The specification of a run as it was recorded.
pub fn recorded_spec(connection: &Connection, id: RunId) -> Result<Option<String>> {
    Ok(connection
        .prepare_cached("SELECT spec FROM runs WHERE id = ?1 AND NOT deleted")?
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?)
}

/// Mends a row that cannot be read by what its directory tells. Labels are kept where they can be read, here or in
/// their file, and so are status and place in the queue. Returns whether the status could not.
pub fn mend(writing: &Writing<'_>, key: i64, told: &NewRun) -> Result<bool> {
    let (labels, status) = writing.query_row(
        "SELECT name, tags, notes, status FROM runs WHERE key = ?1",
        [key],
        |row| {
            let text = |column: usize| row.get::<_, String>(column).ok();
            let tags = text(1).and_then(|tags| serde_json::from_str(&tags).ok());
            let labels = RunLabels {
                name: text(0).unwrap_or_else(|| told.name.clone()),
                tags: tags.unwrap_or_default(),
                notes: text(2).unwrap_or_default(),
            };
            Ok((labels, text(3)))
        },
    )?;
    let labels = writing.labels_in_file(told.id).unwrap_or(labels);
    writing
        .prepare_cached(
            "UPDATE runs SET spec = ?2, sweep = ?3, status = ?4, summary = '{}', reason = NULL,
             stopping = CASE typeof(stopping) WHEN 'integer' THEN stopping ELSE 0 END,
             queued = CASE typeof(queued) WHEN 'integer' THEN queued END,
             message = CASE typeof(message) WHEN 'text' THEN message ELSE '' END, seq = 0, offset = 0, curves = 0, made = 0 WHERE key = ?1",
        )?
        .execute(params![
            key,
            told.spec,
            told.sweep,
            status.as_deref().unwrap_or(told.status.name())
        ])?;
    run_labels::put(writing, told.id, &labels, writing.change())?;
    Ok(status.is_none())
}

/// A column of JSON text.
fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Run> {
    let id: String = row.get(0)?;
    let id: RunId = id
        .parse()
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(e)))?;
    let status: String = row.get(6)?;
    let mut spec: Value = json(row, 5)?;
    // Only an imported run's has one: a RunSpec has no such field.
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
