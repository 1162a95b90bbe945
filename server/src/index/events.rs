//! The lines of every `events.ndjson`, unchanged.

use rusqlite::{Connection, params};
use vivarium_models::contract::{self, Record};

use super::{Writing, curves, damage, removal, runs};
use crate::error::{Error, Result};
use crate::run_dir::RunId;
use crate::run_dir::tail::Place;

/// An indexed line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its sequence number in its run, from 1.
    pub seq: u64,
    /// The line, without its newline.
    pub body: String,
}

/// How far the log of a run is indexed.
pub fn place(connection: &Connection, id: RunId) -> Result<Place> {
    let sql = "SELECT offset, line_bytes, line_crc, key FROM runs WHERE id = ?1 AND NOT deleted";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([id.to_string()])?;
    let row = rows.next()?;
    let row = row.ok_or_else(|| Error::NotFound(format!("run {id}")))?;
    let key = row.get(3)?;
    runs::place_of(row, 0).map_err(|error| damage::fault(key, Some(id), error))
}

/// Removes all indexed events of a run whose log was replaced, since the log is authoritative.
pub fn begin_again(writing: &Writing<'_>, id: RunId) -> Result<()> {
    let key = runs::key(writing, id)?;
    removal::drop_events(writing, key)?;
    writing
        .prepare_cached(
            "UPDATE runs SET summary = '{}', offset = 0, seq = 0, curves = 0, made = ?2, line_bytes = NULL, line_crc = NULL, reason = NULL,
             changed = ?2 WHERE key = ?1",
        )?
        .execute(params![key, writing.change()])?;
    Ok(())
}

/// Indexes the lines of a run's log between two places. Returns `false` if the index is no longer at the first of
/// them; the caller then continues from the index's place.
///
/// # Errors
/// [`Error::EventLog`] when a line is not the next event; no line of the batch is kept.
pub fn append(
    writing: &Writing<'_>,
    id: RunId,
    from: Place,
    lines: &[String],
    to: Place,
) -> Result<bool> {
    if place(writing, id)? != from {
        return Ok(false);
    }
    let key = runs::key(writing, id)?;
    let mut run = runs::get(writing, id)?;
    let mut insert =
        writing.prepare_cached("INSERT INTO events (run, seq, body) VALUES (?1, ?2, ?3)")?;
    // Curves that are still being built from earlier events include these later.
    let curves_too = run.curves == run.seq;
    let mut curves = curves::Appender::new(writing, key);
    for text in lines {
        let number = run.seq + 1;
        let damaged = || Error::EventLog {
            path: format!("events of run {id}").into(),
            line: number,
        };
        let Record { seq, event, .. } = Record::parse(text).map_err(|_| damaged())?;
        if seq < number {
            continue;
        }
        if seq > number {
            return Err(damaged());
        }
        insert.execute(params![key, seq, text])?;
        if curves_too {
            curves.append(seq, &event)?;
            run.curves = seq;
        }
        run.seq = seq;
        run.summary.apply(&event);
        match event {
            contract::Event::Started(_) => {
                run.reason = None;
                run.message.clear();
            }
            contract::Event::Finished { reason, message } => {
                run.reason = Some(reason.name().to_owned());
                run.message = message;
            }
            _ => {}
        }
    }
    curves.finish()?;
    run.summary.epochs = run
        .spec
        .pointer("/training/epochs")
        .and_then(serde_json::Value::as_u64);
    runs::set_progress(writing, id, &run, to)?;
    Ok(true)
}

/// The events of a run after number `after`: at most `limit` of them and about `bytes` in total, but at least one if
/// there is one.
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
        let read = || -> rusqlite::Result<Event> {
            Ok(Event {
                seq: row.get(0)?,
                body: row.get(1)?,
            })
        };
        let event = read().map_err(|error| damage::fault(key, Some(id), error))?;
        size += event.body.len();
        events.push(event);
        if size >= bytes {
            break;
        }
    }
    Ok(events)
}
