//! What a forward pass of one sample costs.

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

fn product(sides: &[usize]) -> u64 {
    sides
        .iter()
        .fold(1, |product: u64, side| product.saturating_mul(*side as u64))
}
