//! The multilayer perceptron compared with PyTorch's, by values from `golden/generate.py`.

use crate::common;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use vivarium_models::networks::{Model, TensorValues};
use vivarium_models::nn::{Context, Mode};
use vivarium_models::spec::{NetworkSpec, OptimizerSpec};
use vivarium_models::train::Learner;

const CASES: [(&str, bool); 8] = [
    ("relu", false),
    ("relu", true),
    ("silu", false),
    ("silu", true),
    ("sigmoid", false),
    ("sigmoid", true),
    ("tanh", false),
    ("tanh", true),
];
const INPUTS: usize = 12;
const CLASSES: usize = 5;
const BATCH: usize = 16;

pub(crate) struct Golden(BTreeMap<String, (Vec<usize>, Vec<u8>)>);

impl Golden {
    pub(crate) fn read(activation: &str, norm: bool) -> Self {
        let name = format!(
            "tests/golden/mlp-{activation}{}.safetensors",
            if norm { "-norm" } else { "" }
        );
        Self(common::tensors(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(name),
        ))
    }

    pub(crate) fn floats(&self, name: &str) -> Vec<f32> {
        let numbers = self.0[name].1.chunks_exact(4);
        numbers
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
            .collect()
    }

    fn integers(&self, name: &str) -> Vec<i64> {
        let numbers = self.0[name].1.chunks_exact(8);
        numbers
            .map(|b| i64::from_le_bytes(b.try_into().unwrap()))
            .collect()
    }

    pub(crate) fn classes(&self) -> Vec<u32> {
        self.integers("y")
            .into_iter()
            .map(|class| u32::try_from(class).unwrap())
            .collect()
    }

    /// A learner that starts from the file's weights, so names and shapes must match.
    fn learner(&self, activation: &str, norm: bool, rule: &OptimizerSpec) -> Learner {
        Learner::new(self.model(activation, norm), rule, 0)
    }

    /// A network with the file's weights before training.
    pub(crate) fn model(&self, activation: &str, norm: bool) -> Model {
        let options = json!({"hidden": [10, 7], "activation": activation, "norm": norm, "dropout": 0.0, "init": "kaiming"});
        let network = NetworkSpec {
            kind: "mlp".to_owned(),
            source: None,
            revision: None,
            options: options.as_object().unwrap().clone(),
        };
        let model = Model::new(&network, &[INPUTS], CLASSES, 0).unwrap();
        let names: Vec<_> = self
            .0
            .keys()
            .filter_map(|name| name.strip_prefix("start."))
            .collect();
        assert_eq!(model.store().tensors().count(), names.len());
        let weights: Vec<_> = model
            .store()
            .tensors()
            .map(|(name, _)| {
                let name = name.to_owned();
                let key = format!("start.{name}");
                let values = if name.ends_with("num_batches_tracked") {
                    TensorValues::I64(self.integers(&key))
                } else {
                    TensorValues::F32(self.floats(&key))
                };
                (name, self.0[&key].0.clone(), values)
            })
            .collect();
        model.set_weights(&weights).unwrap();
        model
    }
}

pub(crate) fn close(what: &str, got: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        let error = (got - expected).abs();
        assert!(
            error <= tolerance * (1.0 + expected.abs()),
            "{what}[{i}]: {got} instead of {expected}"
        );
    }
}

fn sgd(momentum: f64, nesterov: bool) -> OptimizerSpec {
    OptimizerSpec::Sgd {
        lr: 0.05,
        momentum,
        weight_decay: 5e-4,
        nesterov,
    }
}

#[test]
fn scores_loss_and_every_gradient_are_pytorchs() {
    for (activation, norm) in CASES {
        let golden = Golden::read(activation, norm);
        let case = |what: &str| format!("{activation} norm {norm}: {what}");
        // A learning rate this small does not change the weights, so one step shows the gradients alone.
        let rule = OptimizerSpec::Sgd {
            lr: 1e-30,
            momentum: 0.0,
            weight_decay: 0.0,
            nesterov: false,
        };
        let learner = golden.learner(activation, norm, &rule);
        let mut learner = learner.keeping_gradients();
        let x = learner.batch(golden.floats("x"), BATCH).unwrap();

        let mut train = Context::new(Mode::Train { seed: 0, step: 1 });
        let scores = learner.model().forward(&x, &mut train).unwrap();
        let flat: Vec<f32> = scores.flatten_all().unwrap().to_vec1().unwrap();
        close(
            &case("scores while training"),
            &flat,
            &golden.floats("scores.train"),
            2e-6,
        );

        // That pass updated the running statistics; the file's evaluation is after one such pass.
        let scores = learner
            .model()
            .forward(&x, &mut Context::new(Mode::Evaluate))
            .unwrap();
        let flat: Vec<f32> = scores.flatten_all().unwrap().to_vec1().unwrap();
        close(
            &case("scores while evaluating"),
            &flat,
            &golden.floats("scores.evaluate"),
            2e-6,
        );

        let loss = learner.step(&x, &golden.classes(), 1e-30, 1).unwrap();
        close(
            &case("loss"),
            &[loss.mean as f32],
            &golden.floats("loss"),
            1e-6,
        );
        let parameters: Vec<_> = learner.model().store().parameters().collect();
        assert_eq!(
            parameters.len(),
            golden
                .0
                .keys()
                .filter(|k| k.starts_with("gradient."))
                .count()
        );
        for (name, variable) in parameters {
            let expected = golden.floats(&format!("gradient.{name}"));
            close(
                &case(name),
                learner.gradient(variable).unwrap(),
                &expected,
                2e-6,
            );
        }
    }
}

#[test]
fn twenty_steps_of_every_optimizer_end_where_pytorchs_do() {
    let rules = [
        ("sgd", sgd(0.9, false)),
        ("nesterov", sgd(0.9, true)),
        ("plain", sgd(0.0, false)),
        (
            "adamw",
            OptimizerSpec::AdamW {
                lr: 0.01,
                beta1: 0.9,
                beta2: 0.999,
                eps: 1e-8,
                weight_decay: 0.01,
            },
        ),
    ];
    for (activation, norm) in CASES {
        let golden = Golden::read(activation, norm);
        for (name, rule) in &rules {
            let case = |what: &str| format!("{activation} norm {norm} {name}: {what}");
            let mut learner = golden.learner(activation, norm, rule);
            let x = learner.batch(golden.floats("x"), BATCH).unwrap();
            let targets = golden.classes();
            let losses: Vec<f32> = (1..=20)
                .map(|step| learner.step(&x, &targets, rule.lr(), step).unwrap().mean as f32)
                .collect();
            close(
                &case("losses"),
                &losses,
                &golden.floats(&format!("{name}.losses")),
                1e-5,
            );
            for (tensor, shape, values) in learner.model().weights().unwrap() {
                let key = format!("{name}.end.{tensor}");
                assert_eq!(shape, golden.0[&key].0);
                // A bias before a normalisation has no gradient but rounding, which AdamW divides by its own size;
                // the running mean follows that bias.
                let before_norm = [
                    "net.0.bias",
                    "net.3.bias",
                    "net.1.running_mean",
                    "net.4.running_mean",
                ];
                let noise = norm && *name == "adamw" && before_norm.contains(&tensor.as_str());
                match values {
                    TensorValues::I64(values) => assert_eq!(values, golden.integers(&key)),
                    TensorValues::F32(_) if noise => {}
                    TensorValues::F32(values) => {
                        close(&case(&tensor), &values, &golden.floats(&key), 5e-5)
                    }
                }
            }
        }
    }
}
