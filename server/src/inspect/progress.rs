//! What the thread that looks into networks is at, for pages that wait for it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use utoipa::ToSchema;

use crate::run_dir::RunId;

/// What the thread is at; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Requests that wait or are carried out.
    requests: AtomicUsize,
    reading: Mutex<Option<Reading>>,
}

/// Weights that are being read.
#[derive(Clone, Copy, Debug)]
struct Reading {
    run: RunId,
    done: u64,
    of: u64,
}

/// What a page about a run waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct InspectProgress {
    /// Requests to look into networks that wait or are carried out, of all runs.
    pub requests: usize,
    /// The weights of this run that are being read; `null` where none are.
    pub reading: Option<BytesRead>,
}

/// How much of a file is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BytesRead {
    /// Bytes that are read.
    pub done: u64,
    /// Bytes of the file.
    pub of: u64,
}

impl Progress {
    /// A request has come, until what this returns is dropped.
    pub(super) fn request(&self) -> Request {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        Request(self.clone())
    }

    /// The weights of a run are read, until what this returns is dropped.
    pub(super) fn read(&self, run: RunId) -> ReadingWeights {
        let progress = self.clone();
        ReadingWeights { progress, run }
    }

    /// What a page about a run waits for.
    pub fn of_run(&self, run: RunId) -> InspectProgress {
        let reading = *self
            .0
            .reading
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let own = reading.filter(|reading| reading.run == run);
        InspectProgress {
            requests: self.0.requests.load(Ordering::Relaxed),
            reading: own.map(|Reading { done, of, .. }| BytesRead { done, of }),
        }
    }

    fn set(&self, reading: Option<Reading>) {
        *self
            .0
            .reading
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = reading;
    }
}

/// A request that waits or is carried out.
pub(super) struct Request(Progress);

impl Drop for Request {
    fn drop(&mut self) {
        self.0.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Weights that are being read.
pub(super) struct ReadingWeights {
    progress: Progress,
    run: RunId,
}

impl ReadingWeights {
    /// Tells how many bytes of how many are read.
    pub(super) fn tell(&self, done: u64, of: u64) {
        let run = self.run;
        self.progress.set(Some(Reading { run, done, of }));
    }
}

impl Drop for ReadingWeights {
    fn drop(&mut self) {
        self.progress.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_told_of_the_weights_of_its_own_run_while_they_are_read() {
        let progress = Progress::default();
        let (own, other) = (RunId::next(), RunId::next());
        let request = progress.request();
        let reading = progress.read(own);
        reading.tell(3, 8);
        let told = progress.of_run(own);
        assert_eq!(told.reading, Some(BytesRead { done: 3, of: 8 }));
        assert_eq!(told.requests, 1);
        assert_eq!(progress.of_run(other).reading, None);
        drop(reading);
        assert_eq!(progress.of_run(own).reading, None);
        drop(request);
        assert_eq!(progress.of_run(own).requests, 0);
    }
}
