//! Experiments that start with one click. Each is settings, and for a comparison a grid over them; the form and the API
//! treat them like settings that a user typed.
//!
//! What an experiment says that was seen is measured: `scripts/measure-presets` runs each with five seeds, and
//! `docs/experiments.md` has its tables.

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use vivarium_models::data::{DATA_SETS, Library, State};
use vivarium_models::form;
use vivarium_models::spec::{Resources, RunSpec};

use crate::sweeps::SweepSpec;
use crate::sweeps::axis::Axis;

/// An experiment to start from.
#[derive(Debug, Serialize, ToSchema)]
pub struct Preset {
    /// Its name in URLs.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What the user will see.
    pub question: &'static str,
    /// Where to look while it runs.
    pub look_for: &'static str,
    /// What was seen, in the mean of five seeds, value by value.
    pub findings: Vec<Finding>,
    /// What to try next.
    pub variations: Vec<Variation>,
    /// The settings, as a RunSpec; missing ones have their defaults.
    #[schema(value_type = RunSpec)]
    pub base: Value,
    /// Values to compare, by the path of the setting.
    #[schema(value_type = BTreeMap<String, Axis>)]
    pub grid: Map<String, Value>,
    /// Runs per combination.
    pub repeats: u64,
}

/// What was seen with a value of a comparison.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Finding {
    /// The value, as the run's name has it; empty for an experiment of one run.
    pub value: &'static str,
    /// What was seen.
    pub seen: &'static str,
}

/// The same experiment with other settings.
#[derive(Debug, Serialize, ToSchema)]
pub struct Variation {
    /// What is different, as it follows “the same”.
    pub title: &'static str,
    /// The settings that differ, by path.
    #[schema(value_type = BTreeMap<String, Value>)]
    pub changes: Map<String, Value>,
}

/// What was seen, in the mean of five seeds.
const fn seen(value: &'static str, seen: &'static str) -> Finding {
    Finding { value, seen }
}

const PERCEPTRON: &[Finding] = &[seen(
    "",
    "All five seeds had every point on its side after three epochs.",
)];

const MLP: &[Finding] = &[seen(
    "",
    "After 60 epochs, accuracy 0.988 ± 0.006 on validation. The loss is 0.002 on training and 0.035 on validation: they part.",
)];

const BATCH_SIZE: &[Finding] = &[
    seen(
        "16",
        "The smoothed loss still jumps by ± 0.13, and ends at 0.03 ± 0.06: this rate is nearly too high for it.",
    ),
    seen("32", "Jumps as much, and ends lowest, at 0.001."),
    seen("64", "Jumps by ± 0.09, and ends at 0.003."),
    seen(
        "128",
        "Calm, ± 0.02, and ends at 0.02: an eighth of the updates of 16. All end at an accuracy of 0.98 or 0.99.",
    ),
];

const LEARNING_RATE: &[Finding] = &[
    seen(
        "0.1",
        "Leaps, and stays at 2.2: accuracy 0.14 ± 0.08, as good as guessing.",
    ),
    seen(
        "0.01",
        "The best: loss 0.035, accuracy 0.975 after ten epochs.",
    ),
    seen("0.001", "Slower, and nearly as good: 0.12 and 0.964."),
    seen(
        "0.0001",
        "Crawls: it is at 1.28 and 0.67 when the others are done.",
    ),
];

const ACTIVATION: &[Finding] = &[
    seen(
        "ReLU",
        "Leaves at once, and ends at loss 0.004 and accuracy 0.988.",
    ),
    seen(
        "Sigmoid",
        "Is at 2.285 after 20 epochs, hardly below the 2.303 of guessing: accuracy 0.20 ± 0.05.",
    ),
    seen("Tanh", "As good as ReLU: 0.013 and 0.990."),
];

const CONVOLUTIONAL: &[Finding] = &[
    seen(
        "VGG16",
        "0.82 ± 0.22 after three epochs: 0.99 with one seed, 0.47 with another. Its head of 120 million weights has no normalisation.",
    ),
    seen(
        "Residual, small",
        "Learns least in three epochs: 0.70 ± 0.05, with 6 million parameters.",
    ),
    seen("Residual, deep", "0.90 ± 0.03, with 11 million parameters."),
    seen(
        "Inception",
        "Learns most, and the most evenly: 0.971 ± 0.011, with 2.6 million parameters and the least memory.",
    ),
];

