//! The feed: what happens, to browsers, over server-sent events.
//!
//! A stream holds no queue. It remembers what it has sent, waits until something changed, and
//! asks the index for what follows; it asks for more only when the reader has taken what it was
//! given. So a reader that is slow or comes back gets every event once and in order, and costs no
//! memory.
//!
//! A browser holds one stream for all its tabs, which come and go: it asks for the states of the
//! runs that they show (`status=`) and says from which change on (`since=`), so that a stream that is
//! opened again costs what has changed. A tab that shows a page of the list of runs asks for what changes
//! from then on (`changes=`): neither the runs that it does not show are told, nor thousands that change at
//! once. A run that is gone is told as removed and cuts nobody off.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::run_id;
use super::selections::{of_selection, runs_of};
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::query::Pairs;
use crate::index::runs::{self as rows, ChangePlace, Changes, Run};
use crate::index::{Index, events};
use crate::run_dir::RunId;

/// The most that is read ahead of a reader.
const BATCH_EVENTS: usize = 256;
const BATCH_BYTES: usize = 16 * 1024;

/// States that are read at once.
const BATCH_STATES: usize = 256;

/// Of more runs that changed at once, a list of runs is told the number alone.
const MOST_CHANGES: usize = 200;

/// The state of a run is told at most this often: people cannot read faster.
const STATES_EVERY: Duration = Duration::from_millis(200);

/// Proxies and browsers give up on a stream that says nothing.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

static OPEN: AtomicUsize = AtomicUsize::new(0);

/// How many streams are open.
pub fn open_streams() -> usize {
    OPEN.load(Ordering::Relaxed)
}

/// What a stream is asked for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "the words are read one by one: each may be there several times"
)]
struct StreamParams {
    /// A run; may be given several times.
    #[param(required = false)]
    run: Vec<RunId>,
    /// A selection, for its runs; may be given several times.
    #[param(pattern = "^[0-9a-f]{32}$")]
    selection: Option<String>,
    /// A sweep, for its runs; may be given several times.
    sweep: Option<Uuid>,
    /// The place to begin after, as Last-Event-ID, which goes before it.
    after: Option<String>,
    /// `status`: the states of these runs too.
    #[param(inline)]
    include: Option<Include>,
    /// For one reader on behalf of several: whose states are told, each a run's id, a selection, or `all` or `none`. The
    /// stream then begins with an event named server, which has the index's id; upto follows states and has the number of
    /// the last change that they tell; alive comes where there is nothing else to say. A run that is not there is told by
    /// removed.
    #[param(required = false)]
    status: Vec<String>,
    /// INDEX.CHANGE as server and upto told them: states that changed since then. Those of another index are told from
    /// the beginning.
    since: Option<String>,
    /// INDEX.CHANGE as server and upto told them, for one who shows a list of runs: the states of all runs that change
    /// after that, and of another index those that change from now on. Where more than 200 changed at once, an event named
    /// many has their number instead, and the list is to be read again.
    changes: Option<String>,
}

/// Where a reader goes on.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "the header is read where the words are")]
struct ResumeParams {
    /// The place to begin after, as the last event's id has it.
    #[param(rename = "Last-Event-ID", nullable = false)]
    last_event_id: Option<String>,
}

/// What a stream of logs may tell beside them.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "the words are read one by one")]
enum Include {
    Status,
}

/// An event of a stream.
#[derive(ToSchema)]
#[expect(dead_code, reason = "events are written piece by piece")]
struct StreamEvent {
    /// What it tells: `run`, `removed`, `many`, `server`, `upto` or `alive`. The event of a log has none, or the run's id
    /// where the stream is of several runs.
    #[schema(nullable = false)]
    event: Option<String>,
    /// Of a log, its line of `events.ndjson`; of `run`, the run as JSON.
    data: String,
    /// Of a log, where a reader goes on.
    #[schema(nullable = false)]
    id: Option<String>,
}

