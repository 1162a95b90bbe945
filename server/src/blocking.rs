//! Work outside the async threads.

use crate::error::{Error, Result};
use crate::panics::catch_sync;

/// Runs work that reads disks or computes on Tokio's blocking threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(|| catch_sync(work))
        .await
        .map_err(|_| Error::Gone("a piece of work"))?
}

/// Runs work on a thread of its own, which a shutdown does not wait for.
pub(crate) async fn on_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            // The caller may be gone.
            let _ = sender.send(catch_sync(work));
        })
        .map_err(|e| Error::system("cannot start a thread", e))?;
    receiver
        .await
        .map_err(|_| Error::Gone("a piece of work on a thread"))?
}
