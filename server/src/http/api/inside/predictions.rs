//! What a network makes of an image: the classes, where it sees one, and the image as the network is given it.

use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use vivarium_models::classify::ClassScore;

use super::super::RunPath;
use super::query::{AttentionParams, CheckpointParams, ClassParams, ImageParams, SizeParams};
use super::{InspectRequest, JSON, PNG, View, json};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::http::api::openapi::Binary;
use crate::http::etag::Caching;
use crate::inspect::cache::InspectCache;
use crate::inspect::image::{ImageRef, ResolvedImage};
use crate::inspect::target::{InspectTarget, Snapshot, SnapshotName};

/// The longest side of an image that is shown, in pixels.
const MOST_SIDE: usize = 1024;

/// The prediction of a network for an image.
#[derive(Serialize, ToSchema)]
struct Prediction {
    /// The checkpoint or the epoch of the film that was requested.
    checkpoint: SnapshotName,
    image: PredictedImage,
    /// Classes with probabilities, the likeliest first.
    top: Vec<ClassScore>,
}

/// The image of a prediction.
#[derive(Serialize, ToSchema)]
struct PredictedImage {
    /// As requests name it.
    id: String,
    /// The class of a sample; `null` for an image without a label.
    truth: Option<u32>,
}

/// The classes that the network predicts for an image.
#[utoipa::path(
    get,
    path = "/runs/{id}/predict",
    params(
        RunPath,
        CheckpointParams,
        ImageParams
    ),
    responses((status = 200, description = "Classes with probabilities, the likeliest first", body = Prediction))
)]
pub async fn predict(request: InspectRequest) -> Result<Response> {
    let view = request.view().await?;
    let work = move |cache: &mut InspectCache, target: &InspectTarget, view: &View| {
        let (top, truth) = match &view.snapshot {
            Snapshot::Frame(frame) => (
                cache.frame(target, frame)?.top(&target.started.classes),
                None,
            ),
            Snapshot::Network(checkpoint) => {
                let (network, recording) = cache.recording(target, checkpoint, &view.image)?;
                (
                    network.predict(&recording),
                    truth(cache, target, &view.image)?,
                )
            }
        };
        json(&Prediction {
            checkpoint: view.snapshot.name(),
            image: PredictedImage {
                id: view.named.clone(),
                truth,
            },
            top,
        })
    };
    request.show(JSON, view, work).await
}

/// The class of a sample; `None` for an image whose class nobody said.
fn truth(
    cache: &mut InspectCache,
    target: &InspectTarget,
    image: &ResolvedImage,
) -> Result<Option<u32>> {
    if let ResolvedImage::File(..) = image {
        return Ok(None);
    }
    let data = cache.data(target)?;
    let sample = image.sample(&data)?;
    Ok(sample.and_then(|(samples, index)| samples.labels().get(index).copied()))
}

/// A saliency map: where the network sees a class in an image.
#[utoipa::path(
    get,
    path = "/runs/{id}/attention.png",
    params(
        RunPath,
        CheckpointParams,
        ImageParams,
        ClassParams,
        AttentionParams
    ),
    responses((status = 200, description = "The image with the heat over it", body = inline(Binary), content_type = "image/png"))
)]
pub async fn attention(request: InspectRequest) -> Result<Response> {
    let class = request.params.number("class")?;
    let method = request.params.word("method")?.unwrap_or_default();
    let layer = request.params.text("layer").map(str::to_owned);
    let view = request.view().await?;
    view.snapshot.weights()?;
    let work = move |cache: &mut InspectCache, target: &InspectTarget, view: &View| {
        let (network, recording) =
            cache.recording(target, view.snapshot.weights()?, &view.image)?;
        let attention = network.saliency(&recording, class, method, layer.as_deref())?;
        Ok(attention.png()?)
    };
    request.show(PNG, view, work).await
}

/// An image as the network sees it.
#[utoipa::path(
    get,
    path = "/runs/{id}/images/{file}",
    params(
        RunPath,
        ("file" = String, Path, description = "An image as requests name it, with `.png` behind"),
        SizeParams
    ),
    responses((status = 200, description = "The picture", body = inline(Binary), content_type = "image/png"))
)]
pub async fn image(request: InspectRequest) -> Result<Response> {
    let size = request.params.number("size")?;
    if let Some(size) = size.filter(|size| !(1..=MOST_SIDE).contains(size)) {
        let message = format!("must be between 1 and {MOST_SIDE}");
        return Err(Error::field("size", size, message));
    }
    let file = request.path.get("file").cloned().unwrap_or_default();
    let named = file.strip_suffix(".png");
    let named = named.ok_or_else(|| Error::NotFound(format!("image “{file}”")))?;
    let image = ImageRef::parse(named)?;
    let (app, run) = (request.app.clone(), request.target.id);
    let image = blocking(move || image.find(&app.images, run)).await?;
    let key = image.key();
    let work = move |cache: &mut InspectCache, target: &InspectTarget| {
        let side = target.started.input.last().copied().unwrap_or(1).max(1);
        let zoom = (size.unwrap_or(side) / side).max(1);
        Ok(cache.picture(target, &image, zoom)?.png()?)
    };
    request
        .answer(PNG, &[&key], Caching::Revalidate, work)
        .await
}
