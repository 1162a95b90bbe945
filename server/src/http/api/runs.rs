//! Runs: create, look at, stop, resume, label, remove.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use vivarium_models::spec::FieldError;

use super::run_id;
use super::specs::check_with_plan;
use crate::base_path;
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::json::{Body, given};
use crate::index::run_labels;
use crate::index::runs::{self as rows, Run};
use crate::inspect::InspectThread;
use crate::run_dir::{RunId, worker_log};

/// The end of a log that is sent.
const LOG_TAIL: u64 = 64 * 1024;

/// `GET /runs`
pub async fn list(State(app): State<App>) -> Result<Json<Value>> {
    let runs = app.index.list().await?;
    let unreadable = app.index.unreadable();
    Ok(Json(json!({ "runs": runs, "unreadable": unreadable })))
}

/// `GET /runs/{id}`
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Run>> {
    let id = run_id(&id)?;
    Ok(Json(app.index.read(move |c| rows::get(c, id)).await?))
}

/// `POST /runs`
pub async fn create(State(app): State<App>, Body(json): Body<Value>) -> Result<Response> {
    let spec = check_with_plan(json, &app).await?.0;
    let id = app.supervisor.create(spec).await?;
    let url = base_path::url(&format!("/runs/{id}"));
    let location = [(
        header::LOCATION,
        base_path::url(&format!("/api/v1/runs/{id}")),
    )];
    Ok((
        StatusCode::CREATED,
        location,
        Json(json!({"id": id, "url": url})),
    )
        .into_response())
}

/// `POST /runs/{id}/stop`
pub async fn stop(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Run>)> {
    let id = run_id(&id)?;
    app.supervisor.stop(id).await?;
    Ok((StatusCode::ACCEPTED, show_again(&app, id).await?))
}

/// `POST /runs/{id}/resume`
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

/// `DELETE /runs/{id}`: into the trash.
pub async fn delete(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode> {
    let id = run_id(&id)?;
    app.supervisor.delete(id).await?;
    forget(app.inspector.clone(), id);
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /runs/{id}/restore`: out of the trash.
pub async fn restore(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Run>> {
    let id = run_id(&id)?;
    app.supervisor.restore(id).await?;
    show_again(&app, id).await
}

/// `GET /trash`
pub async fn trash(State(app): State<App>) -> Result<Json<Value>> {
    let deleted = app.supervisor.deleted().await?;
    Ok(Json(json!({ "runs": deleted })))
}

/// `DELETE /trash/{id}`: for good.
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
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    #[serde(default, deserialize_with = "given")]
    name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    tags: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    notes: Option<String>,
}

impl Labels {
    fn check(&self) -> Result<()> {
        let mut errors = Vec::new();
        let mut refuse = |path: String, value: &str, message: &str| {
            errors.push(FieldError {
                path,
                value: Value::from(value),
                message: message.to_owned(),
            });
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

/// `PATCH /runs/{id}`
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

/// `GET /runs/{id}/log`: the end of the worker's log.
pub async fn log(State(app): State<App>, Path(id): Path<String>) -> Result<String> {
    let id = run_id(&id)?;
    let run = app.index.read(move |c| rows::get(c, id)).await?;
    run.is_own("there is no log of a worker")?;
    let path = app.supervisor.run_dir(id).worker_log();
    blocking(move || worker_log::tail(&path, LOG_TAIL)).await
}
