//! A page of runs.

use rusqlite::types::Value as Parameter;
use rusqlite::{Connection, params_from_iter};
use serde_json::Value;

use super::filter::{condition, matching};
use super::groups::{Members, grouped, groups_of};
use super::order::{Cursor, Place};
use super::{Filter, Group, Grouping, Order};
use crate::error::{BadRow, Result};
use crate::index::runs::{self, Run};
use crate::index::search::Search;

/// A page to read.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The runs.
    pub filter: Filter,
    /// Their order.
    pub order: Order,
    /// Their groups.
    pub grouping: Option<Grouping>,
    /// The maximum number of runs.
    pub limit: usize,
    /// Where the page begins.
    pub cursor: Option<String>,
}

/// A page of runs.
#[derive(Debug, Default)]
pub struct Page {
    /// The runs.
    pub runs: Vec<Run>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// How many runs there are on all pages.
    pub total: usize,
    /// The groups of the runs, if they were grouped.
    pub groups: Vec<Group>,
    /// Rows that cannot be read.
    pub unreadable: Vec<BadRow>,
}

/// Reads a page.
///
/// # Errors
/// [`Error::Field`](crate::error::Error::Field) and [`Error::Fields`](crate::error::Error::Fields) name the parameter that is not valid.
pub fn page(connection: &Connection, wanted: &Wanted) -> Result<Page> {
    let cursor = wanted.cursor.as_deref();
    let cursor = cursor
        .map(|text| Cursor::read(text, &wanted.order))
        .transpose()?;
    let search = Search::read(connection, &wanted.filter.search)?;
    let is_plain = search.is_empty()
        && wanted.filter.tags.is_empty()
        && wanted.filter.ids.is_none()
        && wanted.filter.group.is_none()
        && wanted.grouping.is_none()
        && wanted.order == Order::default();
    if is_plain {
        return newest(connection, wanted, cursor);
    }
    let (mut found, unreadable) = matching(connection, &wanted.filter, &search, |run| Found {
        key: run.key,
        place: Place {
            value: run.sort_value(&wanted.order.key),
            id: run.id,
        },
        groups: wanted
            .grouping
            .as_ref()
            .map_or(Vec::new(), |grouping| grouping.values(run)),
        validation: wanted.grouping.as_ref().and(run.number("accuracy")),
    })?;
    found.sort_by(|a, b| wanted.order.compare(&a.place, &b.place));
    let total = found.len();
    let (groups, listed) = match &wanted.grouping {
        Some(_) => grouped(&found),
        None => (Vec::new(), (0..total).map(|at| (0, at)).collect()),
    };
    let begin = match &cursor {
        Some(cursor) => after(cursor, &wanted.order, &found, &groups, &listed),
        None => 0,
    };
    let rest = &listed[begin.min(listed.len())..];
    let here = &rest[..rest.len().min(wanted.limit)];
    let next = match here.last() {
        Some((group, at)) if rest.len() > here.len() => Some(
            Cursor {
                order: wanted.order.name(),
                group: groups.get(*group).map(|group| group.value.to_string()),
                place: found[*at].place.clone(),
            }
            .write(),
        ),
        _ => None,
    };
    let keys: Vec<_> = here.iter().map(|(_, at)| found[*at].key).collect();
    let (runs, bad) = runs::with_keys(connection, &keys)?;
    Ok(Page {
        groups: groups_of(connection, groups, here)?,
        runs,
        next,
        total,
        unreadable: unreadable.into_iter().chain(bad).collect(),
    })
}

/// A run that matches.
pub(super) struct Found {
    key: i64,
    place: Place,
    pub(super) groups: Vec<Value>,
    /// Its best validation accuracy, if it is needed.
    pub(super) validation: Option<f64>,
}

/// Where the page after a cursor begins.
fn after(
    cursor: &Cursor,
    order: &Order,
    found: &[Found],
    groups: &[Members],
    listed: &[(usize, usize)],
) -> usize {
    let is_before = |at: usize| order.compare(&found[at].place, &cursor.place).is_le();
    let Some(value) = &cursor.group else {
        return listed.partition_point(|(_, at)| is_before(*at));
    };
    let value = serde_json::from_str::<Value>(value).ok();
    match groups
        .iter()
        .position(|group| Some(&group.value) == value.as_ref())
    {
        Some(of) => {
            listed.partition_point(|(group, at)| *group < of || *group == of && is_before(*at))
        }
        // The group lost its last run: its members are found by themselves, or are gone.
        None => {
            let at = listed
                .iter()
                .position(|(_, at)| found[*at].place.id == cursor.place.id);
            at.map_or(listed.len(), |at| at + 1)
        }
    }
}

/// The newest runs.
fn newest(connection: &Connection, wanted: &Wanted, cursor: Option<Cursor>) -> Result<Page> {
    let (condition, mut parameters) = condition(&wanted.filter);
    let sql = format!("SELECT count(*) FROM runs WHERE {condition}");
    let total = connection
        .prepare_cached(&sql)?
        .query_row(params_from_iter(&parameters), |row| row.get(0))?;
    let last = cursor.map(|cursor| cursor.place.id.to_string());
    let before = last.as_ref().map_or("", |_| " AND id < ?");
    parameters.extend(last.map(Parameter::from));
    parameters.push(Parameter::from(wanted.limit as i64 + 1));
    let sql =
        format!("SELECT key, id FROM runs WHERE {condition}{before} ORDER BY id DESC LIMIT ?");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(parameters))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let id: Option<String> = row.get(1).ok();
        found.push((row.get::<_, i64>(0)?, id));
    }
    let more = found.len() > wanted.limit;
    found.truncate(wanted.limit);
    let keys: Vec<_> = found.iter().map(|(key, _)| *key).collect();
    let (runs, unreadable) = runs::with_keys(connection, &keys)?;
    // A row whose id cannot be read is no place in the order.
    let mut ids = found
        .iter()
        .rev()
        .filter_map(|(_, id)| id.as_ref()?.parse().ok());
    let next = ids.next().filter(|_| more).map(|id| {
        Cursor {
            order: wanted.order.name(),
            group: None,
            place: Place { value: None, id },
        }
        .write()
    });
    Ok(Page {
        runs,
        next,
        total,
        groups: Vec::new(),
        unreadable,
    })
}
