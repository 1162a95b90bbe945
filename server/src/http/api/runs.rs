//! Runs: create, look at, stop, resume, label, remove.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::schema::{Array, ArrayBuilder, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use vivarium_models::spec::{FieldError, RunSpec};

use super::selections::of_selection;
use super::specs::check_that_it_fits;
use super::{RunPath, run_id};
use crate::base_path;
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::json::{Body, given};
use crate::http::query::{self, Pairs};
use crate::index::damage::Unreadable;
use crate::index::facets::{self, Facets};
use crate::index::listing::{self, Filter, Group, Grouping, Order, Wanted};
use crate::index::run_labels;
use crate::index::runs::{self as rows, Run, Status};
use crate::inspect::InspectThread;
use crate::run_dir::{RunId, worker_log};
use crate::trash::Deleted;

/// The end of a log that is sent.
const LOG_TAIL: u64 = 64 * 1024;

/// The runs of a page, unless the request says.
const PAGE: usize = 100;

/// The most runs of a page.
const LARGEST_PAGE: usize = 1000;

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

/// Which runs are wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "the words are read one by one: some may be there several times"
)]
struct FilterParams {
    /// Words, which must all be in the name, the tags, the notes, the id, the network, the data set or the state of a run,
    /// and terms such as `network:vgg16`, `accuracy>0.9`, `loss<0.1`, `lr<=0.01`, `tag:final` and `-status:failed`.
    #[param(nullable = false, max_length = 1000)]
    search: Option<String>,
    /// A status; with several, runs of any of them.
    #[param(required = false)]
    status: Vec<Status>,
    /// The runs of a sweep.
    #[param(nullable = false)]
    sweep: Option<Uuid>,
    /// A tag; with several, runs with any of them.
    #[param(required = false)]
    tag: Vec<String>,
    /// A selection, for its runs.
    #[param(nullable = false, pattern = "^[0-9a-f]{32}$")]
    selection: Option<String>,
}

/// In what order.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the words are read one by one")]
struct SortParams {
    /// `created`, `status`, `name`, `network`, `data`, `progress`, `train_loss`, `loss` (validation), `last` (validation
    /// accuracy), `validation` (the best accuracy), `test`, `parameters`, `memory`, `speed`, `seconds`, or the path of a
    /// setting such as `training.optimizer.lr`. A minus before it sorts in descending order. Runs without the value come
    /// last, and newer runs first among equals.
    #[param(nullable = false, default = "-created")]
    sort: Option<String>,
}

/// Which page.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the words are read one by one")]
struct PageParams {
    /// `sweep`, `tag`, `status`, or the path of a setting: the runs are listed group by group, in the order of the first run
    /// of each.
    #[param(nullable = false)]
    group: Option<String>,
    /// The maximum number of runs.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
    /// The `next` of the page before. The other parameters must be the same.
    #[param(nullable = false)]
    cursor: Option<String>,
}

/// Of which group.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the words are read one by one")]
struct GroupParams {
    /// `sweep`, `tag`, `status`, or the path of a setting: only the runs of one group, with `value`.
    #[param(nullable = false)]
    group: Option<String>,
    /// The value of the group, as JSON.
    #[param(nullable = false)]
    value: Option<String>,
}

/// The ids of runs.
#[derive(Serialize, ToSchema)]
pub struct RunIds {
    ids: Vec<RunId>,
}

/// The words that a list of runs is asked for with.
struct Asked<'a> {
    pairs: &'a [(String, String)],
}

impl<'a> Asked<'a> {
    /// Refuses a word that is not among `known`: with a misspelt one, too many runs would be found.
    fn read(pairs: &'a [(String, String)], known: &[&str]) -> Result<Self> {
        match pairs
            .iter()
            .find(|(name, _)| !known.contains(&name.as_str()))
        {
            Some((name, value)) => {
                let message = format!("is not known here; there are {}", known.join(", "));
                Err(Error::field(name, value.as_str(), message))
            }
            None => Ok(Self { pairs }),
        }
    }

