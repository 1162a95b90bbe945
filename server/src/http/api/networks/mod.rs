//! Networks as texts: those that are built in, and those of users.
//!
//! * [`check`]: what a text gives.
//! * [`mod@import`]: networks from files.
//! * `overview`: the networks as pages list them.
//! * [`stages`]: what a picture of a network shows.

pub mod check;
pub mod import;
pub(in crate::http) mod overview;
pub mod stages;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::{IntoParams, ToSchema};
use vivarium_models::networks::{self, NETWORKS, NetworkRow, NetworkText, TextError, revision};

use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::json::Body;
use crate::index::runs as rows;
use crate::networks::{OwnNetworks, Precondition};
use crate::run_dir::RunId;

/// The networks that a run can train.
#[derive(Serialize, ToSchema)]
pub struct Networks {
    networks: Vec<Network>,
    /// Texts of users that have a mistake.
    unreadable: Vec<UnreadableNetwork>,
}

/// A network with its options and its text.
#[derive(Serialize, ToSchema)]
pub struct Network {
    #[serde(flatten, serialize_with = "row_itself")]
    #[schema(value_type = NetworkRow)]
    row: Arc<NetworkRow>,
    /// The text.
    source: String,
    /// Whether it is built in, and cannot be changed.
    built_in: bool,
}

fn row_itself<S: Serializer>(
    row: &Arc<NetworkRow>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    (**row).serialize(serializer)
}

/// A text of a user that has a mistake.
#[derive(Serialize, ToSchema)]
pub struct UnreadableNetwork {
    /// Its name.
    name: String,
    /// The mistake.
    error: TextError,
}

/// A network's text.
#[derive(Serialize, ToSchema)]
pub struct NetworkSource {
    /// The name in a RunSpec; empty for a new network.
    pub(in crate::http) name: String,
    /// The name that users see.
    pub(in crate::http) title: String,
    /// The text.
    pub(in crate::http) source: String,
    /// Whether it is built in, and cannot be changed.
    built_in: bool,
    /// Its version, for `If-Match`; only of a user's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    etag: Option<String>,
    /// A name for the copy of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    suggested: Option<String>,
}

/// A text to save.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkChange {
    /// The text, at most 1 MiB.
    source: String,
}

/// A network by its name.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct NetworkPath {
    /// The name.
    name: String,
}

/// The networks, their options and their texts.
#[utoipa::path(
    get,
    path = "/networks",
    responses((status = 200, description = "The table", body = Networks))
)]
pub async fn list(State(app): State<App>) -> Result<Json<Networks>> {
    let own = blocking(move || app.networks.list()).await?;
    let entry = |row: Arc<NetworkRow>, built_in| Network {
        source: row.source().to_owned(),
        row,
        built_in,
    };
    let mut networks: Vec<_> = NETWORKS
        .iter()
        .map(|row| entry(row.clone(), true))
        .collect();
    let mut unreadable = Vec::new();
    for own in own {
        match own.row() {
            Ok(row) => networks.push(entry(Arc::new(row), false)),
            Err(error) => unreadable.push(UnreadableNetwork {
                name: own.name,
                error,
            }),
        }
    }
    Ok(Json(Networks {
        networks,
        unreadable,
    }))
}

/// A network's text.
#[utoipa::path(
    get,
    path = "/networks/{name}",
    params(NetworkPath),
    responses((status = 200, description = "The text, with its version as ETag if it is a user's", body = NetworkSource))
)]
pub async fn show(State(app): State<App>, Path(path): Path<NetworkPath>) -> Result<Response> {
    Ok(find(&app, path.name).await?.respond(StatusCode::OK))
}

/// The text that a run was made with.
#[utoipa::path(
    get,
    path = "/runs/{id}/network",
    params(("id" = RunId, Path, description = "The run")),
    responses((status = 200, description = "The text", body = NetworkSource))
)]
pub async fn of_run(State(app): State<App>, Path(id): Path<String>) -> Result<Json<NetworkSource>> {
    let id = id
        .parse()
        .map_err(|_| Error::NotFound(format!("run “{id}”")))?;
    Ok(Json(text_of_run(&app, id).await?))
}

