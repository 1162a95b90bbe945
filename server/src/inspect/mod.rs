//! Looking into networks, for the pages: work is done one after the other on one thread, which keeps what it
//! has read while there is room.
//!
//! * [`InspectThread`]: the thread, and the line before it.
//! * [`cache`]: what it has in memory: networks, recordings, frames, data. `bounded`: the last few of something.
//! * [`target`]: which run, which of its checkpoints or epochs.
//! * [`image`]: which image.
//! * [`samples`]: the samples of a split, by what became of them.
//!
//! What always holds: inference and drawing have one thread of low priority, so that training and streams have theirs;
//! who gives up waiting costs nothing more; what nobody has looked at for a while is given back.

mod bounded;
pub mod cache;
pub mod image;
pub mod samples;
pub mod target;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::oneshot;
use vivarium_models::data::Library;
use vivarium_models::ops::threads;

use crate::blocking::lower_priority;
use crate::error::{Error, Result};
use crate::memory;
use cache::InspectCache;

/// Requests that may wait.
const LINE: usize = 64;

/// What nobody has looked at for so long is given back.
const IDLE: Duration = Duration::from_secs(10 * 60);

type Job = Box<dyn FnOnce(&mut InspectCache) + Send>;

/// Looks into networks. Clones share the thread.
#[derive(Clone)]
pub struct InspectThread {
    line: SyncSender<Job>,
}

impl InspectThread {
    /// Starts the thread. Networks in memory take so many bytes at most.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(library: Library, most_bytes: u64) -> Result<Self> {
        // Imports of images go on with all threads there are: the first call says how many those are. Inference has one.
        threads::set_threads(threads::available())?;
        threads::set_threads(1)?;
        let (line, jobs) = sync_channel(LINE);
        std::thread::Builder::new()
            .name("inside".to_owned())
            .spawn(move || work(&jobs, InspectCache::new(library, most_bytes)))
            .map_err(|e| Error::system("cannot start a thread", e))?;
        Ok(Self { line })
    }

    /// Waits for its turn, then works with the cache. When the future is dropped before that, nothing is done.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when too many wait already; and what the work fails with.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut InspectCache) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |cache| {
            if answer.is_closed() {
                return;
            }
            let result = catch_unwind(AssertUnwindSafe(|| work(cache)));
            let _ = answer.send(result.unwrap_or_else(|_| {
                tracing::error!("a look inside panicked");
                // Nobody knows what it left behind.
                cache.clear();
                Err(Error::Gone("a look inside a network"))
            }));
        });
        self.line.try_send(job).map_err(|_| {
            Error::Overloaded("Many look inside networks just now; try again in a moment.")
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
