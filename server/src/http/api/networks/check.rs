//! What a text gives: its layers, with their shapes and costs, or its mistakes.

use std::path::Path;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use vivarium_models::form::check_defaults;
use vivarium_models::graph::Graph;
use vivarium_models::networks::{NetworkRow, NetworkText, TextError};
use vivarium_models::spec::{Field, FieldError};

use super::stages::{Stage, stages};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::estimate::too_large_for;
use crate::http::App;
use crate::http::json::Body;
use crate::machine;

/// A text to check, and what to check it for.
#[derive(Deserialize, ToSchema)]
pub struct NetworkCheck {
    /// The text.
    source: String,
    /// The shape of a sample: `[channels, height, width]`, or `[2]` for points.
    input: Vec<usize>,
    /// The number of classes.
    classes: usize,
    /// Values of its options; those that are missing have their defaults.
    #[serde(default)]
    options: Map<String, Value>,
}

/// What a text gives.
#[derive(Serialize, ToSchema)]
pub struct CheckedNetwork {
    /// The name that users see.
    title: String,
    /// The number of trainable values.
    parameters: u64,
    /// The multiplications of a forward pass for one sample.
    multiply_adds: u64,
    /// The memory of a training step with one sample, in bytes: results, parameters, gradients and velocities.
    memory_bytes: u64,
    /// Its options.
    options: Vec<Field>,
    /// The layers, in the order of computation. The first is the input.
    layers: Vec<CheckedLayer>,
    /// The stages of the layers. The first is the sample.
    stages: Vec<Stage>,
}

/// A layer of a text.
#[derive(Serialize, ToSchema)]
pub struct CheckedLayer {
    /// Its name, which is that of the PyTorch module.
    name: String,
    /// What it computes, such as `Conv2d`.
    operation: &'static str,
    /// Its settings in a few words, such as `3×3, stride 2`; empty where there are none.
    detail: String,
    /// The layers whose results it takes, by their place in the list.
    inputs: Vec<usize>,
    /// The shape of its result for one sample.
    shape: Vec<usize>,
    /// The number of its trainable values.
    parameters: u64,
    /// Its multiplications for one sample.
    multiply_adds: u64,
    /// Its part of the memory.
    memory_bytes: u64,
    /// Its estimated share of the time of a training step, 0 to 1.
    time_share: f64,
    /// The line of the text that makes it, from 1; 0 for the input.
    line: u32,
    /// That line, and those of the calls that led there.
    lines: Vec<u32>,
    /// The part of the network that it belongs to.
    group: String,
}

/// The greatest side, number of channels and number of classes that a text is checked for.
const MOST: usize = 1 << 20;

/// Check a network's text.
///
/// The shapes, parameters and cost of its layers for samples of one shape. A mistake has its line and column.
#[utoipa::path(
    post,
    path = "/networks/check",
    request_body = NetworkCheck,
    responses((status = 200, description = "The layers", body = CheckedNetwork))
)]
pub async fn check(
    State(app): State<App>,
    Body(check): Body<NetworkCheck>,
) -> Result<Json<CheckedNetwork>> {
    let weights = app.data_dir.join("weights");
    blocking(move || checked(&check, &weights).map(Json)).await
}

/// What a text gives whose weights lie in the folder `weights`.
fn checked(check: &NetworkCheck, weights: &Path) -> Result<CheckedNetwork> {
    let refuse = |path: &str, value: Value, message: &str| Err(Error::field(path, value, message));
    let in_range = |size: &usize| (1..=MOST).contains(size);
    if !matches!(check.input.len(), 1 | 3) || !check.input.iter().all(in_range) {
        let message = "must be [channels, height, width], or [2] for points";
        return refuse("input", Value::from(check.input.clone()), message);
    }
    if !in_range(&check.classes) {
        let message = "must be a number of classes";
        return refuse("classes", Value::from(check.classes), message);
    }
    let text_error = |error: TextError| {
        let mut fault = FieldError::of_text("source", &check.source, &error);
        if let Some(option) = &error.option {
            fault.path = format!("options.{option}");
            fault.message = error.message;
        }
        Error::Spec(vec![fault])
    };
    let text = NetworkText::read(&check.source).map_err(text_error)?;
    check_defaults(&text).map_err(text_error)?;
    if let Some(file) = &text.weights
        && !weights.join(file).is_file()
    {
        let message = format!("there is no file {file} in {}", weights.display());
        return Err(text_error(text.mistake_of("weights", None, message)));
    }
    let network = NetworkRow::new("", text);
    let options = network.check_options(&check.options).map_err(Error::Spec)?;
    let graph = network
        .graph_of(&options, &check.input, check.classes)
        .map_err(text_error)?;
    let available = machine::memory_bytes();
    if let Some(message) = available.and_then(|bytes| too_large_for(&graph, 1, bytes)) {
        let (_, place) = graph.least_memory_bytes(1);
        let node = &graph.nodes[place];
        let line = node.lines.first().copied().unwrap_or(1);
        let mut error = TextError::at(line, 1, message);
        error.layer = Some(node.name.clone());
        return Err(text_error(error));
    }
    Ok(CheckedNetwork {
        title: network.title.clone(),
        parameters: graph.parameters(),
        multiply_adds: graph.multiply_adds(),
        memory_bytes: graph.memory_bytes(),
        layers: layers(&graph),
        stages: stages(&graph),
        options: network.fields,
    })
}

fn layers(graph: &Graph) -> Vec<CheckedLayer> {
    let groups = graph.parts();
    let times = graph.time_shares();
    let nodes = graph.nodes.iter().zip(groups).enumerate();
    nodes
        .map(|(place, (node, group))| CheckedLayer {
            name: node.name.clone(),
            operation: node.class(),
            detail: node.operation.detail(),
            inputs: node.inputs.clone(),
            shape: node.shape.clone(),
            parameters: graph.parameters_of(place),
            multiply_adds: graph.multiply_adds_of(place),
            memory_bytes: graph.memory_bytes_of(place),
            time_share: times[place],
            line: node.lines.first().copied().unwrap_or(0),
            lines: node.lines.clone(),
            group,
        })
        .collect()
}
