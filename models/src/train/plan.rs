//! What a run will do, known before it starts.

use serde::Serialize;

use crate::data::{self, Library, Outline};
use crate::error::Result;
use crate::networks::Model;
use crate::spec::RunSpec;

/// What a run will do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// Trainable parameters of the network.
    pub parameters: u64,
    /// Samples learnt from.
    pub train_samples: u64,
    /// Samples measured on after every epoch.
    pub validation_samples: u64,
    /// Samples measured on at the end.
    pub test_samples: u64,
    /// Bytes of memory that the data set takes once it is loaded.
    pub data_bytes: u64,
    /// Steps in an epoch, the short last batch among them.
    pub steps_per_epoch: u64,
    /// Steps in the whole run, if nothing ends it early.
    pub total_steps: u64,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// The shape of a sample: `[2]` for points, `[channels, height, width]` for images.
    pub input: Vec<usize>,
    /// What a person should know before it starts, in sentences.
    pub warnings: Vec<String>,
}

/// Works out what a run will do, without training.
///
/// # Errors
/// When the data cannot be read or the network cannot be built for it.
pub fn prepare(spec: &RunSpec, library: &Library) -> Result<Plan> {
    Plan::new(spec, data::outline(&spec.data, library)?)
}

impl Plan {
    pub(super) fn new(spec: &RunSpec, data: Outline) -> Result<Self> {
        let train_samples = data.train as u64;
        let steps_per_epoch = train_samples.div_ceil(spec.training.batch_size);
        Ok(Self {
            parameters: Model::count_parameters(&spec.network, &data.input, data.classes.len())?,
            train_samples,
            validation_samples: data.validation as u64,
            test_samples: data.test as u64,
            data_bytes: data.bytes,
            steps_per_epoch,
            total_steps: steps_per_epoch * spec.training.epochs,
            classes: data.classes,
            input: data.input,
            warnings: data.warnings,
        })
    }
}
