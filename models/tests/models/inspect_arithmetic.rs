//! The computation of one value of a convolution: the sum of its products is the value that the network computed, and
//! the terms of a gradient add up to that of the backward pass.

use serde_json::{Value, json};
use vivarium_models::inspect::{Inspector, Layer, LayerKind, Pixel, Recording};

use crate::golden_networks::Golden;
use crate::inspect_maps::{activation, watched};

/// Corners, an edge, and inner positions of a feature map.
fn pixels(layer: &Layer) -> Vec<Pixel> {
    let [maps, height, width] = layer.shape[..] else {
        panic!("{} gives no maps", layer.name)
    };
    let (bottom, right) = (height - 1, width - 1);
    let places = [
        (0, 0),
        (bottom, right),
        (0, right),
        (height / 2, 0),
        (height / 2, width / 3),
    ];
    let pixel = |(i, (y, x)): (usize, (usize, usize))| Pixel {
        map: (i * 7 + 3) % maps,
        y,
        x,
    };
    places.into_iter().enumerate().map(pixel).collect()
}

fn convolutions(inspector: &Inspector) -> impl Iterator<Item = &Layer> {
    let kinds = [LayerKind::Conv, LayerKind::Depthwise, LayerKind::Pointwise];
    let layers = inspector.layers().iter();
    layers.filter(move |layer| kinds.contains(&layer.kind))
}

fn close(what: &str, sum: f64, value: f32) {
    let value = f64::from(value);
    let error = (sum - value).abs() / value.abs().max(1.0);
    assert!(error < 1e-4, "{what}: {sum} and {value}");
}

fn sums_are_the_values(golden: &Golden, inspector: &Inspector, recording: &Recording) {
    for layer in convolutions(inspector) {
        let maps = activation(inspector, recording, &layer.name);
        for at in pixels(layer) {
            let what = format!("{} {} {at:?}", golden.name, layer.name);
            let told = inspector.arithmetic(recording, &layer.name, at).unwrap();
            close(&what, told.sum, told.value);
            let place = (at.map * layer.shape[1] + at.y) * layer.shape[2] + at.x;
            assert_eq!(f64::from(told.value), maps[place], "{what}");
            let channels = told.channels.iter();
            let parts: f64 = channels
                .map(|channel| {
                    let products: f64 = channel.products.iter().flatten().sum();
                    assert!((products - channel.sum).abs() < 1e-9, "{what}");
                    let cells = channel
                        .patch
                        .iter()
                        .flatten()
                        .zip(channel.kernel.iter().flatten());
                    let again: f64 = cells
                        .map(|(value, weight)| f64::from(value.unwrap_or(0.0)) * f64::from(*weight))
                        .sum();
                    assert!((again - channel.sum).abs() < 1e-6, "{what}");
                    channel.sum
                })
                .sum();
            close(&what, parts + told.rest_sum + told.bias, told.value);
        }
    }
}

fn terms_are_the_gradients(golden: &Golden, inspector: &Inspector, recording: &Recording) {
    let all: Vec<_> = convolutions(inspector).collect();
    for layer in [all[0], all[all.len() / 2], all[all.len() - 1]] {
        for at in pixels(layer).into_iter().take(2) {
            let what = format!("{} {} {at:?}", golden.name, layer.name);
            let told = inspector
                .gradient(recording, &layer.name, at, Some(1), None)
                .unwrap();
            let arrives = &told.arrives;
            let size = arrives
                .terms
                .iter()
                .map(|term| term.product.abs())
                .sum::<f64>();
            let error = (arrives.sum - f64::from(arrives.value)).abs();
            assert!(
                error <= 1e-4 * size.max(1e-12),
                "{what}: {} and {}",
                arrives.sum,
                arrives.value
            );
            let terms = arrives.terms.iter().map(|term| term.product).sum::<f64>();
            assert!(
                (terms + arrives.rest_sum - arrives.sum).abs() <= 1e-9 * size.max(1e-3),
                "{what}"
            );
            let shape = &layer.shape;
            assert!(at.map < shape[0] && told.passes_on.inputs >= 1, "{what}");
        }
    }
}

fn check(name: &'static str, options: Value, numbers: &str) {
    let golden = Golden::new(name, options, numbers);
    let (inspector, recording) = watched(&golden);
    sums_are_the_values(&golden, &inspector, &recording);
    terms_are_the_gradients(&golden, &inspector, &recording);
}

macro_rules! networks {
    ($($network:ident: $name:literal, $options:tt;)*) => {$(
        #[test]
        fn $network() {
            let numbers = include_str!(concat!("../golden/networks/", $name, ".json"));
            check($name, json!($options), numbers);
        }
    )*};
}

networks! {
    vgg16_compact: "vgg16-compact", {"kind": "vgg16", "head": "compact"};
    residual_small: "residual-small-relu", {"kind": "residual-small"};
    residual_deep: "residual-deep", {"kind": "residual-deep"};
    inception: "inception", {"kind": "inception"};
}
