//! The lines of every `events.ndjson`, as they are.

use rusqlite::{Connection, params};

use super::line::{self, Line};
use super::{Writing, curves, runs};
use crate::error::{Error, Result};
use crate::run_dir::RunId;

/// An indexed line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number in its run, from 1.
    pub seq: u64,
    /// The line, without its end.
    pub body: String,
}

/// Indexes the lines that follow byte `from` of a run's log and end at byte `to`.
///
/// Lines that are indexed already are passed over, so that nothing is ever indexed twice.
///
/// # Errors
/// [`Error::EventLog`] when a line is not the next event: nothing of the batch is kept.
pub fn append(writing: &Writing<'_>, id: RunId, lines: &[String], to: u64) -> Result<()> {
    let key = runs::key(writing, id)?;
    let mut run = runs::get(writing, id)?;
    let mut insert =
        writing.prepare_cached("INSERT INTO events (run, seq, body) VALUES (?1, ?2, ?3)")?;
    for text in lines {
        let number = run.seq + 1;
        let damaged = || Error::EventLog {
            path: format!("events of run {id}").into(),
            line: number,
        };
        let (seq, line) = line::parse(text).ok_or_else(damaged)?;
        if seq < number {
            continue;
        }
        if seq > number {
            return Err(damaged());
        }
        insert.execute(params![key, seq, text])?;
        curves::append(writing, key, seq, &line)?;
        run.seq = seq;
        run.summary.apply(&line);
        match line {
            Line::Started { .. } => {
                run.reason = None;
                run.message.clear();
            }
            Line::Finished { reason, message } => {
                run.reason = Some(reason);
                run.message = message;
            }
            _ => {}
        }
    }
    run.summary.epochs = run
        .spec
        .pointer("/training/epochs")
        .and_then(serde_json::Value::as_u64);
    run.offset = to;
    runs::set_progress(writing, id, &run)
}

/// The events of a run after number `after`, at most `limit` of them and about `bytes` long
/// together, but at least one where there is one.
pub fn after(
    connection: &Connection,
    id: RunId,
    after: u64,
    limit: usize,
    bytes: usize,
) -> Result<Vec<Event>> {
    let key = runs::key(connection, id)?;
    let mut statement = connection.prepare_cached(
        "SELECT seq, body FROM events WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
    )?;
    let mut rows = statement.query(params![key, after, limit as i64])?;
    let mut events = Vec::new();
    let mut size = 0;
    while let Some(row) = rows.next()? {
        let event = Event {
            seq: row.get(0)?,
            body: row.get(1)?,
        };
        size += event.body.len();
        events.push(event);
        if size >= bytes {
            break;
        }
    }
    Ok(events)
}

/// Calls `each` with every event of a run in order; `each` says whether to go on.
pub fn for_each(
    connection: &Connection,
    id: RunId,
    mut each: impl FnMut(u64, &str) -> bool,
) -> Result<()> {
    let key = runs::key(connection, id)?;
    let mut statement =
        connection.prepare_cached("SELECT seq, body FROM events WHERE run = ?1 ORDER BY seq")?;
    let mut rows = statement.query([key])?;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(1)?.as_str().unwrap_or_default();
        if !each(row.get(0)?, body) {
            break;
        }
    }
    Ok(())
}
