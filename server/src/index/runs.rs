//! The table of runs.

use std::collections::{HashMap, HashSet};

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, Rows, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use vivarium_models::contract::Reason;

use super::summary::Summary;
use super::{Writing, damage, run_labels};
use crate::base_path;
use crate::error::{BadRow, Error, Result};
use crate::job::Job;
use crate::labels::RunLabels;
use crate::run_dir::RunId;
use crate::run_dir::imported::{Settings, Source};
use crate::run_dir::tail::{Mark, Place};

/// The status of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = RunStatus)]
pub enum Status {
    /// In the queue.
    Queued,
    /// A worker is training it.
    Running,
    /// Training ended by itself: completed, stopped early, or diverged.
    Finished,
    /// Stopped by a user; it can be resumed.
    Stopped,
    /// The worker failed or died; it can be resumed from its last checkpoint.
    Failed,
    /// The server was stopped, or found no worker; it can be resumed.
    Interrupted,
}

impl Status {
    /// All statuses, in the order of a run's life.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Running,
        Self::Finished,
        Self::Stopped,
        Self::Failed,
        Self::Interrupted,
    ];

    /// Its name in the API and in the index.
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

    /// The status that follows from the reason of a `finished` event.
    pub fn of_reason(reason: &str) -> Self {
        match reason {
            "completed" | "early_stopped" | "diverged" => Self::Finished,
            "stopped" => Self::Stopped,
            _ => Self::Failed,
        }
    }

    /// Whether the run is queued or has a worker.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }

    /// The status of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    pub(super) fn parse(name: &str) -> Self {
        Self::named(name).unwrap_or(Self::Interrupted)
    }
}

/// A run as the API returns it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Numbers the runs in the order in which they came to this index; it determines the colour of their lines.
    pub number: i64,
    /// The URL of its page.
    pub url: String,
    /// Its name; never a path.
    pub name: String,
    /// Its status.
    pub status: Status,
    /// Its position in the queue, from 1.
    pub position: Option<u64>,
    /// Why it ended: `completed`, `stopped`, `early_stopped`, `diverged`, `failed`.
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<String>,
    /// The reason in words.
    pub message: String,
    /// When it was created, RFC 3339.
    #[schema(format = DateTime)]
    pub created: String,
    /// Whether it was asked to stop and has not stopped yet.
    pub stopping: bool,
    /// Its job, if it is queued or running on a cluster.
    pub job: Option<Job>,
    /// The RunSpec; of an imported run its name and the hyperparameters in its files.
    #[schema(value_type = Settings)]
    pub spec: Value,
    /// The source of the curves of an imported run, which has nothing but curves.
    pub source: Option<Source>,
    /// Labels.
    pub tags: Vec<String>,
    /// Its notes.
    pub notes: String,
    /// The sweep it belongs to.
    pub sweep: Option<String>,
    /// Its metrics.
    pub summary: Summary,
    /// The number of its last change: of two states of a run, the one with the greater number is the newer.
    pub changed: i64,
    /// The last indexed event.
    #[serde(skip)]
    pub seq: u64,
    /// The last event in the curves. Differs from the last indexed event only while an earlier version's curves are
    /// rebuilt.
    #[serde(skip)]
    pub curves: u64,
    /// The number of the change that last altered its curves other than by appending.
    #[serde(skip)]
    pub made: i64,
}

impl Run {
    /// Its labels.
    pub fn labels(&self) -> RunLabels {
        RunLabels {
            name: self.name.clone(),
            tags: self.tags.clone(),
            notes: self.notes.clone(),
        }
    }

    /// Refuses an imported run, which has only curves.
    ///
    /// # Errors
    /// [`Error::Conflict`] for an imported run; the message says that `what` is not possible.
    pub fn is_own(&self, what: &str) -> Result<()> {
        match &self.source {
            None => Ok(()),
            Some(_) => Err(Error::Conflict(format!(
                "The run was imported from TensorBoard files, which have only its curves: {what}."
            ))),
        }
    }
}

