//! New rows, and rows that are written again from their directories.

use rusqlite::params;
use serde_json::Value;

use super::{Status, enqueue};
use crate::error::Result;
use crate::index::{Writing, run_labels};
use crate::labels::RunLabels;
use crate::run_dir::RunId;

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

/// Replaces the specification of an imported run.
pub fn set_spec(writing: &Writing<'_>, id: RunId, spec: &str) -> Result<()> {
    writing
        .prepare_cached("UPDATE runs SET spec = ?3, changed = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), writing.change(), spec])?;
    Ok(())
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
