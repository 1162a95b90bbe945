//! Class weights, mixed targets, balanced sampling, averaged weights, augmentations and test-time flips: compared with
//! PyTorch by values from `golden/recipe.py`, interrupted and resumed, and refused where they make no sense.

use candle_core::{DType, Device, Tensor, Var};
use serde_json::{Value, json};
use vivarium_models::contract::{Event, Reason};
use vivarium_models::data::Library;
use vivarium_models::form;
use vivarium_models::graph::Criterion;
use vivarium_models::networks::{Model, TensorValues};
use vivarium_models::ops::{Targets, softmax, threads, weighted_cross_entropy};
use vivarium_models::spec::{NetworkSpec, OptimizerSpec, RunSpec};
use vivarium_models::train::Learner;

use crate::common::{THREADS, check, joined, run, small, spec, tensors};
use crate::golden::close;
use crate::resume::{folder, same_files, undisturbed};

fn golden(part: &str) -> Value {
    let golden: Value = serde_json::from_str(include_str!("../golden/recipe.json")).unwrap();
    golden[part].clone()
}

fn numbers(json: &Value) -> Vec<f64> {
    let numbers = json.as_array().unwrap().iter();
    numbers.map(|number| number.as_f64().unwrap()).collect()
}

fn singles(json: &Value) -> Vec<f32> {
    numbers(json).into_iter().map(|n| n as f32).collect()
}

fn classes(json: &Value) -> Vec<u32> {
    numbers(json).into_iter().map(|n| n as u32).collect()
}

#[test]
fn the_loss_with_weights_smoothing_and_mixed_targets_is_pytorchs() {
    let golden = golden("loss");
    let (first, second) = (classes(&golden["first"]), classes(&golden["second"]));
    let weights = numbers(&golden["weights"]);
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 24);
    for (dtype, tolerance) in [(DType::F32, 1e-6), (DType::F64, 1e-12)] {
        let scores = Tensor::from_vec(numbers(&golden["scores"]), (7, 5), &Device::Cpu).unwrap();
        let scores = Var::from_tensor(&scores.to_dtype(dtype).unwrap()).unwrap();
        for case in cases {
            let targets = Targets {
                mixed: case["share"].as_f64().map(|share| (&second[..], share)),
                ..Targets::from(&first)
            };
            let weights = case["weighted"].as_bool().unwrap().then_some(&weights[..]);
            let smoothing = case["smoothing"].as_f64().unwrap();
            let loss = weighted_cross_entropy(&scores, targets, smoothing, weights).unwrap();
            let expected = case["loss"].as_f64().unwrap();
            assert!(
                (loss.mean - expected).abs() <= tolerance * expected,
                "{case}: {}",
                loss.mean
            );
            let gradient = loss.tensor.backward().unwrap().remove(&scores).unwrap();
            let gradient = gradient
                .to_dtype(DType::F64)
                .unwrap()
                .flatten_all()
                .unwrap();
            let expected = numbers(&case["gradient"]);
            for (got, expected) in gradient.to_vec1::<f64>().unwrap().iter().zip(expected) {
                assert!((got - expected).abs() < tolerance, "{case}: {got}");
            }
        }
    }
}

#[test]
fn mixed_rows_are_right_where_the_class_with_the_greater_share_is_first() {
    let scores = Tensor::new(&[[3.0f32, 1.0, 2.0], [0.0, 5.0, 1.0]], &Device::Cpu).unwrap();
    let correct = |share| {
        let targets = Targets {
            classes: &[0, 0],
            mixed: Some((&[1, 1], share)),
        };
        weighted_cross_entropy(&scores, targets, 0.0, None)
            .unwrap()
            .correct
    };
    // The first row's highest score is that of class 0, the second's that of class 1.
    let of_both = [0.0, 0.4, 0.5, 1.0].map(correct);
    assert_eq!(of_both, [1, 1, 1, 1]);
    let targets = Targets {
        classes: &[0, 1],
        mixed: Some((&[1, 0], 0.3)),
    };
    assert_eq!(
        weighted_cross_entropy(&scores, targets, 0.0, None)
            .unwrap()
            .correct,
        0
    );
}

