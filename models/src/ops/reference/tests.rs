//! The kernels held against the reference: results and gradients, in f32 and f64, of shapes with odd sizes.

use std::collections::HashMap;

use candle_core::{Device, TensorId};

use super::super as kernels;
use super::super::{PoolWindow, Tape};
use super::*;
use crate::ops::inplace::CopySource;
use crate::ops::loss::Targets;
use crate::ops::optimizer::{AdamW, Optimizer, Sgd};
use crate::random::Key;

const ACTIVATIONS: [Activation; 8] = Activation::ALL;

fn numbers(name: &str, shape: &[usize]) -> Tensor {
    let mut generator = Key::new(5, name).generator();
    let values: Vec<f64> = (0..shape.iter().product())
        .map(|_| generator.normal())
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// The result of an operation on a tape, and the gradients of its arguments.
fn pass(operation: impl FnOnce() -> Result<Tensor>) -> (Tensor, HashMap<TensorId, Tensor>) {
    let (y, tape) = Tape::record(|| operation().unwrap());
    let dy = numbers("dy", y.dims()).to_dtype(y.dtype()).unwrap();
    let gradients = tape.backward_with_hook(&y, dy, &mut |_, _, _| false);
    (y, gradients.unwrap())
}

/// Fails where values differ by more than a share of the largest.
fn near(what: &str, got: &Tensor, expected: &Tensor) {
    assert_eq!(got.shape(), expected.shape(), "{what}");
    assert_eq!(got.dtype(), expected.dtype(), "{what}");
    let tolerance = match got.dtype() {
        DType::F64 => 1e-11,
        _ => 1e-4,
    };
    let values = |tensor: &Tensor| -> Vec<f64> {
        let tensor = tensor.to_dtype(DType::F64).unwrap();
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    };
    let (got, expected) = (values(got), values(expected));
    let largest = expected.iter().fold(1.0, |a: f64, b| a.max(b.abs()));
    for (i, (got, expected)) in got.iter().zip(&expected).enumerate() {
        let error = (got - expected).abs();
        assert!(
            error <= tolerance * largest,
            "{what}[{i}]: {got} {expected}"
        );
    }
}

/// Compares an operation with its reference on arguments of these shapes.
fn check<const N: usize>(
    what: &str,
    shapes: [&[usize]; N],
    kernel: impl Fn([&Tensor; N]) -> Result<Tensor>,
    reference: impl Fn([&Tensor; N]) -> Result<Tensor>,
) {
    assert!(!selected(), "{ENV_VAR} leaves nothing to compare");
    for dtype in [DType::F64, DType::F32] {
        let what = format!("{what} {shapes:?} {dtype:?}");
        let variables = std::array::from_fn::<_, N, _>(|i| {
            let values = numbers(&format!("argument {i}"), shapes[i]);
            Var::from_tensor(&values.to_dtype(dtype).unwrap()).unwrap()
        });
        let arguments = variables.each_ref().map(Var::as_tensor);
        let (y, gradients) = pass(|| kernel(arguments));
        let (expected, expected_gradients) = pass(|| reference(arguments));
        near(&what, &y, &expected);
        // Without a tape, where Candle's own graph is recorded.
        near(&what, &reference(arguments).unwrap(), &expected);
        for (i, argument) in arguments.iter().enumerate() {
            let of = |gradients: &HashMap<TensorId, Tensor>| gradients[&argument.id()].clone();
            near(
                &format!("{what}, gradient {i}"),
                &of(&gradients),
                &of(&expected_gradients),
            );
        }
    }
}

#[test]
fn layers_of_values() {
    for (n, inputs, outputs) in [(7, 3, 4), (1, 5, 1), (17, 19, 33)] {
        check(
            "linear",
            [&[n, inputs], &[outputs, inputs], &[outputs]],
            |[x, w, b]| kernels::linear(x, w, b),
            |[x, w, b]| linear(x, w, b),
        );
    }
    for shape in [&[6, 5][..], &[1, 3, 7, 17]] {
        for activation in ACTIVATIONS {
            check(
                &format!("{activation:?}"),
                [shape],
                |[x]| kernels::activate(x, activation),
                |[x]| activate(x, activation),
            );
        }
        check(
            "hardtanh",
            [shape],
            |[x]| kernels::hardtanh(x, -0.5, 0.25),
            |[x]| hardtanh(x, -0.5, 0.25),
        );
        check(
            "zero_pad2d",
            [&[2, 3, 4, 5]],
            |[x]| kernels::zero_pad2d(x, [1, 2, 0, 3]),
            |[x]| zero_pad2d(x, [1, 2, 0, 3]),
        );
        check(
            "mul",
            [shape, shape],
            |[a, b]| kernels::mul(a, b),
            |[a, b]| mul(a, b),
        );
        let key = Key::new(0, "mask");
        check(
            "dropout",
            [shape],
            |[x]| kernels::dropout(x, 0.3, &key),
            |[x]| {
                let ones = Tensor::ones(shape, x.dtype(), x.device())?;
                dropout(x, kernels::dropout(&ones, 0.3, &key)?)
            },
        );
        check(
            "add",
            [shape, shape],
            |[a, b]| kernels::add(a, b),
            |[a, b]| add(a, b),
        );
        check(
            "cat",
            [shape, shape],
            |[a, b]| kernels::cat(&[a, b, a]),
            |[a, b]| cat(&[a, b, a]),
        );
    }
}

#[test]
fn convolutions() {
    for (x, w, stride, padding, dilation, groups) in [
        // 1x1, Winograd, depthwise, and others.
        ([2, 3, 5, 4], [7, 4, 1, 1], [1, 1], [0, 0], [1, 1], 1),
        ([1, 5, 7, 16], [17, 16, 3, 3], [1, 1], [1, 1], [1, 1], 1),
        ([2, 3, 5, 35], [32, 35, 5, 5], [1, 1], [2, 2], [1, 1], 1),
        ([1, 7, 5, 33], [33, 1, 3, 3], [2, 2], [1, 1], [1, 1], 33),
        ([1, 6, 7, 2], [2, 1, 5, 3], [2, 3], [2, 0], [1, 1], 2),
        ([1, 8, 7, 4], [6, 2, 3, 3], [2, 1], [0, 1], [1, 1], 2),
        ([2, 6, 5, 3], [4, 3, 3, 3], [2, 2], [0, 0], [1, 1], 1),
        // With dilation: depthwise, and others.
        ([1, 7, 6, 5], [5, 1, 3, 3], [1, 1], [2, 1], [2, 1], 5),
        ([1, 7, 9, 17], [17, 1, 3, 2], [2, 1], [1, 3], [1, 3], 17),
        ([2, 7, 6, 3], [4, 3, 3, 2], [1, 2], [2, 1], [2, 3], 1),
        ([1, 5, 5, 4], [6, 2, 2, 2], [1, 1], [0, 0], [4, 2], 2),
    ] {
        let params = ConvParams {
            stride,
            padding,
            dilation,
            groups,
        };
        check(
            &format!("{params:?}"),
            [&x, &w],
            |[x, w]| kernels::conv2d(x, w, None, params),
            |[x, w]| conv2d(x, w, None, params),
        );
        check(
            &format!("{params:?} with a bias"),
            [&x, &w, &[w[0]]],
            |[x, w, b]| kernels::conv2d(x, w, Some(b), params),
            |[x, w, b]| conv2d(x, w, Some(b), params),
        );
    }
    let params = ConvParams::same(1);
    check(
        "branches",
        [&[2, 3, 5, 7], &[3, 7, 1, 1], &[4, 7, 1, 1]],
        |[x, a, b]| {
            let results = kernels::conv2d_branches(x, &[a, b])?;
            kernels::cat(&results.iter().collect::<Vec<_>>())
        },
        |[x, a, b]| cat(&[&conv2d(x, a, None, params)?, &conv2d(x, b, None, params)?]),
    );
    for activation in ACTIVATIONS {
        check(
            &format!("normalized convolution, {activation:?}"),
            [&[3, 4, 5, 7], &[7], &[7], &[6, 7, 1, 1]],
            |[x, scale, shift, w]| {
                let norm = (scale, shift, 1e-5);
                Ok(kernels::norm_conv2d(x, norm, activation, w, params)?
                    .0
                    .values)
            },
            |[x, scale, shift, w]| {
                let (y, _) = batch_norm(x, scale, shift, 1e-5, Some(activation))?;
                conv2d(&y, w, None, params)
            },
        );
    }
}

const fn window(
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    ceil_mode: bool,
) -> PoolWindow {
    PoolWindow {
        kernel,
        stride,
        padding,
        ceil_mode,
    }
}

const WINDOWS: [PoolWindow; 5] = [
    window([3, 2], [2, 1], [1, 0], false),
    window([2, 3], [2, 2], [0, 1], true),
    window([1, 3], [3, 2], [0, 0], true),
    window([3, 3], [2, 2], [1, 1], true),
    window([2, 2], [3, 2], [1, 1], true),
];

#[test]
fn pooling_and_the_order_of_dimensions() {
    for image in [[2, 7, 6, 3], [1, 5, 3, 1], [1, 3, 9, 17]] {
        for (kernel, stride, padding) in [(2, 2, 0), (3, 1, 1), (3, 2, 1), (2, 3, 0), (1, 1, 0)] {
            let window = PoolWindow::square(kernel, stride, padding);
            check(
                &format!("{window:?}"),
                [&image],
                |[x]| kernels::max_pool2d(x, window),
                |[x]| max_pool2d(x, window),
            );
        }
        for window in WINDOWS {
            check(
                &format!("{window:?}"),
                [&image],
                |[x]| kernels::max_pool2d(x, window),
                |[x]| max_pool2d(x, window),
            );
            for pad in [false, true] {
                check(
                    &format!("mean of {window:?}, {pad}"),
                    [&image],
                    |[x]| kernels::avg_pool2d(x, window, pad),
                    |[x]| avg_pool2d(x, window, pad),
                );
            }
        }
        let gates = [image[0], 1, 1, image[3]];
        check(
            "gates",
            [&image, &gates],
            |[x, g]| kernels::mul(x, g),
            |[x, g]| mul(x, g),
        );
        for (rows, columns) in [(1, 1), (7, 7), (3, 4), (2, 9)] {
            check(
                &format!("means {rows}x{columns}"),
                [&image],
                |[x]| kernels::adaptive_avg_pool2d(x, rows, columns),
                |[x]| adaptive_avg_pool2d(x, rows, columns),
            );
        }
        check(
            "channels last",
            [&image],
            |[x]| kernels::channels_last(x),
            |[x]| channels_last(x),
        );
        check(
            "flatten channels first",
            [&image],
            |[x]| kernels::flatten_channels_first(x),
            |[x]| flatten_channels_first(x),
        );
        check(
            "flatten",
            [&image],
            |[x]| kernels::flatten(x),
            |[x]| flatten(x),
        );
    }
}

#[test]
fn batch_normalization() {
    for shape in [&[6, 3][..], &[1, 5, 3, 1], &[2, 3, 4, 17]] {
        let channels = shape[shape.len() - 1];
        let statistics = BatchStatistics {
            mean: (0..channels).map(|c| 0.1 * c as f64 - 0.3).collect(),
            variance: (0..channels).map(|c| 0.2 + c as f64).collect(),
            rows: 0,
        };
        for activation in [None, Some(Activation::Relu), Some(Activation::Silu)] {
            check(
                &format!("batch norm, {activation:?}"),
                [shape, &[channels], &[channels]],
                |[x, w, b]| Ok(kernels::batch_norm(x, w, b, 1e-5, activation)?.0),
                |[x, w, b]| Ok(batch_norm(x, w, b, 1e-5, activation)?.0),
            );
            check(
                &format!("batch norm by given statistics, {activation:?}"),
                [shape, &[channels], &[channels]],
                |[x, w, b]| kernels::batch_norm_eval(x, w, b, &statistics, 1e-5, activation),
                |[x, w, b]| batch_norm_eval(x, w, b, &statistics, 1e-5, activation),
            );
        }
        let (x, one) = (numbers("x", shape), numbers("w", &[channels]));
        let (_, got) = kernels::batch_norm(&x, &one, &one, 1e-5, None).unwrap();
        let (_, expected) = batch_norm(&x, &one, &one, 1e-5, None).unwrap();
        assert_eq!(got.rows, expected.rows);
        for (got, expected) in [(got.mean, expected.mean), (got.variance, expected.variance)] {
            let tensor = |values| Tensor::from_vec(values, channels, &Device::Cpu).unwrap();
            near("statistics", &tensor(got), &tensor(expected));
        }
    }
}

#[test]
fn loss_functions() {
    let rows: [(&[u32], usize); 3] = [(&[0, 2, 1, 2, 3, 0], 4), (&[1], 2), (&[16, 3, 9], 17)];
    for (targets, classes) in rows {
        let shape = [targets.len(), classes];
        for smoothing in [0.1, 0.9] {
            check(
                &format!("cross-entropy smoothed by {smoothing}"),
                [&shape],
                |[s]| Ok(kernels::smoothed_cross_entropy(s, targets, smoothing)?.tensor),
                |[s]| Ok(cross_entropy(s, targets, smoothing)?.tensor),
            );
        }
        let second: Vec<u32> = targets.iter().rev().copied().collect();
        let weights: Vec<f64> = (0..classes).map(|class| 0.5 + class as f64).collect();
        for (mixed, weights) in [
            (Some((&second[..], 0.3)), None),
            (Some((&second[..], 0.8)), Some(&weights[..])),
            (None, Some(&weights[..])),
        ] {
            let targets = Targets {
                mixed,
                ..Targets::from(targets)
            };
            let of_targets = |class: &u32| weights.map_or(1.0, |all| all[*class as usize]);
            let soft = SoftTargets {
                targets,
                smoothing: 0.1,
                weights,
                divisor: match mixed {
                    Some(_) => targets.classes.len() as f64,
                    None => targets.classes.iter().map(of_targets).sum(),
                },
            };
            check(
                "weighted cross-entropy",
                [&shape],
                |[s]| Ok(kernels::weighted_cross_entropy(s, targets, 0.1, weights)?.tensor),
                |[s]| Ok(weighted_cross_entropy(s, soft, targets.classes)?.tensor),
            );
        }
        check(
            "cross-entropy",
            [&shape],
            |[s]| Ok(kernels::cross_entropy(s, targets)?.tensor),
            |[s]| Ok(cross_entropy(s, targets, 0.0)?.tensor),
        );
        check(
            "perceptron",
            [&shape],
            |[s]| Ok(kernels::perceptron_loss(s, targets)?.tensor),
            |[s]| Ok(perceptron_loss(s, targets)?.tensor),
        );
        let scores = numbers("scores", &shape).to_dtype(DType::F32).unwrap();
        let tensor = |rows: Vec<Vec<f32>>| Tensor::new(rows, &Device::Cpu).unwrap();
        near(
            "softmax",
            &tensor(kernels::softmax(&scores).unwrap()),
            &tensor(softmax(&scores).unwrap()),
        );
        let got = kernels::perceptron_loss(&scores, targets).unwrap();
        let expected = perceptron_loss(&scores, targets).unwrap();
        assert_eq!(got.correct, expected.correct);
        assert!((got.mean - expected.mean).abs() < 1e-6);
    }
}

#[test]
fn steps_of_optimizers() {
    let sgd = |momentum, nesterov| {
        Optimizer::Sgd(Sgd {
            lr: 0.05,
            momentum,
            weight_decay: 5e-4,
            nesterov,
        })
    };
    let adamw = |step| {
        Optimizer::AdamW(AdamW {
            lr: 0.01,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.01,
            step,
        })
    };
    let optimizers: [&dyn Fn(u64) -> Optimizer; 4] = [
        &|_| sgd(0.0, false),
        &|_| sgd(0.9, false),
        &|_| sgd(0.9, true),
        &adamw,
    ];
    for optimizer in optimizers {
        let single = |name: &str| numbers(name, &[3, 7]).to_dtype(DType::F32).unwrap();
        let [got, expected] = [(); 2].map(|()| single("parameter").copy().unwrap());
        let mut slots = [(); 2].map(|()| vec![vec![0.0; 21]; optimizer(1).slots()]);
        for number in 1..=3 {
            let gradient = single(&format!("gradient {number}")).flatten_all().unwrap();
            let gradient: Vec<f32> = gradient.to_vec1().unwrap();
            let optimizer = optimizer(number);
            let [a, b] = &mut slots;
            optimizer.step(&got, &gradient, a).unwrap();
            step(&optimizer, &expected, &gradient, b).unwrap();
            near(&format!("{optimizer:?}"), &got, &expected);
            for (got, expected) in a.iter().zip(b) {
                let tensor = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
                near(
                    &format!("{optimizer:?}: state"),
                    &tensor(got),
                    &tensor(expected),
                );
            }
        }
        assert!(
            step(
                &optimizer(1),
                &expected,
                &[0.0; 21],
                &mut [vec![0.0; 21], vec![], vec![]]
            )
            .is_err()
        );
    }
}

#[test]
fn operations_in_place() {
    let copies = |tensor: &Tensor| [(); 2].map(|()| tensor.copy().unwrap());
    let single = numbers("x", &[3, 5]).to_dtype(DType::F32).unwrap();
    let [got, expected] = copies(&single);
    let target: Vec<f64> = numbers("target", &[15]).to_vec1().unwrap();
    kernels::lerp_(&got, &target, 0.1).unwrap();
    lerp_(&expected, &target, 0.1).unwrap();
    near("lerp_", &got, &expected);

    let current = Tensor::from_slice(&target, single.shape(), &Device::Cpu).unwrap();
    let current = current.to_dtype(DType::F32).unwrap();
    for weight in [0.1, 0.9] {
        let [got, expected] = copies(&single);
        kernels::ema_(&got, &current, weight).unwrap();
        ema_(&expected, &current, weight).unwrap();
        near("ema_", &got, &expected);
    }
    let counts = Tensor::new(&[5i64, 6], &Device::Cpu).unwrap();
    let [got, expected] = copies(&Tensor::new(&[3i64, -7], &Device::Cpu).unwrap());
    kernels::ema_(&got, &counts, 0.1).unwrap();
    ema_(&expected, &counts, 0.1).unwrap();
    near("ema_", &got, &expected);
    near("ema_", &got, &counts);
    assert!(kernels::ema_(&got, &current, 0.1).is_err());

    let [got, expected] = copies(&Tensor::new(&[3i64, -7], &Device::Cpu).unwrap());
    kernels::add_one_(&got).unwrap();
    add_one_(&expected).unwrap();
    near("add_one_", &got, &expected);
    let values = CopySource::I64(&[9, 8]);
    kernels::copy_(&got, values).unwrap();
    copy_(&expected, values).unwrap();
    near("copy_", &got, &expected);

    for dtype in [DType::F32, DType::F64] {
        let [got, expected] = copies(&single.to_dtype(dtype).unwrap());
        let values: Vec<f32> = target.iter().map(|value| *value as f32).collect();
        kernels::copy_(&got, CopySource::F32(&values)).unwrap();
        copy_(&expected, CopySource::F32(&values)).unwrap();
        near("copy_", &got, &expected);
    }
}

#[test]
fn the_variable_selects_by_name_and_refuses_the_rest() {
    for (value, selected) in [
        (None, false),
        (Some(""), false),
        (Some("kernels"), false),
        (Some("reference"), true),
    ] {
        assert_eq!(selects(value), Ok(selected));
    }
    let refusal = selects(Some("Reference")).unwrap_err();
    assert_eq!(refusal, "must be one of kernels, reference, not Reference");
}
