//! The fields that a search compares, and the keys that runs are sorted by: what each reads of a run.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::facts::{Facts, text_of};
use super::runs::Status;
use super::summary::Summary;

type ReadTexts = for<'a> fn(&'a Facts) -> Vec<Cow<'a, str>>;
type ReadNumber = fn(&Summary) -> Option<f64>;
type ReadSortValue = fn(&Facts) -> Option<SortValue>;

/// Text fields. A run may have several values of one.
pub const TEXT_FIELDS: [(&str, ReadTexts); 9] = [
    ("name", |run| vec![Cow::from(&run.name)]),
    ("status", |run| {
        vec![run.status.name().into(), run.state().into()]
    }),
    ("network", |run| setting(run, NETWORK)),
    ("data", |run| setting(run, DATA)),
    ("source", |run| vec![run.source().into()]),
    ("tag", |run| run.tags.iter().map(Cow::from).collect()),
    ("notes", |run| vec![Cow::from(&run.notes)]),
    ("sweep", |run| run.sweep.iter().map(Cow::from).collect()),
    ("id", |run| vec![run.id.to_string().into()]),
];

/// Numeric fields.
pub const NUMBER_FIELDS: [(&str, ReadNumber); 11] = [
    ("accuracy", |summary| summary.best_validation_accuracy),
    ("test", |summary| summary.test_accuracy),
    ("loss", |summary| summary.validation_loss),
    ("train_loss", |summary| summary.train_loss),
    ("train_accuracy", |summary| summary.train_accuracy),
    ("parameters", |summary| count(summary.parameters)),
    ("seconds", |summary| summary.seconds),
    ("memory", |summary| count(summary.peak_memory_bytes)),
    ("speed", |summary| summary.images_per_s),
    ("epoch", |summary| count(summary.epoch)),
    ("step", |summary| count(summary.step)),
];

/// The keys that runs are sorted by, beside the paths of settings.
pub const SORT_KEYS: [(&str, ReadSortValue); 15] = [
    // Ids grow with time.
    ("created", |run| text(&run.id.to_string())),
    ("status", |run| number(Some(place_of(run.status)))),
    ("name", |run| text(&run.name.to_lowercase())),
    ("network", |run| text(run.setting(NETWORK)?)),
    ("data", |run| text(run.setting(DATA)?)),
    ("progress", |run| number(Some(progress(run.summary())))),
    ("train_loss", |run| number(run.number("train_loss"))),
    ("loss", |run| number(run.number("loss"))),
    ("last", |run| number(run.summary().validation_accuracy)),
    ("validation", |run| number(run.number("accuracy"))),
    ("test", |run| number(run.number("test"))),
    ("parameters", |run| number(run.number("parameters"))),
    ("memory", |run| number(run.number("memory"))),
    ("speed", |run| number(run.number("speed"))),
    ("seconds", |run| number(run.number("seconds"))),
];

const NETWORK: &str = "/network/kind";
const DATA: &str = "/data/set";

/// A value by which runs are sorted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

impl Facts {
    /// The values of one of [`TEXT_FIELDS`].
    pub fn texts(&self, field: &str) -> Vec<Cow<'_, str>> {
        find(&TEXT_FIELDS, field).map_or(Vec::new(), |read| read(self))
    }

    /// The value of one of [`NUMBER_FIELDS`].
    pub fn number(&self, field: &str) -> Option<f64> {
        find(&NUMBER_FIELDS, field)?(self.summary())
    }

    /// Its value under one of [`SORT_KEYS`], or of the setting at a path; `None` where it has none.
    pub fn sort_value(&self, key: &str) -> Option<SortValue> {
        if let Some(read) = find(&SORT_KEYS, key) {
            return read(self);
        }
        match self.setting_at(key)? {
            Value::Null => None,
            Value::Number(value) => number(value.as_f64()),
            value => text(&text_of(value)),
        }
    }
}

/// The names in one of the tables.
pub fn names<'a, T>(table: &'a [(&'a str, T)]) -> impl Iterator<Item = &'a str> {
    table.iter().map(|(name, _)| *name)
}

fn find<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    let found = table.iter().find(|(known, _)| *known == name);
    found.map(|(_, read)| *read)
}

fn setting<'a>(run: &'a Facts, pointer: &str) -> Vec<Cow<'a, str>> {
    run.setting(pointer).map(Cow::from).into_iter().collect()
}

fn count(count: Option<u64>) -> Option<f64> {
    count.map(|count| count as f64)
}

fn number(value: Option<f64>) -> Option<SortValue> {
    value.map(SortValue::Number)
}

fn text(value: &str) -> Option<SortValue> {
    Some(SortValue::Text(value.to_owned()))
}

/// The place of a status in the order of runs: what is going on comes first.
fn place_of(status: Status) -> f64 {
    let order = [
        Status::Running,
        Status::Queued,
        Status::Interrupted,
        Status::Failed,
        Status::Stopped,
    ];
    let place = order.iter().position(|known| *known == status);
    place.unwrap_or(order.len()) as f64
}

/// The completed fraction of a run, 0 to 1.
fn progress(Summary { step, steps, .. }: &Summary) -> f64 {
    let share = step.zip(*steps).filter(|(_, steps)| *steps > 0);
    let share = share.map_or(0.0, |(step, steps)| step as f64 / steps as f64);
    share.min(1.0)
}
