//! The backward pass from a class's score through one value of a convolution: the incoming gradient, its contributions
//! to the gradients of input and weights, and the gradient of one input value as the sum over all outputs that it
//! affects.

use candle_core::Tensor;
use serde::Serialize;
use utoipa::ToSchema;

use super::arithmetic::{Convolution, Pixel, Rows, SHOWN, value_at};
use super::recording::{Recording, read};
use super::{Inspector, check_index};
use crate::error::{Error, Result};
use crate::ops::{ConvParams, Tape};

/// The backward pass through one value of a convolution.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct GradientAt {
    /// The class whose score is differentiated.
    pub class: usize,
    /// Its score.
    pub score: f32,
    /// The gradient of the score with respect to this value.
    pub gradient: f32,
    /// The contributions to the gradient of the patch: gradient times kernel, for the channels with the largest.
    pub passes_on: Contributions,
    /// The contributions to the gradient of the kernel: gradient times patch, for the channels with the largest.
    pub to_weights: Contributions,
    /// The gradient of the input pixel under the kernel's centre, as a sum.
    pub arrives: InputGradient,
}

/// Contributions by channel.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Contributions {
    /// The number of channels.
    pub inputs: usize,
    /// The largest contributions, largest first.
    pub channels: Vec<Contribution>,
}

/// The contribution to one channel.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Contribution {
    /// The channel of the layer's input.
    pub input: usize,
    /// The kernel, if the gradient is multiplied by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Vec<Vec<f32>>>)]
    pub kernel: Option<Rows<f32>>,
    /// The patch, if the gradient is multiplied by it; `null` in the padding.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Vec<Vec<Option<f32>>>>)]
    pub patch: Option<Rows<Option<f32>>>,
    /// The products; `null` in the padding.
    #[schema(value_type = Vec<Vec<Option<f64>>>)]
    pub contribution: Rows<Option<f64>>,
}

/// The gradient of one input value, through this layer only.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct InputGradient {
    /// The channel.
    pub input: usize,
    /// The row.
    pub y: usize,
    /// The column.
    pub x: usize,
    /// The largest terms, largest first.
    pub terms: Vec<Term>,
    /// The number of terms.
    pub terms_total: usize,
    /// The sum of the other terms.
    pub rest_sum: f64,
    /// The sum of all terms.
    pub sum: f64,
    /// The value that the backward pass computed.
    pub value: f32,
}

/// An output value that the input value affects, and its term.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = GradientTerm)]
pub struct Term {
    /// The feature map.
    pub output: usize,
    /// The row.
    pub y: usize,
    /// The column.
    pub x: usize,
    /// The gradient of the score with respect to it.
    pub gradient: f32,
    /// The weight between the two.
    pub weight: f32,
    /// The product.
    pub product: f64,
}

/// The results of a backward pass from a class's score.
pub(super) struct BackwardPass {
    /// The gradient of the network's input, `[1, channels, height, width]`.
    pub(super) input: Tensor,
    /// The layer's output and its gradient.
    pub(super) layer: Option<(Tensor, Tensor)>,
    /// The gradient of the layer's input, through this layer only.
    pub(super) through: Option<Tensor>,
}

impl Inspector {
    /// Differentiates the score of a class with respect to the network's input and to the output of the layer at
    /// `place`.
    pub(super) fn backward(
        &self,
        recording: &Recording,
        class: usize,
        place: Option<usize>,
    ) -> Result<BackwardPass> {
        let x = self.variable(&recording.image)?;
        let (passed, tape) = Tape::record(|| {
            // The first layer of the catalogue is the input.
            let (mut at, mut seen) = (1, None);
            let scores = self.pass(&x, &mut |record| {
                if Some(at) == place {
                    seen = Some(record.output.clone());
                }
                at += 1;
                Ok(())
            });
            scores.map(|scores| (scores, seen))
        });
        let (scores, seen) = passed?;
        let mut one = vec![0.0f32; self.classes().len()];
        one[class] = 1.0;
        let one = Tensor::from_vec(one, scores.shape(), scores.device())?;
        let (mut gradient, mut through) = (None, None);
        let layer_id = seen.as_ref().map(Tensor::id);
        let mut hook = |id, dy: &Tensor, first: Option<&Tensor>| {
            let here = Some(id) == layer_id;
            if here {
                gradient = Some(dy.clone());
                through = first.cloned();
            }
            here
        };
        let mut rest = tape.backward_with_hook(&scores, one, &mut hook)?;
        let input = match rest.remove(&x.id()) {
            Some(gradient) => gradient,
            None => x.zeros_like()?,
        };
        let layer = match seen {
            None => None,
            Some(output) => {
                let gradient = match gradient {
                    Some(gradient) => gradient,
                    None => output.zeros_like()?,
                };
                Some((output, gradient.contiguous()?))
            }
        };
        Ok(BackwardPass {
            input: input.contiguous()?,
            layer,
            through,
        })
    }

