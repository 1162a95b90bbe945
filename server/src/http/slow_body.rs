//! Refuses slow request bodies on all routes: a client that sends a byte every few seconds would occupy an upload slot
//! for as long as it likes.
//!
//! Only the time spent waiting for the client counts, not the time of the handler. A client starts with [`CREDIT`]; the
//! bytes that it sends earn some back at [`LEAST_RATE`]. So a body either arrives within [`CREDIT`] plus its length
//! divided by [`LEAST_RATE`], or is refused.

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

/// The maximum time to wait for a client, and the time before its first byte.
const CREDIT: Duration = Duration::from_secs(30);

/// The minimum rate in bytes per second, less than that of a bad mobile connection.
const LEAST_RATE: u64 = 8 * 1024;

/// Answers 408 to a request whose body is too slow, whatever the handler made of the incomplete body.
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

/// A body that ends with an error when its client's credit is used up.
struct TimedBody {
    body: Body,
    credit: Duration,
    /// Since when the client is awaited, and the timer of its credit.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    too_slow: Arc<AtomicBool>,
}

/// The error that the handler sees.
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
