//! Data sets: what there is, what they look like, uploads and fetches.

use axum::extract::{Multipart, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;
use vivarium_models::data::State as Kept;
use vivarium_models::spec::FieldError;

use crate::base_path;
use crate::blocking::blocking;
use crate::datasets::fetches::Fetches;
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::change::Client;
use crate::http::etag::{Caching, ETag};
use crate::http::json::{Body, given};
use crate::http::problem::Problem;
use crate::http::upload::{receive, within};
use crate::index::runs as rows;

/// `GET /datasets`
pub async fn list(State(app): State<App>) -> Result<Json<Value>> {
    Ok(Json(json!({ "datasets": all(&app).await? })))
}

/// Every set, and how its fetch stands.
pub async fn all(app: &App) -> Result<Vec<Value>> {
    let data_sets = app.data_sets.clone();
    blocking(move || {
        let sets = data_sets.library.sets().into_iter().map(|set| {
            let fetch = data_sets.fetches.state(&set.set);
            let can_fetch = Fetches::can_fetch(&set.set);
            let mut json = serde_json::to_value(&set).map_err(|e| Error::json("a data set", e))?;
            json["fetch"] = json!(fetch);
            json["can_fetch"] = json!(can_fetch);
            Ok(json)
        });
        sets.collect()
    })
    .await
}

/// `DELETE /datasets/{set}`
pub async fn delete(State(app): State<App>, Path(set): Path<String>) -> Result<StatusCode> {
    let name = set.clone();
    let users = app
        .index
        .read(move |c| {
            let uses = |run: &rows::Run| {
                run.status.is_active() && run.spec["data"]["set"] == name.as_str()
            };
            Ok(rows::list(c)?.0.into_iter().filter(uses).count())
        })
        .await?;
    if users > 0 {
        let runs = if users == 1 {
            "A run that trains or waits uses"
        } else {
            "Runs that train or wait use"
        };
        return Err(Error::Conflict(format!(
            "{runs} this set; stop them first."
        )));
    }
    let data_sets = app.data_sets.clone();
    blocking(move || {
        let there = data_sets.library.find(&set);
        match there.filter(|set| !matches!(set.state, Kept::Missing)) {
            None => Err(Error::NotFound(format!("data set “{set}”"))),
            Some(found) if found.state == Kept::BuiltIn => Err(Error::Conflict(
                "This set is part of the program.".to_owned(),
            )),
            Some(_) => Ok(data_sets.library.remove(&set)?),
        }
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /datasets/{set}/gallery`: what is where in the picture.
pub async fn gallery(State(app): State<App>, Path(set): Path<String>) -> Result<Json<Value>> {
    let made = app.data_sets.galleries.of(&set).await?;
    Ok(Json(json!(made.gallery)))
}

/// `GET /datasets/{set}/gallery.png`: a row for each class, the mean first.
pub async fn gallery_png(
    State(app): State<App>,
    Path(set): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let made = app.data_sets.galleries.of(&set).await?;
    let etag = ETag::new(&made.version, Caching::Revalidate);
    let known = etag.not_modified(&headers);
    Ok(known.unwrap_or_else(|| etag.respond("image/png", made.png.clone())))
}

/// `POST /datasets/{set}/fetch`
pub async fn fetch(State(app): State<App>, Path(set): Path<String>) -> Result<StatusCode> {
    let data_sets = app.data_sets.clone();
    blocking(move || data_sets.fetches.begin(&set)).await?;
    Ok(StatusCode::ACCEPTED)
}

/// `DELETE /datasets/{set}/fetch`
pub async fn stop_fetch(State(app): State<App>, Path(set): Path<String>) -> Result<StatusCode> {
    app.data_sets.fetches.stop(&set)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /datasets`: a zip of class folders as the first file of a form. The answer is a draft with its report; it
/// becomes a set when it is accepted.
pub(in crate::http) async fn upload(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    mut form: Multipart,
) -> Result<Response, Problem> {
    let drafts = &app.data_sets.drafts;
    loop {
        let next = within(form.next_field()).await?;
        let Some(field) = next else {
            let detail = "The form holds no file.";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "No file", detail));
        };
        let Some(file) = field.file_name().map(plain) else {
            continue;
        };
        let incoming = drafts.begin().await?;
        receive(field, &incoming.path()).await?;
        let draft = drafts.read(incoming, file, client.left()).await?;
        let location = [(
            header::LOCATION,
            base_path::url(&format!("/api/v1/datasets/drafts/{}", draft.id)),
        )];
        return Ok((StatusCode::CREATED, location, Json(draft)).into_response());
    }
}

/// A file's name as it is shown: no path, nothing that cannot be seen, not too long.
fn plain(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    if name.is_empty() {
        "upload".to_owned()
    } else {
        name
    }
}

/// What becomes of a draft.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// The set's name.
    set: String,
    /// Its name for people; the file's without one.
    #[serde(default, deserialize_with = "given")]
    title: Option<String>,
    /// Whether images that cannot be read may be missing.
    #[serde(default)]
    skip_unreadable: bool,
}

/// `POST /datasets/drafts/{id}`: makes a draft a set.
pub async fn accept(
    State(app): State<App>,
    Path(id): Path<String>,
    Body(accept): Body<Accept>,
) -> Result<Response, Problem> {
    let id = draft_id(&id)?;
    let title = accept.title.as_deref().map(str::trim);
    if title.is_some_and(|title| {
        title.is_empty() || title.chars().count() > 100 || title.chars().any(char::is_control)
    }) {
        let message = "must have 1 to 100 characters, none of them a control character".to_owned();
        return Err(refused("title", json!(accept.title), message));
    }
    let (data_sets, set) = (app.data_sets.clone(), accept.set.clone());
    let (title, skip) = (title.map(str::to_owned), accept.skip_unreadable);
    let accepted =
        blocking(move || data_sets.drafts.accept(id, &set, title.as_deref(), skip)).await;
    match accepted {
        Ok(()) => {
            let location = [(
                header::LOCATION,
                base_path::url(&format!("/api/v1/datasets/{}", accept.set)),
            )];
            Ok((
                StatusCode::CREATED,
                location,
                Json(json!({"set": accept.set})),
            )
                .into_response())
        }
        Err(Error::Models(vivarium_models::Error::Setting { message, .. })) => {
            Err(refused("set", json!(accept.set), message))
        }
        Err(error) => Err(error.into()),
    }
}

fn refused(path: &str, value: Value, message: String) -> Problem {
    let fault = FieldError {
        path: path.to_owned(),
        value,
        message,
    };
    Problem::of_fields("The set is not accepted", vec![fault])
}

/// `DELETE /datasets/drafts/{id}`
pub async fn discard(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode> {
    let id = draft_id(&id)?;
    let data_sets = app.data_sets.clone();
    blocking(move || data_sets.drafts.discard(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn draft_id(text: &str) -> Result<Uuid> {
    text.parse()
        .map_err(|_| Error::NotFound(format!("upload “{text}”")))
}