#[test]
fn weights_that_do_not_fit_are_refused_and_what_is_no_number_shows() {
    let scores = Tensor::new(&[[0.0f32, 1.0, 2.0]], &Device::Cpu).unwrap();
    let loss = |targets: &[u32], weights: &[f64]| {
        weighted_cross_entropy(&scores, Targets::from(targets), 0.0, Some(weights))
    };
    assert!(loss(&[0], &[1.0, 1.0]).is_err());
    assert!(loss(&[3], &[1.0, 1.0, 1.0]).is_err());
    assert!(loss(&[0], &[0.0, 1.0, 1.0]).is_err());
    assert!(loss(&[0], &[f64::NAN, 1.0, 1.0]).is_err());
    let mixed = |share| {
        let targets = Targets {
            classes: &[0],
            mixed: Some((&[1], share)),
        };
        weighted_cross_entropy(&scores, targets, 0.0, None)
    };
    assert!(mixed(1.1).is_err() && mixed(f64::NAN).is_err() && mixed(1.0).is_ok());
    for bad in [f32::NAN, f32::INFINITY] {
        let scores = Tensor::new(&[[0.0, bad, 1.0]], &Device::Cpu).unwrap();
        for target in 0..3 {
            let targets = Targets::from(std::slice::from_ref(&target));
            let loss = weighted_cross_entropy(&scores, targets, 0.1, Some(&[1.0, 2.0, 3.0]));
            assert!(!loss.unwrap().mean.is_finite(), "{bad} {target}");
        }
    }
}

#[test]
fn two_views_have_the_mean_of_their_probabilities() {
    let golden = golden("views");
    let scores =
        |name: &str| Tensor::from_vec(singles(&golden[name]), (4, 3), &Device::Cpu).unwrap();
    let (first, second) = (scores("first"), scores("second"));
    let mean = Criterion::CrossEntropy
        .average_scores(&first, &second)
        .unwrap();
    let got: Vec<f32> = softmax(&mean).unwrap().concat();
    close(
        "probabilities",
        &got,
        &singles(&golden["probabilities"]),
        1e-6,
    );
    let mean = Criterion::Perceptron
        .average_scores(&first, &second)
        .unwrap();
    let expected = ((first + second).unwrap() * 0.5).unwrap();
    assert_eq!(
        mean.to_vec2::<f32>().unwrap(),
        expected.to_vec2::<f32>().unwrap()
    );
    // Neither view gives the second class a probability that single precision has.
    let sure = Tensor::new(&[[200.0f32, 0.0]], &Device::Cpu).unwrap();
    let mean = Criterion::CrossEntropy
        .average_scores(&sure, &sure)
        .unwrap();
    assert!(mean.to_vec2::<f32>().unwrap()[0][1].is_finite());
}

#[test]
fn a_flip_is_the_mean_over_an_image_and_its_mirror() {
    let document = json!({"data": {"set": "digits"}, "network": {"kind": "mlp"}});
    let network = spec(document).network;
    let model = Model::new(&network, &[1, 8, 8], 10, 0).unwrap();
    let images: Vec<f32> = (0..128).map(|i| (i * 37 % 64) as f32 / 64.0).collect();
    let mirrored: Vec<f32> = images
        .chunks(8)
        .flat_map(|row| row.iter().rev().copied())
        .collect();
    let tensor = |values| Tensor::from_vec(values, (2, 1, 8, 8), &Device::Cpu).unwrap();
    let (x, mirror) = (tensor(images), tensor(mirrored));
    let probabilities = |x: &Tensor, flip| softmax(&model.evaluate(x, flip).unwrap()).unwrap();
    let (a, b) = (probabilities(&x, false), probabilities(&mirror, false));
    let mean: Vec<f32> = a
        .concat()
        .iter()
        .zip(b.concat())
        .map(|(a, b)| (a + b) / 2.0)
        .collect();
    close("mean", &probabilities(&x, true).concat(), &mean, 1e-6);
    assert_ne!(a, b);
}

