//! Convolutions of channels-last images.
//!
//! | module | what it computes |
//! |---|---|
//! | `pointwise` | 1x1, stride 1: a matrix product over all pixels |
//! | `winograd` | 3x3, stride 1: a quarter of the multiplications |
//! | `depthwise` | depthwise convolutions |
//! | `general` | any kernel, stride, padding, dilation and groups: im2col and a matrix product |
//! | `norm_conv` | batch normalisation and an activation, then 1x1 or depthwise, as one operation |
//! | `branches` | several 1x1 convolutions of the same images, as one operation |
//! | `weights` | transposes weights for matrix products |
//!
//! Why channels last: a row of pixels is then a matrix whose columns are channels, so a 1x1 convolution is one matrix
//! product, statistics of channels are sums of rows, and every kernel is a loop over neighbouring channels, which the
//! compiler vectorises. Weights have PyTorch's layout: `[out, in / groups, height, width]`.
#![allow(unsafe_code, reason = "marks memory as written after writing it")]

mod branches;
mod depthwise;
mod general;
mod norm_conv;
mod pointwise;
mod weights;
mod winograd;

pub use branches::conv2d_branches;
pub use norm_conv::norm_conv2d;

use std::mem::MaybeUninit;

use candle_core::{CpuStorage, CustomOp2, CustomOp3, DType, Layout, Result, Shape, Tensor, bail};

use super::float::Float;
use super::gradient_sink::accumulate_grad;
use super::kernel::{
    assume_init_vec, contiguous_slice, storage_slice, sum_rows, try_init_vec, uninit_vec,
};
use super::reference;
use super::tape::{apply2, apply3};
use super::threads;

/// Values per block, where a thread works on images block by block in its cache.
const BLOCK: usize = 1 << 18;

/// Values of images and results per partial sum of the weights' gradient.
const MANY: usize = 16;

/// Stride, padding, dilation and groups of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvParams {
    /// The stride, down and across.
    pub stride: [usize; 2],
    /// The zero padding, in rows and columns.
    pub padding: [usize; 2],
    /// Pixels from one tap of the kernel to the next, down and across.
    pub dilation: [usize; 2],
    /// The number of groups.
    pub groups: usize,
}

impl ConvParams {
    /// Stride 1, one group, and the padding that keeps the image's size for an odd kernel size.
    pub fn same(kernel: usize) -> Self {
        Self {
            stride: [1, 1],
            padding: [kernel / 2, kernel / 2],
            dilation: [1, 1],
            groups: 1,
        }
    }
}

/// The shapes of one convolution.
#[derive(Clone, Copy, Debug)]
struct ConvShape {
    n: usize,
    /// Height, width and channels of the image.
    image: [usize; 3],
    /// Height, width and channels of the result.
    result: [usize; 3],
    kernel: [usize; 2],
    params: ConvParams,
}

impl ConvShape {
    fn new(x: &Shape, weight: &Shape, params: ConvParams) -> Result<Self> {
        let (n, height, width, channels) = x.dims4()?;
        let (out, inputs, kh, kw) = weight.dims4()?;
        let ConvParams {
            stride: [down, across],
            padding: [ph, pw],
            dilation,
            groups,
        } = params;
        let fits = groups > 0
            && down > 0
            && across > 0
            && kh > 0
            && kw > 0
            && dilation[0] > 0
            && dilation[1] > 0
            && channels == inputs * groups
            && out.is_multiple_of(groups)
            && out > 0
            && height > 0
            && width > 0
            && channels > 0;
        // Pixels between the first and the last tap.
        let [tall, wide] = [(kh.max(1) - 1) * dilation[0], (kw.max(1) - 1) * dilation[1]];
        if !fits || height + 2 * ph <= tall || width + 2 * pw <= wide {
            bail!(
                "convolution: an image {x:?} with the weights {weight:?}, strides {down}x{across}, padding {ph}x{pw}, dilation {dilation:?} and {groups} groups does not work"
            )
        }
        Ok(Self {
            n,
            image: [height, width, channels],
            result: [
                (height + 2 * ph - tall - 1) / down + 1,
                (width + 2 * pw - wide - 1) / across + 1,
                out,
            ],
            kernel: [kh, kw],
            params,
        })
    }

    /// Pixels of an image.
    fn image_pixels(&self) -> usize {
        self.image[0] * self.image[1]
    }

