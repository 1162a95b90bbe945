//! The window of a convolution.

use super::super::arithmetic::Convolution;
use super::super::recording::{Recording, read};
use super::super::{Inspector, check_index};
use super::{
    Direction, LayerGradients, MOST_PLANES, MOST_VALUES, SlidingWindow, SourcePlane,
    WindowGeometry, WindowOperation, WindowQuery, check_read, chosen_input, plane, shape, size,
};
use crate::error::{Error, Result};
use crate::ops::ConvParams;

/// The sums at each position of the target, and how much each source contributes.
struct Contributions {
    total: Vec<f64>,
    /// The square of each source's norm over the target.
    sizes: Vec<f64>,
}

impl Inspector {
    pub(super) fn conv_window(
        &self,
        recording: &Recording,
        place: usize,
        query: WindowQuery,
    ) -> Result<SlidingWindow> {
        let conv = Convolution::new(self, recording, place)?;
        let [outputs, of_group, height, width] = conv.dims;
        let ConvParams {
            stride,
            padding,
            dilation,
            groups,
        } = conv.params;
        let map = check_index("map", query.map, outputs)?;
        let channels = conv.channels(map);
        let input = chosen_input(query, conv.image[2], channels.start)?;
        let per_group = (outputs / groups).max(1);
        let gradients = self.layer_gradients(recording, place, query)?;
        let (reads, chosen, source) = match &gradients {
            None => {
                let reads = [channels.start, channels.end];
                let of = format!("map {map} reads");
                (reads, check_read("input", input, reads, &of)?, conv.input)
            }
            Some(gradients) => {
                let group = input / of_group;
                let reads = [group * per_group, (group + 1) * per_group];
                let of = format!("read channel {input}");
                let map = check_read("map", map, reads, &of)?;
                (reads, map, &gradients.output)
            }
        };
        // The sources and the kernels between them and the target.
        let kernel = |weights: &[f32], source: usize| -> Vec<f32> {
            let (map, input) = match query.direction {
                Direction::Forward => (map, source),
                Direction::Backward => (source, input),
            };
            conv.kernel(weights, map, input).concat()
        };
        let source_channels = size(source)[0];
        let positions = match query.direction {
            Direction::Forward => conv.result[0] * conv.result[1],
            Direction::Backward => conv.image[0] * conv.image[1],
        };
        let (planes, rest) = conv.with_weights(|weights| {
            read(source, |values| {
                let of = |channel: usize| SourcePlane {
                    channel,
                    values: plane(values, source_channels, channel),
                    weights: kernel(weights, channel),
                };
                let all = contributions(&conv, query.direction, positions, reads, of);
                let planes: Vec<_> = shown(&all.sizes, reads[0], chosen, values.len())
                    .into_iter()
                    .map(of)
                    .collect();
                let rest = (planes.len() < reads[1] - reads[0]).then(|| {
                    let mut rest = all.total;
                    for plane in &planes {
                        add_products(&conv, query.direction, plane, &mut rest, -1.0);
                    }
                    rest.into_iter().map(|sum| sum as f32).collect()
                });
                (planes, rest)
            })
        })??;
        let values = match &gradients {
            None => read(conv.output, |values| plane(values, outputs, map))?,
            Some(gradients) => of_input(gradients, input)?,
        };
        let (source, target) = match query.direction {
            Direction::Forward => (shape(conv.input), shape(conv.output)),
            Direction::Backward => (shape(conv.output), shape(conv.input)),
        };
        let is_forward = query.direction == Direction::Forward;
        Ok(SlidingWindow {
            layer: self.layers()[place].name.clone(),
            operation: WindowOperation::Convolution,
            direction: query.direction,
            map,
            input,
            source,
            target,
            reads,
            geometry: Some(WindowGeometry {
                kernel: [height, width],
                stride,
                padding,
                dilation,
                groups,
            }),
            pool: None,
            planes,
            rest,
            bias: match is_forward {
                true => conv.bias(map)?,
                false => None,
            },
            values,
            then: match is_forward {
                true => self.following_maps(recording, place, map)?,
                false => Vec::new(),
            },
            class: gradients.as_ref().map(|gradients| gradients.class),
            score: gradients.as_ref().map(|gradients| gradients.score),
        })
    }
}

/// A channel of the gradient of a layer's input, as the backward pass computed it.
fn of_input(gradients: &LayerGradients, input: usize) -> Result<Vec<f32>> {
    let missing = || Error::setting("layer", "passes no gradient to its input");
    let through = gradients.input.as_ref().ok_or_else(missing)?;
    read(through, |values| plane(values, size(through)[0], input))
}

fn contributions(
    conv: &Convolution<'_>,
    direction: Direction,
    positions: usize,
    reads: [usize; 2],
    of: impl Fn(usize) -> SourcePlane,
) -> Contributions {
    let mut total = vec![0.0; positions];
    let mut part = vec![0.0; positions];
    let sizes = (reads[0]..reads[1]).map(|channel| {
        part.fill(0.0);
        add_products(conv, direction, &of(channel), &mut part, 1.0);
        let sums = total.iter_mut().zip(&part);
        sums.for_each(|(total, part)| *total += part);
        part.iter().map(|value| value * value).sum()
    });
    let sizes = sizes.collect();
    Contributions { total, sizes }
}

/// The channels that are shown, the largest contribution first; `chosen` is always among them.
fn shown(sizes: &[f64], first: usize, chosen: usize, values: usize) -> Vec<usize> {
    let per_plane = (values / sizes.len().max(1)).max(1);
    let most = (MOST_VALUES / per_plane).clamp(1, MOST_PLANES);
    let mut channels: Vec<usize> = (first..first + sizes.len()).collect();
    let size = |channel: &usize| sizes[channel - first];
    channels.sort_by(|a, b| size(b).total_cmp(&size(a)));
    let at = channels.iter().position(|channel| *channel == chosen);
    if let Some(at) = at.filter(|at| *at >= most) {
        channels.swap(at, most - 1);
    }
    channels.truncate(most);
    channels
}

/// Adds `factor` times the products of a source with its kernel to every position of the target.
fn add_products(
    conv: &Convolution<'_>,
    direction: Direction,
    source: &SourcePlane,
    sums: &mut [f64],
    factor: f64,
) {
    let ([_, _, height, width], [rows, columns, _]) = (conv.dims, conv.result);
    let [_, side, _] = conv.image;
    // The input's row or column under a tap, if it is not in the padding.
    let under = |axis: usize, at: usize, k: usize| {
        let ConvParams {
            stride,
            padding,
            dilation,
            ..
        } = conv.params;
        let pixel = (at * stride[axis] + k * dilation[axis]).checked_sub(padding[axis])?;
        (pixel < conv.image[axis]).then_some(pixel)
    };
    for ky in 0..height {
        for kx in 0..width {
            let weight = factor * f64::from(source.weights[ky * width + kx]);
            let taps: Vec<_> = (0..columns)
                .filter_map(|column| Some((column, under(1, column, kx)?)))
                .collect();
            for row in 0..rows {
                let Some(y) = under(0, row, ky) else { continue };
                for (column, x) in &taps {
                    let (output, input) = (row * columns + column, y * side + x);
                    let (from, to) = match direction {
                        Direction::Forward => (input, output),
                        Direction::Backward => (output, input),
                    };
                    sums[to] += weight * f64::from(source.values[from]);
                }
            }
        }
    }
}
