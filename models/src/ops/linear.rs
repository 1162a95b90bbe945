//! `x·Wᵀ + b`, on the `gemm` crate, whose kernels use AVX-512 where the machine has it.
#![allow(unsafe_code, reason = "gemm takes pointers and strides")]

use candle_core::{CpuStorage, CustomOp3, Device, Layout, Result, Shape, Tensor, bail};
use gemm::gemm;

use super::kernel::{held, numbers, same_length, widest};
use super::real::Real;
use super::threads;

/// A fully connected layer: `x` [n, in], `weight` [out, in], `bias` [out] give [n, out].
///
/// The gradient of `x` is computed only where something before it learns: not for images.
///
/// # Errors
/// When the shapes do not go together.
pub fn linear(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.apply_op3(weight, bias, Linear)
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

/// A matrix in memory: where it starts in `values`, and how far it is to the next row and the next column.
#[derive(Clone, Copy)]
struct Matrix<'a, T> {
    values: &'a [T],
    row: usize,
    column: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// Rows one after the other.
    fn rows(values: &'a [T], columns: usize) -> Self {
        Self {
            values,
            row: columns,
            column: 1,
        }
    }

    fn transposed(self) -> Self {
        Self {
            row: self.column,
            column: self.row,
            ..self
        }
    }

    fn holds(&self, rows: usize, columns: usize) -> bool {
        rows * columns == 0
            || self.values.len() > (rows - 1) * self.row + (columns - 1) * self.column
    }
}

/// `a` [m, k] times `b` [k, n], added to `sum` [m, n] when that is not empty.
fn product<T: Real>(
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    m: usize,
    k: usize,
    n: usize,
    sum: Vec<T>,
) -> Result<Vec<T>> {
    if !a.holds(m, k) || !b.holds(k, n) {
        bail!("a product of {m}x{k} and {k}x{n} reaches past its factors")
    }
    let add = !sum.is_empty();
    let mut out = sum;
    if add {
        same_length(m * n, out.len())?;
    } else {
        out.reserve_exact(m * n);
    }
    // SAFETY: `a` and `b` hold what the product reads, as checked; `out` has room for m·n numbers, is read only when it
    // holds them, and gemm writes each of them.
    unsafe {
        gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            add,
            a.values.as_ptr(),
            a.column as isize,
            a.row as isize,
            b.values.as_ptr(),
            b.column as isize,
            b.row as isize,
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            threads::for_product(m, n, k),
        );
        out.set_len(m * n);
    }
    Ok(out)
}

widest! {
    /// Adds up the rows.
    fn sum_rows[T: Real](values: &[T], sums: &mut [T]) {
        for row in values.chunks_exact(sums.len()) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += *value;
            }
        }
    }
}

fn forward<T: Real>(
    (x, weight, bias): (&[T], &[T], &[T]),
    (n, inputs, outputs): (usize, usize, usize),
) -> Result<CpuStorage> {
    let mut y = Vec::with_capacity(n * outputs);
    for _ in 0..n {
        y.extend_from_slice(bias);
    }
    let weight = Matrix::rows(weight, inputs).transposed();
    let y = product(Matrix::rows(x, inputs), weight, n, inputs, outputs, y)?;
    Ok(T::to_cpu_storage_owned(y))
}

type Gradients = (Option<Tensor>, Option<Tensor>, Option<Tensor>);

fn backward<T: Real>(x: &Tensor, weight: &Tensor, bias: &Tensor, dy: &Tensor) -> Result<Gradients> {
    let (n, inputs, outputs) = dims(x.shape(), weight.shape(), bias.shape())?;
    let dy = dy.contiguous()?;
    let (x_held, x_layout) = x.storage_and_layout();
    let (weight_held, weight_layout) = weight.storage_and_layout();
    let (dy_held, dy_layout) = dy.storage_and_layout();
    let dy = Matrix::rows(held::<T>(&dy_held, dy_layout)?, outputs);
    same_length(n * outputs, dy.values.len())?;

    let dx = if x.track_op() {
        let weight = Matrix::rows(held::<T>(&weight_held, weight_layout)?, inputs);
        let dx = product(dy, weight, n, outputs, inputs, Vec::new())?;
        Some(Tensor::from_vec(dx, (n, inputs), &Device::Cpu)?)
    } else {
        None
    };
    let dweight = if weight.track_op() {
        let x = Matrix::rows(held::<T>(&x_held, x_layout)?, inputs);
        let dweight = product(dy.transposed(), x, outputs, n, inputs, Vec::new())?;
        Some(Tensor::from_vec(dweight, (outputs, inputs), &Device::Cpu)?)
    } else {
        None
    };
    let dbias = if bias.track_op() {
        let mut sums = vec![T::ZERO; outputs];
        if outputs > 0 {
            sum_rows(dy.values, &mut sums);
        }
        Some(Tensor::from_vec(sums, outputs, &Device::Cpu)?)
    } else {
        None
    };
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
                (numbers(x, lx)?, numbers(weight, lw)?, numbers(bias, lb)?),
                dims,
            )?,
            _ => forward::<f32>(
                (numbers(x, lx)?, numbers(weight, lw)?, numbers(bias, lb)?),
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
}
