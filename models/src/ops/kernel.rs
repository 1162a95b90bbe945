//! What all kernels share: dispatch to the widest instructions of the machine, and memory that is written before it is
//! read.
#![allow(
    unsafe_code,
    reason = "calls functions compiled for instructions that were detected; marks memory as written after writing it"
)]

use std::mem::MaybeUninit;

use candle_core::{CpuStorage, DType, Layout, Result, Storage, Tensor, bail};

use super::float::Float;
#[cfg(target_arch = "x86_64")]
use super::instructions::{self, Instructions};
use super::threads;

/// Defines a function that is compiled for AVX-512, for AVX2 and for any machine, and picks one of them at each call.
/// The arithmetic is the same in all three: no multiplication is fused with an addition.
macro_rules! simd_dispatch {
    ($(#[$attribute:meta])* fn $name:ident[$($generics:tt)*]($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$attribute])*
        #[allow(clippy::too_many_arguments, reason = "a kernel takes each of its buffers")]
        pub(super) fn $name<$($generics)*>($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments, reason = "a kernel takes each of its buffers")]
            fn body<$($generics)*>($($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                #[allow(clippy::too_many_arguments, reason = "a kernel takes each of its buffers")]
                fn avx2<$($generics)*>($($argument: $type),*) $(-> $result)? { body($($argument),*) }
                #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq")]
                #[allow(clippy::too_many_arguments, reason = "a kernel takes each of its buffers")]
                fn avx512<$($generics)*>($($argument: $type),*) $(-> $result)? { body($($argument),*) }

                match $crate::ops::kernel::SimdLevel::detect() {
                    #[allow(unsafe_code, reason = "a function compiled for instructions that were detected")]
                    // SAFETY: the machine has the instructions, as `SimdLevel` found.
                    $crate::ops::kernel::SimdLevel::Avx512 => return unsafe { avx512($($argument),*) },
                    #[allow(unsafe_code, reason = "a function compiled for instructions that were detected")]
                    // SAFETY: as above.
                    $crate::ops::kernel::SimdLevel::Avx2 => return unsafe { avx2($($argument),*) },
                    $crate::ops::kernel::SimdLevel::Any => {}
                }
            }
            body($($argument),*)
        }
    };
}
pub(super) use simd_dispatch;

/// The instructions to compute with: see [`instructions`].
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) enum SimdLevel {
    Avx512,
    Avx2,
    Any,
}

#[cfg(target_arch = "x86_64")]
impl SimdLevel {
    #[inline]
    pub(super) fn detect() -> Self {
        match instructions::in_use() {
            Instructions::Avx512 => Self::Avx512,
            Instructions::Avx2 => Self::Avx2,
            Instructions::Portable => Self::Any,
        }
    }
}

/// A vector of `len` values that `write` initialises.
///
/// # Safety
/// `write` must write every value.
pub(super) unsafe fn init_vec<T>(len: usize, write: impl FnOnce(&mut [MaybeUninit<T>])) -> Vec<T> {
    let mut values = Vec::with_capacity(len);
    write(&mut values.spare_capacity_mut()[..len]);
    // SAFETY: the capacity is at least `len`, and the caller promises that all of it was written.
    unsafe { values.set_len(len) };
    values
}

/// As [`init_vec`], where writing may fail.
///
/// # Safety
/// `write` must write every value, or fail.
pub(super) unsafe fn try_init_vec<T>(
    len: usize,
    write: impl FnOnce(&mut [MaybeUninit<T>]) -> Result<()>,
) -> Result<Vec<T>> {
    let mut values = Vec::with_capacity(len);
    write(&mut values.spare_capacity_mut()[..len])?;
    // SAFETY: the capacity is at least `len`, and the caller promises that all of it was written.
    unsafe { values.set_len(len) };
    Ok(values)
}

/// Sets memory to zero, which initialises it. Each thread does this to its own part just before it fills it, while the
/// part is in the cache.
pub(super) fn zero_init<T: Copy + Default>(memory: &mut [MaybeUninit<T>]) -> &mut [T] {
    memory.fill(MaybeUninit::new(T::default()));
    // SAFETY: all of it was written.
    unsafe { memory.assume_init_mut() }
}

/// An uninitialised vector of `len` values.
pub(super) fn uninit_vec<T: Copy>(len: usize) -> Vec<MaybeUninit<T>> {
    let mut memory = Vec::with_capacity(len);
    // SAFETY: what may be anything needs no writing.
    unsafe { memory.set_len(len) };
    memory
}

/// A slice that is initialised.
///
/// # Safety
/// All of it must have been written.
pub(super) unsafe fn assume_init<T>(memory: &[MaybeUninit<T>]) -> &[T] {
    // SAFETY: as the caller promises.
    unsafe { memory.assume_init_ref() }
}

/// A vector that is initialised.
///
/// # Safety
/// All of it must have been written.
pub(super) unsafe fn assume_init_vec<T>(memory: Vec<MaybeUninit<T>>) -> Vec<T> {
    let mut memory = std::mem::ManuallyDrop::new(memory);
    let (start, len, capacity) = (memory.as_mut_ptr(), memory.len(), memory.capacity());
    // SAFETY: the very parts of a vector of the same layout, whose numbers were written, as the caller promises.
    unsafe { Vec::from_raw_parts(start.cast(), len, capacity) }
}

simd_dispatch! {
    fn map_part[T: Float, F: Fn(T) -> T](f: F, x: &[T], out: &mut [MaybeUninit<T>]) {
        for (out, x) in out.iter_mut().zip(x) {
            out.write(f(*x));
        }
    }
}

