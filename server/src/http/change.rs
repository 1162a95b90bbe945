//! Requests that change something are completed or not begun.
//!
//! hyper drops the future of a request when its client disconnects, at any await point. A change of several steps would
//! be interrupted between them. So `run_to_completion` and `run_upload` spawn the handler as a task and await it: when
//! the client disconnects, only the waiting ends.
//!
//! Every route that changes something is in one of the two router groups that have these layers. The layer
//! `refuse_writes` of the reading group refuses all methods but GET and HEAD, so a changing route that was put there by
//! mistake does not work at all. A test walks the API's document for the remaining routes.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::problem::{self, Problem};

/// The time within which a small body must arrive. The change itself may take longer.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// The changes in progress; clones share them.
#[derive(Clone, Default)]
pub struct Changes {
    tracker: TaskTracker,
    begun: Arc<AtomicU64>,
}

impl Changes {
    /// The number of changes that were begun since the server started.
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// The number of changes in progress.
    pub fn in_progress(&self) -> usize {
        self.tracker.len()
    }

    /// Waits until no change is in progress. Call it when no more requests are accepted.
    pub async fn finish(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// Answers a request in a task of its own.
    async fn run(&self, request: Request, next: Next) -> Response {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let task = self
            .tracker
            .spawn(AssertUnwindSafe(next.run(request)).catch_unwind());
        match task.await {
            Ok(Ok(response)) => response,
            Ok(Err(panic)) => problem::of_panic(panic),
            // The runtime shuts down, and with it the connection.
            Err(error) => problem::of_panic(Box::new(error.to_string()) as Box<dyn Any + Send>),
        }
    }
}

/// Completes a change whatever its client does. It begins when the whole body has arrived: an incomplete body changes
/// nothing.
pub(super) async fn run_to_completion(
    State(changes): State<Changes>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let incoming = Request::from_parts(parts.clone(), body);
    let body = match tokio::time::timeout(BODY_WITHIN, Bytes::from_request(incoming, &())).await {
        Ok(Ok(bytes)) => Body::from(bytes),
        Ok(Err(error)) => {
            let title = "The body cannot be read";
            return Problem::new(error.status(), title, error.body_text()).into_response();
        }
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    changes.run(Request::from_parts(parts, body), next).await
}

/// Runs an upload in a task of its own, which cleans up when the client disconnects: the body ends with an error, and
/// [`Client::left`] is cancelled.
pub(super) async fn run_upload(
    State(changes): State<Changes>,
    mut request: Request,
    next: Next,
) -> Response {
    let client = Client::default();
    let _waits = client.waits();
    request.extensions_mut().insert(client);
    changes.run(request, next).await
}

/// Whether the client of an upload still waits for the answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Client(CancellationToken);

impl Client {
    /// Dropping the guard means that the client has left.
    fn waits(&self) -> DropGuard {
        self.0.clone().drop_guard()
    }

    /// Whether the client has left.
    pub(super) fn has_left(&self) -> bool {
        self.0.is_cancelled()
    }

    /// A token that is cancelled when the client leaves.
    pub(super) fn left(&self) -> CancellationToken {
        self.0.clone()
    }
}

/// Refuses methods that may change something on a route that only reads.
pub(super) async fn refuse_writes(request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let message = format!(
        "{} {} is among the routes that only read",
        request.method(),
        request.uri().path()
    );
    problem::of_panic(Box::new(message))
}
