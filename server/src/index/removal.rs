//! Removes runs from the index: their row is marked first, then their events are deleted in batches.

use rusqlite::{OptionalExtension as _, params};

use super::runs::{Status, key, set_status};
use super::{Writing, curves, run_labels};
use crate::error::Result;
use crate::run_dir::RunId;

/// Events of a removed run that are deleted per transaction, so that other writers are not delayed.
const PURGED: usize = 2000;

/// Marks a run as removed. Its events stay until they are [purged](purge), because a long log takes long.
pub fn delete(writing: &Writing<'_>, id: RunId) -> Result<()> {
    let key = key(writing, id)?;
    set_status(writing, id, Status::Stopped, "")?;
    // The trash has the labels.
    writing.save_labels(id, None)?;
    writing
        .prepare_cached("UPDATE runs SET deleted = 1 WHERE key = ?1")?
        .execute([key])?;
    Ok(())
}

/// Deletes a row whose run cannot be identified, with its events and curves.
pub fn forget_row(writing: &Writing<'_>, key: i64) -> Result<()> {
    drop_events(writing, key)?;
    writing.execute("DELETE FROM runs WHERE key = ?1", [key])?;
    Ok(())
}

/// Deletes the events and curves of a run.
pub(super) fn drop_events(writing: &Writing<'_>, key: i64) -> Result<()> {
    writing
        .prepare_cached("DELETE FROM events WHERE run = ?1")?
        .execute([key])?;
    curves::delete(writing, key)
}

/// Undoes the removal of a run.
pub fn undelete(writing: &Writing<'_>, id: RunId) -> Result<()> {
    writing
        .prepare_cached("UPDATE runs SET deleted = 0, changed = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), writing.change()])?;
    run_labels::set(writing, id, None, None, None)
}

/// Deletes some events of a removed run; returns whether there may be more.
pub fn purge(writing: &Writing<'_>) -> Result<bool> {
    let key: Option<i64> = writing
        .prepare_cached(
            "SELECT key FROM runs WHERE deleted AND EXISTS (SELECT 1 FROM events WHERE run = key) LIMIT 1",
        )?
        .query_row([], |row| row.get(0))
        .optional()?;
    let Some(key) = key else {
        return Ok(false);
    };
    let dropped = writing
        .prepare_cached(
            "DELETE FROM events WHERE run = ?1 AND seq IN
             (SELECT seq FROM events WHERE run = ?1 ORDER BY seq LIMIT ?2)",
        )?
        .execute(params![key, PURGED])?;
    if dropped < PURGED {
        curves::delete(writing, key)?;
    }
    Ok(true)
}

/// Deletes the row of a removed run that is being restored.
pub fn forget_deletion(writing: &Writing<'_>, id: RunId) -> Result<()> {
    let key: Option<i64> = writing
        .prepare_cached("SELECT key FROM runs WHERE id = ?1 AND deleted")?
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?;
    // Its number, which is the key of its events, may be reused.
    key.map_or(Ok(()), |key| forget_row(writing, key))
}

/// Deletes the rows of removed runs whose events are [purged](purge). Call it when no reader can still miss them.
pub fn forget_deleted(writing: &Writing<'_>) -> Result<()> {
    writing.execute(
        "DELETE FROM runs WHERE deleted AND NOT EXISTS (SELECT 1 FROM events WHERE run = key)",
        [],
    )?;
    Ok(())
}
