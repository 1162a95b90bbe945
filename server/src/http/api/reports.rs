//! Reports: what people write about their runs.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::json::Body;
use crate::reports::{Report, ReportInfo};

/// A report to begin.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    #[serde(default)]
    text: String,
}

/// A report as it is to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    text: String,
    revision: String,
}

/// `GET /reports`
pub async fn list(State(app): State<App>) -> Result<Json<Value>> {
    let reports = blocking(move || app.reports.list()).await?;
    Ok(Json(json!({ "reports": reports })))
}

/// `POST /reports`
pub async fn create(
    State(app): State<App>,
    Body(draft): Body<Draft>,
) -> Result<(StatusCode, Json<ReportInfo>)> {
    let made = blocking(move || app.reports.create(&draft.text)).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// `GET /reports/{id}`
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Report>> {
    Ok(Json(whole(&app, &id).await?))
}

/// A report with its text.
pub(in crate::http) async fn whole(app: &App, id: &str) -> Result<Report> {
    let (id, reports) = (parse(id)?, app.reports.clone());
    blocking(move || reports.get(id)).await
}

/// `PUT /reports/{id}`
pub async fn save(
    State(app): State<App>,
    Path(id): Path<String>,
    Body(change): Body<Change>,
) -> Result<Json<ReportInfo>> {
    let id = parse(&id)?;
    let saved = blocking(move || app.reports.save(id, &change.text, &change.revision)).await?;
    Ok(Json(saved))
}

/// `DELETE /reports/{id}`
pub async fn delete(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode> {
    let id = parse(&id)?;
    blocking(move || app.reports.delete(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /reports/{id}/restore`
pub async fn restore(State(app): State<App>, Path(id): Path<String>) -> Result<Json<ReportInfo>> {
    let id = parse(&id)?;
    Ok(Json(blocking(move || app.reports.restore(id)).await?))
}

fn parse(id: &str) -> Result<Uuid> {
    let missing = |_| Error::NotFound(format!("report “{id}”"));
    id.parse().map_err(missing)
}
