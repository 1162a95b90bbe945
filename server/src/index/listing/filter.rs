//! Which runs are wanted.

use std::collections::HashSet;

use rusqlite::types::Value as Parameter;
use rusqlite::{Connection, params_from_iter};
use serde_json::Value;

use super::Grouping;
use crate::error::{BadRow, Error, Result};
use crate::index::facts::{self, Facts};
use crate::index::runs::Status;
use crate::index::search::Search;
use crate::run_dir::RunId;

/// The runs that are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// A [search](crate::index::search).
    pub search: String,
    /// Any of these statuses; any status at all if there are none.
    pub statuses: Vec<Status>,
    /// The runs of this sweep.
    pub sweep: Option<String>,
    /// Any of these tags; any tag or none if there are none.
    pub tags: Vec<String>,
    /// Only these runs.
    pub ids: Option<HashSet<RunId>>,
    /// The runs of a group, by a value as in [`Group::value`](super::Group::value).
    pub group: Option<(Grouping, Value)>,
}

/// Calls `each` with the facts of the runs that match.
pub(in crate::index) fn matching<T>(
    connection: &Connection,
    filter: &Filter,
    search: &Search,
    mut each: impl FnMut(&Facts) -> T,
) -> Result<(Vec<T>, Vec<BadRow>)> {
    let (condition, parameters) = condition(filter);
    let sql = format!("SELECT {} FROM runs WHERE {condition}", facts::COLUMNS);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(parameters))?;
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        match Facts::read(row) {
            Ok(run) if is_wanted(filter, &run) && search.matches(&run) => found.push(each(&run)),
            Ok(_) => {}
            Err(Error::Unreadable(row)) => unreadable.push(row),
            Err(error) => return Err(error),
        }
    }
    Ok((found, unreadable))
}

/// The part of a filter that SQLite decides.
pub(super) fn condition(filter: &Filter) -> (String, Vec<Parameter>) {
    let mut condition = "NOT deleted".to_owned();
    let mut parameters = Vec::new();
    if let Some(sweep) = &filter.sweep {
        condition += " AND sweep = ?";
        parameters.push(Parameter::from(sweep.clone()));
    }
    if !filter.statuses.is_empty() {
        let places = vec!["?"; filter.statuses.len()].join(", ");
        condition += &format!(" AND status IN ({places})");
        let names = filter
            .statuses
            .iter()
            .map(|status| status.name().to_owned());
        parameters.extend(names.map(Parameter::from));
    }
    (condition, parameters)
}

/// The rest of it.
fn is_wanted(filter: &Filter, run: &Facts) -> bool {
    let tagged = filter.tags.is_empty() || filter.tags.iter().any(|tag| run.tags.contains(tag));
    let named = filter.ids.as_ref().is_none_or(|ids| ids.contains(&run.id));
    let of_group = |(grouping, value): &(Grouping, Value)| grouping.values(run).contains(value);
    tagged && named && filter.group.as_ref().is_none_or(of_group)
}