    fn last(&self, name: &'a str) -> Option<&'a str> {
        query::values(self.pairs, name).last()
    }

    async fn filter(&self, app: &App) -> Result<Filter> {
        let ids = match self.last("selection") {
            Some(name) => Some(of_selection(app, name.to_owned()).await?),
            None => None,
        };
        let statuses = query::values(self.pairs, "status").map(|name| {
            Status::named(name).ok_or_else(|| {
                let names = Status::ALL.map(Status::name).join(", ");
                Error::field("status", name, format!("must be one of {names}"))
            })
        });
        Ok(Filter {
            search: self.last("search").unwrap_or_default().to_owned(),
            statuses: statuses.collect::<Result<_>>()?,
            sweep: self.last("sweep").map(str::to_owned),
            tags: query::values(self.pairs, "tag")
                .map(str::to_owned)
                .collect(),
            ids: ids.map(|ids| ids.into_iter().collect()),
            group: None,
        })
    }

    fn order(&self) -> Result<Order> {
        self.last("sort").map_or(Ok(Order::default()), Order::read)
    }

    fn grouping(&self) -> Result<Option<Grouping>> {
        self.last("group").map(Grouping::read).transpose()
    }

    fn limit(&self) -> Result<usize> {
        let Some(text) = self.last("limit") else {
            return Ok(PAGE);
        };
        let limit = text.parse().ok();
        limit
            .filter(|limit| (1..=LARGEST_PAGE).contains(limit))
            .ok_or_else(|| {
                let message = format!("must be a number from 1 to {LARGEST_PAGE}");
                Error::field("limit", text, message)
            })
    }
}

/// A run and its page.
#[derive(Serialize, ToSchema)]
pub struct RunLink {
    id: RunId,
    /// Its page.
    url: String,
}

impl RunLink {
    /// A run and its page.
    pub(super) fn to(id: RunId) -> Self {
        let url = base_path::url(&format!("/runs/{id}"));
        Self { id, url }
    }
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
        "search",
        "status",
        "sweep",
        "tag",
        "selection",
        "sort",
        "group",
        "limit",
        "cursor",
    ];
    let asked = Asked::read(&query, &known)?;
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
        "search",
        "status",
        "sweep",
        "tag",
        "selection",
        "sort",
        "group",
        "value",
    ];
    let asked = Asked::read(&query, &known)?;
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
    params(("sweep" = Option<Uuid>, Query, nullable = false, description = "The runs of a sweep")),
    responses((status = 200, description = "The values", body = Facets))
)]
pub async fn facets(State(app): State<App>, Query(query): Pairs) -> Result<Json<Facets>> {
    let asked = Asked::read(&query, &["sweep"])?;
    let sweep = asked.last("sweep").map(str::to_owned);
    let (facets, unreadable) = app.index.read(move |c| facets::read(c, sweep)).await?;
    app.index.note_unreadable(unreadable);
    Ok(Json(facets))
}

/// A run.
#[utoipa::path(
    get,
    path = "/runs/{id}",
    params(RunPath),
    responses((status = 200, description = "The run", body = Run))
)]
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Run>> {
    let id = run_id(&id)?;
    Ok(Json(app.index.read(move |c| rows::get(c, id)).await?))
}

/// Create a run and put it in the queue.
#[utoipa::path(
    post,
    path = "/runs",
    request_body = RunSpec,
    responses((status = 201, description = "Its id and its page", body = RunLink))
)]
pub async fn create(State(app): State<App>, Body(json): Body<Value>) -> Result<Response> {
    let spec = check_that_it_fits(json, &app).await?.0;
    let id = app.supervisor.create(spec).await?;
    let location = [(
        header::LOCATION,
        base_path::url(&format!("/api/v1/runs/{id}")),
    )];
    Ok((StatusCode::CREATED, location, Json(RunLink::to(id))).into_response())
}

/// Stop a run: it finishes its step and writes a checkpoint.
#[utoipa::path(
    post,
    path = "/runs/{id}/stop",
    params(RunPath),
    responses((status = 202, description = "The run, stopping", body = Run))
)]
pub async fn stop(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Run>)> {
    let id = run_id(&id)?;
    app.supervisor.stop(id).await?;
    Ok((StatusCode::ACCEPTED, show_again(&app, id).await?))
}

/// Resume a run from its last checkpoint.
#[utoipa::path(
    post,
    path = "/runs/{id}/resume",
    params(RunPath),
    responses((status = 202, description = "The run, queued", body = Run))
)]
pub async fn resume(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Run>)> {
    let id = run_id(&id)?;
    app.supervisor.resume(id).await?;
    Ok((StatusCode::ACCEPTED, show_again(&app, id).await?))
}

async fn show_again(app: &App, id: crate::run_dir::RunId) -> Result<Json<Run>> {
    Ok(Json(app.index.read(move |c| rows::get(c, id)).await?))
}