const WIDE: &[Finding] = &[
    seen(
        "Wide MLP",
        "0.988 ± 0.006 after three epochs, with every seed: a batch normalisation follows each of its layers. It takes 2.7 to 4.0 GiB.",
    ),
    seen(
        "VGG16",
        "0.82 ± 0.22: 0.99 with one seed, 0.47 with another. Digits of so few pixels do not need its convolutions. It takes about 2.1 GiB.",
    ),
];

const INSIDE: &[Finding] = &[seen(
    "",
    "It is the VGG16 of the four networks: 0.82 ± 0.22 after three epochs, 0.99 with one seed and 0.47 with another.",
)];

const FASHION: &[Finding] = &[seen(
    "",
    "0.937 ± 0.002 of the test images are right. Shirts are the hardest: of 1,000, 756 to 817 are found, and 74 to 111 are taken for T-shirts.",
)];

/// All presets, in the order of a course.
pub static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let digits = |name: &str, batch_size: u64, epochs: u64, lr: f64| {
        json!({
            "name": name,
            "data": {"set": "digits"},
            "network": {"kind": "mlp", "hidden": [128, 64], "activation": "relu"},
            "training": {"epochs": epochs, "batch_size": batch_size, "optimizer": {"kind": "sgd", "lr": lr}}
        })
    };
    // Enlarged digits and four hidden layers: enough for a rate to be too high, and for sigmoid to be stuck.
    let deep = |name: &str, epochs: u64| {
        json!({
            "name": name,
            "data": {"set": "digits", "size": 32, "channels": 3},
            "network": {"kind": "mlp", "hidden": [128, 64, 64, 32], "activation": "relu"},
            "training": {
                "epochs": epochs, "batch_size": 64, "optimizer": {"kind": "sgd", "lr": 0.01, "momentum": 0.9}
            }
        })
    };
    // The digits are built in; enlarged they are images that every network accepts.
    let convolutional = |name: &str| {
        json!({
            "name": name,
            "data": {"set": "digits", "size": 32, "channels": 3},
            "network": {"kind": "vgg16"},
            // The rate at which VGG16, whose head has no normalisation, learns as well as the others.
            "training": {"epochs": 3, "batch_size": 32, "optimizer": {"kind": "sgd", "lr": 0.002}}
        })
    };
    vec![
        Preset {
            id: "perceptron-on-blobs",
            title: "Perceptron on blobs",
            question: "One neuron moves its line after each mistake. How many epochs until two groups of points are apart?",
            look_for: "the line on the points: it moves only where a point is on the wrong side, and rests once none is.",
            findings: PERCEPTRON.to_vec(),
            variations: vec![changed(
                "on moons, which no line divides",
                json!({"data.set": "moons", "training.epochs": 10}),
            )],
            base: json!({
                "name": "Perceptron on blobs",
                "data": {"set": "blobs"},
                "network": {"kind": "perceptron", "init": "normal"},
                "training": {"epochs": 3, "batch_size": 1, "optimizer": {"kind": "sgd", "lr": 0.001, "momentum": 0}}
            }),
            grid: Map::new(),
            repeats: 1,
        },
        Preset {
            id: "mlp-on-digits",
            title: "MLP on digits",
            question: "Two hidden layers read handwritten digits. How fast do they learn, and do training and validation part?",
            look_for: "the loss on training and on validation: where the second stops falling, the network learns by heart.",
            findings: MLP.to_vec(),
            variations: vec![
                changed("on 100 samples", json!({"data.limit": 100})),
                changed("with dropout", json!({"network.dropout": 0.5})),
            ],
            base: digits("MLP on digits", 32, 60, 0.01),
            grid: Map::new(),
            repeats: 1,
        },
        Preset {
            id: "batch-size",
            title: "Batch size",
            question: "The same network on batches of 16, 32, 64 and 128. Where is the noise, and what does a step cost?",
            look_for: "the loss on the axis “Samples”, where all see the same data, then on “Steps”, where each takes as many updates.",
            findings: BATCH_SIZE.to_vec(),
            variations: vec![
                changed(
                    "at a fifth of the rate",
                    json!({"training.optimizer.lr": 0.01}),
                ),
                changed(
                    "without momentum",
                    json!({"training.optimizer.momentum": 0}),
                ),
            ],
            base: digits("Batch size", 64, 15, 0.05),
            grid: grid("training.batch_size", json!([16, 32, 64, 128])),
            repeats: 1,
        },
        Preset {
            id: "learning-rate",
            title: "Learning rate",
            question: "From 0.1 down to 0.0001. Which one is stuck, which one crawls, which one learns?",
            look_for: "the first steps of the largest rate (the loss chart cuts off its leap, “Show all” brings it back), and how far the smallest has come when the others are done. ln 10 = 2.30 is the loss of guessing.",
            findings: LEARNING_RATE.to_vec(),
            variations: vec![
                changed(
                    "without momentum",
                    json!({"training.optimizer.momentum": 0}),
                ),
                changed(
                    "with AdamW",
                    json!({"training.optimizer": {"kind": "adamw"}}),
                ),
                changed("for 60 epochs", json!({"training.epochs": 60})),
            ],
            base: deep("Learning rate", 10),
            grid: grid("training.optimizer.lr", json!([0.1, 0.01, 0.001, 0.0001])),
            repeats: 1,
        },
        Preset {
            id: "activation",
            title: "Activation",
            question: "ReLU, sigmoid and tanh in the same network. Why does sigmoid hardly leave the ground?",
            look_for: "the loss of sigmoid: its slope is at most 1/4, so four layers shrink a gradient 256 times and more. ln 10 = 2.30 is the loss of guessing.",
            findings: ACTIVATION.to_vec(),
            variations: vec![
                changed(
                    "with two hidden layers",
                    json!({"network.hidden": [128, 64]}),
                ),
                changed("for 100 epochs", json!({"training.epochs": 100})),
            ],
            base: deep("Activation", 20),
            grid: grid("network.activation", json!(["relu", "sigmoid", "tanh"])),
            repeats: 1,
        },
        Preset {
            id: "convolutional-networks",
            title: "Four convolutional networks",
            question: "VGG16, two residual networks of separable convolutions and Inception on digits. Which learns most in three epochs, and what does it weigh?",
            look_for: "accuracy against parameters and time, in the charts below the curves.",
            findings: CONVOLUTIONAL.to_vec(),
            variations: vec![changed("for ten epochs", json!({"training.epochs": 10}))],
            base: convolutional("Four convolutional networks"),
            grid: grid(
                "network",
                json!([{"kind": "vgg16"}, {"kind": "residual-small"}, {"kind": "residual-deep"}, {"kind": "inception"}]),
            ),
            repeats: 1,
        },
        Preset {
            id: "wide-against-deep",
            title: "Wide MLP against VGG16",
            question: "177 million parameters in a wide MLP, 134 million in VGG16. Which learns more of them, in what time and memory?",
            look_for: "the seconds and the memory of both: a multiply-add of a convolution's weight is used at every place of the image.",
            findings: WIDE.to_vec(),
            variations: vec![changed("on 200 samples", json!({"data.limit": 200}))],
            base: convolutional("Wide MLP against VGG16"),
            grid: grid("network", json!([{"kind": "mlp-wide"}, {"kind": "vgg16"}])),
            repeats: 1,
        },
        Preset {
            id: "vgg16-inside",
            title: "VGG16 from the inside",
            question: "One value of a convolution as a sum of products, the filters that were learnt, and what they make of your own photo.",
            look_for: "the page Inside, from the button above: press a layer, then a place of a map, and see the window that made it.",
            findings: INSIDE.to_vec(),
            variations: Vec::new(),
            base: convolutional("VGG16 from the inside"),
            grid: Map::new(),
            repeats: 1,
        },
        Preset {
            id: "fashion-mnist-per-minute",
            title: "Fashion-MNIST, best accuracy per minute",
            question: "Shirts, shoes and bags, read by VGG16 of a quarter's width in eight minutes on two cores. Which does it take for which?",
            look_for: "the confusion matrix at the end: shirts against T-shirts, pullovers and coats.",
            findings: FASHION.to_vec(),
            variations: Vec::new(),
            base: json!({
                "name": "Fashion-MNIST, best accuracy per minute",
                "data": {"set": "fashion-mnist", "size": 32, "validation": 0.02, "augment": "flip"},
                "network": {"kind": "vgg16", "head": "compact", "width": 0.25},
                "training": {
                    "epochs": 18, "batch_size": 128, "label_smoothing": 0.1,
                    "optimizer": {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": true, "weight_decay": 0.0005},
                    "schedule": {"kind": "one_cycle", "pct_start": 0.25}
                }
            }),
            grid: Map::new(),
            repeats: 1,
        },
    ]
});

