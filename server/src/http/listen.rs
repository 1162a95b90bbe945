//! Accepts connections. Limits their number, the time for a request's head, and the time to finish when the server
//! stops.

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

/// The maximum number of connections. A browser holds a few, a class of thirty a few hundred.
const MOST_CONNECTIONS: usize = 1024;

/// The time for the head of a request, so that a slow client does not hold a connection for nothing.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// The write buffer for a slow reader, and the maximum size of a request's head: the ids of some 1,500 runs.
const BUFFER: usize = 64 * 1024;

/// Streams end by themselves; other connections are closed after this time.
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
    // New connections are refused instead of waiting.
    drop(listener);
    if tokio::time::timeout(GOODBYE_WITHIN, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::debug!("connections were closed at the shutdown");
    }
}

/// Accepts connections until the shutdown and serves each in a task of its own.
async fn accept(
    listener: &TcpListener,
    router: &Router,
    http: &http1::Builder,
    graceful: &GracefulShutdown,
    places: &Arc<Semaphore>,
    shutdown: &CancellationToken,
) {
    loop {
        // Without a permit nothing is accepted: further connections wait in the kernel's backlog.
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
                // Probably out of file descriptors: others will be closed soon.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Events are small and must be sent immediately.
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
