//! Work beside the async threads.

use crate::error::{Error, Result};
use crate::panics::catch_sync;

/// How much a thread yields to workers and to the async threads, 0 to 19.
const NICE: i32 = 5;

/// Does what reads disks or computes on one of the threads that are there for that.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(|| catch_sync(work))
        .await
        .map_err(|_| Error::Gone("a piece of work"))?
}

/// Works on a thread of its own, which a shutdown does not wait for.
pub(crate) async fn on_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            // Whoever asked may be gone; then nobody wants to know.
            let _ = sender.send(catch_sync(work));
        })
        .map_err(|e| Error::system("cannot start a thread", e))?;
    receiver
        .await
        .map_err(|_| Error::Gone("a piece of work on a thread"))?
}

/// Lets the calling thread have its turn behind those that train and those that answer. Best effort: only on Linux is
/// the priority a thread's and not the process's.
pub(crate) fn lower_priority() {
    if cfg!(target_os = "linux") {
        let _ = rustix::process::setpriority_process(None, NICE);
    }
}
