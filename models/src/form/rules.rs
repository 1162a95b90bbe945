//! Checks fields against each other, after each is valid by itself.

use serde_json::Value;

use crate::data::{self, Library};
use crate::error::Error;
use crate::graph::{Criterion, Graph};
use crate::spec::{
    CROSS_ENTROPY, ClassWeights, Field, FieldError, OptimizerSpec, RunSpec, Sampling, ScheduleSpec,
    Transfer,
};

/// The settings that a run has because its network is trained by a criterion.
pub(super) fn training_fields(criterion: Criterion) -> &'static [Field] {
    match criterion {
        Criterion::CrossEntropy => CROSS_ENTROPY,
        Criterion::Perceptron => &[],
    }
}

/// Errors in combinations of fields.
pub(super) fn between_fields(spec: &RunSpec, library: &Library) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let OptimizerSpec::Sgd {
        momentum,
        nesterov: true,
        ..
    } = spec.training.optimizer
        && momentum == 0.0
    {
        errors.push(FieldError::new(
            "training.optimizer.nesterov",
            &Value::Bool(true),
            "must be false without momentum",
        ));
    }
    schedule(spec, &mut errors);
    recipe(spec, &mut errors);
    if let Some(fold) = spec.data.fold
        && spec.data.folds.is_none_or(|folds| fold >= folds)
    {
        let message = match spec.data.folds {
            Some(folds) => format!("must be below the number of folds, {folds}"),
            None => "must be empty without folds".to_owned(),
        };
        errors.push(FieldError::new("data.fold", &Value::from(fold), &message));
    }
    if spec
        .training
        .early_stopping
        .as_ref()
        .is_some_and(|stopping| stopping.metric.needs_validation())
        && !spec.data.has_validation()
    {
        let message = "must be above 0 for early stopping, which goes by the validation split";
        errors.push(FieldError::new(
            "data.validation",
            &Value::from(0.0),
            message,
        ));
    }
    // Also finds networks that do not take such data or are too large.
    let graph = data::shape(&spec.data, library)
        .and_then(|(input, classes)| spec.network.graph(&input, classes));
    match graph {
        Ok(graph) => {
            transfer(spec, &graph, &mut errors);
            if spec.training.batch_size == 1 && graph.needs_batches() {
                let message =
                    "must be at least 2 for batch normalisation, to which one sample has no spread";
                errors.push(FieldError::new(
                    "training.batch_size",
                    &Value::from(1),
                    message,
                ));
            }
        }
        Err(Error::Setting { mut path, message }) => {
            if path == "network" && spec.network.source.is_some() {
                path = "network.source".to_owned();
            }
            let value = match path.as_str() {
                "data.set" => Value::from(spec.data.set.as_str()),
                "data.size" => spec.data.options.get("size").cloned().unwrap_or_default(),
                "network.kind" => Value::from(spec.network.kind.as_str()),
                "network.source" => Value::Null,
                _ => serde_json::to_value(&spec.network).unwrap_or_default(),
            };
            errors.push(FieldError::new(&path, &value, &message));
        }
        Err(error) => errors.push(FieldError::new("network", &Value::Null, &error.to_string())),
    }
    errors
}

/// Checks the weighing and mixing of samples.
fn recipe(spec: &RunSpec, errors: &mut Vec<FieldError>) {
    let training = &spec.training;
    if training.class_weights == ClassWeights::Balanced && training.sampling == Sampling::Balanced {
        let message =
            "must be none with balanced sampling, which already makes up for rare classes";
        errors.push(FieldError::new(
            "training.class_weights",
            &Value::from("balanced"),
            message,
        ));
    }
    if training.batch_size == 1 && (training.mixup.is_some() || training.cutmix.is_some()) {
        let message = "must be at least 2 for mixup and CutMix, which mix the samples of a batch";
        errors.push(FieldError::new(
            "training.batch_size",
            &Value::from(1),
            message,
        ));
    }
}

/// Checks the start from other weights against the network and the length of the run. Whether there is a run to start
/// from is not known here.
fn transfer(spec: &RunSpec, graph: &Graph, errors: &mut Vec<FieldError>) {
    let Some(transfer) = &spec.training.transfer else {
        return;
    };
    let mut refuse = |field: &str, value: Value, message: &str| {
        let path = format!("training.transfer.{field}");
        errors.push(FieldError::new(&path, &value, message));
    };
    let has_weights = spec
        .network
        .weights()
        .is_ok_and(|weights| weights.is_some());
    if transfer.from == Transfer::IMPORTED && !has_weights {
        let message = "must be the id of a finished run: no weights were imported with this network, or it starts from random ones";
        refuse("from", Value::from(Transfer::IMPORTED), message);
    }
    if transfer.from.trim().is_empty() {
        let message = "must be imported, or the id of a finished run";
        refuse("from", Value::from(transfer.from.as_str()), message);
    }
    let blocks = graph.blocks();
    if let Some(trainable) = transfer.trainable_blocks
        && trainable > blocks.len() as u64
    {
        let names: Vec<_> = blocks.iter().map(|block| &*block.name).collect();
        let message = match names[..] {
            [] => "must be empty: the network has nothing to train".to_owned(),
            [only] => format!("must be at most 1: the network has one block, {only}"),
            [first, .., last] => format!(
                "must be at most {}: the network has the blocks {first} to {last}",
                names.len()
            ),
        };
        refuse("trainable_blocks", Value::from(trainable), &message);
    }
    let epochs = spec.training.epochs;
    if let Some(epoch) = transfer.unfreeze_at
        && epoch > epochs
    {
        let message = format!("must be at most the run's epochs, {epochs}");
        refuse("unfreeze_at", Value::from(epoch), &message);
    }
}

/// Checks a schedule against the learning rate and the length of the run.
fn schedule(spec: &RunSpec, errors: &mut Vec<FieldError>) {
    let training = &spec.training;
    let warmup = training.schedule.warmup_epochs();
    if warmup > 0.0 && warmup >= training.epochs as f64 {
        let message = format!("must be less than the run's epochs, {}", training.epochs);
        errors.push(FieldError::new(
            "training.schedule.warmup_epochs",
            &Value::from(warmup),
            &message,
        ));
    }
    let lr = training.optimizer.lr();
    if let ScheduleSpec::Cosine { min_lr, .. } = training.schedule
        && min_lr > lr
    {
        let message = format!("must be at most the learning rate, {lr}");
        errors.push(FieldError::new(
            "training.schedule.min_lr",
            &Value::from(min_lr),
            &message,
        ));
    }
}