/// A preset with the title of the data set that has to be downloaded first, if it is missing.
#[derive(Debug, Serialize, ToSchema)]
pub struct Offer {
    #[serde(flatten)]
    preset: &'static Preset,
    missing: Option<&'static str>,
}

/// All presets, given the data sets that are present.
pub fn offers(library: &Library) -> Vec<Offer> {
    let missing = |preset: &'static Preset| {
        let set = preset.base["data"]["set"].as_str()?;
        let row = DATA_SETS.iter().find(|row| row.set == set)?;
        let state = library.find(set)?.state;
        matches!(state, State::Missing).then_some(row.title)
    };
    let offer = |preset| Offer {
        preset,
        missing: missing(preset),
    };
    PRESETS.iter().map(offer).collect()
}

/// The preset that a sweep was started from without a change.
pub fn of_sweep(sweep: &SweepSpec, library: &Library) -> Option<&'static Preset> {
    let base = essence(&sweep.base, library)?;
    PRESETS.iter().find(|preset| {
        !preset.grid.is_empty()
            && preset.grid == sweep.grid
            && essence(&preset.base, library).as_ref() == Some(&base)
    })
}

/// The preset that a run was started from without a change.
pub fn of_run(spec: &Value, library: &Library) -> Option<&'static Preset> {
    let spec = essence(spec, library)?;
    let of_one = PRESETS.iter().filter(|preset| preset.grid.is_empty());
    of_one
        .into_iter()
        .find(|preset| essence(&preset.base, library).as_ref() == Some(&spec))
}

