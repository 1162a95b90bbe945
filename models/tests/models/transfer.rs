//! Training of a part of a network, from weights that were trained before.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{Device, Tensor};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use vivarium_models::contract::{Event, Reason};
use vivarium_models::data::Library;
use vivarium_models::graph::Graph;
use vivarium_models::networks::{Model, NETWORKS, NetworkText, TensorValues};
use vivarium_models::nn::{Context, FrozenPart, Mode};
use vivarium_models::ops::threads;
use vivarium_models::spec::RunSpec;
use vivarium_models::train::{Learner, RunPaths, measure, prepare, train};

use crate::common::{Recorder, check, joined, spec, tensors};

const NET: &str = "
def layer(channels):
    return Sequential(conv=Conv2d(channels, 3, padding=1, bias=False), norm=BatchNorm2d(), act=ReLU())


def net(classes, rate=0.0):
    return Sequential(stem=layer(4), body=layer(5), mean=Mean(), drop=Dropout(rate), head=Linear(classes))
";

fn graph(source: &str, input: &[usize], classes: usize) -> Graph {
    let text = NetworkText::read(source).unwrap();
    text.graph(&Map::new(), input, classes).unwrap()
}

/// A short run on small images that starts from weights of another, with everything that makes resuming hard.
fn document(transfer: Value) -> Value {
    json!({
        "data": {"set": "digits", "size": 8, "limit": 60, "validation": 0.3},
        "network": {"kind": "small", "source": NET, "rate": 0.3},
        "training": {
            "epochs": 4, "batch_size": 16, "threads": 1, "optimizer": {"kind": "adamw"}, "clip": 1.0, "transfer": transfer
        }
    })
}

fn transfer(trainable_blocks: u64, unfreeze_at: Value) -> Value {
    json!({"from": "another run", "trainable_blocks": trainable_blocks, "unfreeze_at": unfreeze_at})
}

/// Weights that are not the initial ones: those of a run of another seed on all layers.
fn start() -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let mut whole = document(Value::Null);
    whole["training"]["seed"] = json!(5);
    whole["training"]["epochs"] = json!(2);
    let reason = crate::common::run(&spec(whole), folder.path(), None).0;
    assert_eq!(reason, Reason::Completed);
    let path = folder.path().join("last.safetensors");
    (folder, path)
}

/// Trains from weights, to the end or until after a step.
fn run(spec: &RunSpec, folder: &Path, start: &Path, stop_after: Option<u64>) -> Recorder {
    let mut recorder = Recorder {
        stop_after,
        ..Recorder::default()
    };
    let paths = RunPaths {
        start: Some(start.to_owned()),
        ..RunPaths::from(folder)
    };
    train(spec, &Library::none(), paths, &mut recorder).unwrap();
    recorder
}

#[test]
fn frozen_parameters_and_statistics_keep_every_bit() {
    let (_other, start) = start();
    let before = tensors(&start);
    for optimizer in [
        json!({"kind": "adamw", "weight_decay": 0.1}),
        json!({"kind": "sgd", "weight_decay": 0.1}),
    ] {
        for (trainable, frozen) in [(1, &["stem.", "body."][..]), (2, &["stem."][..])] {
            let mut document = document(transfer(trainable, Value::Null));
            document["training"]["optimizer"] = optimizer.clone();
            let folder = tempfile::tempdir().unwrap();
            run(&spec(document), folder.path(), &start, None);
            let after = tensors(&folder.path().join("last.safetensors"));
            for (name, tensor) in &before {
                let is_frozen = frozen.iter().any(|part| name.starts_with(part));
                assert_eq!(
                    after[name] == *tensor,
                    is_frozen,
                    "{name}, {trainable} trained"
                );
            }
            // Nor does the optimizer keep anything for them.
            let state = tensors(&folder.path().join("last.state.safetensors"));
            let has = |part: &str| state.keys().any(|name| name.contains(part));
            assert!(has("head.") && !has("stem.") && has("body.") == (trainable == 2));
        }
    }
}

#[test]
fn a_run_that_is_stopped_goes_on_bit_for_bit_before_and_after_it_unfreezes() {
    let (_other, start) = start();
    for (trainable, unfreeze_at) in [(1, Value::Null), (1, json!(3)), (2, json!(2))] {
        let spec = spec(document(transfer(trainable, unfreeze_at)));
        let whole = tempfile::tempdir().unwrap();
        let undisturbed = run(&spec, whole.path(), &start, None);
        let steps = undisturbed.steps().len() as u64;
        assert!(steps >= 12, "{steps}");
        for stop in 1..=steps {
            let folder = tempfile::tempdir().unwrap();
            let first = run(&spec, folder.path(), &start, Some(stop));
            let second = run(&spec, folder.path(), &start, None);
            assert_eq!(second.resumed_from(), stop);
            assert_eq!(
                joined(&[&first, &second]),
                undisturbed.facts(),
                "stopped after {stop}"
            );
            crate::resume::same_files(folder.path(), whole.path());
        }
    }
}

