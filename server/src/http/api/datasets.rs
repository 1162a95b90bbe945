//! Data sets: what there is, what they look like, uploads and fetches.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use vivarium_models::data::{self, FitExamples, Gallery, State as Kept};
use vivarium_models::spec::FieldError;

use crate::base_path;
use crate::blocking::blocking;
use crate::datasets::drafts::Draft;
use crate::datasets::fetches::{FetchState, Fetches};
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::api::openapi::Binary;
use crate::http::change::Client;
use crate::http::etag::{Caching, ETag};
use crate::http::json::{Body, given};
use crate::http::problem::Problem;
use crate::http::upload::{Form, plain_file_name, receive, within};
use crate::index::runs as rows;

/// A data set, and how its fetch stands.
#[derive(Serialize, ToSchema)]
pub struct DataSet {
    #[serde(flatten)]
    pub(in crate::http) set: data::DataSet,
    /// How its fetch stands; `null` where it was not fetched since the server started.
    fetch: Option<FetchState>,
    /// Whether it can be fetched from the web.
    can_fetch: bool,
    /// About how many bytes a fetch takes; `null` where there is none.
    fetch_bytes: Option<u64>,
}

/// Every data set.
#[derive(Serialize, ToSchema)]
pub struct DataSets {
    datasets: Vec<DataSet>,
}

/// A form with a file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form is read piece by piece")]
struct ArchiveForm {
    #[schema(format = Binary)]
    file: String,
}

/// The data sets that runs may name: which are here, which can be downloaded, and the progress of downloads.
#[utoipa::path(
    get,
    path = "/datasets",
    responses((status = 200, description = "The table", body = DataSets))
)]
pub async fn list(State(app): State<App>) -> Result<Json<DataSets>> {
    let datasets = all(&app).await?;
    Ok(Json(DataSets { datasets }))
}

/// Every set, and how its fetch stands.
pub async fn all(app: &App) -> Result<Vec<DataSet>> {
    let data_sets = app.data_sets.clone();
    blocking(move || {
        let sets = data_sets.library.sets().into_iter().map(|set| DataSet {
            fetch: data_sets.fetches.state(&set.set),
            can_fetch: Fetches::can_fetch(&set.set),
            fetch_bytes: Fetches::size(&set.set),
            set,
        });
        Ok(sets.collect())
    })
    .await
}

/// Delete a data set that was downloaded, imported or uploaded.
#[utoipa::path(
    delete,
    path = "/datasets/{set}",
    params(("set" = String, Path, description = "The data set's name")),
    responses((status = 204, description = "It is deleted"))
)]
pub async fn delete(State(app): State<App>, Path(set): Path<String>) -> Result<StatusCode> {
    let name = set.clone();
    let users = app
        .index
        .read(move |c| {
            let active = rows::active(c)?;
            let (runs, _) = rows::named(c, &active)?;
            let uses = |run: &&rows::Run| run.spec["data"]["set"] == name.as_str();
            Ok(runs.iter().filter(uses).count())
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

/// The layout of a data set's gallery: columns, rows, pixels of a cell, and the classes.
#[utoipa::path(
    get,
    path = "/datasets/{set}/gallery",
    params(("set" = String, Path, description = "The data set's name")),
    responses((status = 200, description = "The layout", body = Gallery))
)]
pub async fn gallery(State(app): State<App>, Path(set): Path<String>) -> Result<Response> {
    let made = app.data_sets.galleries.of(&set).await?;
    Ok(Json(&made.gallery).into_response())
}

/// The gallery of a data set: a row for each class, the mean of its images, then the first few of them.
#[utoipa::path(
    get,
    path = "/datasets/{set}/gallery.png",
    params(("set" = String, Path, description = "The data set's name")),
    responses((status = 200, description = "The picture", body = inline(Binary), content_type = "image/png"))
)]
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