simd_dispatch! {
    fn map_pairs_part[T: Float, F: Fn(T, T) -> T](f: F, x: &[T], y: &[T], out: &mut [MaybeUninit<T>]) {
        for (out, (x, y)) in out.iter_mut().zip(x.iter().zip(y)) {
            out.write(f(*x, *y));
        }
    }
}

simd_dispatch! {
    fn zip_part[T: Float, F: Fn(&mut T, T)](f: F, x: &mut [T], y: &[T]) {
        for (x, y) in x.iter_mut().zip(y) {
            f(x, *y);
        }
    }
}

simd_dispatch! {
    /// Adds the rows of `values` to `sums`.
    fn add_rows[T: Float](values: &[T], sums: &mut [T]) {
        for row in values.chunks_exact(sums.len()) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += *value;
            }
        }
    }
}

/// Rows that are added up in the precision of `T` before their sums are added in double precision.
pub(super) const PARTIAL_ROWS: usize = 64;

/// Adds the rows of `values` to `sums`: [`PARTIAL_ROWS`] at a time in the precision of `T`, their sums in double
/// precision. Threads share the rows, and the sums of their parts are added up in order.
pub(super) fn sum_rows<T: Float>(values: &[T], sums: &mut [T]) {
    let columns = sums.len();
    let part = threads::chunk_len(values.len()).div_ceil(columns) * columns;
    let part_of = |values: &[T]| {
        let (mut sums, mut short) = (vec![0.0; columns], vec![T::ZERO; columns]);
        for values in values.chunks(PARTIAL_ROWS * columns) {
            short.fill(T::ZERO);
            add_rows(values, &mut short);
            for (sum, short) in sums.iter_mut().zip(&short) {
                *sum += short.to_f64();
            }
        }
        sums
    };
    let parts = threads::map(values.chunks(part), part_of);
    for (column, sum) in sums.iter_mut().enumerate() {
        *sum += T::of(parts.iter().map(|part| part[column]).sum());
    }
}

/// Applies `f` to every value, on several threads if there are many.
pub(super) fn map<T: Float>(x: &[T], f: impl Fn(T) -> T + Copy + Sync) -> Vec<T> {
    let part = threads::chunk_len(x.len());
    // SAFETY: the output has the input's length, and the parts of both cover them.
    unsafe {
        init_vec(x.len(), |out| {
            let parts = out.chunks_mut(part).zip(x.chunks(part));
            threads::for_each(parts, |(out, x)| map_part(f, x, out));
        })
    }
}

/// Applies `f` to every pair of values, on several threads if there are many.
///
/// # Errors
/// When the slices have different lengths.
pub(super) fn map_pairs<T: Float>(
    x: &[T],
    y: &[T],
    f: impl Fn(T, T) -> T + Copy + Sync,
) -> Result<Vec<T>> {
    check_len(x.len(), y.len())?;
    let part = threads::chunk_len(x.len());
    // SAFETY: all three have one length, and the parts of each cover them.
    let out = unsafe {
        init_vec(x.len(), |out| {
            let inputs = x.chunks(part).zip(y.chunks(part));
            let parts = out.chunks_mut(part).zip(inputs);
            threads::for_each(parts, |(out, (x, y))| map_pairs_part(f, x, y, out));
        })
    };
    Ok(out)
}

/// Applies `f` to every value of `x` and the value of `y` at the same index. Both slices have the same length.
pub(super) fn zip_mut<T: Float>(x: &mut [T], y: &[T], f: impl Fn(&mut T, T) + Copy + Sync) {
    let part = threads::chunk_len(x.len());
    let parts = x.chunks_mut(part).zip(y.chunks(part));
    threads::for_each(parts, |(x, y)| zip_part(f, x, y));
}

/// The sum of two tensors of one shape.
///
/// # Errors
/// When their shapes differ.
pub(super) fn add(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    fn on<T: Float>(a: &Tensor, b: &Tensor) -> Result<Tensor> {
        let (a_held, a_layout) = a.storage_and_layout();
        let (b_held, b_layout) = b.storage_and_layout();
        let sum = map_pairs(
            storage_slice::<T>(&a_held, a_layout)?,
            storage_slice::<T>(&b_held, b_layout)?,
            |a, b| a + b,
        )?;
        Tensor::from_vec(sum, a.shape(), a.device())
    }
    if a.shape() != b.shape() {
        bail!("a sum of {:?} and {:?}", a.shape(), b.shape())
    }
    match a.dtype() {
        DType::F64 => on::<f64>(a, b),
        _ => on::<f32>(a, b),
    }
}

/// Fails where two lengths differ.
pub(super) fn check_len(expected: usize, got: usize) -> Result<()> {
    if expected != got {
        bail!("{got} values where {expected} belong")
    }
    Ok(())
}

/// The values of a contiguous tensor on the CPU.
///
/// # Errors
/// When the tensor is not contiguous or has another type.
pub(super) fn contiguous_slice<'a, T: candle_core::WithDType>(
    storage: &'a CpuStorage,
    layout: &Layout,
) -> Result<&'a [T]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!(
            "the operation takes tensors in one piece, not one with the strides {:?}",
            layout.stride()
        )
    };
    Ok(&T::cpu_storage_as_slice(storage)?[start..end])
}

/// The values of a tensor from its borrowed storage.
///
/// # Errors
/// As [`contiguous_slice`].
pub(super) fn storage_slice<'a, T: candle_core::WithDType>(
    storage: &'a Storage,
    layout: &Layout,
) -> Result<&'a [T]> {
    match storage {
        Storage::Cpu(storage) => contiguous_slice(storage, layout),
        _ => bail!("the operation runs on the CPU alone"),
    }
}
