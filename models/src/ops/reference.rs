//! A reference of every operation, made of candle-core's and candle-nn's operations. It is slow.
//!
//! `VIVARIUM_OPS=reference` selects it for the whole process, so that the tests hold both to the same numbers. Gradients
//! are Candle's, through a second forward pass. Where Candle's gradient is not PyTorch's (ReLU at 0, SiLU, pooling,
//! convolutions) or a layer of candle-nn has other settings, the operation is composed of others. Batch normalization
//! has PyTorch's formula for its gradient, because infinite gradients become NaN in Candle's.

mod activation;
mod inplace;
mod loss;
mod optimizer;

use std::sync::OnceLock;

use candle_core::{D, DType, Result, Tensor, Var, bail};
use candle_nn::{Linear, Module as _};

use activation::activated;
pub(super) use activation::{activate, hardtanh};
pub(super) use inplace::{add_one_, copy_, ema_, lerp_};
pub(super) use loss::{SoftTargets, cross_entropy, perceptron_loss, weighted_cross_entropy};
pub(super) use optimizer::step;

use super::activation::Activation;
use super::conv::ConvParams;
use super::float::Float;
use super::gradient_sink::accumulate_grad;
use super::kernel::storage_slice;
use super::pool::PoolWindow;
use super::statistics::BatchStatistics;
use super::tape::{BackwardFn, SaveForBackward, push, recorded, recording};
use crate::error;

/// The environment variable that selects the operations of this process: `kernels`, which is the default, or
/// `reference`.
pub const ENV_VAR: &str = "VIVARIUM_OPS";

/// Whether a value of the variable selects the reference, or why it selects nothing.
fn selects(value: Option<&str>) -> std::result::Result<bool, String> {
    match value {
        None | Some("" | "kernels") => Ok(false),
        Some("reference") => Ok(true),
        Some(other) => Err(format!("must be one of kernels, reference, not {other}")),
    }
}

fn selection() -> &'static std::result::Result<bool, String> {
    static SELECTION: OnceLock<std::result::Result<bool, String>> = OnceLock::new();
    SELECTION.get_or_init(|| {
        let value = std::env::var_os(ENV_VAR);
        selects(
            value
                .as_deref()
                .map(|value| value.to_string_lossy())
                .as_deref(),
        )
    })
}

/// Whether operations are those of the reference.
pub fn selected() -> bool {
    *selection() == Ok(true)
}

/// Fails where [`ENV_VAR`] selects nothing. Operations are then the kernels, so call this first, as
/// [`set_threads`](super::set_threads) does.
///
/// # Errors
/// [`Error::Setting`](crate::Error::Setting) names the variable and its values.
pub fn check_selection() -> error::Result<()> {
    match selection() {
        Ok(_) => Ok(()),
        Err(refusal) => Err(error::Error::setting(ENV_VAR, refusal)),
    }
}

/// Applies a function of tensors. A tape that records takes it as one operation with Candle's gradients, through a second
/// forward pass.
fn apply<const N: usize>(
    arguments: [&Tensor; N],
    function: impl Fn([&Tensor; N]) -> Result<Tensor> + 'static,
) -> Result<Tensor> {
    let y = function(operands(arguments).each_ref())?.contiguous()?;
    record(arguments, &y, move |arguments, dy| {
        let variables = arguments
            .iter()
            .map(Var::from_tensor)
            .collect::<Result<Vec<_>>>()?;
        let y = function(std::array::from_fn(|i| variables[i].as_tensor()))?;
        let gradients = (y * dy)?.sum_all()?.backward()?;
        let gradient = |variable: &Var| match gradients.get(variable) {
            Some(gradient) => Ok(gradient.clone()),
            None => variable.zeros_like(),
        };
        variables.iter().map(gradient).collect()
    })?;
    Ok(y)
}

/// The arguments as a function of Candle's takes them: under a tape they are not part of Candle's graph.
fn operands<const N: usize>(arguments: [&Tensor; N]) -> [Tensor; N] {
    match recording(&arguments) {
        Some(_) => arguments.map(Tensor::detach),
        None => arguments.map(Tensor::clone),
    }
}

