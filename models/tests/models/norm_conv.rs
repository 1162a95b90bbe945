//! Normalisation, activation and convolution as one operation, compared with three separate ones, whose gradients other
//! tests compare with finite differences.

use candle_core::{Error, Result, Tensor, Var};
use vivarium_models::ops::{
    Activation, BatchStatistics, ConvParams, Tape, batch_norm, conv2d, cross_entropy,
    flatten_channels_first, norm_conv2d,
};

use crate::differences::numbers;

/// Images `[n, height, width, channels]`, output channels, kernel, whether depthwise.
type Case = ([usize; 4], usize, usize, bool);

const CASES: &[Case] = &[
    ([3, 4, 5, 7], 6, 1, false),
    ([1, 1, 2, 1], 1, 1, false),
    ([5, 4, 3, 33], 33, 3, true),
    ([2, 7, 6, 2], 2, 5, true),
    ([1, 1, 3, 40], 40, 3, true),
    ([3, 4, 5, 32], 32, 3, true),
    ([2, 3, 3, 70], 90, 1, false),
    // Large enough for several blocks per thread.
    ([7, 80, 70, 20], 3, 1, false),
    ([7, 80, 70, 20], 20, 3, true),
    // By Strassen, also in several blocks, the last with an odd number of pixels.
    ([4, 8, 9, 256], 258, 1, false),
    ([13, 17, 19, 260], 256, 1, false),
    // Read more than once: computed as separate operations.
    ([2, 5, 5, 16], 16, 3, false),
];

fn conv_params(kernel: usize, depthwise: bool, channels: usize) -> ConvParams {
    ConvParams {
        groups: if depthwise { channels } else { 1 },
        ..ConvParams::same(kernel)
    }
}

/// A scalar with a different weight for every image, and the batch statistics.
fn loss(
    [x, scale, shift, weight]: [&Tensor; 4],
    activation: Activation,
    params: ConvParams,
) -> Result<(Tensor, BatchStatistics)> {
    let norm = (scale, shift, 1e-5);
    let (y, batch) = norm_conv2d(x, norm, activation, weight, params)?;
    let head = numbers("head", &[4, weight.dims()[0], 1, 1]);
    let y = conv2d(
        &y.values,
        &head.as_tensor().detach(),
        None,
        ConvParams::same(1),
    )?;
    let classes = y.elem_count() / x.dims()[0];
    let targets: Vec<u32> = (0..x.dims()[0]).map(|i| (5 * i % classes) as u32).collect();
    Ok((
        cross_entropy(&flatten_channels_first(&y)?, &targets)?.tensor,
        batch,
    ))
}

fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn one_operation_gives_what_three_give() {
    for activation in Activation::ALL {
        for &(image, outputs, kernel, depthwise) in CASES {
            let channels = image[3];
            let inputs = if depthwise { 1 } else { channels };
            let arguments: [Var; 4] = [
                numbers("x", &image),
                numbers("scale", &[channels]),
                numbers("shift", &[channels]),
                numbers("weight", &[outputs, inputs, kernel, kernel]),
            ];
            let params = conv_params(kernel, depthwise, channels);
            let of = || loss(arguments.each_ref().map(Var::as_tensor), activation, params);
            // Without a tape they are three operations.
            let (expected, batch) = of().unwrap();
            let gradients = expected.backward().unwrap();
            let (recorded, tape) = Tape::record(of);
            let (got, same) = recorded.unwrap();
            let what = format!("{image:?} to {outputs} by {kernel}, {activation:?}");
            assert_eq!(batch, same, "{what}");
            let distance = (values(&got)[0] - values(&expected)[0]).abs();
            assert!(
                distance < 1e-12 * (1.0 + values(&expected)[0]),
                "{what}: {distance}"
            );
            let back = tape.backward(&got).unwrap();
            for argument in &arguments {
                let expected = values(gradients.get(argument).unwrap());
                let got = values(&back[&argument.id()]);
                let greatest = expected.iter().fold(1e-3, |most: f64, v| most.max(v.abs()));
                for (got, expected) in got.iter().zip(&expected) {
                    let error = (got - expected).abs();
                    assert!(error < 1e-11 * greatest, "{what}: {got} not {expected}");
                }
            }
        }
    }
}

#[test]
fn statistics_found_on_the_way_are_those_of_the_result() {
    for &(image, outputs, kernel, depthwise) in CASES {
        let channels = image[3];
        let inputs = if depthwise { 1 } else { channels };
        let x = (numbers("x", &image).as_tensor() + 1000.0).unwrap();
        let (scale, weight) = (
            numbers("scale", &[channels]),
            numbers("weight", &[outputs, inputs, kernel, kernel]),
        );
        // Means far from zero with small variances.
        let shift = (scale.as_tensor() + 1000.0).unwrap();
        let params = conv_params(kernel, depthwise, channels);
        let [one, zero] = [1.0, 0.0].map(|value| Tensor::full(value, outputs, x.device()).unwrap());
        let (both, _) = Tape::record(|| {
            let norm = (scale.as_tensor(), &shift, 1e-5);
            let (y, _) = norm_conv2d(&x, norm, Activation::Silu, &weight, params)?;
            let (_, measured) = batch_norm(&y.values, &one, &zero, 1e-5, None)?;
            Ok::<_, Error>((y, measured))
        });
        let (y, measured) = both.unwrap();
        // A 3x3 convolution that is not depthwise is not supported.
        assert_eq!(y.known().is_some(), depthwise || kernel == 1);
        let Some(known) = y.known() else { continue };
        assert_eq!(known.rows, measured.rows);
        for c in 0..outputs {
            let what = format!("{image:?} to {outputs} by {kernel}, channel {c}");
            let distance = (known.mean[c] - measured.mean[c]).abs();
            assert!(distance < 1e-12 * (1.0 + measured.mean[c].abs()), "{what}");
            let distance = (known.variance[c] - measured.variance[c]).abs();
            assert!(distance < 1e-9 * (1e-3 + measured.variance[c]), "{what}");
        }
    }
}

#[test]
fn shapes_that_do_not_go_together_are_refused_on_the_tape_too() {
    let (x, scale, weight) = (
        numbers("x", &[2, 3, 3, 4]),
        numbers("scale", &[5]),
        numbers("weight", &[2, 4, 1, 1]),
    );
    let (result, _) = Tape::record(|| {
        norm_conv2d(
            x.as_tensor(),
            (&scale, &scale, 1e-5),
            Activation::Relu,
            &weight,
            ConvParams::same(1),
        )
    });
    let message = result.unwrap_err().to_string();
    assert!(message.contains("do not go together"), "{message}");
}
