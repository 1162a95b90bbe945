//! gemm with narrower instructions than the machine has. `gemm::gemm` picks its kernels by what it detects, so this
//! calls the same kernels by hand, as that crate does itself.

use gemm::Parallelism;
use gemm_common::gemm::gemm_basic_generic;
#[cfg(target_arch = "x86_64")]
use gemm_common::microkernel::MicroKernelFn;
use gemm_common::simd::Scalar;

use super::super::instructions::Instructions;
use super::panels::Microkernels;

/// A pointer to a matrix, with the strides of columns and rows.
#[derive(Clone, Copy)]
pub(in crate::ops) struct StridedPtr<P> {
    pub(in crate::ops) start: P,
    pub(in crate::ops) column_stride: usize,
    pub(in crate::ops) row_stride: usize,
}

impl<P> StridedPtr<P> {
    fn transposed(self) -> Self {
        Self {
            start: self.start,
            column_stride: self.row_stride,
            row_stride: self.column_stride,
        }
    }
}

/// A product `out = a·b`, or `out += a·b`; `a` is [m, k], `b` [k, n].
#[derive(Clone, Copy)]
pub(in crate::ops) struct GemmArgs<T> {
    pub(in crate::ops) dims: (usize, usize, usize),
    pub(in crate::ops) a: StridedPtr<*const T>,
    pub(in crate::ops) b: StridedPtr<*const T>,
    pub(in crate::ops) out: StridedPtr<*mut T>,
    pub(in crate::ops) add: bool,
}

impl<T> GemmArgs<T> {
    /// The kernels write down a column. Where the row stride of the result is the larger, the transposed product is
    /// computed.
    fn column_major(self) -> Self {
        let (m, k, n) = self.dims;
        if self.out.column_stride >= self.out.row_stride {
            return self;
        }
        Self {
            dims: (n, k, m),
            a: self.b.transposed(),
            b: self.a.transposed(),
            out: self.out.transposed(),
            add: self.add,
        }
    }
}

/// Number types that gemm has kernels for.
pub(in crate::ops) trait GemmKernels: Sized + 'static {
    /// Computes a product with some instructions, or with the portable ones where gemm needs more than those.
    ///
    /// # Safety
    /// The matrices must be as large as `dims` says, and nothing else may access `out` meanwhile.
    unsafe fn multiply(args: GemmArgs<Self>, instructions: Instructions, parallelism: Parallelism);

    /// The kernels for some instructions, to be called one by one; `None` if there are none for that.
    fn microkernels(instructions: Instructions) -> Option<Microkernels<Self>>;
}

/// Calls gemm with one set of kernels; `$width` is the number of values in one of their vectors.
macro_rules! call_gemm {
    ($kernels:path, $width:literal, $simd:expr, $args:expr, $parallelism:expr) => {{
        use $kernels::{H_M, H_N, H_UKR, MR_DIV_N, NR, UKR};
        let GemmArgs { dims: (m, k, n), a, b, out, add } = $args;
        // SAFETY: as the caller of `multiply` promises; the machine has the kernels' instructions, as `$simd` shows.
        unsafe {
            gemm_basic_generic::<_, _, $width, { MR_DIV_N * $width }, NR, MR_DIV_N, H_M, H_N>(
                $simd,
                m,
                n,
                k,
                out.start,
                out.column_stride as isize,
                out.row_stride as isize,
                add,
                a.start,
                a.column_stride as isize,
                a.row_stride as isize,
                b.start,
                b.column_stride as isize,
                b.row_stride as isize,
                1.0,
                1.0,
                false,
                false,
                false,
                |a, b, c| a * b + c,
                &UKR,
                &H_UKR,
                false,
                $parallelism,
            );
        }
    }};
}

/// The kernels of one set; `$width` as above.
#[cfg(target_arch = "x86_64")]
macro_rules! microkernels {
    ($number:ty, $kernels:path, $width:expr) => {{
        use $kernels::{MR_DIV_N, NR, UKR};
        static KERNELS: [[MicroKernelFn<$number>; NR]; MR_DIV_N] = UKR;
        Some(Microkernels::new($width, KERNELS.as_flattened(), NR))
    }};
}

macro_rules! impl_gemm_kernels {
    ($number:ty, $portable:path, $avx2:path, $avx512:path, $width:literal) => {
        impl GemmKernels for $number {
            unsafe fn multiply(
                args: GemmArgs<Self>,
                instructions: Instructions,
                parallelism: Parallelism,
            ) {
                let args = args.column_major();
                #[cfg(target_arch = "x86_64")]
                if instructions >= Instructions::Avx2
                    && let Some(simd) = gemm_common::simd::V3::try_new()
                {
                    return call_gemm!($avx2, $width, simd, args, parallelism);
                }
                let _ = instructions;
                call_gemm!($portable, 1, Scalar, args, parallelism)
            }

            #[cfg(target_arch = "x86_64")]
            fn microkernels(instructions: Instructions) -> Option<Microkernels<Self>> {
                match instructions {
                    Instructions::Avx512 => microkernels!($number, $avx512, 2 * $width),
                    Instructions::Avx2 if gemm_common::simd::V3::try_new().is_some() => {
                        microkernels!($number, $avx2, $width)
                    }
                    _ => None,
                }
            }

            #[cfg(not(target_arch = "x86_64"))]
            fn microkernels(_: Instructions) -> Option<Microkernels<Self>> {
                None
            }
        }
    };
}

