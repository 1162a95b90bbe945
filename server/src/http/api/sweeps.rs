//! Sweeps: many runs from one request.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use vivarium_models::spec::RunSpec;
use vivarium_models::train::{self, Plan};

use super::runs::RunLink;
use crate::base_path;
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::json::Body;
use crate::index::runs::{self as rows, Run};
use crate::run_dir::RunId;
use crate::sweeps::{GrowRequest, SweepSpec};

/// Different kinds of step that are measured for an estimate; each takes some seconds.
const MOST_MEASURED: usize = 4;

/// A sweep that was made, and its runs.
#[derive(Serialize, ToSchema)]
pub struct CreatedSweep {
    /// Its id.
    id: String,
    /// Its page.
    url: String,
    /// In the order in which they were made.
    runs: Vec<RunLink>,
}

/// Runs that a sweep was given.
#[derive(Serialize, ToSchema)]
pub struct NewTrials {
    runs: Vec<RunLink>,
}

/// A sweep in a list.
#[derive(Serialize, ToSchema)]
pub struct SweepAbout {
    /// Its id.
    id: String,
    /// Its page.
    url: String,
    /// The name that its runs begin with; `null` where they have none.
    #[schema(value_type = Option<String>)]
    name: Value,
    /// How many runs it has.
    runs: usize,
    /// How many of them wait or train.
    active: usize,
}

/// Every sweep.
#[derive(Serialize, ToSchema)]
pub struct Sweeps {
    sweeps: Vec<SweepAbout>,
}

/// What a sweep is made from, and its runs.
#[derive(Serialize, ToSchema)]
pub struct Sweep {
    /// Its id.
    pub(in crate::http) id: String,
    /// Its page.
    url: String,
    /// What its runs are made from.
    pub(in crate::http) spec: SweepSpec,
    /// In the order in which they were made.
    pub(in crate::http) runs: Vec<Run>,
}

/// How many runs were stopped.
#[derive(Serialize, ToSchema)]
pub struct StoppedRuns {
    stopped: usize,
}

/// What a sweep would be.
#[derive(Serialize, ToSchema)]
pub struct SweepCheck {
    /// How many runs it has.
    runs: usize,
    /// Their names.
    names: Vec<String>,
    /// Steps of all runs.
    steps: u64,
    /// Trainable parameters of their networks.
    parameters: Bounds,
}

/// The least and the greatest.
#[derive(Serialize, ToSchema)]
pub struct Bounds {
    min: Option<u64>,
    max: Option<u64>,
}

/// What a sweep will take.
#[derive(Serialize, ToSchema)]
pub struct SweepEstimate {
    /// How many runs it has.
    runs: usize,
    /// Of all runs, one after the other; `null` where a step could not be measured.
    seconds: Option<f64>,
    /// The most memory that one of them holds; `null` where it is not known.
    memory_bytes: Option<u64>,
    /// How many kinds of step were measured.
    measured: usize,
    /// How many kinds of step there are.
    kinds: usize,
    /// Why a step could not be measured; empty where every one could.
    note: String,
}

/// Create a run for every combination of a grid.
#[utoipa::path(
    post,
    path = "/sweeps",
    request_body = SweepSpec,
    responses((status = 201, description = "The sweep and its runs", body = CreatedSweep))
)]
pub async fn create(
    State(app): State<App>,
    Body(mut spec): Body<SweepSpec>,
) -> Result<(StatusCode, Json<CreatedSweep>)> {
    let (library, networks) = (app.data_sets.library.clone(), app.networks.clone());
    let spec = blocking(move || {
        spec.add_texts(&networks)?;
        spec.add_version(&library);
        Ok(spec)
    })
    .await?;
    let made = app.supervisor.create_sweep(spec).await;
    let (id, runs) = with_names(&app, made).await?;
    let (url, runs) = (url(&id), links(&runs));
    Ok((StatusCode::CREATED, Json(CreatedSweep { id, url, runs })))
}

/// Every sweep, the newest first.
#[utoipa::path(
    get,
    path = "/sweeps",
    responses((status = 200, description = "The sweeps", body = Sweeps))
)]
pub async fn list(State(app): State<App>) -> Result<Json<Sweeps>> {
    let sweeps = app.supervisor.sweeps().await?;
    let counts = app.index.read(rows::count_by_sweep).await?;
    let sweeps: Vec<_> = sweeps
        .iter()
        .map(|(id, sweep)| {
            let count = counts.get(id).copied().unwrap_or_default();
            SweepAbout {
                id: id.clone(),
                url: url(id),
                name: sweep.spec.base["name"].clone(),
                runs: count.runs,
                active: count.active,
            }
        })
        .collect();
    Ok(Json(Sweeps { sweeps }))
}

/// A sweep: what it is made from, and its runs.
#[utoipa::path(
    get,
    path = "/sweeps/{id}",
    params(("id" = Uuid, Path, description = "The sweep")),
    responses((status = 200, description = "The sweep", body = Sweep))
)]
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Sweep>> {
    Ok(Json(whole(&app, id).await?))
}

/// A sweep with its runs.
pub(in crate::http) async fn whole(app: &App, id: String) -> Result<Sweep> {
    let sweep = app.supervisor.sweep(id.clone()).await?;
    let of = id.clone();
    let runs = app.index.runs(move |c| rows::of_sweep(c, &of)).await?;
    Ok(Sweep {
        url: url(&id),
        id,
        spec: sweep.spec,
        runs,
    })
}

