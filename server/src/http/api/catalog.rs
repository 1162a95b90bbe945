//! What there is to choose from, and the description of the API.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use vivarium_models::networks::NETWORKS;

use super::openapi::DOCUMENT;
use crate::blocking::blocking;
use crate::error::Result;
use crate::http::App;
use crate::presets;

/// `GET /networks`
pub async fn networks() -> Json<Value> {
    Json(json!({ "networks": NETWORKS }))
}

/// `GET /presets`
pub async fn presets(State(app): State<App>) -> Result<Json<Value>> {
    let offers = blocking(move || Ok(presets::offers(&app.data_sets.library))).await?;
    Ok(Json(json!({ "presets": offers })))
}

/// `GET /openapi.json`
pub async fn openapi() -> Json<&'static Value> {
    Json(&DOCUMENT)
}
