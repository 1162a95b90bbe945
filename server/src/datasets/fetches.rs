//! Downloads of known data sets that users start from the browser.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use vivarium_models::data::Library;

use crate::error::{Error, Result};
use crate::fetch::sources::SOURCES;
use crate::fetch::{Fetch, Progress};
use crate::panics::catch_sync;

/// The downloads that are running, and those that failed.
pub struct Fetches {
    fetch: Fetch,
    shutdown: CancellationToken,
    fetches: Arc<Mutex<FetchMap>>,
}

/// The downloads by data set.
type FetchMap = HashMap<&'static str, FetchEntry>;

struct FetchEntry {
    state: FetchState,
    stop: CancellationToken,
}

/// The state of a download.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct FetchState {
    /// Whether it is running.
    pub active: bool,
    /// Bytes received.
    pub done: u64,
    /// Bytes in all; 0 while unknown.
    pub of: u64,
    /// Why it failed; empty while it is running.
    pub message: String,
}

impl Fetches {
    pub(super) fn new(
        library: Library,
        folder: PathBuf,
        mirror: Option<String>,
        shutdown: CancellationToken,
    ) -> Self {
        let fetch = Fetch {
            library,
            folder,
            mirror,
            replace: false,
        };
        Self {
            fetch,
            shutdown,
            fetches: Arc::default(),
        }
    }

    /// Whether a set can be downloaded.
    pub fn can_fetch(set: &str) -> bool {
        SOURCES.iter().any(|source| source.set == set)
    }

    /// The size of a download in bytes, about; `None` for sets that cannot be downloaded.
    pub fn size(set: &str) -> Option<u64> {
        let source = SOURCES.iter().find(|source| source.set == set)?;
        Some(source.files.iter().map(|file| file.bytes).sum())
    }

    /// The state of a download; `None` if there was none, or it is complete.
    pub fn state(&self, set: &str) -> Option<FetchState> {
        self.fetches().get(set).map(|entry| entry.state.clone())
    }

    /// Starts to download a set.
    ///
    /// # Errors
    /// [`Error::NotFound`] for sets that cannot be downloaded, [`Error::Conflict`] when the set exists or is being
    /// downloaded.
    pub fn begin(&self, set: &str) -> Result<()> {
        let Some(source) = SOURCES.iter().find(|source| source.set == set) else {
            return Err(Error::NotFound(format!("data set “{set}” to fetch")));
        };
        let set = source.set;
        if self.fetch.library.check_name(set, false).is_err() {
            return Err(Error::Conflict("The set exists already.".to_owned()));
        }
        let stop = self.shutdown.child_token();
        let mut fetches = self.fetches();
        if fetches.get(set).is_some_and(|entry| entry.state.active) {
            return Err(Error::Conflict(
                "The set is being downloaded already.".to_owned(),
            ));
        }
        let state = FetchState {
            active: true,
            ..FetchState::default()
        };
        fetches.insert(
            set,
            FetchEntry {
                state,
                stop: stop.clone(),
            },
        );
        drop(fetches);
        let (fetch, all) = (self.fetch.clone(), Arc::clone(&self.fetches));
        let work = move || {
            let mut told = |Progress { done, of, .. }| {
                if let Some(entry) = lock(&all).get_mut(set) {
                    (entry.state.done, entry.state.of) = (done, of);
                }
                !stop.is_cancelled()
            };
            // Even a panic must end the download's state.
            let result = catch_sync(|| fetch.run(set, &mut told));
            match result {
                Ok(_) => {
                    lock(&all).remove(set);
                }
                Err(error) if stop.is_cancelled() => {
                    tracing::info!(set, %error, "a fetch was stopped");
                    lock(&all).remove(set);
                }
                Err(error) => {
                    tracing::warn!(set, %error, "a data set could not be fetched");
                    if let Some(entry) = lock(&all).get_mut(set) {
                        (entry.state.active, entry.state.message) = (false, error.to_string());
                    }
                }
            }
        };
        // A thread of its own: a shutdown does not wait for a remote server.
        let thread = std::thread::Builder::new()
            .name(format!("fetch {set}"))
            .spawn(work);
        thread.map(drop).map_err(|e| {
            self.fetches().remove(set);
            Error::system("cannot start a thread", e)
        })
    }

    /// Stops a download. The received part stays, and the next download resumes it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no download.
    pub fn stop(&self, set: &str) -> Result<()> {
        let mut fetches = self.fetches();
        match fetches.get(set) {
            None => Err(Error::NotFound(format!("fetch of “{set}”"))),
            Some(fetch) if fetch.state.active => {
                fetch.stop.cancel();
                Ok(())
            }
            Some(_) => {
                fetches.remove(set);
                Ok(())
            }
        }
    }

    fn fetches(&self) -> MutexGuard<'_, FetchMap> {
        lock(&self.fetches)
    }
}

fn lock(fetches: &Mutex<FetchMap>) -> MutexGuard<'_, FetchMap> {
    fetches.lock().unwrap_or_else(PoisonError::into_inner)
}
