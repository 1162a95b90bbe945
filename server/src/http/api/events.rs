//! The feed: what happens, to browsers, over server-sent events.
//!
//! A stream holds no queue. It remembers what it has sent, waits until something changed, and
//! asks the index for what follows; it asks for more only when the reader has taken what it was
//! given. So a reader that is slow or comes back gets every event once and in order, and costs no
//! memory.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::run_id;
use crate::error::{Error, Result};
use crate::http::App;
use crate::index::{Index, events, runs as rows};
use crate::run_dir::RunId;

/// The most that is read ahead of a reader.
const BATCH_EVENTS: usize = 256;
const BATCH_BYTES: usize = 16 * 1024;

/// The state of a run is told at most this often: people cannot read faster.
const STATES_EVERY: Duration = Duration::from_millis(200);

/// Proxies and browsers give up on a stream that says nothing.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

static OPEN: AtomicUsize = AtomicUsize::new(0);

/// How many streams are open.
pub fn open_streams() -> usize {
    OPEN.load(Ordering::Relaxed)
}

/// `GET /events`: the events of the runs asked for; without any, the states of all runs.
pub async fn stream(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let wanted = Wanted::parse(query.as_deref().unwrap_or_default(), &headers)?;
    let runs = wanted.runs.clone();
    // An address without a run behind it is refused, which tells a browser not to come back.
    app.index
        .read(move |c| {
            runs.iter()
                .try_for_each(|(id, _)| rows::get(c, *id).map(drop))
        })
        .await?;
    OPEN.fetch_add(1, Ordering::Relaxed);
    let feed = Feed {
        changes: app.index.changes(),
        index: app.index,
        shutdown: app.shutdown,
        logs: wanted.runs,
        states: wanted.states,
        states_sent: 0,
        states_at: None,
        ready: VecDeque::from([Event::default()
            .retry(Duration::from_secs(1))
            .comment("vivarium")]),
    };
    let stream = stream::unfold(feed, |mut feed| async {
        feed.next()
            .await
            .map(|event| (Ok::<_, Infallible>(event), feed))
    });
    let mut response = Sse::new(stream)
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response();
    response.headers_mut().insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(response)
}

/// What a reader asks for.
struct Wanted {
    /// Runs, each with the number of the last event that the reader has.
    runs: Vec<(RunId, u64)>,
    states: bool,
}

impl Wanted {
    fn parse(query: &str, headers: &HeaderMap) -> Result<Self> {
        let mut runs = Vec::new();
        let mut after = None;
        let mut states = false;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("run", id)) => runs.push((run_id(id)?, 0)),
                Some(("after", seqs)) => after = Some(seqs.to_owned()),
                Some(("include", "status")) => states = true,
                _ => {
                    return Err(Error::BadRequest(format!(
                        "“{pair}” is not known here; there are run, after and include=status"
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
        states |= runs.is_empty();
        Ok(Self { runs, states })
    }
}

/// One reader's stream.
struct Feed {
    index: Index,
    changes: watch::Receiver<i64>,
    shutdown: CancellationToken,
    /// Runs whose logs are sent, with the last event sent of each.
    logs: Vec<(RunId, u64)>,
    /// Whether states are sent too.
    states: bool,
    /// The last change whose states are sent.
    states_sent: i64,
    states_at: Option<Instant>,
    /// Read and not yet taken: at most one batch.
    ready: VecDeque<Event>,
}

impl Feed {
    /// The next event, when there is one; `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.shutdown.is_cancelled() {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            // Seen before it is read: what changes from here on wakes the wait below.
            let change = *self.changes.borrow_and_update();
            if let Err(error) = self.read(change).await {
                if !matches!(error, Error::NotFound(_)) {
                    tracing::error!(%error, "a stream had to end");
                }
                return None;
            }
            if self.ready.is_empty() {
                self.wait(change).await;
            }
        }
    }

    async fn wait(&mut self, change: i64) {
        let states_due = self.states && self.states_sent < change;
        let due = self
            .states_at
            .map_or_else(Instant::now, |at| at + STATES_EVERY);
        tokio::select! {
            _ = self.changes.changed() => {}
            () = tokio::time::sleep_until(due), if states_due => {}
            () = self.shutdown.cancelled() => {}
        }
    }

    async fn read(&mut self, change: i64) -> Result<()> {
        for i in 0..self.logs.len() {
            let (id, sent) = self.logs[i];
            let batch = self
                .index
                .read(move |c| events::after(c, id, sent, BATCH_EVENTS, BATCH_BYTES))
                .await?;
            for event in batch {
                self.logs[i].1 = event.seq;
                self.ready.push_back(self.log_event(id, &event.body));
            }
        }
        let pause_over = self.states_at.is_none_or(|at| at.elapsed() >= STATES_EVERY);
        if self.states && self.states_sent < change && pause_over {
            self.read_states(change).await?;
        }
        Ok(())
    }

    async fn read_states(&mut self, change: i64) -> Result<()> {
        let sent = self.states_sent;
        let (runs, removed) = self
            .index
            .read(move |c| rows::changed_since(c, sent))
            .await?;
        let follows =
            |id: RunId| self.logs.is_empty() || self.logs.iter().any(|(log, _)| *log == id);
        let mut newest = change;
        for run in runs.iter().filter(|run| follows(run.id)) {
            newest = newest.max(run.changed);
            if let Ok(event) = Event::default().event("run").json_data(run) {
                self.ready.push_back(event);
            }
        }
        let removed = removed.iter().filter(|id| id.parse().is_ok_and(follows));
        // Who has just come does not know what is gone.
        for id in removed.filter(|_| sent > 0) {
            let data = json!({"id": id}).to_string();
            self.ready
                .push_back(Event::default().event("removed").data(data));
        }
        self.states_sent = newest;
        self.states_at = Some(Instant::now());
        Ok(())
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

impl Drop for Feed {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(query: &str, last: Option<&str>) -> Result<Wanted> {
        let mut headers = HeaderMap::new();
        if let Some(last) = last {
            headers.insert("last-event-id", HeaderValue::from_str(last).unwrap());
        }
        Wanted::parse(query, &headers)
    }

    #[test]
    fn the_place_is_one_number_for_each_run_and_the_header_wins() {
        let (a, b) = (RunId::next(), RunId::next());
        let both = format!("run={a}&run={b}&after=1.2");
        assert_eq!(wanted(&both, None).unwrap().runs, [(a, 1), (b, 2)]);
        assert_eq!(wanted(&both, Some("5.6")).unwrap().runs, [(a, 5), (b, 6)]);
        assert!(wanted("", None).unwrap().states);
        assert!(!wanted(&both, None).unwrap().states);
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
        ] {
            assert!(wanted(&query, last).is_err(), "{query} {last:?}");
        }
    }
}
