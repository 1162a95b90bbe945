//! Gradients of operations compared with finite differences, in f64.

use candle_core::{DType, Device, Result, Tensor, Var};
use vivarium_models::ops::{
    Activation, BatchStatistics, Gradients, Tape, Targets, activate, add, batch_norm,
    batch_norm_eval, cat, cross_entropy, dropout, hardtanh, linear, mul, perceptron_loss,
    smoothed_cross_entropy, weighted_cross_entropy, zero_pad2d,
};
use vivarium_models::random::Key;

/// Deterministic, non-round numbers around 0.
pub(crate) fn numbers(name: &str, shape: &[usize]) -> Var {
    let mut generator = Key::new(11, name).generator();
    let values: Vec<f64> = (0..shape.iter().product())
        .map(|_| generator.normal())
        .collect();
    Var::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// A scalar with a different weight for every value.
pub(crate) fn mixed(y: &Tensor) -> Result<Tensor> {
    let weights = numbers("mix", y.dims());
    y.mul(&weights.as_tensor().detach())?.sum_all()
}

/// Compares the gradient of a scalar function by each argument with central differences.
pub(crate) fn check(name: &str, arguments: &[Var], f: impl Fn(&[Tensor]) -> Result<Tensor>) {
    check_by(1e-6, name, arguments, f);
}

/// As [`check`], with another step width: a wider step has less rounding, and no step is too wide for functions that
/// are linear in each value.
pub(crate) fn check_by(
    step: f64,
    name: &str,
    arguments: &[Var],
    f: impl Fn(&[Tensor]) -> Result<Tensor>,
) {
    let tensors = || {
        arguments
            .iter()
            .map(|v| v.as_tensor().clone())
            .collect::<Vec<_>>()
    };
    let gradients = f(&tensors()).unwrap().backward().unwrap();
    for (a, argument) in arguments.iter().enumerate() {
        let got: Vec<f64> = gradients
            .get(argument)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1()
            .unwrap();
        let values: Vec<f64> = argument.flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(got.len(), values.len());
        for i in 0..values.len() {
            let at = |change: f64| {
                let mut values = values.clone();
                values[i] += change;
                let mut arguments = tensors();
                arguments[a] = Tensor::from_vec(values, argument.shape(), &Device::Cpu).unwrap();
                f(&arguments).unwrap().to_scalar::<f64>().unwrap()
            };
            let expected = (at(step) - at(-step)) / (2.0 * step);
            let error = (got[i] - expected).abs();
            assert!(
                error < 1e-7 * (1.0 + expected.abs()),
                "{name}, argument {a}[{i}]: {} not {expected}",
                got[i]
            );
        }
    }
}

#[test]
fn linear_layers() {
    // With more rows than inputs and with fewer, which use different algorithms.
    for (n, inputs, outputs) in [(7, 3, 4), (3, 9, 2), (1, 5, 1), (1, 1, 17), (17, 19, 33)] {
        let arguments = [
            numbers("x", &[n, inputs]),
            numbers("w", &[outputs, inputs]),
            numbers("b", &[outputs]),
        ];
        check("linear", &arguments, |a| {
            mixed(&linear(&a[0], &a[1], &a[2])?)
        });
    }
}

#[test]
fn activations() {
    for activation in Activation::ALL {
        for shape in [&[6, 5][..], &[1, 1], &[1, 3, 7, 17]] {
            check(&format!("{activation:?}"), &[numbers("x", shape)], |a| {
                mixed(&activate(&a[0], activation)?)
            });
        }
    }
    check("hardtanh", &[numbers("x", &[7, 5])], |a| {
        mixed(&hardtanh(&a[0], -0.5, 0.25)?)
    });
    check("zero_pad2d", &[numbers("x", &[2, 3, 4, 2])], |a| {
        mixed(&zero_pad2d(&a[0], [1, 2, 0, 3])?)
    });
    check(
        "mul",
        &[numbers("x", &[7, 5]), numbers("y", &[7, 5])],
        |a| mixed(&mul(&mul(&a[0], &a[1])?, &a[0])?),
    );
}

#[test]
fn the_gradient_of_relu_at_zero_is_zero() {
    let x = Var::new(&[0f32, -0.0, 1.0, -1.0], &Device::Cpu).unwrap();
    let y = activate(x.as_tensor(), Activation::Relu)
        .unwrap()
        .sum_all()
        .unwrap();
    assert_eq!(
        y.backward()
            .unwrap()
            .get(&x)
            .unwrap()
            .to_vec1::<f32>()
            .unwrap(),
        [0.0, 0.0, 1.0, 0.0]
    );
}

#[test]
fn batch_normalisation_over_the_batch_and_by_kept_statistics() {
    let arguments = || {
        [
            numbers("x", &[6, 3]),
            numbers("w", &[3]),
            numbers("b", &[3]),
        ]
    };
    check("batch norm", &arguments(), |a| {
        mixed(&batch_norm(&a[0], &a[1], &a[2], 1e-5, None)?.0)
    });
    let kept = BatchStatistics {
        mean: vec![0.3, -0.1, 2.0],
        variance: vec![0.5, 2.0, 1e-3],
        rows: 0,
    };
    check("batch norm by kept statistics", &arguments(), |a| {
        mixed(&batch_norm_eval(&a[0], &a[1], &a[2], &kept, 1e-5, None)?)
    });
}

#[test]
fn a_batch_of_one_row_is_normalised_to_the_bias_and_pulls_at_nothing_before() {
    let [x, w, b] = [
        numbers("x", &[1, 3]),
        numbers("w", &[3]),
        numbers("b", &[3]),
    ];
    let (y, statistics) = batch_norm(x.as_tensor(), &w, &b, 1e-5, None).unwrap();
    assert_eq!(y.to_vec2::<f64>().unwrap()[0], b.to_vec1::<f64>().unwrap());
    assert_eq!(statistics.rows, 1);
    let gradients = mixed(&y).unwrap().backward().unwrap();
    assert!(
        gradients
            .get(&x)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1::<f64>()
            .unwrap()
            .iter()
            .all(|v| v.abs() < 1e-12)
    );
}

#[test]
fn dropout_with_its_mask() {
    let key = Key::new(0, "mask");
    for shape in [&[5, 8][..], &[1, 1], &[1, 3, 5, 17]] {
        for rate in [0.0, 0.4] {
            check("dropout", &[numbers("x", shape)], |a| {
                mixed(&dropout(&a[0], rate, &key)?)
            });
        }
    }
}

#[test]
fn joints_and_sums() {
    let parts = || [numbers("a", &[1, 3, 2]), numbers("b", &[1, 3, 17])];
    check("join", &parts(), |a| mixed(&cat(&[&a[0], &a[1], &a[0]])?));
    let parts = || [numbers("a", &[1, 3, 5]), numbers("b", &[1, 3, 5])];
    check("sum", &parts(), |a| {
        mixed(&add(&add(&a[0], &a[1])?, &a[0])?)
    });
}

#[test]
fn criteria() {
    let targets = [0, 2, 1, 2, 3, 0];
    let rows: [(&[u32], usize); 4] = [(&targets, 4), (&[1], 2), (&[0], 17), (&[16, 3, 9], 17)];
    for (targets, classes) in rows {
        let scores = || [numbers("s", &[targets.len(), classes])];
        check("cross-entropy", &scores(), |a| {
            Ok(cross_entropy(&a[0], targets)?.tensor)
        });
        for smoothing in [0.1, 0.9] {
            check("smoothed cross-entropy", &scores(), |a| {
                Ok(smoothed_cross_entropy(&a[0], targets, smoothing)?.tensor)
            });
        }
        let second: Vec<u32> = targets.iter().rev().copied().collect();
        for mixed in [None, Some((&second[..], 0.7))] {
            check("weighted cross-entropy", &scores(), |a| {
                let targets = Targets {
                    mixed,
                    ..Targets::from(targets)
                };
                let classes = a[0].dim(1)?;
                let weights: Vec<f64> = (0..classes).map(|class| 0.5 + class as f64).collect();
                Ok(weighted_cross_entropy(&a[0], targets, 0.1, Some(&weights))?.tensor)
            });
        }
        check("perceptron", &scores(), |a| {
            Ok(perceptron_loss(&a[0], targets)?.tensor)
        });
    }
    check("a scaled loss", &[numbers("s", &[6, 4])], |a| {
        cross_entropy(&a[0], &targets)?.tensor.affine(3.0, 1.0)
    });
}

#[test]
fn a_whole_network() {
    let arguments = [
        numbers("x", &[8, 5]),
        numbers("w1", &[6, 5]),
        numbers("b1", &[6]),
        numbers("g", &[6]),
        numbers("h", &[6]),
        numbers("w2", &[3, 6]),
        numbers("b2", &[3]),
    ];
    check("network", &arguments, |a| {
        let x = linear(&a[0], &a[1], &a[2])?;
        let x = activate(
            &batch_norm(&x, &a[3], &a[4], 1e-5, None)?.0,
            Activation::Silu,
        )?;
        Ok(cross_entropy(&linear(&x, &a[5], &a[6])?, &[0, 1, 2, 0, 1, 2, 0, 1])?.tensor)
    });
}

#[test]
fn the_tape_gives_candles_gradients_and_a_parameter_used_twice_adds_up() {
    let f32s = |name: &str, shape: &[usize]| {
        Var::from_tensor(&numbers(name, shape).to_dtype(DType::F32).unwrap()).unwrap()
    };
    let (x, w, b) = (
        f32s("x", &[4, 3]).as_tensor().detach(),
        f32s("w", &[3, 3]),
        f32s("b", &[3]),
    );
    // A sum whose terms share a gradient, a value that is used twice, a term without gradient.
    let loss = |w: &Tensor, b: &Tensor| {
        let y = linear(&linear(&x, w, b)?, w, b)?;
        let y = add(&add(&y, &y)?, &activate(&y, Activation::Tanh)?)?;
        let y = cat(&[&y, &x, &y])?;
        cross_entropy(&y, &[0, 1, 2, 0]).map(|loss| loss.tensor)
    };
    let expected = loss(&w, &b).unwrap().backward().unwrap();
    let mut kept = Gradients::default();
    for _ in 0..2 {
        let (loss, tape) = Tape::record(|| loss(&w, &b).unwrap());
        kept.backward(tape, &loss).unwrap();
        for parameter in [&w, &b] {
            let expected: Vec<f32> = expected
                .get(parameter)
                .unwrap()
                .flatten_all()
                .unwrap()
                .to_vec1()
                .unwrap();
            for (got, expected) in kept.of(parameter).unwrap().iter().zip(expected) {
                assert!((got - expected).abs() < 1e-6, "{got} {expected}");
            }
        }
    }
    let alone = f32s("c", &[2, 3]);
    let (loss, tape) = Tape::record(|| cross_entropy(&alone, &[0, 1]).unwrap().tensor);
    // A variable that is not a parameter of an operation gets its gradient from the tape.
    assert!(tape.backward(&loss).unwrap().contains_key(&alone.id()));
    let (loss, tape) = Tape::record(|| {
        cross_entropy(&linear(&x, &w, &b).unwrap(), &[0; 4])
            .unwrap()
            .tensor
    });
    kept.backward(tape, &loss).unwrap();
    assert!(kept.of(&w).is_some());
    let (loss, tape) = Tape::record(|| cross_entropy(&x, &[0; 4]).unwrap().tensor);
    kept.backward(tape, &loss).unwrap();
    assert!(kept.of(&w).is_none(), "a gradient of the step before");
}
