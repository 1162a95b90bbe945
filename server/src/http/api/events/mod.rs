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
//!
//! `params`: what a reader may ask for, and what it asks for. `feed`: the stream itself, with the logs of runs; `states`:
//! the states of runs in it.

mod feed;
mod params;
mod states;

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::http::App;
use crate::http::query::Pairs;
use crate::index::runs as rows;
use feed::Feed;
use params::{ResumeParams, StreamParams, StreamQuery};

/// Proxies and browsers give up on a stream that says nothing.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

static OPEN: AtomicUsize = AtomicUsize::new(0);

/// How many streams are open.
pub fn open_streams() -> usize {
    OPEN.load(Ordering::Relaxed)
}

/// Counts a stream while it is open.
struct OpenStream;

impl OpenStream {
    fn begin() -> Self {
        OPEN.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
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
    let query = StreamQuery::read(&app, query, &headers).await?;
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
    let open = OpenStream::begin();
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
    let stream = stream::unfold((feed, open), |(mut feed, open)| async {
        let event = feed.next().await?;
        Some((Ok::<_, Infallible>(event), (feed, open)))
    });
    let mut response = Sse::new(stream).keep_alive(alive).into_response();
    response.headers_mut().insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(response)
}
