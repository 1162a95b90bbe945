//! Operations on images compared with their definitions, and gradients with finite differences, in f64.

use candle_core::{DType, Device, Tensor, Var};
use vivarium_models::ops::{
    Activation, BatchStatistics, ConvParams, PoolWindow, adaptive_avg_pool2d, avg_pool2d,
    batch_norm, batch_norm_eval, channels_last, conv2d, flatten_channels_first, max_pool2d, mul,
};

use crate::differences::{check, check_by, mixed, numbers};

/// `[n, height, width, in]`, `[out, in / groups, kh, kw]`, strides, padding, groups.
pub(crate) type Case = ([usize; 4], [usize; 4], [usize; 2], [usize; 2], usize);

pub(crate) const CASES: &[Case] = &[
    // 1x1: matrix products.
    ([2, 3, 5, 4], [7, 4, 1, 1], [1, 1], [0, 0], 1),
    ([1, 1, 1, 1], [1, 1, 1, 1], [1, 1], [0, 0], 1),
    // 3x3 with enough channels: Winograd with tiles of four, of two, with partial tiles, and one pixel wide.
    ([1, 5, 7, 16], [17, 16, 3, 3], [1, 1], [1, 1], 1),
    ([3, 2, 2, 16], [16, 16, 3, 3], [1, 1], [1, 1], 1),
    ([2, 4, 4, 19], [16, 19, 3, 3], [1, 1], [1, 1], 1),
    ([1, 1, 9, 16], [16, 16, 3, 3], [1, 1], [1, 1], 1),
    // 5x5 with enough channels: Winograd, with complete and partial tiles, and kernels larger than the image.
    ([1, 6, 4, 32], [33, 32, 5, 5], [1, 1], [2, 2], 1),
    ([2, 3, 5, 35], [32, 35, 5, 5], [1, 1], [2, 2], 1),
    ([3, 1, 2, 32], [32, 32, 5, 5], [1, 1], [2, 2], 1),
    // Depthwise, with odd channels, strides and kernels.
    ([2, 5, 4, 3], [3, 1, 3, 3], [1, 1], [1, 1], 3),
    ([1, 7, 5, 33], [33, 1, 3, 3], [2, 2], [1, 1], 33),
    ([1, 6, 7, 2], [2, 1, 5, 3], [2, 3], [2, 0], 2),
    ([2, 1, 1, 5], [5, 1, 3, 3], [1, 1], [1, 1], 5),
    // Depthwise with complete blocks of channels, one row or column, and images that are all edge.
    ([2, 5, 4, 16], [16, 1, 3, 3], [1, 1], [1, 1], 16),
    ([1, 2, 3, 32], [32, 1, 3, 3], [1, 1], [1, 1], 32),
    ([2, 1, 5, 16], [16, 1, 3, 3], [1, 1], [1, 1], 16),
    ([1, 4, 1, 48], [48, 1, 3, 3], [1, 1], [1, 1], 48),
    ([3, 1, 1, 16], [16, 1, 3, 3], [1, 1], [1, 1], 16),
    // Anything else.
    ([2, 5, 6, 3], [4, 3, 3, 3], [1, 1], [1, 1], 1),
    ([1, 8, 7, 4], [6, 2, 3, 3], [2, 1], [0, 1], 2),
    ([2, 6, 6, 3], [5, 3, 5, 5], [1, 1], [2, 2], 1),
    ([1, 7, 9, 2], [3, 2, 7, 7], [2, 2], [3, 3], 1),
    ([1, 4, 4, 6], [9, 2, 1, 1], [2, 2], [0, 0], 3),
    ([2, 3, 3, 2], [4, 1, 3, 3], [1, 1], [1, 1], 2),
    ([1, 2, 2, 3], [2, 3, 2, 2], [1, 1], [1, 1], 1),
];

