//! Images to look at with networks: upload, list, show, remove.

use std::time::Duration;

use axum::Json;
use axum::extract::multipart::Field;
use axum::extract::{Multipart, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;
use vivarium_models::links;
use vivarium_models::spec::FieldError;

use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::api::openapi::Binary;
use crate::http::etag::{Caching, ETag};
use crate::http::problem::Problem;
use crate::http::upload::{Form, within};
use crate::images::{self, Kept};

/// The field of the form that holds the file.
const FIELD: &str = "image";

/// All of an upload comes in this time.
const DEADLINE: Duration = Duration::from_secs(5 * 60);

/// Uploaded images.
#[derive(Serialize, ToSchema)]
pub struct UploadedImages {
    images: Vec<Kept>,
}

/// A form with an image.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form is read piece by piece")]
struct ImageForm {
    /// PNG, JPEG, WebP, GIF, BMP or TIFF, whatever it is called.
    #[schema(format = Binary)]
    image: String,
}

/// Uploaded images, the newest first.
#[utoipa::path(
    get,
    path = "/images",
    responses((status = 200, description = "The images", body = UploadedImages))
)]
pub async fn list(State(app): State<App>) -> Json<UploadedImages> {
    let images = app.images.list();
    Json(UploadedImages { images })
}

/// Upload an image.
///
/// It has at most 20 MiB and 64 million pixels. It is turned as its EXIF says, made no larger than 1024 pixels and
/// encoded anew.
#[utoipa::path(
    post,
    path = "/images",
    request_body(content = ImageForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "The image", body = Kept))
)]
pub async fn create(State(app): State<App>, Form(mut form): Form) -> Result<Response, Problem> {
    let place = app.images.place().await?;
    let Ok(received) = tokio::time::timeout(DEADLINE, file(&mut form)).await else {
        let detail = format!("The upload took more than {} s.", DEADLINE.as_secs());
        return Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "Too slow",
            detail,
        ));
    };
    let received = received.map_err(|problem| match problem.status() {
        status @ StatusCode::PAYLOAD_TOO_LARGE => {
            let most = images::MOST_BYTES >> 20;
            Problem::new(
                status,
                "Too large",
                format!("image: must have at most {most} MiB"),
            )
        }
        _ => problem,
    })?;
    let kept = app.images.add(received).await?;
    drop(place);
    let location = [(header::LOCATION, kept.url.clone())];
    Ok((StatusCode::CREATED, location, Json(kept)).into_response())
}

/// The bytes of the file in a form.
async fn file(form: &mut Multipart) -> Result<Vec<u8>, Problem> {
    while let Some(field) = within(form.next_field()).await? {
        if field.name() == Some(FIELD) {
            return bytes(field).await;
        }
    }
    Err(Problem::of_fields(
        "No image",
        vec![FieldError::new(
            FIELD,
            &Value::Null,
            "is needed: a field of the form with a PNG, a JPEG or a WebP",
        )],
    ))
}

async fn bytes(mut field: Field<'_>) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(piece) = within(field.chunk()).await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// An uploaded image.
#[utoipa::path(
    get,
    path = "/images/{file}",
    params(("file" = String, Path, description = "Its id with `.png` behind")),
    responses((status = 200, description = "The picture", body = inline(Binary), content_type = "image/png"))
)]
pub async fn show(
    State(app): State<App>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let id = file.strip_suffix(".png").and_then(id);
    let id = id.ok_or_else(|| Error::NotFound(format!("image “{file}”")))?;
    let path = app.images.file(id)?;
    // What has a name never changes.
    let etag = ETag::new(id, Caching::Immutable);
    if let Some(response) = etag.not_modified(&headers) {
        return Ok(response);
    }
    let png = blocking(move || links::read(&path).map_err(|e| Error::file(&path, e))).await?;
    Ok(etag.respond("image/png", png))
}

/// Delete an uploaded image; films keep their own copy.
#[utoipa::path(
    delete,
    path = "/images/{file}",
    params(("file" = String, Path, description = "Its id")),
    responses((status = 204, description = "It is deleted"))
)]
pub async fn delete(State(app): State<App>, Path(file): Path<String>) -> Result<StatusCode> {
    let id = id(&file).ok_or_else(|| Error::NotFound(format!("image “{file}”")))?;
    blocking(move || app.images.remove(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The hyphenated form in small letters alone: one image has one address.
fn id(text: &str) -> Option<Uuid> {
    let id: Uuid = text.parse().ok()?;
    (id.to_string() == text).then_some(id)
}
