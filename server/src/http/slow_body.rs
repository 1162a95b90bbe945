//! Bodies that come too slowly, on every route: a client that sends a byte every few seconds would
//! hold a place among the uploads for as long as it likes.
//!
//! Only time that is spent waiting for the client counts, not the time in which a handler does
//! something else. A client has [`CREDIT`] of it; what it sends earns some back at [`LEAST_RATE`].
//! So a body of any length is through in [`CREDIT`] and its length by [`LEAST_RATE`], or is refused.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::problem::Problem;

/// How long a client may be waited for before it has sent anything, and at most.
const CREDIT: Duration = Duration::from_secs(30);

/// Bytes in a second that are not too slow: a bad mobile connection has more.
const LEAST_RATE: u64 = 8 * 1024;

/// Refuses a request whose body comes too slowly: 408, whatever the handler made of the cut body.
pub(super) async fn refuse(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let too_slow = Arc::new(AtomicBool::new(false));
    let body = TimedBody {
        body,
        credit: CREDIT,
        waiting: None,
        too_slow: Arc::clone(&too_slow),
    };
    let response = next.run(Request::from_parts(parts, Body::new(body))).await;
    if too_slow.load(Ordering::Relaxed) && !response.status().is_success() {
        let detail = format!(
            "The body comes too slowly: less than {} KiB in a second, for {} s.",
            LEAST_RATE >> 10,
            CREDIT.as_secs()
        );
        return Problem::new(StatusCode::REQUEST_TIMEOUT, "Too slow", detail).into_response();
    }
    response
}

/// A body that ends with an error when its client has no credit left.
struct TimedBody {
    body: Body,
    credit: Duration,
    /// Since when the client is waited for, and until when it may be.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    too_slow: Arc<AtomicBool>,
}

/// What the handler sees.
#[derive(Debug, thiserror::Error)]
#[error("the body comes too slowly")]
struct TooSlow;

impl TimedBody {
    fn earn(&mut self, bytes: usize) {
        if let Some((since, _)) = self.waiting.take() {
            self.credit = self.credit.saturating_sub(since.elapsed());
        }
        let earned = Duration::from_secs_f64(bytes as f64 / LEAST_RATE as f64);
        self.credit = (self.credit + earned).min(CREDIT);
    }
}

impl HttpBody for TimedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.too_slow.load(Ordering::Relaxed) {
            return Poll::Ready(None);
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            if let Some(Ok(frame)) = &frame {
                self.earn(frame.data_ref().map_or(0, Bytes::len));
            }
            return Poll::Ready(frame);
        }
        let credit = self.credit;
        let (_, until) = self
            .waiting
            .get_or_insert_with(|| (Instant::now(), Box::pin(sleep(credit))));
        ready!(until.as_mut().poll(context));
        self.too_slow.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new(TooSlow))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
