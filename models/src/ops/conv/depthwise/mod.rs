//! Depthwise convolutions. They are memory-bound, so each pixel is read from memory once: a block of channels at a
//! time, whose sums stay in registers.

mod kernel3x3;

use std::mem::MaybeUninit;

use super::super::float::Float;
use super::super::kernel::{simd_dispatch, zero_init};
use super::super::threads;
use super::{ConvParams, ConvShape};

/// Channels whose sums stay in registers.
const LANES: usize = 32;

/// The range of taps inside the image, for an index of the result along one dimension.
fn inside(
    place: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
    kernel: usize,
    side: usize,
) -> (usize, usize) {
    let start = place * stride;
    let first = padding.saturating_sub(start).div_ceil(dilation).min(kernel);
    let end = (side + padding)
        .saturating_sub(start)
        .div_ceil(dilation)
        .min(kernel);
    (first, end.max(first))
}

/// `[channels, taps]` as `[taps, channels]`.
pub(super) fn transposed<T: Float>(weight: &[T], channels: usize) -> Vec<T> {
    super::weights::taps_first(weight, channels, 1, weight.len() / channels.max(1))
}

/// Adds products to the sums of a block of channels, or of the fewer channels at the end of a pixel.
#[inline(always)]
fn add_products<T: Float>(sums: &mut [T; LANES], a: &[T], b: &[T], lanes: usize) {
    if lanes == LANES {
        for ((sum, a), b) in sums.iter_mut().zip(&a[..LANES]).zip(&b[..LANES]) {
            *sum += *a * *b;
        }
    } else {
        for ((sum, a), b) in sums.iter_mut().zip(&a[..lanes]).zip(&b[..lanes]) {
            *sum += *a * *b;
        }
    }
}

/// One image.
pub(super) fn convolve<T: Float>(
    shape: &ConvShape,
    x: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    y: &mut [MaybeUninit<T>],
) {
    if kernel3x3::fits(shape) {
        kernel3x3::convolve(shape, x, weight, bias, y);
    } else {
        convolve_any(shape, x, weight, bias, y);
    }
}

/// Adds one image's contribution to the gradient `[taps, channels]` of the weights.
pub(super) fn weight_gradient<T: Float>(shape: &ConvShape, x: &[T], dy: &[T], dweight: &mut [T]) {
    if kernel3x3::fits(shape) {
        kernel3x3::weight_gradient(shape, x, dy, dweight);
    } else {
        weight_gradient_any(shape, x, dy, dweight);
    }
}

simd_dispatch! {
    /// One image, any kernel.
    fn convolve_any[T: Float](shape: &ConvShape, x: &[T], weight: &[T], bias: Option<&[T]>, y: &mut [MaybeUninit<T>]) {
        let [height, width, channels] = shape.image;
        let [kh, kw] = shape.kernel;
        let [rows, columns, _] = shape.result;
        let g = shape.params;
        for row in 0..rows {
            let (ky0, ky1) = inside(row, g.stride[0], g.padding[0], g.dilation[0], kh, height);
            for column in 0..columns {
                let (kx0, kx1) = inside(column, g.stride[1], g.padding[1], g.dilation[1], kw, width);
                let out = &mut y[(row * columns + column) * channels..][..channels];
                let mut c = 0;
                while c < channels {
                    let lanes = LANES.min(channels - c);
                    let mut sums = [T::ZERO; LANES];
                    if let Some(bias) = bias {
                        sums[..lanes].copy_from_slice(&bias[c..c + lanes]);
                    }
                    for ky in ky0..ky1 {
                        let y = row * g.stride[0] + ky * g.dilation[0] - g.padding[0];
                        for kx in kx0..kx1 {
                            let at = (y * width + column * g.stride[1] + kx * g.dilation[1] - g.padding[1]) * channels + c;
                            let tap = (ky * kw + kx) * channels + c;
                            add_products(&mut sums, &x[at..], &weight[tap..], lanes);
                        }
                    }
                    for (out, sum) in out[c..c + lanes].iter_mut().zip(&sums) {
                        out.write(*sum);
                    }
                    c += lanes;
                }
            }
        }
    }
}

simd_dispatch! {
    /// The gradient of one image: for each pixel, the sum over the results whose kernels cover it.
    fn image_gradient[T: Float](shape: &ConvShape, dy: &[T], weight: &[T], dx: &mut [T]) {
        let [height, width, channels] = shape.image;
        let [kh, kw] = shape.kernel;
        let [rows, columns, _] = shape.result;
        let g = shape.params;
        for y in 0..height {
            for x in 0..width {
                let out = &mut dx[(y * width + x) * channels..][..channels];
                let mut c = 0;
                while c < channels {
                    let lanes = LANES.min(channels - c);
                    let mut sums = [T::ZERO; LANES];
                    for ky in 0..kh {
                        // row·stride + ky·dilation - padding = y
                        let Some(down) = (y + g.padding[0]).checked_sub(ky * g.dilation[0]) else { continue };
                        let row = down / g.stride[0];
                        if !down.is_multiple_of(g.stride[0]) || row >= rows { continue }
                        for kx in 0..kw {
                            let Some(across) = (x + g.padding[1]).checked_sub(kx * g.dilation[1]) else { continue };
                            let column = across / g.stride[1];
                            if !across.is_multiple_of(g.stride[1]) || column >= columns { continue }
                            let at = (row * columns + column) * channels + c;
                            let tap = (ky * kw + kx) * channels + c;
                            add_products(&mut sums, &dy[at..], &weight[tap..], lanes);
                        }
                    }
                    out[c..c + lanes].copy_from_slice(&sums[..lanes]);
                    c += lanes;
                }
            }
        }
    }
}

