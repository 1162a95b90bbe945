//! A worker of another machine that shares the data folder, without a scheduler that this server could ask.

use std::path::PathBuf;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Exit, State, Worker};
use crate::run_dir::lock::{Holder, Sign, WATCH_INTERVAL, Watch};

/// A worker that is known by the heartbeat in its lock.
pub(super) struct RemoteWorker {
    host: String,
    watch: Watch,
    is_told: bool,
}

impl RemoteWorker {
    /// The worker that holds the lock at `path` on another machine, if it has not let go: whether it lives is seen by
    /// watching it.
    pub(super) fn of(path: PathBuf) -> Option<Self> {
        let holder = Holder::read(&path)?;
        if !holder.is_elsewhere() {
            return None;
        }
        Some(Self {
            host: holder.host?,
            watch: Watch::begin(path),
            is_told: false,
        })
    }

    fn cannot_be_signalled(&self) {
        tracing::warn!(
            host = self.host,
            "the worker is on another machine: end it there"
        );
    }
}

impl Worker for RemoteWorker {
    fn state(&mut self) -> BoxFuture<'_, State> {
        async {
            if !std::mem::replace(&mut self.is_told, true) {
                return State::Running(None);
            }
            loop {
                tokio::time::sleep(WATCH_INTERVAL).await;
                match self.watch.look() {
                    Sign::Alive | Sign::Quiet => {}
                    Sign::Dead => return State::Ended(Exit::NodeFailed),
                    Sign::Released => return State::Ended(Exit::Unknown),
                }
            }
        }
        .boxed()
    }

    fn stop(&self) {
        self.cannot_be_signalled();
    }

    fn kill(&self) {
        self.cannot_be_signalled();
    }
}
