//! Runs: create, look at, stop, resume, label, remove.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, ArrayBuilder, ObjectBuilder, Type};
use vivarium_models::spec::{FieldError, RunSpec};

use super::specs::check_with_plan;
use super::{RunPath, run_id};
use crate::base_path;
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::json::{Body, given};
use crate::index::damage::Unreadable;
use crate::index::run_labels;
use crate::index::runs::{self as rows, Run};
use crate::inspect::InspectThread;
use crate::run_dir::{RunId, worker_log};
use crate::trash::Deleted;

/// The end of a log that is sent.
const LOG_TAIL: u64 = 64 * 1024;

/// Every run that can be read.
#[derive(Serialize, ToSchema)]
pub struct Runs {
    runs: Vec<Run>,
    /// Runs that are missing in `runs`, because what the index has of them cannot be read.
    unreadable: Vec<Unreadable>,
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

/// Every run, newest first.
#[utoipa::path(
    get,
    path = "/runs",
    responses((status = 200, description = "The runs", body = Runs))
)]
pub async fn list(State(app): State<App>) -> Result<Json<Runs>> {
    let runs = app.index.list().await?;
    let unreadable = app.index.unreadable();
    Ok(Json(Runs { runs, unreadable }))
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
    let spec = check_with_plan(json, &app).await?.0;
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
