//! Several 1x1 convolutions of the same images as one operation, for networks with such branches. A thread takes a few
//! images at a time through all branches while they are in its cache, so the images are read only once, and their
//! gradient is written only once.

use std::mem::MaybeUninit;

use candle_core::{DType, Result, Tensor, bail};

use super::super::float::Float;
use super::super::gradient_sink::accumulate_grad;
use super::super::kernel::{
    assume_init, assume_init_vec, storage_slice, try_init_vec, uninit_vec, zip_mut,
};
use super::super::matmul::Accumulator;
use super::super::reference;
use super::super::tape::{push_multi, recorded};
use super::super::threads;
use super::pointwise::{BackwardWeights, ForwardWeights, add_up};
use super::{ConvAlgorithm, ConvParams, ConvShape, conv2d};

/// Values of the images that a thread processes at a time.
const BLOCK: usize = super::BLOCK / 4;

/// Convolves images `x` `[n, height, width, in]` with each of the `weights` `[out, in, 1, 1]`, as separate calls of
/// [`conv2d`] do.
///
/// # Errors
/// When the shapes do not match, or a kernel is larger than 1x1.
pub fn conv2d_branches(x: &Tensor, weights: &[&Tensor]) -> Result<Vec<Tensor>> {
    let params = ConvParams::same(1);
    let shapes: Vec<_> = weights
        .iter()
        .map(|weight| ConvShape::new(x.shape(), weight.shape(), params))
        .collect::<Result<_>>()?;
    if let Some(other) = shapes
        .iter()
        .find(|shape| shape.algorithm() != ConvAlgorithm::Pointwise)
    {
        let [height, width] = other.kernel;
        bail!("branches: a kernel of {height}x{width} pixels, where each must have one")
    }
    let Some(branches) = Branches::new(shapes).filter(|_| recorded(&[x]) && !reference::selected())
    else {
        return weights
            .iter()
            .map(|weight| conv2d(x, weight, None, params))
            .collect();
    };
    match x.dtype() {
        DType::F64 => branches.apply::<f64>(x, weights),
        _ => branches.apply::<f32>(x, weights),
    }
}

struct Branches {
    images: usize,
    /// Pixels of an image.
    pixels: usize,
    inputs: usize,
    /// Output channels by branch.
    outputs: Vec<usize>,
    /// Images per task of the backward pass.
    images_per_part: usize,
    /// Images that a thread processes at a time.
    block: usize,
}

/// A branch in the backward pass: its weights, the gradient of its result, and its output channels.
type BranchBackward<'a, T> = (BackwardWeights<'a, T>, &'a [T], usize);

impl Branches {
    /// `None` if there is nothing to share.
    fn new(shapes: Vec<ConvShape>) -> Option<Self> {
        let first = shapes.first().filter(|first| first.n > 0)?;
        let images_per_part = shapes.iter().map(ConvShape::images_per_part).max()?;
        Some(Self {
            images: first.n,
            pixels: first.image_pixels(),
            inputs: first.image[2],
            outputs: shapes.iter().map(|shape| shape.result[2]).collect(),
            images_per_part,
            block: (BLOCK / first.image_len()).clamp(1, images_per_part),
        })
    }

    /// Pixels of all images.
    fn rows(&self) -> usize {
        self.images * self.pixels
    }

    fn apply<T: Float>(self, x: &Tensor, weights: &[&Tensor]) -> Result<Vec<Tensor>> {
        let ys = {
            let (held_x, layout) = x.storage_and_layout();
            self.forward(storage_slice::<T>(&held_x, layout)?, weights)?
        };
        let [n, height, width, _] = <[usize; 4]>::from(x.dims4()?);
        let ys: Vec<_> = ys
            .into_iter()
            .zip(&self.outputs)
            .map(|(y, outputs)| Tensor::from_vec(y, (n, height, width, *outputs), x.device()))
            .collect::<Result<_>>()?;
        let arguments = [&[x], weights].concat();
        let (x, weights) = (
            x.clone(),
            weights.iter().copied().cloned().collect::<Vec<_>>(),
        );
        let back = move |dys: &[Option<Tensor>]| self.backward::<T>(&x, &weights, dys);
        push_multi(&arguments, &ys, Box::new(back));
        Ok(ys)
    }

    /// The results of all branches.
    fn forward<T: Float>(&self, x: &[T], weights: &[&Tensor]) -> Result<Vec<Vec<T>>> {
        let (rows, inputs) = (self.rows(), self.inputs);
        let mut ahead = Vec::with_capacity(weights.len());
        for (weight, outputs) in weights.iter().zip(&self.outputs) {
            let (weight, layout) = weight.storage_and_layout();
            ahead.push(ForwardWeights::new(
                storage_slice::<T>(&weight, layout)?,
                rows,
                inputs,
                *outputs,
            )?);
        }
        let block = self.block * self.pixels;
        let memory = ahead.iter().map(|weight| weight.memory(block)).max();
        let mut ys: Vec<_> = self
            .outputs
            .iter()
            .map(|outputs| uninit_vec(rows * outputs))
            .collect();
        let mut blocks: Vec<_> = ys
            .iter_mut()
            .zip(&self.outputs)
            .map(|(y, outputs)| y.chunks_mut(block * outputs))
            .collect();
        let parts = x.chunks(block * inputs).map(|x| {
            let ys: Vec<_> = blocks.iter_mut().filter_map(Iterator::next).collect();
            (x, ys)
        });
        let _: Vec<()> = threads::try_map(parts, |(x, ys)| {
            let mut memory = uninit_vec(memory.unwrap_or(0));
            for ((weight, outputs), y) in ahead.iter().zip(&self.outputs).zip(ys) {
                weight.block(x, (inputs, *outputs), y, &mut memory)?;
            }
            Ok(())
        })?;
        // SAFETY: the blocks cover all rows, and each product wrote all of its block.
        Ok(ys
            .into_iter()
            .map(|y| unsafe { assume_init_vec(y) })
            .collect())
    }

