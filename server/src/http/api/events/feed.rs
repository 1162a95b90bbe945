//! One reader's stream: the logs of runs, event by event, and the wait for more.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use axum::response::sse::Event;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::params::{States, StreamQuery};
use crate::error::{Error, Result};
use crate::http::App;
use crate::index::runs::ChangePlace;
use crate::index::{Index, events};
use crate::run_dir::RunId;

/// The most that is read ahead of a reader.
const BATCH_EVENTS: usize = 256;
const BATCH_BYTES: usize = 16 * 1024;

/// One reader's stream.
pub(super) struct Feed {
    pub(super) index: Index,
    changes: watch::Receiver<i64>,
    shutdown: CancellationToken,
    /// Runs whose logs are sent, with the last event sent of each.
    pub(super) logs: Vec<(RunId, u64)>,
    /// Runs that were told as removed: their logs end.
    pub(super) removed: HashSet<RunId>,
    pub(super) states: States,
    /// Whether what changes is told of every run.
    pub(super) changes_of_all: bool,
    pub(super) for_tabs: bool,
    /// The last change whose states are sent.
    pub(super) states_sent: ChangePlace,
    /// Whether states that were there before are not read to the end.
    pub(super) reads_on: bool,
    /// Runs whose states the reader lacks, to be told first.
    pub(super) lacking: Vec<RunId>,
    /// Whether the reader knows runs that may be gone since.
    pub(super) knows_some: bool,
    pub(super) states_at: Option<Instant>,
    /// Read and not yet taken: at most one batch.
    pub(super) ready: VecDeque<Event>,
}

impl Feed {
    pub(super) fn new(app: &App, query: StreamQuery) -> Self {
        let watched = app.index.changes();
        let known = *watched.borrow();
        // Another index counts its changes anew.
        let of_this = |place: Option<(Uuid, i64)>| {
            let place = place
                .filter(|(index, change)| *index == app.index.id() && (0..=known).contains(change));
            place.map(|(_, change)| change)
        };
        let (since, changes) = (of_this(query.since), of_this(query.changes));
        let changes_of_all = query.changes.is_some();
        let changes = changes_of_all.then(|| changes.unwrap_or(known));
        let named: Vec<_> = match &query.states {
            States::Of(ids) => ids.iter().copied().collect(),
            States::OfLogs => query.runs.iter().map(|&(id, _)| id).collect(),
            States::None | States::All => Vec::new(),
        };
        let (lacking, begin) = match (&query.states, since) {
            (States::None, _) => (Vec::new(), None),
            (_, Some(since)) => (Vec::new(), Some(since)),
            (States::All, None) => (Vec::new(), Some(0)),
            // Who has just come takes a few runs, not all that ever changed.
            (States::Of(_) | States::OfLogs, None) => (named, Some(known)),
        };
        let begin = begin.into_iter().chain(changes).min().unwrap_or(known);
        let hello = Event::default().retry(Duration::from_secs(1));
        let mut feed = Self {
            changes: watched,
            index: app.index.clone(),
            shutdown: app.shutdown.clone(),
            logs: query.runs,
            removed: HashSet::new(),
            states: query.states,
            changes_of_all,
            for_tabs: query.for_tabs,
            states_sent: (begin, i64::MAX),
            reads_on: false,
            lacking,
            knows_some: begin > 0,
            states_at: None,
            ready: VecDeque::from([hello.comment("vivarium")]),
        };
        if feed.for_tabs {
            feed.push("server", &json!({"index": app.index.id()}));
        }
        feed
    }

    /// The next event, when there is one; `None` ends the stream.
    pub(super) async fn next(&mut self) -> Option<Event> {
        loop {
            if self.shutdown.is_cancelled() {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.is_over() {
                return None;
            }
            // Seen before it is read: what changes from here on wakes the wait below.
            let change = *self.changes.borrow_and_update();
            if let Err(error) = self.read(change).await {
                tracing::error!(%error, "a stream had to end");
                return None;
            }
            if self.ready.is_empty() {
                self.wait(change).await;
            }
        }
    }

    async fn wait(&mut self, change: i64) {
        let states = self.next_states(change);
        let due = states.unwrap_or_else(Instant::now);
        tokio::select! {
            _ = self.changes.changed() => {}
            () = tokio::time::sleep_until(due), if states.is_some() => {}
            () = self.shutdown.cancelled() => {}
        }
    }

    /// Whether every run that was asked for is gone: nothing can follow.
    fn is_over(&self) -> bool {
        !self.for_tabs
            && !self.logs.is_empty()
            && self.logs.iter().all(|(id, _)| self.removed.contains(id))
    }

    async fn read(&mut self, change: i64) -> Result<()> {
        self.read_logs().await?;
        if self.states_are_due(change) {
            self.read_states(change).await?;
        }
        Ok(())
    }

    /// Reads what follows in the logs.
    async fn read_logs(&mut self) -> Result<()> {
        for i in 0..self.logs.len() {
            let (id, sent) = self.logs[i];
            if self.removed.contains(&id) {
                continue;
            }
            let batch = self
                .index
                .read(move |c| events::after(c, id, sent, BATCH_EVENTS, BATCH_BYTES))
                .await;
            let batch = match batch {
                Err(Error::NotFound(_)) => {
                    self.tell_removed(id);
                    continue;
                }
                batch => batch?,
            };
            for event in batch {
                self.logs[i].1 = event.seq;
                self.ready.push_back(self.log_event(id, &event.body));
            }
        }
        Ok(())
    }

    /// Tells once that a run is gone.
    pub(super) fn tell_removed(&mut self, id: RunId) {
        if self.removed.insert(id) {
            self.push("removed", &json!({"id": id}));
        }
    }

    pub(super) fn push(&mut self, name: &str, data: &Value) {
        let event = Event::default().event(name).data(data.to_string());
        self.ready.push_back(event);
    }

    /// A line of a log: its id is the number of the last event sent of each run, so that the
    /// reader's place is known whatever becomes of the index.
    fn log_event(&self, id: RunId, body: &str) -> Event {
        let place: Vec<_> = self.logs.iter().map(|(_, seq)| seq.to_string()).collect();
        // The format has no carriage returns; JSON needs none.
        let event = Event::default()
            .id(place.join("."))
            .data(body.replace('\r', ""));
        if self.logs.len() == 1 {
            event
        } else {
            event.event(id.to_string())
        }
    }
}
