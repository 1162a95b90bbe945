//! Runs page by page: searched, filtered, sorted and grouped.
//!
//! A page ends with a cursor: the place of its last run in the order, by value and not by number, so that runs that come
//! and go neither repeat nor hide others. The newest runs come straight from an index. Any other order reads the facts of
//! every run, one at a time, and keeps of each that matches its key and the value by which it is sorted.
//!
//! `filter`: which runs; `order`: in what order, and the cursor; `groups`: in what groups; `page`: a page of them.

mod filter;
mod groups;
mod order;
mod page;

use std::collections::HashMap;

use rusqlite::Connection;

use super::runs::{self, Status};
use super::search::Search;
use crate::error::Result;
use crate::run_dir::RunId;
pub use filter::Filter;
pub(super) use filter::matching;
pub use groups::{Group, Grouping};
pub use order::Order;
use order::Place;
pub use page::{Page, Wanted, page};

/// The ids of all runs that match, in the order of a list.
///
/// # Errors
/// As [`page()`].
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

fn is_path(text: &str) -> bool {
    text.contains('.') && text.len() <= 200
}
