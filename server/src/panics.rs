//! Panics are defects; this module contains their effects. Each is logged and counted, and the server continues.
//!
//! * [`catch`]: turns a panic of a future into an error.
//! * [`restart_on_panic`]: restarts a task that the server depends on.
//! * [`log_panics`]: writes every panic to the log; [`panic_count`] counts them.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;

use crate::error::{Error, Result};

/// The pause before a task is restarted: one that panics immediately must not occupy a core.
const PAUSE: Duration = Duration::from_millis(200);

static PANICS: AtomicU64 = AtomicU64::new(0);

/// The number of panics since [`log_panics`], including caught ones.
pub(crate) fn panic_count() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// From now on panics are written to the log instead of standard error.
pub(crate) fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        let place = panic.location().map(ToString::to_string);
        let backtrace = Backtrace::capture();
        let captured = backtrace.status() == BacktraceStatus::Captured;
        tracing::error!(
            thread = std::thread::current().name().unwrap_or("unnamed"),
            place,
            backtrace = captured.then(|| tracing::field::display(&backtrace)),
            "panic: {}",
            message(panic.payload())
        );
    }));
}

/// The message of a panic.
pub(crate) fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}

/// Awaits a future; a panic becomes [`Error::Panic`].
pub(crate) async fn catch<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Err(Error::Panic(message(&*panic).to_owned())))
}

/// Like [`catch`], for a function.
pub(crate) fn catch_sync<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    panic::catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(Error::Panic(message(&*panic).to_owned())))
}

/// Runs a task to its end, and restarts it when it panics.
pub(crate) async fn restart_on_panic<F: Future<Output = ()>>(name: &str, task: impl Fn() -> F) {
    while AssertUnwindSafe(async { task().await })
        .catch_unwind()
        .await
        .is_err()
    {
        tracing::error!(task = name, "the task panicked and is restarted");
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_started_again_until_it_ends() {
        let starts = AtomicU64::new(0);
        restart_on_panic("test", || async {
            assert_eq!(starts.fetch_add(1, Ordering::Relaxed), 2, "a fault");
        })
        .await;
        assert_eq!(starts.into_inner(), 3);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_with_its_message() {
        let failed: Result<()> = catch(async { panic!("number {}", 7) }).await;
        assert!(failed.unwrap_err().to_string().contains("number 7"));
        let failed: Result<()> = catch_sync(|| panic!("in short"));
        assert!(failed.unwrap_err().to_string().contains("in short"));
        assert_eq!(catch(async { Ok(7) }).await.unwrap(), 7);
    }
}