/// Save a network's text.
///
/// With `If-Match` it replaces that version alone, with `If-None-Match: *` nothing. A text with a mistake is not saved.
#[utoipa::path(
    put,
    path = "/networks/{name}",
    params(
        NetworkPath,
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that was changed"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: there is no network of this name yet"),
    ),
    request_body = NetworkChange,
    responses(
        (status = 200, description = "The text as it is now", body = NetworkSource),
        (status = 201, description = "A new network", body = NetworkSource),
        (status = 412, description = "It was changed elsewhere"),
    )
)]
pub async fn save(
    State(app): State<App>,
    Path(path): Path<NetworkPath>,
    headers: HeaderMap,
    Body(change): Body<NetworkChange>,
) -> Result<Response> {
    let name = path.name;
    if networks::row(&name).is_some() {
        let message = "The network is built in: save a copy under another name.";
        return Err(Error::Conflict(message.to_owned()));
    }
    let condition = precondition(&headers)?;
    let (network, is_new) = blocking(move || {
        let is_new = app.networks.save(&name, &change.source, &condition)?;
        Ok((own_source(&app.networks, &name)?, is_new))
    })
    .await?;
    Ok(network.respond(match is_new {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    }))
}

/// Delete a network's text. Runs that were made with it keep it.
#[utoipa::path(
    delete,
    path = "/networks/{name}",
    params(
        NetworkPath,
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is deleted"),
    ),
    responses((status = 204, description = "It is deleted"), (status = 412, description = "It was changed elsewhere"))
)]
pub async fn remove(
    State(app): State<App>,
    Path(path): Path<NetworkPath>,
    headers: HeaderMap,
) -> Result<StatusCode> {
    if networks::row(&path.name).is_some() {
        return Err(Error::Conflict("The network is built in.".to_owned()));
    }
    let condition = precondition(&headers)?;
    blocking(move || app.networks.remove(&path.name, &condition)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn precondition(headers: &HeaderMap) -> Result<Precondition> {
    let value = |name| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default().trim())
    };
    match (value(header::IF_MATCH), value(header::IF_NONE_MATCH)) {
        (None, None) => Ok(Precondition::None),
        (None, Some("*")) => Ok(Precondition::New),
        (Some(tag), None) => {
            let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
            Ok(Precondition::Revision(tag.to_owned()))
        }
        _ => Err(Error::BadRequest(
            "Send If-Match with one ETag, or If-None-Match: *.".to_owned(),
        )),
    }
}

impl NetworkSource {
    fn of_row(row: &NetworkRow) -> Self {
        Self {
            name: row.kind.clone(),
            title: row.title.clone(),
            source: row.source().to_owned(),
            built_in: true,
            etag: None,
            suggested: None,
        }
    }

    fn of_text(name: &str, source: String) -> Self {
        // A text with a mistake is shown, so that it can be mended.
        let title = NetworkText::read(&source).map_or_else(|_| name.to_owned(), |text| text.title);
        Self {
            name: name.to_owned(),
            title,
            source,
            built_in: false,
            etag: None,
            suggested: None,
        }
    }

    /// Makes it a new network with the same text.
    pub(in crate::http) fn into_copy(self, networks: &OwnNetworks) -> Result<Self> {
        let suggested = networks.free_name(&format!("{}-copy", self.name))?;
        Ok(Self {
            suggested: Some(suggested),
            name: String::new(),
            built_in: false,
            etag: None,
            ..self
        })
    }

    /// A new network without a text.
    pub(in crate::http) fn blank() -> Self {
        Self::of_text("", String::new())
    }

    fn respond(self, status: StatusCode) -> Response {
        match self.etag.clone() {
            Some(etag) => (status, [(header::ETAG, etag)], Json(self)).into_response(),
            None => (status, Json(self)).into_response(),
        }
    }
}

fn own_source(networks: &OwnNetworks, name: &str) -> Result<NetworkSource> {
    let own = networks.get(name)?;
    let etag = format!("\"{}\"", revision(&own.source));
    Ok(NetworkSource {
        etag: Some(etag),
        ..NetworkSource::of_text(name, own.source)
    })
}

/// The text of a name.
pub(in crate::http) async fn find(app: &App, name: String) -> Result<NetworkSource> {
    if let Some(row) = networks::row(&name) {
        return Ok(NetworkSource::of_row(&row));
    }
    let networks = app.networks.clone();
    blocking(move || own_source(&networks, &name)).await
}

/// The text that a run was made with.
pub(in crate::http) async fn text_of_run(app: &App, id: RunId) -> Result<NetworkSource> {
    let run = app.index.read(move |c| rows::get(c, id)).await?;
    run.is_own("there is no network to show")?;
    let kind = run.spec["network"]["kind"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let dir = app.supervisor.run_dir(id);
    blocking(
        move || match (dir.network_source()?, networks::row(&kind)) {
            (Some(source), _) => Ok(NetworkSource::of_text(&kind, source)),
            (None, Some(row)) => Ok(NetworkSource::of_row(&row)),
            (None, None) => Err(Error::NotFound(format!("text of the network “{kind}”"))),
        },
    )
    .await
}
