//! What a network makes of an image: the classes, where it sees one, and the image as the network is given it.

use axum::response::Response;
use serde_json::json as object;

use super::{Asked, JSON, PNG, View, json};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::inspect::desk::Desk;
use crate::inspect::image::{ImageRef, Picked};
use crate::inspect::subject::{Chosen, Facts};

/// The longest side of an image that is shown, in pixels.
const MOST_SIDE: usize = 1024;

/// `GET /runs/{id}/predict`
pub async fn predict(asked: Asked) -> Result<Response> {
    let view = asked.view().await?;
    let work = move |desk: &mut Desk, facts: &Facts, view: &View| {
        let (top, truth) = match &view.chosen {
            Chosen::Frame(frame) => (desk.frame(facts, frame)?.top(&facts.started.classes), None),
            Chosen::Network(checkpoint) => {
                let (network, recording) = desk.recording(facts, checkpoint, &view.image)?;
                (
                    network.predict(&recording),
                    truth(desk, facts, &view.image)?,
                )
            }
        };
        json(&object!({
            "checkpoint": view.chosen.name(),
            "image": {"id": view.named, "truth": truth},
            "top": top,
        }))
    };
    asked.show(JSON, view, work).await
}

/// The class of a sample; `None` for an image whose class nobody said.
fn truth(desk: &mut Desk, facts: &Facts, image: &Picked) -> Result<Option<u32>> {
    if let Picked::File(..) = image {
        return Ok(None);
    }
    let data = desk.data(facts)?;
    let sample = image.sample(&data)?;
    Ok(sample.and_then(|(samples, index)| samples.labels().get(index).copied()))
}

/// `GET /runs/{id}/attention.png`
pub async fn attention(asked: Asked) -> Result<Response> {
    let class = asked.params.number("class")?;
    let method = asked.params.word("method")?.unwrap_or_default();
    let layer = asked.params.text("layer").map(str::to_owned);
    let view = asked.view().await?;
    view.chosen.weights()?;
    let work = move |desk: &mut Desk, facts: &Facts, view: &View| {
        let (network, recording) = desk.recording(facts, view.chosen.weights()?, &view.image)?;
        let attention = network.attention(&recording, class, method, layer.as_deref())?;
        Ok(attention.png()?)
    };
    asked.show(PNG, view, work).await
}

/// `GET /runs/{id}/images/{ref}.png`: an image as the network sees it.
pub async fn image(asked: Asked) -> Result<Response> {
    let size = asked.params.number("size")?;
    if let Some(size) = size.filter(|size| !(1..=MOST_SIDE).contains(size)) {
        let message = format!("must be between 1 and {MOST_SIDE}");
        return Err(Error::field("size", size, message));
    }
    let file = asked.path.get("file").cloned().unwrap_or_default();
    let named = file.strip_suffix(".png");
    let named = named.ok_or_else(|| Error::NotFound(format!("image “{file}”")))?;
    let image = ImageRef::parse(named)?;
    let (app, run) = (asked.app.clone(), asked.facts.id);
    let image = blocking(move || image.find(&app.images, run)).await?;
    let key = image.key();
    let work = move |desk: &mut Desk, facts: &Facts| {
        let side = facts.started.input.last().copied().unwrap_or(1).max(1);
        let zoom = (size.unwrap_or(side) / side).max(1);
        Ok(desk.picture(facts, &image, zoom)?.png()?)
    };
    asked.answer(PNG, &[&key], false, work).await
}
