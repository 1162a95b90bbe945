//! The updates of a perceptron, computed again: bit for bit those of the run.

use serde_json::{Value, json};
use vivarium_models::Error;
use vivarium_models::contract::{Boundary, Event};
use vivarium_models::spec::RunSpec;
use vivarium_models::train::{
    EpochUpdates, RecordedWeights, Update, epoch_updates, needs_start_of_run,
};

use crate::common::{Recorder, THREADS, load, run, spec};

fn perceptron(data: Value, training: Value) -> RunSpec {
    let mut document =
        json!({"data": data, "network": {"kind": "perceptron"}, "training": {"threads": 1}});
    for (name, value) in training.as_object().unwrap() {
        document["training"][name] = value.clone();
    }
    spec(document)
}

fn trained(spec: &RunSpec) -> (Recorder, Vec<Boundary>) {
    let folder = tempfile::tempdir().unwrap();
    let (_, recorder) = run(spec, folder.path(), None);
    let boundaries = recorder.events.iter().filter_map(|event| match event {
        Event::Boundary(boundary) => Some(boundary.clone()),
        _ => None,
    });
    let boundaries = boundaries.collect();
    (recorder, boundaries)
}

fn again(spec: &RunSpec, from: &Boundary, epoch: u64) -> Result<EpochUpdates, Error> {
    let data = load(&spec.data);
    let graph = (spec.network.graph(&data.input, data.classes.len())).unwrap();
    let start = RecordedWeights {
        epoch: from.epoch,
        weights: from.linear.clone().unwrap(),
    };
    epoch_updates(spec, &data, graph, &start, epoch)
}

fn bits(rows: &[[f32; 3]]) -> Vec<u32> {
    rows.as_flattened()
        .iter()
        .map(|value| value.to_bits())
        .collect()
}

fn rows(boundary: &Boundary) -> Vec<u32> {
    bits(&boundary.linear.as_ref().unwrap().rows)
}

/// Every kind of run: two classes and several, single samples and batches, and optimizers that remember.
fn cases() -> Vec<RunSpec> {
    let data = |set: &str, classes: usize| {
        let mut data = json!({"set": set, "samples": 90, "noise": 0.6});
        if classes > 2 {
            data["classes"] = json!(classes);
        }
        data
    };
    let sgd = |momentum: f64| json!({"kind": "sgd", "lr": 0.01, "momentum": momentum, "weight_decay": 0.001});
    vec![
        perceptron(data("blobs", 2), json!({"epochs": 3})),
        perceptron(
            data("moons", 2),
            json!({"epochs": 4, "seed": 7, "batch_size": 8}),
        ),
        perceptron(
            data("blobs", 4),
            json!({"epochs": 3, "optimizer": sgd(0.0)}),
        ),
        perceptron(
            data("blobs", 3),
            json!({"epochs": 3, "batch_size": 16, "optimizer": sgd(0.9)}),
        ),
        perceptron(
            data("moons", 2),
            json!({"epochs": 3, "optimizer": {"kind": "adamw", "lr": 0.01}, "schedule": {"kind": "cosine"}, "clip": 0.5}),
        ),
    ]
}

#[test]
fn the_weights_at_the_end_of_an_epoch_are_bit_for_bit_those_of_the_run() {
    let _steady = THREADS.read().unwrap();
    for spec in cases() {
        let (_, boundaries) = trained(&spec);
        assert_eq!(boundaries.len() as u64, spec.training.epochs + 1);
        for (at, end) in boundaries.iter().enumerate().skip(1) {
            let near = if needs_start_of_run(&spec) { 0 } else { at - 1 };
            for start in [0, near] {
                let told = again(&spec, &boundaries[start], end.epoch).unwrap();
                assert_eq!(bits(&told.before), rows(&boundaries[at - 1]), "{spec:?}");
                assert_eq!(bits(&told.after), rows(end), "{spec:?}");
            }
        }
    }
}

#[test]
fn the_updates_are_the_steps_with_a_loss_and_follow_one_another() {
    let _steady = THREADS.read().unwrap();
    for spec in cases() {
        let (recorder, boundaries) = trained(&spec);
        let told = again(&spec, &boundaries[0], 1).unwrap();
        let steps = recorder.steps();
        let first = steps.iter().filter(|step| step.epoch == 1);
        for step in first.filter(|step| step.loss > 0.0) {
            let update = told.updates.iter().find(|update| update.step == step.step);
            let update = update.unwrap_or_else(|| panic!("step {} is missing", step.step));
            assert_eq!(update.lr.to_bits(), step.lr.to_bits());
            let leads = update.mistakes.iter().map(|mistake| {
                f64::from(mistake.scores[mistake.rival] - mistake.scores[mistake.target])
            });
            let mean = leads.sum::<f64>() / update.batch as f64;
            assert!(
                (mean - step.loss).abs() < 1e-6,
                "{mean} instead of {}",
                step.loss
            );
        }
        let mistakes: usize = told
            .updates
            .iter()
            .map(|update| update.mistakes.len())
            .sum();
        assert_eq!(told.mistakes, mistakes as u64);
        assert_eq!(told.samples, load(&spec.data).train.len() as u64);
    }
}

