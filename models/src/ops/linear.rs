//! `x·Wᵀ + b`.
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use gemm::Parallelism;

use super::float::Float;
use super::gradient_sink::{accumulate_grad, accumulate_grad_matmul};
use super::kernel::{check_len, contiguous_slice, storage_slice, sum_rows};
use super::matmul::{Matrix, matmul, single_threaded};
use super::reference;
use super::tape::apply3;
use super::threads;

/// A fully connected layer: `x` `[n, in]`, `weight` `[out, in]`, `bias` `[out]` give `[n, out]`.
///
/// The gradient by `x` is computed only where it is required: not for images.
///
/// # Errors
/// When the shapes do not match.
pub fn linear(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    if reference::selected() {
        return reference::linear(x, weight, bias);
    }
    apply3(x, weight, bias, Linear)
}

struct Linear;

/// Rows, inputs and outputs.
fn dims(x: &Shape, weight: &Shape, bias: &Shape) -> Result<(usize, usize, usize)> {
    let (n, inputs) = x.dims2()?;
    let (outputs, columns) = weight.dims2()?;
    if columns != inputs || bias.dims() != [outputs] {
        bail!("linear: x {x:?}, weight {weight:?} and bias {bias:?} do not go together")
    }
    Ok((n, inputs, outputs))
}

/// The number of rows up to which gemm reads the weights in place instead of packing them.
const FEW_ROWS: usize = 256;

/// The number of outputs up to which threads share the inputs of a product instead of its outputs.
const FEW_OUTPUTS: usize = 512;

/// `x` [n, inputs] times `weight` [inputs, outputs], in column-major order.
///
/// For a column-major result gemm packs `x` and streams through the weights; for a row-major one it would pack the
/// weights, which are larger. It leaves threads idle where there are few outputs, so then each thread takes a part of
/// the inputs.
fn columns<T: Float>(
    x: Matrix<'_, T>,
    weight: Matrix<'_, T>,
    dims: (usize, usize, usize),
) -> Result<Vec<T>> {
    let (n, inputs, outputs) = dims;
    let parts = match threads::gemm_parallelism(n, outputs, inputs) {
        Parallelism::Rayon(threads) if outputs <= FEW_OUTPUTS && outputs < inputs => {
            threads.min(inputs)
        }
        _ => 1,
    };
    let mut sums = vec![T::ZERO; n * outputs];
    if parts == 1 {
        matmul(x, weight, dims, &mut sums, true, false)?;
        return Ok(sums);
    }
    let length = inputs.div_ceil(parts);
    let parts: Vec<_> = threads::try_map((0..inputs).step_by(length), |start| {
        let dims = (n, length.min(inputs - start), outputs);
        let mut part = vec![T::ZERO; n * outputs];
        let (x, weight) = (x.columns_from(start), weight.rows_from(start));
        single_threaded(x, weight, dims, &mut part)?;
        Ok(part)
    })?;
    for part in parts {
        sums.iter_mut()
            .zip(part)
            .for_each(|(sum, part)| *sum += part);
    }
    Ok(sums)
}

fn forward<T: Float>(
    (x, weight, bias): (&[T], &[T], &[T]),
    (n, inputs, outputs): (usize, usize, usize),
) -> Result<CpuStorage> {
    let dims = (n, inputs, outputs);
    let (x, weight) = (
        Matrix::rows(x, inputs),
        Matrix::rows(weight, inputs).transposed(),
    );
    let mut y = Vec::with_capacity(n * outputs);
    if n <= FEW_ROWS && n < inputs {
        let columns = columns(x, weight, dims)?;
        for row in 0..n {
            y.extend(
                bias.iter()
                    .enumerate()
                    .map(|(output, bias)| columns[output * n + row] + *bias),
            );
        }
    } else {
        (0..n).for_each(|_| y.extend_from_slice(bias));
        matmul(x, weight, dims, &mut y, false, true)?;
    }
    Ok(T::to_cpu_storage_owned(y))
}

type Gradients = (Option<Tensor>, Option<Tensor>, Option<Tensor>);

fn backward<T: Float>(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    dy: &Tensor,
) -> Result<Gradients> {
    let (n, inputs, outputs) = dims(x.shape(), weight.shape(), bias.shape())?;
    let dy = dy.contiguous()?;
    let (dy_held, dy_layout) = dy.storage_and_layout();
    let dy = Matrix::rows(storage_slice::<T>(&dy_held, dy_layout)?, outputs);
    check_len(n * outputs, dy.values.len())?;
    let dx = accumulate_grad(x, |dx, add| {
        let (weight_held, weight_layout) = weight.storage_and_layout();
        let weights = Matrix::rows(storage_slice::<T>(&weight_held, weight_layout)?, inputs);
        matmul(dy, weights, (n, outputs, inputs), dx, false, add)
    })?;
    let (x_held, x_layout) = x.storage_and_layout();
    let x_values = Matrix::rows(storage_slice::<T>(&x_held, x_layout)?, inputs);
    let dims = (outputs, n, inputs);
    let dweight = accumulate_grad_matmul(weight, dy.transposed(), x_values, dims)?;
    let dbias = accumulate_grad(bias, |dbias, add| {
        if !add {
            dbias.fill(T::ZERO);
        }
        if outputs > 0 {
            sum_rows(dy.values, dbias);
        }
        Ok(())
    })?;
    Ok((dx, dweight, dbias))
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
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
        let dims = dims(lx.shape(), lw.shape(), lb.shape())?;
        let y = match x {
            CpuStorage::F64(_) => forward::<f64>(
                (
                    contiguous_slice(x, lx)?,
                    contiguous_slice(weight, lw)?,
                    contiguous_slice(bias, lb)?,
                ),
                dims,
            )?,
            _ => forward::<f32>(
                (
                    contiguous_slice(x, lx)?,
                    contiguous_slice(weight, lw)?,
                    contiguous_slice(bias, lb)?,
                ),
                dims,
            )?,
        };
        Ok((y, (dims.0, dims.2).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<Gradients> {
        match x.dtype() {
            candle_core::DType::F64 => backward::<f64>(x, weight, bias, dy),
            _ => backward::<f32>(x, weight, bias, dy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    #[test]
    fn shapes_that_do_not_go_together_are_refused() {
        let tensor =
            |shape: &[usize]| Tensor::zeros(shape, candle_core::DType::F32, &Device::Cpu).unwrap();
        assert!(linear(&tensor(&[2, 3]), &tensor(&[4, 5]), &tensor(&[4])).is_err());
        assert!(linear(&tensor(&[2, 3]), &tensor(&[4, 3]), &tensor(&[3])).is_err());
        assert!(linear(&tensor(&[2, 3, 1]), &tensor(&[4, 3]), &tensor(&[4])).is_err());
        assert!(
            linear(
                &tensor(&[3, 2]).t().unwrap(),
                &tensor(&[4, 3]),
                &tensor(&[4])
            )
            .is_err()
        );
    }

    #[test]
    fn the_gradient_of_what_nobody_learns_is_not_computed() {
        let ones =
            |shape: &[usize]| Tensor::ones(shape, candle_core::DType::F32, &Device::Cpu).unwrap();
        let x = ones(&[4, 3]);
        let [w, b] = [&[2, 3][..], &[2]].map(|shape| Var::from_tensor(&ones(shape)).unwrap());
        let y = linear(&x, &w, &b).unwrap();
        let gradients = y.sum_all().unwrap().backward().unwrap();
        assert!(gradients.get(&x).is_none());
        assert!(gradients.get(&w).is_some());
    }
}
