//! Events of a run: the lines of its `events.ndjson`.
//!
//! [`Record`] is a line, both ways. Fields that an earlier version did not write have a default.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::not_finite::{NotFinite, nullable, nullables};

/// A line of `events.ndjson`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = RunEvent)]
pub struct Record {
    /// Counts the lines of a log from 1, without a gap.
    pub seq: u64,
    /// When it was written, in RFC 3339.
    #[schema(format = DateTime)]
    pub time: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The photos of the data set are brought to the size of the run, before it starts. Several times a second at most.
    Preparing {
        /// Photos that are done; `null` while another run prepares the same ones.
        #[schema(required)]
        done: Option<u64>,
        /// Photos in all.
        of: u64,
    },
    /// The run starts or goes on.
    Started(Box<Started>),
    /// Consecutive steps of one epoch.
    Steps(Steps),
    /// The end of an epoch.
    Epoch(Epoch),
    /// The decision boundary of two-dimensional data.
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
    /// The result on the test split.
    Test(Test),
    /// Something that the user should know, such as a checkpoint that could not be read.
    Note {
        /// In words.
        message: String,
    },
    /// The run is over.
    Finished {
        /// Why.
        reason: Reason,
        /// Why, in words; empty for a run that completed.
        #[serde(default)]
        #[schema(required)]
        message: String,
    },
    /// The first event of an imported run.
    Imported {
        /// The program that wrote the imported files, such as `tensorboard`.
        from: String,
        /// When its first value was written, in seconds since 1970.
        wall_time: f64,
    },
    /// Values of one curve of an imported run.
    Scalars(Scalars),
    /// An event of a later version.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// Why a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// All epochs are done.
    Completed,
    /// It was stopped, and can go on from its checkpoint.
    Stopped,
    /// The metric of early stopping did not improve for as many epochs as its patience allows.
    EarlyStopped,
    /// The loss is NaN or infinite.
    Diverged,
    /// An error ended it.
    Failed,
}

impl Reason {
    /// Its name in events and in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::EarlyStopped => "early_stopped",
            Self::Diverged => "diverged",
            Self::Failed => "failed",
        }
    }
}

/// Which checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CheckpointKind)]
pub enum Which {
    /// The newest.
    Last,
    /// The one with the best metric after an epoch.
    Best,
}

/// The environment and the size of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Started {
    /// The version of Vivarium.
    pub version: String,
    /// The version of Candle.
    pub candle: String,
    /// The processor's name; empty where the system does not tell it.
    pub cpu: String,
    /// The vector instructions in use; empty in logs that are older than this field.
    pub instructions: String,
    /// Threads in use.
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
    /// Samples of the training split.
    pub train_samples: u64,
    /// Samples of the validation split.
    pub validation_samples: u64,
    /// Samples of the test split.
    pub test_samples: u64,
    /// Steps in an epoch.
    pub steps_per_epoch: u64,
    /// Steps in the whole run.
    pub total_steps: u64,
    /// The step of the checkpoint that the run goes on from; 0 for a fresh one.
    pub resumed_from_step: u64,
    /// Training seconds spent before that checkpoint.
    pub elapsed: f64,
    /// How values are normalised before the network sees them.
    pub normalisation: Normalisation,
}

/// How values are normalised before the network sees them: `(value - mean) / deviation`, for each channel of an image
/// (whose pixels go from 0 to 1) or each coordinate of a point.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Normalisation {
    /// Means by channel or coordinate.
    pub mean: Vec<f64>,
    /// Standard deviations by channel or coordinate; 1 where all values are equal.
    pub deviation: Vec<f64>,
}

impl Normalisation {
    /// The name of [`Normalisation::of_imagenet`] in a RunSpec.
    pub const IMAGENET: &str = "imagenet";

    /// The name of the normalisation of EfficientNet-Lite's weights in a RunSpec.
    pub const EFFICIENTNET_LITE: &str = "efficientnet_lite";

    /// The normalisation of a name, for that many channels; `None` for one that is measured.
    pub fn named(name: &str, channels: usize) -> Option<Self> {
        match name {
            Self::IMAGENET => Some(Self::of_imagenet(channels)),
            // (byte - 127) / 128, as in TensorFlow's efficientnet_lite_builder.py.
            Self::EFFICIENTNET_LITE => Some(Self {
                mean: vec![127.0 / 255.0; channels],
                deviation: vec![128.0 / 255.0; channels],
            }),
            _ => None,
        }
    }

