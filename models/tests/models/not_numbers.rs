//! Infinities and NaN through every operation, forward and backward. They propagate as in PyTorch: divergence must be
//! noticed, and valid values must not be affected. The values are from `golden/not_numbers.py`.
//!
//! The rules: activations keep NaN, and a maximum treats it as the largest value. The mean, the loss and the norm of
//! all gradients are NaN if any part is. Batch normalisation affects the channel only, and the gradient of its bias
//! stays valid. Dropout multiplies by 0, so an infinity becomes NaN. A parameter with a NaN gradient becomes NaN.

use candle_core::{DType, Device, Tensor, Var};
use serde_json::Value;
use vivarium_models::ops::{
    Activation, AdamW, BatchStatistics, Gradients, Optimizer, PoolWindow, Sgd, Tape, activate,
    adaptive_avg_pool2d, add, batch_norm, batch_norm_eval, cat, channels_last, conv2d,
    cross_entropy, dropout, flatten_channels_first, hardtanh, lerp_, linear, max_pool2d,
    perceptron_loss, smoothed_cross_entropy, softmax,
};
use vivarium_models::random::Key;

use crate::convolutions::{CASES, Case, by_definition, conv_params};
use crate::differences::numbers;

fn golden(group: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../golden/not_numbers.json")).unwrap();
    all[group].as_array().unwrap().clone()
}

