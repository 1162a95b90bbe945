//! Launchers start workers. The interface is small, because a cluster's scheduler will be a second implementation: it
//! needs a run directory on a shared disk and nothing else from the server.

mod local;

use std::fmt;

use futures_util::future::BoxFuture;

use crate::error::Result;
use crate::run_dir::RunDir;

pub use local::LocalLauncher;

/// Starts a worker for a run directory.
pub trait Launcher: Send + Sync {
    /// Starts a worker for the run in `dir`.
    fn launch(&self, dir: &RunDir) -> Result<Box<dyn Worker>>;

    /// Adopts a running worker that another process started, such as an earlier server. `None` if there is no running
    /// worker.
    fn adopt(&self, dir: &RunDir) -> Result<Option<Box<dyn Worker>>>;
}

/// A running worker.
pub trait Worker: Send {
    /// Completes when the worker has ended. Cancel safe.
    fn ended(&mut self) -> BoxFuture<'_, Exit>;

    /// Asks the worker to finish its step, write a checkpoint and exit.
    fn stop(&self);

    /// Kills the worker.
    fn kill(&self);
}

/// How a worker ended, as far as the launcher knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this status.
    Code(i32),
    /// A signal killed it.
    Signal(i32),
    /// Unknown: it was not this server's child.
    Unknown,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Code(code) => write!(f, "The worker ended with status {code}."),
            Self::Signal(signal) => {
                let name = signal_hook::low_level::signal_name(signal).unwrap_or("unnamed");
                write!(f, "The worker was killed by signal {signal} ({name}).")?;
                if signal == signal_hook::consts::SIGKILL {
                    write!(f, " When nobody sent it, the system ran out of memory.")?;
                }
                Ok(())
            }
            Self::Unknown => write!(
                f,
                "The worker disappeared without a final event. It was started by an earlier server, so how it ended is not known."
            ),
        }
    }
}
