//! Facts about a run that are known before it starts.

use std::path::Path;

use serde::Serialize;
use utoipa::ToSchema;

use super::features::Keeping;
use crate::data::{self, DataSummary, Library, Splits};
use crate::error::{Error, Result};
use crate::graph::{Block, Graph};
use crate::spec::RunSpec;

/// Facts about a run that are known before it starts.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Plan {
    /// Trainable parameters of the network.
    pub parameters: u64,
    /// Those that are trained from the start: fewer where blocks are frozen.
    pub trainable_parameters: u64,
    /// The blocks of the network, from the input to the output, of which a run may train the last alone.
    pub blocks: Vec<Block>,
    /// Training samples.
    pub train_samples: u64,
    /// Validation samples.
    pub validation_samples: u64,
    /// Test samples.
    pub test_samples: u64,
    /// Memory of the loaded data set, in bytes.
    pub data_bytes: u64,
    /// Steps of an epoch, including a short last batch.
    pub steps_per_epoch: u64,
    /// Steps of the whole run, without early stopping.
    pub total_steps: u64,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// The shape of a sample: `[2]` for points, `[channels, height, width]` for images.
    pub input: Vec<usize>,
    /// Notes for the user, as sentences.
    pub warnings: Vec<String>,
    /// Whether the run keeps the results of its frozen layers.
    #[serde(skip)]
    pub keeps_features: bool,
    /// The memory of these results, in bytes; 0 where they are in a file.
    #[serde(skip)]
    pub feature_bytes: u64,
    /// The network.
    #[serde(skip)]
    pub graph: Graph,
}

/// Plans a run, without training.
///
/// # Errors
/// When the data cannot be read or the network cannot be built for it.
pub fn prepare(spec: &RunSpec, library: &Library) -> Result<Plan> {
    let data = data::summary(&spec.data, library)?;
    let graph = spec.network.graph(&data.input, data.classes.len())?;
    Ok(Plan::new(spec, data, graph))
}

/// The graph that a run started with, or for a new run that of its settings, which is kept.
pub(super) fn graph_of(spec: &RunSpec, data: &Splits, file: Option<&Path>) -> Result<Graph> {
    let kept = file.map(Graph::read).transpose()?.flatten();
    let Some(graph) = kept else {
        let graph = spec.network.graph(&data.input, data.classes.len())?;
        if let Some(file) = file {
            graph.write(file)?;
        }
        return Ok(graph);
    };
    let (input, classes) = (&data.input[..], &[data.classes.len()][..]);
    match (graph.input() == input, graph.output() == classes) {
        (true, true) => Ok(graph),
        (false, _) => Err(Error::Shape {
            place: "the samples".to_owned(),
            expected: format!("{:?}, as when the run started", graph.input()),
            got: input.to_vec(),
        }),
        (true, false) => Err(Error::Shape {
            place: "the classes".to_owned(),
            expected: format!("{:?}, as when the run started", graph.output()),
            got: classes.to_vec(),
        }),
    }
}

impl Plan {
    pub(super) fn new(spec: &RunSpec, data: DataSummary, graph: Graph) -> Self {
        let train_samples = data.train as u64;
        let steps_per_epoch = train_samples.div_ceil(spec.training.batch_size);
        let kept = (data.train + data.validation) as u64;
        let keeping = Keeping::of(spec, &graph, kept);
        Self {
            keeps_features: matches!(keeping, Keeping::Values(_)),
            feature_bytes: keeping.memory_bytes(kept),
            parameters: graph.parameters(),
            trainable_parameters: graph.trainable_parameters(
                (spec.training.transfer.as_ref()).and_then(|transfer| transfer.trainable_blocks),
            ),
            blocks: graph.blocks(),
            train_samples,
            validation_samples: data.validation as u64,
            test_samples: data.test as u64,
            data_bytes: data.bytes,
            steps_per_epoch,
            total_steps: steps_per_epoch * spec.training.epochs,
            classes: data.classes,
            input: data.input,
            warnings: data.warnings,
            graph,
        }
    }

    /// An upper bound of the memory of the run, in bytes, that needs no measurement: as if every result of a batch were
    /// kept until the end of a step, with the parameters, their gradients, what the optimizer keeps, and the data set.
    /// A fused executor keeps less.
    pub fn memory_bound(&self, spec: &RunSpec) -> u64 {
        let batch = spec.training.batch_size.min(self.train_samples).max(1);
        // An average of the weights is one more copy.
        let each = if spec.training.ema.is_some() { 20 } else { 16 };
        let parameters = self.parameters.saturating_mul(each);
        let samples = self.graph.memory_bytes().saturating_mul(batch);
        // The graph counts the parameters for each sample.
        let counted = self.parameters.saturating_mul(12).saturating_mul(batch);
        samples
            .saturating_sub(counted)
            .saturating_add(parameters)
            .saturating_add(self.data_bytes)
    }
}
