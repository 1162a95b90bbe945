//! The catalogue of a network.

use axum::response::Response;
use serde_json::json as object;

use super::{Asked, JSON, json};
use crate::blocking::blocking;
use crate::error::Result;
use crate::inspect::subject::Chosen;

/// `GET /runs/{id}/layers`
pub async fn layers(asked: Asked) -> Result<Response> {
    let facts = asked.facts.clone();
    let word = asked.params.text("checkpoint").map(str::to_owned);
    let (chosen, network, checkpoints, film) = blocking(move || {
        let chosen = facts.choose(word.as_deref())?;
        // A film has no weights, but its network has the same layers as a checkpoint's.
        let network = match &chosen {
            Chosen::Network(checkpoint) => checkpoint.clone(),
            Chosen::Frame(_) => facts.choose(None)?.weights()?.clone(),
        };
        let checkpoints: Vec<_> = facts
            .checkpoints()
            .iter()
            .map(|one| one.describe())
            .collect();
        Ok((
            chosen,
            network,
            object!(checkpoints),
            facts.film().epochs()?,
        ))
    })
    .await?;
    let name = chosen.name();
    let version = [
        name.to_string(),
        network.version.clone(),
        checkpoints.to_string(),
        object!(film).to_string(),
    ];
    let version: Vec<_> = version.iter().map(String::as_str).collect();
    let work = move |desk: &mut crate::inspect::desk::Desk,
                     facts: &crate::inspect::subject::Facts| {
        let network = desk.network(facts, &network)?;
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
    asked.answer(JSON, &version, false, work).await
}
