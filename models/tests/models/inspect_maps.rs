//! Recorded activations compared with those of PyTorch's forward hooks, by values from `golden/maps.py`; and saliency
//! maps.

use candle_core::Tensor;
use serde_json::{Value, json};
use vivarium_models::contract::Normalisation;
use vivarium_models::inspect::{Inspector, LayerKind, Recording, SaliencyMethod, ValueSource};
use vivarium_models::nn::{Context, Mode};

use crate::golden_networks::{BATCH, CLASSES, Golden, gradient_error};

/// The identity normalisation.
fn as_they_are() -> Normalisation {
    Normalisation {
        mean: vec![0.0; 3],
        deviation: vec![1.0; 3],
    }
}

/// The network after one training pass, which updates the running statistics, and a recording of the first image.
pub(crate) fn watched(golden: &Golden) -> (Inspector, Recording) {
    let model = golden.model();
    let (images, _) = golden.batch();
    let shape = [&[BATCH], model.input()].concat();
    let batch = Tensor::from_vec(images.clone(), shape, &candle_core::Device::Cpu).unwrap();
    let train = Mode::Train { seed: 0, step: 1 };
    model.forward(&batch, &mut Context::new(train)).unwrap();
    let classes = (0..CLASSES).map(|class| class.to_string()).collect();
    let inspector = Inspector::new(model, classes, as_they_are()).unwrap();
    let image = images[..images.len() / BATCH].to_vec();
    let recording = inspector.record_normalised(image).unwrap();
    (inspector, recording)
}

/// All values of a layer's activation, in PyTorch's order.
pub(crate) fn activation(inspector: &Inspector, recording: &Recording, layer: &str) -> Vec<f64> {
    let shape = &inspector.layer(layer).unwrap().shape;
    let tiles = if shape.len() == 3 { shape[0] } else { 1 };
    let values = (0..tiles).flat_map(|tile| {
        let numbers = inspector.values(Some(recording), layer, ValueSource::Feature, tile, None);
        numbers.unwrap().values
    });
    values
        .filter(|value| !value.is_nan())
        .map(f64::from)
        .collect()
}

fn maps_are_what_hooks_see(golden: &Golden, hooks: &Value) {
    let (inspector, recording) = watched(golden);
    let hooks = hooks.as_object().unwrap();
    let mut seen = 0;
    for layer in inspector.layers() {
        let Some(expected) = hooks.get(&layer.name) else {
            // Only operations that are not modules there have no hook.
            let own = [
                LayerKind::Conv,
                LayerKind::Depthwise,
                LayerKind::Pointwise,
                LayerKind::Linear,
                LayerKind::BatchNorm,
            ];
            assert!(!own.contains(&layer.kind), "{} has no hook", layer.name);
            continue;
        };
        assert_eq!(json!(layer.shape), expected["shape"], "{}", layer.name);
        let values = activation(&inspector, &recording, &layer.name);
        let error = gradient_error(&layer.name, &values, expected, 0.0);
        assert!(error < 1e-4, "{} {}: {error}", golden.name, layer.name);
        seen += 1;
    }
    let modules = hooks.keys().filter(|name| *name != "attention").count();
    assert_eq!(seen, modules, "{}", golden.name);
    if let Some(expected) = hooks.get("attention") {
        let layer = expected["layer"].as_str();
        let heat = |method, layer| {
            let attention = inspector.saliency(&recording, Some(3), method, layer);
            let heat = attention.unwrap().heat.into_iter();
            heat.map(f64::from).collect::<Vec<_>>()
        };
        for (name, heat) in [
            ("heat", heat(SaliencyMethod::GradCam, layer)),
            ("gradient", heat(SaliencyMethod::Gradient, None)),
        ] {
            let error = gradient_error(name, &heat, &expected[name], 0.0);
            assert!(error < 1e-3, "{} {name}: {error}", golden.name);
        }
    }
}

macro_rules! maps {
    ($($network:ident: $name:literal, $options:tt;)*) => {$(
        #[test]
        fn $network() {
            let numbers = include_str!(concat!("../golden/networks/", $name, ".json"));
            let hooks = include_str!(concat!("../golden/maps/", $name, ".json"));
            let golden = Golden::new($name, json!($options), numbers);
            maps_are_what_hooks_see(&golden, &serde_json::from_str(hooks).unwrap());
        }
    )*};
}

maps! {
    mlp_wide: "mlp-wide", {"kind": "mlp-wide"};
    vgg16: "vgg16", {"kind": "vgg16"};
    vgg16_compact: "vgg16-compact", {"kind": "vgg16", "head": "compact"};
    vgg16_plain: "vgg16-plain", {"kind": "vgg16", "head": "compact", "norm": "none"};
    residual_small: "residual-small-relu", {"kind": "residual-small"};
    residual_small_silu: "residual-small-silu", {"kind": "residual-small", "activation": "silu"};
    residual_small_shallow: "residual-small-shallow", {"kind": "residual-small", "depth": [1]};
    residual_deep: "residual-deep", {"kind": "residual-deep"};
    inception: "inception", {"kind": "inception"};
}
