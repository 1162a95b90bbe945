//! Runs: create, look at, stop, resume, label, remove.
//!
//! `listing`: runs page by page, with the parameters of `query`. `labels`: names, tags and notes. `trash`: deleted runs.

mod labels;
mod listing;
mod query;
mod trash;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use vivarium_models::spec::RunSpec;

use super::specs::check_that_it_fits;
use super::{RunPath, run_id};
use crate::base_path;
use crate::blocking::blocking;
use crate::error::Result;
use crate::http::App;
use crate::http::json::Body;
use crate::index::runs::{self as rows, Run};
use crate::run_dir::{RunId, worker_log};
// With what utoipa derives beside each handler.
pub use labels::*;
pub use listing::*;
pub use trash::*;

/// The end of a log that is sent.
const LOG_TAIL: u64 = 64 * 1024;

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

/// A run.
#[utoipa::path(
    get,
    path = "/runs/{id}",
    params(RunPath),
    responses((status = 200, description = "The run", body = Run))
)]
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Run>> {
    run_as_it_is(&app, run_id(&id)?).await
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
    Ok((StatusCode::ACCEPTED, run_as_it_is(&app, id).await?))
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
    Ok((StatusCode::ACCEPTED, run_as_it_is(&app, id).await?))
}

async fn run_as_it_is(app: &App, id: RunId) -> Result<Json<Run>> {
    Ok(Json(app.index.read(move |c| rows::get(c, id)).await?))
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
