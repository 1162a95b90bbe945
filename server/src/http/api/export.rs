//! A run's network to take away.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::openapi::Binary;
use super::run_id;
use crate::blocking::on_thread;
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::query::Query;
use crate::http::streamed::{attachment, streamed};
use crate::index::runs as rows;
use crate::inspect::target::{Checkpoint, InspectTarget, Snapshot};
use crate::takeaway::{Format, Takeaway};

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
///
/// The zip and the page are about photos: a run on two-dimensional points has the other formats.
#[utoipa::path(
    get,
    path = "/runs/{id}/export",
    params(super::RunPath, ExportParams),
    responses((
        status = 200,
        description = "The file: the source of PyTorch as text",
        content((Binary = "application/octet-stream"), (Binary = "application/zip"), (String = "text/x-python"))
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
    let run = app.index.read(move |c| rows::get(c, id)).await?;
    let format = query.format;
    let prepared = on_thread("export", move || {
        let checkpoint = match format.has_weights() {
            true => Some(checkpoint_of(&target, query.checkpoint)?),
            false => None,
        };
        Takeaway::new(target, run.name, run.summary).prepare(format, checkpoint)
    })
    .await?;
    let body = streamed(move |mut out| prepared.write(&mut out))?;
    Ok(attachment(format.content_type(), format.file_name(), body))
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
