//! The check of a document: what it refuses, and the paths of errors.

use serde_json::{Value, json};
use vivarium_models::spec::FieldError;

use crate::common::check;

fn document() -> Value {
    json!({"data": {"set": "digits"}, "network": {"kind": "mlp"}, "training": {}})
}

/// The document with a value at a dotted path.
fn with(path: &str, value: Value) -> Value {
    let mut document = document();
    let mut place = &mut document;
    for part in path.split('.') {
        if place.is_null() {
            *place = json!({});
        }
        place = &mut place[part];
    }
    *place = value;
    document
}

fn errors(document: &Value) -> Vec<FieldError> {
    check(document).err().unwrap_or_default()
}

/// The one error of a document with a value at a path.
fn refusal(path: &str, value: Value) -> FieldError {
    let errors = errors(&with(path, value.clone()));
    assert_eq!(errors.len(), 1, "{path} = {value}: {errors:?}");
    errors[0].clone()
}

#[test]
fn values_out_of_range_are_refused_by_their_path() {
    let cases = [
        (
            "training.batch_size",
            json!(0),
            "must be between 1 and 65536",
        ),
        (
            "training.batch_size",
            json!(65_537),
            "must be between 1 and 65536",
        ),
        (
            "training.batch_size",
            json!(-1),
            "must be between 1 and 65536",
        ),
        (
            "training.batch_size",
            json!(9_223_372_036_854_775_808u64),
            "must be between 1 and 65536",
        ),
        (
            "training.batch_size",
            json!(1e300),
            "must be between 1 and 65536",
        ),
        (
            "training.batch_size",
            json!(1.5),
            "must be a whole number between 1 and 65536",
        ),
        (
            "training.batch_size",
            json!("64"),
            "must be a whole number between 1 and 65536",
        ),
        (
            "training.batch_size",
            json!(null),
            "must be a whole number between 1 and 65536",
        ),
        (
            "training.batch_size",
            json!(true),
            "must be a whole number between 1 and 65536",
        ),
        (
            "training.batch_size",
            json!([64]),
            "must be a whole number between 1 and 65536",
        ),
        ("training.epochs", json!(0), "must be between 1 and 100000"),
        (
            "training.epochs",
            json!(100_001),
            "must be between 1 and 100000",
        ),
        (
            "training.seed",
            json!(9_007_199_254_740_992u64),
            "must be between 0 and 9007199254740991",
        ),
        (
            "training.threads",
            json!(0),
            "must be between 1 and 256, or null",
        ),
        (
            "training.threads",
            json!(257),
            "must be between 1 and 256, or null",
        ),
        (
            "training.optimizer.lr",
            json!(0),
            "must be a number above 0 and at most 100",
        ),
        (
            "training.optimizer.lr",
            json!(-0.1),
            "must be a number above 0 and at most 100",
        ),
        (
            "training.optimizer.lr",
            json!(101),
            "must be a number above 0 and at most 100",
        ),
        (
            "training.optimizer.lr",
            json!("0.1"),
            "must be a number above 0 and at most 100",
        ),
        (
            "training.optimizer.lr",
            json!(null),
            "must be a number above 0 and at most 100",
        ),
        // NaN in JSON, which has none.
        (
            "training.optimizer.lr",
            json!(f64::NAN),
            "must be a number above 0 and at most 100",
        ),
        (
            "training.optimizer.momentum",
            json!(1),
            "must be a number between 0 and 0.999999",
        ),
        (
            "training.optimizer.nesterov",
            json!(1),
            "must be true or false",
        ),
        (
            "training.optimizer.kind",
            json!("sgdd"),
            "must be one of sgd, adamw",
        ),
        (
            "training.optimizer.kind",
            json!(null),
            "must be one of sgd, adamw",
        ),
        (
            "training.schedule.kind",
            json!("cosin"),
            "must be one of constant, step, milestones, cosine, one_cycle",
        ),
        (
            "training.schedule.warmup_epochs",
            json!(-1),
            "must be a number between 0 and 100000",
        ),
        (
            "training.schedule.warmup_epochs",
            json!(30.0),
            "must be less than the run's epochs, 30",
        ),
        (
            "training.label_smoothing",
            json!(1),
            "must be a number between 0 and 0.999",
        ),
        (
            "training.clip",
            json!(0),
            "must be a number above 0 and at most 1000000000, or null",
        ),
        (
            "training.early_stopping.min_delta",
            json!(-0.1),
            "must be a number between 0 and 1000000",
        ),
        (
            "training.early_stopping.patience",
            json!(0),
            "must be between 1 and 100000",
        ),
        (
            "training.early_stopping.metric",
            json!("loss"),
            "must be validation_loss, validation_accuracy, train_loss or train_accuracy",
        ),
        (
            "training.early_stopping",
            json!(5),
            "must be an object or null",
        ),
        ("training.optimizer", json!(null), "must be an object"),
        ("training.schedule", json!("constant"), "must be an object"),
        (
            "data.validation",
            json!(0.51),
            "must be a number between 0 and 0.5",
        ),
        (
            "data.validation",
            json!(-0.01),
            "must be a number between 0 and 0.5",
        ),
        (
            "data.limit",
            json!(0),
            "must be between 1 and 1000000000, or null",
        ),
        ("data.size", json!(7), "must be between 8 and 512"),
        ("data.size", json!(513), "must be between 8 and 512"),
        ("data.size", json!(4096), "must be between 8 and 512"),
        ("data.channels", json!(2), "must be 1 or 3"),
        (
            "data.augment",
            json!("rotate"),
            "must be none, flip, crop, cutout, flip-crop, flip-cutout, crop-cutout or flip-crop-cutout",
        ),
        (
            "network.activation",
            json!("gelu"),
            "must be relu, silu, sigmoid or tanh",
        ),
        (
            "network.dropout",
            json!(1),
            "must be a number between 0 and 0.95",
        ),
        ("network.norm", json!("yes"), "must be true or false"),
        (
            "network.hidden",
            json!([]),
            "must be a list of 1 to 16 whole numbers",
        ),
        (
            "network.hidden",
            json!(vec![8; 17]),
            "must be a list of 1 to 16 whole numbers",
        ),
        (
            "network.hidden",
            json!("8"),
            "must be a list of 1 to 16 whole numbers",
        ),
        (
            "network.hidden",
            json!(null),
            "must be a list of 1 to 16 whole numbers",
        ),
        ("device", json!("cuda"), "must be cpu"),
        (
            "name",
            json!(7),
            "must be text of at most 200 characters, without line breaks or control characters",
        ),
        (
            "data.set",
            json!("imagenet"),
            "must be one of digits, blobs, moons, circles, spiral, xor, mnist, fashion-mnist, cifar-10, cifar-100",
        ),
        (
            "network.kind",
            json!("vgg"),
            "must be one of perceptron, mlp, mlp-wide, vgg16, residual-small, residual-deep, inception",
        ),
        (
            "data.set",
            json!(7),
            "must be one of digits, blobs, moons, circles, spiral, xor, mnist, fashion-mnist, cifar-10, cifar-100",
        ),
        (
            "network.kind",
            json!(null),
            "must be one of perceptron, mlp, mlp-wide, vgg16, residual-small, residual-deep, inception",
        ),
    ];
    for (path, value, message) in cases {
        let error = refusal(path, value.clone());
        assert_eq!(
            (error.path.as_str(), error.message.as_str()),
            (path, message),
            "{value}"
        );
        assert_eq!(error.value, value, "{path}");
    }
}

