//! Unreadable rows. A reader that finds one continues without it and notes it here; the supervisor repairs it from the
//! run's directory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::error::{BadRow, Error, Result};
use crate::run_dir::RunId;

/// A run that cannot be shown, as the API returns it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Unreadable {
    /// The run, if it is known.
    pub id: Option<RunId>,
    /// The reason.
    pub message: String,
}

/// The unreadable rows that were found.
#[derive(Debug, Default)]
pub(super) struct Damage {
    rows: Mutex<BTreeMap<i64, Met>>,
    /// What is wrong with the file itself.
    file: OnceLock<String>,
}

#[derive(Debug)]
struct Met {
    row: BadRow,
    /// Why it could not be repaired.
    beyond_repair: Option<String>,
}

impl Damage {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, Met>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn of_file(&self, message: String) {
        let _ = self.file.set(message);
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
                None => format!("{}; it is being repaired from its directory", met.row.fault),
            },
        });
        let file = self.file.get().map(|message| Unreadable {
            id: None,
            message: format!("the index is damaged ({message}); the next start rebuilds it from the run directories"),
        });
        told.chain(file).collect()
    }
}

/// Distinguishes an unreadable row from a failure of the index.
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

/// A row of the table of runs as JSON, to be kept before the row is repaired. Bytes that are not UTF-8 are replaced.
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
