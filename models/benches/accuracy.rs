//! Rounding errors of 3x3 and 5x5 convolutions in f32 against f64: of Winograd's algorithm, which training uses, and of
//! im2col for comparison.
//!
//!     cargo bench -p vivarium-models --bench accuracy
//!
//! Errors are relative to the root mean square of the exact values; 6e-8 is about one unit in the last place of an f32.

#![allow(clippy::print_stdout, reason = "the table is what this is for")]

use candle_core::{DType, Device, Result, Tensor, Var};
use vivarium_models::ops::{ConvParams, conv2d, instructions};
use vivarium_models::random::{Generator, Key};

/// Images of a batch.
const BATCH: usize = 64;

/// Channels, side and kernel: VGG16's stages at 32x32, sides at which tiles of two are used, and the larger kernel.
const SHAPES: [(usize, usize, usize); 9] = [
    (64, 32, 3),
    (128, 16, 3),
    (256, 8, 3),
    (512, 4, 3),
    (512, 2, 3),
    (256, 6, 3),
    (256, 5, 3),
    (64, 16, 5),
    (128, 8, 5),
];

fn normal(name: &str, shape: &[usize]) -> Result<Tensor> {
    let mut values = vec![0.0; shape.iter().product()];
    Key::new(0, name).fill(&mut values, Generator::normal);
    Tensor::from_vec(values, shape, &Device::Cpu)
}

/// Result, gradient of the image, gradient of the weights.
fn pass(x: &Tensor, w: &Tensor, dy: &Tensor, params: ConvParams) -> Result<[Tensor; 3]> {
    let (x, w) = (Var::from_tensor(x)?, Var::from_tensor(w)?);
    let y = conv2d(&x, &w, None, params)?;
    let mut gradients = (&y * dy)?.sum_all()?.backward()?;
    let mut of = |v: &Var| {
        gradients
            .remove(v)
            .ok_or(candle_core::Error::Msg("no gradient".to_owned()))
    };
    Ok([y, of(&x)?, of(&w)?])
}

/// The same by im2col: over an explicitly padded image, which Winograd does not take.
fn by_patches(x: &Tensor, w: &Tensor, dy: &Tensor) -> Result<[Tensor; 3]> {
    let (side, kernel) = (x.dim(1)?, w.dim(2)?);
    let edge = kernel / 2;
    let wide = x
        .pad_with_zeros(1, edge, edge)?
        .pad_with_zeros(2, edge, edge)?
        .contiguous()?;
    let params = ConvParams {
        padding: [0, 0],
        ..ConvParams::same(kernel)
    };
    let [y, dx, dw] = pass(&wide, w, dy, params)?;
    Ok([y, dx.narrow(1, edge, side)?.narrow(2, edge, side)?, dw])
}

fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()
}

/// The root mean square and the maximum of the error, relative to the root mean square of the exact values.
fn errors(got: &Tensor, exact: &Tensor) -> Result<[f64; 2]> {
    let (got, exact) = (numbers(got)?, numbers(exact)?);
    let mean = |squares: f64| (squares / exact.len() as f64).sqrt();
    let size = mean(exact.iter().map(|v| v * v).sum());
    let errors = got.iter().zip(&exact).map(|(got, exact)| got - exact);
    let (mut squares, mut greatest) = (0.0, 0.0f64);
    for error in errors {
        squares += error * error;
        greatest = greatest.max(error.abs());
    }
    Ok([mean(squares) / size, greatest / size])
}

fn main() -> Result<()> {
    let in_use = instructions().map_err(candle_core::Error::wrap)?;
    println!(
        "f32 against f64, {BATCH} images after a ReLU, Kaiming's weights, normal gradients, {in_use}\n"
    );
    println!("| shape | what | Winograd, RMS | greatest | patches, RMS | greatest |");
    println!("|---|---|--:|--:|--:|--:|");
    for (channels, side, kernel) in SHAPES {
        let image = [BATCH, side, side, channels];
        let x = normal("x", &image)?.relu()?;
        let spread = (2.0 / (kernel * kernel * channels) as f64).sqrt();
        let w = (normal("w", &[channels, channels, kernel, kernel])? * spread)?;
        let dy = normal("dy", &image)?;
        let double = |t: &Tensor| t.to_dtype(DType::F64);
        let exact = by_patches(&double(&x)?, &double(&w)?, &double(&dy)?)?;
        let winograd = pass(&x, &w, &dy, ConvParams::same(kernel))?;
        let patches = by_patches(&x, &w, &dy)?;
        for (i, what) in ["forward", "dx", "dw"].into_iter().enumerate() {
            let [a, b] = errors(&winograd[i], &exact[i])?;
            let [c, d] = errors(&patches[i], &exact[i])?;
            println!(
                "| {channels}@{side} by {kernel} | {what} | {a:.1e} | {b:.1e} | {c:.1e} | {d:.1e} |"
            );
        }
    }
    Ok(())
}