/// The page of a sweep.
pub(super) fn url(id: &str) -> String {
    base_path::url(&format!("/sweeps/{id}"))
}

/// Stop the runs of a sweep that are queued or training.
#[utoipa::path(
    post,
    path = "/sweeps/{id}/stop",
    params(("id" = Uuid, Path, description = "The sweep")),
    responses((status = 200, description = "How many runs were stopped", body = StoppedRuns))
)]
pub async fn stop(State(app): State<App>, Path(id): Path<String>) -> Result<Json<StoppedRuns>> {
    let stopped = app.supervisor.stop_sweep(id).await?;
    Ok(Json(StoppedRuns { stopped }))
}

/// Add runs to a sweep: more combinations of a search, or more seeds for every combination.
#[utoipa::path(
    post,
    path = "/sweeps/{id}/trials",
    params(("id" = Uuid, Path, description = "The sweep")),
    request_body = GrowRequest,
    responses((status = 201, description = "The new runs", body = NewTrials))
)]
pub async fn grow(
    State(app): State<App>,
    Path(id): Path<String>,
    Body(more): Body<GrowRequest>,
) -> Result<(StatusCode, Json<NewTrials>)> {
    let runs = links(&app.supervisor.grow_sweep(id, more).await?);
    Ok((StatusCode::CREATED, Json(NewTrials { runs })))
}

/// Check a sweep without creating it.
#[utoipa::path(
    post,
    path = "/sweeps/check",
    request_body = SweepSpec,
    responses((status = 200, description = "Its runs", body = SweepCheck))
)]
pub async fn check(
    State(app): State<App>,
    Body(spec): Body<SweepSpec>,
) -> Result<Json<SweepCheck>> {
    let planned = plan(&app, spec).await?;
    let names: Vec<_> = planned.iter().map(|(run, _)| run.name.clone()).collect();
    let parameters = planned.iter().map(|(_, plan)| plan.parameters);
    let steps: u64 = planned.iter().map(|(_, plan)| plan.total_steps).sum();
    let (min, max) = (parameters.clone().min(), parameters.max());
    Ok(Json(SweepCheck {
        runs: planned.len(),
        names,
        steps,
        parameters: Bounds { min, max },
    }))
}

/// Estimate the time of a sweep, its runs one after the other, and the memory of the largest.
///
/// The kinds of step that differ most are measured, each for some seconds. A client that leaves ends the measurement.
#[utoipa::path(
    post,
    path = "/sweeps/estimate",
    request_body = SweepSpec,
    responses((status = 200, description = "The estimate", body = SweepEstimate))
)]
pub async fn estimate(
    State(app): State<App>,
    Body(spec): Body<SweepSpec>,
) -> Result<Json<SweepEstimate>> {
    let planned = plan(&app, spec).await?;
    // Runs whose steps are alike in kind are told by one of them.
    let mut kinds: BTreeMap<(u64, u64), Vec<usize>> = BTreeMap::new();
    for (i, (run, plan)) in planned.iter().enumerate() {
        let kind = (plan.parameters, run.training.batch_size);
        kinds.entry(kind).or_default().push(i);
    }
    let of = kinds.len();
    // The least and the most costly are among those that are measured.
    let chosen = (0..of.min(MOST_MEASURED)).map(|i| {
        let last = of.min(MOST_MEASURED).saturating_sub(1).max(1);
        i * (of - 1) / last
    });
    let groups: Vec<_> = kinds.into_values().collect();
    let (mut seconds, mut steps, mut memory, mut note) = (0.0, 0, None, String::new());
    let mut complete = true;
    for group in chosen.map(|at| &groups[at]) {
        let (run, plan) = &planned[group[0]];
        let found = app.estimator.estimate(run, plan).await?;
        memory = memory.max(found.memory_bytes);
        let Some(each) = found.seconds else {
            note = found.note;
            complete = false;
            break;
        };
        for &i in group {
            let share = planned[i].1.total_steps as f64 / plan.total_steps.max(1) as f64;
            seconds += each * share;
            steps += planned[i].1.total_steps;
        }
    }
    let all: u64 = planned.iter().map(|(_, plan)| plan.total_steps).sum();
    let scale = all as f64 / steps.max(1) as f64;
    Ok(Json(SweepEstimate {
        runs: planned.len(),
        seconds: complete.then_some(seconds * scale),
        memory_bytes: memory,
        measured: of.min(MOST_MEASURED),
        kinds: of,
        note,
    }))
}

/// Errors of a sweep, with the users' networks among those that its network must be one of.
async fn with_names<T>(app: &App, made: Result<T>) -> Result<T> {
    match made {
        Err(Error::Spec(errors)) => {
            let networks = app.networks.clone();
            let errors = blocking(move || Ok(networks.with_names(errors))).await?;
            Err(Error::Spec(errors))
        }
        made => made,
    }
}

async fn plan(app: &App, mut spec: SweepSpec) -> Result<Vec<(RunSpec, Plan)>> {
    let (library, networks) = (app.data_sets.library.clone(), app.networks.clone());
    let planned = blocking(move || {
        spec.add_texts(&networks)?;
        let runs = spec.expand(&library)?;
        runs.into_iter()
            .map(|run| {
                let plan = train::prepare(&run, &library)?;
                Ok((run, plan))
            })
            .collect()
    });
    with_names(app, planned.await).await
}

fn links(runs: &[RunId]) -> Vec<RunLink> {
    runs.iter().copied().map(RunLink::to).collect()
}
