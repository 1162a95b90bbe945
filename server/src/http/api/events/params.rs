//! What a reader may ask for, and what it asks for.

use std::collections::HashSet;

use axum::http::HeaderMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::http::App;
use crate::http::api::run_id;
use crate::http::api::selections::{of_selection, runs_of};
use crate::run_dir::RunId;

/// What a stream is asked for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "the words are read one by one: each may be there several times"
)]
pub(super) struct StreamParams {
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
pub(super) struct ResumeParams {
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

/// Whose states a reader asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum States {
    None,
    /// Of the runs whose logs are sent.
    OfLogs,
    Of(HashSet<RunId>),
    All,
}

/// What a reader asks for.
pub(super) struct StreamQuery {
    /// Runs, each with the number of the last event that the reader has.
    pub(super) runs: Vec<(RunId, u64)>,
    pub(super) states: States,
    /// The index that the reader knows and the last of its changes whose states it has.
    pub(super) since: Option<(Uuid, i64)>,
    /// The same, of the changes of all runs.
    pub(super) changes: Option<(Uuid, i64)>,
    /// The reader is a browser that gives to each of its tabs what that one asks for.
    pub(super) for_tabs: bool,
}

impl StreamQuery {
    /// Reads a query, with the runs of the selections and sweeps that it names.
    pub(super) async fn read(
        app: &App,
        query: Vec<(String, String)>,
        headers: &HeaderMap,
    ) -> Result<Self> {
        Self::parse(&name_runs(app, query).await?, headers)
    }

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

#[cfg(test)]
mod tests {
    use axum::extract::Query;
    use axum::http::HeaderValue;

    use super::*;
    use crate::http::query::Pairs;

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
