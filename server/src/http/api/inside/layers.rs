//! The catalogue of a network.

use axum::response::Response;
use serde_json::json as object;

use super::{InspectRequest, JSON, json};
use crate::blocking::blocking;
use crate::error::Result;
use crate::http::etag::Caching;
use crate::inspect::target::Snapshot;

/// `GET /runs/{id}/layers`
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
        Ok((
            snapshot,
            network,
            object!(checkpoints),
            target.film().epochs()?,
        ))
    })
    .await?;
    let name = snapshot.name();
    let version = [
        name.to_string(),
        network.version.clone(),
        checkpoints.to_string(),
        object!(film).to_string(),
    ];
    let version: Vec<_> = version.iter().map(String::as_str).collect();
    let work = move |cache: &mut crate::inspect::cache::InspectCache,
                     target: &crate::inspect::target::InspectTarget| {
        let network = cache.network(target, &network)?;
        json(&object!({
            "checkpoint": name,
            "checkpoints": checkpoints,
            "film": film,
            "input": network.input(),
            "classes": network.classes(),
            "parameters": network.parameters(),
            "layers": network.layers(),
        }))
    };
    request
        .answer(JSON, &version, Caching::Revalidate, work)
        .await
}
