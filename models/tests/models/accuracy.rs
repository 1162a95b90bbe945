//! Bounds of the rounding errors of Winograd's convolutions in f32 against the definition in f64. `benches/accuracy.rs`
//! prints the errors for the shapes of VGG16.

use candle_core::{DType, Result, Tensor, Var};
use vivarium_models::ops::{ConvParams, conv2d};

use crate::differences::numbers;

/// Result, gradient of the image, gradient of the weights.
fn pass(x: &Tensor, w: &Tensor, dy: &Tensor, params: ConvParams) -> Result<[Tensor; 3]> {
    let (x, w) = (Var::from_tensor(x)?, Var::from_tensor(w)?);
    let y = conv2d(&x, &w, None, params)?;
    let gradients = (&y * dy)?.sum_all()?.backward()?;
    let of = |v: &Var| gradients.get(v).unwrap().clone();
    Ok([y, of(&x), of(&w)])
}

/// The same over an explicitly padded image, which is computed by im2col.
fn by_patches(x: &Tensor, w: &Tensor, dy: &Tensor) -> Result<[Tensor; 3]> {
    let (side, kernel) = (x.dim(1)?, w.dim(2)?);
    let edge = kernel / 2;
    let wide = x.pad_with_zeros(1, edge, edge)?;
    let wide = wide.pad_with_zeros(2, edge, edge)?.contiguous()?;
    let params = ConvParams {
        padding: [0, 0],
        ..ConvParams::same(kernel)
    };
    let [y, dx, dw] = pass(&wide, w, dy, params)?;
    Ok([y, dx.narrow(1, edge, side)?.narrow(2, edge, side)?, dw])
}

fn values(tensor: &Tensor) -> Vec<f64> {
    let tensor = tensor.to_dtype(DType::F64).unwrap();
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// The root mean square and the maximum of the error, relative to the root mean square of the exact values.
fn errors(got: &Tensor, exact: &Tensor) -> [f64; 2] {
    let (got, exact) = (values(got), values(exact));
    assert_eq!(got.len(), exact.len());
    let root = |squares: f64| (squares / exact.len() as f64).sqrt();
    let size = root(exact.iter().map(|v| v * v).sum());
    let errors: Vec<_> = got.iter().zip(&exact).map(|(a, b)| (a - b).abs()).collect();
    let mean = root(errors.iter().map(|e| e * e).sum());
    [
        mean / size,
        errors.iter().copied().fold(0.0, f64::max) / size,
    ]
}

#[test]
fn winograds_results_and_gradients_are_near_those_in_double_precision() {
    // Images, side, channels, kernel; the allowed root mean square and maximum of the error.
    let four = [8e-6, 1.2e-4];
    let two = [1.5e-6, 1e-5];
    for (n, side, channels, kernel, most) in [
        (2, 32, 64, 3, four),
        (4, 8, 128, 3, four),
        (4, 4, 256, 3, four),
        (4, 6, 128, 3, two),
        (16, 2, 256, 3, two),
        (2, 16, 64, 5, four),
        (4, 4, 128, 5, four),
    ] {
        let x = numbers("x", &[n, side, side, channels]).relu().unwrap();
        let w = numbers("w", &[channels, channels, kernel, kernel]);
        let dy = numbers("dy", &[n, side, side, channels]);
        // Numbers that are exact in both precisions.
        let single = [&x, w.as_tensor(), dy.as_tensor()].map(|t| t.to_dtype(DType::F32).unwrap());
        let [x, w, dy] = &single;
        let [x64, w64, dy64] = single.each_ref().map(|t| t.to_dtype(DType::F64).unwrap());
        let exact = by_patches(&x64, &w64, &dy64).unwrap();
        let got = pass(x, w, dy, ConvParams::same(kernel)).unwrap();
        for (i, what) in ["forward", "dx", "dw"].into_iter().enumerate() {
            let [mean, greatest] = errors(&got[i], &exact[i]);
            let case =
                format!("{channels}@{side} by {kernel} {what}: {mean:.1e}, at most {greatest:.1e}");
            assert!(mean < most[0] && greatest < most[1], "{case}");
        }
    }
}
