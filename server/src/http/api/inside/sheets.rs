//! Pictures of weights and activations, and the numbers of their tiles.

use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use vivarium_models::inspect::film::{FilmFeatures, FilmSheet};
use vivarium_models::inspect::{Difference, Features, Sheet, Sort, TileValues, ValueSource};

use super::difference::{self, Picture};
use super::query::{
    CheckpointParams, FilterParams, ImageParams, LayerPath, MinusParams, SheetParams, TileParams,
};
use super::{InspectRequest, JSON, PNG, View, json};
use crate::error::{Error, Result};
use crate::http::api::openapi::Binary;
use crate::inspect::cache::InspectCache;
use crate::inspect::target::{InspectTarget, Snapshot};

/// What of a page is requested.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Picture,
    Numbers,
}

impl Part {
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Picture => PNG,
            Self::Numbers => JSON,
        }
    }
}

/// A page of the layer's filters, or of one filter's kernels.
#[utoipa::path(
    get,
    path = "/runs/{id}/layers/{layer}/filters.png",
    params(
        LayerPath,
        CheckpointParams,
        ImageParams,
        SheetParams,
        MinusParams,
        FilterParams
    ),
    responses((status = 200, description = "The picture", body = inline(Binary), content_type = "image/png"))
)]
pub async fn filters_png(request: InspectRequest) -> Result<Response> {
    filters_part(request, Part::Picture).await
}

/// The tiles of a page of filters: their layout, norms, means and ranges, and the colours of the legend.
#[utoipa::path(
    get,
    path = "/runs/{id}/layers/{layer}/filters",
    params(
        LayerPath,
        CheckpointParams,
        ImageParams,
        SheetParams,
        MinusParams,
        FilterParams
    ),
    responses((status = 200, description = "The page", body = FilterSheet))
)]
pub async fn filters(request: InspectRequest) -> Result<Response> {
    filters_part(request, Part::Numbers).await
}

/// A page of the layer's feature maps for an image.
#[utoipa::path(
    get,
    path = "/runs/{id}/layers/{layer}/features.png",
    params(
        LayerPath,
        CheckpointParams,
        ImageParams,
        SheetParams,
        MinusParams
    ),
    responses((status = 200, description = "The picture", body = inline(Binary), content_type = "image/png"))
)]
pub async fn features_png(request: InspectRequest) -> Result<Response> {
    features_part(request, Part::Picture).await
}

/// The tiles of a page of feature maps, and the statistics of all activations of the layer.
#[utoipa::path(
    get,
    path = "/runs/{id}/layers/{layer}/features",
    params(
        LayerPath,
        CheckpointParams,
        ImageParams,
        SheetParams,
        MinusParams
    ),
    responses((status = 200, description = "The page", body = FeatureSheet))
)]
pub async fn features(request: InspectRequest) -> Result<Response> {
    features_part(request, Part::Numbers).await
}

/// A page of filters: of a checkpoint or of a film, or of what changed between two of them.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum FilterSheet {
    #[expect(dead_code, reason = "describes what `difference` answers")]
    Difference(Difference),
    Film(FilmSheet),
    Network(Sheet),
}

/// A page of feature maps: of a checkpoint or of a film, or of what changed between two of them.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum FeatureSheet {
    #[expect(dead_code, reason = "describes what `difference` answers")]
    Difference(Difference),
    Film(FilmFeatures),
    Network(Features),
}

async fn filters_part(request: InspectRequest, part: Part) -> Result<Response> {
    let (layer, query) = (request.layer(), request.params.sheet()?);
    if let Some(before) = request.params.text("minus").map(str::to_owned) {
        return difference::answer(request, Picture::Filters, part, before).await;
    }
    let view = request.view().await?;
    let work =
        move |cache: &mut InspectCache, target: &InspectTarget, view: &View| match &view.snapshot {
            Snapshot::Frame(frame) => {
                let frame = cache.frame(target, frame)?;
                let sheet = frame.filter_sheet(&layer, &query)?;
                match part {
                    Part::Picture => Ok(sheet.sheet.png()?),
                    Part::Numbers => json(&FilterSheet::Film(sheet)),
                }
            }
            Snapshot::Network(checkpoint) => {
                let sheet = if query.sort == Some(Sort::Activation) {
                    let (network, recording) = cache.recording(target, checkpoint, &view.image)?;
                    network.filter_sheet(&layer, &query, Some(&recording))?
                } else {
                    cache
                        .network(target, checkpoint)?
                        .filter_sheet(&layer, &query, None)?
                };
                match part {
                    Part::Picture => Ok(sheet.png()?),
                    Part::Numbers => json(&FilterSheet::Network(sheet)),
                }
            }
        };
    request.show(part.kind(), view, work).await
}

async fn features_part(request: InspectRequest, part: Part) -> Result<Response> {
    let (layer, query) = (request.layer(), request.params.sheet()?);
    if query.filter.is_some() {
        let message = "is for the pictures of weights";
        return Err(Error::field("filter", Value::from(query.filter), message));
    }
    if let Some(before) = request.params.text("minus").map(str::to_owned) {
        return difference::answer(request, Picture::Features, part, before).await;
    }
    let view = request.view().await?;
    let work =
        move |cache: &mut InspectCache, target: &InspectTarget, view: &View| match &view.snapshot {
            Snapshot::Frame(frame) => {
                let features = cache.frame(target, frame)?.feature_sheet(&layer, &query)?;
                of_film(features, part)
            }
            Snapshot::Network(checkpoint) => {
                let (network, recording) = cache.recording(target, checkpoint, &view.image)?;
                of_network(network.feature_sheet(&recording, &layer, &query)?, part)
            }
        };
    request.show(part.kind(), view, work).await
}

fn of_film(features: FilmFeatures, part: Part) -> Result<Vec<u8>> {
    match part {
        Part::Picture => Ok(features.film.sheet.png()?),
        Part::Numbers => json(&FeatureSheet::Film(features)),
    }
}

fn of_network(features: Features, part: Part) -> Result<Vec<u8>> {
    match part {
        Part::Picture => Ok(features.sheet.png()?),
        Part::Numbers => json(&FeatureSheet::Network(features)),
    }
}

/// The values of one tile.
#[utoipa::path(
    get,
    path = "/runs/{id}/layers/{layer}/values",
    params(
        LayerPath,
        CheckpointParams,
        ImageParams,
        TileParams
    ),
    responses((status = 200, description = "Shape and values, row by row", body = TileValues))
)]
pub async fn values(request: InspectRequest) -> Result<Response> {
    let layer = request.layer();
    let missing = || {
        Error::field(
            "of",
            Value::Null,
            "is needed: “filter”, “kernel” or “feature”",
        )
    };
    let of: ValueSource = request.params.word("of")?.ok_or_else(missing)?;
    let (index, input) = (
        request.params.needed("index")?,
        request.params.number("input")?,
    );
    let view = request.view().await?;
    let work = move |cache: &mut InspectCache, target: &InspectTarget, view: &View| match &view
        .snapshot
    {
        Snapshot::Frame(frame) => json(&cache.frame(target, frame)?.values(&layer, of, index)?),
        Snapshot::Network(checkpoint) => {
            let (network, recording) = match of {
                ValueSource::Feature => {
                    let (network, recording) = cache.recording(target, checkpoint, &view.image)?;
                    (network, Some(recording))
                }
                _ => (cache.network(target, checkpoint)?, None),
            };
            json(&network.values(recording.as_deref(), &layer, of, index, input)?)
        }
    };
    request.show(JSON, view, work).await
}
