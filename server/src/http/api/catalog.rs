//! What there is to choose from, and the description of the API.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use vivarium_models::form::{self, FormNetwork, FormTable};
use vivarium_models::networks::revision;

use super::openapi::DOCUMENT;
use crate::blocking::blocking;
use crate::error::Result;
use crate::http::App;
use crate::networks::OwnNetworks;
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

/// The settings of a run: their labels, defaults and choices, with networks and data sets.
#[utoipa::path(
    get,
    path = "/form",
    responses((status = 200, description = "The fields", body = FormTable))
)]
pub async fn form(State(app): State<App>) -> Result<Json<FormTable>> {
    Ok(Json(blocking(move || form_table(&app)).await?))
}

/// The table of fields, with the networks of users, as this server offers them.
pub(in crate::http) fn form_table(app: &App) -> Result<FormTable> {
    let mut form = form::table(&app.data_sets.library);
    if !app.supervisor.has_scheduler() {
        form = form.without_resources();
    }
    form.networks.extend(own_networks(&app.networks)?);
    Ok(form)
}

/// The networks of users that can be read, as choices of the form.
fn own_networks(networks: &OwnNetworks) -> Result<Vec<FormNetwork>> {
    let rows = networks
        .list()?
        .into_iter()
        .filter_map(|own| own.row().ok());
    Ok(rows
        .map(|row| FormNetwork {
            revision: Some(revision(row.source())),
            ..FormNetwork::of(&row)
        })
        .collect())
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
