//! The files of `static/` and `frontend/`, embedded in the binary.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use rust_embed::{Embed, EmbeddedFile};
use sha2::{Digest as _, Sha256};

use super::etag::{Caching, ETag};
use super::problem::{self, Problem};

#[derive(Embed)]
#[folder = "../static/"]
struct Static;

/// Browser code: the modules, without tests and tools.
#[derive(Embed)]
#[folder = "../frontend/"]
#[include = "*.js"]
#[exclude = "node_modules/*"]
#[exclude = "tests/*"]
#[exclude = "*.config.js"]
struct Frontend;

/// A file of `static/`.
pub async fn static_file(
    Path(path): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    serve(&path, Static::get(&path), &headers, uri).await
}

/// A module of `frontend/`.
pub async fn frontend_file(
    Path(path): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    serve(&path, Frontend::get(&path), &headers, uri).await
}

/// The source of a module of `frontend/`, or of one of `static/` with its prefix.
pub(super) fn module(path: &str) -> Option<String> {
    let file = match path.strip_prefix("static/") {
        Some(path) => Static::get(path),
        None => Frontend::get(path),
    };
    String::from_utf8(file?.data.into_owned()).ok()
}

/// A hash of the browser code: only tabs with the same code share a worker.
pub(super) fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let mut names: Vec<_> = Frontend::iter().collect();
        names.sort_unstable();
        let mut hash = Sha256::new();
        for name in names {
            hash.update(name.as_bytes());
            if let Some(file) = Frontend::get(&name) {
                hash.update(file.metadata.sha256_hash());
            }
        }
        let hash = hash.finalize();
        hex::encode(&hash[..8])
    });
    &VERSION
}

/// Requested by browsers on their own.
pub async fn favicon(headers: HeaderMap, uri: Uri) -> Result<Response, Problem> {
    serve(
        "favicon.svg",
        Static::get("icons/favicon.svg"),
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