/// Server-sent events: the logs of runs, live; without a run, the state of every run.
///
/// A log begins after the event that Last-Event-ID names. The data of a log event is its line of `events.ndjson`; its id is
/// the number of the last event sent of each run, joined by dots in the order of the parameters. With several runs, the
/// name of the event is the run's id. States are events named run, removals events named removed. A run that is gone is
/// told as removed and the others go on; when all of them are gone, the stream ends. The answer is 404 where all are gone
/// at the beginning.
#[utoipa::path(
    get,
    path = "/events",
    params(StreamParams, ResumeParams),
    responses(
        (status = 200, description = "The stream", body = StreamEvent, content_type = "text/event-stream"),
        (status = 404)
    )
)]
pub async fn stream(
    State(app): State<App>,
    Query(query): Pairs,
    headers: HeaderMap,
) -> Result<Response> {
    let query = name_runs(&app, query).await?;
    let query = StreamQuery::parse(&query, &headers)?;
    let asked: Vec<_> = query.runs.iter().map(|&(id, _)| id).collect();
    let alone = !asked.is_empty() && !query.for_tabs;
    let gone = app
        .index
        .read(move |c| {
            let mut gone = HashSet::new();
            for id in &asked {
                if rows::find(c, *id)?.is_none() {
                    gone.insert(*id);
                }
            }
            // An address without any run behind it is refused, which tells a browser not to come back.
            match asked.first() {
                Some(first) if alone && gone.len() == asked.len() => {
                    Err(Error::NotFound(format!("run {first}")))
                }
                _ => Ok(gone),
            }
        })
        .await?;
    OPEN.fetch_add(1, Ordering::Relaxed);
    let mut feed = Feed::new(&app, query);
    for id in gone {
        feed.tell_removed(id);
    }
    let alive = KeepAlive::new().interval(KEEP_ALIVE);
    // A comment is not told to scripts: those that watch over their stream need to see a sign of life.
    let alive = if feed.for_tabs {
        alive.event(Event::default().event("alive").data("{}"))
    } else {
        alive
    };
    let stream = stream::unfold(feed, |mut feed| async {
        feed.next()
            .await
            .map(|event| (Ok::<_, Infallible>(event), feed))
    });
    let mut response = Sse::new(stream).keep_alive(alive).into_response();
    response.headers_mut().insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(response)
}

/// A query with the runs of a selection or a sweep in place of its name.
async fn name_runs(app: &App, mut query: Vec<(String, String)>) -> Result<Vec<(String, String)>> {
    let is_short = |name: &str| matches!(name, "selection" | "sweep");
    // A selection of runs whose states are asked for.
    let is_selection = |value: &str| value.len() == 32;
    while let Some(at) = query
        .iter()
        .position(|(name, value)| name == "status" && is_selection(value))
    {
        let (_, selection) = query.swap_remove(at);
        let runs = of_selection(app, selection).await?;
        query.extend(runs.iter().map(|id| ("status".to_owned(), id.to_string())));
    }
    if !query.iter().any(|(name, _)| is_short(name)) {
        return Ok(query);
    }
    let runs = runs_of(app, &query).await?;
    query.retain(|(name, _)| name != "run" && !is_short(name));
    let runs = runs.iter().map(|id| ("run".to_owned(), id.to_string()));
    Ok(runs.chain(query).collect())
}

/// Whose states a reader asks for.
#[derive(Debug, PartialEq, Eq)]
enum States {
    None,
    /// Of the runs whose logs are sent.
    OfLogs,
    Of(HashSet<RunId>),
    All,
}

/// What a reader asks for.
struct StreamQuery {
    /// Runs, each with the number of the last event that the reader has.
    runs: Vec<(RunId, u64)>,
    states: States,
    /// The index that the reader knows and the last of its changes whose states it has.
    since: Option<(Uuid, i64)>,
    /// The same, of the changes of all runs.
    changes: Option<(Uuid, i64)>,
    /// The reader is a browser that gives to each of its tabs what that one asks for.
    for_tabs: bool,
}

impl StreamQuery {
    fn parse(query: &[(String, String)], headers: &HeaderMap) -> Result<Self> {
        let mut runs = Vec::new();
        let mut after = None;
        let (mut since, mut changes) = (None, None);
        let mut states = States::None;
        let mut of = HashSet::new();
        let (mut all, mut for_tabs) = (false, false);
        for (name, value) in query {
            match (name.as_str(), value.as_str()) {
                ("run", id) => runs.push((run_id(id)?, 0)),
                ("after", seqs) => after = Some(seqs.to_owned()),
                ("include", "status") => states = States::OfLogs,
                ("status", which) => {
                    for_tabs = true;
                    match which {
                        "all" => all = true,
                        "none" => {}
                        id => drop(of.insert(run_id(id)?)),
                    }
                }
                ("since", place) => since = Some(parse_place("since", place)?),
                ("changes", place) => {
                    for_tabs = true;
                    changes = Some(parse_place("changes", place)?);
                }
                _ => {
                    return Err(Error::BadRequest(format!(
                        "“{name}={value}” is not known here; there are run, selection, sweep, after, include=status, status, since and changes"
                    )));
                }
            }
        }
        // What the browser received last is newer than what the address said.
        let last = headers
            .get("last-event-id")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        if let Some(seqs) = last.filter(|seqs| !seqs.is_empty()).or(after) {
            let parts: Vec<_> = seqs.split('.').collect();
            if parts.len() != runs.len() {
                return Err(Error::BadRequest(format!(
                    "Last-Event-ID: “{seqs}” must have one number for each run, joined by dots"
                )));
            }
            for ((_, seq), part) in runs.iter_mut().zip(parts) {
                // SQLite counts no further than this.
                *seq = part
                    .parse()
                    .ok()
                    .filter(|&seq| i64::try_from(seq).is_ok())
                    .ok_or_else(|| {
                        Error::BadRequest(format!(
                            "Last-Event-ID: “{part}” is not the number of an event"
                        ))
                    })?;
            }
        }
        if all || (runs.is_empty() && !for_tabs) {
            states = States::All;
        } else if for_tabs {
            states = States::Of(of);
        }
        Ok(Self {
            runs,
            states,
            since,
            changes,
            for_tabs,
        })
    }
}

