//! Tests of every network of the table, on every kind of data that it takes.

use std::collections::BTreeSet;

use candle_core::{DType, Device, Tensor};
use serde_json::json;
use vivarium_models::data::Splits;
use vivarium_models::error::Error;
use vivarium_models::networks::{Model, NETWORKS};
use vivarium_models::nn::{Context, LayerRecord, Mode};
use vivarium_models::spec::{NetworkSpec, RunSpec};
use vivarium_models::train::Learner;

use crate::common::{built_in, load, spec};

/// Every network with all its defaults, on every data set that it takes.
fn rows() -> impl Iterator<Item = (RunSpec, Splits)> {
    NETWORKS.iter().flat_map(|network| {
        let taken = |dimensions: usize| network.dimensions.contains(&dimensions);
        let sets = built_in().filter(move |set| taken(set.dimensions));
        sets.map(|set| {
            let run = spec(json!({"data": {"set": set.set}, "network": {"kind": network.kind}}));
            let data = load(&run.data);
            (run, data)
        })
    })
}

fn model(run: &RunSpec, data: &Splits, seed: u64) -> Model {
    Model::new(&run.network, &data.input, data.classes.len(), seed).unwrap()
}

fn batch(learner: &Learner, data: &Splits, n: usize) -> (Tensor, Vec<u32>) {
    let (values, targets) = data.train.slice(0..n).unwrap();
    (learner.batch(values, n).unwrap(), targets.to_vec())
}

#[test]
fn scores_have_a_row_for_each_sample_and_a_column_for_each_class() {
    for (run, data) in rows() {
        let learner = Learner::new(model(&run, &data, 0), &run.training.optimizer, 0);
        let (x, _) = batch(&learner, &data, 7);
        for mode in [Mode::Evaluate, Mode::Train { seed: 0, step: 1 }] {
            let scores = learner
                .model()
                .forward(&x, &mut Context::new(mode))
                .unwrap();
            assert_eq!(scores.dims(), [7, data.classes.len()], "{}", run.name);
        }
    }
}

#[test]
fn every_parameter_has_a_gradient_that_is_finite_and_not_zero() {
    for (run, data) in rows() {
        let learner = Learner::new(model(&run, &data, 0), &run.training.optimizer, 0);
        let mut learner = learner.keeping_gradients();
        let (x, targets) = batch(&learner, &data, 33);
        learner.step(&x, &targets, 1e-3, 1).unwrap();
        for (name, parameter) in learner.model().store().parameters() {
            let gradient = learner.gradient(parameter).unwrap();
            assert!(
                gradient.iter().all(|v| v.is_finite()),
                "{} {name}",
                run.name
            );
            assert!(gradient.iter().any(|v| *v != 0.0), "{} {name}", run.name);
        }
    }
}

#[test]
fn the_count_of_parameters_is_known_before_they_exist() {
    for (run, data) in rows() {
        let model = model(&run, &data, 0);
        let there: usize = model
            .store()
            .parameters()
            .map(|(_, variable)| variable.elem_count())
            .sum();
        assert_eq!(model.store().count(), there as u64);
        assert_eq!(
            run.network
                .graph(&data.input, data.classes.len())
                .unwrap()
                .parameters(),
            there as u64
        );
    }
}

#[test]
fn weights_move_from_one_network_to_another() {
    for (run, data) in rows() {
        let mut from = Learner::new(model(&run, &data, 1), &run.training.optimizer, 0);
        let (x, targets) = batch(&from, &data, 20);
        from.step(&x, &targets, 0.1, 1).unwrap();
        let to = model(&run, &data, 2);
        to.set_weights(&from.model().weights().unwrap()).unwrap();
        let scores = |model: &Model| {
            model
                .forward(&x, &mut Context::new(Mode::Evaluate))
                .unwrap()
                .to_vec2::<f32>()
                .unwrap()
        };
        assert_eq!(scores(from.model()), scores(&to), "{}", run.name);
    }
}

#[test]
fn weights_of_another_network_change_nothing() {
    for (run, data) in rows() {
        let model = model(&run, &data, 0);
        let before = model.weights().unwrap();
        let mut renamed = before.clone();
        renamed[0].0.push('x');
        let mut reshaped = before.clone();
        reshaped[0].1.push(1);
        let mut infinite = before.clone();
        if let vivarium_models::networks::TensorValues::F32(values) = &mut infinite[0].2 {
            values[0] = f32::INFINITY;
        }
        for bad in [renamed, reshaped, infinite, before[1..].to_vec()] {
            assert!(model.set_weights(&bad).is_err());
            assert_eq!(model.weights().unwrap(), before);
        }
    }
}

