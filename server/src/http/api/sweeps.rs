//! Sweeps: many runs from one request.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::error::Result;
use crate::http::App;
use crate::http::json::Body;
use crate::sweeps::SweepSpec;

/// `POST /sweeps`
pub async fn create(
    State(app): State<App>,
    Body(spec): Body<SweepSpec>,
) -> Result<(StatusCode, Json<Value>)> {
    let (id, runs) = app.supervisor.create_sweep(spec).await?;
    let runs: Vec<_> = runs
        .iter()
        .map(|id| json!({"id": id, "url": format!("/runs/{id}")}))
        .collect();
    let url = format!("/?sweep={id}");
    Ok((
        StatusCode::CREATED,
        Json(json!({"id": id, "url": url, "runs": runs})),
    ))
}