/// Reads `INDEX.CHANGE`, as the stream's events `server` and `upto` tell it.
fn parse_place(name: &str, place: &str) -> Result<(Uuid, i64)> {
    let parts = place.split_once('.');
    parts
        .and_then(|(index, change)| Some((index.parse().ok()?, change.parse().ok()?)))
        .ok_or_else(|| {
            Error::BadRequest(format!(
                "{name}: “{place}” must be an index's id and the number of a change, joined by a dot"
            ))
        })
}

/// One reader's stream.
struct Feed {
    index: Index,
    changes: watch::Receiver<i64>,
    shutdown: CancellationToken,
    /// Runs whose logs are sent, with the last event sent of each.
    logs: Vec<(RunId, u64)>,
    /// Runs that were told as removed: their logs end.
    removed: HashSet<RunId>,
    states: States,
    /// Whether what changes is told of every run.
    changes_of_all: bool,
    for_tabs: bool,
    /// The last change whose states are sent.
    states_sent: ChangePlace,
    /// Whether states that were there before are not read to the end.
    reads_on: bool,
    /// Runs whose states the reader lacks, to be told first.
    lacking: Vec<RunId>,
    /// Whether the reader knows runs that may be gone since.
    knows_some: bool,
    states_at: Option<Instant>,
    /// Read and not yet taken: at most one batch.
    ready: VecDeque<Event>,
}

impl Feed {
    fn new(app: &App, query: StreamQuery) -> Self {
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
        let mut ready = VecDeque::from([Event::default()
            .retry(Duration::from_secs(1))
            .comment("vivarium")]);
        if query.for_tabs {
            let data = json!({"index": app.index.id()}).to_string();
            ready.push_back(Event::default().event("server").data(data));
        }
        Self {
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
            ready,
        }
    }

