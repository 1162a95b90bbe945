//! What there is to choose from, and the description of the API.

use axum::Json;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use vivarium_models::networks::NETWORKS;

use crate::presets::PRESETS;

/// `GET /networks`
pub async fn networks() -> Json<Value> {
    Json(json!({ "networks": NETWORKS }))
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
