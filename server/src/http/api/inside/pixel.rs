//! How one value of a convolution comes about, and what its gradient does.

use axum::response::Response;
use vivarium_models::inspect::Pixel;

use super::params::Params;
use super::{InspectRequest, JSON, View, json};
use crate::error::Result;
use crate::inspect::cache::InspectCache;
use crate::inspect::target::InspectTarget;

/// `GET /runs/{id}/layers/{layer}/arithmetic`
pub async fn arithmetic(request: InspectRequest) -> Result<Response> {
    let (layer, at) = (request.layer(), pixel(&request.params)?);
    let view = request.view().await?;
    view.snapshot.weights()?;
    let work = move |cache: &mut InspectCache, target: &InspectTarget, view: &View| {
        let (network, recording) =
            cache.recording(target, view.snapshot.weights()?, &view.image)?;
        json(&network.arithmetic(&recording, &layer, at)?)
    };
    request.show(JSON, view, work).await
}

/// `GET /runs/{id}/layers/{layer}/gradient`
pub async fn gradient(request: InspectRequest) -> Result<Response> {
    let (layer, at) = (request.layer(), pixel(&request.params)?);
    let (class, input) = (
        request.params.number("class")?,
        request.params.number("input")?,
    );
    let view = request.view().await?;
    view.snapshot.weights()?;
    let work = move |cache: &mut InspectCache, target: &InspectTarget, view: &View| {
        let (network, recording) =
            cache.recording(target, view.snapshot.weights()?, &view.image)?;
        json(&network.gradient(&recording, &layer, at, class, input)?)
    };
    request.show(JSON, view, work).await
}

fn pixel(params: &Params) -> Result<Pixel> {
    Ok(Pixel {
        map: params.needed("map")?,
        y: params.needed("y")?,
        x: params.needed("x")?,
    })
}
