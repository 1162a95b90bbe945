//! What a sample costs: multiplications, memory and time.

use super::{Graph, Operation};

impl Graph {
    /// The multiplications, each with an addition, of a node for one sample. Only convolutions and fully connected layers
    /// count, as is usual.
    pub fn multiply_adds_of(&self, place: usize) -> u64 {
        let node = &self.nodes[place];
        let is_product = matches!(
            node.operation,
            Operation::Conv2d { .. } | Operation::Linear { .. }
        );
        if !is_product {
            return 0;
        }
        // The weight has one value for each channel of the result and each value that it sums.
        let weight = product(&self.weight_shape(place));
        let pixels = product(node.shape.get(1..).unwrap_or_default());
        weight.saturating_mul(pixels)
    }

    /// The multiplications of a forward pass for one sample.
    pub fn multiply_adds(&self) -> u64 {
        (0..self.nodes.len()).fold(0, |sum: u64, place| {
            sum.saturating_add(self.multiply_adds_of(place))
        })
    }
}

/// Bytes of a parameter in training: its value, gradient and velocity as f32.
const PARAMETER_BYTES: u64 = 12;

/// Bytes of a value of a result, which the backward pass needs, as f32.
const VALUE_BYTES: u64 = 4;

/// The multiplications that take about as long as a value of a result takes to be written and read again, forward and
/// backward.
const MULTIPLY_ADDS_OF_A_VALUE: u64 = 32;

impl Graph {
    /// The memory of a node in a training step with one sample, in bytes.
    pub fn memory_bytes_of(&self, place: usize) -> u64 {
        let values = product(&self.nodes[place].shape).saturating_mul(VALUE_BYTES);
        let parameters = self.parameters_of(place).saturating_mul(PARAMETER_BYTES);
        values.saturating_add(parameters)
    }

    /// The memory of a training step with one sample, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        (0..self.nodes.len()).fold(0, |sum: u64, place| {
            sum.saturating_add(self.memory_bytes_of(place))
        })
    }

    /// The least memory of any pass over `batch` samples, in bytes: the parameters, and the largest result beside its
    /// inputs. Also the node of that result.
    pub fn least_memory_bytes(&self, batch: u64) -> (u64, usize) {
        let bytes = |place: usize| product(&self.nodes[place].shape).saturating_mul(VALUE_BYTES);
        let at = |place: usize| {
            // Some results take the place of their input.
            let is_new = matches!(
                self.nodes[place].operation,
                Operation::Conv2d { .. }
                    | Operation::Linear { .. }
                    | Operation::MaxPool2d { .. }
                    | Operation::AvgPool2d { .. }
                    | Operation::AdaptiveAvgPool2d { .. }
                    | Operation::ZeroPad2d { .. }
                    | Operation::Concat
            );
            let inputs = self.nodes[place].inputs.iter().map(|input| bytes(*input));
            let inputs = if is_new {
                inputs.fold(0, u64::saturating_add)
            } else {
                0
            };
            bytes(place).saturating_add(inputs)
        };
        let most = (0..self.nodes.len()).max_by_key(|place| (at(*place), *place));
        let most = most.unwrap_or_default();
        let parameters = self.parameters().saturating_mul(VALUE_BYTES);
        (
            at(most).saturating_mul(batch).saturating_add(parameters),
            most,
        )
    }

    /// The estimated share of each node in the time of a training step; together 1. A node that only passes its input on
    /// takes none.
    pub fn time_shares(&self) -> Vec<f64> {
        let times: Vec<f64> = self
            .nodes
            .iter()
            .enumerate()
            .map(|(place, node)| match node.operation {
                Operation::Input | Operation::Identity | Operation::Flatten => 0.0,
                _ => {
                    let values = product(&node.shape) as f64 * MULTIPLY_ADDS_OF_A_VALUE as f64;
                    self.multiply_adds_of(place) as f64 + values
                }
            })
            .collect();
        let sum: f64 = times.iter().sum();
        times
            .iter()
            .map(|time| if sum > 0.0 { time / sum } else { 0.0 })
            .collect()
    }
}

fn product(sides: &[usize]) -> u64 {
    sides
        .iter()
        .fold(1, |product: u64, side| product.saturating_mul(*side as u64))
}