#[test]
fn the_average_of_the_weights_and_statistics_is_that_of_pytorchs_averaged_model() {
    let golden = golden("ema");
    let network: NetworkSpec = spec(json!({
        "data": {"set": "moons"}, "network": {"kind": "mlp", "hidden": [5], "norm": true}
    }))
    .network;
    let model = Model::new(&network, &[6], 3, 0).unwrap();
    let weights = model
        .weights()
        .unwrap()
        .into_iter()
        .map(|(name, shape, values)| {
            let values = match values {
                TensorValues::F32(_) => TensorValues::F32(singles(&golden["start"][&name])),
                other => other,
            };
            (name, shape, values)
        });
    model.set_weights(&weights.collect::<Vec<_>>()).unwrap();
    let rule = OptimizerSpec::Sgd {
        lr: 0.1,
        momentum: 0.9,
        weight_decay: 0.0,
        nesterov: false,
    };
    let ema = serde_json::from_value(json!({"decay": 0.9})).unwrap();
    let mut learner = Learner::new(model, &rule, 0).with_ema(Some(&ema)).unwrap();
    let x = learner.batch(singles(&golden["x"]), 12).unwrap();
    let targets = classes(&golden["y"]);
    let losses: Vec<f32> = (1..=30)
        .map(|step| learner.step(&x, &targets, 0.1, step).unwrap().mean as f32)
        .collect();
    close("losses", &losses, &singles(&golden["losses"]), 1e-5);
    for (name, _, values) in learner.served_model().weights().unwrap() {
        let expected = &golden["end"][&name];
        match values {
            TensorValues::F32(values) => close(&name, &values, &singles(expected), 2e-5),
            TensorValues::I64(values) => assert_eq!(json!(values), *expected, "{name}"),
        }
    }
}

/// A short run on points with a setting.
fn with(settings: &Value) -> RunSpec {
    let mut document = small();
    for (name, value) in settings.as_object().unwrap() {
        document["training"][name] = value.clone();
    }
    spec(document)
}

#[test]
fn runs_with_every_setting_for_points_go_on_bit_for_bit() {
    let _steady = THREADS.read().unwrap();
    for settings in [
        json!({"class_weights": "balanced", "label_smoothing": 0.1}),
        json!({"sampling": "balanced"}),
        json!({"mixup": {"alpha": 0.4}}),
        json!({"ema": {"decay": 0.9}}),
        json!({"ema": {"decay": 0.99}, "mixup": {}, "class_weights": "balanced", "clip": 0.5,
            "optimizer": {"kind": "sgd"}}),
    ] {
        let spec = with(&settings);
        let (whole, facts, steps) = undisturbed(&spec);
        let (plain, plain_facts, _) = undisturbed(&self::spec(small()));
        assert_ne!(facts, plain_facts, "{settings} changes nothing");
        drop(plain);
        for stop in 1..=steps {
            let folder = folder();
            let (reason, first) = run(&spec, folder.path(), Some(stop));
            assert_eq!(reason, Reason::Stopped);
            let (reason, second) = run(&spec, folder.path(), None);
            assert_eq!((reason, second.resumed_from()), (Reason::Completed, stop));
            assert_eq!(joined(&[&first, &second]), facts, "{settings} after {stop}");
            same_files(folder.path(), whole.path());
        }
    }
}

#[test]
fn an_averaged_run_keeps_the_average_as_its_weights_and_both_for_resuming() {
    let (folder, ..) = undisturbed(&with(&json!({"ema": {"decay": 0.9}})));
    let served = tensors(&folder.path().join("last.safetensors"));
    let state = tensors(&folder.path().join("last.state.safetensors"));
    for (name, tensor) in &served {
        let raw = &state[&format!("raw.{name}")];
        assert_eq!(raw.0, tensor.0);
        let counts = name.ends_with("num_batches_tracked");
        assert_eq!(raw.1 == tensor.1, counts, "{name}");
    }
    // The weights that are trained do not know of their average.
    let (plain, ..) = undisturbed(&spec(small()));
    for (name, tensor) in tensors(&plain.path().join("last.safetensors")) {
        assert_eq!(state[&format!("raw.{name}")], tensor, "{name}");
    }
    let plain_state = tensors(&plain.path().join("last.state.safetensors"));
    assert!(plain_state.keys().all(|name| !name.starts_with("raw.")));
}

