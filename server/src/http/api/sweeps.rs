//! Sweeps: many runs from one request.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use vivarium_models::spec::RunSpec;
use vivarium_models::train::{self, Plan};

use crate::base_path;
use crate::blocking::blocking;
use crate::error::Result;
use crate::http::App;
use crate::http::json::Body;
use crate::run_dir::RunId;
use crate::sweeps::{GrowRequest, SweepSpec};

/// Different kinds of step that are measured for an estimate; each takes some seconds.
const MOST_MEASURED: usize = 4;

/// `POST /sweeps`
pub async fn create(
    State(app): State<App>,
    Body(spec): Body<SweepSpec>,
) -> Result<(StatusCode, Json<Value>)> {
    let (id, runs) = app.supervisor.create_sweep(spec).await?;
    let url = base_path::url(&format!("/sweeps/{id}"));
    Ok((
        StatusCode::CREATED,
        Json(json!({"id": id, "url": url, "runs": links(&runs)})),
    ))
}

/// `GET /sweeps`
pub async fn list(State(app): State<App>) -> Result<Json<Value>> {
    let sweeps = app.supervisor.sweeps().await?;
    let runs = app.index.list().await?;
    let sweeps: Vec<_> = sweeps
        .iter()
        .map(|(id, sweep)| {
            let mine = || runs.iter().filter(|run| run.sweep.as_ref() == Some(id));
            json!({
                "id": id,
                "url": base_path::url(&format!("/sweeps/{id}")),
                "name": sweep.spec.base["name"],
                "runs": mine().count(),
                "active": mine().filter(|run| run.status.is_active()).count(),
            })
        })
        .collect();
    Ok(Json(json!({ "sweeps": sweeps })))
}

/// `GET /sweeps/{id}`: what it is made from, and its runs in the order in which they were made.
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>> {
    Ok(Json(whole(&app, id).await?))
}

/// A sweep with its runs.
pub(in crate::http) async fn whole(app: &App, id: String) -> Result<Value> {
    let sweep = app.supervisor.sweep(id.clone()).await?;
    let mut runs = app.index.list().await?;
    runs.retain(|run| run.sweep.as_ref() == Some(&id));
    runs.sort_by_key(|run| run.number);
    Ok(
        json!({"id": id, "url": base_path::url(&format!("/sweeps/{id}")), "spec": sweep.spec, "runs": runs}),
    )
}

/// `POST /sweeps/{id}/stop`: stops what waits or trains.
pub async fn stop(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>> {
    let stopped = app.supervisor.stop_sweep(id).await?;
    Ok(Json(json!({ "stopped": stopped })))
}

/// `POST /sweeps/{id}/trials`: more combinations of a search, or more seeds.
pub async fn grow(
    State(app): State<App>,
    Path(id): Path<String>,
    Body(more): Body<GrowRequest>,
) -> Result<(StatusCode, Json<Value>)> {
    let runs = app.supervisor.grow_sweep(id, more).await?;
    Ok((StatusCode::CREATED, Json(json!({"runs": links(&runs)}))))
}

/// `POST /sweeps/check`: what `POST /sweeps` would make, without doing it.
pub async fn check(State(app): State<App>, Body(spec): Body<SweepSpec>) -> Result<Json<Value>> {
    let planned = plan(&app, spec).await?;
    let names: Vec<_> = planned.iter().map(|(run, _)| run.name.clone()).collect();
    let parameters = planned.iter().map(|(_, plan)| plan.parameters);
    let steps: u64 = planned.iter().map(|(_, plan)| plan.total_steps).sum();
    Ok(Json(json!({
        "runs": planned.len(),
        "names": names,
        "steps": steps,
        "parameters": {"min": parameters.clone().min(), "max": parameters.max()},
    })))
}

/// `POST /sweeps/estimate`: how long all runs take one after the other, and how much memory the
/// largest, by short measurements of the kinds of step that differ most. Who goes away ends it.
pub async fn estimate(State(app): State<App>, Body(spec): Body<SweepSpec>) -> Result<Json<Value>> {
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
    Ok(Json(json!({
        "runs": planned.len(),
        "seconds": complete.then_some(seconds * scale),
        "memory_bytes": memory,
        "measured": of.min(MOST_MEASURED),
        "kinds": of,
        "note": note,
    })))
}

async fn plan(app: &App, spec: SweepSpec) -> Result<Vec<(RunSpec, Plan)>> {
    let library = app.data_sets.library.clone();
    blocking(move || {
        let runs = spec.expand(&library)?;
        runs.into_iter()
            .map(|run| {
                let plan = train::prepare(&run, &library)?;
                Ok((run, plan))
            })
            .collect()
    })
    .await
}

fn links(runs: &[RunId]) -> Vec<Value> {
    let link = |id: &RunId| json!({"id": id, "url": base_path::url(&format!("/runs/{id}"))});
    runs.iter().map(link).collect()
}
