//! What the gradient of a class's score does at one value of a convolution: what comes, what goes on to the layer's
//! input and to its weights, and how the gradient of an input's value is the sum over all values that it reached.

use candle_core::Tensor;
use serde::Serialize;

use super::arithmetic::{Convolution, Pixel, Rows, SHOWN, value_at};
use super::recording::{Recording, read};
use super::{Inspector, below};
use crate::error::{Error, Result};
use crate::ops::{ConvParams, Tape};

/// The way back through one value of a convolution.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GradientAt {
    /// The class whose score is differentiated.
    pub class: usize,
    /// Its score.
    pub score: f32,
    /// The score's gradient by this value.
    pub gradient: f32,
    /// What the value passes on to the patch it sees: gradient times kernel, of the channels that get most.
    pub passes_on: Contributions,
    /// What the value adds to the gradient of the kernel: gradient times patch, of the channels that get most.
    pub to_weights: Contributions,
    /// How the gradient of the input's pixel under the kernel's centre comes together.
    pub arrives: InputGradient,
}

/// Contributions by channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contributions {
    /// Channels in all.
    pub inputs: usize,
    /// The largest, largest first.
    pub channels: Vec<Contribution>,
}

/// What a value contributes to one channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contribution {
    /// The channel of the layer's input.
    pub input: usize,
    /// The kernel, where that is what the gradient is multiplied by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<Rows<f32>>,
    /// The patch, where that is; `None` in the padding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<Rows<Option<f32>>>,
    /// The products; `None` in the padding.
    pub contribution: Rows<Option<f64>>,
}

/// The gradient of one value of the layer's input, as far as it comes through this layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InputGradient {
    /// The channel.
    pub input: usize,
    /// The row.
    pub y: usize,
    /// The column.
    pub x: usize,
    /// The largest terms, largest first.
    pub terms: Vec<Term>,
    /// Terms in all.
    pub terms_total: usize,
    /// The sum of all others.
    pub rest_sum: f64,
    /// The sum of all.
    pub sum: f64,
    /// What the backward pass computed.
    pub value: f32,
}

/// A value that the input's value reached, and what comes back from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Term {
    /// The map.
    pub output: usize,
    /// The row.
    pub y: usize,
    /// The column.
    pub x: usize,
    /// The score's gradient by it.
    pub gradient: f32,
    /// The weight between the two.
    pub weight: f32,
    /// Both multiplied.
    pub product: f64,
}

/// What a backward pass from a class's score tells.
pub(super) struct BackwardPass {
    /// By the network's input, `[1, channels, height, width]`.
    pub(super) input: Tensor,
    /// What the layer gave, and the gradient of that.
    pub(super) layer: Option<(Tensor, Tensor)>,
    /// The gradient of what the layer was given, as far as it comes through the layer.
    through: Option<Tensor>,
}

impl Inspector {
    /// Differentiates the score of a class by the input, and by what the layer at `place` gave.
    pub(super) fn backward(
        &self,
        recording: &Recording,
        class: usize,
        place: Option<usize>,
    ) -> Result<BackwardPass> {
        let x = self.variable(&recording.image)?;
        let (passed, tape) = Tape::record(|| {
            // The first place of the catalogue is the input.
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

    /// What the gradient of a class's score, by default the best one's, does at a value of a convolution. `input` is
    /// the channel for [`GradientAt::arrives`], by default the one that gets most.
    ///
    /// # Errors
    /// [`Error::Setting`] when there is no such layer, value, class or channel, or the layer is no convolution.
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
            below("input", input, conv.image[2])?;
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

/// A gradient times each of some factors; nothing where there is none.
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

/// Those with the largest norms, largest first; of equals, as they are numbered.
fn largest(mut parts: Vec<Contribution>) -> Vec<Contribution> {
    let norm = |part: &Contribution| -> f64 {
        let squares = part.contribution.iter().flatten().flatten();
        squares.map(|value| value * value).sum()
    };
    parts.sort_by(|a, b| norm(b).total_cmp(&norm(a)));
    parts.truncate(SHOWN);
    parts
}

/// The gradient of the input's value under the kernel's centre.
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
        groups,
    } = conv.params;
    let [height, width, _] = conv.image;
    // The centre of a kernel at the edge may lie in the padding: then the nearest pixel.
    let centre = |at: usize, axis: usize, kernel: usize, side: usize| {
        (at * stride[axis] + kernel / 2)
            .saturating_sub(padding[axis])
            .min(side - 1)
    };
    let [y, x] = [centre(at.y, 0, kh, height), centre(at.x, 1, kw, width)];
    let group = input / inputs;
    let of_group = outputs / groups;
    // The place of a result whose kernel meets the pixel with this row or column of its own.
    let reached = |pixel: usize, axis: usize, k: usize| {
        let from = (pixel + padding[axis]).checked_sub(k)?;
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
