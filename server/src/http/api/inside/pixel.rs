//! How one value of a convolution comes about, and what its gradient does.

use axum::response::Response;
use vivarium_models::inspect::{Arithmetic, GradientAt, Pixel};

use super::params::Params;
use super::query::{
    CheckpointParams, ClassParams, ImageParams, InputParams, LayerPath, PixelParams,
};
use super::{InspectRequest, JSON, View, json};
use crate::error::Result;
use crate::inspect::cache::InspectCache;
use crate::inspect::target::InspectTarget;

/// One value of a convolution as a sum of products.
#[utoipa::path(
    get,
    path = "/runs/{id}/layers/{layer}/arithmetic",
    params(
        LayerPath,
        CheckpointParams,
        ImageParams,
        PixelParams
    ),
    responses((status = 200, description = "Patch, kernel and products of the channels that weigh most, the rest, the bias, the sum, and what becomes of it", body = Arithmetic))
)]
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

/// What the gradient of a class's score does at one value of a convolution.
#[utoipa::path(
    get,
    path = "/runs/{id}/layers/{layer}/gradient",
    params(
        LayerPath,
        CheckpointParams,
        ImageParams,
        PixelParams,
        ClassParams,
        InputParams
    ),
    responses((status = 200, description = "What it passes on to the input and to the weights, and the terms that an input's gradient is the sum of", body = GradientAt))
)]
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
