//! Workers that are jobs of a Slurm cluster, whose nodes share the data folder at the same path.
//!
//! * `options`: partition, account and the like; `needs`: what a run asks for. `script`: the batch script.
//! * `submission`: what one `sbatch` submits, an array of runs, as a folder on the disk; it is written before the
//!   command is run, so that a server that died in between finds its job by the name. `job_file`: `job.json` of a run.
//! * `commands`: `sbatch`, `squeue`, `sacct` and `scancel`, and what they print. `exit`: how a job ended.
//! * `controller`: one task that runs all commands, one at a time and a few a second at most, however many jobs there
//!   are: launches that come together are submitted together, and one `squeue` tells the state of all jobs. `followed`: a
//!   run whose job it follows, and what is told of it.
//!
//! Slurm's controller may be away at any time: jobs then keep their last state, and everything is retried.

mod commands;
mod controller;
mod exit;
mod followed;
mod job_file;
mod needs;
mod options;
mod script;
mod submission;

use std::path::PathBuf;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot, watch};

use super::{Launcher, State, Worker, local};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::run_dir::RunDir;
use controller::{Controller, Request};
use job_file::JobFile;
use needs::Needs;
pub use options::SlurmOptions;

/// How often a log is read: a file server serves the logs of many runs.
const LOG_INTERVALS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(3));

/// Submits workers to Slurm.
#[derive(Clone, Debug)]
pub struct SlurmLauncher {
    requests: mpsc::UnboundedSender<Request>,
}

impl SlurmLauncher {
    /// A launcher that keeps its submissions in `folder`. Needs a Tokio runtime.
    ///
    /// # Errors
    /// When the submissions of an earlier server cannot be read.
    pub fn start(folder: PathBuf, options: SlurmOptions) -> Result<Self> {
        let mut controller = Controller::new(folder, options);
        controller.learn_submissions()?;
        Ok(Self::of(controller))
    }

    /// A launcher for a single run, which leaves the submissions of others alone. Needs a Tokio runtime.
    pub fn for_one_run(folder: PathBuf, options: SlurmOptions) -> Self {
        Self::of(Controller::new(folder, options))
    }

    fn of(controller: Controller) -> Self {
        let (requests, inbox) = mpsc::unbounded_channel();
        tokio::spawn(controller.run(inbox));
        Self { requests }
    }

    fn send(&self, request: Request) -> Result<()> {
        let ended = |_| Error::Gone("the launcher");
        self.requests.send(request).map_err(ended)
    }

    fn job(&self, dir: &RunDir, states: watch::Receiver<Option<State>>) -> Box<dyn Worker> {
        Box::new(JobWorker {
            launcher: self.clone(),
            dir: dir.path().to_owned(),
            states,
        })
    }
}

impl Launcher for SlurmLauncher {
    fn launch<'a>(&'a self, dir: &'a RunDir) -> BoxFuture<'a, Result<Box<dyn Worker>>> {
        async {
            dir.refuse_links()?;
            let (states, receiver) = watch::channel(None);
            let dir_again = dir.clone();
            let needs = blocking(move || Needs::of(&dir_again)).await?;
            self.send(Request::Submit {
                dir: dir.clone(),
                needs,
                states,
            })?;
            Ok(self.job(dir, receiver))
        }
        .boxed()
    }

    fn adopt<'a>(&'a self, dir: &'a RunDir) -> BoxFuture<'a, Result<Option<Box<dyn Worker>>>> {
        async {
            let path = dir.job_file();
            let file = blocking(move || Ok(JobFile::read(&path))).await?;
            // One that cannot be read says nothing; the submissions do.
            if !file.as_ref().is_some_and(|file| file.ended) {
                let (states, receiver) = watch::channel(None);
                let (answer, known) = oneshot::channel();
                self.send(Request::Adopt {
                    dir: dir.clone(),
                    file,
                    states,
                    answer,
                })?;
                if known.await.unwrap_or(false) {
                    return Ok(Some(self.job(dir, receiver)));
                }
            }
            // A worker of `vivarium train`.
            local::adopt(dir)
        }
        .boxed()
    }

    fn is_scheduler(&self) -> bool {
        true
    }

    fn log_intervals(&self) -> (Duration, Duration) {
        LOG_INTERVALS
    }
}

/// The job of a run.
struct JobWorker {
    launcher: SlurmLauncher,
    dir: PathBuf,
    states: watch::Receiver<Option<State>>,
}

impl JobWorker {
    fn cancel(&self, kill: bool) {
        let dir = self.dir.clone();
        if let Err(error) = self.launcher.send(Request::Cancel { dir, kill }) {
            tracing::error!(%error, "a job could not be cancelled");
        }
    }
}

impl Worker for JobWorker {
    fn state(&mut self) -> BoxFuture<'_, State> {
        async {
            loop {
                if self.states.has_changed().unwrap_or(true)
                    && let Some(state) = self.states.borrow_and_update().clone()
                {
                    return state;
                }
                if self.states.changed().await.is_err() {
                    // The launcher ends with the server.
                    std::future::pending::<()>().await;
                }
                self.states.mark_changed();
            }
        }
        .boxed()
    }

    fn stop(&self) {
        self.cancel(false);
    }

    fn kill(&self) {
        self.cancel(true);
    }
}
