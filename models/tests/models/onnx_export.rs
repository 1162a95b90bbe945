//! Exported files give in onnxruntime the scores that the network has here.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde_json::{Map, json};
use vivarium_models::data::{Fit, Library};
use vivarium_models::form;
use vivarium_models::graph::Graph;
use vivarium_models::networks::{Model, NETWORKS, NetworkText, TensorValues};
use vivarium_models::nn::{Context, Executor, Mode, VarStore};
use vivarium_models::onnx::{Metadata, export, import};
use vivarium_models::ops::{CopySource, copy_};
use vivarium_models::random::Key;

use crate::python;
use crate::random_graphs::{Random, input};

const GRAPHS: u64 = 50;

/// Moves every tensor from its initial values, and returns all of them.
fn shaken(store: &VarStore) -> Vec<(String, Vec<usize>, TensorValues)> {
    let mut all = Vec::new();
    for (name, tensor) in store.tensors() {
        let shape = tensor.dims().to_vec();
        if tensor.dtype() == DType::I64 {
            all.push((name.to_owned(), shape, TensorValues::I64(vec![0])));
            continue;
        }
        let mut values: Vec<f32> = tensor.flatten_all().unwrap().to_vec1().unwrap();
        let mut generator = Key::new(1, name).generator();
        for value in &mut values {
            let noise = generator.normal() as f32;
            *value = if name.ends_with("running_var") {
                0.5 + noise.abs()
            } else {
                *value + 0.05 * noise
            };
        }
        copy_(tensor, CopySource::F32(&values)).unwrap();
        all.push((name.to_owned(), shape, TensorValues::F32(values)));
    }
    all
}

/// Writes the file with an input and our scores.
fn write(
    folder: &Path,
    graph: &Graph,
    tensors: &[(String, Vec<usize>, TensorValues)],
    x: &Tensor,
    scores: &Tensor,
) {
    std::fs::create_dir_all(folder).unwrap();
    let metadata = Metadata {
        labels: vec!["cat".to_owned(), "dog".to_owned()],
        ..Metadata::default()
    };
    let file = export(graph, tensors, &metadata).unwrap();
    std::fs::write(folder.join("model.onnx"), file).unwrap();
    let values = HashMap::from([("x", x.clone()), ("scores", scores.clone())]);
    candle_core::safetensors::save(&values, folder.join("values.safetensors")).unwrap();
}

/// Tensors with their names.
type Tensors = Vec<(String, Vec<usize>, TensorValues)>;

fn random_model(seed: u64) -> (Graph, Tensors, Tensor, Tensor) {
    let graph = Random::network(seed);
    let mut store = VarStore::new(seed);
    let executor = Executor::new(graph.clone(), &mut store).unwrap();
    let tensors = shaken(&store);
    let x = input(&graph, seed).to_dtype(DType::F32).unwrap();
    let scores = executor
        .forward(&x, &mut Context::new(Mode::Evaluate))
        .unwrap();
    (graph, tensors, x, scores)
}

#[test]
fn onnxruntime_gives_the_scores_of_the_built_in_networks_and_of_random_graphs() {
    let modules = ["onnx", "onnxruntime", "safetensors", "torch"];
    if !python::has("scores of exported files", &modules) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for row in NETWORKS.iter() {
        let images = row.dimensions.contains(&3);
        let (set, sample) = if images {
            ("digits", vec![3, 32, 32])
        } else {
            ("moons", vec![2])
        };
        let document = json!({"data": {"set": set}, "network": {"kind": row.kind}});
        let run = form::check(&document, &Library::none()).unwrap();
        let model = Model::new(&run.network, &sample, 10, 1).unwrap();
        let tensors = shaken(model.store());
        let x = Tensor::randn(0f32, 1.0, [&[3], &sample[..]].concat(), &Device::Cpu).unwrap();
        let scores = model
            .forward(&x, &mut Context::new(Mode::Evaluate))
            .unwrap();
        write(
            &folder.path().join(&row.kind),
            model.graph(),
            &tensors,
            &x,
            &scores,
        );
    }
    for seed in 0..GRAPHS {
        let (graph, tensors, x, scores) = random_model(seed);
        write(
            &folder.path().join(seed.to_string()),
            &graph,
            &tensors,
            &x,
            &scores,
        );
    }
    println!("{}", python::run("onnx_scores.py", &[folder.path()], &[]));
}

