//! What a layer computes at all positions of its window, so that a page can slide it without further requests.

use axum::response::Response;
use vivarium_models::inspect::{SlidingWindow, WindowQuery};

use super::query::{CheckpointParams, ClassParams, ImageParams, LayerPath, WindowParams};
use super::{InspectRequest, JSON, View, json};
use crate::error::Result;
use crate::inspect::cache::InspectCache;
use crate::inspect::target::InspectTarget;

/// A layer's window at all positions: of a convolution, a pooling layer or a fully connected one.
#[utoipa::path(
    get,
    path = "/runs/{id}/layers/{layer}/window",
    params(
        LayerPath,
        CheckpointParams,
        ImageParams,
        WindowParams,
        ClassParams
    ),
    responses((status = 200, description = "What is read and with which weights, what the network computed from it, and what becomes of that; of a layer with many channels, those that contribute most, and the sum of the others", body = SlidingWindow))
)]
pub async fn window(request: InspectRequest) -> Result<Response> {
    let layer = request.layer();
    let query = WindowQuery {
        direction: request.params.word("direction")?.unwrap_or_default(),
        map: request.params.number("map")?.unwrap_or(0),
        input: request.params.number("input")?,
        class: request.params.number("class")?,
    };
    let view = request.view().await?;
    view.snapshot.weights()?;
    let work = move |cache: &mut InspectCache, target: &InspectTarget, view: &View| {
        let (network, recording) =
            cache.recording(target, view.snapshot.weights()?, &view.image)?;
        json(&network.window(&recording, &layer, query)?)
    };
    request.show(JSON, view, work).await
}
