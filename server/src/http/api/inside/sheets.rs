//! Pictures of weights and activations, and the numbers of their tiles.

use axum::response::Response;
use serde_json::Value;
use vivarium_models::inspect::film::FilmFeatures;
use vivarium_models::inspect::{Features, Sort, ValueSource};

use super::{InspectRequest, JSON, PNG, View, json};
use crate::error::{Error, Result};
use crate::inspect::cache::InspectCache;
use crate::inspect::target::{InspectTarget, Snapshot};

/// What of a page is requested.
#[derive(Clone, Copy)]
enum Part {
    Picture,
    Numbers,
}

impl Part {
    fn kind(self) -> &'static str {
        match self {
            Self::Picture => PNG,
            Self::Numbers => JSON,
        }
    }
}

/// `GET /runs/{id}/layers/{layer}/filters.png`
pub async fn filters_png(request: InspectRequest) -> Result<Response> {
    filters_part(request, Part::Picture).await
}

/// `GET /runs/{id}/layers/{layer}/filters`
pub async fn filters(request: InspectRequest) -> Result<Response> {
    filters_part(request, Part::Numbers).await
}

/// `GET /runs/{id}/layers/{layer}/features.png`
pub async fn features_png(request: InspectRequest) -> Result<Response> {
    features_part(request, Part::Picture).await
}

/// `GET /runs/{id}/layers/{layer}/features`
pub async fn features(request: InspectRequest) -> Result<Response> {
    features_part(request, Part::Numbers).await
}

async fn filters_part(request: InspectRequest, part: Part) -> Result<Response> {
    let (layer, query) = (request.layer(), request.params.sheet()?);
    let view = request.view().await?;
    let work =
        move |cache: &mut InspectCache, target: &InspectTarget, view: &View| match &view.snapshot {
            Snapshot::Frame(frame) => {
                let frame = cache.frame(target, frame)?;
                let sheet = frame.filter_sheet(&layer, &query)?;
                match part {
                    Part::Picture => Ok(sheet.sheet.png()?),
                    Part::Numbers => json(&sheet),
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
                    Part::Numbers => json(&sheet),
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
    let view = request.view().await?;
    let work =
        move |cache: &mut InspectCache, target: &InspectTarget, view: &View| match &view.snapshot {
            Snapshot::Frame(frame) => {
                let features = cache.frame(target, frame)?.feature_sheet(&layer, &query)?;
                of_film(&features, part)
            }
            Snapshot::Network(checkpoint) => {
                let (network, recording) = cache.recording(target, checkpoint, &view.image)?;
                of_network(&network.feature_sheet(&recording, &layer, &query)?, part)
            }
        };
    request.show(part.kind(), view, work).await
}

fn of_film(features: &FilmFeatures, part: Part) -> Result<Vec<u8>> {
    match part {
        Part::Picture => Ok(features.film.sheet.png()?),
        Part::Numbers => json(features),
    }
}

fn of_network(features: &Features, part: Part) -> Result<Vec<u8>> {
    match part {
        Part::Picture => Ok(features.sheet.png()?),
        Part::Numbers => json(features),
    }
}

/// `GET /runs/{id}/layers/{layer}/values`
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
