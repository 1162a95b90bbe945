//! Looks into networks for the pages: requests are carried out one after the other on one thread, which caches what it
//! has read.
//!
//! * [`InspectThread`]: the thread and its queue.
//! * [`cache`]: networks, recordings, frames and data in memory. `bounded`: the cache of each kind.
//! * [`target`]: the run, and its checkpoints and epochs.
//! * [`progress`]: what the thread is at.
//! * [`image`]: the image.
//! * [`samples`]: the samples of a split, by prediction.
//!
//! Invariants: inference and rendering use one thread of low priority, so training and streams are not slowed down; a
//! request whose client has left is not carried out; memory that is not used for a while is freed.

mod bounded;
pub mod cache;
pub mod image;
pub mod progress;
pub mod samples;
pub mod target;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::oneshot;
use vivarium_models::data::Library;
use vivarium_models::ops::threads;

use crate::error::{Error, Result};
use crate::memory;
use crate::priority::lower_priority;
use cache::InspectCache;
use progress::Progress;

/// The maximum number of queued requests.
const LINE: usize = 64;

/// After this time without a request the caches are emptied.
const IDLE: Duration = Duration::from_secs(10 * 60);

type Job = Box<dyn FnOnce(&mut InspectCache) + Send>;

/// A handle to the thread; clones share it.
#[derive(Clone)]
pub struct InspectThread {
    line: SyncSender<Job>,
    progress: Progress,
}

impl InspectThread {
    /// Starts the thread. Networks in memory take at most `most_bytes`.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(library: Library, most_bytes: u64) -> Result<Self> {
        // Other threads use all cores: the first call sets that number. This thread uses one.
        threads::set_threads(threads::available())?;
        threads::set_threads(1)?;
        let (line, jobs) = sync_channel(LINE);
        let progress = Progress::default();
        let cache = InspectCache::new(library, most_bytes, progress.clone());
        std::thread::Builder::new()
            .name("inside".to_owned())
            .spawn(move || work(&jobs, cache))
            .map_err(|e| Error::system("cannot start a thread", e))?;
        Ok(Self { line, progress })
    }

    /// What the thread is at.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Waits in the queue, then runs `work` with the cache. Dropping the future before that cancels it.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when the queue is full; and the errors of `work`.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut InspectCache) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let request = self.progress.request();
        let job: Job = Box::new(move |cache| {
            let _request = request;
            if answer.is_closed() {
                return;
            }
            let result = catch_unwind(AssertUnwindSafe(|| work(cache)));
            let _ = answer.send(result.unwrap_or_else(|_| {
                tracing::error!("an inspection panicked");
                // The cache may be inconsistent.
                cache.clear();
                Err(Error::Gone("an inspection of a network"))
            }));
        });
        self.line.try_send(job).map_err(|_| {
            Error::Overloaded("Too many networks are being inspected; try again in a moment.")
        })?;
        answered
            .await
            .map_err(|_| Error::Gone("the thread that looks into networks"))?
    }
}

fn work(jobs: &Receiver<Job>, mut cache: InspectCache) {
    lower_priority();
    loop {
        match jobs.recv_timeout(IDLE) {
            Ok(job) => job(&mut cache),
            Err(RecvTimeoutError::Timeout) => {
                cache.clear();
                memory::give_back();
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