    /// The next event, when there is one; `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
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
        let states_due = self.tells_states() && self.states_sent.0 < change;
        let due = self
            .states_at
            .map_or_else(Instant::now, |at| at + STATES_EVERY);
        tokio::select! {
            _ = self.changes.changed() => {}
            () = tokio::time::sleep_until(due), if states_due => {}
            () = self.shutdown.cancelled() => {}
        }
    }

    fn tells_states(&self) -> bool {
        self.states != States::None || self.changes_of_all
    }

    /// Whether every run that was asked for is gone: nothing can follow.
    fn is_over(&self) -> bool {
        !self.for_tabs
            && !self.logs.is_empty()
            && self.logs.iter().all(|(id, _)| self.removed.contains(id))
    }

    async fn read(&mut self, change: i64) -> Result<()> {
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
        let pause_over = self.states_at.is_none_or(|at| at.elapsed() >= STATES_EVERY);
        // The first reading is told even where nothing has changed: it says so.
        let due = self.states_sent.0 < change || self.states_at.is_none();
        if self.tells_states() && (self.reads_on || due && pause_over) {
            self.read_states(change).await?;
        }
        Ok(())
    }

    async fn read_states(&mut self, change: i64) -> Result<()> {
        let (from, lacking) = (self.states_sent, std::mem::take(&mut self.lacking));
        let named = self.named();
        let most = self.changes_of_all.then_some(MOST_CHANGES);
        let (first, changes, many) = self
            .index
            .read(move |c| {
                let first = states_of(c, &lacking)?;
                let many = match most {
                    Some(most) => Some(rows::count_changed(c, from)?).filter(|&count| count > most),
                    None => None,
                };
                let changes = match (many, named) {
                    // Too many to tell: those that are asked for by name.
                    (Some(_), named) => {
                        let ids: Vec<_> = named.into_iter().flatten().collect();
                        let (runs, removed) = states_of(c, &ids)?;
                        let removed = removed.iter().map(ToString::to_string).collect();
                        Changes {
                            runs,
                            removed,
                            more: None,
                        }
                    }
                    (None, _) => rows::changed_since(c, from, BATCH_STATES)?,
                };
                Ok((first, changes, many))
            })
            .await?;
        let mut newest = change;
        let begins = self.states_at.is_none();
        let named = self.named();
        let is_told = |id: &RunId| match (&named, self.changes_of_all) {
            (_, true) | (None, _) => true,
            (Some(ids), false) => ids.contains(id),
        };
        let (known, gone) = first;
        let Changes {
            mut runs,
            removed,
            more,
        } = changes;
        newest = runs.iter().map(|run| run.changed).fold(newest, i64::max);
        runs.retain(|run| is_told(&run.id));
        let removed: Vec<_> = parsed(removed)
            .filter(|id| self.knows_some && is_told(id))
            .collect();
        let tells =
            begins || self.reads_on || !runs.is_empty() || !removed.is_empty() || many.is_some();
        for run in known.iter().chain(&runs) {
            newest = newest.max(run.changed);
            self.removed.remove(&run.id);
            if let Ok(event) = Event::default().event("run").json_data(run) {
                self.ready.push_back(event);
            }
        }
        for id in gone.into_iter().chain(removed) {
            self.tell_removed(id);
        }
        if let Some(runs) = many {
            let data = json!({"runs": runs}).to_string();
            self.ready
                .push_back(Event::default().event("many").data(data));
        }
        self.reads_on = more.is_some();
        if let Some(place) = more {
            self.states_sent = place;
            return Ok(());
        }
        if self.for_tabs && tells {
            let data = json!({"change": newest}).to_string();
            self.ready
                .push_back(Event::default().event("upto").data(data));
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

    /// Tells once that a run is gone.
    fn tell_removed(&mut self, id: RunId) {
        if self.removed.insert(id) {
            let data = json!({"id": id}).to_string();
            self.ready
                .push_back(Event::default().event("removed").data(data));
        }
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

/// The states of runs; those that are not there are removed.
fn states_of(c: &rusqlite::Connection, ids: &[RunId]) -> Result<(Vec<Run>, Vec<RunId>)> {
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

impl Drop for Feed {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_query(query: &str, last: Option<&str>) -> Result<StreamQuery> {
        let mut headers = HeaderMap::new();
        if let Some(last) = last {
            headers.insert("last-event-id", HeaderValue::from_str(last).unwrap());
        }
        let uri = format!("/?{query}").parse().unwrap();
        let Query(query) = Pairs::try_from_uri(&uri).unwrap();
        StreamQuery::parse(&query, &headers)
    }

    #[test]
    fn the_place_is_one_number_for_each_run_and_the_header_wins() {
        let (a, b) = (RunId::next(), RunId::next());
        let both = format!("run={a}&run={b}&after=1.2");
        assert_eq!(parse_query(&both, None).unwrap().runs, [(a, 1), (b, 2)]);
        assert_eq!(
            parse_query(&both, Some("5.6")).unwrap().runs,
            [(a, 5), (b, 6)]
        );
        assert_eq!(parse_query("", None).unwrap().states, States::All);
        assert_eq!(parse_query(&both, None).unwrap().states, States::None);
        let with = parse_query(&format!("{both}&include=status"), None).unwrap();
        assert_eq!(with.states, States::OfLogs);
    }

    #[test]
    fn a_browser_names_the_states_that_its_tabs_show() {
        let (a, b) = (RunId::next(), RunId::next());
        let some = parse_query(&format!("run={a}&status={a}&status={b}"), None).unwrap();
        assert!(some.for_tabs);
        assert_eq!(some.states, States::Of(HashSet::from([a, b])));
        let index = Uuid::now_v7();
        let all = parse_query(&format!("status=all&since={index}.7"), None).unwrap();
        assert_eq!(all.states, States::All);
        assert_eq!(all.since, Some((index, 7)));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let run = RunId::next();
        for (query, last) in [
            (format!("run={run}"), Some("1.2")),
            (format!("run={run}"), Some("-1")),
            (format!("run={run}"), Some("18446744073709551615")),
            (format!("run={run}"), Some("x")),
            ("run=../../etc/passwd".to_owned(), None),
            ("runs=1".to_owned(), None),
            ("status=some".to_owned(), None),
            ("status=all&since=7".to_owned(), None),
            ("status=all&since=x.7".to_owned(), None),
        ] {
            assert!(parse_query(&query, last).is_err(), "{query} {last:?}");
        }
    }
}
