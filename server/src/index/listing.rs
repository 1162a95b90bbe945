//! Runs page by page: searched, filtered, sorted and grouped.
//!
//! A page ends with a cursor: the place of its last run in the order, by value and not by number, so that runs that come
//! and go neither repeat nor hide others. The newest runs come straight from an index. Any other order reads the facts of
//! every run, one at a time, and keeps of each that matches its key and the value by which it is sorted.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use rusqlite::types::Value as Parameter;
use rusqlite::{Connection, params_from_iter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::facts::{self, Facts, SORT_KEYS, SortValue};
use super::runs::{self, Run, Status};
use super::search::Search;
use crate::error::{BadRow, Error, Result};
use crate::run_dir::RunId;

/// The runs that are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// A [search](super::search).
    pub search: String,
    /// Any of these statuses; any status at all if there are none.
    pub statuses: Vec<Status>,
    /// The runs of this sweep.
    pub sweep: Option<String>,
    /// Any of these tags; any tag or none if there are none.
    pub tags: Vec<String>,
    /// Only these runs.
    pub ids: Option<HashSet<RunId>>,
    /// The runs of a group, by a value as in [`Group::value`].
    pub group: Option<(Grouping, Value)>,
}

/// The order of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// One of [`SORT_KEYS`], or the path of a setting.
    key: String,
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
        if !SORT_KEYS.contains(&key) && !is_path(key) {
            let message = format!(
                "must be one of {}, or the path of a setting such as training.optimizer.lr; a minus before it sorts in descending order",
                SORT_KEYS.join(", ")
            );
            return Err(Error::field("sort", text, message));
        }
        Ok(Self {
            key: key.to_owned(),
            descending,
        })
    }

    fn name(&self) -> String {
        format!("{}{}", if self.descending { "-" } else { "" }, self.key)
    }

    /// What has no value comes last in both directions, and newer runs come first among equals.
    fn compare(&self, a: &Place, b: &Place) -> Ordering {
        let by_value = match (&a.value, &b.value) {
            (Some(a), Some(b)) if self.descending => b.compare(a),
            (Some(a), Some(b)) => a.compare(b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        };
        by_value.then_with(|| b.id.cmp(&a.id))
    }
}

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
    fn values(&self, run: &Facts) -> Vec<Value> {
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

fn is_path(text: &str) -> bool {
    text.contains('.') && text.len() <= 200
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

/// The place of a run in an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place {
    #[serde(rename = "v")]
    value: Option<SortValue>,
    #[serde(rename = "i")]
    id: RunId,
}

/// The end of a page.
#[derive(Debug, Serialize, Deserialize)]
struct Cursor {
    /// The order, which another page cannot continue.
    #[serde(rename = "o")]
    order: String,
    /// The value of the last run's group, as JSON.
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(flatten)]
    place: Place,
}

impl Cursor {
    fn read(text: &str, order: &Order) -> Result<Self> {
        let bytes = hex::decode(text).ok();
        let read = bytes.and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        read.filter(|cursor| cursor.order == order.name())
            .ok_or_else(|| {
                let message = "must be the `next` of an answer to the same question";
                Error::field("cursor", text, message)
            })
    }

    fn write(&self) -> String {
        hex::encode(serde_json::to_vec(self).unwrap_or_default())
    }
}

/// Reads a page.
///
/// # Errors
/// [`Error::Field`] and [`Error::Fields`] name the parameter that is not valid.
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
struct Found {
    key: i64,
    place: Place,
    groups: Vec<Value>,
    validation: Option<f64>,
}

/// The ids of all runs that match, in the order of a list.
///
/// # Errors
/// As [`page`].
pub fn ids(connection: &Connection, filter: &Filter, order: &Order) -> Result<Vec<RunId>> {
    let search = Search::read(connection, &filter.search)?;
    let (mut found, _) = matching(connection, filter, &search, |run| Place {
        value: run.sort_value(&order.key),
        id: run.id,
    })?;
    found.sort_by(|a, b| order.compare(a, b));
    Ok(found.into_iter().map(|place| place.id).collect())
}

/// The runs with any of these tags, the newest first.
pub fn with_tags(connection: &Connection, tags: &[String]) -> Result<runs::Read> {
    let filter = Filter {
        tags: tags.to_vec(),
        ..Filter::default()
    };
    let (mut found, bad) = matching(connection, &filter, &Search::default(), |run| {
        (run.id, run.key)
    })?;
    found.sort_by(|a, b| b.cmp(a));
    let keys: Vec<_> = found.into_iter().map(|(_, key)| key).collect();
    let (runs, more) = runs::with_keys(connection, &keys)?;
    Ok((runs, bad.into_iter().chain(more).collect()))
}

/// The newest run of each of these kinds of network that did not fail, a finished one if there is any.
pub fn newest_of_networks(connection: &Connection, kinds: &[&str]) -> Result<runs::Read> {
    let mut best: HashMap<&str, (bool, i64)> = HashMap::new();
    let all = (Filter::default(), Search::default());
    let (_, bad) = matching(connection, &all.0, &all.1, |run| {
        let kind = run.texts("network").pop();
        let kind = kinds.iter().find(|known| kind.as_deref() == Some(**known));
        if let Some(kind) = kind.filter(|_| run.status != Status::Failed) {
            let this = (run.status == Status::Finished, run.key);
            let best = best.entry(kind).or_insert(this);
            *best = this.max(*best);
        }
    })?;
    let keys: Vec<_> = best.into_values().map(|(_, key)| key).collect();
    let (runs, more) = runs::with_keys(connection, &keys)?;
    Ok((runs, bad.into_iter().chain(more).collect()))
}

/// Calls `each` with the facts of the runs that match.
pub(super) fn matching<T>(
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
fn condition(filter: &Filter) -> (String, Vec<Parameter>) {
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

/// A group, and where it has its runs among those that were found.
struct Members {
    value: Value,
    all: Vec<usize>,
    count: usize,
    sum: f64,
}

/// Groups runs that are in order: the groups in the order of their first runs, those without a value last, and of each
/// run its group and its index. A run of several groups is listed in the first.
fn grouped(found: &[Found]) -> (Vec<Members>, Vec<(usize, usize)>) {
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

/// The groups of a page.
fn groups_of(
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
pub fn sweep_name(connection: &Connection, sweep: &str) -> Result<Option<String>> {
    let sql = "SELECT name FROM runs WHERE sweep = ?1 AND NOT deleted ORDER BY key LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([sweep])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let name: Option<String> = row.get(0).ok();
    Ok(name.map(|name| name.split(" · ").next().unwrap_or_default().to_owned()))
}