fn values(json: &Value) -> Vec<f32> {
    let value = |value: &Value| match value.as_str() {
        Some(name) => name.parse().unwrap(),
        None => value.as_f64().unwrap() as f32,
    };
    json["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(value)
        .collect()
}

fn sizes(json: &Value) -> Vec<usize> {
    let sizes = json.as_array().unwrap().iter();
    sizes.map(|size| size.as_u64().unwrap() as usize).collect()
}

fn tensor(json: &Value) -> Tensor {
    Tensor::from_vec(values(json), sizes(&json["shape"]), &Device::Cpu).unwrap()
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Equal infinities, NaN in the same places, and otherwise equal values up to rounding.
fn same(what: &str, got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        let same = if expected.is_finite() {
            (got - expected).abs() <= 2e-5 * (1.0 + expected.abs())
        } else {
            got.total_cmp(expected).is_eq() || got.is_nan() && expected.is_nan()
        };
        assert!(same, "{what}[{i}]: {got}, not {expected}");
    }
}

/// The result of a case's operation.
fn apply(case: &Value, a: &[Var]) -> Tensor {
    let number = |name: &str| case[name].as_u64().unwrap() as usize;
    let activation = |name: &str| match name {
        "relu" => Activation::Relu,
        "relu6" => Activation::Relu6,
        "silu" => Activation::Silu,
        "gelu" => Activation::Gelu,
        "hardswish" => Activation::Hardswish,
        "sigmoid" => Activation::Sigmoid,
        "hardsigmoid" => Activation::Hardsigmoid,
        _ => Activation::Tanh,
    };
    let result = match case["op"].as_str().unwrap() {
        "linear" => linear(&a[0], &a[1], &a[2]),
        "batch_norm" => {
            let after = case["activation"].as_str().map(activation);
            if case["mean"].is_null() {
                batch_norm(a[0].as_tensor(), &a[1], &a[2], 1e-5, after).map(|(y, _)| y)
            } else {
                let of = |name| values(&case[name]).into_iter().map(f64::from).collect();
                let (mean, variance, rows) = (of("mean"), of("variance"), 0);
                let kept = BatchStatistics {
                    mean,
                    variance,
                    rows,
                };
                batch_norm_eval(&a[0], &a[1], &a[2], &kept, 1e-5, after)
            }
        }
        "hardtanh" => hardtanh(&a[0], -0.5, 1.5),
        "max_pool" => {
            let [kernel, stride, padding] = ["kernel", "stride", "padding"].map(number);
            let window = PoolWindow::square(kernel, stride, padding);
            max_pool2d(&a[0], window)
        }
        "mean_pool" => {
            let cells = sizes(&case["cells"]);
            adaptive_avg_pool2d(&a[0], cells[0], cells[1])
        }
        "cross_entropy" => {
            let targets: Vec<_> = sizes(&case["truth"]).iter().map(|t| *t as u32).collect();
            let loss = match case["smoothing"].as_f64().unwrap() {
                0.0 => cross_entropy(&a[0], &targets),
                smoothing => smoothed_cross_entropy(&a[0], &targets, smoothing),
            }
            .unwrap();
            same("the mean", &[loss.mean as f32], &values(&case["result"]));
            Ok(loss.tensor)
        }
        name => activate(&a[0], activation(name)),
    };
    result.unwrap()
}

/// The gradients of the arguments from that of the result, through Candle's graph.
fn gradients(y: &Tensor, dy: &Tensor, arguments: &[Var]) -> Vec<Vec<f32>> {
    let gradients = y.mul(dy).unwrap().sum_all().unwrap().backward().unwrap();
    let gradient = |argument| flat(gradients.get(argument).unwrap());
    arguments.iter().map(|a| gradient(a)).collect()
}

#[test]
fn what_is_no_number_passes_every_operation_and_back_as_in_pytorch() {
    let cases = golden("cases");
    assert!(cases.len() > 300);
    for case in &cases {
        let arguments = case["arguments"].as_array().unwrap();
        let arguments: Vec<_> = arguments
            .iter()
            .map(|a| Var::from_tensor(&tensor(a)).unwrap())
            .collect();
        let what = format!("{case}");
        let (y, tape) = Tape::record(|| apply(case, &arguments));
        same(&what, &flat(&y), &values(&case["result"]));
        let dy = tensor(&case["dy"]);
        let gradients = tape.backward_with_hook(&y, dy, &mut |_, _, _| false);
        let gradients = gradients.unwrap();
        for (a, argument) in arguments.iter().enumerate() {
            let expected = values(&case["gradients"][a]);
            let got = flat(&gradients[&argument.id()]);
            same(&format!("gradient {a} of {what}"), &got, &expected);
        }
    }
}

#[test]
fn a_gradient_that_is_no_number_spoils_its_parameter_and_no_other() {
    for case in golden("steps") {
        let (rule, gradient) = (&case["rule"], values(&case["gradient"]));
        let start = [1f32, -2.0, 0.0, 0.5, 3.0];
        let parameter = Var::new(&start, &Device::Cpu).unwrap();
        let mut slots = Vec::new();
        let number = |name: &str| rule[name].as_f64().unwrap();
        for (step, gradient, expected) in [
            (1, &gradient[..], &case["first"]),
            (2, &[0.25; 5], &case["second"]),
        ] {
            let rule = if rule["kind"] == "sgd" {
                Optimizer::Sgd(Sgd {
                    lr: number("lr"),
                    momentum: number("momentum"),
                    weight_decay: number("weight_decay"),
                    nesterov: rule["nesterov"].as_bool().unwrap(),
                })
            } else {
                Optimizer::AdamW(AdamW {
                    lr: number("lr"),
                    beta1: 0.9,
                    beta2: 0.999,
                    eps: 1e-8,
                    weight_decay: number("weight_decay"),
                    step,
                })
            };
            slots.resize(rule.slots(), vec![0.0; 5]);
            rule.step(&parameter, gradient, &mut slots).unwrap();
            let (got, expected) = (flat(&parameter), values(expected));
            // Without weight decay PyTorch skips it, while here 0 times an infinite parameter is added.
            let expected: Vec<_> = got
                .iter()
                .zip(expected)
                .map(|(got, expected)| match expected {
                    _ if step == 2 && expected.is_infinite() && got.is_nan() => *got,
                    expected => expected,
                })
                .collect();
            same(&format!("{rule:?} step {step}"), &got, &expected);
        }
    }
}

#[test]
fn a_norm_that_is_no_number_spoils_all_gradients_and_an_infinite_one_makes_zeros_of_the_others() {
    for case in golden("clipping") {
        let mut kept = Gradients::default();
        let mut parameters = Vec::new();
        for gradient in case["gradients"].as_array().unwrap() {
            let parameter = Var::zeros(5, DType::F32, &Device::Cpu).unwrap();
            kept.set(&parameter, values(gradient));
            parameters.push(parameter);
        }
        let norm = kept.clip(parameters.iter(), 1.0);
        same("the norm", &[norm as f32], &values(&case["norm"]));
        for (parameter, expected) in parameters.iter().zip(case["clipped"].as_array().unwrap()) {
            let what = format!("{case}");
            same(&what, kept.of(parameter).unwrap(), &values(expected));
        }
    }
}

// torch.nn.functional.dropout multiplies by a mask of 0 and 1 / (1 - p), in the backward pass too.
#[test]
fn what_dropout_drops_of_an_infinity_is_no_number() {
    let key = Key::new(3, "mask");
    let ones = Tensor::ones(64, DType::F32, &Device::Cpu).unwrap();
    let mask = flat(&dropout(&ones, 0.5, &key).unwrap());
    assert!(mask.contains(&0.0) && mask.contains(&2.0));
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let expected: Vec<_> = mask.iter().map(|factor| bad * factor).collect();
        let x = Var::from_vec(vec![bad; 64], 64, &Device::Cpu).unwrap();
        same("result", &flat(&dropout(&x, 0.5, &key).unwrap()), &expected);
        let x = Var::from_tensor(&ones).unwrap();
        let y = dropout(&x, 0.5, &key).unwrap();
        let dy = Tensor::from_vec(vec![bad; 64], 64, &Device::Cpu).unwrap();
        same("gradient", &gradients(&y, &dy, &[x])[0], &expected);
    }
}

