//! Starting workers. One small interface, because a cluster's scheduler is a second
//! implementation: it needs a run directory on a shared disk and nothing else from the server.

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

    /// Takes charge of a worker that was started by somebody else and lives still, such as the
    /// server before this one. `None` when no worker lives.
    fn adopt(&self, dir: &RunDir) -> Result<Option<Box<dyn Worker>>>;
}

/// A worker that was started.
pub trait Worker: Send {
    /// Completes when the worker has ended. May be dropped and called again.
    fn ended(&mut self) -> BoxFuture<'_, Exit>;

    /// Asks the worker to finish its step, write a checkpoint and end.
    fn stop(&self);

    /// Ends the worker at once.
    fn kill(&self);
}

/// How a worker ended, as far as the launcher can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It ended by itself with this status.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
    /// It was not this server's child, so nobody knows.
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