#[test]
fn a_bad_item_of_a_list_is_named_by_its_place() {
    for (value, message) in [
        (json!(0), "must be between 1 and 16384"),
        (json!(16_385), "must be between 1 and 16384"),
        (json!("64"), "must be a whole number between 1 and 16384"),
    ] {
        let error = refusal("network.hidden", json!([128, 64, value, 32]));
        assert_eq!(
            (error.path.as_str(), error.message.as_str()),
            ("network.hidden.2", message)
        );
    }
    let two = errors(&with("network.hidden", json!([0, 64, -5])));
    let paths: Vec<_> = two.iter().map(|e| e.path.as_str()).collect();
    assert_eq!(paths, ["network.hidden.0", "network.hidden.2"]);
}

#[test]
fn names_are_short_and_on_one_line_and_an_empty_one_is_made_up() {
    assert!(check(&with("name", json!("ä".repeat(200)))).is_ok());
    for name in [
        "ä".repeat(201),
        "a\nb".to_owned(),
        "a\u{0}".to_owned(),
        "\u{1b}[31m".to_owned(),
    ] {
        assert_eq!(refusal("name", json!(name)).path, "name");
    }
    assert_eq!(
        check(&with("name", json!("  "))).unwrap().name,
        "mlp on digits"
    );
    assert_eq!(
        check(&with("name", json!("=1+1 <b>"))).unwrap().name,
        "=1+1 <b>"
    );
}