    /// Pixels of a result.
    fn result_pixels(&self) -> usize {
        self.result[0] * self.result[1]
    }

    /// Values of an image.
    fn image_len(&self) -> usize {
        self.image_pixels() * self.image[2]
    }

    /// Values of a result.
    fn result_len(&self) -> usize {
        self.result_pixels() * self.result[2]
    }

    fn weights_len(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.image[2] / self.params.groups * self.result[2]
    }

    /// Images per task with a partial sum for every weight: enough that the sums take little memory and time compared
    /// with the images.
    fn images_per_part(&self) -> usize {
        let cut = |parts| self.n.div_ceil(parts).max(1);
        let threads = threads::threads();
        let many = (MANY * self.weights_len()).div_ceil(self.image_len() + self.result_len());
        many.clamp(cut(threads * threads::CHUNKS_PER_THREAD), cut(threads))
    }

    fn algorithm(&self) -> ConvAlgorithm {
        let ConvParams {
            stride,
            padding,
            dilation,
            groups,
        } = self.params;
        if groups > 1 && groups == self.image[2] && groups == self.result[2] {
            ConvAlgorithm::Depthwise
        } else if groups == 1 && self.kernel == [1, 1] && stride == [1, 1] && padding == [0, 0] {
            ConvAlgorithm::Pointwise
        } else if groups == 1
            && stride == [1, 1]
            && dilation == [1, 1]
            && padding == self.kernel.map(|side| side / 2)
            && winograd::fewest_channels(self.kernel)
                .is_some_and(|fewest| self.image[2].min(self.result[2]) >= fewest)
        {
            ConvAlgorithm::Winograd
        } else {
            ConvAlgorithm::General
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConvAlgorithm {
    Pointwise,
    Winograd,
    Depthwise,
    General,
}

/// Convolves images `x` `[n, height, width, in]` with `weight` `[out, in / groups, kernel height, kernel width]`: `[n,
/// height', width', out]`. PyTorch's `conv2d`, except for the order of the images' dimensions.
///
/// The gradient of `x` is computed only if it is needed: not for input images.
///
/// # Errors
/// When the shapes do not match.
pub fn conv2d(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    params: ConvParams,
) -> Result<Tensor> {
    if reference::selected() {
        ConvShape::new(x.shape(), weight.shape(), params)?;
        return reference::conv2d(x, weight, bias, params);
    }
    let op = Conv2dOp { params };
    match bias {
        Some(bias) => apply3(x, weight, bias, op),
        None => apply2(x, weight, op),
    }
}

#[derive(Clone, Copy)]
struct Conv2dOp {
    params: ConvParams,
}

impl Conv2dOp {
    fn forward(
        &self,
        x: (&CpuStorage, &Layout),
        weight: (&CpuStorage, &Layout),
        bias: Option<(&CpuStorage, &Layout)>,
    ) -> Result<(CpuStorage, Shape)> {
        let shape = ConvShape::new(x.1.shape(), weight.1.shape(), self.params)?;
        if let Some((_, layout)) = bias
            && layout.dims() != [shape.result[2]]
        {
            bail!(
                "convolution: a bias {:?} for {} channels",
                layout.shape(),
                shape.result[2]
            )
        }
        let [height, width, channels] = shape.result;
        let y = match x.0 {
            CpuStorage::F64(_) => forward_of::<f64>(&shape, x, weight, bias)?,
            _ => forward_of::<f32>(&shape, x, weight, bias)?,
        };
        Ok((y, (shape.n, height, width, channels).into()))
    }

    /// Gradients of the image, the weights and the bias.
    fn backward(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        dy: &Tensor,
    ) -> Result<[Option<Tensor>; 3]> {
        match x.dtype() {
            DType::F64 => self.backward_of::<f64>(x, weight, bias, dy),
            _ => self.backward_of::<f32>(x, weight, bias, dy),
        }
    }

    fn backward_of<T: Float>(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        dy: &Tensor,
    ) -> Result<[Option<Tensor>; 3]> {
        let shape = ConvShape::new(x.shape(), weight.shape(), self.params)?;
        let dy = dy.contiguous()?;
        let (x_held, x_layout) = x.storage_and_layout();
        let (dy_held, dy_layout) = dy.storage_and_layout();
        let values = storage_slice::<T>(&x_held, x_layout)?;
        let dy = storage_slice::<T>(&dy_held, dy_layout)?;
        let dbias = match bias {
            Some(bias) => accumulate_grad(bias, |dbias, add| {
                if !add {
                    dbias.fill(T::ZERO);
                }
                sum_rows(dy, dbias);
                Ok(())
            })?,
            None => None,
        };
        // The algorithm's gradients of the image and of the weights share their work.
        let mut dx = super::tape::requires_grad(x).then(|| uninit_vec(values.len()));
        let dweight = accumulate_grad(weight, |dweight, add| {
            let (weight_held, weight_layout) = weight.storage_and_layout();
            let arguments = (values, storage_slice(&weight_held, weight_layout)?, dy);
            let dx = dx.as_deref_mut();
            if add {
                let mut part = vec![T::ZERO; dweight.len()];
                gradients(&shape, arguments, dx, Some(&mut part))?;
                dweight
                    .iter_mut()
                    .zip(part)
                    .for_each(|(sum, part)| *sum += part);
                return Ok(());
            }
            gradients(&shape, arguments, dx, Some(dweight))
        })?;
        if !super::tape::requires_grad(weight)
            && let Some(dx) = dx.as_deref_mut()
        {
            let (weight_held, weight_layout) = weight.storage_and_layout();
            let arguments = (values, storage_slice(&weight_held, weight_layout)?, dy);
            gradients(&shape, arguments, Some(dx), None)?;
        }
        let dx = match dx {
            // SAFETY: `gradients` did not fail, so it wrote all of it.
            Some(dx) => Some(Tensor::from_vec(
                unsafe { assume_init_vec(dx) },
                x.shape(),
                x.device(),
            )?),
            None => None,
        };
        Ok([dx, dweight, dbias])
    }
}

fn forward_of<T: Float>(
    shape: &ConvShape,
    x: (&CpuStorage, &Layout),
    weight: (&CpuStorage, &Layout),
    bias: Option<(&CpuStorage, &Layout)>,
) -> Result<CpuStorage> {
    let (x, weight) = (
        contiguous_slice::<T>(x.0, x.1)?,
        contiguous_slice::<T>(weight.0, weight.1)?,
    );
    let bias = match bias {
        Some((bias, layout)) => Some(contiguous_slice::<T>(bias, layout)?),
        None => None,
    };
    // SAFETY: each algorithm writes all of the result, or fails.
    let y = unsafe {
        try_init_vec(shape.n * shape.result_len(), |y| match shape.algorithm() {
            ConvAlgorithm::Pointwise => pointwise::forward(shape, x, weight, bias, y),
            ConvAlgorithm::Winograd => winograd::forward(shape, x, weight, bias, y),
            ConvAlgorithm::Depthwise => {
                depthwise::forward(shape, x, weight, bias, y);
                Ok(())
            }
            ConvAlgorithm::General => general::forward(shape, x, weight, bias, y),
        })
    }?;
    Ok(T::to_cpu_storage_owned(y))
}

/// Writes the requested gradients of the image and of the weights completely, or fails.
fn gradients<T: Float>(
    shape: &ConvShape,
    arguments: (&[T], &[T], &[T]),
    dx: Option<&mut [MaybeUninit<T>]>,
    dweight: Option<&mut [T]>,
) -> Result<()> {
    if shape.n == 0 {
        if let Some(dweight) = dweight {
            dweight.fill(T::ZERO);
        }
        return Ok(());
    }
    match shape.algorithm() {
        ConvAlgorithm::Pointwise => pointwise::gradients(shape, arguments, dx, dweight),
        ConvAlgorithm::Winograd => winograd::gradients(shape, arguments, dx, dweight),
        ConvAlgorithm::Depthwise => {
            depthwise::gradients(shape, arguments, dx, dweight);
            Ok(())
        }
        ConvAlgorithm::General => general::gradients(shape, arguments, dx, dweight),
    }
}

impl CustomOp2 for Conv2dOp {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        weight: &CpuStorage,
        lw: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward((x, lx), (weight, lw), None)
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [dx, dweight, _] = self.backward(x, weight, None, dy)?;
        Ok((dx, dweight))
    }
}

impl CustomOp3 for Conv2dOp {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        weight: &CpuStorage,
        lw: &Layout,
        bias: &CpuStorage,
        lb: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward((x, lx), (weight, lw), Some((bias, lb)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [dx, dweight, dbias] = self.backward(x, weight, Some(bias), dy)?;
        Ok((dx, dweight, dbias))
    }
}
