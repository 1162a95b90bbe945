//! The data loader: makes the batches of a run in the background, in the order of training.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use crate::data::{AugmentParams, Augmentation, Mixed, Mixing, Samples, Splits};
use crate::error::{Error, Result};
use crate::ops::Targets;
use crate::random::{Generator, Key};
use crate::spec::{Sampling, TrainingSpec};

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
    /// The values of the samples; empty where they are not wanted.
    pub(super) values: Vec<f32>,
    pub(super) targets: Vec<u32>,
    /// How the samples were mixed.
    pub(super) mixed: Option<Mixed>,
    /// The samples.
    pub(super) indices: Vec<u32>,
}

impl Batch {
    /// The classes that the network should give.
    pub(super) fn targets(&self) -> Targets<'_> {
        let mixed = self.mixed.as_ref();
        Targets {
            classes: &self.targets,
            mixed: mixed.map(|mixed| (&mixed.classes[..], mixed.share)),
        }
    }
}

/// The data and settings of the batches.
#[derive(Clone)]
pub(super) struct LoaderConfig {
    pub(super) samples: Samples,
    pub(super) augmentation: Augmentation,
    pub(super) mixing: Mixing,
    pub(super) sampling: Sampling,
    pub(super) seed: u64,
    pub(super) batch_size: usize,
    /// The last epoch, from 1.
    pub(super) epochs: u64,
    /// Whether the values of the samples are wanted.
    pub(super) with_values: bool,
}

impl LoaderConfig {
    /// The batches of a run's training split.
    pub(super) fn of_run(data: &Splits, training: &TrainingSpec) -> Self {
        Self {
            samples: data.train.clone(),
            augmentation: data.augmentation.clone(),
            mixing: Mixing::of(training),
            sampling: training.sampling,
            seed: training.seed,
            batch_size: training.batch_size as usize,
            epochs: training.epochs,
            with_values: true,
        }
    }

    /// Batches of an epoch, including a short last one.
    pub(super) fn batches(&self) -> u64 {
        self.samples.len().div_ceil(self.batch_size) as u64
    }
}

/// Gives the batches of a run in order. They depend only on the configuration, not on the thread that makes them.
pub(super) struct DataLoader(Mode);

enum Mode {
    Here(Box<Batches>),
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
        let size = if config.with_values {
            config.samples.size()
        } else {
            0
        };
        let values = config.batch_size.saturating_mul(size);
        let batches = Batches::new(config, epoch + 1, batch as usize);
        if batches_ahead(values as u64) == 0 {
            return Ok(Self(Mode::Here(Box::new(batches))));
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

    /// Shuffles or draws the samples of the epoch.
    fn begin(&mut self) {
        let LoaderConfig {
            samples,
            augmentation,
            sampling,
            seed,
            ..
        } = &self.config;
        let key = Key::new(*seed, &format!("order {}", self.epoch));
        self.order = match sampling {
            Sampling::Shuffled => {
                let mut order: Vec<u32> = (0..samples.len() as u32).collect();
                key.generator().shuffle(&mut order);
                order
            }
            Sampling::Balanced => balanced(samples.labels(), &mut key.generator()),
        };
        self.augment = (!augmentation.is_none()).then(|| augmentation.in_epoch(*seed, self.epoch));
    }
}

/// As many samples as there are, drawn with replacement: first a class of those that occur, then one of its samples.
/// PyTorch's `WeightedRandomSampler` with the weight `1 / n_c` for each of the `n_c` samples of a class.
fn balanced(labels: &[u32], generator: &mut Generator) -> Vec<u32> {
    let mut classes: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (sample, class) in labels.iter().enumerate() {
        classes.entry(*class).or_default().push(sample as u32);
    }
    let classes: Vec<_> = classes.into_values().collect();
    let mut draw = |_: &u32| {
        let class = &classes[generator.below(classes.len() as u64) as usize];
        class[generator.below(class.len() as u64) as usize]
    };
    labels.iter().map(&mut draw).collect()
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
        let LoaderConfig {
            samples,
            mixing,
            sampling,
            seed,
            batch_size,
            ..
        } = &self.config;
        let first = self.given;
        let end = (first + batch_size).min(self.order.len());
        let indices = &self.order[first..end];
        self.given = end;
        if !self.config.with_values {
            let targets = indices
                .iter()
                .map(|index| samples.labels()[*index as usize]);
            return Some(Ok(Batch {
                values: Vec::new(),
                targets: targets.collect(),
                mixed: None,
                indices: indices.to_vec(),
            }));
        }
        // A sample that is drawn several times should not look the same each time.
        if let (Sampling::Balanced, Some(augment)) = (sampling, &mut self.augment) {
            augment.count_from(first as u64);
        }
        let following = self.order[end..].iter().take(*batch_size);
        samples.read_ahead(following.map(|index| *index as usize));
        let gathered = samples.gather(indices, self.augment.as_ref());
        Some(gathered.map(|(mut values, targets)| {
            let number = (first / batch_size) as u64;
            let key = (*seed, self.epoch, number);
            let mixed = mixing.apply(key, &mut values, &targets, samples.side());
            Batch {
                values,
                targets,
                mixed,
                indices: indices.to_vec(),
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_epochs_have_every_class_equally_often_and_every_sample_of_it() {
        // 20 samples of class 3 for each one of class 7; class 0 does not occur.
        let labels: Vec<u32> = (0..2100).map(|i| if i % 21 == 0 { 7 } else { 3 }).collect();
        let order = |epoch: &str| balanced(&labels, &mut Key::new(1, epoch).generator());
        let first = order("order 1");
        assert_eq!(first.len(), labels.len());
        let rare: Vec<_> = first.iter().filter(|i| labels[**i as usize] == 7).collect();
        // The deviation of 2,100 draws of one half is 23.
        assert!((950..1150).contains(&rare.len()), "{}", rare.len());
        let mut distinct = rare.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 100);
        assert_eq!(first, order("order 1"));
        assert_ne!(first, order("order 2"));
    }
}
