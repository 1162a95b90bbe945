//! The networks for images compared with PyTorch's, by values from `golden/networks.py`: names and shapes, scores,
//! every parameter's gradient, and twenty steps of each optimizer.

use candle_core::{Device, Tensor};
use serde_json::{Value, json};
use vivarium_models::networks::{Model, TensorValues};
use vivarium_models::nn::{Context, Mode};
use vivarium_models::ops::Tape;
use vivarium_models::spec::{NetworkSpec, OptimizerSpec};
use vivarium_models::train::Learner;

use crate::common::spec;
use crate::golden::close;

pub(crate) const CLASSES: usize = 10;
pub(crate) const BATCH: usize = 4;

/// The generator's hash of a name and an index to 32 bits: FNV-1a of the name, mixed with the index.
pub(crate) fn hashed(name: &str) -> impl Fn(usize) -> u32 + use<> {
    let key = name.bytes().fold(0x811c_9dc5, |key: u32, byte| {
        (key ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    move |place| {
        let mut h = u32::try_from(place).unwrap() ^ key;
        h = (h ^ (h >> 16)).wrapping_mul(0x7feb_352d);
        h = (h ^ (h >> 15)).wrapping_mul(0x846c_a68b);
        h ^ (h >> 16)
    }
}

fn drawn(name: &str, len: usize, middle: f64, reach: f64) -> Vec<f32> {
    let hash = hashed(name);
    let number = |i| (middle + reach * (f64::from(hash(i)) * 2f64.powi(-31) - 1.0)) as f32;
    (0..len).map(number).collect()
}

/// Ones with random signs.
pub(crate) fn signs(name: &str) -> impl Fn(usize) -> f64 + use<> {
    let hash = hashed(&format!("{name}.sign"));
    move |place| if hash(place) >> 31 == 1 { -1.0 } else { 1.0 }
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap().iter();
    values.map(|v| v.as_f64().unwrap()).collect()
}

fn singles(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|v| v as f32).collect()
}

/// The options of a network.
type Make = fn(&NetworkSpec, &[usize], usize, u64) -> vivarium_models::Result<Model>;

/// A network of the table with PyTorch's results.
pub(crate) struct Golden {
    pub(crate) name: &'static str,
    network: NetworkSpec,
    numbers: Value,
}

impl Golden {
    pub(crate) fn new(name: &'static str, mut network: Value, text: &str) -> Self {
        network["dropout"] = json!(0.0);
        let run = spec(json!({"data": {"set": "digits"}, "network": network}));
        Self {
            name,
            network: run.network,
            numbers: serde_json::from_str(text).unwrap(),
        }
    }

    /// Names, shapes and types of PyTorch's state dict.
    fn state(&self) -> Vec<(&str, Vec<usize>, &str)> {
        let rows = self.numbers["state"].as_array().unwrap().iter();
        rows.map(|row| {
            let shape = numbers(&row[1]).into_iter().map(|d| d as usize).collect();
            (row[0].as_str().unwrap(), shape, row[2].as_str().unwrap())
        })
        .collect()
    }

    /// The shape of an image.
    pub(crate) fn input(&self) -> [usize; 3] {
        let side = self.numbers["side"].as_u64().unwrap() as usize;
        [3, side, side]
    }

    /// The network with the generator's initial values.
    pub(crate) fn model(&self) -> Model {
        self.filled(Model::new)
    }

    fn filled(&self, make: Make) -> Model {
        let model = make(&self.network, &self.input(), CLASSES, 0).unwrap();
        let shift = self.numbers["shift"].as_f64().unwrap();
        let start = model.store().tensors().map(|(name, tensor)| {
            let (shape, len) = (tensor.dims().to_vec(), tensor.elem_count());
            let values = match name.rsplit('.').next().unwrap() {
                "weight" if shape.len() > 1 => {
                    let inputs: usize = shape[1..].iter().product();
                    TensorValues::F32(drawn(name, len, 0.0, (6.0 / inputs as f64).sqrt()))
                }
                "weight" => TensorValues::F32(drawn(name, len, 1.0, 0.1)),
                "bias" => {
                    let mut values = drawn(name, len, 0.0, 0.1);
                    let (norm, sign) = (name.replace("bias", "running_mean"), signs(name));
                    if model.store().buffers().any(|(buffer, _)| buffer == norm) {
                        for (i, value) in values.iter_mut().enumerate() {
                            *value += (shift * sign(i)) as f32;
                        }
                    }
                    TensorValues::F32(values)
                }
                "running_mean" => TensorValues::F32(vec![0.0; len]),
                "running_var" => TensorValues::F32(vec![1.0; len]),
                "num_batches_tracked" => TensorValues::I64(vec![0]),
                other => panic!("{name}: what is a {other}?"),
            };
            (name.to_owned(), shape, values)
        });
        model.set_weights(&start.collect::<Vec<_>>()).unwrap();
        model
    }

    /// Images and their classes.
    pub(crate) fn batch(&self) -> (Vec<f32>, Vec<u32>) {
        let len = BATCH * self.input().iter().product::<usize>();
        let images = drawn("images", len, 0.0, 3f64.sqrt());
        (images, (0..BATCH as u32).collect())
    }

    /// The least scale of a gradient's relative error. The gradient of a bias before a normalisation is only rounding,
    /// which must be small compared with the gradient of its layer's weight.
    fn floor(&self, name: &str) -> f64 {
        let norm = |name: &str| self.numbers["gradients"][name]["norm"].as_f64().unwrap();
        match name.strip_suffix("bias") {
            Some(layer) if norm(name) < 1e-6 * norm(&format!("{layer}weight")) => {
                0.01 * norm(&format!("{layer}weight"))
            }
            _ => 0.0,
        }
    }
}

fn sgd(lr: f64, momentum: f64, weight_decay: f64) -> OptimizerSpec {
    OptimizerSpec::Sgd {
        lr,
        momentum,
        weight_decay,
        nesterov: false,
    }
}

/// An optimizer that does not change the weights, so that a step shows the gradients alone.
fn still() -> OptimizerSpec {
    sgd(1e-30, 0.0, 0.0)
}

fn batch(golden: &Golden, learner: &Learner) -> (Tensor, Vec<u32>) {
    let (values, targets) = golden.batch();
    (learner.batch(values, BATCH).unwrap(), targets)
}

fn names_and_scores_are_pytorchs(golden: &Golden) {
    let case = |what: &str| format!("{} {what}", golden.name);
    let model = golden.model();
    let kind = |name: &str| {
        let counter = name.ends_with("num_batches_tracked");
        if counter { "int64" } else { "float32" }
    };
    let tensors = model.store().tensors();
    let mut own: Vec<_> = tensors
        .map(|(name, tensor)| (name, tensor.dims().to_vec(), kind(name)))
        .collect();
    let mut expected = golden.state();
    own.sort();
    expected.sort();
    assert_eq!(own, expected, "{}", golden.name);

    let mut learner = Learner::new(golden.model(), &still(), 0);
    let (x, targets) = batch(golden, &learner);
    let scores = |mode| {
        let scores = learner.model().forward(&x, &mut Context::new(mode));
        let flat = scores.unwrap().flatten_all().unwrap();
        flat.to_vec1::<f32>().unwrap()
    };
    let train = scores(Mode::Train { seed: 0, step: 1 });
    let expected = singles(&golden.numbers["scores.train"]);
    close(&case("scores while training"), &train, &expected, 1e-4);
    // That pass updated the running statistics; the file's evaluation is after one such pass.
    let evaluate = scores(Mode::Evaluate);
    let expected = singles(&golden.numbers["scores.evaluate"]);
    close(&case("scores while evaluating"), &evaluate, &expected, 1e-4);
    let loss = learner.step(&x, &targets, 1e-30, 1).unwrap().mean;
    let expected = golden.numbers["loss"].as_f64().unwrap();
    assert!((loss / expected - 1.0).abs() < 1e-4, "{loss} {expected}");
}

fn every_gradient_is_pytorchs(golden: &Golden) {
    let mut learner = Learner::new(golden.model(), &still(), 0).keeping_gradients();
    let (x, targets) = batch(golden, &learner);
    learner.step(&x, &targets, 1e-30, 1).unwrap();
    let expected = golden.numbers["gradients"].as_object().unwrap();
    let parameters = learner.model().store().parameters();
    assert_eq!(parameters.len(), expected.len());
    for (name, variable) in parameters {
        let gradient = learner.gradient(variable).unwrap().iter();
        let gradient: Vec<_> = gradient.map(|v| f64::from(*v)).collect();
        let error = gradient_error(name, &gradient, &expected[name], golden.floor(name));
        assert!(error < 1e-3, "{} {name}: {error}", golden.name);
    }
}

/// The same in f64, where rounding does not matter.
fn every_gradient_is_pytorchs_in_double_precision(golden: &Golden) {
    let model = golden.filled(Model::new_f64);
    let (values, targets) = golden.batch();
    let wide: Vec<_> = values.into_iter().map(f64::from).collect();
    let x = Tensor::from_vec(wide, [&[BATCH], model.input()].concat(), &Device::Cpu).unwrap();
    let (loss, tape) = Tape::record(|| {
        let train = Mode::Train { seed: 0, step: 1 };
        let scores = model.forward(&x, &mut Context::new(train)).unwrap();
        model.criterion().loss(&scores, &targets).unwrap()
    });
    let gradients = tape.backward(&loss.tensor).unwrap();
    let expected = golden.numbers["gradients"].as_object().unwrap();
    let parameters = model.store().parameters();
    assert_eq!(parameters.len(), expected.len());
    for (name, variable) in parameters {
        let gradient = gradients[&variable.id()].flatten_all().unwrap();
        let gradient: Vec<f64> = gradient.to_vec1().unwrap();
        let error = gradient_error(name, &gradient, &expected[name], 0.0);
        assert!(error < 1e-5, "{} {name}: {error}", golden.name);
    }
}

/// The relative errors of a gradient: of its norm, of its products with random signs, which show the error of the
/// whole, and of single values.
pub(crate) fn gradient_error(name: &str, wide: &[f64], expected: &Value, floor: f64) -> f64 {
    let size = expected["norm"].as_f64().unwrap().max(floor);
    let norm = wide.iter().map(|v| v * v).sum::<f64>().sqrt();
    let mut worst = (norm - expected["norm"].as_f64().unwrap()).abs();
    for (sign, product) in numbers(&expected["products"]).into_iter().enumerate() {
        let sign = signs(&format!("{name}.{sign}"));
        let own: f64 = wide.iter().enumerate().map(|(i, v)| sign(i) * v).sum();
        worst = worst.max((own - product).abs());
    }
    let place = hashed(&format!("{name}.place"));
    for (i, value) in numbers(&expected["at"]).into_iter().enumerate() {
        let own = wide[place(i) as usize % wide.len()];
        worst = worst.max((own - value).abs());
    }
    worst / size
}

fn twenty_steps_are_pytorchs(golden: &Golden) {
    let rate = golden.numbers["rate"].as_f64().unwrap();
    let adamw = OptimizerSpec::AdamW {
        lr: 1e-6 * rate,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        weight_decay: 0.01,
    };
    for (name, rule) in [("sgd", sgd(2e-5 * rate, 0.9, 5e-4)), ("adamw", adamw)] {
        let mut learner = Learner::new(golden.model(), &rule, 0);
        let (x, targets) = batch(golden, &learner);
        let losses: Vec<_> = (1..=20)
            .map(|step| learner.step(&x, &targets, rule.lr(), step).unwrap().mean as f32)
            .collect();
        let expected = singles(&golden.numbers[format!("{name}.losses")]);
        close(&format!("{} {name}", golden.name), &losses, &expected, 1e-3);
    }
}

macro_rules! golden {
    ($($network:ident: $name:literal, $options:tt, [$($test:ident),*];)*) => {$(
        mod $network {
            use super::*;

            $(
                #[test]
                fn $test() {
                    let text = include_str!(concat!("../golden/networks/", $name, ".json"));
                    super::$test(&Golden::new($name, json!($options), text));
                }
            )*
        }
    )*};
    ($($network:ident: $name:literal, $options:tt;)*) => {
        golden! {$(
            $network: $name, $options,
            [names_and_scores_are_pytorchs, every_gradient_is_pytorchs, twenty_steps_are_pytorchs];
        )*}
    };
}

golden! {
    mlp_wide: "mlp-wide", {"kind": "mlp-wide"};
    vgg16: "vgg16", {"kind": "vgg16"};
    vgg16_compact: "vgg16-compact", {"kind": "vgg16", "head": "compact"};
    vgg16_plain: "vgg16-plain", {"kind": "vgg16", "head": "compact", "norm": "none"};
    residual_small_silu: "residual-small-silu", {"kind": "residual-small", "activation": "silu"};
    residual_small_shallow: "residual-small-shallow", {"kind": "residual-small", "depth": [1]};
    residual_deep: "residual-deep", {"kind": "residual-deep"};
    inception: "inception", {"kind": "inception"};
}

// In f32, gradients through forty layers of ReLU are dominated by rounding, in PyTorch too: see `golden/networks.py`.
golden! {
    residual_small: "residual-small-relu", {"kind": "residual-small"},
    [names_and_scores_are_pytorchs, every_gradient_is_pytorchs_in_double_precision, twenty_steps_are_pytorchs];
}