#[test]
fn a_run_says_what_it_does_with_its_frozen_layers() {
    let (_other, start) = start();
    let notes = |document: Value| {
        let folder = tempfile::tempdir().unwrap();
        let recorder = run(&spec(document), folder.path(), &start, None);
        recorder.notes().join("\n")
    };
    let kept = notes(document(transfer(1, json!(3))));
    assert!(kept.contains("are computed once, for "), "{kept}");
    assert!(kept.contains("kept in memory"), "{kept}");
    assert!(
        kept.contains("From epoch 3 on all layers are trained."),
        "{kept}"
    );
    let mut augmented = document(transfer(1, Value::Null));
    augmented["data"]["augment"] = json!("flip-crop");
    let told = notes(augmented);
    assert!(
        told.contains("computed in every epoch: the images are augmented anew"),
        "{told}"
    );
    // For one epoch nothing is worth keeping.
    let once = notes(document(transfer(1, json!(2))));
    assert!(!once.contains("computed"), "{once}");
}

#[test]
fn a_run_that_is_asked_to_stop_while_its_frozen_layers_are_computed_stops() {
    struct Impatient(Recorder);
    impl vivarium_models::train::Observer for Impatient {
        fn observe(
            &mut self,
            event: &Event,
        ) -> Result<vivarium_models::train::Control, Box<dyn std::error::Error + Send + Sync>>
        {
            self.0.observe(event)
        }
        fn poll(&mut self) -> vivarium_models::train::Control {
            vivarium_models::train::Control::Stop
        }
        fn sync(&mut self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            Ok(())
        }
    }
    let (_other, start) = start();
    let spec = spec(document(transfer(1, Value::Null)));
    let folder = tempfile::tempdir().unwrap();
    let paths = || RunPaths {
        start: Some(start.clone()),
        ..RunPaths::from(folder.path())
    };
    let mut observer = Impatient(Recorder::default());
    let reason = train(&spec, &Library::none(), paths(), &mut observer).unwrap();
    assert_eq!((reason, observer.0.steps().len()), (Reason::Stopped, 0));
    let goes_on = run(&spec, folder.path(), &start, None);
    let elsewhere = tempfile::tempdir().unwrap();
    assert_eq!(
        goes_on.facts(),
        run(&spec, elsewhere.path(), &start, None).facts()
    );
}

#[test]
fn the_last_layer_starts_anew_when_it_is_asked_to() {
    let (_other, start) = start();
    let spec = spec(document(transfer(1, Value::Null)));
    let head = |fresh_head: bool| {
        let (input, classes) = (vec![1, 8, 8], 10);
        let model = Model::new(&spec.network, &input, classes, 0).unwrap();
        model.load_for_fine_tuning(&start, fresh_head).unwrap();
        let weights = model.weights().unwrap();
        let head = weights.into_iter().find(|(name, ..)| name == "head.weight");
        head.unwrap().2
    };
    let fresh = Model::new(&spec.network, &[1, 8, 8], 10, 0).unwrap();
    let initial = fresh.weights().unwrap();
    let initial = initial.iter().find(|(name, ..)| name == "head.weight");
    assert_eq!(head(true), initial.unwrap().2);
    assert_ne!(head(false), head(true));
}

/// The golden numbers of `golden/transfer.py`.
fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/transfer.json")).unwrap()
}

fn floats(json: &Value) -> Vec<f32> {
    let numbers = json.as_array().unwrap().iter();
    numbers
        .map(|number| number.as_f64().unwrap() as f32)
        .collect()
}

/// Sets the tensors of a network from lists of numbers.
fn set(model: &Model, values: &Value) {
    let mut weights = model.weights().unwrap();
    for (name, _, tensor) in &mut weights {
        let numbers = floats(&values[name.as_str()]);
        *tensor = match tensor {
            TensorValues::F32(_) => TensorValues::F32(numbers),
            TensorValues::I64(_) => TensorValues::I64(vec![numbers[0] as i64]),
        };
    }
    model.set_weights(&weights).unwrap();
}

