//! The trash: deleted runs.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::run_as_it_is;
use crate::blocking::blocking;
use crate::error::Result;
use crate::http::App;
use crate::http::api::{RunPath, run_id};
use crate::index::runs::Run;
use crate::inspect::InspectThread;
use crate::run_dir::RunId;
use crate::trash::Deleted;

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
    run_as_it_is(&app, id).await
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
