//! Looking inside a run's network.
//!
//! | module | what it is |
//! |---|---|
//! | here | the parts that all requests and responses share |
//! | [`params`], `query` | query parameters: reading and describing them |
//! | [`layers`] | the list of layers |
//! | [`sheets`] | pictures of weights and activations, and their numbers |
//! | `difference` | what changed in a picture between two moments of training |
//! | [`pixel`] | the arithmetic of one value, and its gradient |
//! | [`window`] | a layer's window at all positions |
//! | [`predictions`] | class scores, saliency, the image itself |
//! | [`samples`] | the samples in a cell of a confusion matrix |
//! | [`film`] | frames of the film, and the image that they follow |

mod difference;
pub mod film;
pub mod layers;
pub mod params;
pub mod pixel;
pub mod predictions;
mod query;
pub mod samples;
pub mod sheets;
pub mod window;

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::run_id;
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::etag::{Caching, ETag};
use crate::inspect::cache::InspectCache;
use crate::inspect::image::{ImageRef, ResolvedImage};
use crate::inspect::target::{InspectTarget, Snapshot};
use params::Params;

const PNG: &str = "image/png";
const JSON: &str = "application/json";

/// A request to look inside a run's network.
pub struct InspectRequest {
    app: App,
    target: Arc<InspectTarget>,
    /// The segments of the path that have names.
    path: HashMap<String, String>,
    params: Params,
    /// The whole address.
    uri: String,
    headers: HeaderMap,
}

impl FromRequestParts<App> for InspectRequest {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let wrong =
            |what: &str| Error::BadRequest(format!("The address has no {what} that can be read."));
        let path = Path::<HashMap<String, String>>::from_request_parts(parts, app).await;
        let Path(path) = path.map_err(|_| wrong("path"))?;
        let query = Query::<Vec<(String, String)>>::from_request_parts(parts, app).await;
        let Query(query) = query.map_err(|_| wrong("query"))?;
        let id = run_id(path.get("id").map_or("", String::as_str))?;
        let target = InspectTarget::load(&app.index, id, app.supervisor.run_dir(id)).await?;
        Ok(Self {
            app: app.clone(),
            target: Arc::new(target),
            path,
            params: Params::new(query),
            uri: parts.uri.to_string(),
            headers: parts.headers.clone(),
        })
    }
}

/// What is looked at.
struct View {
    snapshot: Snapshot,
    image: ResolvedImage,
    /// The image as the request named it.
    named: String,
}

impl InspectRequest {
    /// The layer that the path names.
    fn layer(&self) -> String {
        self.path.get("layer").cloned().unwrap_or_default()
    }

    /// The checkpoint and the image that the request names.
    async fn view(&self) -> Result<View> {
        let (target, app) = (Arc::clone(&self.target), self.app.clone());
        let checkpoint = self.params.text("checkpoint").map(str::to_owned);
        let named = self.params.text("image").unwrap_or("pinned").to_owned();
        blocking(move || {
            let image = ImageRef::parse(&named)?;
            let snapshot = target.snapshot(checkpoint.as_deref())?;
            if matches!(snapshot, Snapshot::Frame(_)) && image != ImageRef::Pinned {
                let message = "must be “pinned” for an epoch of the film, which follows one image";
                return Err(Error::field("image", named, message));
            }
            Ok(View {
                snapshot,
                image: image.find(&app.images, target.id)?,
                named,
            })
        })
        .await
    }

    /// Answers with what the thread that looks into networks makes of the request; or with nothing, where the browser
    /// has it already. `version` is all that the answer depends on beside the address.
    async fn answer(
        &self,
        kind: &'static str,
        version: &[&str],
        caching: Caching,
        work: impl FnOnce(&mut InspectCache, &InspectTarget) -> Result<Vec<u8>> + Send + 'static,
    ) -> Result<Response> {
        let mut hash = Sha256::new();
        for part in [env!("CARGO_PKG_VERSION"), &self.uri].iter().chain(version) {
            hash.update(part);
            hash.update([0]);
        }
        let etag = ETag::new(hex::encode(&hash.finalize()[..16]), caching);
        if let Some(response) = etag.not_modified(&self.headers) {
            return Ok(response);
        }
        let target = Arc::clone(&self.target);
        let body = self
            .app
            .inspector
            .run(move |cache| work(cache, &target))
            .await?;
        Ok(etag.respond(kind, body))
    }

    /// A frame that is requested under its version (`v`) never changes.
    fn caching_of_frame(&self, version: &str) -> Caching {
        match self.params.text("v") == Some(version) {
            true => Caching::Immutable,
            false => Caching::Revalidate,
        }
    }

    /// Answers with what the thread makes of a view.
    async fn show(
        &self,
        kind: &'static str,
        view: View,
        work: impl FnOnce(&mut InspectCache, &InspectTarget, &View) -> Result<Vec<u8>> + Send + 'static,
    ) -> Result<Response> {
        let (version, image) = (view.snapshot.version().to_owned(), view.image.key());
        let named = view.snapshot.name().to_string();
        let film = matches!(view.snapshot, Snapshot::Frame(_));
        let caching = match film {
            true => self.caching_of_frame(&version),
            false => Caching::Revalidate,
        };
        // A frame knows of no other image than its own.
        let image = if film { "" } else { &image };
        let work =
            move |cache: &mut InspectCache, target: &InspectTarget| work(cache, target, &view);
        self.answer(kind, &[&named, &version, image], caching, work)
            .await
    }
}

/// As the body of an answer.
fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::json("an answer", e))
}
