//! Experiments that start with one click. Each is settings, and for a comparison a grid over them; the form and the API
//! treat them like settings that a user typed.

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use vivarium_models::data::{DATA_SETS, Library, State};
use vivarium_models::spec::RunSpec;

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
    /// The settings, as a RunSpec; missing ones have their defaults.
    #[schema(value_type = RunSpec)]
    pub base: Value,
    /// Values to compare, by the path of the setting.
    #[schema(value_type = BTreeMap<String, Axis>)]
    pub grid: Map<String, Value>,
    /// Runs per combination.
    pub repeats: u64,
}

/// All presets, in the order of a course.
pub static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let digits = |name: &str, batch_size: u64, epochs: u64| {
        json!({
            "name": name,
            "data": {"set": "digits"},
            "network": {"kind": "mlp", "hidden": [128, 64], "activation": "relu"},
            "training": {"epochs": epochs, "batch_size": batch_size, "optimizer": {"kind": "sgd", "lr": 0.01}}
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
            base: digits("MLP on digits", 32, 60),
            grid: Map::new(),
            repeats: 1,
        },
        Preset {
            id: "batch-size",
            title: "Batch size",
            question: "The same network on batches of 16, 32, 64 and 128. Where is the noise, and what does a step cost?",
            base: digits("Batch size", 64, 30),
            grid: grid("training.batch_size", json!([16, 32, 64, 128])),
            repeats: 1,
        },
        Preset {
            id: "learning-rate",
            title: "Learning rate",
            question: "From 0.1 down to 0.0001. Which one leaps, which one crawls, which one learns?",
            base: digits("Learning rate", 64, 30),
            grid: grid("training.optimizer.lr", json!([0.1, 0.01, 0.001, 0.0001])),
            repeats: 1,
        },
        Preset {
            id: "activation",
            title: "Activation",
            question: "ReLU, sigmoid and tanh in the same network. Why does sigmoid take so long to leave the ground?",
            base: digits("Activation", 64, 30),
            grid: grid("network.activation", json!(["relu", "sigmoid", "tanh"])),
            repeats: 1,
        },
        Preset {
            id: "convolutional-networks",
            title: "Four convolutional networks",
            question: "VGG16, two residual networks of separable convolutions and Inception on digits. Which learns most in three epochs, and what does it weigh?",
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
            base: convolutional("Wide MLP against VGG16"),
            grid: grid("network", json!([{"kind": "mlp-wide"}, {"kind": "vgg16"}])),
            repeats: 1,
        },
        Preset {
            id: "vgg16-inside",
            title: "VGG16 from the inside",
            question: "One value of a convolution as a sum of products, the filters that were learnt, and what they make of your own photo.",
            base: convolutional("VGG16 from the inside"),
            grid: Map::new(),
            repeats: 1,
        },
        Preset {
            id: "fashion-mnist-per-minute",
            title: "Fashion-MNIST, best accuracy per minute",
            question: "Shirts, shoes and bags, read by VGG16 of a quarter's width in eight minutes on two cores. Which does it take for which?",
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