#[test]
fn a_seed_gives_the_same_weights_again() {
    for (run, data) in rows() {
        let weights = |seed| model(&run, &data, seed).weights().unwrap();
        assert_eq!(weights(5), weights(5), "{}", run.name);
        assert_ne!(weights(5), weights(6), "{}", run.name);
    }
}

#[test]
fn samples_of_another_shape_are_refused_by_it() {
    for (run, data) in rows() {
        let shape = [&[3], &data.input[..], &[2]].concat();
        let x = Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        let refused = model(&run, &data, 0).forward(&x, &mut Context::new(Mode::Evaluate));
        assert!(matches!(refused, Err(Error::Shape { .. })), "{}", run.name);
    }
}

#[test]
fn every_layer_with_parameters_shows_its_activation_under_its_name() {
    for (run, data) in rows() {
        let learner = Learner::new(model(&run, &data, 0), &run.training.optimizer, 0);
        let (x, _) = batch(&learner, &data, 2);
        let mut seen = BTreeSet::new();
        let mut recorder = |shown: &LayerRecord<'_>| {
            assert_eq!(shown.output.dims()[0], 2);
            assert!(!shown.group.is_empty(), "{}", shown.name);
            assert!(seen.insert(shown.name.to_owned()), "{} twice", shown.name);
            Ok(())
        };
        learner
            .model()
            .forward(&x, &mut Context::recorded(Mode::Evaluate, &mut recorder))
            .unwrap();
        for (name, _) in learner.model().store().parameters() {
            // The perceptron's layer is the whole network and has no name in PyTorch.
            let layer = name
                .rsplit_once('.')
                .map_or("perceptron", |(layer, _)| layer);
            assert!(seen.contains(layer), "{}: {layer:?} of {seen:?}", run.name);
        }
    }
}

fn mlp(options: serde_json::Value) -> NetworkSpec {
    let mut network = json!({"kind": "mlp"});
    network
        .as_object_mut()
        .unwrap()
        .extend(options.as_object().unwrap().clone());
    spec(json!({"data": {"set": "digits"}, "network": network, "training": {"batch_size": 8}}))
        .network
}

#[test]
fn the_multilayer_perceptron_has_the_names_and_shapes_of_pytorchs_sequence() {
    let model = Model::new(
        &mlp(json!({"hidden": [128, 64], "norm": true, "dropout": 0.5})),
        &[1, 8, 8],
        10,
        0,
    )
    .unwrap();
    let names: Vec<_> = model
        .store()
        .tensors()
        .map(|(name, tensor)| (name, tensor.dims().to_vec()))
        .collect();
    // Linear, BatchNorm, activation and Dropout have indices: 0 to 3, 4 to 7, then 8.
    let parameters = [
        ("net.0.weight", vec![128, 64]),
        ("net.0.bias", vec![128]),
        ("net.1.weight", vec![128]),
        ("net.1.bias", vec![128]),
        ("net.4.weight", vec![64, 128]),
        ("net.4.bias", vec![64]),
        ("net.5.weight", vec![64]),
        ("net.5.bias", vec![64]),
        ("net.8.weight", vec![10, 64]),
        ("net.8.bias", vec![10]),
    ];
    let buffers = [
        ("net.1.running_mean", vec![128]),
        ("net.1.running_var", vec![128]),
        ("net.1.num_batches_tracked", vec![]),
        ("net.5.running_mean", vec![64]),
        ("net.5.running_var", vec![64]),
        ("net.5.num_batches_tracked", vec![]),
    ];
    assert_eq!(names, [&parameters[..], &buffers[..]].concat());
}

#[test]
fn parameter_counts_are_those_of_the_peer() {
    let count = |options, input: &[usize]| mlp(options).graph(input, 10).unwrap().parameters();
    // The result of `sum(p.numel() for p in Mlp(...).parameters())`.
    assert_eq!(count(json!({}), &[1, 8, 8]), 17_226);
    assert_eq!(
        count(
            json!({"hidden": [8192, 8192, 8192, 2048, 256], "norm": true}),
            &[3, 32, 32]
        ),
        176_768_266
    );
}