/// Hands an operation to the tape, if one records. `backward` returns the gradient of each argument.
fn record<const N: usize>(
    arguments: [&Tensor; N],
    y: &Tensor,
    backward: impl Fn(&[Tensor; N], &Tensor) -> Result<Vec<Tensor>> + 'static,
) -> Result<()> {
    if !recorded(&arguments) {
        return Ok(());
    }
    let saved = arguments.map(Tensor::detach);
    let variables = arguments.map(Tensor::clone);
    let backward: BackwardFn = Box::new(move |_, dy| {
        let gradients = backward(&saved, dy)?;
        let hand_over = |(variable, gradient): (&Tensor, Tensor)| match gradient.dtype() {
            DType::F64 => accumulate::<f64>(variable, &gradient.contiguous()?),
            _ => accumulate::<f32>(variable, &gradient.contiguous()?),
        };
        variables.iter().zip(gradients).map(hand_over).collect()
    });
    push(&arguments, y, SaveForBackward::Shapes, backward)
}

/// Hands the gradient of an argument to the sink.
fn accumulate<T: Float>(argument: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
    let (storage, layout) = gradient.storage_and_layout();
    let values = storage_slice::<T>(&storage, layout)?;
    accumulate_grad(argument, |out: &mut [T], add| {
        for (out, value) in out.iter_mut().zip(values) {
            *out = if add { *out + *value } else { *value };
        }
        Ok(())
    })
}

pub(super) fn linear(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    apply([x, weight, bias], |[x, weight, bias]| {
        Linear::new(weight.clone(), Some(bias.clone())).forward(x)
    })
}

/// NHWC images as NCHW, which is Candle's layout.
fn to_nchw(x: &Tensor) -> Result<Tensor> {
    x.permute((0, 3, 1, 2))?.contiguous()
}

fn to_nhwc(x: &Tensor) -> Result<Tensor> {
    x.permute((0, 2, 3, 1))?.contiguous()
}

/// The pixels under a window that moves over images: `[n, rows, columns, positions in the window, channels]`.
fn windows(
    x: &Tensor,
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
) -> Result<Tensor> {
    let (n, height, width, channels) = x.dims4()?;
    let [tall, wide] = [0, 1].map(|side| (kernel[side] - 1) * dilation[side] + 1);
    let rows = (height - tall) / stride[0] + 1;
    let columns = (width - wide) / stride[1] + 1;
    let mut pixels = Vec::new();
    for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
        for ky in 0..kernel[0] {
            let first = (row * stride[0] + ky * dilation[0]) * width + column * stride[1];
            pixels.extend((0..kernel[1]).map(|kx| (first + kx * dilation[1]) as u32));
        }
    }
    x.flatten(1, 2)?
        .contiguous()?
        .index_select(&Tensor::new(pixels, x.device())?, 1)?
        .reshape((n, rows, columns, kernel[0] * kernel[1], channels))
}

/// A product of patches with the weights. Candle's `conv2d` has one stride and one padding for both directions, and a
/// wrong gradient where the stride leaves more pixels at the bottom than at the right.
pub(super) fn conv2d(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    params: ConvParams,
) -> Result<Tensor> {
    let ConvParams {
        stride,
        padding: [height, width],
        dilation,
        groups,
    } = params;
    let convolved = move |x: &Tensor, weight: &Tensor| {
        let (out, inputs, kh, kw) = weight.dims4()?;
        let x = x
            .pad_with_zeros(1, height, height)?
            .pad_with_zeros(2, width, width)?;
        let patches = windows(&x, [kh, kw], stride, dilation)?;
        let (n, rows, columns, positions, _) = patches.dims5()?;
        if inputs == 1 && out == groups {
            // Products of many small matrices are slow in Candle.
            let weight = weight.reshape((out, positions))?.t()?;
            return patches.broadcast_mul(&weight)?.sum(3);
        }
        let patches = patches
            .reshape(((), positions, groups, inputs))?
            .permute((2, 0, 1, 3))?
            .reshape((groups, (), positions * inputs))?;
        let weight = weight
            .reshape((groups, out / groups, inputs, positions))?
            .permute((0, 3, 2, 1))?
            .reshape((groups, positions * inputs, out / groups))?;
        patches
            .matmul(&weight)?
            .transpose(0, 1)?
            .reshape((n, rows, columns, out))
    };
    match bias {
        Some(bias) => apply([x, weight, bias], move |[x, weight, bias]| {
            convolved(x, weight)?.broadcast_add(bias)
        }),
        None => apply([x, weight], move |[x, weight]| convolved(x, weight)),
    }
}

