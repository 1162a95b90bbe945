//! Accepts connections: bounded in number, in the time that a request's head may take, and in
//! the time that they may take to end when the server stops.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::long_head::Explained;
use crate::panics;

/// Connections at a time. A browser holds a few, a class of thirty a few hundred.
const MOST_CONNECTIONS: usize = 1024;

/// The head of a request comes in one go; who dribbles it holds a connection for nothing.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// What is written ahead of a reader that is slow, and the most that a request's head may hold: the
/// names of some 1,500 runs.
const BUFFER: usize = 64 * 1024;

/// Streams end by themselves; what is not through in this time is cut.
const GOODBYE_WITHIN: Duration = Duration::from_millis(800);

/// Serves `router` on `listener` until `shutdown`.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(BUFFER);
    panics::restart_on_panic("accept connections", || {
        accept(&listener, &router, &http, &graceful, &places, &shutdown)
    })
    .await;
    // Whoever comes now is refused, and does not wait for an answer.
    drop(listener);
    if tokio::time::timeout(GOODBYE_WITHIN, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::debug!("connections were cut at the shutdown");
    }
}

/// Accepts connections until the shutdown, each served by a task of its own.
async fn accept(
    listener: &TcpListener,
    router: &Router,
    http: &http1::Builder,
    graceful: &GracefulShutdown,
    places: &Arc<Semaphore>,
    shutdown: &CancellationToken,
) {
    loop {
        // No place, no accept: the rest waits in the kernel's line.
        let next = async {
            let place = Arc::clone(places).acquire_owned().await.ok()?;
            Some((listener.accept().await, place))
        };
        let Some(Some((accepted, place))) = shutdown.run_until_cancelled(next).await else {
            return;
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, most likely: others will be closed soon.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Events are small and are wanted at once.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection =
            graceful.watch(http.serve_connection(TokioIo::new(Explained::new(stream)), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
}
