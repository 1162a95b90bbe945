//! A frame is small for every network, and records what it leaves out.

use std::fs;

use serde_json::{Value, json};
use vivarium_models::contract::Normalisation;
use vivarium_models::inspect::film::{
    Folder, Frame, FramePosition, MOST_BYTES, Predictions, Validation,
};
use vivarium_models::inspect::{Inspector, SheetQuery};
use vivarium_models::networks::Model;

use crate::common::spec;

/// A frame of an untrained network with a full validation split, written and read again.
fn frame(network: Value, side: usize, classes: usize) -> (u64, Frame, Inspector) {
    let spec = spec(json!({
        "data": {"set": "digits", "size": side, "channels": 3}, "network": network
    }));
    let model = Model::new(&spec.network, &[3, side, side], classes, 1).unwrap();
    let names = (0..classes).map(|class| class.to_string()).collect();
    let normalisation = Normalisation {
        mean: vec![0.5; 3],
        deviation: vec![0.25; 3],
    };
    let network = Inspector::new(model, names, normalisation).unwrap();
    let image: Vec<_> = (0..3 * side * side)
        .map(|i| ((i * 7919) % 251) as f32 / 250.0)
        .collect();
    let recording = network.record(&image).unwrap();
    let predictions = Predictions {
        predicted: vec![3; 60_000],
        confidence: vec![200; 60_000],
    };
    let confusion = vec![vec![7; classes]; classes];
    let moment = FramePosition {
        epoch: 12,
        step: 3456,
        pinned: "test:0",
        validation_samples: 60_000,
    };
    let validation = Validation {
        accuracy: 0.5,
        predictions: &predictions,
        confusion: &confusion,
    };
    let frame = Frame::new(&network, &recording, moment, Some(validation)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let film = Folder::at(folder.path());
    film.add(&frame).unwrap();
    let path = film.frame(12);
    let read = Frame::read(&path).unwrap().unwrap();
    assert!(read == frame, "what is read is what was written");
    (fs::metadata(path).unwrap().len(), read, network)
}

#[test]
fn no_network_has_a_frame_that_is_too_large() {
    let cases = [
        (json!({"kind": "vgg16", "head": "compact"}), 32, 10),
        (
            json!({"kind": "vgg16", "head": "compact", "width": 2.0}),
            96,
            1000,
        ),
        (json!({"kind": "residual-small"}), 32, 10),
        (json!({"kind": "residual-deep"}), 64, 100),
        (json!({"kind": "inception"}), 96, 1000),
        (json!({"kind": "mlp"}), 8, 10),
        (
            json!({"kind": "mlp", "hidden": [4096, 300, 300, 300, 300]}),
            32,
            10,
        ),
        (json!({"kind": "perceptron"}), 32, 1000),
        // Many hundred layers.
        (
            json!({"kind": "residual-deep", "plan": vec![8; 13], "depth": [16], "long_skips": true}),
            128,
            10,
        ),
    ];
    for (network, side, classes) in cases {
        let (bytes, frame, inspector) = frame(network.clone(), side, classes);
        assert!(bytes <= MOST_BYTES as u64, "{network}: {bytes} bytes");
        assert!(frame.predictions.is_some() && frame.top(&[]).len() == classes.min(100));
        assert_eq!(frame.confusion.is_some(), classes <= 128, "{network}");
        let first = &frame.metadata.features[0];
        assert_eq!(&*first.layer, "input", "{network}");
        let layers = inspector.layers().len();
        if layers < 300 {
            assert_eq!(frame.metadata.features.len(), layers, "{network}");
        }
        // Each page can be shown, and has what it leaves out.
        for layer in frame.feature_layers() {
            let sheet = frame.feature_sheet(layer, &SheetQuery::default()).unwrap();
            let own = inspector.layer(layer).unwrap();
            let total = match own.shape[..] {
                [channels, _, _] if layer != "input" => channels,
                _ => 1,
            };
            let shown = sheet.film.sheet.total;
            assert_eq!(
                sheet.film.reduced.map_or(shown, |of| of.total),
                total,
                "{layer}"
            );
        }
    }
}

#[test]
fn the_classic_vgg16_of_large_images_keeps_its_first_maps_at_their_best() {
    let (bytes, frame, _) = frame(json!({"kind": "vgg16"}), 224, 10);
    assert!(bytes <= MOST_BYTES as u64, "{bytes} bytes");
    // Twenty-five of them make a film.
    assert!(bytes * 25 < 20 << 20, "{bytes} bytes");
    let sides: Vec<_> = frame
        .metadata
        .features
        .iter()
        .map(|of| of.tile[0])
        .collect();
    assert!(sides[1] >= 28, "{sides:?}");
    let kept = frame.metadata.features.iter().filter(|of| of.total >= 64);
    assert!(
        kept.clone().all(|of| of.kept >= 16),
        "{:?}",
        frame.metadata.features
    );
    let filters: Vec<_> = frame.metadata.filters.iter().map(|of| of.kept).collect();
    assert_eq!(
        filters[..3],
        [64, 64, 128],
        "every filter of the first layers"
    );
    assert_eq!(filters[12], 512, "every filter of the last convolution");
}