/// The row of a new run.
pub struct NewRun {
    /// Its id.
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// The RunSpec as JSON; of an imported run what replaces it.
    pub spec: String,
    /// The sweep it belongs to.
    pub sweep: Option<String>,
    /// Its first status.
    pub status: Status,
    /// Its former number; the next free one if it is new, or if another run has that number.
    pub number: Option<i64>,
    /// Labels.
    pub tags: Vec<String>,
    /// Its notes.
    pub notes: String,
}

impl NewRun {
    /// A run that is new to the index.
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
    key, job";

/// The index of `key` among [`COLUMNS`].
const KEY: usize = 16;

/// The index of `changed` among [`COLUMNS`].
const CHANGED: usize = 12;

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

/// The ids of the runs of a sweep, in the order in which they were created.
pub fn ids_of_sweep(connection: &Connection, sweep: &str) -> Result<Vec<RunId>> {
    let sql = "SELECT id FROM runs WHERE sweep = ?1 AND NOT deleted ORDER BY key";
    let mut statement = connection.prepare_cached(sql)?;
    let ids = statement.query_map([sweep], |row| row.get::<_, String>(0))?;
    Ok(ids.filter_map(|id| id.ok()?.parse().ok()).collect())
}

/// How many runs a sweep has, and how many of them are queued or running.
#[derive(Clone, Copy, Debug, Default)]
pub struct SweepCount {
    /// All runs.
    pub runs: usize,
    /// Those that are queued or running.
    pub active: usize,
}

/// The number of runs of each sweep.
pub fn count_by_sweep(connection: &Connection) -> Result<HashMap<String, SweepCount>> {
    let sql = "SELECT sweep, count(*), total(status IN ('queued', 'running')) FROM runs
               WHERE sweep IS NOT NULL AND NOT deleted GROUP BY sweep";
    let mut statement = connection.prepare_cached(sql)?;
    let counts = statement.query_map([], |row| {
        let count = SweepCount {
            runs: row.get(1)?,
            active: row.get::<_, f64>(2)? as usize,
        };
        Ok((row.get(0)?, count))
    })?;
    Ok(counts.filter_map(rusqlite::Result::ok).collect())
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

/// Whether a run is in the index and not deleted.
pub fn exists(connection: &Connection, id: RunId) -> Result<bool> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM runs WHERE id = ?1 AND NOT deleted")?
        .exists([id.to_string()])?)
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

/// A place in the order of changes: the number of a change, and of the runs that it changed the key of the last one
/// that was read.
pub type ChangePlace = (i64, i64);

/// The changes after a place.
#[derive(Debug)]
pub struct Changes {
    /// The current state of changed runs, in the order of their changes.
    pub runs: Vec<Run>,
    /// The ids of removed runs.
    pub removed: Vec<String>,
    /// Where to read on, if there are more than were asked for.
    pub more: Option<ChangePlace>,
}

/// The number of runs that changed after a place.
pub fn count_changed(connection: &Connection, after: ChangePlace) -> Result<usize> {
    let sql = "SELECT count(*) FROM runs WHERE (changed, key) > (?1, ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![after.0, after.1], |row| row.get(0))?)
}

/// The next changes after a place, of at most `limit` runs.
pub fn changed_since(connection: &Connection, after: ChangePlace, limit: usize) -> Result<Changes> {
    let sql = format!(
        "SELECT {COLUMNS}, deleted FROM runs WHERE (changed, key) > (?1, ?2) ORDER BY changed, key LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![after.0, after.1, limit as i64])?;
    let mut changes = Changes {
        runs: Vec::new(),
        removed: Vec::new(),
        more: None,
    };
    let (mut count, mut last) = (0, after);
    while let Some(row) = rows.next()? {
        count += 1;
        // A row whose number cannot be read sorts after all numbers; the repair gives it another.
        last = (row.get(CHANGED).unwrap_or(i64::MAX), row.get(KEY)?);
        if row.get("deleted").unwrap_or(false) {
            changes.removed.extend(row.get::<_, String>(0));
            continue;
        }
        match read(row) {
            Ok(run) => changes.runs.push(run),
            Err(Error::Unreadable(_)) => {}
            Err(error) => return Err(error),
        }
    }
    changes.more = (count == limit).then_some(last);
    Ok(changes)
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

fn read(row: &Row<'_>) -> Result<Run> {
    from_row(row).map_err(|error| {
        let id = row
            .get_ref(0)
            .ok()
            .and_then(|id| id.as_str().ok()?.parse().ok());
        damage::fault(row.get(KEY).unwrap_or_default(), id, error)
    })
}

/// All runs in the index, including removed ones whose directories may still be on their way out, with the indexed
/// position of their logs.
pub fn places(connection: &Connection) -> Result<Vec<(RunId, Place)>> {
    let sql = "SELECT id, offset, line_bytes, line_crc FROM runs";
    read_places(connection.prepare_cached(sql)?.query([])?)
}

/// Like [`places`], of the next `limit` runs after one.
pub fn places_after(
    connection: &Connection,
    after: Option<RunId>,
    limit: usize,
) -> Result<Vec<(RunId, Place)>> {
    let sql =
        "SELECT id, offset, line_bytes, line_crc FROM runs WHERE id > ?1 ORDER BY id LIMIT ?2";
    let after = after.map_or(String::new(), |id| id.to_string());
    let mut statement = connection.prepare_cached(sql)?;
    read_places(statement.query(params![after, limit as i64])?)
}

/// Like [`places`], of the runs that a user may resume.
pub fn places_to_resume(connection: &Connection) -> Result<Vec<(RunId, Place)>> {
    let sql = "SELECT id, offset, line_bytes, line_crc FROM runs
               WHERE status IN ('stopped', 'failed', 'interrupted') AND NOT deleted";
    read_places(connection.prepare_cached(sql)?.query([])?)
}

/// Like [`places`], of one run.
pub fn place_of_run(connection: &Connection, id: RunId) -> Result<Option<(RunId, Place)>> {
    let sql = "SELECT id, offset, line_bytes, line_crc FROM runs WHERE id = ?1";
    let places = read_places(connection.prepare_cached(sql)?.query([id.to_string()])?)?;
    Ok(places.into_iter().next())
}

/// Whether a run is in the index, removed or not.
pub fn is_known(connection: &Connection, id: RunId) -> Result<bool> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM runs WHERE id = ?1")?;
    Ok(statement.exists([id.to_string()])?)
}

/// The ids of all runs in the index, including removed ones.
pub fn all_ids(connection: &Connection) -> Result<HashSet<RunId>> {
    let mut statement = connection.prepare_cached("SELECT id FROM runs")?;
    let mut rows = statement.query([])?;
    let mut ids = HashSet::new();
    while let Some(row) = rows.next()? {
        ids.extend(
            row.get_ref(0)?
                .as_str()
                .ok()
                .and_then(|id| id.parse::<RunId>().ok()),
        );
    }
    Ok(ids)
}

fn read_places(mut rows: Rows<'_>) -> Result<Vec<(RunId, Place)>> {
    let mut places = Vec::new();
    while let Some(row) = rows.next()? {
        let id = row.get_ref(0)?.as_str().ok().and_then(|id| id.parse().ok());
        // The repair handles rows without a readable id.
        if let Some(id) = id {
            places.push((id, place_of(row, 1).unwrap_or_default()));
        }
    }
    Ok(places)
}

/// The indexed position of a log, from three columns.
pub(super) fn place_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Place> {
    let (bytes, crc): (Option<u64>, Option<u32>) = (row.get(column + 1)?, row.get(column + 2)?);
    Ok(Place {
        offset: row.get(column)?,
        line: bytes.zip(crc).map(|(bytes, crc)| Mark { bytes, crc }),
    })
}

/// The runs that are queued or running.
pub fn active(connection: &Connection) -> Result<Vec<RunId>> {
    let sql = "SELECT id FROM runs WHERE status IN ('queued', 'running') AND NOT deleted ORDER BY queued, id";
    let mut statement = connection.prepare_cached(sql)?;
    let ids = statement.query_map([], |row| row.get::<_, String>(0))?;
    let ids = ids.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

/// The runs in the queue of which nothing is indexed.
pub fn queued_without_events(connection: &Connection) -> Result<Vec<RunId>> {
    let sql = "SELECT id FROM runs WHERE status = 'queued' AND seq = 0 AND NOT deleted";
    let mut statement = connection.prepare_cached(sql)?;
    let ids = statement.query_map([], |row| row.get::<_, String>(0))?;
    Ok(ids.filter_map(|id| id.ok()?.parse().ok()).collect())
}

/// The number of the last change to any row.
pub fn last_change(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row(
        "SELECT coalesce(max(changed), 0) FROM runs WHERE typeof(changed) = 'integer'",
        [],
        |row| row.get(0),
    )?)
}

/// The number of runs with a status.
pub fn count(connection: &Connection, status: Status) -> Result<u64> {
    count_in(connection, status, None)
}

/// The number of runs with a status, of a sweep or at all.
pub fn count_in(connection: &Connection, status: Status, sweep: Option<&str>) -> Result<u64> {
    let sql = match sweep {
        Some(_) => "SELECT count(*) FROM runs WHERE sweep = ?2 AND status = ?1 AND NOT deleted",
        None => "SELECT count(*) FROM runs WHERE status = ?1 AND ?2 IS NULL AND NOT deleted",
    };
    Ok(connection
        .prepare_cached(sql)?
        .query_row(params![status.name(), sweep], |row| row.get(0))?)
}

/// The key of a run, used in the other tables.
///
/// # Errors
/// [`Error::NotFound`] when the run does not exist or is deleted.
pub fn key(connection: &Connection, id: RunId) -> Result<i64> {
    connection
        .prepare_cached("SELECT key FROM runs WHERE id = ?1 AND NOT deleted")?
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?
        .ok_or_else(|| Error::NotFound(format!("run {id}")))
}

/// Inserts a run; an existing row is left unchanged.
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
    // Labels from before the index was lost.
    if let Some(labels) = writing.labels_in_file(run.id) {
        run_labels::put(writing, run.id, &labels, writing.change())?;
    }
    if run.status == Status::Queued {
        enqueue(writing, run.id)
    } else {
        Ok(())
    }
}

/// Appends a run to the queue and clears the reason of its last end.
pub fn enqueue(writing: &Writing<'_>, id: RunId) -> Result<()> {
    writing
        .prepare_cached(
            "UPDATE runs SET status = 'queued', stopping = 0, reason = NULL, message = '', job = NULL, changed = ?2,
             queued = 1 + (SELECT coalesce(max(queued), 0) FROM runs) WHERE id = ?1",
        )?
        .execute(params![id.to_string(), writing.change()])?;
    Ok(())
}

/// Sets the status and message of a run, and removes it from the queue: those behind it move up.
pub fn set_status(writing: &Writing<'_>, id: RunId, status: Status, message: &str) -> Result<()> {
    move_others_up(writing, id)?;
    writing
        .prepare_cached(
            "UPDATE runs SET status = ?3, message = ?4, queued = NULL, stopping = 0, job = NULL, changed = ?2 WHERE id = ?1",
        )?
        .execute(params![id.to_string(), writing.change(), status.name(), message])?;
    Ok(())
}

/// Marks the runs that are in the queue behind one as changed, because it leaves the queue.
fn move_others_up(writing: &Writing<'_>, id: RunId) -> Result<()> {
    writing
        .prepare_cached(
            "UPDATE runs SET changed = ?2 WHERE queued > (SELECT queued FROM runs WHERE id = ?1)",
        )?
        .execute(params![id.to_string(), writing.change()])?;
    Ok(())
}

/// Records that the job of a run waits in a scheduler's queue, or is about to be submitted.
pub fn set_waiting(writing: &Writing<'_>, id: RunId, job: Option<&Job>) -> Result<()> {
    set_job(writing, id, Status::Queued, job)
}

/// Records that a worker trains the run, as the given job of a scheduler if it is one.
pub fn set_training(writing: &Writing<'_>, id: RunId, job: Option<&Job>) -> Result<()> {
    set_job(writing, id, Status::Running, job)
}

/// Writes nothing if nothing is new. A request to stop stays.
fn set_job(writing: &Writing<'_>, id: RunId, status: Status, job: Option<&Job>) -> Result<()> {
    let run = get(writing, id)?;
    if run.status == status && run.job.as_ref() == job && run.position.is_none() {
        return Ok(());
    }
    move_others_up(writing, id)?;
    let text = job
        .map(serde_json::to_string)
        .transpose()
        .map_err(|e| Error::json("the job of a run", e))?;
    writing
        .prepare_cached(
            "UPDATE runs SET status = ?3, job = ?4, reason = NULL, message = '', queued = NULL, changed = ?2 WHERE id = ?1",
        )?
        .execute(params![id.to_string(), writing.change(), status.name(), text])?;
    Ok(())
}

/// Records that a worker trains the run, and clears the reason of its last end.
pub fn set_running(writing: &Writing<'_>, id: RunId) -> Result<()> {
    set_status(writing, id, Status::Running, "")?;
    writing
        .prepare_cached("UPDATE runs SET reason = NULL WHERE id = ?1")?
        .execute([id.to_string()])?;
    Ok(())
}

/// Records that a run was asked to stop.
pub fn set_stopping(writing: &Writing<'_>, id: RunId) -> Result<()> {
    writing
        .prepare_cached("UPDATE runs SET stopping = 1, changed = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), writing.change()])?;
    Ok(())
}

/// Stores the state of a run after further events.
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

/// Runs with events that are not in their curves yet.
pub fn without_curves(connection: &Connection) -> Result<Vec<RunId>> {
    let sql = "SELECT id FROM runs WHERE curves < seq AND NOT deleted ORDER BY id DESC";
    let mut statement = connection.prepare_cached(sql)?;
    let ids = statement.query_map([], |row| row.get::<_, String>(0))?;
    Ok(ids.filter_map(|id| id.ok()?.parse().ok()).collect())
}

/// Records the last event that is in the curves of a run.
pub(super) fn set_curves(writing: &Writing<'_>, id: RunId, seq: u64) -> Result<()> {
    writing
        .prepare_cached("UPDATE runs SET curves = ?3, changed = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), writing.change(), seq])?;
    Ok(())
}

/// Records that the curves of a run were altered other than by appending.
pub(super) fn set_made(writing: &Writing<'_>, key: i64) -> Result<()> {
    writing
        .prepare_cached("UPDATE runs SET made = ?2 WHERE key = ?1")?
        .execute(params![key, writing.change()])?;
    Ok(())
}

/// The id of the run with a key, if it can be read.
pub(super) fn id_of(connection: &Connection, key: i64) -> Option<RunId> {
    let sql = "SELECT id FROM runs WHERE key = ?1";
    let id: String = connection.query_row(sql, [key], |row| row.get(0)).ok()?;
    id.parse().ok()
}

/// Replaces the specification of an imported run.
pub fn set_spec(writing: &Writing<'_>, id: RunId, spec: &str) -> Result<()> {
    writing
        .prepare_cached("UPDATE runs SET spec = ?3, changed = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), writing.change(), spec])?;
    Ok(())
}

/// The recorded specification of a run.
pub fn recorded_spec(connection: &Connection, id: RunId) -> Result<Option<String>> {
    Ok(connection
        .prepare_cached("SELECT spec FROM runs WHERE id = ?1 AND NOT deleted")?
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?)
}

/// Repairs an unreadable row from its directory. Labels (here or in their file), status and queue position are kept if
/// they can be read. Returns whether the status was lost.
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
