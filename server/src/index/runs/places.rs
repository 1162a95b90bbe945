//! How far the log of each run is indexed.

use rusqlite::{Connection, Row, Rows, params};

use crate::error::Result;
use crate::run_dir::RunId;
use crate::run_dir::tail::{Mark, Place};

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
pub(in crate::index) fn place_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Place> {
    let (bytes, crc): (Option<u64>, Option<u32>) = (row.get(column + 1)?, row.get(column + 2)?);
    Ok(Place {
        offset: row.get(column)?,
        line: bytes.zip(crc).map(|(bytes, crc)| Mark { bytes, crc }),
    })
}
