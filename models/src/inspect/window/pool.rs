//! The window of a pooling layer.

use super::super::recording::{Recording, read};
use super::super::{Inspector, check_index};
use super::{
    Direction, PoolGeometry, PoolSpan, SlidingWindow, SourcePlane, WindowOperation, WindowQuery,
    plane, shape, size,
};
use crate::error::{Error, Result};
use crate::graph::Operation;
use crate::ops::{PoolPart, adaptive_parts};

impl Inspector {
    pub(super) fn pool_window(
        &self,
        recording: &Recording,
        place: usize,
        query: WindowQuery,
    ) -> Result<SlidingWindow> {
        let (layer, step) = (&self.layers()[place], &recording.steps[place]);
        let node = self.model().graph().nodes.iter();
        let operation = node.clone().find(|node| node.name == layer.name);
        let refused = || Error::setting("layer", format!("{:?} pools no maps", layer.name));
        let input = step.inputs.first().filter(|input| input.rank() == 4);
        let (Some(operation), Some(input)) = (operation, input) else {
            return Err(refused());
        };
        let [channels, height, width] = size(input);
        let (rows, columns) = match operation.operation {
            Operation::MaxPool2d { window } => (
                window.parts(0, height, false),
                window.parts(1, width, false),
            ),
            Operation::AvgPool2d {
                window,
                count_include_pad,
            } => (
                window.parts(0, height, count_include_pad),
                window.parts(1, width, count_include_pad),
            ),
            Operation::AdaptiveAvgPool2d { output } => (
                adaptive_parts(output[0], height),
                adaptive_parts(output[1], width),
            ),
            Operation::Mean => (adaptive_parts(1, height), adaptive_parts(1, width)),
            _ => return Err(refused()),
        };
        // A pooling layer keeps channels apart: a map is made of the channel of its number.
        let map = match query.direction {
            Direction::Forward => check_index("map", query.map, channels)?,
            Direction::Backward => {
                check_index("input", query.input.unwrap_or(query.map), channels)?
            }
        };
        let values = read(input, |values| plane(values, channels, map))?;
        let is_max = matches!(operation.operation, Operation::MaxPool2d { .. });
        let winners = is_max.then(|| winners(&values, width, &rows, &columns));
        let output = |tensor| read(tensor, |values| plane(values, channels, map));
        let gradients = self.layer_gradients(recording, place, query)?;
        let (source, target) = (shape(input), shape(&step.output));
        let pool = PoolGeometry {
            rows: rows.iter().map(span).collect(),
            columns: columns.iter().map(span).collect(),
            winners,
        };
        let (source, target, values, result) = match &gradients {
            None => (source, target, values, output(&step.output)?),
            Some(gradients) => {
                let arrived = output(&gradients.output)?;
                let through = gradients.input.as_ref();
                let result = match through.filter(|through| through.dims() == input.dims()) {
                    Some(through) => output(through)?,
                    // The mean over an image is two operations of the pass, and this gradient is between them.
                    None => spread(&arrived, &pool, height, width),
                };
                (target, source, arrived, result)
            }
        };
        Ok(SlidingWindow {
            layer: layer.name.clone(),
            operation: match is_max {
                true => WindowOperation::MaxPool,
                false => WindowOperation::MeanPool,
            },
            direction: query.direction,
            map,
            input: map,
            source,
            target,
            reads: [map, map + 1],
            geometry: None,
            pool: Some(pool),
            planes: vec![SourcePlane {
                channel: map,
                values,
                weights: Vec::new(),
            }],
            rest: None,
            bias: None,
            values: result,
            then: match &gradients {
                None => self.following_maps(recording, place, map)?,
                Some(_) => Vec::new(),
            },
            class: gradients.as_ref().map(|gradients| gradients.class),
            score: gradients.as_ref().map(|gradients| gradients.score),
        })
    }
}

fn span(part: &PoolPart) -> PoolSpan {
    PoolSpan {
        start: part.start,
        end: part.end,
        count: part.count,
    }
}

/// The pixel that each maximum came from: the first of equal values, and the last NaN, as in the pass.
fn winners(values: &[f32], width: usize, rows: &[PoolPart], columns: &[PoolPart]) -> Vec<usize> {
    let winner = |row: &PoolPart, column: &PoolPart| {
        let mut best = row.start * width + column.start;
        for y in row.start..row.end {
            for x in column.start..column.end {
                let pixel = y * width + x;
                if values[pixel] > values[best] || values[pixel].is_nan() {
                    best = pixel;
                }
            }
        }
        best
    };
    let of_row = |row| columns.iter().map(move |column| winner(row, column));
    rows.iter().flat_map(of_row).collect()
}

/// The gradient of the input of a mean.
fn spread(gradient: &[f32], pool: &PoolGeometry, height: usize, width: usize) -> Vec<f32> {
    let mut sums = vec![0.0; height * width];
    for (row, rows) in pool.rows.iter().enumerate() {
        for (column, columns) in pool.columns.iter().enumerate() {
            let count = (rows.count * columns.count).max(1);
            let share = gradient[row * pool.columns.len() + column] / count as f32;
            for y in rows.start..rows.end {
                for x in columns.start..columns.end {
                    sums[y * width + x] += share;
                }
            }
        }
    }
    sums
}