/// Settings with their defaults, without what an experiment leaves open: name, seed, threads, and the version of the
/// labels.
fn essence(settings: &Value, library: &Library) -> Option<RunSpec> {
    let mut spec = form::check(settings, library).ok()?;
    spec.name.clear();
    spec.training.seed = 0;
    spec.training.threads = None;
    spec.data.options.remove("version");
    spec.resources = Resources::default();
    Some(spec)
}

/// The same experiment with other settings.
fn changed(title: &'static str, changes: Value) -> Variation {
    let changes = match changes {
        Value::Object(changes) => changes,
        _ => Map::new(),
    };
    Variation { title, changes }
}

fn grid(path: &str, values: Value) -> Map<String, Value> {
    Map::from_iter([(path.to_owned(), values)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweeps::SweepSpec;

    #[test]
    fn every_preset_is_valid() {
        for preset in PRESETS.iter() {
            let mut base = preset.base.clone();
            if offers(&Library::none())
                .iter()
                .any(|offer| offer.preset.id == preset.id && offer.missing.is_some())
            {
                base["data"]["set"] = json!("digits");
            }
            let sweep = SweepSpec {
                networks: std::collections::BTreeMap::new(),
                base,
                grid: preset.grid.clone(),
                search: None,
                repeats: preset.repeats,
            };
            let runs = sweep
                .expand(&Library::none())
                .unwrap_or_else(|error| panic!("{}: {error}", preset.id));
            let expected: usize = preset
                .grid
                .values()
                .map(|v| v.as_array().unwrap().len())
                .product();
            assert_eq!(runs.len(), expected);
        }
    }
}