impl_gemm_kernels!(
    f32,
    gemm_f32::microkernel::scalar::f32,
    gemm_f32::microkernel::fma::f32,
    gemm_f32::microkernel::avx512f::f32,
    8
);
impl_gemm_kernels!(
    f64,
    gemm_f64::microkernel::scalar::f64,
    gemm_f64::microkernel::fma::f64,
    gemm_f64::microkernel::avx512f::f64,
    4
);

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: usize) -> Vec<f64> {
        (0..count)
            .map(|i| ((i * 37 + seed) as f64 * 0.61).sin())
            .collect()
    }

    /// Columns or rows one after the other.
    fn at<P>(start: P, columns: usize, rows: usize, by_columns: bool) -> StridedPtr<P> {
        if by_columns {
            StridedPtr {
                start,
                column_stride: rows,
                row_stride: 1,
            }
        } else {
            StridedPtr {
                start,
                column_stride: 1,
                row_stride: columns,
            }
        }
    }

    fn product<T: GemmKernels + Copy>(
        (m, k, n): (usize, usize, usize),
        (a, b, start): (&[T], &[T], &[T]),
        [a_down, b_down, out_down]: [bool; 3],
        add: bool,
        instructions: Instructions,
    ) -> Vec<T> {
        assert!(a.len() >= m * k && b.len() >= k * n && start.len() == m * n);
        let mut out = start.to_vec();
        let args = GemmArgs {
            dims: (m, k, n),
            a: at(a.as_ptr(), k, m, a_down),
            b: at(b.as_ptr(), n, k, b_down),
            out: at(out.as_mut_ptr(), n, m, out_down),
            add,
        };
        // SAFETY: the buffers hold the matrices, as asserted.
        unsafe { T::multiply(args, instructions, Parallelism::None) };
        out
    }

    #[test]
    fn every_set_of_kernels_multiplies_matrices_however_they_lie() {
        for dims in [
            (1, 1, 1),
            (3, 2, 5),
            (1, 9, 4),
            (7, 40, 1),
            (33, 17, 20),
            (70, 300, 65),
        ] {
            let (m, k, n) = dims;
            let (a, b, start) = (numbers(m * k, 1), numbers(k * n, 2), numbers(m * n, 3));
            let single = |values: &[f64]| values.iter().map(|v| *v as f32).collect::<Vec<_>>();
            for case in 0..16 {
                let down = [case & 1 > 0, case & 2 > 0, case & 4 > 0];
                let add = case & 8 > 0;
                let of = |down: bool, row: usize, column: usize, rows: usize, columns: usize| {
                    if down {
                        column * rows + row
                    } else {
                        row * columns + column
                    }
                };
                for instructions in [Instructions::Portable, Instructions::Avx2] {
                    let exact = product(dims, (&a, &b, &start), down, add, instructions);
                    let (a32, b32, start32) = (single(&a), single(&b), single(&start));
                    let rounded = product(dims, (&a32, &b32, &start32), down, add, instructions);
                    for row in 0..m {
                        for column in 0..n {
                            let place = of(down[2], row, column, m, n);
                            let mut sum = if add { start[place] } else { 0.0 };
                            let mut size = sum.abs();
                            for i in 0..k {
                                let part =
                                    a[of(down[0], row, i, m, k)] * b[of(down[1], i, column, k, n)];
                                sum += part;
                                size += part.abs();
                            }
                            // No order of adding up errs by more.
                            let bound = (k + 4) as f64 * size;
                            let what = format!("{dims:?} {down:?} {add} {instructions}");
                            let error = (exact[place] - sum).abs();
                            assert!(error <= bound * f64::EPSILON, "{what}: {error:e}");
                            let error = (f64::from(rounded[place]) - sum).abs();
                            assert!(
                                error <= bound * f64::from(f32::EPSILON),
                                "{what}: {error:e}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn portable_products_round_between_multiplication_and_addition_and_avx2_does_not() {
        // -1 + (1 + 2⁻¹²)² = 2⁻¹¹ + 2⁻²⁴, whose second part the square's rounding to f32 loses.
        let (dims, factor) = ((8, 4, 8), 1.0 + 2f32.powi(-12));
        let mut a = vec![0.0; 32];
        let mut b = vec![0.0; 32];
        for i in 0..8 {
            (a[i * 4], a[i * 4 + 1]) = (-1.0, factor);
            (b[i], b[8 + i]) = (1.0, factor);
        }
        let of =
            |instructions| product(dims, (&a, &b, &[0.0; 64]), [false; 3], false, instructions);
        let (rounded, fused) = (2f32.powi(-11), 2f32.powi(-11) + 2f32.powi(-24));
        assert_eq!(of(Instructions::Portable), [rounded; 64]);
        if Instructions::supported().any(|some| some == Instructions::Avx2) {
            assert_eq!(of(Instructions::Avx2), [fused; 64]);
        }
    }
}
