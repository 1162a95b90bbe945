//! Finds a learning rate for settings that are no run yet: in a process of its own, one at a time, told step by step.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::stream::{self, Stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use vivarium_models::graph::Graph;
use vivarium_models::spec::RunSpec;
use vivarium_models::train::{LrFinderStep, LrSuggestion, Plan};

use crate::error::{Error, Result};
use crate::launch::LocalLauncher;

/// The longest search. It aims at half a minute, but reading a large data set takes time too.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(120);

/// How long a request waits for another search.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);

/// The input of `vivarium find-lr`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FindLrRequest {
    pub(crate) spec: RunSpec,
    /// The network, whose text a spec does not have.
    pub(crate) graph: Graph,
    /// The folder of data sets.
    pub(crate) data_sets: PathBuf,
}

/// A line of a search: a step, or as the last one its result.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LrFinderLine {
    /// A training step.
    Step(LrFinderStep),
    /// The result.
    Result(LrSuggestion),
}

/// Searches learning rates. Clones share the turn.
#[derive(Clone, Debug)]
pub struct LrFinder {
    launcher: LocalLauncher,
    data_sets: PathBuf,
    /// Concurrent searches would take each other's cores.
    permit: Arc<Semaphore>,
    shutdown: CancellationToken,
}

impl LrFinder {
    /// A finder whose searches run on this machine with as many threads as a worker, on the data sets in a folder. They
    /// end at a shutdown.
    pub fn new(launcher: LocalLauncher, data_sets: PathBuf, shutdown: CancellationToken) -> Self {
        Self {
            launcher,
            data_sets,
            permit: Arc::new(Semaphore::new(1)),
            shutdown,
        }
    }

    /// Searches a learning rate: lines of JSON, each an [`LrFinderLine`], as they are made. Dropping the stream ends the
    /// search.
    ///
    /// # Errors
    /// [`Error::Busy`] while another search takes long; and when the process cannot be started.
    pub async fn search(
        &self,
        spec: &RunSpec,
        plan: &Plan,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + use<>> {
        let permit = Arc::clone(&self.permit).acquire_owned();
        let Ok(permit) = tokio::time::timeout(QUEUE_TIMEOUT, permit).await else {
            let message = "Another learning rate is being looked for. Try again in a moment.";
            return Err(Error::Busy(message.to_owned()));
        };
        let permit = permit.map_err(|_| Error::Gone("the learning-rate finder"))?;
        let request = FindLrRequest {
            spec: spec.clone(),
            graph: plan.graph.clone(),
            data_sets: self.data_sets.clone(),
        };
        let search = Search::start(&self.launcher, &request, permit).await?;
        let shutdown = self.shutdown.clone();
        Ok(stream::unfold(Some(search), move |search| {
            let shutdown = shutdown.clone();
            async move {
                let mut search = search?;
                let line = tokio::select! {
                    line = search.next() => line,
                    () = shutdown.cancelled() => return None,
                };
                match line {
                    Some(line) => Some((Ok(Bytes::from(line + "\n")), Some(search))),
                    None => search
                        .failure()
                        .await
                        .map(|line| (Ok(Bytes::from(line + "\n")), None)),
                }
            }
        }))
    }
}

/// A process that searches.
struct Search {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    stderr: ChildStderr,
    deadline: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Search {
    async fn start(
        launcher: &LocalLauncher,
        request: &FindLrRequest,
        permit: OwnedSemaphorePermit,
    ) -> Result<Self> {
        let mut child = Command::from(launcher.command())
            .arg("find-lr")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| Error::system("cannot look for a learning rate", e))?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Error::Gone("the search for a learning rate"));
        };
        // A process that has died already does not read this; its status tells why.
        let _ = stdin.write_all(json!(request).to_string().as_bytes()).await;
        Ok(Self {
            child,
            lines: BufReader::new(stdout).lines(),
            stderr,
            deadline: Instant::now() + TIMEOUT,
            _permit: permit,
        })
    }

    /// The next line; `None` at the end, and when the time is over.
    async fn next(&mut self) -> Option<String> {
        let line = tokio::time::timeout_at(self.deadline, self.lines.next_line());
        line.await.ok()?.ok()?
    }

    /// The result of a search that ended without one.
    async fn failure(mut self) -> Option<String> {
        let note = if Instant::now() >= self.deadline {
            format!("There was no result within {} s.", TIMEOUT.as_secs())
        } else {
            let mut fault = String::new();
            let _ = self.stderr.read_to_string(&mut fault).await;
            match self.child.wait().await {
                Ok(status) if status.success() => return None,
                Ok(status) if status.code().is_none() => {
                    "The search was killed, as the system does when memory runs out.".to_owned()
                }
                _ => {
                    let fault = fault.trim().trim_start_matches("vivarium: ");
                    format!("The search failed: {fault}")
                }
            }
        };
        let result = LrFinderLine::Result(LrSuggestion { lr: None, note });
        Some(json!(result).to_string())
    }
}
