//! Launchers start workers, and tell what becomes of them. A launcher needs a run directory and nothing else from the
//! server.
//!
//! * [`LocalLauncher`]: processes of this machine.
//! * [`SlurmLauncher`]: jobs of a Slurm cluster, whose nodes share the data folder.
//! * `state`: what a launcher tells of a worker. `remote`: a worker of another machine, known by its heartbeat.

mod local;
mod remote;
pub mod slurm;
mod state;

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::error::Result;
use crate::run_dir::RunDir;

#[cfg(test)]
pub(crate) use local::LOG_INTERVAL;
pub use local::LocalLauncher;
pub use slurm::SlurmLauncher;
pub use state::{Exit, State};

/// Starts workers for run directories.
pub trait Launcher: Send + Sync {
    /// Starts a worker for the run in `dir`, or hands it to a scheduler, which starts one later.
    fn launch<'a>(&'a self, dir: &'a RunDir) -> BoxFuture<'a, Result<Box<dyn Worker>>>;

    /// Adopts a worker that another process started, such as an earlier server, or a job that waits for one. `None` if
    /// there is neither.
    fn adopt<'a>(&'a self, dir: &'a RunDir) -> BoxFuture<'a, Result<Option<Box<dyn Worker>>>>;

    /// Whether workers are jobs of a scheduler: they wait in its queue, and they stay when the server ends.
    fn is_scheduler(&self) -> bool;

    /// How often the log of a run is read: after the shorter pause while it grows, at last after the longer one.
    fn log_intervals(&self) -> (Duration, Duration);
}

/// A worker, or the job of one.
pub trait Worker: Send {
    /// Completes with the next state: at the first call with the present one, then when it changes. Cancel safe.
    fn state(&mut self) -> BoxFuture<'_, State>;

    /// Asks the worker to finish its step, write a checkpoint and exit. A job that waits is cancelled.
    fn stop(&self);

    /// Kills the worker.
    fn kill(&self);
}