#[test]
fn steps_of_a_partly_frozen_network_are_pytorchs() {
    let golden = golden();
    let (x, targets) = (floats(&golden["x"]), floats(&golden["targets"]));
    let optimizers = HashMap::from([
        (
            "sgd",
            json!({"kind": "sgd", "lr": 0.1, "weight_decay": 0.01}),
        ),
        (
            "nesterov",
            json!({"kind": "sgd", "lr": 0.05, "momentum": 0.8, "nesterov": true}),
        ),
        (
            "adamw",
            json!({"kind": "adamw", "lr": 0.02, "weight_decay": 0.1}),
        ),
    ]);
    for (name, run) in golden["runs"].as_object().unwrap() {
        for from_features in [false, true] {
            let (kind, clip) = match name.split_once(' ') {
                Some((kind, _)) => (kind, json!(0.5)),
                None => (name.as_str(), Value::Null),
            };
            let mut document = document(transfer(2, Value::Null));
            document["training"]["transfer"]["backbone_lr"] = golden["backbone_lr"].clone();
            document["training"]["optimizer"] = optimizers[kind].clone();
            document["training"]["clip"] = clip;
            let training = spec(document).training;
            let model = Model::of_graph(graph(NET, &[2, 5, 5], 3), 0).unwrap();
            set(&model, &golden["start"]);
            let mut learner = Learner::of_run(model, &training);
            let mut losses = Vec::new();
            for step in 0..golden["steps"].as_u64().unwrap() {
                if step == golden["unfreeze_after"].as_u64().unwrap() {
                    learner.unfreeze(step);
                }
                let at = step as usize * 6;
                let values = x[at * 50..(at + 6) * 50].to_vec();
                let classes: Vec<u32> = targets[at..at + 6].iter().map(|c| *c as u32).collect();
                let lr = training.optimizer.lr();
                let loss = if from_features && learner.is_frozen() {
                    let features = learner.features(values, 6).unwrap();
                    learner.step_from_features(&features, &classes, lr, step + 1)
                } else {
                    let x = learner.batch(values, 6).unwrap();
                    learner.step(&x, &classes, lr, step + 1)
                };
                losses.push(loss.unwrap().mean as f32);
            }
            crate::golden::close(name, &losses, &floats(&run["losses"]), 2e-5);
            for (tensor, _, values) in learner.model().weights().unwrap() {
                let expected = floats(&run["tensors"][tensor.as_str()]);
                let values: Vec<f32> = match values {
                    TensorValues::F32(values) => values,
                    TensorValues::I64(values) => values.iter().map(|n| *n as f32).collect(),
                };
                crate::golden::close(&format!("{name} {tensor}"), &values, &expected, 2e-4);
            }
        }
    }
}

#[test]
fn features_that_are_kept_give_what_whole_samples_give() {
    let _same = crate::common::THREADS.read().unwrap();
    for (network, input) in [
        (
            json!({"kind": "vgg16", "head": "compact", "width": 0.125}),
            [3, 32, 32],
        ),
        (json!({"kind": "residual-small"}), [3, 32, 32]),
        (json!({"kind": "inception"}), [3, 32, 32]),
        (json!({"kind": "small", "source": NET}), [3, 32, 32]),
    ] {
        let document = json!({
            "data": {"set": "digits", "size": 32, "channels": 3}, "network": network,
            "training": {"transfer": transfer(2, Value::Null)}
        });
        let spec = spec(document);
        let learner = || {
            let model = Model::new(&spec.network, &input, 10, 0).unwrap();
            Learner::of_run(model, &spec.training)
        };
        let width: usize = input.iter().product();
        let samples: Vec<f32> = (0..24 * width).map(|i| (i as f32 * 0.37).sin()).collect();
        let targets: Vec<u32> = (0..24).map(|i| i % 10).collect();
        let (mut whole, mut kept) = (learner(), learner());
        // As the loop does: the features of many samples at once, and steps of fewer.
        let features = kept.features(samples.clone(), 24).unwrap();
        for step in 1..=6 {
            let from = (step as usize - 1) % 3 * 8;
            let x = whole
                .batch(samples[from * width..(from + 8) * width].to_vec(), 8)
                .unwrap();
            let targets = &targets[from..from + 8];
            let a = whole.step(&x, targets, 0.01, step).unwrap().mean;
            let part = features.narrow(0, from, 8).unwrap().contiguous().unwrap();
            let b = kept
                .step_from_features(&part, targets, 0.01, step)
                .unwrap()
                .mean;
            // Products over more rows may round otherwise.
            assert!(
                (a - b).abs() <= 1e-5 * a.abs().max(1.0),
                "{network} {step}: {a} {b}"
            );
        }
        // Evaluations of the same batches are the same to the bit.
        set_same(&whole, &kept);
        let x = Tensor::from_vec(samples.clone(), (24, 3, 32, 32), &Device::Cpu).unwrap();
        let scores = whole.model().forward(&x, &mut Context::new(Mode::Evaluate));
        let scores = scores.unwrap().to_vec2::<f32>().unwrap();
        let again = kept.scores_from_features(&kept.features(samples.clone(), 24).unwrap());
        assert_eq!(
            again.unwrap().to_vec2::<f32>().unwrap(),
            scores,
            "{network}"
        );
    }
}

