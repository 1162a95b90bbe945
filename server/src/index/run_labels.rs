//! Names, tags and notes of runs: in their rows, and in files that outlive the index.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params};
use serde::Deserialize;
use serde_json::Value;

use super::Writing;
use super::runs::{find, last_change};
use crate::error::Result;
use crate::labels::{LabelFiles, RunLabels};
use crate::run_dir::RunId;

/// Sets the labels that a user gave; `None` leaves a label unchanged.
pub fn set(
    writing: &Writing<'_>,
    id: RunId,
    name: Option<&str>,
    tags: Option<&[String]>,
    notes: Option<&str>,
) -> Result<()> {
    let tags = tags.map(|tags| Value::from(tags).to_string());
    writing
        .prepare_cached(
            "UPDATE runs SET name = coalesce(?3, name), tags = coalesce(?4, tags), notes = coalesce(?5, notes),
             changed = ?2 WHERE id = ?1",
        )?
        .execute(params![id.to_string(), writing.change(), name, tags, notes])?;
    match find(writing, id)? {
        Some(run) => writing.save_labels(id, Some(&run.labels())),
        None => Ok(()),
    }
}

/// Replaces all labels of a row.
pub(super) fn put(
    connection: &Connection,
    id: RunId,
    labels: &RunLabels,
    change: i64,
) -> rusqlite::Result<()> {
    let RunLabels { name, tags, notes } = labels;
    let tags = Value::from(&tags[..]).to_string();
    connection
        .prepare_cached(
            "UPDATE runs SET name = ?3, tags = ?4, notes = ?5, changed = ?2 WHERE id = ?1",
        )?
        .execute(params![id.to_string(), change, name, tags, notes])?;
    Ok(())
}

/// Reconciles rows and label files at the start. The files take precedence; labels that only the index has, because it
/// is older than the files or a write was interrupted, are written to files.
pub fn reconcile(connection: &Connection, files: &LabelFiles) -> Result<()> {
    let in_files: HashMap<RunId, RunLabels> = files.list().into_iter().collect();
    let transaction = connection.unchecked_transaction()?;
    let change = last_change(connection)? + 1;
    let mut from_files = Vec::new();
    let mut statement =
        connection.prepare("SELECT id, name, tags, notes, spec FROM runs WHERE NOT deleted")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        // A row that cannot be read is repaired later, and its file is read then.
        let Some(InRow { id, labels, told }) = in_row(row) else {
            continue;
        };
        match in_files.get(&id) {
            Some(in_file) if *in_file != labels => {
                tracing::info!(run = %id, "its labels are taken from their file");
                from_files.push((id, in_file));
            }
            None if labels.say_more_than(told.as_deref()) => {
                if let Err(error) = files.save(id, &labels) {
                    tracing::error!(run = %id, %error, "its labels are only in the index");
                }
            }
            _ => {}
        }
    }
    drop(rows);
    drop(statement);
    for (id, labels) in from_files {
        put(connection, id, labels, change)?;
    }
    Ok(transaction.commit()?)
}

/// What a row says of names, tags and notes.
struct InRow {
    id: RunId,
    labels: RunLabels,
    /// The name in the run's settings.
    told: Option<String>,
}

/// Reads the labels alone: reading a row whole takes ten times as long, and every start waits for all of them.
fn in_row(row: &Row<'_>) -> Option<InRow> {
    #[derive(Deserialize)]
    struct Settings {
        #[serde(default)]
        name: Option<String>,
    }
    let text = |column: usize| row.get_ref(column).ok()?.as_str().ok();
    let settings: Settings = serde_json::from_str(text(4)?).ok()?;
    Some(InRow {
        id: text(0)?.parse().ok()?,
        labels: RunLabels {
            name: text(1)?.to_owned(),
            tags: serde_json::from_str(text(2)?).ok()?,
            notes: text(3)?.to_owned(),
        },
        told: settings.name,
    })
}
