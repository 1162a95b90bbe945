//! What is searched, filtered and sorted of a run. Settings and figures are parsed when they are first asked for: most
//! searches need neither, and ten thousand runs are read for each.

use std::cell::OnceCell;

use rusqlite::Row;
use serde_json::Value;

use super::damage;
use super::runs::Status;
use super::search::field_of;
use super::summary::Summary;
use crate::error::Result;
use crate::run_dir::RunId;

/// The columns that are read.
pub const COLUMNS: &str =
    "key, id, name, tags, notes, sweep, status, stopping, reason, spec, summary";

/// A run as it is searched.
#[derive(Debug)]
pub struct Facts {
    /// The key of its row.
    pub key: i64,
    /// Its id.
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its notes.
    pub notes: String,
    /// The sweep it belongs to.
    pub sweep: Option<String>,
    /// Its status.
    pub status: Status,
    stopping: bool,
    reason: Option<String>,
    spec_text: String,
    summary_text: String,
    spec: OnceCell<Value>,
    summary: OnceCell<Summary>,
}

impl Facts {
    /// Reads a row of [`COLUMNS`].
    ///
    /// # Errors
    /// [`Error::Unreadable`](crate::error::Error::Unreadable).
    pub fn read(row: &Row<'_>) -> Result<Self> {
        let key = row.get(0)?;
        Self::of_row(row, key).map_err(|error| damage::fault(key, id_of(row), error))
    }

    fn of_row(row: &Row<'_>, key: i64) -> rusqlite::Result<Self> {
        let tags: String = row.get(3)?;
        let status: String = row.get(6)?;
        Ok(Self {
            key,
            id: id_of(row).ok_or_else(|| unreadable(1, "the id is not one of a run"))?,
            name: row.get(2)?,
            tags: serde_json::from_str(&tags).map_err(|error| unreadable(3, error))?,
            notes: row.get(4)?,
            sweep: row.get(5)?,
            status: Status::parse(&status),
            stopping: row.get(7)?,
            reason: row.get(8)?,
            spec_text: row.get(9)?,
            summary_text: row.get(10)?,
            spec: OnceCell::new(),
            summary: OnceCell::new(),
        })
    }

    /// Its settings.
    pub fn spec(&self) -> &Value {
        // What cannot be read is found, and repaired, where the run is read whole.
        self.spec
            .get_or_init(|| serde_json::from_str(&self.spec_text).unwrap_or_default())
    }

    /// Its figures.
    pub fn summary(&self) -> &Summary {
        self.summary
            .get_or_init(|| serde_json::from_str(&self.summary_text).unwrap_or_default())
    }

    pub(super) fn setting(&self, pointer: &str) -> Option<&str> {
        self.spec().pointer(pointer)?.as_str()
    }

    /// Whether it was imported.
    pub fn is_imported(&self) -> bool {
        self.spec().get("source").is_some()
    }

    pub(super) fn source(&self) -> &str {
        match self.spec().get("source") {
            Some(source) => source["kind"].as_str().unwrap_or_default(),
            None => "vivarium",
        }
    }

    /// Its state in the words of the pages.
    pub(super) fn state(&self) -> &'static str {
        match (self.status, self.reason.as_deref()) {
            (Status::Running, _) if self.stopping => "stopping",
            (Status::Finished, Some("diverged")) => "diverged",
            (Status::Finished, Some("early_stopped")) => "stopped early",
            (status, _) => status.name(),
        }
    }

    /// Everything that a word without a field may be in, in lower case.
    pub fn searched_text(&self) -> String {
        let setting = |pointer| self.setting(pointer).unwrap_or_default();
        let id = self.id.to_string();
        let mut parts = vec![
            self.name.as_str(),
            &self.notes,
            self.state(),
            setting("/network/kind"),
            setting("/data/set"),
            setting("/network/activation"),
            setting("/training/optimizer/kind"),
            if self.is_imported() {
                self.source()
            } else {
                ""
            },
            &id,
        ];
        parts.extend(self.tags.iter().map(String::as_str));
        parts.join(" ").to_lowercase()
    }

    /// The settings with a short name.
    pub fn settings_named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Value> {
        let mut found = Vec::new();
        leaves(self.spec(), &mut |path, value| {
            if field_of(path) == name {
                found.push(value);
            }
        });
        found.into_iter()
    }

    /// The setting at a path.
    pub fn setting_at(&self, path: &str) -> Option<&Value> {
        let mut found = None;
        leaves(self.spec(), &mut |at, value| {
            if at == path {
                found = Some(value);
            }
        });
        found
    }
}

fn id_of(row: &Row<'_>) -> Option<RunId> {
    row.get_ref(1).ok()?.as_str().ok()?.parse().ok()
}

fn unreadable(
    column: usize,
    why: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, why.into())
}

/// Calls `each` with the path and the value of every setting: not the name, which is no setting, and not the source of
/// an imported run.
pub fn leaves<'a>(spec: &'a Value, each: &mut dyn FnMut(&str, &'a Value)) {
    let mut path = String::new();
    for (key, value) in spec.as_object().into_iter().flatten() {
        if !matches!(key.as_str(), "name" | "source") {
            walk(key, value, &mut path, each);
        }
    }
}

fn walk<'a>(key: &str, value: &'a Value, path: &mut String, each: &mut dyn FnMut(&str, &'a Value)) {
    let length = path.len();
    if length > 0 {
        path.push('.');
    }
    path.push_str(key);
    match value.as_object() {
        Some(inner) => inner
            .iter()
            .for_each(|(key, value)| walk(key, value, path, each)),
        None => each(path, value),
    }
    path.truncate(length);
}

/// A value of a setting as text: a list's items are joined by commas.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// A run with these settings and figures.
#[cfg(test)]
pub fn run_for_tests(spec: &Value, summary: &Value) -> Facts {
    Facts {
        key: 1,
        id: RunId::next(),
        name: spec["name"].as_str().unwrap_or_default().to_owned(),
        tags: Vec::new(),
        notes: String::new(),
        sweep: None,
        status: Status::Finished,
        stopping: false,
        reason: Some("completed".to_owned()),
        spec_text: spec.to_string(),
        summary_text: summary.to_string(),
        spec: OnceCell::new(),
        summary: OnceCell::new(),
    }
}
