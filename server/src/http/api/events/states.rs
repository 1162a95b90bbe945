//! The states of runs in a stream: of those that a reader names, or of all that change.

use std::collections::HashSet;
use std::time::Duration;

use axum::response::sse::Event;
use rusqlite::Connection;
use serde_json::json;
use tokio::time::Instant;

use super::feed::Feed;
use super::params::States;
use crate::error::{Error, Result};
use crate::index::runs::{self as rows, ChangePlace, Changes, Run};
use crate::run_dir::RunId;

/// States that are read at once.
const BATCH_STATES: usize = 256;

/// Of more runs that changed at once, a list of runs is told the number alone.
const MOST_CHANGES: usize = 200;

/// The state of a run is told at most this often: people cannot read faster.
const STATES_EVERY: Duration = Duration::from_millis(200);

impl Feed {
    fn tells_states(&self) -> bool {
        self.states != States::None || self.changes_of_all
    }

    /// When the states that the last change altered may be read; `None` if there are none.
    pub(super) fn next_states(&self, change: i64) -> Option<Instant> {
        let is_behind = self.tells_states() && self.states_sent.0 < change;
        let due = self.states_at.map(|at| at + STATES_EVERY);
        is_behind.then(|| due.unwrap_or_else(Instant::now))
    }

    /// Whether states are to be read now.
    pub(super) fn states_are_due(&self, change: i64) -> bool {
        let pause_over = self.states_at.is_none_or(|at| at.elapsed() >= STATES_EVERY);
        // The first reading is told even where nothing has changed: it says so.
        let due = self.states_sent.0 < change || self.states_at.is_none();
        self.tells_states() && (self.reads_on || due && pause_over)
    }

    /// Reads the states that the reader lacks, and the next that changed.
    pub(super) async fn read_states(&mut self, change: i64) -> Result<()> {
        let (from, lacking) = (self.states_sent, std::mem::take(&mut self.lacking));
        let named = self.named();
        let most = self.changes_of_all.then_some(MOST_CHANGES);
        let read = move |c: &Connection| StateBatch::read(c, from, &lacking, named, most);
        let batch = self.index.read(read).await?;
        let named = self.named();
        let is_told = |id: &RunId| match (&named, self.changes_of_all) {
            (_, true) | (None, _) => true,
            (Some(ids), false) => ids.contains(id),
        };
        let Changes {
            mut runs,
            removed,
            more,
        } = batch.changes;
        let mut newest = runs.iter().map(|run| run.changed).fold(change, i64::max);
        runs.retain(|run| is_told(&run.id));
        let removed: Vec<_> = parsed(removed)
            .filter(|id| self.knows_some && is_told(id))
            .collect();
        let begins = self.states_at.is_none();
        let tells = begins
            || self.reads_on
            || !runs.is_empty()
            || !removed.is_empty()
            || batch.many.is_some();
        for run in batch.lacking.iter().chain(&runs) {
            newest = newest.max(run.changed);
            self.removed.remove(&run.id);
            if let Ok(event) = Event::default().event("run").json_data(run) {
                self.ready.push_back(event);
            }
        }
        for id in batch.gone.into_iter().chain(removed) {
            self.tell_removed(id);
        }
        if let Some(runs) = batch.many {
            self.push("many", &json!({"runs": runs}));
        }
        self.reads_on = more.is_some();
        if let Some(place) = more {
            self.states_sent = place;
            return Ok(());
        }
        if self.for_tabs && tells {
            self.push("upto", &json!({"change": newest}));
        }
        self.states_sent = (newest, i64::MAX);
        self.knows_some = true;
        self.states_at = Some(Instant::now());
        Ok(())
    }

    /// The runs whose states are asked for by name; `None` for those of all runs.
    fn named(&self) -> Option<HashSet<RunId>> {
        match &self.states {
            States::Of(ids) => Some(ids.clone()),
            States::OfLogs => Some(self.logs.iter().map(|&(id, _)| id).collect()),
            States::None => Some(HashSet::new()),
            States::All => None,
        }
    }
}

/// States as one reading of the index finds them.
struct StateBatch {
    /// Those that the reader lacked.
    lacking: Vec<Run>,
    /// Of which runs it lacked them that are gone.
    gone: Vec<RunId>,
    changes: Changes,
    /// The number of runs that changed, if that is too many to tell each.
    many: Option<usize>,
}

impl StateBatch {
    fn read(
        c: &Connection,
        from: ChangePlace,
        lacking: &[RunId],
        named: Option<HashSet<RunId>>,
        most: Option<usize>,
    ) -> Result<Self> {
        let (lacking, gone) = states_of(c, lacking)?;
        let many = match most {
            Some(most) => Some(rows::count_changed(c, from)?).filter(|&count| count > most),
            None => None,
        };
        let changes = match many {
            // Too many to tell: those that are asked for by name.
            Some(_) => {
                let ids: Vec<_> = named.into_iter().flatten().collect();
                let (runs, removed) = states_of(c, &ids)?;
                let removed = removed.iter().map(ToString::to_string).collect();
                Changes {
                    runs,
                    removed,
                    more: None,
                }
            }
            None => rows::changed_since(c, from, BATCH_STATES)?,
        };
        Ok(Self {
            lacking,
            gone,
            changes,
            many,
        })
    }
}

/// The states of runs; those that are not there are removed.
fn states_of(c: &Connection, ids: &[RunId]) -> Result<(Vec<Run>, Vec<RunId>)> {
    let (mut runs, mut removed) = (Vec::new(), Vec::new());
    for &id in ids {
        match rows::find(c, id) {
            Ok(Some(run)) => runs.push(run),
            Ok(None) => removed.push(id),
            // It is told when it is read again.
            Err(Error::Unreadable(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok((runs, removed))
}

fn parsed(ids: Vec<String>) -> impl Iterator<Item = RunId> {
    ids.into_iter().filter_map(|id| id.parse().ok())
}
