//! How one value of a convolution comes about, and what its gradient does.

use axum::response::Response;
use vivarium_models::inspect::Pixel;

use super::params::Params;
use super::{Asked, JSON, View, json};
use crate::error::Result;
use crate::inspect::desk::Desk;
use crate::inspect::subject::Facts;

/// `GET /runs/{id}/layers/{layer}/arithmetic`
pub async fn arithmetic(asked: Asked) -> Result<Response> {
    let (layer, at) = (asked.layer(), pixel(&asked.params)?);
    let view = asked.view().await?;
    view.chosen.weights()?;
    let work = move |desk: &mut Desk, facts: &Facts, view: &View| {
        let (network, recording) = desk.recording(facts, view.chosen.weights()?, &view.image)?;
        json(&network.arithmetic(&recording, &layer, at)?)
    };
    asked.show(JSON, view, work).await
}

/// `GET /runs/{id}/layers/{layer}/gradient`
pub async fn gradient(asked: Asked) -> Result<Response> {
    let (layer, at) = (asked.layer(), pixel(&asked.params)?);
    let (class, input) = (asked.params.number("class")?, asked.params.number("input")?);
    let view = asked.view().await?;
    view.chosen.weights()?;
    let work = move |desk: &mut Desk, facts: &Facts, view: &View| {
        let (network, recording) = desk.recording(facts, view.chosen.weights()?, &view.image)?;
        json(&network.gradient(&recording, &layer, at, class, input)?)
    };
    asked.show(JSON, view, work).await
}

fn pixel(params: &Params) -> Result<Pixel> {
    Ok(Pixel {
        map: params.needed("map")?,
        y: params.needed("y")?,
        x: params.needed("x")?,
    })
}