fn set_same(from: &Learner, to: &Learner) {
    to.model()
        .set_weights(&from.model().weights().unwrap())
        .unwrap();
}

#[test]
fn the_frozen_part_is_computed_as_in_evaluation() {
    let model = Model::of_graph(graph(NET, &[2, 5, 5], 3), 3).unwrap();
    let part = FrozenPart::new(model.graph(), 1).unwrap();
    let x: Vec<f32> = (0..4 * 50).map(|i| (i as f32).cos()).collect();
    let x = Tensor::from_vec(x, (4, 2, 5, 5), &Device::Cpu).unwrap();
    let forward = |mode: Mode| {
        let scores = model
            .forward_frozen(&x, &part, &mut Context::new(mode))
            .unwrap();
        scores.to_vec2::<f32>().unwrap()
    };
    assert_eq!(
        forward(Mode::Train { seed: 0, step: 1 }),
        forward(Mode::Evaluate)
    );
    let whole = model
        .forward(&x, &mut Context::new(Mode::Evaluate))
        .unwrap();
    assert_eq!(forward(Mode::Evaluate), whole.to_vec2::<f32>().unwrap());
}

#[test]
fn settings_that_do_not_fit_the_network_are_refused_with_their_fields() {
    let refusals = |transfer: Value| -> BTreeMap<String, String> {
        let errors = check(&document(transfer)).err().unwrap_or_default();
        errors
            .into_iter()
            .map(|error| (error.path, error.message))
            .collect()
    };
    let only = |transfer: Value, field: &str, words: &str| {
        let errors = refusals(transfer);
        let path = format!("training.transfer.{field}");
        assert!(
            errors.len() == 1
                && errors
                    .get(&path)
                    .is_some_and(|message| message.contains(words)),
            "{path}: {errors:?}"
        );
    };
    only(
        json!({"from": "imported"}),
        "from",
        "no weights were imported",
    );
    only(json!({"from": ""}), "from", "");
    only(
        json!({"from": "x", "trainable_blocks": 0}),
        "trainable_blocks",
        "between",
    );
    only(
        json!({"from": "x", "trainable_blocks": 4}),
        "trainable_blocks",
        "must be at most 3: the network has the blocks stem to head",
    );
    only(json!({"from": "x", "backbone_lr": 0}), "backbone_lr", "");
    only(json!({"from": "x", "backbone_lr": 1.5}), "backbone_lr", "");
    only(json!({"from": "x", "unfreeze_at": 1}), "unfreeze_at", "");
    only(
        json!({"from": "x", "unfreeze_at": 5}),
        "unfreeze_at",
        "must be at most the run's epochs, 4",
    );
    only(json!({"from": "x", "frozen": true}), "frozen", "not known");
    assert_eq!(
        refusals(json!({"from": "x", "trainable_blocks": 3, "unfreeze_at": 4})),
        BTreeMap::new()
    );
    assert_eq!(
        refusals(json!({"from": "x", "trainable_blocks": null})),
        BTreeMap::new()
    );
    assert_eq!(refusals(Value::Null), BTreeMap::new());
}

#[test]
fn a_plan_and_an_estimate_know_what_is_frozen() {
    let plan = |transfer: Value| prepare(&spec(document(transfer)), &Library::none()).unwrap();
    let whole = plan(Value::Null);
    assert_eq!(whole.trainable_parameters, whole.parameters);
    let names: Vec<_> = whole.blocks.iter().map(|block| &*block.name).collect();
    assert_eq!(names, ["stem", "body", "head"]);
    let head = plan(transfer(1, Value::Null));
    assert_eq!(head.trainable_parameters, 5 * 10 + 10);
    // A measurement sets the number of threads.
    let _alone = crate::common::THREADS.write().unwrap();
    let before = threads::threads();
    let seconds = |transfer: Value, keeps_features: bool| {
        let spec = spec(document(transfer));
        let plan = prepare(&spec, &Library::none()).unwrap();
        assert_eq!(plan.keeps_features, keeps_features);
        let timing = measure(plan.graph.clone(), &spec.training, 16, keeps_features).unwrap();
        let frozen = timing.frozen.clone();
        (timing.seconds(&spec, &plan), frozen)
    };
    let (time, frozen) = seconds(transfer(1, Value::Null), true);
    assert!(time > 0.0 && frozen.unwrap().sample_seconds.is_some());
    let (time, frozen) = seconds(transfer(1, json!(2)), false);
    assert!(time > 0.0 && frozen.unwrap().sample_seconds.is_none());
    let (time, frozen) = seconds(Value::Null, false);
    assert!(time > 0.0 && frozen.is_none());
    threads::set_threads(before).unwrap();
}

