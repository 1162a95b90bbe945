//! What further events change in a row.

use rusqlite::params;

use super::Run;
use crate::error::Result;
use crate::index::Writing;
use crate::run_dir::RunId;
use crate::run_dir::tail::Place;

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

/// Records the last event that is in the curves of a run.
pub(in crate::index) fn set_curves(writing: &Writing<'_>, id: RunId, seq: u64) -> Result<()> {
    writing
        .prepare_cached("UPDATE runs SET curves = ?3, changed = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), writing.change(), seq])?;
    Ok(())
}

/// Records that the curves of a run were altered other than by appending.
pub(in crate::index) fn set_made(writing: &Writing<'_>, key: i64) -> Result<()> {
    writing
        .prepare_cached("UPDATE runs SET made = ?2 WHERE key = ?1")?
        .execute(params![key, writing.change()])?;
    Ok(())
}
