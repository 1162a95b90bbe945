//! Groups of runs that have something in common.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::is_path;
use super::page::Found;
use crate::error::{Error, Result};
use crate::index::facts::Facts;

/// A property by which runs are grouped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// The sweep.
    Sweep,
    /// The tags: a run with several is in several groups, and listed in the first of them.
    Tag,
    /// The status.
    Status,
    /// The setting at a path.
    Setting(String),
}

impl Grouping {
    /// Reads the name of a property.
    ///
    /// # Errors
    /// [`Error::Field`] of `group`.
    pub fn read(text: &str) -> Result<Self> {
        match text {
            "sweep" => Ok(Self::Sweep),
            "tag" => Ok(Self::Tag),
            "status" => Ok(Self::Status),
            path if is_path(path) => Ok(Self::Setting(path.to_owned())),
            other => {
                let message = "must be sweep, tag, status, or the path of a setting such as training.optimizer.lr";
                Err(Error::field("group", other, message))
            }
        }
    }

    /// The groups of a run; `null` is the group of those that have no value.
    pub(super) fn values(&self, run: &Facts) -> Vec<Value> {
        let found: Vec<Value> = match self {
            Self::Sweep => run.sweep.clone().into_iter().map(Value::from).collect(),
            Self::Tag => run.tags.iter().cloned().map(Value::from).collect(),
            Self::Status => vec![run.status.name().into()],
            Self::Setting(path) => run.setting_at(path).cloned().into_iter().collect(),
        };
        if found.is_empty() {
            vec![Value::Null]
        } else {
            found
        }
    }
}

/// A group of runs, of which an answer may hold only some.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RunGroup)]
pub struct Group {
    /// What its runs have in common; `null` for the runs without the property.
    #[schema(nullable)]
    pub value: Value,
    /// The name of a sweep.
    pub name: Option<String>,
    /// How many runs it has.
    pub runs: usize,
    /// Of how many the best validation accuracy is known.
    pub validated: usize,
    /// The mean of these accuracies.
    pub mean_best_validation_accuracy: Option<f64>,
    /// How many of the answer's runs are listed in it: the groups follow one another.
    pub listed: usize,
}

/// A group, and where it has its runs among those that were found.
pub(super) struct Members {
    pub(super) value: Value,
    all: Vec<usize>,
    count: usize,
    sum: f64,
}

/// Groups runs that are in order: the groups in the order of their first runs, those without a value last, and of each
/// run its group and its index. A run of several groups is listed in the first.
pub(super) fn grouped(found: &[Found]) -> (Vec<Members>, Vec<(usize, usize)>) {
    let mut groups: Vec<Members> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (at, run) in found.iter().enumerate() {
        for value in &run.groups {
            let group = *known.entry(value.to_string()).or_insert_with(|| {
                groups.push(Members {
                    value: value.clone(),
                    all: Vec::new(),
                    count: 0,
                    sum: 0.0,
                });
                groups.len() - 1
            });
            let group = &mut groups[group];
            group.all.push(at);
            if let Some(accuracy) = run.validation {
                group.count += 1;
                group.sum += accuracy;
            }
        }
    }
    groups.sort_by_key(|group| group.value.is_null());
    let mut placed = HashSet::new();
    let mut listed = Vec::new();
    for (group, members) in groups.iter().enumerate() {
        let first = members.all.iter().filter(|at| placed.insert(**at));
        listed.extend(first.map(|at| (group, *at)));
    }
    (groups, listed)
}

/// The groups of a page.
pub(super) fn groups_of(
    connection: &Connection,
    groups: Vec<Members>,
    here: &[(usize, usize)],
) -> Result<Vec<Group>> {
    let mut listed: HashMap<usize, usize> = HashMap::new();
    for (group, _) in here {
        *listed.entry(*group).or_default() += 1;
    }
    let mut told = Vec::new();
    for (at, group) in groups.into_iter().enumerate() {
        let Some(&listed) = listed.get(&at) else {
            continue;
        };
        told.push(Group {
            name: group
                .value
                .as_str()
                .map(|id| sweep_name(connection, id))
                .transpose()?
                .flatten(),
            runs: group.all.len(),
            validated: group.count,
            mean_best_validation_accuracy: (group.count > 0)
                .then(|| group.sum / group.count as f64),
            value: group.value,
            listed,
        });
    }
    Ok(told)
}

/// The name of a sweep: what the names of its runs begin with. `None` if there is no such sweep.
fn sweep_name(connection: &Connection, sweep: &str) -> Result<Option<String>> {
    let sql = "SELECT name FROM runs WHERE sweep = ?1 AND NOT deleted ORDER BY key LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([sweep])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let name: Option<String> = row.get(0).ok();
    Ok(name.map(|name| name.split(" · ").next().unwrap_or_default().to_owned()))
}
