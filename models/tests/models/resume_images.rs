//! Convolutional networks that are stopped and resumed, with everything that must be reproducible: dropout, running
//! statistics, augmentation, a schedule, and batches made on the calling thread or in the background.

use std::path::Path;

use serde_json::{Value, json};
use vivarium_models::contract::Reason;
use vivarium_models::form;
use vivarium_models::spec::RunSpec;
use vivarium_models::train::train;

use crate::common::{Recorder, THREADS, joined};
use crate::files::{Place, photos, write_all};
use crate::resume::{folder, same_files};

/// Runs on 14 images in batches of 4, the last of 2: 4 steps per epoch, 12 in all.
const STEPS: u64 = 12;

/// After the first step, within an epoch, at the end of one, after the first step of the next, before the last.
const STOPS: [u64; 5] = [1, 3, 4, 5, STEPS - 1];

fn place() -> Place {
    let place = Place::new();
    let photos = photos();
    let files: Vec<_> = photos
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.clone()))
        .collect();
    write_all(&place.path("pets"), &files);
    place.publish("pets", &place.path("pets"));
    place
}

fn run_of(place: &Place, size: u64, network: Value, training: Value) -> RunSpec {
    let mut document = json!({
        "data": {"set": "pets", "size": size, "augment": "flip-crop-cutout"},
        "network": network,
        "training": {"epochs": 3, "batch_size": 4, "threads": 1, "seed": 3}
    });
    for (name, value) in training.as_object().unwrap() {
        document["training"][name] = value.clone();
    }
    form::check(&document, &place.library).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn go(place: &Place, run: &RunSpec, folder: &Path, stop_after: Option<u64>) -> (Reason, Recorder) {
    let mut recorder = Recorder {
        stop_after,
        ..Recorder::default()
    };
    let reason = train(run, &place.library, folder, &mut recorder).unwrap();
    (reason, recorder)
}

/// Compares a run that is stopped, at each stop and at all of them, with an uninterrupted one: every loss and
/// evaluation, the test, and the files of weights and optimizer.
fn goes_on(place: &Place, run: &RunSpec) {
    let _steady = THREADS.read().unwrap();
    let undisturbed = folder();
    let (reason, whole) = go(place, run, undisturbed.path(), None);
    assert_eq!(
        (reason, whole.steps().len() as u64),
        (Reason::Completed, STEPS)
    );
    for stops in STOPS.iter().map(std::slice::from_ref).chain([&STOPS[..]]) {
        let folder = folder();
        let mut parts = Vec::new();
        for stop in stops {
            let (reason, part) = go(place, run, folder.path(), Some(*stop));
            assert_eq!(reason, Reason::Stopped);
            parts.push(part);
        }
        let (reason, rest) = go(place, run, folder.path(), None);
        assert_eq!(
            (reason, Some(rest.resumed_from())),
            (Reason::Completed, stops.last().copied())
        );
        assert_eq!(rest.notes(), [""; 0]);
        parts.push(rest);
        assert_eq!(
            joined(&parts.iter().collect::<Vec<_>>()),
            whole.facts(),
            "{} stopped after {stops:?}",
            run.network.kind
        );
        same_files(folder.path(), undisturbed.path());
    }
}

#[test]
fn a_residual_network_on_varied_images_goes_on_bit_for_bit() {
    let place = place();
    // 4 images of 3x40x40 are too many values for the calling thread.
    let run = run_of(
        &place,
        40,
        json!({"kind": "residual-small", "plan": [8, 12, 16], "depth": [2], "long_skips": true, "hidden": 9,
            "dropout": 0.4}),
        json!({"optimizer": {"kind": "adamw", "lr": 0.01}, "clip": 1.0, "label_smoothing": 0.1,
            "schedule": {"kind": "one_cycle"}}),
    );
    goes_on(&place, &run);
}

#[test]
fn an_inception_network_on_varied_images_goes_on_bit_for_bit() {
    let place = place();
    let run = run_of(
        &place,
        8,
        json!({"kind": "inception", "hidden": 16, "dropout": 0.4}),
        json!({"optimizer": {"kind": "sgd", "lr": 0.01, "momentum": 0.9, "nesterov": true},
            "schedule": {"kind": "cosine", "min_lr": 1e-4, "warmup_epochs": 0.5}}),
    );
    goes_on(&place, &run);
}
