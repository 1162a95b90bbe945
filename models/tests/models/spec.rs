//! The check of a document: its defaults, and the form.

use serde_json::{Value, json};
use vivarium_models::data::{DATA_SETS, Library};
use vivarium_models::form;
use vivarium_models::networks::NETWORKS;
use vivarium_models::spec::FieldError;

use crate::common::{built_in, check};

fn document() -> Value {
    json!({"data": {"set": "digits"}, "network": {"kind": "mlp"}, "training": {}})
}

fn faults(document: &Value) -> Vec<FieldError> {
    check(document).err().unwrap_or_default()
}

#[test]
fn a_run_needs_no_more_than_data_and_network() {
    let spec = check(&document()).unwrap();
    let full = serde_json::to_value(&spec).unwrap();
    let expected = json!({
        "name": "mlp on digits",
        "data": {"set": "digits", "validation": 0.1, "limit": null, "size": 8, "channels": 1, "augment": "none", "test_time_flip": false, "normalisation": "measured"},
        "network": {"kind": "mlp", "hidden": [128, 64], "activation": "relu", "norm": false, "dropout": 0.0, "init": "kaiming"},
        "training": {
            "epochs": 30, "batch_size": 64,
            "optimizer": {"kind": "sgd", "lr": 0.01, "momentum": 0.9, "weight_decay": 0.0, "nesterov": false},
            "schedule": {"kind": "constant", "warmup_epochs": 0.0}, "label_smoothing": 0.0, "clip": null,
            "early_stopping": null, "seed": 0, "threads": null
        },
        "device": "cpu"
    });
    assert_eq!(full, expected);
}

#[test]
fn the_full_document_is_right_and_means_the_same() {
    for network in NETWORKS.iter() {
        for data in built_in().filter(|data| network.dimensions.contains(&data.dimensions)) {
            let spec =
                check(&json!({"data": {"set": data.set}, "network": {"kind": network.kind}}))
                    .unwrap();
            let full = serde_json::to_value(&spec).unwrap();
            let again = check(&full).unwrap();
            assert_eq!(spec, again);
            assert_eq!(full.to_string(), serde_json::to_string(&again).unwrap());
            // Through text, as in a run directory.
            let text = serde_json::to_string_pretty(&spec).unwrap();
            assert_eq!(spec, check(&serde_json::from_str(&text).unwrap()).unwrap());
        }
    }
}

#[test]
fn what_the_contract_shows_can_be_said() {
    let document = json!({
        "name": "a run",
        "data": {"set": "digits", "size": 32, "channels": 3, "validation": 0.1, "augment": "none", "limit": null},
        "network": {"kind": "mlp", "activation": "relu", "init": "kaiming", "dropout": 0.5},
        "training": {
            "epochs": 3, "batch_size": 64,
            "optimizer": {"kind": "sgd", "lr": 0.01, "momentum": 0.9, "weight_decay": 0.0005},
            "schedule": {"kind": "constant"},
            "early_stopping": {"metric": "validation_loss", "patience": 5},
            "seed": 0, "threads": null
        },
        "device": "cpu"
    });
    let spec = check(&document).unwrap();
    assert_eq!(spec.training.early_stopping.unwrap().patience, 5);
}

#[test]
fn what_is_given_goes_before_the_networks_defaults_and_those_before_the_fields() {
    let run = |training: Value| {
        check(&json!({"data": {"set": "blobs"}, "network": {"kind": "perceptron"}, "training": training})).unwrap()
    };
    let training = run(json!({})).training;
    assert_eq!((training.epochs, training.batch_size), (3, 1));
    assert_eq!(training.optimizer.lr(), 0.001);
    let training = run(json!({"epochs": 7, "optimizer": {"lr": 0.5}})).training;
    assert_eq!((training.epochs, training.batch_size), (7, 1));
    assert_eq!(training.optimizer.lr(), 0.5);
    assert_eq!(
        serde_json::to_value(&training.optimizer).unwrap()["momentum"],
        json!(0.0)
    );
}