pub(super) fn max_pool2d(x: &Tensor, window: PoolWindow) -> Result<Tensor> {
    let PoolWindow { kernel, stride, .. } = window;
    apply([x], move |[x]| {
        let views =
            |x: &Tensor, outside| windows(&padded(x, window, outside)?, kernel, stride, [1, 1]);
        let (values, inside) = (
            views(x, f32::NEG_INFINITY)?,
            views(&x.detach().ones_like()?, 0.0)?,
        );
        let at = |views: &Tensor, position| views.narrow(3, position, 1)?.squeeze(3)?.contiguous();
        let first = (at(&values, 0)?, at(&inside, 0)?);
        let last = (1..kernel[0] * kernel[1]).try_fold(first, |(maximum, is_found), position| {
            let (values, is_inside) = (at(&values, position)?, at(&inside, position)?);
            let (is_greater, is_nan) = (values.gt(&maximum)?, values.ne(&values)?);
            // The first pixel counts even if it is -inf, as the padding is.
            let is_first = is_inside.gt(&is_found)?;
            let is_maximum = is_greater.maximum(&is_nan)?.maximum(&is_first)?;
            let maximum = is_maximum.where_cond(&values, &maximum)?;
            Ok::<_, candle_core::Error>((maximum, is_found.maximum(&is_inside)?))
        });
        Ok(last?.0)
    })
}

/// An image with the padding of a window, and what it covers beyond the image and the padding.
fn padded(x: &Tensor, window: PoolWindow, value: f32) -> Result<Tensor> {
    let (_, height, width, _) = x.dims4()?;
    let Some(positions) = window.positions([height, width]) else {
        bail!("{window:?} does not fit")
    };
    [0, 1].into_iter().try_fold(x.clone(), |x, side| {
        let (dim, padding) = (side + 1, window.padding[side]);
        let covered = (positions[side] - 1) * window.stride[side] + window.kernel[side];
        let after = covered.saturating_sub(x.dim(dim)? + padding).max(padding);
        let edge = |len| {
            let mut shape = x.dims().to_vec();
            shape[dim] = len;
            Tensor::full(value, shape, x.device())?.to_dtype(x.dtype())
        };
        let mut parts = vec![x.clone()];
        if padding > 0 {
            parts.insert(0, edge(padding)?);
        }
        if after > 0 {
            parts.push(edge(after)?);
        }
        Tensor::cat(&parts, dim)
    })
}

pub(super) fn avg_pool2d(
    x: &Tensor,
    window: PoolWindow,
    count_include_pad: bool,
) -> Result<Tensor> {
    let (_, height, width, _) = x.dims4()?;
    let counts = |which: usize, side: usize| -> Vec<f64> {
        let parts = window.parts(which, side, count_include_pad);
        parts.iter().map(|part| 1.0 / part.count as f64).collect()
    };
    let (rows, columns) = (counts(0, height), counts(1, width));
    apply([x], move |[x]| {
        let sums = windows(
            &padded(x, window, 0.0)?,
            window.kernel,
            window.stride,
            [1, 1],
        )?
        .sum(3)?;
        let share = |shares: &[f64], shape: [usize; 3]| {
            Tensor::new(shares, x.device())?
                .to_dtype(x.dtype())?
                .reshape(&shape[..])
        };
        sums.broadcast_mul(&share(&rows, [rows.len(), 1, 1])?)?
            .broadcast_mul(&share(&columns, [1, columns.len(), 1])?)
    })
}

pub(super) fn adaptive_avg_pool2d(x: &Tensor, rows: usize, columns: usize) -> Result<Tensor> {
    /// The means of `cells` parts along a dimension. Parts overlap where `cells` does not divide it.
    fn means(x: &Tensor, dim: usize, cells: usize) -> Result<Tensor> {
        let side = x.dim(dim)?;
        let mean = |cell: usize| {
            let (start, end) = (cell * side / cells, ((cell + 1) * side).div_ceil(cells));
            x.narrow(dim, start, end - start)?.mean_keepdim(dim)
        };
        Tensor::cat(&(0..cells).map(mean).collect::<Result<Vec<_>>>()?, dim)
    }
    apply([x], move |[x]| means(&means(x, 1, rows)?, 2, columns))
}

/// Mean and variance of each channel, the last dimension, in double precision.
fn moments(x: &Tensor) -> Result<(Tensor, Tensor)> {
    let rows = x.to_dtype(DType::F64)?.flatten_to(D::Minus2)?;
    let mean = rows.mean(0)?;
    let variance = rows.broadcast_sub(&mean)?.sqr()?.mean(0)?;
    Ok((mean, variance))
}