/// Delete a run: it goes to the trash, where it is kept for seven days.
#[utoipa::path(
    delete,
    path = "/runs/{id}",
    params(RunPath),
    responses((status = 204, description = "It is deleted"))
)]
pub async fn delete(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode> {
    let id = run_id(&id)?;
    app.supervisor.delete(id).await?;
    forget(app.inspector.clone(), id);
    Ok(StatusCode::NO_CONTENT)
}

/// Restore a run from the trash, with its name, tags and notes.
#[utoipa::path(
    post,
    path = "/runs/{id}/restore",
    params(RunPath),
    responses((status = 200, description = "The run", body = Run))
)]
pub async fn restore(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Run>> {
    let id = run_id(&id)?;
    app.supervisor.restore(id).await?;
    show_again(&app, id).await
}

/// The trash.
#[derive(Serialize, ToSchema)]
pub struct Trash {
    runs: Vec<Deleted>,
}

/// Runs that were deleted, the newest first.
#[utoipa::path(
    get,
    path = "/trash",
    responses((status = 200, description = "The runs", body = Trash))
)]
pub async fn trash(State(app): State<App>) -> Result<Json<Trash>> {
    let runs = app.supervisor.deleted().await?;
    Ok(Json(Trash { runs }))
}

/// Remove a deleted run for good.
#[utoipa::path(
    delete,
    path = "/trash/{id}",
    params(RunPath),
    responses((status = 204, description = "It is deleted"))
)]
pub async fn remove_for_good(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode> {
    let id = run_id(&id)?;
    app.supervisor.remove_for_good(id).await?;
    blocking(move || {
        app.images.pins.remove(id);
        Ok(())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives back what is in memory of a run that is gone. Nobody waits for that.
fn forget(inspector: InspectThread, id: RunId) {
    tokio::spawn(async move {
        let forgotten = inspector.run(move |cache| {
            cache.forget(id);
            Ok(())
        });
        if let Err(error) = forgotten.await {
            tracing::debug!(%error, "a run is forgotten later");
        }
    });
}

/// The labels that people give.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = tags)]
    tags: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, max_length = 65536)]
    notes: Option<String>,
}

fn tags() -> Array {
    let tag = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(40));
    ArrayBuilder::new().items(tag).max_items(Some(32)).build()
}

impl Labels {
    fn check(&self) -> Result<()> {
        let mut errors = Vec::new();
        let mut refuse = |path: String, value: &str, message: &str| {
            errors.push(FieldError::new(&path, &Value::from(value), message));
        };
        let is_label = |text: &str, most: usize| {
            !text.trim().is_empty()
                && text.chars().count() <= most
                && !text.chars().any(char::is_control)
        };
        if let Some(name) = self.name.as_deref().filter(|name| !is_label(name, 200)) {
            refuse(
                "name".into(),
                name,
                "must have 1 to 200 characters, none of them a control character",
            );
        }
        let tags = self.tags.as_deref().unwrap_or_default();
        for (i, tag) in tags
            .iter()
            .enumerate()
            .filter(|(_, tag)| !is_label(tag, 40))
        {
            refuse(
                format!("tags.{i}"),
                tag,
                "must have 1 to 40 characters, none of them a control character",
            );
        }
        if tags.len() > 32 {
            refuse("tags".into(), "", "must be at most 32");
        }
        if let Some(notes) = self
            .notes
            .as_deref()
            .filter(|notes| notes.len() > 64 * 1024)
        {
            refuse("notes".into(), &notes[..0], "must be at most 64 KiB");
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Error::Spec(errors))
        }
    }
}

/// Name, tag and annotate a run.
#[utoipa::path(
    patch,
    path = "/runs/{id}",
    params(RunPath),
    request_body = Labels,
    responses((status = 200, description = "The run", body = Run))
)]
pub async fn label(
    State(app): State<App>,
    Path(id): Path<String>,
    Body(labels): Body<Labels>,
) -> Result<Json<Run>> {
    let id = run_id(&id)?;
    labels.check()?;
    app.index
        .write(move |w| {
            rows::get(w, id)?;
            let name = labels.name.as_deref().map(str::trim);
            run_labels::set(w, id, name, labels.tags.as_deref(), labels.notes.as_deref())
        })
        .await?;
    show_again(&app, id).await
}

/// The end of the worker's log.
#[utoipa::path(
    get,
    path = "/runs/{id}/log",
    params(RunPath),
    responses((status = 200, description = "Text", body = String, content_type = "text/plain"))
)]
pub async fn log(State(app): State<App>, Path(id): Path<String>) -> Result<String> {
    let id = run_id(&id)?;
    let run = app.index.read(move |c| rows::get(c, id)).await?;
    run.is_own("there is no log of a worker")?;
    let path = app.supervisor.run_dir(id).worker_log();
    blocking(move || worker_log::tail(&path, LOG_TAIL)).await
}
