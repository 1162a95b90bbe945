//! What there is to choose from, and the description of the API.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::openapi::DOCUMENT;
use crate::blocking::blocking;
use crate::error::Result;
use crate::http::App;
use crate::presets::{self, Offer};

/// Experiments to start from.
#[derive(Serialize, ToSchema)]
pub struct Presets {
    presets: Vec<Offer>,
}

/// Experiments that start with one click.
#[utoipa::path(
    get,
    path = "/presets",
    responses((status = 200, description = "The presets", body = Presets))
)]
pub async fn presets(State(app): State<App>) -> Result<Json<Presets>> {
    let presets = blocking(move || Ok(presets::offers(&app.data_sets.library))).await?;
    Ok(Json(Presets { presets }))
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    responses((status = 200, description = "OpenAPI 3.1", body = Value))
)]
pub async fn openapi() -> Json<&'static Value> {
    Json(&DOCUMENT)
}