#[test]
fn what_moves_values_moves_what_is_no_number() {
    let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0];
    let x = Var::from_vec(bad.repeat(6), (2, 3, 2, 2), &Device::Cpu).unwrap();
    let dy: Vec<_> = bad.repeat(6).into_iter().rev().collect();
    let turned = |values: Vec<f32>, order: [usize; 4], shape: [usize; 4]| {
        let tensor = Tensor::from_vec(values, &shape[..], &Device::Cpu).unwrap();
        flat(&tensor.permute(order).unwrap().contiguous().unwrap())
    };
    let y = channels_last(&x).unwrap();
    let right = turned(bad.repeat(6), [0, 2, 3, 1], [2, 3, 2, 2]);
    same("channels last", &flat(&y), &right);
    let back = Tensor::from_vec(dy.clone(), y.shape(), &Device::Cpu).unwrap();
    let right = turned(dy.clone(), [0, 3, 1, 2], [2, 2, 2, 3]);
    same(
        "back",
        &gradients(&y, &back, std::slice::from_ref(&x))[0],
        &right,
    );
    let y = flatten_channels_first(&x).unwrap();
    let right = turned(bad.repeat(6), [0, 3, 1, 2], [2, 3, 2, 2]);
    same("flat", &flat(&y), &right);
    let back = Tensor::from_vec(dy.clone(), y.shape(), &Device::Cpu).unwrap();
    let right = turned(dy, [0, 2, 3, 1], [2, 2, 3, 2]);
    same("back", &gradients(&y, &back, &[x])[0], &right);
}

#[test]
fn sums_joints_and_running_statistics_keep_what_is_no_number() {
    let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.0];
    let row = |values: &[f32]| Var::from_vec(values.to_vec(), (1, 4), &Device::Cpu).unwrap();
    let (x, ones) = (row(&bad), row(&[1.0; 4]));
    let twice = [&bad[..], &[1.0; 4]].concat();
    let more = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 2.0];
    // With a tape and without it, where Candle computes them.
    let both = || (cat(&[&x, &ones]).unwrap(), add(&x, &ones).unwrap());
    let ((joined, added), _) = Tape::record(both);
    for (joined, added) in [(joined, added), both()] {
        same("joined", &flat(&joined), &twice);
        same("added", &flat(&added), &more);
    }
    let opposite = row(&[1.0, f32::NEG_INFINITY, 1.0, 1.0]);
    let added = flat(&add(&x, &opposite).unwrap());
    same(
        "opposites",
        &added,
        &[f32::NAN, f32::NAN, f32::NEG_INFINITY, 2.0],
    );
    // Through a loss whose gradient is NaN, on the tape.
    let (loss, tape) = Tape::record(|| {
        let scores = cat(&[&add(&x, &ones).unwrap(), &ones]).unwrap();
        cross_entropy(&scores, &[0]).unwrap().tensor
    });
    let back = tape.backward(&loss).unwrap();
    for argument in [&x, &ones] {
        same("back", &flat(&back[&argument.id()]), &[f32::NAN; 4]);
    }
    let kept = Tensor::new(&[1f32, 1.0, f32::NAN], &Device::Cpu).unwrap();
    lerp_(&kept, &[f64::NAN, f64::INFINITY, 0.0], 0.1).unwrap();
    let right = [f32::NAN, f32::INFINITY, f32::NAN];
    same("running", &flat(&kept), &right);
}

#[test]
fn the_softmax_of_a_row_that_is_no_number_is_none_and_nothing_of_minus_infinity_is_left() {
    let inf = f32::INFINITY;
    let rows = [
        [f32::NAN, 0.0, 1.0],
        [inf, 0.0, 1.0],
        [-inf, 2.0, 2.0],
        [-inf; 3],
    ];
    // torch.softmax
    let expected = [[f32::NAN; 3], [f32::NAN; 3], [0.0, 0.5, 0.5], [f32::NAN; 3]];
    let scores = Tensor::new(&rows, &Device::Cpu).unwrap();
    for (got, expected) in softmax(&scores).unwrap().iter().zip(&expected) {
        same("softmax", got, expected);
    }
}

