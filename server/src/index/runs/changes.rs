//! What changed after a place in the order of changes.

use rusqlite::{Connection, params};

use super::Run;
use super::rows::{CHANGED, COLUMNS, KEY, read};
use crate::error::{Error, Result};

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

/// The number of the last change to any row.
pub fn last_change(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row(
        "SELECT coalesce(max(changed), 0) FROM runs WHERE typeof(changed) = 'integer'",
        [],
        |row| row.get(0),
    )?)
}