/// The graph of a text, for images of 8 by 8 pixels and five classes.
fn of(source: &str) -> Graph {
    graph(source, &[3, 8, 8], 5)
}

fn names(graph: &Graph) -> Vec<String> {
    graph.blocks().into_iter().map(|block| block.name).collect()
}

#[test]
fn blocks_are_the_parts_of_the_picture_that_have_parameters() {
    let graph = of(
        "def net(classes):\n    def block(c):\n        return Sequential(conv=Conv2d(c, 3, padding=1), norm=BatchNorm2d(), act=ReLU())\n    \
         return Sequential(stem=block(4), blocks=Sequential(Sum(block(4), Identity()), block(8)), mean=Mean(), \
         drop=Dropout(0.5), head=Linear(classes))\n",
    );
    assert_eq!(names(&graph), ["stem", "blocks.0", "blocks.1", "head"]);
    let sum: u64 = graph.blocks().iter().map(|block| block.parameters).sum();
    assert_eq!(sum, graph.parameters());
    let frozen = |blocks: u64| -> Vec<&str> {
        let frozen = graph.frozen(blocks).unwrap();
        let nodes = graph.nodes.iter().zip(frozen);
        nodes
            .filter(|(_, frozen)| *frozen)
            .map(|(node, _)| node.name.as_str())
            .collect()
    };
    // The mean has no parameters and is frozen with what is before it; the dropout of the head is not.
    assert_eq!(*frozen(1).last().unwrap(), "mean");
    assert_eq!(*frozen(3).last().unwrap(), "stem.act");
    assert_eq!(graph.frozen(4), None);
    assert_eq!(graph.frozen(9), None);
    assert_eq!(graph.trainable_parameters(Some(1)), 8 * 5 + 5);
    assert_eq!(graph.trainable_parameters(None), graph.parameters());
}

#[test]
fn a_network_of_one_part_is_divided_into_its_layers() {
    let graph = of(
        "def net(classes):\n    return Sequential(net=Sequential(Flatten(), Linear(9), ReLU(), Linear(classes)))\n",
    );
    assert_eq!(names(&graph), ["net.1", "net.3"]);
}

#[test]
fn parts_side_by_side_are_one_block() {
    let graph = of(
        "def net(classes):\n    return Sequential(Sum(Sequential(Conv2d(4, 1, name=\"a.x\"), Conv2d(4, 1, name=\"b.x\"), \
         Conv2d(4, 1, name=\"a.y\")), Conv2d(4, 1, name=\"c.x\")), Mean(name=\"mean\"), Linear(classes, name=\"head.x\"))\n",
    );
    assert_eq!(names(&graph), ["a", "c", "head"]);
}

#[test]
fn every_block_of_a_built_in_network_can_be_the_first_that_is_trained() {
    for row in NETWORKS.iter() {
        let input: &[usize] = if row.dimensions.contains(&3) {
            &[3, 32, 32]
        } else {
            &[2]
        };
        let options = json!({}).as_object().unwrap().clone();
        let graph = row.graph(&options, input, 10).unwrap();
        let blocks = graph.blocks();
        let total: u64 = blocks.iter().map(|block| block.parameters).sum();
        assert_eq!(total, graph.parameters(), "{}", row.kind);
        for trained in 1..blocks.len() {
            let frozen = graph.frozen(trained as u64).unwrap();
            let last: u64 = blocks[blocks.len() - trained..]
                .iter()
                .map(|block| block.parameters)
                .sum();
            assert_eq!(graph.trainable_parameters(Some(trained as u64)), last);
            for (place, node) in graph.nodes.iter().enumerate() {
                let closed = node.inputs.iter().all(|input| frozen[*input]);
                assert!(!frozen[place] || closed, "{} {}", row.kind, node.name);
            }
        }
    }
}