// Not a loss of PyTorch's: the loss is NaN, and such a row has no gradient.
#[test]
fn the_perceptrons_loss_of_what_is_no_number_is_none_and_pulls_at_nothing() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let scores = [[0.0, bad, 1.0], [2.0, 0.0, 1.0]];
        let scores = Var::new(&scores, &Device::Cpu).unwrap();
        let loss = perceptron_loss(&scores, &[0, 1]).unwrap();
        assert!(loss.mean.is_nan());
        assert_eq!(loss.correct, 0);
        let one = Tensor::ones((), DType::F32, &Device::Cpu).unwrap();
        same(
            "gradient",
            &gradients(&loss.tensor, &one, &[scores])[0],
            &[0.0, 0.0, 0.0, 0.5, -0.5, 0.0],
        );
    }
}

/// The gradients of image and weights by the definition of a convolution, for sums that start at 0.
fn back_by_definition(case: &Case, x: &[f64], w: &[f64], dy: &[f64]) -> [Vec<f64>; 2] {
    let ([n, height, width, channels], [out, inputs, kh, kw], stride, padding, groups) = *case;
    let rows = (height + 2 * padding[0] - kh) / stride[0] + 1;
    let columns = (width + 2 * padding[1] - kw) / stride[1] + 1;
    let (mut dx, mut dw) = (vec![0.0; x.len()], vec![0.0; w.len()]);
    assert_eq!(dy.len(), n * rows * columns * out);
    for (place, dy) in dy.iter().enumerate() {
        let (o, pixel) = (place % out, place / out);
        let (column, row, image) = (
            pixel % columns,
            pixel / columns % rows,
            pixel / columns / rows,
        );
        for tap in 0..inputs * kh * kw {
            let (i, ky, kx) = (tap / kw / kh, tap / kw % kh, tap % kw);
            let iy = (row * stride[0] + ky).wrapping_sub(padding[0]);
            let ix = (column * stride[1] + kx).wrapping_sub(padding[1]);
            if iy < height && ix < width {
                let from = ((image * height + iy) * width + ix) * channels
                    + o / (out / groups) * inputs
                    + i;
                let weight = o * inputs * kh * kw + tap;
                dx[from] += dy * w[weight];
                dw[weight] += dy * x[from];
            }
        }
    }
    [dx, dw]
}

/// Whether NaN may spread further than in the definition: Winograd affects a whole tile, and padding, which the
/// definition leaves out, may be multiplied by a NaN weight or gradient, as PyTorch does in f64 but not in f32.
fn may_spoil_more(case: &Case, spoilt: usize) -> bool {
    let channels = case.1[0].min(case.1[1]);
    let in_tiles = case.4 == 1
        && match case.1[2..] {
            [3, 3] => channels >= 16,
            [5, 5] => channels >= 32,
            _ => false,
        };
    in_tiles || spoilt > 0 && case.3 != [0, 0]
}

#[test]
fn what_is_no_number_passes_a_convolution_and_back_as_its_definition_says() {
    let of = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f64>().unwrap();
    for case in CASES {
        let (x, w) = (of(&numbers("x", &case.0)), of(&numbers("w", &case.1)));
        let shape = {
            let [x, w] = [numbers("x", &case.0), numbers("w", &case.1)];
            conv2d(&x, &w, None, conv_params(case))
                .unwrap()
                .dims()
                .to_vec()
        };
        let dy = of(&numbers("dy", &shape));
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for spoilt in 0..3 {
                let mut all = [x.clone(), w.clone(), dy.clone()];
                let middle = all[spoilt].len() / 2;
                all[spoilt][middle] = bad;
                let [x, w, dy] = &all;
                let [dx, dw] = back_by_definition(case, x, w, dy);
                let result = by_definition(case, x, w, &vec![0.0; case.1[0]]);
                let var = |values: &[f64], shape: &[usize]| {
                    Var::from_vec(values.to_vec(), shape, &Device::Cpu).unwrap()
                };
                let (x, w) = (var(x, &case.0), var(w, &case.1));
                let y = conv2d(&x, &w, None, conv_params(case)).unwrap();
                let dy = var(dy, &shape);
                let loss = y.mul(&dy.as_tensor().detach()).unwrap().sum_all().unwrap();
                let back = loss.backward().unwrap();
                let [back_x, back_w] = [&x, &w].map(|argument| back.get(argument).unwrap());
                for (got, expected) in [(&y, &result), (back_x, &dx), (back_w, &dw)] {
                    for (i, (got, expected)) in of(got).iter().zip(expected).enumerate() {
                        let what = format!("{case:?}, {bad} in {spoilt}, [{i}]: {got} {expected}");
                        if !expected.is_finite() {
                            assert!(!got.is_finite(), "{what}");
                        } else if !may_spoil_more(case, spoilt) {
                            assert!((got - expected).abs() < 1e-9, "{what}");
                        }
                    }
                }
            }
        }
    }
}