    /// The backward pass from a class's score, by default the highest, through a value of a convolution. `input` is the
    /// channel for [`GradientAt::arrives`], by default the one with the largest contribution.
    ///
    /// # Errors
    /// [`Error::Setting`] when the layer, value, class or channel does not exist, or the layer is not a convolution.
    pub fn gradient(
        &self,
        recording: &Recording,
        layer: &str,
        at: Pixel,
        class: Option<usize>,
        input: Option<usize>,
    ) -> Result<GradientAt> {
        let place = self.place(layer)?;
        let class = self.class(recording, class)?;
        let conv = Convolution::new(self, recording, place)?;
        conv.check(at)?;
        let channels = conv.channels(at.map);
        if let Some(input) = input {
            check_index("input", input, conv.image[2])?;
            if !channels.contains(&input) {
                let message = format!("{input} is no channel that the map is made of");
                return Err(Error::setting("input", message));
            }
        }
        let back = self.backward(recording, class, Some(place))?;
        let Some((_, gradients)) = &back.layer else {
            return Err(Error::setting("layer", "is not part of the pass"));
        };
        let gradient = value_at(gradients, at)?;
        let inputs = channels.len();
        let passes_on = conv.with_weights(|weights| {
            let part = |input| {
                let kernel = conv.kernel(weights, at.map, input);
                let known = |ky, kx| conv.meets(at, ky, kx).map(|_| kernel[ky][kx]);
                let contribution = times(gradient, kernel.len(), kernel[0].len(), known);
                Contribution {
                    input,
                    contribution,
                    kernel: Some(kernel),
                    patch: None,
                }
            };
            largest(channels.clone().map(part).collect())
        })?;
        let to_weights = read(conv.input, |values| {
            let part = |input| {
                let patch = conv.patch(values, at, input);
                let known = |ky: usize, kx: usize| patch[ky][kx];
                let contribution = times(gradient, patch.len(), patch[0].len(), known);
                Contribution {
                    input,
                    contribution,
                    kernel: None,
                    patch: Some(patch),
                }
            };
            largest(channels.clone().map(part).collect())
        })?;
        let input = input
            .or(passes_on.first().map(|part| part.input))
            .unwrap_or(0);
        Ok(GradientAt {
            class,
            score: recording.scores[class],
            gradient,
            arrives: arrives(&conv, at, input, gradients, back.through.as_ref())?,
            passes_on: Contributions {
                inputs,
                channels: passes_on,
            },
            to_weights: Contributions {
                inputs,
                channels: to_weights,
            },
        })
    }
}

/// A gradient times each factor; `None` for missing factors.
fn times(
    gradient: f32,
    height: usize,
    width: usize,
    factor: impl Fn(usize, usize) -> Option<f32>,
) -> Rows<Option<f64>> {
    let product = |factor: f32| f64::from(gradient) * f64::from(factor);
    let row = |y| (0..width).map(|x| factor(y, x).map(product)).collect();
    (0..height).map(row).collect()
}

/// The indices of the largest norms, largest first; equal ones in order of their index.
fn largest(mut parts: Vec<Contribution>) -> Vec<Contribution> {
    let norm = |part: &Contribution| -> f64 {
        let squares = part.contribution.iter().flatten().flatten();
        squares.map(|value| value * value).sum()
    };
    parts.sort_by(|a, b| norm(b).total_cmp(&norm(a)));
    parts.truncate(SHOWN);
    parts
}

/// The gradient of the input value under the kernel's centre.
fn arrives(
    conv: &Convolution<'_>,
    at: Pixel,
    input: usize,
    gradients: &Tensor,
    through: Option<&Tensor>,
) -> Result<InputGradient> {
    let [outputs, inputs, kh, kw] = conv.dims;
    let ConvParams {
        stride,
        padding,
        dilation,
        groups,
    } = conv.params;
    let [height, width, _] = conv.image;
    // The centre of a kernel at the edge may be in the padding; then the nearest pixel is used.
    let centre = |at: usize, axis: usize, kernel: usize, side: usize| {
        (at * stride[axis] + kernel / 2 * dilation[axis])
            .saturating_sub(padding[axis])
            .min(side - 1)
    };
    let [y, x] = [centre(at.y, 0, kh, height), centre(at.x, 1, kw, width)];
    let group = input / inputs;
    let of_group = outputs / groups;
    // The output row or column whose kernel covers the pixel with this tap.
    let reached = |pixel: usize, axis: usize, k: usize| {
        let from = (pixel + padding[axis]).checked_sub(k * dilation[axis])?;
        (from.is_multiple_of(stride[axis]) && from / stride[axis] < conv.result[axis])
            .then_some(from / stride[axis])
    };
    let mut terms = Vec::new();
    conv.with_weights(|weights| {
        read(gradients, |gradients| {
            for output in group * of_group..(group + 1) * of_group {
                for ky in 0..kh {
                    for kx in 0..kw {
                        let (Some(y), Some(x)) = (reached(y, 0, ky), reached(x, 1, kx)) else {
                            continue;
                        };
                        let gradient =
                            gradients[(y * conv.result[1] + x) * conv.result[2] + output];
                        let weight =
                            weights[((output * inputs + input % inputs) * kh + ky) * kw + kx];
                        terms.push(Term {
                            output,
                            y,
                            x,
                            gradient,
                            weight,
                            product: f64::from(gradient) * f64::from(weight),
                        });
                    }
                }
            }
        })
    })??;
    terms.sort_by(|a, b| b.product.abs().total_cmp(&a.product.abs()));
    let sum = |terms: &[Term]| terms.iter().map(|term| term.product).sum::<f64>();
    let (shown, rest) = terms.split_at(terms.len().min(SHOWN));
    let here = Pixel { map: input, y, x };
    Ok(InputGradient {
        input,
        y,
        x,
        rest_sum: sum(rest),
        sum: sum(shown) + sum(rest),
        terms_total: terms.len(),
        terms: shown.to_vec(),
        value: match through {
            Some(through) => value_at(&through.contiguous()?, here)?,
            None => 0.0,
        },
    })
}
