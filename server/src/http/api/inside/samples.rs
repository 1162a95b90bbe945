//! The samples behind a confusion matrix.

use axum::response::Response;
use vivarium_models::data::Split;

use super::super::RunPath;
use super::query::{CheckpointParams, SamplesParams};
use super::{InspectRequest, JSON, View, json};
use crate::error::{Error, Result};
use crate::http::etag::Caching;
use crate::images::pins::version;
use crate::inspect::cache::InspectCache;
use crate::inspect::samples::{Page, SampleQuery};
use crate::inspect::target::InspectTarget;

/// Samples of a split, or of a cell of its confusion matrix, the most confident first.
#[utoipa::path(
    get,
    path = "/runs/{id}/samples",
    params(
        RunPath,
        CheckpointParams,
        SamplesParams
    ),
    responses((status = 200, description = "A page of samples", body = Page))
)]
pub async fn samples(request: InspectRequest) -> Result<Response> {
    let split = match request.params.text("split") {
        None | Some("test") => Split::Test,
        Some("validation") => Split::Validation,
        Some(other) => {
            let message = "must be “test” or “validation”";
            return Err(Error::field("split", other, message));
        }
    };
    let query = SampleQuery {
        split,
        truth: request.params.number("truth")?,
        predicted: request.params.number("predicted")?,
        page: request.params.number("page")?.unwrap_or(0),
    };
    let view: View = request.view().await?;
    // What is known of a split comes later than its checkpoint.
    let test = version(&request.target.film().test()).unwrap_or_default();
    let snapshot = view.snapshot;
    let (name, of) = (snapshot.name().to_string(), snapshot.version().to_owned());
    let newest = request.target.film().names()?.len().to_string();
    let work = move |cache: &mut InspectCache, target: &InspectTarget| {
        json(&cache.samples(target, &snapshot, query)?)
    };
    request
        .answer(
            JSON,
            &[&name, &of, &test, &newest],
            Caching::Revalidate,
            work,
        )
        .await
}
