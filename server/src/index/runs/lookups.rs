//! Which runs there are, and how many: ids, keys and counts, without reading whole rows.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension as _, params};

use vivarium_models::data::IMPORTED;

use super::Status;
use crate::error::{Error, Result};
use crate::run_dir::RunId;

/// Whether a run is in the index and not deleted.
pub fn exists(connection: &Connection, id: RunId) -> Result<bool> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM runs WHERE id = ?1 AND NOT deleted")?
        .exists([id.to_string()])?)
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

/// The id of the run with a key, if it can be read.
pub(in crate::index) fn id_of(connection: &Connection, key: i64) -> Option<RunId> {
    let sql = "SELECT id FROM runs WHERE key = ?1";
    let id: String = connection.query_row(sql, [key], |row| row.get(0)).ok()?;
    id.parse().ok()
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

/// Runs with events that are not in their curves yet.
pub fn without_curves(connection: &Connection) -> Result<Vec<RunId>> {
    let sql = "SELECT id FROM runs WHERE curves < seq AND NOT deleted ORDER BY id DESC";
    let mut statement = connection.prepare_cached(sql)?;
    let ids = statement.query_map([], |row| row.get::<_, String>(0))?;
    Ok(ids.filter_map(|id| id.ok()?.parse().ok()).collect())
}

/// The ids of the runs of a sweep, in the order in which they were created.
pub fn ids_of_sweep(connection: &Connection, sweep: &str) -> Result<Vec<RunId>> {
    let sql = "SELECT id FROM runs WHERE sweep = ?1 AND NOT deleted ORDER BY key";
    let mut statement = connection.prepare_cached(sql)?;
    let ids = statement.query_map([sweep], |row| row.get::<_, String>(0))?;
    Ok(ids.filter_map(|id| id.ok()?.parse().ok()).collect())
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

/// The number of runs on each version of a data set's labels; earlier runs have the labels that were imported.
pub fn count_by_version(connection: &Connection, set: &str) -> Result<HashMap<String, usize>> {
    let sql = "SELECT coalesce(json_extract(spec, '$.data.version'), ?2), count(*) FROM runs
               WHERE json_valid(spec) AND json_extract(spec, '$.data.set') = ?1 AND NOT deleted GROUP BY 1";
    let mut statement = connection.prepare_cached(sql)?;
    let counts = statement.query_map([set, IMPORTED], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(counts.filter_map(rusqlite::Result::ok).collect())
}

/// The recorded specification of a run.
pub fn recorded_spec(connection: &Connection, id: RunId) -> Result<Option<String>> {
    Ok(connection
        .prepare_cached("SELECT spec FROM runs WHERE id = ?1 AND NOT deleted")?
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?)
}
