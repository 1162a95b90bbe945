//! The catalogue of a network.

use axum::response::Response;
use serde::Serialize;
use serde_json::json as object;
use utoipa::ToSchema;
use vivarium_models::inspect::Layer;

use super::super::RunPath;
use super::query::CheckpointParams;
use super::{InspectRequest, JSON, json};
use crate::blocking::blocking;
use crate::error::Result;
use crate::http::etag::Caching;
use crate::inspect::target::{CheckpointInfo, Snapshot, SnapshotName};

/// A network, layer by layer.
#[derive(Serialize, ToSchema)]
#[schema(as = Inside)]
struct Catalogue {
    /// The checkpoint or the epoch of the film that is looked into.
    checkpoint: SnapshotName,
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

/// The layers of the network in the order of a forward pass, its checkpoints and the epochs of its film.
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
    let (snapshot, network, checkpoints, film) = blocking(move || {
        let snapshot = target.snapshot(word.as_deref())?;
        // A film has no weights, but its network has the same layers as a checkpoint's.
        let network = match &snapshot {
            Snapshot::Network(checkpoint) => checkpoint.clone(),
            Snapshot::Frame(_) => target.snapshot(None)?.weights()?.clone(),
        };
        let checkpoints: Vec<_> = target.checkpoints().iter().map(|one| one.info()).collect();
        Ok((snapshot, network, checkpoints, target.film().epochs()?))
    })
    .await?;
    let name = snapshot.name();
    let version = [
        name.to_string(),
        network.version.clone(),
        object!(checkpoints).to_string(),
        object!(film).to_string(),
    ];
    let version: Vec<_> = version.iter().map(String::as_str).collect();
    let work = move |cache: &mut crate::inspect::cache::InspectCache,
                     target: &crate::inspect::target::InspectTarget| {
        let network = cache.network(target, &network)?;
        json(&Catalogue {
            checkpoint: name,
            checkpoints,
            film,
            input: network.input().to_vec(),
            classes: network.classes().to_vec(),
            parameters: network.parameters(),
            layers: network.layers().to_vec(),
        })
    };
    request
        .answer(JSON, &version, Caching::Revalidate, work)
        .await
}
