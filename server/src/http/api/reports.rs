//! Reports: what people write about their runs.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::json::Body;
use crate::reports::{Report, ReportInfo};

/// A report to begin.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    /// Markdown, at most 1 MiB.
    #[serde(default)]
    text: String,
}

/// A report as it is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportChange {
    /// Markdown, at most 1 MiB.
    text: String,
    /// Of the text that was changed.
    revision: String,
}

/// Every report, without its text.
#[derive(Serialize, ToSchema)]
pub struct Reports {
    reports: Vec<ReportInfo>,
}

/// Every report, the one that was saved last first.
#[utoipa::path(
    get,
    path = "/reports",
    responses((status = 200, description = "The reports", body = Reports))
)]
pub async fn list(State(app): State<App>) -> Result<Json<Reports>> {
    let reports = blocking(move || app.reports.list()).await?;
    Ok(Json(Reports { reports }))
}

/// Create a report.
#[utoipa::path(
    post,
    path = "/reports",
    request_body = NewReport,
    responses((status = 201, description = "The report", body = ReportInfo))
)]
pub async fn create(
    State(app): State<App>,
    Body(draft): Body<NewReport>,
) -> Result<(StatusCode, Json<ReportInfo>)> {
    let made = blocking(move || app.reports.create(&draft.text)).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// A report.
#[utoipa::path(
    get,
    path = "/reports/{id}",
    params(("id" = Uuid, Path, description = "The report")),
    responses((status = 200, description = "The report", body = Report))
)]
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Report>> {
    Ok(Json(whole(&app, &id).await?))
}

/// A report with its text.
pub(in crate::http) async fn whole(app: &App, id: &str) -> Result<Report> {
    let (id, reports) = (parse(id)?, app.reports.clone());
    blocking(move || reports.get(id)).await
}

/// Save a report.
///
/// A report that was saved elsewhere since that revision is not overwritten.
#[utoipa::path(
    put,
    path = "/reports/{id}",
    params(("id" = Uuid, Path, description = "The report")),
    request_body = ReportChange,
    responses((status = 200, description = "The report as it is now", body = ReportInfo))
)]
pub async fn save(
    State(app): State<App>,
    Path(id): Path<String>,
    Body(change): Body<ReportChange>,
) -> Result<Json<ReportInfo>> {
    let id = parse(&id)?;
    let saved = blocking(move || app.reports.save(id, &change.text, &change.revision)).await?;
    Ok(Json(saved))
}

/// Delete a report: it can be restored for seven days.
#[utoipa::path(
    delete,
    path = "/reports/{id}",
    params(("id" = Uuid, Path, description = "The report")),
    responses((status = 204, description = "It is deleted"))
)]
pub async fn delete(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode> {
    let id = parse(&id)?;
    blocking(move || app.reports.delete(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Restore a deleted report.
#[utoipa::path(
    post,
    path = "/reports/{id}/restore",
    params(("id" = Uuid, Path, description = "The report")),
    responses((status = 200, description = "The report", body = ReportInfo))
)]
pub async fn restore(State(app): State<App>, Path(id): Path<String>) -> Result<Json<ReportInfo>> {
    let id = parse(&id)?;
    Ok(Json(blocking(move || app.reports.restore(id)).await?))
}

fn parse(id: &str) -> Result<Uuid> {
    let missing = |_| Error::NotFound(format!("report “{id}”"));
    id.parse().map_err(missing)
}
