//! A run's network to take away.

use axum::body::Body as Answer;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tokio_util::io::ReaderStream;
use utoipa::{IntoParams, ToSchema};
use vivarium_models::links;

use super::openapi::Binary;
use super::run_id;
use crate::blocking::{blocking, on_thread};
use crate::error::{Error, Result};
use crate::http::App;
use crate::inspect::target::{Checkpoint, InspectTarget, Snapshot};

/// What is taken away.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// The network as PyTorch source, `model.py`. The names of its state dict are those of the weights.
    Pytorch,
    /// The weights and running statistics.
    Safetensors,
    /// The network with its weights, for other programs.
    Onnx,
}

/// The query of an export.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportParams {
    /// What is taken away.
    #[param(inline)]
    format: Format,
    /// The checkpoint of the weights: `best` or `last`; by default `best`, or `last` while there is no `best`.
    checkpoint: Option<String>,
}

/// A run's network in a file.
#[utoipa::path(
    get,
    path = "/runs/{id}/export",
    params(super::RunPath, ExportParams),
    responses((
        status = 200,
        description = "The file: the source of PyTorch as text",
        content((Binary = "application/octet-stream"), (String = "text/x-python"))
    ))
)]
pub async fn export(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<ExportParams>,
) -> Result<Response> {
    let id = run_id(&id)?;
    let dir = app.supervisor.run_dir(id);
    let target = InspectTarget::of_any_data(&app.index, id, dir).await?;
    match query.format {
        Format::Pytorch => {
            let source = blocking(move || Ok(target.graph()?.pytorch())).await?;
            Ok(file("model.py", "text/x-python; charset=utf-8", source))
        }
        Format::Onnx => {
            let checkpoint = checkpoint_of(&target, query.checkpoint)?;
            let bytes = on_thread("export", move || target.onnx(&checkpoint)).await?;
            Ok(file("model.onnx", "application/octet-stream", bytes))
        }
        Format::Safetensors => {
            let checkpoint = checkpoint_of(&target, query.checkpoint)?;
            let open = blocking(move || {
                links::open(&checkpoint.path).map_err(|e| Error::file(&checkpoint.path, e))
            });
            let weights = tokio::fs::File::from_std(open.await?);
            let body = Answer::from_stream(ReaderStream::new(weights));
            Ok(file("model.safetensors", "application/octet-stream", body))
        }
    }
}

fn checkpoint_of(target: &InspectTarget, name: Option<String>) -> Result<Checkpoint> {
    match target.snapshot(name.as_deref())? {
        Snapshot::Network(checkpoint) => Ok(checkpoint),
        Snapshot::Frame(_) => {
            let message = "must be “best” or “last”: a film has no weights";
            Err(Error::field("checkpoint", name, message))
        }
    }
}

/// A file to save, whatever the browser makes of its type.
fn file(name: &'static str, content_type: &'static str, body: impl Into<Answer>) -> Response {
    let mut response = body.into().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(disposition) = format!("attachment; filename=\"{name}\"").parse() {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}