/// How photos of a set become squares: the layout of a picture of a few of them, cropped, padded and stretched.
#[utoipa::path(
    get,
    path = "/datasets/{set}/fits",
    params(("set" = String, Path, description = "The data set's name")),
    responses((status = 200, description = "The layout", body = FitExamples))
)]
pub async fn fits(State(app): State<App>, Path(set): Path<String>) -> Result<Response> {
    let made = app.data_sets.galleries.fits(&set).await?;
    Ok(Json(&made.examples).into_response())
}

/// A few photos of a set: a row for each, a column for each way to make it square.
#[utoipa::path(
    get,
    path = "/datasets/{set}/fits.png",
    params(("set" = String, Path, description = "The data set's name")),
    responses((status = 200, description = "The picture", body = inline(Binary), content_type = "image/png"))
)]
pub async fn fits_png(
    State(app): State<App>,
    Path(set): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let made = app.data_sets.galleries.fits(&set).await?;
    let etag = ETag::new(&made.version, Caching::Revalidate);
    let known = etag.not_modified(&headers);
    Ok(known.unwrap_or_else(|| etag.respond("image/png", made.png.clone())))
}

/// Download a known data set; a download that broke off goes on.
#[utoipa::path(
    post,
    path = "/datasets/{set}/fetch",
    params(("set" = String, Path, description = "The data set's name")),
    responses((status = 202, description = "It has begun; `GET /datasets` has its progress"))
)]
pub async fn fetch(State(app): State<App>, Path(set): Path<String>) -> Result<StatusCode> {
    let data_sets = app.data_sets.clone();
    blocking(move || data_sets.fetches.begin(&set)).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Stop a download; the next one goes on from there.
#[utoipa::path(
    delete,
    path = "/datasets/{set}/fetch",
    params(("set" = String, Path, description = "The data set's name")),
    responses((status = 204, description = "It stops"))
)]
pub async fn stop_fetch(State(app): State<App>, Path(set): Path<String>) -> Result<StatusCode> {
    app.data_sets.fetches.stop(&set)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Upload an archive with a folder of images for each class, or with the files of MNIST or CIFAR.
///
/// It is a zip or a tar, as it is or packed by gzip, bzip2 or xz. The answer is a draft and its report; accepted, it
/// becomes a data set.
#[utoipa::path(
    post,
    path = "/datasets",
    request_body(content = ArchiveForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "The draft and its report", body = Draft))
)]
pub(in crate::http) async fn upload(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    Form(mut form): Form,
) -> Result<Response, Problem> {
    let drafts = &app.data_sets.drafts;
    loop {
        let next = within(form.next_field()).await?;
        let Some(field) = next else {
            let detail = "The form holds no file.";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "No file", detail));
        };
        let Some(file) = field.file_name().map(plain_file_name) else {
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

/// What becomes of a draft.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptedDraft {
    /// The set's name: 1 to 40 small letters, digits and hyphens.
    set: String,
    /// Its name for people; the file's without one.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    title: Option<String>,
    /// Whether images that cannot be read may be missing.
    #[serde(default)]
    #[schema(default = false)]
    skip_unreadable: bool,
}

/// A data set that was made.
#[derive(Serialize, ToSchema)]
pub struct CreatedDataSet {
    /// Its name.
    set: String,
}

/// Accept an upload as a data set.
///
/// A second request with the same name gets the same answer.
#[utoipa::path(
    post,
    path = "/datasets/drafts/{id}",
    params(("id" = Uuid, Path, description = "The upload")),
    request_body = AcceptedDraft,
    responses((status = 201, description = "The data set's name", body = CreatedDataSet))
)]
pub async fn accept(
    State(app): State<App>,
    Path(id): Path<String>,
    Body(accept): Body<AcceptedDraft>,
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
                Json(CreatedDataSet { set: accept.set }),
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
    let fault = FieldError::new(path, &value, &message);
    Problem::of_fields("The set is not accepted", vec![fault])
}

/// Discard an upload.
#[utoipa::path(
    delete,
    path = "/datasets/drafts/{id}",
    params(("id" = Uuid, Path, description = "The upload")),
    responses((status = 204, description = "It is deleted"))
)]
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