/// The rule by its definition: `w + lr / batch · Σ (t − y) · x`.
fn by_rule(update: &Update) -> Vec<[f32; 3]> {
    let mut rows = update.before.clone();
    let share = update.lr as f32 / update.batch as f32;
    for mistake in &update.mistakes {
        let input = [mistake.x[0], mistake.x[1], 1.0];
        let mut add = |row: usize, sign: f32| {
            for (weight, input) in rows[row].iter_mut().zip(input) {
                *weight += share * sign * input;
            }
        };
        if update.before.len() == 1 {
            add(0, if mistake.target == 1 { 1.0 } else { -1.0 });
        } else {
            add(mistake.target, 1.0);
            add(mistake.rival, -1.0);
        }
    }
    rows
}

#[test]
fn without_anything_else_an_update_is_the_rate_times_the_mistakes() {
    let _steady = THREADS.read().unwrap();
    for spec in [
        perceptron(
            json!({"set": "blobs", "samples": 90, "noise": 0.6}),
            json!({}),
        ),
        perceptron(
            json!({"set": "blobs", "samples": 90, "noise": 0.6, "classes": 4}),
            json!({"batch_size": 7}),
        ),
    ] {
        let (_, boundaries) = trained(&spec);
        let told = again(&spec, &boundaries[0], 1).unwrap();
        assert!(told.updates.len() > 3, "{} updates", told.updates.len());
        let mut before = bits(&told.before);
        let data = load(&spec.data);
        for update in &told.updates {
            assert_eq!(
                bits(&update.before),
                before,
                "nothing changes between updates"
            );
            before = bits(&update.after);
            let pairs = update.after.as_flattened().iter();
            for (after, expected) in pairs.zip(by_rule(update).as_flattened()) {
                assert!(
                    (after - expected).abs() < 1e-6,
                    "{after} instead of {expected}"
                );
            }
            for mistake in &update.mistakes {
                assert_eq!(data.train.labels()[mistake.sample] as usize, mistake.target);
                assert_eq!(data.train.values(mistake.sample).unwrap(), mistake.x);
            }
        }
        assert_eq!(before, bits(&told.after));
    }
}

#[test]
fn a_run_that_is_stopped_and_resumed_records_the_same_weights() {
    let _steady = THREADS.read().unwrap();
    let spec = perceptron(json!({"set": "blobs", "samples": 60}), json!({"epochs": 3}));
    let (_, whole) = trained(&spec);
    let folder = tempfile::tempdir().unwrap();
    let (_, first) = run(&spec, folder.path(), Some(70));
    let (_, second) = run(&spec, folder.path(), None);
    let events = first.events.iter().chain(&second.events);
    let resumed: Vec<_> = events
        .filter_map(|event| match event {
            Event::Boundary(boundary) => Some(boundary.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(resumed, whole);
}

#[test]
fn only_a_network_of_one_linear_layer_records_weights() {
    let _steady = THREADS.read().unwrap();
    let mlp = spec(json!({
        "data": {"set": "blobs", "samples": 60},
        "network": {"kind": "mlp", "hidden": [3]},
        "training": {"epochs": 1, "threads": 1}
    }));
    let (_, boundaries) = trained(&mlp);
    assert!(boundaries.iter().all(|boundary| boundary.linear.is_none()));
}

#[test]
fn what_cannot_be_told_is_refused_by_name() {
    let _steady = THREADS.read().unwrap();
    let refused = |spec: &RunSpec, from: &Boundary, epoch| match again(spec, from, epoch) {
        Err(Error::Setting { path, message }) => (path, message),
        other => panic!("{other:?}"),
    };
    let spec = perceptron(json!({"set": "blobs", "samples": 60}), json!({"epochs": 1}));
    let (_, boundaries) = trained(&spec);
    let (path, message) = refused(&spec, &boundaries[0], 1_000_000);
    assert_eq!(path, "epoch");
    assert!(message.contains("more than 200000"), "{message}");
    let with_average = perceptron(
        json!({"set": "blobs", "samples": 60}),
        json!({"epochs": 1, "ema": {"decay": 0.9}}),
    );
    assert_eq!(refused(&with_average, &boundaries[0], 1).0, "training.ema");
    let mut mlp = spec.clone();
    mlp.network = crate::common::spec(json!({
        "data": {"set": "blobs"}, "network": {"kind": "mlp", "hidden": [3]}
    }))
    .network;
    assert_eq!(refused(&mlp, &boundaries[0], 1).0, "network.kind");
}
