//! The shapes of parameters, and their number.

use super::{Graph, Operation};

impl Graph {
    /// The shape of a node's weight: `[outputs, inputs / groups, height, width]`, `[outputs, inputs]` or `[channels]`;
    /// empty for a node without parameters.
    pub fn weight_shape(&self, place: usize) -> Vec<usize> {
        let node = &self.nodes[place];
        let inputs = || self.nodes[node.inputs[0]].shape[0];
        match node.operation {
            Operation::Conv2d {
                out_channels,
                kernel: [height, width],
                groups,
                ..
            } => vec![out_channels, inputs() / groups, height, width],
            Operation::Linear { out_features, .. } => vec![out_features, inputs()],
            Operation::BatchNorm { .. } => vec![inputs()],
            _ => Vec::new(),
        }
    }

    /// The number of a node's trainable values.
    pub fn parameters_of(&self, place: usize) -> u64 {
        let shape = self.weight_shape(place);
        let Some(outputs) = shape.first() else {
            return 0;
        };
        let weight = shape
            .iter()
            .fold(1u64, |len, side| len.saturating_mul(*side as u64));
        let has_bias = match self.nodes[place].operation {
            Operation::Conv2d { bias, .. } | Operation::Linear { bias, .. } => bias,
            _ => true,
        };
        weight.saturating_add(if has_bias { *outputs as u64 } else { 0 })
    }

    /// The number of trainable values.
    pub fn parameters(&self) -> u64 {
        (0..self.nodes.len()).fold(0, |sum: u64, place| {
            sum.saturating_add(self.parameters_of(place))
        })
    }

    /// The names and shapes of its tensors: parameters in the order of a state dict, then buffers.
    pub fn state_dict(&self) -> Vec<(String, Vec<usize>)> {
        let (mut parameters, mut buffers) = (Vec::new(), Vec::new());
        for place in self.state_dict_order() {
            let node = &self.nodes[place];
            let name = |tensor: &str| {
                if node.root {
                    tensor.to_owned()
                } else {
                    format!("{}.{tensor}", node.name)
                }
            };
            let weight = self.weight_shape(place);
            let Some(outputs) = weight.first().copied() else {
                continue;
            };
            parameters.push((name("weight"), weight));
            match node.operation {
                Operation::Conv2d { bias: false, .. } | Operation::Linear { bias: false, .. } => {}
                _ => parameters.push((name("bias"), vec![outputs])),
            }
            if matches!(node.operation, Operation::BatchNorm { .. }) {
                buffers.push((name("running_mean"), vec![outputs]));
                buffers.push((name("running_var"), vec![outputs]));
                buffers.push((name("num_batches_tracked"), Vec::new()));
            }
        }
        parameters.append(&mut buffers);
        parameters
    }
}