    /// The normalisation of torchvision's pretrained weights: mean and deviation of ImageNet's channels; for grey,
    /// their average.
    pub fn of_imagenet(channels: usize) -> Self {
        let (mean, deviation) = (vec![0.485, 0.456, 0.406], vec![0.229, 0.224, 0.225]);
        let grey = |values: &[f64]| vec![values.iter().sum::<f64>() / values.len() as f64];
        if channels == 1 {
            return Self {
                mean: grey(&mean),
                deviation: grey(&deviation),
            };
        }
        Self { mean, deviation }
    }
}

/// Consecutive steps of one epoch. The three lists are of one length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Steps {
    /// The number of the first, from 1 over the whole run.
    pub first_step: u64,
    /// From 1.
    pub epoch: u64,
    /// Training samples seen after the last step, repeats counted.
    pub samples_seen: u64,
    /// Training seconds at the last step; pauses between processes are not counted.
    #[serde(default)]
    #[schema(required)]
    pub seconds: f64,
    /// Mean loss over each batch, before the step changed the parameters.
    #[serde(deserialize_with = "nullables")]
    #[schema(value_type = Vec<Option<f64>>)]
    pub loss: Vec<f64>,
    /// Share of each batch classified correctly, before the step changed the parameters.
    #[serde(deserialize_with = "nullables")]
    #[schema(value_type = Vec<Option<f64>>)]
    pub accuracy: Vec<f64>,
    /// The learning rate of each step.
    #[serde(deserialize_with = "nullables")]
    #[schema(value_type = Vec<Option<f64>>)]
    pub lr: Vec<f64>,
    /// Recent speed in training samples a second.
    #[serde(default)]
    pub images_per_s: Option<f64>,
    /// What the losses are that are `null`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub not_finite: Option<NotFinite>,
}

impl Steps {
    /// The number of the last step.
    pub fn last_step(&self) -> u64 {
        (self.first_step + self.loss.len() as u64).saturating_sub(1)
    }
}

/// Loss and accuracy on a split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Score {
    /// Mean loss.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<f64>, required)]
    pub loss: f64,
    /// Share classified correctly, 0 to 1.
    #[serde(deserialize_with = "nullable", default = "nan")]
    #[schema(value_type = Option<f64>, required)]
    pub accuracy: f64,
    /// What the loss is where it is `null`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub not_finite: Option<NotFinite>,
}

fn nan() -> f64 {
    f64::NAN
}

impl Score {
    /// A score; `accuracy` is a share, 0 to 1.
    pub fn new(loss: f64, accuracy: f64) -> Self {
        Self {
            loss,
            accuracy,
            not_finite: NotFinite::of(loss),
        }
    }
}

/// The end of an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Epoch {
    /// From 1.
    pub epoch: u64,
    /// Its last step.
    #[serde(default)]
    #[schema(required)]
    pub step: u64,
    /// Training samples seen so far.
    #[serde(default)]
    #[schema(required)]
    pub samples_seen: u64,
    /// Over the epoch's batches as they were trained on, weighted by their sizes.
    pub train: Score,
    /// Over the validation split after the epoch; `null` without one.
    #[schema(required)]
    pub validation: Option<Score>,
    /// Training seconds of this epoch.
    #[serde(default)]
    #[schema(required)]
    pub seconds: f64,
    /// Training seconds so far.
    #[serde(default)]
    #[schema(required)]
    pub elapsed: f64,
    /// The peak memory of the process; `null` where the system does not tell it.
    #[schema(required)]
    pub peak_memory_bytes: Option<u64>,
    /// What the first loss is that is `null`. Each score has a word of its own; logs of earlier versions have this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub not_finite: Option<NotFinite>,
}

impl Epoch {
    /// The end of an epoch, without its times and memory.
    pub fn new(
        epoch: u64,
        step: u64,
        samples_seen: u64,
        train: Score,
        validation: Option<Score>,
    ) -> Self {
        Self {
            epoch,
            step,
            samples_seen,
            train,
            validation,
            seconds: 0.0,
            elapsed: 0.0,
            peak_memory_bytes: None,
            not_finite: train
                .not_finite
                .or(validation.and_then(|score| score.not_finite)),
        }
    }
}

/// The decision boundary of two-dimensional data, on a grid in raw coordinates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Boundary {
    /// Whole epochs done; 0 before training.
    pub epoch: u64,
    /// Steps done.
    #[serde(default)]
    #[schema(required)]
    pub step: u64,
    /// The range of the first coordinate: left edge of the first column, right edge of the last.
    #[serde(default)]
    #[schema(required, min_items = 2, max_items = 2)]
    pub x: [f64; 2],
    /// The range of the second coordinate: lower edge of the first row, upper edge of the last.
    #[serde(default)]
    #[schema(required, min_items = 2, max_items = 2)]
    pub y: [f64; 2],
    /// Cells along x.
    #[serde(default)]
    #[schema(required)]
    pub columns: usize,
    /// Cells along y.
    #[serde(default)]
    #[schema(required)]
    pub rows: usize,
    /// Base64 of one byte a cell, row by row from `y[0]` upwards: class times 32 plus confidence, where 0 means that the
    /// class is no more likely than any other and 31 that it is certain.
    #[serde(default)]
    #[schema(required)]
    pub cells: String,
    /// The weights of a network of one linear layer, such as a perceptron: its boundary consists of straight lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear: Option<LinearWeights>,
}