#[test]
fn what_is_not_known_is_refused_by_its_path() {
    for path in [
        "trainings",
        "training.epoch",
        "training.optimizer.learning_rate",
        "training.schedule.warmup",
        "training.early_stopping.metrics",
        "data.sizes",
        "data.samples",
        "network.hiden",
        "network.head",
        "__proto__",
    ] {
        let error = refusal(path, json!(1));
        assert_eq!(error.path, path);
        assert!(
            error.message.starts_with("is not known here"),
            "{}",
            error.message
        );
    }
    // AdamW's settings are not SGD's.
    let mixed = with(
        "training.optimizer",
        json!({"kind": "adamw", "momentum": 0.9, "lr": 0.1}),
    );
    assert_eq!(errors(&mixed)[0].path, "training.optimizer.momentum");
    let mixed = with(
        "training.schedule",
        json!({"kind": "one_cycle", "warmup_epochs": 1}),
    );
    assert_eq!(errors(&mixed)[0].path, "training.schedule.warmup_epochs");
}

#[test]
fn documents_that_are_no_objects_are_refused() {
    for document in [json!(null), json!([]), json!("x"), json!(1)] {
        assert_eq!(errors(&document)[0].path, "");
    }
    for (section, value) in [
        ("data", json!(null)),
        ("network", json!([])),
        ("training", json!("x")),
    ] {
        let error = refusal(section, value);
        assert_eq!(
            (error.path.as_str(), error.message.as_str()),
            (section, "must be an object")
        );
    }
    let paths: Vec<_> = errors(&json!({})).into_iter().map(|e| e.path).collect();
    assert_eq!(paths, ["data.set", "network.kind"]);
}

#[test]
fn fields_that_do_not_go_together_are_refused() {
    let nesterov = json!({"momentum": 0, "nesterov": true});
    assert_eq!(
        errors(&with("training.optimizer", nesterov))[0].path,
        "training.optimizer.nesterov"
    );

    let mut stopping = with("training.early_stopping", json!({}));
    stopping["data"]["validation"] = json!(0);
    assert_eq!(errors(&stopping)[0].path, "data.validation");

    // The training split is always there.
    stopping["training"]["early_stopping"]["metric"] = json!("train_loss");
    assert_eq!(errors(&stopping), []);

    let floor = with(
        "training.schedule",
        json!({"kind": "cosine", "min_lr": 0.02}),
    );
    assert_eq!(
        (
            errors(&floor)[0].path.as_str(),
            errors(&floor)[0].message.as_str()
        ),
        (
            "training.schedule.min_lr",
            "must be at most the learning rate, 0.01"
        )
    );

    let mut norm = with("network.norm", json!(true));
    norm["training"]["batch_size"] = json!(1);
    assert_eq!(errors(&norm)[0].path, "training.batch_size");
}

#[test]
fn a_network_too_large_to_hold_is_refused_before_memory_is_taken() {
    let error = refusal("network.hidden", json!(vec![16_384; 16]));
    assert_eq!(error.path, "network");
    assert!(
        error.message.contains("2147483648 parameters"),
        "{}",
        error.message
    );
}
