//! The samples behind a confusion matrix.

use axum::response::Response;
use vivarium_models::data::Split;

use super::{Asked, JSON, View, json};
use crate::error::{Error, Result};
use crate::images::pins::version;
use crate::inspect::desk::Desk;
use crate::inspect::samples::Wanted;
use crate::inspect::subject::Facts;

/// `GET /runs/{id}/samples`
pub async fn samples(asked: Asked) -> Result<Response> {
    let split = match asked.params.text("split") {
        None | Some("test") => Split::Test,
        Some("validation") => Split::Validation,
        Some(other) => {
            let message = "must be “test” or “validation”";
            return Err(Error::field("split", other, message));
        }
    };
    let wanted = Wanted {
        split,
        truth: asked.params.number("truth")?,
        predicted: asked.params.number("predicted")?,
        page: asked.params.number("page")?.unwrap_or(0),
    };
    let view: View = asked.view().await?;
    // What is known of a split comes later than its checkpoint.
    let test = version(&asked.facts.film().test()).unwrap_or_default();
    let chosen = view.chosen;
    let (name, of) = (chosen.name().to_string(), chosen.version().to_owned());
    let newest = asked.facts.film().epochs()?.len().to_string();
    let work = move |desk: &mut Desk, facts: &Facts| json(&desk.samples(facts, &chosen, wanted)?);
    asked
        .answer(JSON, &[&name, &of, &test, &newest], false, work)
        .await
}
