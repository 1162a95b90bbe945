//! Rows that cannot be read: whoever meets one goes on without it, and it is noted here for the supervisor, which
//! reads the run again from its directory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{BadRow, Error, Result};
use crate::run_dir::RunId;

/// A run that cannot be shown, as the API tells it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unreadable {
    /// The run, where that is known.
    pub id: Option<RunId>,
    /// Why.
    pub message: String,
}

/// The rows that were met.
#[derive(Debug, Default)]
pub(super) struct Damage(Mutex<BTreeMap<i64, Met>>);

#[derive(Debug)]
struct Met {
    row: BadRow,
    /// Why it could not be repaired.
    beyond_repair: Option<String>,
}

impl Damage {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, Met>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn met(&self, row: BadRow) {
        self.lock().entry(row.key).or_insert_with(|| {
            tracing::error!(%row, "the index has a row that cannot be read");
            Met {
                row,
                beyond_repair: None,
            }
        });
    }

    pub(super) fn to_repair(&self) -> Vec<BadRow> {
        let met = self.lock();
        let open = met.values().filter(|met| met.beyond_repair.is_none());
        open.map(|met| met.row.clone()).collect()
    }

    pub(super) fn repaired(&self, key: i64) {
        self.lock().remove(&key);
    }

    pub(super) fn beyond_repair(&self, key: i64, why: String) {
        if let Some(met) = self.lock().get_mut(&key) {
            met.beyond_repair = Some(why);
        }
    }

    pub(super) fn unreadable(&self) -> Vec<Unreadable> {
        let met = self.lock();
        let told = met.values().map(|met| Unreadable {
            id: met.row.id,
            message: match &met.beyond_repair {
                Some(why) => format!("{}; {why}", met.row.fault),
                None => format!("{}; it is read again from its directory", met.row.fault),
            },
        });
        told.collect()
    }
}

/// Tells a row that is at fault from an index that is.
pub(super) fn fault(key: i64, id: Option<RunId>, error: rusqlite::Error) -> Error {
    use rusqlite::Error as E;
    match error {
        E::FromSqlConversionFailure(..)
        | E::InvalidColumnType(..)
        | E::IntegralValueOutOfRange(..)
        | E::Utf8Error(..) => Error::Unreadable(BadRow {
            key,
            id,
            fault: error.to_string(),
        }),
        other => other.into(),
    }
}

/// A row of the table of runs as it is, to be kept before it is mended. Bytes that are no text are lost in it.
pub fn row_as_json(connection: &Connection, key: i64) -> Result<Option<Value>> {
    let mut statement = connection.prepare("SELECT * FROM runs WHERE key = ?1")?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let row = statement.query_row([key], |row| {
        let mut all = Map::new();
        for (i, name) in names.iter().enumerate() {
            let value = match row.get_ref(i)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(value) => value.into(),
                ValueRef::Real(value) => value.into(),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                    String::from_utf8_lossy(bytes).into_owned().into()
                }
            };
            all.insert(name.clone(), value);
        }
        Ok(Value::Object(all))
    });
    Ok(row.optional()?)
}
