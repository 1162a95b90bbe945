//! Settings before they are a run: what they mean, and what they will take.

use axum::Json;
use axum::body::Body as Answer;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use vivarium_models::form;
use vivarium_models::spec::RunSpec;
use vivarium_models::train::{self, LrCurve, Plan};

use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::estimate::{Estimate, too_large};
use crate::http::App;
use crate::http::json::Body;
use crate::lr_finder::LrFinderLine;
use crate::start_weights;

/// Points of the schedule's chart.
const POINTS: u64 = 120;

/// What settings mean.
#[derive(Serialize, ToSchema)]
pub struct SpecCheck {
    /// The settings in full.
    spec: RunSpec,
    /// What the run will do.
    plan: Plan,
    /// The learning rate at about 120 steps.
    schedule: LrCurve,
}

/// Check a RunSpec without creating a run.
#[utoipa::path(
    post,
    path = "/specs/check",
    request_body = RunSpec,
    responses((status = 200, description = "The settings in full, sizes, and the learning rate", body = SpecCheck))
)]
pub async fn check(State(app): State<App>, Body(json): Body<Value>) -> Result<Json<SpecCheck>> {
    let (spec, plan) = check_that_it_fits(json, &app).await?;
    let schedule = LrCurve::of(&spec, &plan, POINTS);
    Ok(Json(SpecCheck {
        spec,
        plan,
        schedule,
    }))
}

/// Estimate the time and the memory of a run.
///
/// A few steps on random data are measured, which takes about two seconds; the answer is remembered. A client that leaves ends the measurement.
#[utoipa::path(
    post,
    path = "/specs/estimate",
    request_body = RunSpec,
    responses((status = 200, description = "The estimate", body = Estimate))
)]
pub async fn estimate(State(app): State<App>, Body(json): Body<Value>) -> Result<Json<Estimate>> {
    let (spec, plan) = check_with_plan(json, &app).await?;
    Ok(Json(app.estimator.estimate(&spec, &plan).await?))
}

/// Find a learning rate by training for a moment at rising rates.
///
/// A hundred steps at most, with everything else as in the run, in a process of its own; nothing of it is kept. The answer is lines of JSON, as they are made: the steps with their losses, and at last the result. A client that leaves ends the search.
#[utoipa::path(
    post,
    path = "/specs/find-lr",
    request_body = RunSpec,
    responses((status = 200, description = "The steps and the result, one a line", body = LrFinderLine, content_type = "application/x-ndjson"))
)]
pub async fn find_lr(State(app): State<App>, Body(json): Body<Value>) -> Result<Response> {
    let (spec, plan) = check_that_it_fits(json, &app).await?;
    let lines = app.lr_finder.search(&spec, &plan).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CACHE_CONTROL, "no-store"),
        // A proxy should not gather lines.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Answer::from_stream(lines)).into_response())
}

/// Checks the settings by themselves, then against their data and network: a data set that is
/// not there is told at creation, not by the worker.
pub(super) async fn check_with_plan(mut json: Value, app: &App) -> Result<(RunSpec, Plan)> {
    let (library, networks) = (app.data_sets.library.clone(), app.networks.clone());
    let runs = app.supervisor.runs_folder();
    blocking(move || {
        networks.complete(&mut json)?;
        let spec = form::check(&json, &library)
            .map_err(|errors| Error::Spec(networks.with_names(errors)))?;
        let plan = train::prepare(&spec, &library)?;
        start_weights::find(&runs, &spec, &library)?;
        Ok((spec, plan))
    })
    .await
}

/// As [`check_with_plan`]; also refuses a run that needs more memory than this machine has, by its network alone.
pub(super) async fn check_that_it_fits(json: Value, app: &App) -> Result<(RunSpec, Plan)> {
    let (spec, plan) = check_with_plan(json, app).await?;
    match too_large(&spec, &plan) {
        None => Ok((spec, plan)),
        Some(message) => {
            let batch = spec.training.batch_size;
            Err(Error::field("training.batch_size", batch, message))
        }
    }
}
