//! Evaluates a checkpoint of a run as the run itself does at its end.

use std::path::Path;

use super::compute_config::ComputeConfig;
use super::run_paths::Record;
use super::scores;
use crate::data::{self, Library, Samples, Split, Splits};
use crate::error::Result;
use crate::evaluate::ScoreKind;
use crate::graph::Graph;
use crate::networks::Model;
use crate::spec::RunSpec;

/// A network at a checkpoint, and the data of its run.
#[derive(Debug)]
pub struct Evaluator {
    model: Model,
    data: Splits,
    /// Whether scores are of the mean over each image and its mirror, as those of the run's test: also on the validation
    /// split, as a temperature is fitted to the scores that it is for.
    flip: bool,
}

impl Evaluator {
    /// Loads a run's data, and configures operations as at the start of the run: then scores are those of the run, bit for
    /// bit, where the machine has the same instructions. Weights are random until [`Evaluator::load_weights`].
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn open(spec: &RunSpec, library: &Library, graph: Graph, record: &Record) -> Result<Self> {
        ComputeConfig::configure(spec, Some(record))?;
        let model = Model::of_graph(graph, 0)?;
        let data = data::load(&spec.data, library)?;
        let flip = spec.data.test_time_flip();
        Ok(Self { model, data, flip })
    }

    /// Loads the weights of a checkpoint.
    ///
    /// # Errors
    /// When they cannot be read, or are not those of the graph.
    pub fn load_weights(&self, weights: &Path) -> Result<()> {
        self.model.load_state_dict(weights)
    }

    /// The data.
    pub fn data(&self) -> &Splits {
        &self.data
    }

    /// What the scores are.
    pub fn kind(&self) -> ScoreKind {
        ScoreKind::of(self.model.criterion())
    }

    /// The samples of a split.
    pub fn samples(&self, split: Split) -> &Samples {
        match split {
            Split::Train => &self.data.train,
            Split::Validation => &self.data.validation,
            Split::Test => &self.data.test,
        }
    }

    /// Calls a function with the scores of a split, batch by batch in order: the values of some rows, one after the
    /// other.
    ///
    /// # Errors
    /// When a pass fails, and those of the function.
    pub fn for_each_batch(
        &self,
        split: Split,
        mut each: impl FnMut(&[f32]) -> Result<()>,
    ) -> Result<()> {
        let samples = self.samples(split);
        scores::for_each_batch(
            samples,
            |range| scores::of_samples(&self.model, samples, range, self.flip),
            |_, scores| each(&scores.flatten_all()?.to_vec1::<f32>()?),
        )
    }
}