simd_dispatch! {
    /// One image's contribution to the gradient of the weights, any kernel.
    fn weight_gradient_any[T: Float](shape: &ConvShape, x: &[T], dy: &[T], dweight: &mut [T]) {
        let [height, width, channels] = shape.image;
        let [kh, kw] = shape.kernel;
        let [rows, columns, _] = shape.result;
        let g = shape.params;
        for row in 0..rows {
            let (ky0, ky1) = inside(row, g.stride[0], g.padding[0], g.dilation[0], kh, height);
            for ky in ky0..ky1 {
                let y = row * g.stride[0] + ky * g.dilation[0] - g.padding[0];
                for kx in 0..kw {
                    let mut c = 0;
                    while c < channels {
                        let lanes = LANES.min(channels - c);
                        let mut sums = [T::ZERO; LANES];
                        for column in 0..columns {
                            let at = (column * g.stride[1] + kx * g.dilation[1]).wrapping_sub(g.padding[1]);
                            if at >= width { continue }
                            let x = &x[(y * width + at) * channels + c..];
                            let dy = &dy[(row * columns + column) * channels + c..];
                            add_products(&mut sums, x, dy, lanes);
                        }
                        let out = &mut dweight[(ky * kw + kx) * channels + c..][..lanes];
                        out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
                        c += lanes;
                    }
                }
            }
        }
    }
}

pub(super) fn forward<T: Float>(
    shape: &ConvShape,
    x: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    y: &mut [MaybeUninit<T>],
) {
    let weight = transposed(weight, shape.image[2]);
    let images = y
        .chunks_exact_mut(shape.result_len())
        .zip(x.chunks_exact(shape.image_len()));
    threads::for_each_item(images, shape.image_len(), |(y, x)| {
        convolve(shape, x, &weight, bias, y);
    });
}

pub(super) fn gradients<T: Float>(
    shape: &ConvShape,
    (x, weight, dy): (&[T], &[T], &[T]),
    dx: Option<&mut [MaybeUninit<T>]>,
    dweight: Option<&mut [T]>,
) {
    let channels = shape.image[2];
    let transposed_weight = transposed(weight, channels);
    let back = rotated(shape, &transposed_weight);
    let part = shape.images_per_part();
    let wanted = dweight.is_some();
    let dxs: Vec<Option<&mut [MaybeUninit<T>]>> = match dx {
        Some(dx) => dx.chunks_mut(part * shape.image_len()).map(Some).collect(),
        None => (0..shape.n.div_ceil(part)).map(|_| None).collect(),
    };
    // Both gradients of an image together, because they both read `dy`.
    let parts = dxs
        .into_iter()
        .zip(x.chunks(part * shape.image_len()))
        .zip(dy.chunks(part * shape.result_len()));
    let sums = threads::map(parts, |((mut dx, x), dy)| {
        let mut sums = vec![T::ZERO; if wanted { weight.len() } else { 0 }];
        let images = x
            .chunks_exact(shape.image_len())
            .zip(dy.chunks_exact(shape.result_len()));
        for (i, (x, dy)) in images.enumerate() {
            if let Some(dx) = &mut dx {
                let dx = &mut dx[i * shape.image_len()..(i + 1) * shape.image_len()];
                match &back {
                    Some((shape, weight)) => convolve(shape, dy, weight, None, dx),
                    None => image_gradient(shape, dy, &transposed_weight, zero_init(dx)),
                }
            }
            if wanted {
                weight_gradient(shape, x, dy, &mut sums);
            }
        }
        sums
    });
    if let Some(dweight) = dweight {
        let mut all = vec![T::ZERO; weight.len()];
        for part in sums {
            all.iter_mut()
                .zip(part)
                .for_each(|(sum, part)| *sum += part);
        }
        super::weights::taps_last(&all, channels, 1, dweight);
    }
}

/// Whether the gradient of the image is a convolution too: see [`rotated`].
pub(super) fn gradient_is_convolution(shape: &ConvShape) -> bool {
    let ConvParams {
        padding, dilation, ..
    } = shape.params;
    let fits = |side: usize| padding[side] <= (shape.kernel[side] - 1) * dilation[side];
    shape.params.stride == [1, 1] && fits(0) && fits(1)
}

/// With stride 1 the gradient of the image is a convolution of the result's gradient with the kernel rotated by 180
/// degrees. Returns its shape and the weights `[taps, channels]`.
pub(super) fn rotated<T: Float>(shape: &ConvShape, weight: &[T]) -> Option<(ConvShape, Vec<T>)> {
    let ConvShape {
        image,
        result,
        kernel,
        params,
        ..
    } = *shape;
    let padding = [0, 1]
        .map(|side| ((kernel[side] - 1) * params.dilation[side]).checked_sub(params.padding[side]));
    let ([1, 1], [Some(down), Some(across)]) = (params.stride, padding) else {
        return None;
    };
    let params = ConvParams {
        padding: [down, across],
        ..params
    };
    let weight = weight
        .chunks_exact(image[2])
        .rev()
        .flatten()
        .copied()
        .collect();
    let back = ConvShape {
        image: result,
        result: image,
        params,
        ..*shape
    };
    Some((back, weight))
}
