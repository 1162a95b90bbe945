//! What there is to choose from, and the description of the API.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use vivarium_models::networks::NETWORKS;

use crate::error::Result;
use crate::http::{App, blocking};
use crate::presets::PRESETS;

/// `GET /networks`
pub async fn networks() -> Json<Value> {
    Json(json!({ "networks": NETWORKS }))
}

/// `GET /datasets`
pub async fn data_sets(State(app): State<App>) -> Result<Json<Value>> {
    let sets = blocking(move || Ok(app.library.sets())).await?;
    Ok(Json(json!({ "datasets": sets })))
}

/// `GET /presets`
pub async fn presets() -> Json<Value> {
    Json(json!({ "presets": *PRESETS }))
}

/// `GET /openapi.json`
pub async fn openapi() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/json")],
        include_str!("openapi.json"),
    )
}