#[test]
fn an_exported_file_comes_back_with_its_names_and_scores() {
    for seed in 0..GRAPHS {
        let (graph, tensors, x, scores) = random_model(seed);
        let file = export(&graph, &tensors, &Metadata::default()).unwrap();
        // A mean over parts of different sizes is written as products, which are not read.
        let back = match import(file, "Back", 1 << 30) {
            Err(error) if error.to_string().contains("height or width") => continue,
            back => back.unwrap_or_else(|error| panic!("graph {seed}: {error}\n{graph:#?}")),
        };
        let names = |tensors: &[(String, Vec<usize>, TensorValues)]| -> Vec<String> {
            let mut names: Vec<_> = tensors.iter().map(|(name, ..)| name.clone()).collect();
            names.sort();
            names
        };
        assert_eq!(
            names(&back.tensors),
            names(&tensors),
            "graph {seed}\n{}",
            back.source
        );
        let model = model_of(&back);
        let again = model
            .forward(&x, &mut Context::new(Mode::Evaluate))
            .unwrap();
        let values =
            |tensor: &Tensor| -> Vec<f32> { tensor.flatten_all().unwrap().to_vec1().unwrap() };
        let (again, scores) = (values(&again), values(&scores));
        let largest = scores
            .iter()
            .fold(0f32, |most, score| most.max(score.abs()));
        for (a, b) in again.iter().zip(&scores) {
            assert!(
                (a - b).abs() <= 1e-5 * largest,
                "graph {seed}: {a} {b}\n{}",
                back.source
            );
        }
    }
}

#[test]
fn the_file_says_how_a_photo_becomes_an_input_and_an_import_reads_it_back() {
    let source = "def f(classes):\n    return Sequential(Flatten(), Linear(classes))\n";
    let text = NetworkText::read(source).unwrap();
    let graph = text.graph(&Map::new(), &[3, 8, 8], 2).unwrap();
    let model = Model::of_graph(graph.clone(), 1).unwrap();
    let tensors = shaken(model.store());
    let of = |fit: &str, round: bool| {
        let metadata = Metadata {
            fit: fit.to_owned(),
            round,
            ..Metadata::default()
        };
        let file = export(&graph, &tensors, &metadata).unwrap();
        import(file, "Back", 1 << 30).unwrap()
    };
    for fit in Fit::ALL {
        let back = of(fit.name(), true);
        assert_eq!(back.metadata["fit"], fit.name());
        assert_eq!(back.metadata["round"], "true");
        assert!(back.metadata["preprocessing"].contains("round to whole bytes"));
        let text = NetworkText::read(&back.source).unwrap();
        assert_eq!(text.defaults["data.fit"], json!(fit.name()));
        form::check_defaults(&text).unwrap();
    }
    // A set of pixels has no fit that a run could choose.
    let back = of("pad", false);
    assert_eq!(back.metadata["round"], "false");
    assert!(!back.metadata["preprocessing"].contains("round"));
    assert!(!back.source.contains("data.fit"), "{}", back.source);
}

#[test]
fn zeros_beside_values_or_images_and_the_perceptron_of_two_classes_come_back() {
    let padded =
        "def f(classes):\n    return Sequential(Flatten(), ZeroPad1d((1, 2)), Linear(classes))\n";
    let perceptron = include_str!("../../networks/perceptron.py");
    let image = "def f(classes):\n    return Sequential(first=ZeroPad2d((1, 0, 0, 2)), conv=Conv2d(3, 2, stride=2), \
                 pad=ZeroPad2d(1), next=Conv2d(2, 3), flat=Flatten(), last=Linear(classes))\n";
    for source in [padded, image, perceptron] {
        let text = NetworkText::read(source).unwrap();
        let graph = text.graph(&Map::new(), &[1, 4, 4], 2).unwrap();
        let model = Model::of_graph(graph, 1).unwrap();
        let tensors = shaken(model.store());
        let file = export(model.graph(), &tensors, &Metadata::default()).unwrap();
        let back = import(file, "Back", 1 << 30).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(back.classes, 2, "{}", back.source);
        let x = Tensor::randn(0f32, 1.0, (3, 1, 4, 4), &Device::Cpu).unwrap();
        let scores = |model: &Model| -> Vec<f32> {
            let scores = model.forward(&x, &mut Context::new(Mode::Evaluate));
            scores.unwrap().flatten_all().unwrap().to_vec1().unwrap()
        };
        for (a, b) in scores(&model_of(&back)).iter().zip(scores(&model)) {
            assert!((a - b).abs() < 1e-5, "{a} {b}\n{}", back.source);
        }
    }
}

/// The network of an imported file.
pub(crate) fn model_of(imported: &vivarium_models::onnx::Imported) -> Model {
    let text = NetworkText::read(&imported.source).unwrap();
    let graph = text
        .graph(&Map::new(), &imported.input, imported.classes)
        .unwrap();
    let model = Model::of_graph(graph, 0).unwrap();
    model.set_weights(&imported.tensors).unwrap();
    model
}
