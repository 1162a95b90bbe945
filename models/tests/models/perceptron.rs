//! The perceptron compared with a plain implementation of the classic rule.

use serde_json::json;
use vivarium_models::networks::{Model, TensorValues};
use vivarium_models::spec::RunSpec;
use vivarium_models::train::Learner;

use crate::common::{load, spec};

fn run(set: &str, classes: usize) -> RunSpec {
    let mut document = json!({
        "data": {"set": set, "samples": 120},
        "network": {"kind": "perceptron", "init": "zeros"}
    });
    if classes > 2 {
        document["data"]["classes"] = json!(classes);
    }
    spec(document)
}

/// Trains with the crate, sample by sample in order; returns weights, row by row, and biases.
fn trained(run: &RunSpec, epochs: usize) -> (Vec<f32>, Vec<f32>) {
    let data = load(&run.data);
    let model = Model::new(&run.network, &data.input, data.classes.len(), 0).unwrap();
    let mut learner = Learner::new(model, &run.training.optimizer, 0);
    let mut step = 0;
    for _ in 0..epochs {
        for i in 0..data.train.len() {
            step += 1;
            let x = learner
                .batch(data.train.values(i).unwrap().to_vec(), 1)
                .unwrap();
            learner
                .step(
                    &x,
                    &data.train.labels()[i..=i],
                    run.training.optimizer.lr(),
                    step,
                )
                .unwrap();
        }
    }
    let weights = learner.model().weights().unwrap();
    let values = |name: &str| {
        let found = weights.iter().find(|(n, ..)| n == name).unwrap();
        if let TensorValues::F32(values) = &found.2 {
            values.clone()
        } else {
            panic!("{name}")
        }
    };
    (values("weight"), values("bias"))
}

fn same(got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() < 1e-6, "{got} instead of {expected}");
    }
}

#[test]
fn two_classes_learn_by_rosenblatts_rule() {
    for set in ["blobs", "moons", "xor"] {
        let run = run(set, 2);
        let data = load(&run.data);
        let lr = 0.001f32;
        let (mut w, mut b) = ([0f32; 2], 0f32);
        for _ in 0..3 {
            for i in 0..data.train.len() {
                let x = data.train.values(i).unwrap();
                let sign = if data.train.labels()[i] == 1 {
                    1.0
                } else {
                    -1.0
                };
                if sign * (w[0] * x[0] + w[1] * x[1] + b) <= 0.0 {
                    w[0] += lr * sign * x[0];
                    w[1] += lr * sign * x[1];
                    b += lr * sign;
                }
            }
        }
        assert!(w[0] != 0.0, "the rule changed nothing");
        let (weight, bias) = trained(&run, 3);
        same(&weight, &w);
        same(&bias, &[b]);
    }
}

#[test]
fn more_classes_learn_by_keslers_construction() {
    let run = run("blobs", 4);
    let data = load(&run.data);
    let (mut w, mut b) = ([[0f32; 2]; 4], [0f32; 4]);
    for _ in 0..3 {
        for i in 0..data.train.len() {
            let x = data.train.values(i).unwrap();
            let target = data.train.labels()[i] as usize;
            let score = |c: usize| w[c][0] * x[0] + w[c][1] * x[1] + b[c];
            let rivals = (0..4).filter(|c| *c != target);
            let rival = rivals
                .reduce(|best, c| if score(c) > score(best) { c } else { best })
                .unwrap();
            if score(rival) >= score(target) {
                for axis in 0..2 {
                    w[target][axis] += 0.001 * x[axis];
                    w[rival][axis] -= 0.001 * x[axis];
                }
                b[target] += 0.001;
                b[rival] -= 0.001;
            }
        }
    }
    let (weight, bias) = trained(&run, 3);
    same(&weight, w.as_flattened());
    same(&bias, &b);
}

#[test]
fn points_that_a_line_divides_are_divided_after_three_epochs() {
    for seed in 0..5 {
        let document = json!({
            "data": {"set": "blobs"}, "network": {"kind": "perceptron"}, "training": {"seed": seed, "threads": 1}
        });
        let folder = tempfile::tempdir().unwrap();
        let (_, recorder) = crate::common::run(&spec(document), folder.path(), None);
        let test = recorder
            .facts()
            .into_iter()
            .find(|fact| fact.starts_with("test"))
            .unwrap();
        assert!(
            test.contains(&format!("{:x}", 1f64.to_bits())),
            "seed {seed}: {test}"
        );
    }
}
