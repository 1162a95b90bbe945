//! What a run tells while it trains, and who listens.

use serde::Serialize;

use crate::data::Normalisation;

/// Listens to a run.
pub trait Observer {
    /// Called with every event, in order, from the thread that trains.
    ///
    /// # Errors
    /// Ends the run with [`Error::Observer`](crate::Error::Observer).
    fn observe(
        &mut self,
        event: &Event,
    ) -> std::result::Result<Control, Box<dyn std::error::Error + Send + Sync>>;

    /// Makes everything observed so far durable. Called before a checkpoint is published, so that no checkpoint is
    /// ahead of the record.
    ///
    /// # Errors
    /// Ends the run with [`Error::Observer`](crate::Error::Observer); the checkpoint is not published.
    fn sync(&mut self) -> std::result::Result<(), Box<dyn std::error::Error + Send + Sync>>;
}

/// What the listener wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Finish the step, write a checkpoint, end with [`Reason::Stopped`].
    Stop,
}

/// Something that happened in a run.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The run starts or goes on.
    Started(Box<Started>),
    /// A step was done.
    Step(Step),
    /// An epoch was done.
    Epoch(EpochEnd),
    /// How the plane is divided between the classes.
    Boundary(Boundary),
    /// A checkpoint was written.
    Checkpoint {
        /// Which of the two.
        which: Which,
        /// Whole epochs done at that moment.
        epoch: u64,
        /// Steps done at that moment.
        step: u64,
    },
    /// The network was measured on the test split.
    Test(TestResult),
    /// Something a person should know, such as a checkpoint that could not be read.
    Note {
        /// In words.
        message: String,
    },
    /// The run is over.
    Finished {
        /// Why.
        reason: Reason,
        /// Why, in words; empty for a run that did what was asked.
        message: String,
    },
}

/// Why a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// All epochs are done.
    Completed,
    /// The observer wanted it. The run can go on from its checkpoint.
    Stopped,
    /// Nothing got better for as many epochs as early stopping allows.
    EarlyStopped,
    /// The loss is no longer a finite number.
    Diverged,
    /// An error; never given by [`train`](super::train), whose callers make it from an `Err`.
    Failed,
}

/// Which checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The newest.
    Last,
    /// The one that did best after an epoch.
    Best,
}

/// The surroundings and the size of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Started {
    /// The version of this crate.
    pub version: String,
    /// The version of Candle.
    pub candle: String,
    /// The processor's name; empty where the system does not say.
    pub cpu: String,
    /// The vector instructions computed with, by their name.
    pub instructions: String,
    /// Threads computed with.
    pub threads: usize,
    /// `cpu`.
    pub device: String,
    /// SHA-256 of the data in use, in hexadecimal.
    pub data_hash: String,
    /// Trainable parameters.
    pub parameters: u64,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// The shape of a sample.
    pub input: Vec<usize>,
    /// Samples learnt from.
    pub train_samples: u64,
    /// Samples measured on after every epoch.
    pub validation_samples: u64,
    /// Samples measured on at the end.
    pub test_samples: u64,
    /// Steps in an epoch.
    pub steps_per_epoch: u64,
    /// Steps in the whole run.
    pub total_steps: u64,
    /// The step of the checkpoint that the run goes on from; 0 for a fresh one.
    pub resumed_from_step: u64,
    /// Training seconds spent before that checkpoint.
    pub elapsed: f64,
    /// What was done to the samples' values.
    pub normalisation: Normalisation,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// From 1, over the whole run.
    pub step: u64,
    /// The epoch it belongs to, from 1.
    pub epoch: u64,
    /// Training samples seen so far, repeats counted.
    pub samples_seen: u64,
    /// Mean loss over the batch, before the step changed the parameters.
    pub loss: f64,
    /// Share of the batch classified right, before the step changed the parameters.
    pub accuracy: f64,
    /// The learning rate of this step.
    pub lr: f64,
    /// Training seconds so far; pauses between processes are not counted.
    pub seconds: f64,
    /// Training samples a second, of late.
    pub images_per_s: f64,
}

/// How well a split is classified.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Score {
    /// Mean loss.
    pub loss: f64,
    /// Share classified right, 0 to 1.
    pub accuracy: f64,
}

/// One epoch.
#[derive(Clone, Debug, Serialize)]
pub struct EpochEnd {
    /// From 1.
    pub epoch: u64,
    /// Its last step.
    pub step: u64,
    /// Training samples seen so far.
    pub samples_seen: u64,
    /// Over the epoch's batches as they were trained on, weighted by their sizes.
    pub train: Score,
    /// Over the validation split after the epoch; `None` without one.
    pub validation: Option<Score>,
    /// Training seconds of this epoch.
    pub seconds: f64,
    /// Training seconds so far.
    pub elapsed: f64,
    /// The most memory the process ever held; `None` where the system does not say.
    pub peak_memory_bytes: Option<u64>,
}

/// How the plane is divided between the classes, on a grid in raw coordinates.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Boundary {
    /// Whole epochs done; 0 before training.
    pub epoch: u64,
    /// Steps done.
    pub step: u64,
    /// The range of the first coordinate: left edge of the first column, right edge of the last.
    pub x: [f64; 2],
    /// The range of the second coordinate: lower edge of the first row, upper edge of the last.
    pub y: [f64; 2],
    /// Cells along x.
    pub columns: usize,
    /// Cells along y.
    pub rows: usize,
    /// Base64 of one byte a cell, row by row from `y[0]` upwards: class times 32 plus confidence, where 0 means
    /// that the class is no more likely than any other and 31 that it is certain.
    pub cells: String,
}

/// How well the test split is classified.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TestResult {
    /// Mean loss.
    pub loss: f64,
    /// Share classified right, 0 to 1.
    pub accuracy: f64,
    /// Counts; rows: truth, columns: prediction.
    pub confusion: Vec<Vec<u64>>,
}