#[test]
fn defaults_are_what_their_fields_may_be() {
    // Checking an empty run checks every default of every row.
    for network in NETWORKS.iter() {
        for data in built_in().filter(|data| network.dimensions.contains(&data.dimensions)) {
            for optimizer in ["sgd", "adamw"] {
                for schedule in ["constant", "step", "milestones", "cosine", "one_cycle"] {
                    let document = json!({
                        "data": {"set": data.set}, "network": {"kind": network.kind},
                        "training": {"optimizer": {"kind": optimizer}, "schedule": {"kind": schedule}, "early_stopping": {}}
                    });
                    assert_eq!(
                        faults(&document),
                        [],
                        "{} on {} with {optimizer} and {schedule}",
                        network.kind,
                        data.set
                    );
                }
            }
        }
    }
}

#[test]
fn whole_numbers_may_be_written_with_a_point() {
    let spec = check(&json!({"data": {"set": "digits"}, "network": {"kind": "mlp"}, "training": {"batch_size": 32.0, "optimizer": {"lr": 1}}})).unwrap();
    assert_eq!(spec.training.batch_size, 32);
    assert_eq!(spec.training.optimizer.lr(), 1.0);
}

#[test]
fn all_faults_are_told_at_once() {
    let document = json!({
        "name": "x\n", "what": 1,
        "data": {"set": "digits", "size": 1, "validation": 2},
        "network": {"kind": "mlp", "hidden": [0], "x": 1},
        "training": {"epochs": 0, "batch_size": "a", "optimizer": {"lr": 0, "y": 2}, "early_stopping": {"patience": 0}}
    });
    let mut paths: Vec<_> = faults(&document).into_iter().map(|e| e.path).collect();
    paths.sort();
    let expected = [
        "data.size",
        "data.validation",
        "name",
        "network.hidden.0",
        "network.x",
        "training.batch_size",
        "training.early_stopping.patience",
        "training.epochs",
        "training.optimizer.lr",
        "training.optimizer.y",
        "what",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn label_smoothing_belongs_to_networks_that_are_trained_by_cross_entropy() {
    let form = serde_json::to_value(form::table(&Library::none())).unwrap();
    for network in form["networks"].as_array().unwrap() {
        let has = network["fields"]
            .as_array()
            .unwrap()
            .iter()
            .any(|f| f["path"] == "training.label_smoothing");
        assert_eq!(has, network["kind"] != "perceptron");
        let document = json!({
            "data": {"set": "digits"}, "network": {"kind": network["kind"]}, "training": {"label_smoothing": 0.1}
        });
        let paths: Vec<_> = faults(&document).into_iter().map(|e| e.path).collect();
        let expected: &[&str] = if has {
            &[]
        } else {
            &["training.label_smoothing"]
        };
        assert_eq!(paths, expected);
    }
}

#[test]
fn the_form_has_every_field_once_and_its_defaults_as_literals() {
    let form = serde_json::to_value(form::table(&Library::none())).unwrap();
    assert_eq!(form["networks"].as_array().unwrap().len(), NETWORKS.len());
    assert_eq!(form["data_sets"].as_array().unwrap().len(), DATA_SETS.len());
    assert_eq!(
        form["networks"][0]["defaults"]["training.batch_size"],
        json!(1)
    );
    let groups: Vec<_> = form["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| &g["path"])
        .collect();
    assert_eq!(
        groups,
        [
            "training.optimizer",
            "training.schedule",
            "training.early_stopping",
            "training.transfer",
            "data.random_resized_crop",
            "data.color_jitter",
            "data.randaugment",
            "training.mixup",
            "training.cutmix",
            "training.ema"
        ]
    );
    assert_eq!(form["groups"][0]["variants"][1]["value"], "adamw");
    assert_eq!(form["groups"][2]["selector"], json!(null));
    let batch = form["common"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["path"] == "training.batch_size")
        .unwrap();
    assert_eq!(
        batch["kind"],
        json!({"type": "integer", "min": 1, "max": 65536, "step": 1})
    );
    assert_eq!(batch["default"], "64");
    let lr = &form["groups"][0]["variants"][0]["fields"][0];
    assert_eq!(
        lr["kind"],
        json!({"type": "number", "min": 0.0, "max": 100.0, "min_open": true})
    );
}