/// Digits with every augmentation of images.
fn augmented() -> Value {
    json!({
        "data": {
            "set": "digits", "size": 16, "channels": 3, "limit": 40, "augment": "flip-crop-cutout",
            "random_resized_crop": {"min_scale": 0.4}, "color_jitter": {}, "randaugment": {},
            "test_time_flip": true
        },
        "network": {"kind": "mlp", "hidden": [8]},
        "training": {
            "epochs": 3, "batch_size": 9, "threads": 1, "sampling": "balanced", "mixup": {}, "cutmix": {},
            "ema": {}
        }
    })
}

#[test]
fn a_run_with_every_setting_for_images_goes_on_bit_for_bit() {
    let _steady = THREADS.read().unwrap();
    // Batches of 9 images of 3x48x48 are made in the background.
    for size in [16, 48] {
        let mut document = augmented();
        document["data"]["size"] = json!(size);
        let spec = spec(document);
        let (whole, facts, steps) = undisturbed(&spec);
        for stop in [1, 2, 4, 5, steps / 2, steps - 1] {
            let folder = folder();
            let (_, first) = run(&spec, folder.path(), Some(stop));
            let (_, second) = run(&spec, folder.path(), None);
            assert_eq!(second.resumed_from(), stop);
            assert_eq!(joined(&[&first, &second]), facts, "stopped after {stop}");
            same_files(folder.path(), whole.path());
        }
        let notes = undisturbed_notes(&spec);
        assert_eq!(
            notes,
            ["The test takes the mean over each image and its mirror."]
        );
    }
}

fn undisturbed_notes(spec: &RunSpec) -> Vec<String> {
    let (_, recorder) = run(spec, folder().path(), None);
    let note = |event: &Event| match event {
        Event::Note { message } => Some(message.clone()),
        _ => None,
    };
    recorder.events.iter().filter_map(note).collect()
}

#[test]
fn what_is_learnt_from_does_not_depend_on_threads() {
    let _alone = THREADS.write().unwrap();
    let before = threads::threads();
    let first_losses = [1, 2].map(|count| {
        let mut document = augmented();
        document["training"]["threads"] = json!(count);
        let (_, recorder) = run(&spec(document), folder().path(), Some(1));
        // The first loss is of the initial weights: of sums so short that threads do not split them.
        recorder.steps()[0].loss.to_bits()
    });
    threads::set_threads(before).unwrap();
    assert_eq!(first_losses[0], first_losses[1]);
}

/// The paths of what is wrong with a document, and the first message.
fn refused(mut document: Value, changes: &[(&str, Value)]) -> (Vec<String>, String) {
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    let errors = check(&document).err().unwrap_or_default();
    let first = errors.first().map_or(String::new(), |e| e.message.clone());
    (errors.into_iter().map(|error| error.path).collect(), first)
}

