//! What is searched, filtered and sorted of a run. Settings and figures are parsed when they are first asked for: most
//! searches need neither, and ten thousand runs are read for each.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::cmp::Ordering;

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

/// A value by which runs are sorted.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum SortValue {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

impl SortValue {
    /// The ascending order: numbers come before texts.
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

/// The keys that runs are sorted by, beside the paths of settings.
pub const SORT_KEYS: [&str; 15] = [
    "created",
    "status",
    "name",
    "network",
    "data",
    "progress",
    "train_loss",
    "loss",
    "last",
    "validation",
    "test",
    "parameters",
    "memory",
    "speed",
    "seconds",
];

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

    fn setting(&self, pointer: &str) -> Option<&str> {
        self.spec().pointer(pointer)?.as_str()
    }

    /// Whether it was imported.
    pub fn is_imported(&self) -> bool {
        self.spec().get("source").is_some()
    }

    fn source(&self) -> &str {
        match self.spec().get("source") {
            Some(source) => source["kind"].as_str().unwrap_or_default(),
            None => "vivarium",
        }
    }

    /// Its state in the words of the pages.
    fn state(&self) -> &'static str {
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

    /// The values of a text field.
    pub fn texts(&self, field: &str) -> Vec<Cow<'_, str>> {
        let setting = |pointer| self.setting(pointer).map(Cow::from).into_iter().collect();
        match field {
            "name" => vec![Cow::from(&self.name)],
            "status" => vec![self.status.name().into(), self.state().into()],
            "network" => setting("/network/kind"),
            "data" => setting("/data/set"),
            "source" => vec![self.source().into()],
            "tag" => self.tags.iter().map(Cow::from).collect(),
            "notes" => vec![Cow::from(&self.notes)],
            "sweep" => self.sweep.iter().map(Cow::from).collect(),
            "id" => vec![self.id.to_string().into()],
            _ => Vec::new(),
        }
    }

    /// The value of a numeric field.
    pub fn number(&self, field: &str) -> Option<f64> {
        let summary = self.summary();
        let count = |count: Option<u64>| count.map(|count| count as f64);
        match field {
            "accuracy" => summary.best_validation_accuracy,
            "test" => summary.test_accuracy,
            "loss" => summary.validation_loss,
            "train_loss" => summary.train_loss,
            "train_accuracy" => summary.train_accuracy,
            "last" => summary.validation_accuracy,
            "parameters" => count(summary.parameters),
            "seconds" => summary.seconds,
            "memory" => count(summary.peak_memory_bytes),
            "speed" => summary.images_per_s,
            "epoch" => count(summary.epoch),
            "step" => count(summary.step),
            _ => None,
        }
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

    /// Its value under one of [`SORT_KEYS`], or of the setting at a path; `None` where it has none.
    pub fn sort_value(&self, key: &str) -> Option<SortValue> {
        let text = |text: &str| Some(SortValue::Text(text.to_owned()));
        match key {
            // Ids grow with time.
            "created" => text(&self.id.to_string()),
            "status" => {
                let order = [
                    Status::Running,
                    Status::Queued,
                    Status::Interrupted,
                    Status::Failed,
                    Status::Stopped,
                ];
                let place = order.iter().position(|status| *status == self.status);
                Some(SortValue::Number(place.unwrap_or(order.len()) as f64))
            }
            "name" => text(&self.name.to_lowercase()),
            "network" => text(self.setting("/network/kind")?),
            "data" => text(self.setting("/data/set")?),
            "progress" => {
                let Summary { step, steps, .. } = self.summary();
                let share = step.zip(*steps).filter(|(_, steps)| *steps > 0);
                let share = share.map_or(0.0, |(step, steps)| step as f64 / steps as f64);
                Some(SortValue::Number(share.min(1.0)))
            }
            "validation" => self.number("accuracy").map(SortValue::Number),
            key if SORT_KEYS.contains(&key) => self.number(key).map(SortValue::Number),
            path => match self.setting_at(path)? {
                Value::Null => None,
                Value::Number(number) => number.as_f64().map(SortValue::Number),
                value => text(&text_of(value)),
            },
        }
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
