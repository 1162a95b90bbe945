//! Pictures of weights and activations, and the numbers of their tiles.

use axum::response::Response;
use serde_json::Value;
use vivarium_models::inspect::film::FilmFeatures;
use vivarium_models::inspect::{Features, Of, Sort};

use super::{Asked, JSON, PNG, View, json};
use crate::error::{Error, Result};
use crate::inspect::desk::Desk;
use crate::inspect::subject::{Chosen, Facts};

/// What of a page is asked for.
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
pub async fn filters_png(asked: Asked) -> Result<Response> {
    filters_part(asked, Part::Picture).await
}

/// `GET /runs/{id}/layers/{layer}/filters`
pub async fn filters(asked: Asked) -> Result<Response> {
    filters_part(asked, Part::Numbers).await
}

/// `GET /runs/{id}/layers/{layer}/features.png`
pub async fn features_png(asked: Asked) -> Result<Response> {
    features_part(asked, Part::Picture).await
}

/// `GET /runs/{id}/layers/{layer}/features`
pub async fn features(asked: Asked) -> Result<Response> {
    features_part(asked, Part::Numbers).await
}

async fn filters_part(asked: Asked, part: Part) -> Result<Response> {
    let (layer, query) = (asked.layer(), asked.params.sheet()?);
    let view = asked.view().await?;
    let work = move |desk: &mut Desk, facts: &Facts, view: &View| match &view.chosen {
        Chosen::Frame(frame) => {
            let frame = desk.frame(facts, frame)?;
            let sheet = frame.filter_sheet(&layer, &query)?;
            match part {
                Part::Picture => Ok(sheet.sheet.png()?),
                Part::Numbers => json(&sheet),
            }
        }
        Chosen::Network(checkpoint) => {
            let sheet = if query.sort == Some(Sort::Activation) {
                let (network, recording) = desk.recording(facts, checkpoint, &view.image)?;
                network.filter_sheet(&layer, &query, Some(&recording))?
            } else {
                desk.network(facts, checkpoint)?
                    .filter_sheet(&layer, &query, None)?
            };
            match part {
                Part::Picture => Ok(sheet.png()?),
                Part::Numbers => json(&sheet),
            }
        }
    };
    asked.show(part.kind(), view, work).await
}

async fn features_part(asked: Asked, part: Part) -> Result<Response> {
    let (layer, query) = (asked.layer(), asked.params.sheet()?);
    if query.filter.is_some() {
        let message = "is for the pictures of weights";
        return Err(Error::field("filter", Value::from(query.filter), message));
    }
    let view = asked.view().await?;
    let work = move |desk: &mut Desk, facts: &Facts, view: &View| match &view.chosen {
        Chosen::Frame(frame) => {
            let features = desk.frame(facts, frame)?.feature_sheet(&layer, &query)?;
            of_film(&features, part)
        }
        Chosen::Network(checkpoint) => {
            let (network, recording) = desk.recording(facts, checkpoint, &view.image)?;
            of_network(&network.feature_sheet(&recording, &layer, &query)?, part)
        }
    };
    asked.show(part.kind(), view, work).await
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
pub async fn values(asked: Asked) -> Result<Response> {
    let layer = asked.layer();
    let missing = || {
        Error::field(
            "of",
            Value::Null,
            "is needed: “filter”, “kernel” or “feature”",
        )
    };
    let of: Of = asked.params.word("of")?.ok_or_else(missing)?;
    let (index, input) = (asked.params.needed("index")?, asked.params.number("input")?);
    let view = asked.view().await?;
    let work = move |desk: &mut Desk, facts: &Facts, view: &View| match &view.chosen {
        Chosen::Frame(frame) => json(&desk.frame(facts, frame)?.values(&layer, of, index)?),
        Chosen::Network(checkpoint) => {
            let (network, recording) = match of {
                Of::Feature => {
                    let (network, recording) = desk.recording(facts, checkpoint, &view.image)?;
                    (network, Some(recording))
                }
                _ => (desk.network(facts, checkpoint)?, None),
            };
            json(&network.values(recording.as_deref(), &layer, of, index, input)?)
        }
    };
    asked.show(JSON, view, work).await
}