#[test]
fn combinations_that_make_no_sense_are_refused_with_their_path() {
    let points = || json!({"data": {"set": "moons"}, "network": {"kind": "mlp"}, "training": {}});
    let perceptron =
        || json!({"data": {"set": "moons"}, "network": {"kind": "perceptron"}, "training": {}});
    let images = || json!({"data": {"set": "digits"}, "network": {"kind": "mlp"}, "training": {}});
    for (document, changes, path, part) in [
        (
            points(),
            ("/training/cutmix", json!({})),
            "training.cutmix",
            "points",
        ),
        (
            points(),
            ("/data/randaugment", json!({})),
            "data.randaugment",
            "points",
        ),
        (
            points(),
            ("/data/color_jitter", json!({})),
            "data.color_jitter",
            "points",
        ),
        (
            points(),
            ("/data/random_resized_crop", json!({})),
            "data.random_resized_crop",
            "points",
        ),
        (
            points(),
            ("/data/test_time_flip", json!(true)),
            "data.test_time_flip",
            "not known",
        ),
        (
            perceptron(),
            ("/training/mixup", json!({})),
            "training.mixup",
            "cross-entropy",
        ),
        (
            perceptron(),
            ("/training/class_weights", json!("balanced")),
            "training.class_weights",
            "not known",
        ),
        (
            images(),
            ("/training/class_weights", json!("heavy")),
            "training.class_weights",
            "none or balanced",
        ),
        (
            images(),
            ("/training/sampling", json!("best")),
            "training.sampling",
            "shuffled or balanced",
        ),
        (
            images(),
            ("/training/mixup", json!({"alpha": 0.0})),
            "training.mixup.alpha",
            "above 0",
        ),
        (
            images(),
            ("/training/mixup", json!({"beta": 1.0})),
            "training.mixup.beta",
            "not known",
        ),
        (
            images(),
            ("/training/ema", json!({"decay": 1.0})),
            "training.ema.decay",
            "between",
        ),
        (
            images(),
            ("/training/ema", json!(0.9)),
            "training.ema",
            "object or null",
        ),
        (
            images(),
            ("/data/color_jitter", json!({"hue": 0.6})),
            "data.color_jitter.hue",
            "between",
        ),
        (
            images(),
            ("/data/randaugment", json!({"magnitude": 31})),
            "data.randaugment.magnitude",
            "between",
        ),
        (
            images(),
            ("/data/randaugment", json!({"num_ops": 0})),
            "data.randaugment.num_ops",
            "between",
        ),
        (
            images(),
            ("/data/random_resized_crop", json!({"min_scale": 0.0})),
            "data.random_resized_crop.min_scale",
            "above 0",
        ),
    ] {
        let (paths, message) = refused(document, &[changes]);
        assert_eq!(paths, [path]);
        assert!(message.contains(part), "{path}: {message}");
    }
    let both = [
        ("/training/class_weights", json!("balanced")),
        ("/training/sampling", json!("balanced")),
    ];
    assert_eq!(refused(images(), &both).0, ["training.class_weights"]);
    let alone = [
        ("/training/mixup", json!({})),
        ("/training/batch_size", json!(1)),
    ];
    assert_eq!(refused(images(), &alone).0, ["training.batch_size"]);
    // What is off is nothing, wherever it stands.
    let off = [
        ("/training/mixup", Value::Null),
        ("/training/cutmix", Value::Null),
        ("/data/randaugment", Value::Null),
    ];
    for document in [points(), perceptron()] {
        assert_eq!(refused(document, &off).0, [""; 0]);
    }
}

#[test]
fn what_is_off_is_left_out_of_the_document_and_what_is_on_means_the_same_again() {
    let plain = check(&json!({"data": {"set": "digits"}, "network": {"kind": "mlp"}})).unwrap();
    let text = serde_json::to_string(&plain).unwrap();
    for name in [
        "mixup",
        "cutmix",
        "ema",
        "class_weights",
        "sampling",
        "randaugment",
        "jitter",
    ] {
        assert!(!text.contains(name), "{name}");
    }
    let full = check(&augmented()).unwrap();
    let again = check(&serde_json::to_value(&full).unwrap()).unwrap();
    assert_eq!(full, again);
    assert_eq!(full.training.mixup.as_ref().map(|mix| mix.alpha), Some(0.2));
    assert_eq!(
        full.data.options["randaugment"],
        json!({"num_ops": 2, "magnitude": 9})
    );
    assert!(full.data.test_time_flip() && !plain.data.test_time_flip());
}

#[test]
fn the_form_has_every_setting_with_what_it_needs() {
    let table = serde_json::to_value(form::table(&Library::none())).unwrap();
    let needs = |path: &str| {
        let groups = table["groups"].as_array().unwrap();
        let group = groups.iter().find(|group| group["path"] == path).unwrap();
        assert!(group["topic"].is_string(), "{path} is folded away");
        assert!(!group["help"].as_str().unwrap().is_empty(), "{path}");
        group["needs"].clone()
    };
    assert_eq!(needs("training.cutmix"), json!(["cross_entropy", "images"]));
    assert_eq!(needs("training.mixup"), json!(["cross_entropy"]));
    assert_eq!(needs("data.randaugment"), json!(["images"]));
    assert_eq!(needs("training.ema"), json!([]));
    let networks = table["networks"].as_array().unwrap();
    let criterion = |kind: &str| {
        let network = networks.iter().find(|network| network["kind"] == kind);
        network.unwrap()["criterion"].clone()
    };
    assert_eq!(criterion("perceptron"), "perceptron");
    assert_eq!(criterion("vgg16"), "cross_entropy");
}