#[test]
fn initial_weights_are_as_wide_as_their_scheme_says() {
    let deviation = |options| {
        let model = Model::new(&mlp(options), &[1, 32, 32], 10, 0).unwrap();
        let (_, weight) = model.store().parameters().next().unwrap();
        let values: Vec<f32> = weight.flatten_all().unwrap().to_vec1().unwrap();
        (values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
    };
    let cases = [
        (json!({"activation": "relu"}), (2f64 / 1024.0).sqrt()),
        (json!({"activation": "silu"}), (2f64 / 1024.0).sqrt()),
        (json!({"activation": "tanh"}), 5.0 / 3.0 / 32.0),
        (json!({"activation": "sigmoid"}), 1.0 / 32.0),
        (json!({"init": "xavier"}), (2f64 / (1024.0 + 128.0)).sqrt()),
    ];
    for (options, expected) in cases {
        let got = deviation(options.clone());
        assert!(
            (got / expected - 1.0).abs() < 0.01,
            "{options}: {got} instead of {expected}"
        );
    }
}

#[test]
fn dropout_and_normalisation_act_while_training_alone() {
    let model = Model::new(&mlp(json!({"dropout": 0.5})), &[1, 8, 8], 10, 0).unwrap();
    let x = Tensor::ones((4, 1, 8, 8), DType::F32, &Device::Cpu).unwrap();
    let scores = |mode| {
        model
            .forward(&x, &mut Context::new(mode))
            .unwrap()
            .to_vec2::<f32>()
            .unwrap()
    };
    let train = |seed, step| scores(Mode::Train { seed, step });
    assert_eq!(train(0, 1), train(0, 1));
    assert_ne!(train(0, 1), train(0, 2));
    assert_ne!(train(0, 1), train(1, 1));
    assert_ne!(train(0, 1), scores(Mode::Evaluate));
    assert_eq!(scores(Mode::Evaluate), scores(Mode::Evaluate));
}

#[test]
fn networks_with_their_defaults_have_as_many_parameters_as_the_peers() {
    // The result of `sum(p.numel() for p in net.parameters())` for three channels of 32x32 and ten classes.
    let cases = [
        (json!({"kind": "mlp-wide"}), 176_768_266),
        (json!({"kind": "vgg16"}), 134_309_962),
        (json!({"kind": "vgg16", "head": "compact"}), 14_728_266),
        (json!({"kind": "residual-small"}), 6_267_658),
        (json!({"kind": "residual-deep"}), 10_943_754),
        (json!({"kind": "inception"}), 2_628_874),
    ];
    for (network, expected) in cases {
        let run = spec(json!({"data": {"set": "digits"}, "network": network}));
        let count = run.network.graph(&[3, 32, 32], 10).unwrap().parameters();
        assert_eq!(count, expected, "{network}");
    }
}

#[test]
fn a_state_dict_goes_to_a_file_and_comes_back_and_a_foreign_one_is_refused_by_the_tensors_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weights.safetensors");
    let network = |options: serde_json::Value| {
        let run = spec(json!({"data": {"set": "digits"}, "network": options}));
        move |seed| Model::new(&run.network, &[1, 16, 16], 10, seed).unwrap()
    };
    let small = network(json!({"kind": "residual-small", "plan": [4, 6, 8], "depth": [1]}));
    let (from, to) = (small(1), small(2));
    // Changes the running statistics from their initial values.
    let x = Tensor::ones((3, 1, 16, 16), DType::F32, &Device::Cpu).unwrap();
    let train = Mode::Train { seed: 0, step: 1 };
    from.forward(&x, &mut Context::new(train)).unwrap();
    from.save_state_dict(&file).unwrap();
    to.load_state_dict(&file).unwrap();
    assert_eq!(to.weights().unwrap(), from.weights().unwrap());

    for (options, tensor) in [
        (
            json!({"plan": [4, 6, 9], "depth": [1]}),
            "blocks.1.convs.0.pointwise.weight",
        ),
        (
            json!({"plan": [4, 6, 8], "depth": [2]}),
            "blocks.0.convs.1.depthwise.weight",
        ),
        (
            json!({"plan": [4, 6, 8, 8], "depth": [1]}),
            "blocks.2.convs.0.depthwise.weight",
        ),
    ] {
        let mut options = options;
        options["kind"] = json!("residual-small");
        let other = network(options)(3);
        let before = other.weights().unwrap();
        let refused = other.load_state_dict(&file).unwrap_err().to_string();
        assert!(refused.contains(tensor), "{refused}");
        assert_eq!(other.weights().unwrap(), before);
    }
    let missing = to.load_state_dict(&folder.path().join("none.safetensors"));
    assert!(matches!(missing, Err(Error::File { .. })));
}
