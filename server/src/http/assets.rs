//! The files of `static/` and `frontend/` over HTTP.

use axum::extract::Path;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use rust_embed::EmbeddedFile;

use super::etag::{Caching, ETag};
use super::problem::{self, Problem};
use crate::assets;

/// A file of `static/`.
pub async fn static_file(
    Path(path): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    serve(&path, assets::static_file(&path), &headers, uri).await
}

/// A module of `frontend/`.
pub async fn frontend_file(
    Path(path): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    serve(&path, assets::frontend_file(&path), &headers, uri).await
}

/// Requested by browsers on their own.
pub async fn favicon(headers: HeaderMap, uri: Uri) -> Result<Response, Problem> {
    serve(
        "favicon.svg",
        assets::static_file("icons/favicon.svg"),
        &headers,
        uri,
    )
    .await
}

async fn serve(
    path: &str,
    file: Option<EmbeddedFile>,
    headers: &HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let Some(file) = file else {
        return Err(problem::no_such_page(uri).await);
    };
    let hash = hex::encode(&file.metadata.sha256_hash()[..16]);
    // A new version shows at the next reload.
    let etag = ETag::new(hash, Caching::Revalidate);
    if let Some(response) = etag.not_modified(headers) {
        return Ok(response);
    }
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    Ok(etag.respond(kind.essence_str(), file.data))
}
