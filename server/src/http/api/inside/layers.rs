//! The catalogue of a network, and what a page waits for.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use vivarium_models::inspect::Layer;

use super::super::{RunPath, run_id};
use super::query::CheckpointParams;
use super::{InspectRequest, JSON, json};
use crate::blocking::blocking;
use crate::error::Result;
use crate::http::App;
use crate::http::etag::{Caching, ETag};
use crate::index::runs as rows;
use crate::inspect::progress::InspectProgress;
use crate::inspect::target::{CheckpointInfo, Snapshot, SnapshotName};

/// A network, layer by layer.
#[derive(Serialize, ToSchema)]
#[schema(as = Inside)]
struct Catalogue {
    /// The checkpoint or the frame of the film that is looked into; `null` where there is neither yet.
    checkpoint: Option<SnapshotName>,
    /// The checkpoints that there are.
    checkpoints: Vec<CheckpointInfo>,
    /// The epochs of the film.
    film: Vec<u64>,
    /// The shape of a sample.
    input: Vec<usize>,
    /// The names of the classes.
    classes: Vec<String>,
    /// Trainable parameters.
    parameters: u64,
    /// In the order of a forward pass.
    layers: Vec<Layer>,
}

/// The layers of the network in the order of a forward pass, its checkpoints and the epochs of its film. They follow from
/// the network's graph: no weights are read.
#[utoipa::path(
    get,
    path = "/runs/{id}/layers",
    params(
        RunPath,
        CheckpointParams
    ),
    responses((status = 200, description = "Name, kind, group, shape, parameters and weights of each layer", body = Catalogue))
)]
pub async fn layers(request: InspectRequest) -> Result<Response> {
    let target = request.target.clone();
    let word = request.params.text("checkpoint").map(str::to_owned);
    let body = blocking(move || {
        let snapshot = match word {
            Some(word) => Some(target.snapshot(Some(&word))?),
            None => match target.checkpoints().into_iter().next() {
                Some(checkpoint) => Some(Snapshot::Network(checkpoint)),
                None => target.newest_frame()?.map(Snapshot::Frame),
            },
        };
        let graph = target.graph()?;
        json(&Catalogue {
            checkpoint: snapshot.map(|snapshot| snapshot.name()),
            checkpoints: target.checkpoints().iter().map(|one| one.info()).collect(),
            film: target.film().epochs()?,
            input: graph.input().to_vec(),
            classes: target.started.classes.clone(),
            parameters: graph.parameters(),
            layers: Layer::all_of(&graph),
        })
    })
    .await?;
    let hash = Sha256::digest(&body);
    let etag = ETag::new(hex::encode(&hash[..16]), Caching::Revalidate);
    let known = etag.not_modified(&request.headers);
    Ok(known.unwrap_or_else(|| etag.respond(JSON, body)))
}

/// What a page waits for while it looks into a network: its weights being read, or the requests before.
#[utoipa::path(
    get,
    path = "/runs/{id}/layers/progress",
    params(RunPath),
    responses((status = 200, description = "Requests in line, and how much of the weights is read", body = InspectProgress))
)]
pub async fn progress(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<InspectProgress>> {
    let id = run_id(&id)?;
    app.index.read(move |c| rows::get(c, id)).await?;
    Ok(Json(app.inspector.progress().of_run(id)))
}
