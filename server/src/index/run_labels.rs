//! Names, tags and notes of runs: in their rows, and in files that outlive the index.

use std::collections::HashMap;

use rusqlite::{Connection, params};
use serde_json::Value;

use super::Writing;
use super::runs::{find, last_change, list};
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
    let (known, _) = list(connection)?;
    let in_files: HashMap<RunId, RunLabels> = files.list().into_iter().collect();
    let transaction = connection.unchecked_transaction()?;
    let change = last_change(connection)? + 1;
    for run in known {
        match in_files.get(&run.id) {
            Some(labels) if *labels != run.labels() => {
                tracing::info!(run = %run.id, "its labels are taken from their file");
                put(connection, run.id, labels, change)?;
            }
            None if run.is_labelled() => {
                if let Err(error) = files.save(run.id, &run.labels()) {
                    tracing::error!(run = %run.id, %error, "its labels are only in the index");
                }
            }
            _ => {}
        }
    }
    Ok(transaction.commit()?)
}
