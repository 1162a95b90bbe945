//! Runs page by page, their ids, and the values that they have.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Query, State};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::query::{Asked, FilterParams, GroupParams, PageParams, SortParams, SweepParams, names};
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::query::Pairs;
use crate::index::damage::Unreadable;
use crate::index::facets::{self, Facets};
use crate::index::listing::{self, Group, Wanted};
use crate::index::runs::{self as rows, Run, Status};
use crate::run_dir::RunId;

/// The most ids that are told at once; a selection holds no more.
const MOST_IDS: usize = 10_000;

/// A page of runs.
#[derive(Serialize, ToSchema)]
pub struct Runs {
    pub(in crate::http) runs: Vec<Run>,
    /// Runs that are missing in `runs`, because what the index has of them cannot be read.
    pub(in crate::http) unreadable: Vec<Unreadable>,
    /// The `cursor` of the next page; `null` on the last one.
    pub(in crate::http) next: Option<String>,
    /// How many runs there are on all pages.
    pub(in crate::http) total: usize,
    /// How many runs there are by status, of the sweep or at all, whatever is searched.
    pub(in crate::http) statuses: BTreeMap<&'static str, u64>,
    /// The groups of the runs, with `group`.
    pub(in crate::http) groups: Vec<Group>,
}

/// The ids of runs.
#[derive(Serialize, ToSchema)]
pub struct RunIds {
    ids: Vec<RunId>,
}

/// Runs page by page, the newest first unless they are sorted otherwise.
#[utoipa::path(
    get,
    path = "/runs",
    params(FilterParams, SortParams, PageParams),
    responses((status = 200, description = "A page of runs", body = Runs))
)]
pub async fn list(State(app): State<App>, Query(query): Pairs) -> Result<Json<Runs>> {
    let known = [
        names::<FilterParams>(),
        names::<SortParams>(),
        names::<PageParams>(),
    ];
    let asked = Asked::read(&query, &known.concat())?;
    let wanted = Wanted {
        filter: asked.filter(&app).await?,
        order: asked.order()?,
        grouping: asked.grouping()?,
        limit: asked.limit()?,
        cursor: asked.last("cursor").map(str::to_owned),
    };
    Ok(Json(page(&app, wanted).await?))
}

/// A page of runs.
pub(in crate::http) async fn page(app: &App, wanted: Wanted) -> Result<Runs> {
    let (page, statuses) = app
        .index
        .read(move |c| {
            let page = listing::page(c, &wanted)?;
            let sweep = wanted.filter.sweep.as_deref();
            let count = |status: Status| Ok((status.name(), rows::count_in(c, status, sweep)?));
            let statuses = Status::ALL.map(count).into_iter().collect::<Result<_>>()?;
            Ok((page, statuses))
        })
        .await?;
    app.index.note_unreadable(page.unreadable);
    Ok(Runs {
        runs: page.runs,
        unreadable: app.index.unreadable(),
        next: page.next,
        total: page.total,
        statuses,
        groups: page.groups,
    })
}

/// The ids of all runs that match, at most 10,000.
///
/// Whatever takes a selection of runs takes them.
#[utoipa::path(
    get,
    path = "/runs/ids",
    params(FilterParams, SortParams, GroupParams),
    responses((status = 200, description = "The ids, in order", body = RunIds))
)]
pub async fn ids(State(app): State<App>, Query(query): Pairs) -> Result<Json<RunIds>> {
    let known = [
        names::<FilterParams>(),
        names::<SortParams>(),
        names::<GroupParams>(),
    ];
    let asked = Asked::read(&query, &known.concat())?;
    let (mut filter, order) = (asked.filter(&app).await?, asked.order()?);
    filter.group = match (asked.grouping()?, asked.last("value")) {
        (Some(grouping), Some(text)) => {
            let value = serde_json::from_str(text)
                .map_err(|_| Error::field("value", text, "must be JSON"))?;
            Some((grouping, value))
        }
        (None, None) => None,
        (Some(_), None) => return Err(Error::field("value", Value::Null, "is needed with group")),
        (None, Some(text)) => return Err(Error::field("group", text, "is needed with value")),
    };
    let ids = app
        .index
        .read(move |c| listing::ids(c, &filter, &order))
        .await?;
    if ids.len() > MOST_IDS {
        let message = format!(
            "finds {} runs, and at most {MOST_IDS} are told at once",
            ids.len()
        );
        return Err(Error::field("search", Value::Null, message));
    }
    Ok(Json(RunIds { ids }))
}

/// The values that runs have: tags, sweeps and settings.
#[utoipa::path(
    get,
    path = "/runs/facets",
    params(SweepParams),
    responses((status = 200, description = "The values", body = Facets))
)]
pub async fn facets(State(app): State<App>, Query(query): Pairs) -> Result<Json<Facets>> {
    let asked = Asked::read(&query, &names::<SweepParams>())?;
    let sweep = asked.last("sweep").map(str::to_owned);
    let (facets, unreadable) = app.index.read(move |c| facets::read(c, sweep)).await?;
    app.index.note_unreadable(unreadable);
    Ok(Json(facets))
}
