//! Explains refusals of requests whose head is too long. hyper answers such a request by itself, before any handler,
//! with a bare status; this wrapper of a connection replaces that answer by a problem document or a page. All other
//! bytes pass unchanged.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::problem::Problem;

/// The beginnings of the bare answers: the head is too long, or the URL alone is.
const BARE: [&[u8]; 2] = [b"HTTP/1.1 431 ", b"HTTP/1.1 414 "];

/// Bytes of a request that tell whether it is for the API.
const BEGINNING: usize = 64;

/// How long the rest of a long request is read, and how much of it.
const REST_WITHIN: Duration = Duration::from_secs(2);
const MOST_REST: usize = 1024 * 1024;

/// A connection that explains bare refusals of long heads.
pub(super) struct Explained<S> {
    stream: S,
    /// The beginning of the last request.
    asked: Vec<u8>,
    /// Nothing was answered since.
    unanswered: bool,
    /// The explanation that is being sent, and how much of it is written.
    answer: Option<(Vec<u8>, usize)>,
    /// After an explanation: how long the rest of the request is still read, and how much of it.
    rest: Option<(Pin<Box<Sleep>>, usize)>,
}

impl<S> Explained<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            asked: Vec::new(),
            unanswered: false,
            answer: None,
            rest: None,
        }
    }
}

impl<S: AsyncRead + Unpin> Explained<S> {
    /// Reads and discards what the client still sends. Closing a connection with unread bytes resets it, and the answer
    /// may be lost.
    fn drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((until, left)) = &mut self.rest else {
            return Poll::Ready(());
        };
        let mut scratch = [0; 8 * 1024];
        while *left > 0 {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    *left = left.saturating_sub(buffer.filled().len());
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return until.as_mut().poll(cx),
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncWrite + Unpin> Explained<S> {
    /// Writes the explanation in place of `bare`; reports `bare` as written when it is complete.
    fn explain(&mut self, cx: &mut Context<'_>, bare: usize) -> Poll<io::Result<usize>> {
        let asked = &self.asked;
        let (answer, written) = self.answer.get_or_insert_with(|| (words(asked), 0));
        while *written < answer.len() {
            let more = ready!(Pin::new(&mut self.stream).poll_write(cx, &answer[*written..]))?;
            if more == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *written += more;
        }
        self.answer = None;
        self.rest = Some((Box::pin(tokio::time::sleep(REST_WITHIN)), MOST_REST));
        Poll::Ready(Ok(bare))
    }
}

/// Whether an answer is hyper's own: no handler uses these statuses.
fn is_bare(bytes: &[u8]) -> bool {
    BARE.iter().any(|start| bytes.starts_with(start))
}

/// The complete answer to a request with this beginning.
fn words(asked: &[u8]) -> Vec<u8> {
    let detail = "The address or the head of the request is longer than 64 KiB. Name many runs by a selection: \
                  POST /api/v1/selections gives one name to up to 10,000 runs, and /compare, /api/v1/metrics, \
                  /api/v1/statistics, /api/v1/tensorboard and /api/v1/events take it as selection=ID.";
    let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    let problem = Problem::new(status, "Too long an address", detail);
    let asked = String::from_utf8_lossy(asked);
    let path = asked.split(' ').nth(1).unwrap_or_default();
    let response = problem.respond(path);
    let kind = content_type(&response);
    // The body is in memory.
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).now_or_never();
    let body = body.and_then(Result::ok).unwrap_or_default();
    let mut answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(&body);
    answer
}

fn content_type(response: &Response) -> String {
    let kind = response.headers().get(axum::http::header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok());
    kind.unwrap_or("text/plain; charset=utf-8").to_owned()
}

impl<S: AsyncRead + Unpin> AsyncRead for Explained<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let read = &buffer.filled()[before..];
        self.unanswered = true;
        // A long head arrives in several pieces; the first one has the URL.
        if read.starts_with(b"GET ") || read.starts_with(b"POST ") || self.asked.is_empty() {
            self.asked = read[..read.len().min(BEGINNING)].to_vec();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Explained<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.unanswered && is_bare(bytes) {
            return self.explain(cx, bytes.len());
        }
        self.unanswered = false;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.unanswered && slices.first().is_some_and(|first| is_bare(first)) {
            let bare = slices.iter().map(|slice| slice.len()).sum();
            return self.explain(cx, bare);
        }
        self.unanswered = false;
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        self.drain(cx).map(Ok)
    }
}
