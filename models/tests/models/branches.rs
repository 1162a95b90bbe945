//! 1x1 convolutions of the same images as one operation, compared with separate ones, whose gradients other tests
//! compare with finite differences.

use candle_core::{Result, Tensor, Var};
use vivarium_models::ops::{
    ConvParams, Tape, add, cat, conv2d, conv2d_branches, cross_entropy, flatten_channels_first,
};

use crate::differences::numbers;

/// Images `[n, height, width, channels]`, and the output channels of each branch.
const CASES: &[([usize; 4], &[usize])] = &[
    ([1, 1, 1, 1], &[1, 1]),
    ([3, 4, 5, 7], &[6, 1, 3]),
    ([2, 3, 3, 70], &[90]),
    // Large enough for several blocks per thread and several tasks.
    ([7, 80, 70, 20], &[3, 8]),
    // One by Strassen, also in several blocks, the last with an odd number of pixels.
    ([13, 17, 19, 260], &[256, 3]),
    ([4, 8, 9, 256], &[16, 258, 256]),
];

/// A scalar that depends on all results of `branches` except one, and directly on the images.
fn loss(
    x: &Tensor,
    left_out: Option<usize>,
    branches: impl FnOnce(&Tensor) -> Result<Vec<Tensor>>,
) -> Result<Tensor> {
    // Not the variable itself, and used by more than the branches.
    let y = conv2d(
        x,
        &own("before", x.dims()[3], 2)?,
        None,
        ConvParams::same(1),
    )?;
    let x = conv2d(&y, &own("back", 2, x.dims()[3])?, None, ConvParams::same(1))?;
    let mut results = branches(&x)?;
    if let Some(place) = left_out {
        results.remove(place);
    }
    results.push(y);
    let joined = cat(&results.iter().collect::<Vec<_>>())?;
    let y = conv2d(
        &joined,
        &own("head", joined.dims()[3], 4)?,
        None,
        ConvParams::same(1),
    )?;
    let y = add(&y, &y)?;
    let classes = y.elem_count() / x.dims()[0];
    let targets: Vec<u32> = (0..x.dims()[0]).map(|i| (5 * i % classes) as u32).collect();
    Ok(cross_entropy(&flatten_channels_first(&y)?, &targets)?.tensor)
}

/// Weights that need no gradient.
fn own(name: &str, inputs: usize, outputs: usize) -> Result<Tensor> {
    Ok(numbers(name, &[outputs, inputs, 1, 1]).as_tensor().detach())
}

fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn close(got: &Tensor, expected: &Tensor, what: &str) {
    let (got, expected) = (values(got), values(expected));
    assert_eq!(got.len(), expected.len(), "{what}");
    let greatest = expected.iter().fold(1e-3, |most: f64, v| most.max(v.abs()));
    for (got, expected) in got.iter().zip(&expected) {
        let error = (got - expected).abs();
        assert!(error < 1e-11 * greatest, "{what}: {got} not {expected}");
    }
}

#[test]
fn branches_give_what_convolutions_give_one_by_one() {
    for &(image, outputs) in CASES {
        let x = numbers("x", &image);
        let weight = |(i, outputs): (usize, &usize)| {
            numbers(&format!("weight {i}"), &[*outputs, image[3], 1, 1])
        };
        let weights: Vec<Var> = outputs.iter().enumerate().map(weight).collect();
        let weights: Vec<_> = weights.iter().map(Var::as_tensor).collect();
        let left_out = (0..weights.len()).map(Some).chain([None]);
        for left_out in left_out {
            let what = format!("{image:?} to {outputs:?} without {left_out:?}");
            let one_by_one = |x: &Tensor| {
                let each = weights.iter();
                each.map(|weight| conv2d(x, weight, None, ConvParams::same(1)))
                    .collect()
            };
            let (expected, tape) = Tape::record(|| loss(&x, left_out, one_by_one));
            let expected = expected.unwrap();
            let gradients = tape.backward(&expected).unwrap();
            let together = |x: &Tensor| conv2d_branches(x, &weights);
            let (got, tape) = Tape::record(|| loss(&x, left_out, together));
            let got = got.unwrap();
            let back = tape.backward(&got).unwrap();
            close(&got, &expected, &what);
            close(&back[&x.id()], &gradients[&x.id()], &what);
            for (place, weight) in weights.iter().enumerate() {
                let same = (back.get(&weight.id()), gradients.get(&weight.id()));
                match same {
                    (Some(got), Some(expected)) => close(got, expected, &what),
                    (None, None) => assert_eq!(left_out, Some(place), "{what}"),
                    _ => panic!("{what}: a gradient in one of both"),
                }
            }
        }
    }
}

#[test]
fn branches_outside_of_a_recording_are_convolutions_too() {
    let (x, weight) = (
        numbers("x", &[2, 3, 4, 5]),
        numbers("weight", &[6, 5, 1, 1]),
    );
    let got = conv2d_branches(&x, &[&weight, &weight]).unwrap();
    let expected = conv2d(&x, &weight, None, ConvParams::same(1)).unwrap();
    assert_eq!(got.len(), 2);
    for got in got {
        assert_eq!(values(&got), values(&expected));
    }
    assert!(conv2d_branches(&x, &[]).unwrap().is_empty());
}

#[test]
fn weights_that_are_no_branches_of_the_images_are_refused() {
    let x = numbers("x", &[2, 3, 4, 5]);
    let weight = numbers("weight", &[6, 5, 1, 1]);
    for (other, told) in [
        ([6, 5, 3, 3], "kernel of 3x3"),
        ([6, 4, 1, 1], "does not work"),
    ] {
        let other = numbers("other", &other);
        let message = conv2d_branches(&x, &[&weight, &other])
            .unwrap_err()
            .to_string();
        assert!(message.contains(told), "{message}");
    }
}
