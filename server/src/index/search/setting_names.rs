//! The names that settings have in a search.

use std::collections::BTreeSet;

use rusqlite::Connection;
use serde_json::Value;

use crate::error::Result;
use crate::index::facts::leaves;

/// The short name of a setting: `training.optimizer.lr` is `lr`, `training.optimizer.kind` is `optimizer`.
pub fn field_of(path: &str) -> String {
    let mut parts = path.rsplit('.');
    let last = parts.next().unwrap_or_default();
    let name = match last {
        "kind" | "set" => parts.next().unwrap_or(last),
        _ => last,
    };
    match name {
        "data" => "data_set".to_owned(),
        name => name.to_lowercase().replace(' ', "_"),
    }
}

/// The names that settings have in a search.
pub(super) trait SettingNames {
    /// Whether a run has a setting of this name.
    fn has(&mut self, name: &str) -> Result<bool>;
    /// All names.
    fn all(&mut self) -> Result<Vec<String>>;
}

/// The names of the settings of the runs in the index.
pub(super) struct Settings<'a> {
    connection: &'a Connection,
}

impl<'a> Settings<'a> {
    pub(super) fn of(connection: &'a Connection) -> Self {
        Self { connection }
    }

    /// Calls `each` with the settings of every run, the newest first, until it returns `false`.
    fn each(&self, mut each: impl FnMut(&Value) -> bool) -> Result<()> {
        let sql = "SELECT spec FROM runs WHERE NOT deleted ORDER BY id DESC";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let spec = row.get_ref(0)?.as_str().ok();
            let spec = spec.and_then(|spec| serde_json::from_str(spec).ok());
            if spec.is_some_and(|spec| !each(&spec)) {
                break;
            }
        }
        Ok(())
    }
}

impl SettingNames for Settings<'_> {
    fn has(&mut self, name: &str) -> Result<bool> {
        let mut found = false;
        self.each(|spec| {
            leaves(spec, &mut |path, _| found |= field_of(path) == name);
            !found
        })?;
        Ok(found)
    }

    fn all(&mut self) -> Result<Vec<String>> {
        let mut names = BTreeSet::new();
        self.each(|spec| {
            leaves(spec, &mut |path, _| {
                let name = field_of(path);
                if !names.contains(&name) {
                    names.insert(name);
                }
            });
            true
        })?;
        Ok(names.into_iter().collect())
    }
}