    /// Gradients of the images and of the weights of all branches with a gradient.
    fn backward<T: Float>(
        &self,
        x: &Tensor,
        weights: &[Tensor],
        dys: &[Option<Tensor>],
    ) -> Result<Vec<Option<Tensor>>> {
        let dys: Vec<_> = dys
            .iter()
            .map(|dy| dy.as_ref().map(Tensor::contiguous).transpose())
            .collect::<Result<_>>()?;
        let mut sums = Vec::new();
        let dx = {
            let (held_x, layout) = x.storage_and_layout();
            let x = storage_slice::<T>(&held_x, layout)?;
            let held_dys: Vec<_> = dys
                .iter()
                .map(|dy| dy.as_ref().map(Tensor::storage_and_layout))
                .collect();
            let held_weights: Vec<_> = weights.iter().map(Tensor::storage_and_layout).collect();
            let mut branches = Vec::with_capacity(weights.len());
            let all = held_dys.iter().zip(&held_weights).zip(&self.outputs);
            for ((dy, (weight, layout)), outputs) in all {
                let Some((dy, dy_layout)) = dy else { continue };
                let weight = storage_slice::<T>(weight, layout)?;
                let weight = BackwardWeights::new(weight, self.rows(), self.inputs, *outputs)?;
                branches.push((weight, storage_slice::<T>(dy, dy_layout)?, *outputs));
            }
            // SAFETY: `through` writes the gradient of every task, or fails.
            unsafe {
                try_init_vec(x.len(), |dx| {
                    sums = self.through(x, &branches, dx)?;
                    Ok(())
                })
            }?
        };
        let mut sums = sums.into_iter();
        let mut gradients = vec![Some(Tensor::from_vec(dx, x.shape(), x.device())?)];
        for ((weight, dy), outputs) in weights.iter().zip(&dys).zip(&self.outputs) {
            let Some(mut parts) = dy.as_ref().and_then(|_| sums.next()) else {
                gradients.push(None);
                continue;
            };
            gradients.push(accumulate_grad::<T>(weight, |out, add| {
                let parts: Vec<_> = parts.iter_mut().map(|part| &*part.values()).collect();
                add_up(&parts, (self.rows(), self.inputs, *outputs), out, add);
                Ok(())
            })?);
        }
        Ok(gradients)
    }

    /// Writes the gradient of the images; returns the partial sums of the weights' gradients, by branch and task.
    fn through<T: Float>(
        &self,
        x: &[T],
        branches: &[BranchBackward<'_, T>],
        dx: &mut [MaybeUninit<T>],
    ) -> Result<Vec<Vec<Accumulator<T>>>> {
        let inputs = self.inputs;
        let (part, block) = (self.images_per_part * self.pixels, self.block * self.pixels);
        let memory = branches
            .iter()
            .map(|(weight, ..)| weight.memory(block))
            .max();
        let parts = dx.chunks_mut(part * inputs).zip(x.chunks(part * inputs));
        let parts: Vec<Vec<_>> = threads::try_map(parts.enumerate(), |(number, (dx, x))| {
            let mut sums: Vec<_> = branches.iter().map(|(weight, ..)| weight.sums()).collect();
            let mut memory = uninit_vec(memory.unwrap_or(0));
            let mut another = uninit_vec(block * inputs);
            let blocks = dx.chunks_mut(block * inputs).zip(x.chunks(block * inputs));
            for (i, (dx, x)) in blocks.enumerate() {
                let (first, rows) = (number * part + i * block, x.len() / inputs);
                let another = &mut another[..x.len()];
                let each = branches.iter().zip(&mut sums).enumerate();
                for (branch, ((weight, dy, outputs), sums)) in each {
                    let dy = &dy[first * outputs..][..rows * outputs];
                    let dims = (inputs, *outputs);
                    if branch == 0 {
                        weight.block((x, dy), dims, dx, sums, &mut memory)?;
                        continue;
                    }
                    weight.block((x, dy), dims, another, sums, &mut memory)?;
                    // SAFETY: the first branch wrote all of `dx`, and this one of `another`.
                    let (dx, another) = unsafe { (dx.assume_init_mut(), assume_init(another)) };
                    zip_mut(dx, another, |sum, more| *sum += more);
                }
            }
            Ok(sums)
        })?;
        let mut by_branch: Vec<_> = branches.iter().map(|_| Vec::new()).collect();
        for part in parts {
            by_branch
                .iter_mut()
                .zip(part)
                .for_each(|(all, sums)| all.push(sums));
        }
        Ok(by_branch)
    }
}