/// The weights of a network of one linear layer on points in the plane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LinearWeights {
    /// A row for each class: the weights of the two normalised coordinates, and the bias. A single row is the score of
    /// the second of two classes; the score of the first is then 0.
    pub rows: Vec<[f32; 3]>,
    /// What is subtracted from each coordinate before it is multiplied by its weight.
    #[schema(min_items = 2, max_items = 2)]
    pub mean: [f64; 2],
    /// What each coordinate is then divided by.
    #[schema(min_items = 2, max_items = 2)]
    pub deviation: [f64; 2],
}

/// The result on the test split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Test {
    /// Loss and accuracy.
    #[serde(flatten)]
    pub score: Score,
    /// Counts; a row for each target, a column for each prediction.
    #[serde(default)]
    #[schema(required)]
    pub confusion: Vec<Vec<u64>>,
}

/// Values of one tag of an imported run. The three lists are of one length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Scalars {
    /// The tag's name in the imported files.
    pub tag: String,
    /// The curve that the values belong to, such as `train_loss`; missing where the tag is not drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub series: Option<String>,
    /// Whether the values are percentages.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub percent: bool,
    /// The steps, ascending.
    pub step: Vec<u64>,
    /// Seconds since the first value of the run, for each step.
    pub seconds: Vec<f64>,
    /// The value of each step.
    #[serde(deserialize_with = "nullables")]
    #[schema(value_type = Vec<Option<f64>>)]
    pub value: Vec<f64>,
    /// What the values are that are `null`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub not_finite: Option<NotFinite>,
}

impl Scalars {
    /// Step, seconds and value of each, in shares where the file has percentages.
    pub fn points(&self) -> impl Iterator<Item = (u64, f64, f64)> {
        let per = if self.percent { 100.0 } else { 1.0 };
        let times = self.step.iter().zip(&self.seconds);
        times
            .zip(&self.value)
            .map(move |((&step, &seconds), &value)| (step, seconds, value / per))
    }
}

impl Record {
    /// Reads a line. An event of an unknown kind, or one that lacks a field, is [`Event::Unknown`].
    ///
    /// # Errors
    /// When the text is not a JSON object with a number `seq` and a text `kind`.
    pub fn parse(line: &str) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Head<'a> {
            seq: u64,
            #[serde(default)]
            time: String,
            #[serde(borrow)]
            kind: std::borrow::Cow<'a, str>,
        }
        let Head { seq, time, kind } = serde_json::from_str(line)?;
        let event = match &*kind {
            // Nearly all of a long log. Serde keeps a tagged enum's fields in between, which is slow for lists.
            "steps" => serde_json::from_str(line).map(Event::Steps),
            _ => serde_json::from_str(line),
        };
        let mut event = event.unwrap_or(Event::Unknown);
        event.restore_not_finite();
        Ok(Self { seq, time, event })
    }

    /// The line, without its end.
    ///
    /// # Errors
    /// For [`Event::Unknown`].
    pub fn to_line(&self) -> serde_json::Result<String> {
        let mut line = serde_json::to_value(self)?;
        if let Value::Object(fields) = &mut line
            && let Some(kind) = fields.shift_remove("kind")
        {
            fields.shift_insert(0, "kind".to_owned(), kind);
        }
        serde_json::to_string(&line)
    }
}

impl Event {
    /// Puts values that are not finite in the place of the NaN that `null` was read as.
    fn restore_not_finite(&mut self) {
        match self {
            Self::Steps(steps) => {
                let word = steps.not_finite;
                if word.is_some() {
                    steps
                        .loss
                        .iter_mut()
                        .for_each(|loss| NotFinite::restore(word, loss));
                }
            }
            Self::Epoch(end) => {
                let word = end.not_finite;
                for score in [Some(&mut end.train), end.validation.as_mut()]
                    .into_iter()
                    .flatten()
                {
                    NotFinite::restore(score.not_finite.or(word), &mut score.loss);
                }
            }
            Self::Test(test) => NotFinite::restore(test.score.not_finite, &mut test.score.loss),
            Self::Scalars(scalars) => {
                let word = scalars.not_finite;
                scalars
                    .value
                    .iter_mut()
                    .for_each(|value| NotFinite::restore(word, value));
            }
            _ => {}
        }
    }
}