pub(crate) fn conv_params((_, _, stride, padding, groups): &Case) -> ConvParams {
    ConvParams {
        stride: *stride,
        padding: *padding,
        dilation: [1, 1],
        groups: *groups,
    }
}

fn values(tensor: &Tensor) -> Vec<f64> {
    let tensor = tensor.to_dtype(DType::F64).unwrap();
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// The definition, as nested loops.
pub(crate) fn by_definition(case: &Case, x: &[f64], w: &[f64], bias: &[f64]) -> Vec<f64> {
    let ([n, height, width, channels], [out, inputs, kh, kw], stride, padding, groups) = *case;
    let rows = (height + 2 * padding[0] - kh) / stride[0] + 1;
    let columns = (width + 2 * padding[1] - kw) / stride[1] + 1;
    let mut y = Vec::new();
    for image in 0..n {
        for row in 0..rows {
            for column in 0..columns {
                for o in 0..out {
                    let mut sum = bias[o];
                    let first = o / (out / groups) * inputs;
                    for i in 0..inputs {
                        for ky in 0..kh {
                            for kx in 0..kw {
                                let iy = (row * stride[0] + ky).wrapping_sub(padding[0]);
                                let ix = (column * stride[1] + kx).wrapping_sub(padding[1]);
                                if iy < height && ix < width {
                                    let pixel = (image * height + iy) * width + ix;
                                    sum += x[pixel * channels + first + i]
                                        * w[((o * inputs + i) * kh + ky) * kw + kx];
                                }
                            }
                        }
                    }
                    y.push(sum);
                }
            }
        }
    }
    y
}

#[test]
fn convolutions_are_what_their_definition_says() {
    for case in CASES {
        let (x, w, b) = (
            numbers("x", &case.0),
            numbers("w", &case.1),
            numbers("b", &[case.1[0]]),
        );
        let expected = by_definition(case, &values(&x), &values(&w), &values(&b));
        let exact = conv2d(&x, &w, Some(&b), conv_params(case)).unwrap();
        let single = |v: &Var| v.to_dtype(DType::F32).unwrap();
        let rounded = conv2d(
            &single(&x),
            &single(&w),
            Some(&single(&b)),
            conv_params(case),
        )
        .unwrap();
        let plain = conv2d(&x, &w, None, conv_params(case)).unwrap();
        assert_eq!(exact.elem_count(), expected.len(), "{case:?}");
        let size = (case.1[1] * case.1[2] * case.1[3]) as f64;
        for (i, expected) in expected.iter().enumerate() {
            let [exact, rounded, plain] = [&exact, &rounded, &plain].map(|y| values(y)[i]);
            assert!((exact - expected).abs() < 1e-11 * size, "{case:?}[{i}]");
            assert!(
                (rounded - expected).abs() < 3e-6 * size.sqrt() * 4.0,
                "{case:?}[{i}]: {rounded} {expected}"
            );
            let bias = values(&b)[i % case.1[0]];
            assert!((plain + bias - exact).abs() < 1e-11 * size, "{case:?}[{i}]");
        }
    }
}

#[test]
fn gradients_of_convolutions_are_those_of_finite_differences() {
    for case in CASES {
        let arguments = [
            numbers("x", &case.0),
            numbers("w", &case.1),
            numbers("b", &[case.1[0]]),
        ];
        check_by(0.01, &format!("{case:?}"), &arguments, |a| {
            mixed(&conv2d(&a[0], &a[1], Some(&a[2]), conv_params(case))?)
        });
    }
}

#[test]
fn a_convolution_of_many_channels_is_its_definition() {
    for (images, [height, width], [inputs, outputs], side) in [
        // Winograd with kernels in parts.
        (2, [5, 4], [70, 130], 3),
        (2, [2, 1], [70, 130], 3),
        (2, [3, 4], [70, 130], 5),
        // 1x1 by Strassen, also with an odd number of pixels.
        (3, [12, 16], [256, 260], 1),
        (1, [17, 17], [300, 256], 1),
    ] {
        let case: Case = (
            [images, height, width, inputs],
            [outputs, inputs, side, side],
            [1, 1],
            [side / 2; 2],
            1,
        );
        let [x, other_x] = ["x", "other x"].map(|name| numbers(name, &case.0));
        let [w, other_w] = ["w", "other w"].map(|name| numbers(name, &case.1));
        let convolved = |x: &Tensor, w: &Tensor| conv2d(x, w, None, conv_params(&case)).unwrap();
        let y = convolved(&x, &w);
        let none = vec![0.0; outputs];
        let expected = by_definition(&case, &values(&x), &values(&w), &none);
        for (i, (got, expected)) in values(&y).iter().zip(expected).enumerate() {
            assert!(
                (got - expected).abs() < 1e-9,
                "{case:?}[{i}]: {got} {expected}"
            );
        }
        let bias = numbers("bias", &[outputs]);
        let shifted = conv2d(&x, &w, Some(&bias), conv_params(&case)).unwrap();
        let each = values(&bias);
        for (i, (got, plain)) in values(&shifted).iter().zip(values(&y)).enumerate() {
            assert!(
                (got - plain - each[i % outputs]).abs() < 1e-9,
                "{case:?}[{i}]"
            );
        }
        // A convolution is linear in image and weights, so the product of its gradient with any other is known.
        let dy = numbers("dy", y.dims()).as_tensor().detach();
        let dot = |a: &Tensor, b: &Tensor| (a * b).unwrap().sum_all().unwrap();
        let gradients = dot(&y, &dy).backward().unwrap();
        let number = |tensor: Tensor| tensor.to_scalar::<f64>().unwrap();
        for (argument, other, moved) in [
            (&x, &other_x, convolved(&other_x, &w)),
            (&w, &other_w, convolved(&x, &other_w)),
        ] {
            let got = number(dot(gradients.get(argument).unwrap(), other));
            let expected = number(dot(&moved, &dy));
            assert!(
                (got - expected).abs() < 1e-8 * expected.abs(),
                "{case:?}: {got} {expected}"
            );
        }
    }
}

#[test]
fn a_convolution_is_the_same_however_many_images_it_is_given() {
    // More images than fit in one block.
    for channels in [16, 3] {
        let x = numbers("x", &[70, 9, 9, channels]);
        let w = numbers("w", &[16, channels, 3, 3]);
        let all = conv2d(&x, &w, None, ConvParams::same(3)).unwrap();
        let one = x.narrow(0, 69, 1).unwrap().contiguous().unwrap();
        let one = conv2d(&one, &w, None, ConvParams::same(3)).unwrap();
        let last = values(&all.narrow(0, 69, 1).unwrap().contiguous().unwrap());
        for (a, b) in last.iter().zip(values(&one)) {
            assert!((a - b).abs() < 1e-12);
        }
        let gradient = |n: usize| {
            let x = x.narrow(0, 0, n).unwrap().contiguous().unwrap().detach();
            let y = conv2d(&x, &w, None, ConvParams::same(3)).unwrap();
            let gradients = y.sum_all().unwrap().backward().unwrap();
            values(gradients.get(&w).unwrap())
        };
        let (all, most) = (gradient(70), gradient(69));
        let x = x.narrow(0, 69, 1).unwrap().contiguous().unwrap().detach();
        let y = conv2d(&x, &w, None, ConvParams::same(3)).unwrap();
        let last = y.sum_all().unwrap().backward().unwrap();
        for ((all, most), last) in all.iter().zip(&most).zip(values(last.get(&w).unwrap())) {
            assert!((all - most - last).abs() < 1e-9, "{all} {most} {last}");
        }
    }
}

#[test]
fn shapes_that_do_not_go_together_are_refused() {
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    let refused = |x: &[usize], w: &[usize], params| {
        let refusal = conv2d(&zeros(x), &zeros(w), None, params).unwrap_err();
        assert!(refusal.to_string().contains("convolution"), "{refusal}");
    };
    refused(&[1, 4, 4, 3], &[2, 4, 3, 3], ConvParams::same(3));
    refused(
        &[1, 4, 4, 4],
        &[3, 2, 3, 3],
        ConvParams {
            groups: 2,
            ..ConvParams::same(3)
        },
    );
    refused(&[1, 4, 4, 3], &[2, 3, 7, 7], ConvParams::same(1));
    refused(
        &[1, 4, 4, 3],
        &[2, 3, 1, 1],
        ConvParams {
            stride: [0, 1],
            ..ConvParams::same(1)
        },
    );
    refused(
        &[1, 4, 4, 3],
        &[2, 3, 1, 1],
        ConvParams {
            groups: 0,
            ..ConvParams::same(1)
        },
    );
    assert!(
        conv2d(
            &zeros(&[1, 4, 4, 3]),
            &zeros(&[2, 3, 1, 1]),
            Some(&zeros(&[3])),
            ConvParams::same(1)
        )
        .is_err()
    );
    let window = |kernel, stride, padding| PoolWindow::square(kernel, stride, padding);
    let tall = PoolWindow {
        kernel: [113, 2],
        padding: [56, 0],
        ..PoolWindow::HALVING
    };
    for bad in [
        tall,
        window(0, 1, 0),
        window(2, 0, 0),
        window(5, 1, 0),
        window(2, 1, 2),
        window(16, 1, 8),
    ] {
        assert!(max_pool2d(&zeros(&[1, 4, 4, 3]), bad).is_err(), "{bad:?}");
    }
    assert!(adaptive_avg_pool2d(&zeros(&[1, 4, 4, 3]), 0, 1).is_err());
}

#[test]
fn pooling_takes_the_first_of_the_greatest_and_gives_it_the_whole_gradient() {
    let x = Var::new(
        &[[[[1f64], [1.0]], [[0.0], [f64::NEG_INFINITY]]]],
        &Device::Cpu,
    )
    .unwrap();
    let halves = PoolWindow::HALVING;
    let y = max_pool2d(&x, halves).unwrap();
    assert_eq!(values(&y), [1.0]);
    let gradients = y.sum_all().unwrap().backward().unwrap();
    assert_eq!(values(gradients.get(&x).unwrap()), [1.0, 0.0, 0.0, 0.0]);
    let x = Tensor::new(&[[[[2f64], [f64::NAN]], [[3.0], [1.0]]]], &Device::Cpu).unwrap();
    assert!(values(&max_pool2d(&x, halves).unwrap())[0].is_nan());
}

#[test]
fn gradients_of_pooling_are_those_of_finite_differences() {
    for image in [[2, 7, 6, 3], [1, 5, 3, 1], [1, 3, 9, 17]] {
        let x = || [numbers("x", &image)];
        for (kernel, stride, padding) in [(2, 2, 0), (3, 1, 1), (3, 2, 1), (2, 3, 0), (1, 1, 0)] {
            let window = PoolWindow::square(kernel, stride, padding);
            check(&format!("{window:?} of {image:?}"), &x(), |a| {
                mixed(&max_pool2d(&a[0], window)?)
            });
        }
        for (kernel, stride, padding, ceil_mode) in [
            ([3, 2], [2, 1], [1, 0], false),
            ([2, 3], [2, 2], [0, 1], true),
            ([1, 3], [3, 2], [0, 0], true),
        ] {
            let window = PoolWindow {
                kernel,
                stride,
                padding,
                ceil_mode,
            };
            check(&format!("{window:?} of {image:?}"), &x(), |a| {
                mixed(&max_pool2d(&a[0], window)?)
            });
            for pad in [false, true] {
                check(
                    &format!("mean of {window:?} of {image:?}, {pad}"),
                    &x(),
                    |a| mixed(&avg_pool2d(&a[0], window, pad)?),
                );
            }
        }
        let gates = numbers("gates", &[image[0], 1, 1, image[3]]);
        let [x1] = x();
        check("gates", &[gates, x1], |a| mixed(&mul(&a[0], &a[1])?));
        for (rows, columns) in [(1, 1), (7, 7), (3, 4), (2, 9)] {
            check(&format!("means {rows}x{columns} of {image:?}"), &x(), |a| {
                mixed(&adaptive_avg_pool2d(&a[0], rows, columns)?)
            });
        }
    }
}

// torch.nn.functional.adaptive_avg_pool2d(torch.arange(6.).reshape(1, 1, 2, 3), (3, 2))
#[test]
fn means_over_cells_are_pytorchs() {
    let x = Tensor::arange(0f64, 6.0, &Device::Cpu).unwrap();
    let y = adaptive_avg_pool2d(&x.reshape((1, 2, 3, 1)).unwrap(), 3, 2).unwrap();
    assert_eq!(values(&y), [0.5, 1.5, 2.0, 3.0, 3.5, 4.5]);
}

#[test]
fn the_order_of_dimensions_goes_there_and_back() {
    let x = numbers("x", &[2, 3, 4, 5]);
    let last = channels_last(&x).unwrap();
    assert_eq!(last.dims(), [2, 4, 5, 3]);
    let expected = x.permute((0, 2, 3, 1)).unwrap().contiguous().unwrap();
    assert_eq!(values(&last), values(&expected));
    assert_eq!(values(&flatten_channels_first(&last).unwrap()), values(&x));
    for shape in [[2, 3, 4, 5], [1, 1, 1, 1], [1, 7, 1, 3], [1, 1, 5, 1]] {
        let x = || [numbers("x", &shape)];
        check(&format!("channels last {shape:?}"), &x(), |a| {
            mixed(&channels_last(&a[0])?)
        });
        check(&format!("flatten {shape:?}"), &x(), |a| {
            mixed(&flatten_channels_first(&a[0])?)
        });
    }
}

#[test]
fn gradients_of_normalised_images_are_those_of_finite_differences() {
    let activations = Activation::ALL.into_iter().map(Some);
    for activation in activations.chain([None]) {
        for image in [[2, 3, 4, 5], [1, 5, 3, 1], [1, 1, 7, 17]] {
            let channels = image[3];
            let arguments = [
                numbers("x", &image),
                numbers("w", &[channels]),
                numbers("b", &[channels]),
            ];
            let kept = BatchStatistics {
                mean: (0..channels).map(|c| 0.1 * c as f64 - 0.3).collect(),
                variance: (0..channels).map(|c| 0.2 + c as f64).collect(),
                rows: 0,
            };
            let what = format!("batch norm of {image:?}, {activation:?}");
            check(&what, &arguments, |a| {
                mixed(&batch_norm(&a[0], &a[1], &a[2], 1e-5, activation)?.0)
            });
            check(&format!("{what}, by kept statistics"), &arguments, |a| {
                mixed(&batch_norm_eval(
                    &a[0], &a[1], &a[2], &kept, 1e-5, activation,
                )?)
            });
        }
    }
}

#[test]
fn the_variance_of_values_far_from_zero_does_not_drown() {
    let values: Vec<f32> = (0..100_000).map(|i| 1000.0 + (i % 10) as f32).collect();
    let x = Tensor::from_vec(values, (100_000, 1), &Device::Cpu).unwrap();
    let (one, zero) = (
        Tensor::ones(1, DType::F32, &Device::Cpu).unwrap(),
        Tensor::zeros(1, DType::F32, &Device::Cpu).unwrap(),
    );
    let (_, statistics) = batch_norm(&x, &one, &zero, 1e-5, None).unwrap();
    assert!((statistics.mean[0] - 1004.5).abs() < 1e-6, "{statistics:?}");
    assert!(
        (statistics.variance[0] - 8.25).abs() < 1e-5,
        "{statistics:?}"
    );
}