/// candle-nn's `BatchNorm` does not return the statistics, and takes them in single precision.
pub(super) fn batch_norm(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    epsilon: f64,
    activation: Option<Activation>,
) -> Result<(Tensor, BatchStatistics)> {
    let arguments = [x, weight, bias];
    let inputs = operands(arguments);
    let (mean, variance) = moments(&inputs[0])?;
    let statistics = BatchStatistics {
        rows: x.elem_count() / mean.elem_count(),
        mean: mean.to_vec1()?,
        variance: variance.to_vec1()?,
    };
    let y = normalized(
        inputs.each_ref(),
        &(mean.clone(), variance.clone()),
        epsilon,
    )?;
    record(arguments, &y, move |[x, weight, _], dy| {
        let rows = |tensor: &Tensor| tensor.to_dtype(DType::F64)?.flatten_to(D::Minus2);
        let (centered, dy) = (rows(x)?.broadcast_sub(&mean)?, rows(dy)?);
        let n = dy.dim(0)? as f64;
        let scale = (&variance + epsilon)?.sqrt()?.recip()?;
        let (sum, dot) = (dy.sum(0)?, (&dy * &centered)?.sum(0)?);
        let projection = centered.broadcast_mul(&((&dot * scale.sqr()?)? / n)?)?;
        let dx = (dy.broadcast_sub(&(&sum / n)?)? - projection)?
            .broadcast_mul(&(&scale * weight.to_dtype(DType::F64)?)?)?
            .reshape(x.shape())?;
        let gradients = [dx, (dot * scale)?, sum];
        gradients.iter().map(|d| d.to_dtype(x.dtype())).collect()
    })?;
    let y = match activation {
        Some(activation) => activate(&y, activation)?,
        None => y,
    };
    Ok((y, statistics))
}

pub(super) fn batch_norm_eval(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    statistics: &BatchStatistics,
    epsilon: f64,
    activation: Option<Activation>,
) -> Result<Tensor> {
    let of_channels = |values: &[f64]| Tensor::new(values, x.device());
    let moments = (
        of_channels(&statistics.mean)?,
        of_channels(&statistics.variance)?,
    );
    apply([x, weight, bias], move |arguments| {
        let y = normalized(arguments, &moments, epsilon)?;
        match activation {
            Some(activation) => activated(&y, activation),
            None => Ok(y),
        }
    })
}

fn normalized(
    [x, weight, bias]: [&Tensor; 3],
    (mean, variance): &(Tensor, Tensor),
    epsilon: f64,
) -> Result<Tensor> {
    x.to_dtype(DType::F64)?
        .broadcast_sub(mean)?
        .broadcast_div(&(variance + epsilon)?.sqrt()?)?
        .to_dtype(x.dtype())?
        .broadcast_mul(weight)?
        .broadcast_add(bias)
}

/// `mask` is the factor of each value.
pub(super) fn dropout(x: &Tensor, mask: Tensor) -> Result<Tensor> {
    apply([x], move |[x]| x * &mask)
}

pub(super) fn channels_last(x: &Tensor) -> Result<Tensor> {
    apply([x], |[x]| to_nhwc(x))
}

pub(super) fn flatten_channels_first(x: &Tensor) -> Result<Tensor> {
    apply([x], |[x]| to_nchw(x)?.flatten_from(1))
}

pub(super) fn zero_pad2d(x: &Tensor, [left, right, top, bottom]: [usize; 4]) -> Result<Tensor> {
    apply([x], move |[x]| {
        x.pad_with_zeros(1, top, bottom)?
            .pad_with_zeros(2, left, right)
    })
}

pub(super) fn flatten(x: &Tensor) -> Result<Tensor> {
    apply([x], |[x]| x.flatten_from(1))
}

pub(super) fn cat(parts: &[&Tensor]) -> Result<Tensor> {
    let Some((first, rest)) = parts.split_first() else {
        bail!("cat takes at least one tensor")
    };
    rest.iter().try_fold((*first).clone(), |left, right| {
        apply([&left, right], |parts| Tensor::cat(&parts, D::Minus1))
    })
}

pub(super) fn add(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    apply([a, b], |[a, b]| a + b)
}

pub(super) fn mul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    apply([a, b], |[a, b]| a.broadcast_mul(b))
}

pub(super) fn softmax(scores: &Tensor) -> Result<Vec<Vec<f32>>> {
    candle_nn::ops::softmax(&scores.detach(), 1)?.to_vec2()
}

#[cfg(test)]
mod tests;
