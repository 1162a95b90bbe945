//! The order of a list, and places in it.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::is_path;
use crate::error::{Error, Result};
use crate::index::fields::{SORT_KEYS, SortValue, names};
use crate::run_dir::RunId;

/// The order of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// One of [`SORT_KEYS`], or the path of a setting.
    pub(super) key: String,
    descending: bool,
}

impl Default for Order {
    /// The newest first.
    fn default() -> Self {
        Self {
            key: "created".to_owned(),
            descending: true,
        }
    }
}

impl Order {
    /// Reads a key, after a minus for the descending order.
    ///
    /// # Errors
    /// [`Error::Field`] of `sort`.
    pub fn read(text: &str) -> Result<Self> {
        let (key, descending) = match text.strip_prefix('-') {
            Some(key) => (key, true),
            None => (text, false),
        };
        if !names(&SORT_KEYS).any(|known| known == key) && !is_path(key) {
            let message = format!(
                "must be one of {}, or the path of a setting such as training.optimizer.lr; a minus before it sorts in descending order",
                names(&SORT_KEYS).collect::<Vec<_>>().join(", ")
            );
            return Err(Error::field("sort", text, message));
        }
        Ok(Self {
            key: key.to_owned(),
            descending,
        })
    }

    pub(super) fn name(&self) -> String {
        format!("{}{}", if self.descending { "-" } else { "" }, self.key)
    }

    /// What has no value comes last in both directions, and newer runs come first among equals.
    pub(super) fn compare(&self, a: &Place, b: &Place) -> Ordering {
        let by_value = match (&a.value, &b.value) {
            (Some(a), Some(b)) if self.descending => b.compare(a),
            (Some(a), Some(b)) => a.compare(b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        };
        by_value.then_with(|| b.id.cmp(&a.id))
    }
}

/// The place of a run in an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Place {
    #[serde(rename = "v")]
    pub(super) value: Option<SortValue>,
    #[serde(rename = "i")]
    pub(super) id: RunId,
}

/// The end of a page.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// The order, which another page cannot continue.
    #[serde(rename = "o")]
    pub(super) order: String,
    /// The value of the last run's group, as JSON.
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<String>,
    #[serde(flatten)]
    pub(super) place: Place,
}

impl Cursor {
    pub(super) fn read(text: &str, order: &Order) -> Result<Self> {
        let bytes = hex::decode(text).ok();
        let read = bytes.and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        read.filter(|cursor| cursor.order == order.name())
            .ok_or_else(|| {
                let message = "must be the `next` of an answer to the same question";
                Error::field("cursor", text, message)
            })
    }

    pub(super) fn write(&self) -> String {
        hex::encode(serde_json::to_vec(self).unwrap_or_default())
    }
}
