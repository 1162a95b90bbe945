//! Runs the golden tests and the gradient tests again on the reference operations, with the same tolerances.

use candle_core::{DType, Device, Result, Tensor};
use vivarium_models::ops::reference::{ENV_VAR, check_selection, selected};
use vivarium_models::ops::{
    Activation, ConvParams, PoolWindow, activate, adaptive_avg_pool2d, batch_norm, channels_last,
    conv2d, cross_entropy, flatten_channels_first, linear, max_pool2d, perceptron_loss,
};

use crate::rerun::{pass_with, run};

/// Prefixes of test names, as filters of this binary. Twenty steps are those of the networks that take seconds for them.
const TESTS: &[&str] = &[
    "convolutions::",
    "differences::",
    "golden::",
    "golden_networks::inception::",
    "golden_networks::mlp_wide::every_gradient",
    "golden_networks::mlp_wide::names_and_scores",
    "golden_networks::residual_deep::every_gradient",
    "golden_networks::residual_deep::names_and_scores",
    "golden_networks::residual_small::every_gradient",
    "golden_networks::residual_small::names_and_scores",
    "golden_networks::residual_small_shallow::",
    "golden_networks::residual_small_silu::every_gradient",
    "golden_networks::residual_small_silu::names_and_scores",
    "golden_networks::vgg16::every_gradient",
    "golden_networks::vgg16::names_and_scores",
    "golden_networks::vgg16_compact::",
    "golden_networks::vgg16_plain::every_gradient",
    "golden_networks::vgg16_plain::names_and_scores",
    "inspect_arithmetic::",
    "not_numbers::",
    "perceptron::",
    "reference::the_operations_asked_for",
    "recipe::the_loss",
    "recipe::the_average",
    "steps::",
];

#[test]
fn numbers_and_gradients_are_right_on_the_reference() {
    pass_with(TESTS, (ENV_VAR, "reference"));
}

#[test]
fn the_operations_asked_for_are_those_in_use() {
    let asked = std::env::var(ENV_VAR).is_ok_and(|value| value == "reference");
    check_selection().unwrap_or_else(|refusal| panic!("{refusal}"));
    assert_eq!(selected(), asked);
    // Only the kernels refuse tensors that are not contiguous.
    let ones = |shape: &[usize]| Tensor::ones(shape, DType::F32, &Device::Cpu).unwrap();
    let rows = &ones(&[3, 2]).t().unwrap();
    let images = &ones(&[1, 3, 2, 2]).transpose(1, 2).unwrap();
    let (one, same) = (&ones(&[2]), ConvParams::same(1));
    let results: [(&str, Result<Tensor>); 10] = [
        ("activate", activate(rows, Activation::Tanh)),
        ("linear", linear(rows, &ones(&[2, 3]), one)),
        ("conv2d", conv2d(images, &ones(&[2, 2, 1, 1]), None, same)),
        ("max_pool2d", max_pool2d(images, PoolWindow::HALVING)),
        ("adaptive_avg_pool2d", adaptive_avg_pool2d(images, 1, 1)),
        (
            "batch_norm",
            batch_norm(images, one, one, 1e-5, None).map(|(y, _)| y),
        ),
        ("channels_last", channels_last(images)),
        ("flatten_channels_first", flatten_channels_first(images)),
        (
            "cross_entropy",
            cross_entropy(rows, &[0, 1]).map(|loss| loss.tensor),
        ),
        (
            "perceptron_loss",
            perceptron_loss(rows, &[0, 1]).map(|loss| loss.tensor),
        ),
    ];
    for (name, result) in results {
        assert_eq!(result.is_ok(), asked, "{name}: {result:?}");
    }
}

#[test]
fn operations_that_do_not_exist_are_refused_by_name() {
    let tests = ["reference::the_operations_asked_for"];
    let (text, passed) = run(&tests, (ENV_VAR, "candle"));
    assert!(!passed);
    let refusal = "VIVARIUM_OPS: must be one of kernels, reference, not candle";
    assert!(text.contains(refusal), "{text}");
}
