//! The data loader: makes the batches of a run in the background, in the order of training.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use crate::data::{AugmentParams, Augmentation, Samples};
use crate::error::{Error, Result};
use crate::random::Key;

/// Batches that are made ahead. One would do if all steps took equally long; the second evens out short steps.
const AHEAD: usize = 2;

/// Batches of up to this many values are made on the calling thread: sending them between threads would take longer.
const AT_ONCE: usize = 1 << 14;

/// The number of batches in memory besides that of the current step: those that wait, and the one being made.
pub(super) fn batches_ahead(values: u64) -> u64 {
    if values <= AT_ONCE as u64 {
        0
    } else {
        AHEAD as u64 + 1
    }
}

/// The samples of a step.
pub(super) struct Batch {
    pub(super) values: Vec<f32>,
    pub(super) targets: Vec<u32>,
}

/// The data and settings of the batches.
#[derive(Clone)]
pub(super) struct LoaderConfig {
    pub(super) samples: Samples,
    pub(super) augmentation: Augmentation,
    pub(super) seed: u64,
    pub(super) batch_size: usize,
    /// The last epoch, from 1.
    pub(super) epochs: u64,
}

impl LoaderConfig {
    /// Batches of an epoch, including a short last one.
    pub(super) fn batches(&self) -> u64 {
        self.samples.len().div_ceil(self.batch_size) as u64
    }
}

/// Gives the batches of a run in order. They depend only on the configuration, not on the thread that makes them.
pub(super) struct DataLoader(Mode);

enum Mode {
    Here(Batches),
    Ahead {
        /// `None` when the thread is to end.
        batches: Option<Receiver<Result<Batch>>>,
        thread: Option<JoinHandle<()>>,
    },
}

impl DataLoader {
    /// Starts after a number of complete epochs and of batches of the next.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(super) fn new(config: LoaderConfig, epoch: u64, batch: u64) -> Result<Self> {
        let values = config.batch_size.saturating_mul(config.samples.size());
        let batches = Batches::new(config, epoch + 1, batch as usize);
        if batches_ahead(values as u64) == 0 {
            return Ok(Self(Mode::Here(batches)));
        }
        let (sender, receiver) = sync_channel(AHEAD);
        let make = move || {
            for batch in batches {
                if sender.send(batch).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("loader".to_owned())
            .spawn(make)
            .map_err(|e| Error::Threads(e.to_string()))?;
        Ok(Self(Mode::Ahead {
            batches: Some(receiver),
            thread: Some(thread),
        }))
    }

    /// The next batch.
    ///
    /// # Errors
    /// When a sample cannot be read, after the last epoch, or when the thread has died.
    pub(super) fn next(&mut self) -> Result<Batch> {
        let next = match &mut self.0 {
            Mode::Here(batches) => batches.next(),
            Mode::Ahead { batches, .. } => batches.as_ref().and_then(|batches| batches.recv().ok()),
        };
        next.unwrap_or_else(|| Err(Error::Threads("there are no more batches".to_owned())))
    }
}

impl Drop for DataLoader {
    fn drop(&mut self) {
        if let Mode::Ahead { batches, thread } = &mut self.0 {
            // A blocked send then fails.
            *batches = None;
            if let Some(thread) = thread.take() {
                let _ = thread.join();
            }
        }
    }
}

/// The iterator over batches.
struct Batches {
    config: LoaderConfig,
    /// The epoch of the next batch, from 1.
    epoch: u64,
    order: Vec<u32>,
    /// Samples of the epoch that were returned.
    given: usize,
    augment: Option<AugmentParams>,
}

impl Batches {
    fn new(config: LoaderConfig, epoch: u64, batch: usize) -> Self {
        let mut batches = Self {
            given: batch.saturating_mul(config.batch_size),
            config,
            epoch,
            order: Vec::new(),
            augment: None,
        };
        batches.begin();
        batches
    }

    /// Shuffles the samples for the epoch.
    fn begin(&mut self) {
        let LoaderConfig {
            seed, augmentation, ..
        } = self.config;
        self.order = (0..self.config.samples.len() as u32).collect();
        let key = Key::new(seed, &format!("order {}", self.epoch));
        key.generator().shuffle(&mut self.order);
        self.augment = (!augmentation.is_none()).then(|| augmentation.in_epoch(seed, self.epoch));
    }
}

impl Iterator for Batches {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Result<Batch>> {
        if self.given >= self.order.len() {
            self.epoch += 1;
            self.given = 0;
            self.begin();
        }
        if self.epoch > self.config.epochs || self.order.is_empty() {
            return None;
        }
        let end = (self.given + self.config.batch_size).min(self.order.len());
        let indices = &self.order[self.given..end];
        let following = self.order[end..].iter().take(self.config.batch_size);
        let samples = &self.config.samples;
        samples.read_ahead(following.map(|index| *index as usize));
        self.given = end;
        let gathered = samples.gather(indices, self.augment.as_ref());
        Some(gathered.map(|(values, targets)| Batch { values, targets }))
    }
}
