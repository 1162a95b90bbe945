//! Files that are received in pieces.

use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tokio::io::AsyncWriteExt as _;

use super::problem::Problem;
use crate::error::Error;

/// A form with files. Unlike axum's own extractor it says what the body must be.
pub struct Form(pub Multipart);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let form = Multipart::from_request(request, state).await;
        form.map(Self).map_err(|rejection| {
            let detail = "The body must be multipart/form-data, with its boundary in the Content-Type, as `curl -F` and \
                          browsers send forms.";
            Problem::new(rejection.status(), "Not a form", detail)
        })
    }
}

/// The maximum pause of an upload.
const STALLED: Duration = Duration::from_secs(30);

/// Waits for the next piece of an upload, within the maximum pause.
pub(super) async fn within<T>(
    next: impl Future<Output = Result<T, MultipartError>>,
) -> Result<T, Problem> {
    match tokio::time::timeout(STALLED, next).await {
        Ok(Ok(next)) => Ok(next),
        Ok(Err(error)) => Err(Problem::new(
            error.status(),
            "The upload cannot be read",
            error.body_text(),
        )),
        Err(_) => {
            let detail = format!("Nothing was received for {} seconds.", STALLED.as_secs());
            Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "Too slow",
                detail,
            ))
        }
    }
}

/// Writes a file of a form to disk as it arrives.
pub(super) async fn receive(mut field: Field<'_>, path: &Path) -> Result<(), Problem> {
    let failed = |e| Problem::from(Error::file(path, e));
    let mut file = tokio::fs::File::create(path).await.map_err(failed)?;
    while let Some(bytes) = within(field.chunk()).await? {
        file.write_all(&bytes).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)
}

/// A file's name as it is shown: no path, nothing that cannot be seen, not too long.
pub(super) fn plain_file_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    if name.is_empty() {
        "upload".to_owned()
    } else {
        name
    }
}

/// How much of a refused upload is still read, and how long.
const REST_BYTES: usize = 64 << 20;
const REST_WITHIN: Duration = Duration::from_secs(10);

/// Reads the rest of a refused upload, within limits.
///
/// Closing a connection with unread bytes resets it, and the refusal may be lost: the client would learn that something
/// failed, but not what is allowed.
pub(super) async fn drain_refused(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let shared = Shared(Arc::new(Mutex::new(body)));
    let body = Body::new(shared.clone());
    let response = next.run(Request::from_parts(parts, body)).await;
    if !response.status().is_success() && !shared.is_end_stream() {
        tokio::spawn(tokio::time::timeout(REST_WITHIN, discard(shared)));
    }
    response
}

async fn discard(mut body: Shared) {
    let mut read = 0;
    while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > REST_BYTES {
            return;
        }
    }
}

/// A body that outlives its reader.
#[derive(Clone)]
struct Shared(Arc<Mutex<Body>>);

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Pin::new(&mut *body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .size_hint()
    }
}
