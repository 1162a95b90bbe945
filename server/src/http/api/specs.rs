//! Settings before they are a run: what they mean, and what they will take.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use vivarium_models::form;
use vivarium_models::spec::RunSpec;
use vivarium_models::train::{self, LrCurve, Plan};

use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::estimate::Estimate;
use crate::http::App;
use crate::http::json::Body;
use crate::schemas;

/// Points of the schedule's chart.
const POINTS: u64 = 120;

/// What settings mean.
#[derive(Serialize, ToSchema)]
#[schema(as = SpecCheck)]
pub struct Meaning {
    /// The settings in full.
    #[schema(value_type = schemas::RunSpec)]
    spec: RunSpec,
    /// What the run will do.
    plan: Plan,
    /// The learning rate at about 120 steps.
    schedule: LrCurve,
}

/// What a RunSpec would make, without making it.
#[utoipa::path(
    post,
    path = "/specs/check",
    request_body = schemas::RunSpec,
    responses((status = 200, description = "The settings in full, sizes, and the learning rate", body = Meaning))
)]
pub async fn check(State(app): State<App>, Body(json): Body<Value>) -> Result<Json<Meaning>> {
    let (spec, plan) = check_with_plan(json, &app).await?;
    let schedule = LrCurve::of(&spec, &plan, POINTS);
    Ok(Json(Meaning {
        spec,
        plan,
        schedule,
    }))
}

/// How long a run would take and how much memory, by a few steps on random data.
///
/// This takes about two seconds; the answer is remembered. A client that leaves ends the measurement.
#[utoipa::path(
    post,
    path = "/specs/estimate",
    request_body = schemas::RunSpec,
    responses((status = 200, description = "The estimate", body = Estimate))
)]
pub async fn estimate(State(app): State<App>, Body(json): Body<Value>) -> Result<Json<Estimate>> {
    let (spec, plan) = check_with_plan(json, &app).await?;
    Ok(Json(app.estimator.estimate(&spec, &plan).await?))
}

/// Checks the settings by themselves, then against their data and network: a data set that is
/// not there is told at creation, not by the worker.
pub(super) async fn check_with_plan(json: Value, app: &App) -> Result<(RunSpec, Plan)> {
    let library = app.data_sets.library.clone();
    blocking(move || {
        let spec = form::check(&json, &library).map_err(Error::Spec)?;
        let plan = train::prepare(&spec, &library)?;
        Ok((spec, plan))
    })
    .await
}
