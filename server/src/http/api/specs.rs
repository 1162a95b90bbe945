//! Settings before they are a run: what they mean, and what they will take.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use vivarium_models::form;
use vivarium_models::spec::RunSpec;
use vivarium_models::train::{self, LrCurve};

use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::estimate::Estimate;
use crate::http::App;
use crate::http::json::Body;

/// Points of the schedule's chart.
const POINTS: u64 = 120;

/// `POST /specs/check`: what `POST /runs` would make of the settings, without doing it.
pub async fn check(State(app): State<App>, Body(json): Body<Value>) -> Result<Json<Value>> {
    let (spec, plan) = check_with_plan(json, &app).await?;
    let schedule = LrCurve::of(&spec, &plan, POINTS);
    Ok(Json(
        json!({"spec": spec, "plan": plan, "schedule": schedule}),
    ))
}

/// `POST /specs/estimate`: how long the run will take and how much memory, by a short measurement.
/// Who goes away ends it.
pub async fn estimate(State(app): State<App>, Body(json): Body<Value>) -> Result<Json<Estimate>> {
    let (spec, plan) = check_with_plan(json, &app).await?;
    Ok(Json(app.estimator.estimate(&spec, &plan).await?))
}

/// Checks the settings by themselves, then against their data and network: a data set that is
/// not there is told at creation, not by the worker.
pub(super) async fn check_with_plan(json: Value, app: &App) -> Result<(RunSpec, train::Plan)> {
    let library = app.data_sets.library.clone();
    blocking(move || {
        let spec = form::check(&json, &library).map_err(Error::Spec)?;
        let plan = train::prepare(&spec, &library)?;
        Ok((spec, plan))
    })
    .await
}
