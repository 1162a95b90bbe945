//! Files of torchvision's networks become texts with their scores, and hostile files become errors.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use candle_core::{DType, Device, Tensor};
use vivarium_models::graph::{Graph, Operation};
use vivarium_models::networks::{Model, TensorValues};
use vivarium_models::nn::{Context, Executor, Mode, VarStore};
use vivarium_models::onnx::{Imported, Metadata, export, import};
use vivarium_models::ops::{Tape, cross_entropy};

use crate::onnx_export::model_of;
use crate::python;

const MOST: usize = 1 << 30;

/// The loss of a training step.
fn loss(model: &Model, x: &Tensor, targets: &[u32]) -> f64 {
    let mut context = Context::new(Mode::Train { seed: 0, step: 1 });
    let scores = model.forward(x, &mut context).unwrap();
    cross_entropy(&scores, targets).unwrap().mean
}

/// The losses before and after a step of SGD, in double precision: `onnx_models.py` says why.
fn losses(imported: &Imported, graph: &Graph, x: &Tensor, targets: &[u32]) -> Vec<f64> {
    const RATE: f64 = 0.01;
    let mut store = VarStore::new_f64(0);
    let executor = Executor::new(graph.clone(), &mut store).unwrap();
    for ((name, parameter), (given, shape, values)) in store.parameters().zip(&imported.tensors) {
        assert_eq!(name, given);
        let TensorValues::F32(values) = values else {
            panic!("{name} is f32")
        };
        let values = Tensor::from_slice(values, &shape[..], &Device::Cpu).unwrap();
        parameter
            .set(&values.to_dtype(DType::F64).unwrap())
            .unwrap();
    }
    let x = x.to_dtype(DType::F64).unwrap();
    let mut losses = Vec::new();
    for step in 1..=2 {
        let (loss, tape) = Tape::record(|| {
            let mut context = Context::new(Mode::Train { seed: 0, step });
            cross_entropy(&executor.forward(&x, &mut context).unwrap(), targets).unwrap()
        });
        losses.push(loss.mean);
        let gradients = tape.backward(&loss.tensor).unwrap();
        for (_, parameter) in store.parameters() {
            if let Some(gradient) = gradients.get(&parameter.id()) {
                let change = (gradient * RATE).unwrap();
                parameter
                    .set(&(parameter.as_tensor() - change).unwrap())
                    .unwrap();
            }
        }
    }
    losses
}

#[test]
fn networks_of_torchvision_have_onnxruntimes_scores_and_pytorchs_losses() {
    let modules = [
        "onnx",
        "onnxruntime",
        "onnxscript",
        "safetensors",
        "torch",
        "torchvision",
    ];
    if !python::has("networks of torchvision", &modules) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    python::run("onnx_models.py", &[folder.path()], &["make"]);
    let mut count = 0;
    for here in std::fs::read_dir(folder.path()).unwrap() {
        let here = here.unwrap().path();
        let bytes = std::fs::read(here.join("model.onnx")).unwrap();
        let imported = import(bytes, "Imported", MOST)
            .unwrap_or_else(|error| panic!("{}: {error}", here.display()));
        compute(&here, &imported);
        count += 1;
    }
    assert_eq!(count, 27);
    println!(
        "{}",
        python::run("onnx_models.py", &[folder.path()], &["check"])
    );
}

/// Writes what `check` compares.
fn compute(here: &Path, imported: &Imported) {
    let model = model_of(imported);
    imported
        .save_state_dict(&here.join("weights.safetensors"))
        .unwrap();
    std::fs::write(here.join("model.py"), model.graph().pytorch()).unwrap();
    let values =
        candle_core::safetensors::load(here.join("values.safetensors"), &Device::Cpu).unwrap();
    let x = &values["x"];
    let targets: Vec<i64> = values["targets"].to_vec1().unwrap();
    let targets: Vec<u32> = targets.into_iter().map(|target| target as u32).collect();
    let scores = model.forward(x, &mut Context::new(Mode::Evaluate)).unwrap();
    let numbers = |values: Vec<f64>| Tensor::new(values, &Device::Cpu).unwrap();
    let ours = HashMap::from([
        ("scores", scores),
        (
            "losses",
            numbers(losses(imported, model.graph(), x, &targets)),
        ),
        ("loss", numbers(vec![loss(&model, x, &targets)])),
    ]);
    candle_core::safetensors::save(&ours, here.join("ours.safetensors")).unwrap();
}

/// A small network's file.
fn file() -> Vec<u8> {
    let mut graph = Graph::new("small", &[3, 8, 8]);
    let mut push = |name: &str, operation, inputs: &[usize]| {
        graph
            .push(name.to_owned(), operation, inputs.to_vec())
            .unwrap()
    };
    let conv = Operation::Conv2d {
        out_channels: 4,
        kernel: [3, 3],
        stride: [1, 1],
        padding: [1, 1],
        dilation: [1, 1],
        groups: 1,
        bias: true,
        init: None,
    };
    let x = push("stem.conv", conv, &[0]);
    let y = push("stem.norm", Operation::BATCH_NORM, &[x]);
    let x = push("add", Operation::Sum, &[y, x]);
    let x = push("mean", Operation::Mean, &[x]);
    let head = Operation::Linear {
        out_features: 2,
        bias: true,
        init: None,
    };
    push("head", head, &[x]);
    let tensor = |name: &str, shape: &[usize]| {
        let len = shape.iter().product();
        (
            name.to_owned(),
            shape.to_vec(),
            TensorValues::F32(vec![0.5; len]),
        )
    };
    let tensors = [
        tensor("stem.conv.weight", &[4, 3, 3, 3]),
        tensor("stem.conv.bias", &[4]),
        tensor("stem.norm.weight", &[4]),
        tensor("stem.norm.bias", &[4]),
        tensor("stem.norm.running_mean", &[4]),
        tensor("stem.norm.running_var", &[4]),
        tensor("head.weight", &[2, 4]),
        tensor("head.bias", &[2]),
    ];
    export(&graph, &tensors, &Metadata::default()).unwrap()
}

#[test]
fn a_text_has_the_modules_that_its_names_say() {
    let imported = import(file(), "Small", MOST).unwrap();
    assert_eq!(
        imported.source,
        "\"\"\"Small

Imported from an ONNX file of Vivarium.
\"\"\"

inputs = [\"images\"]
defaults = {\"data.size\": 8, \"data.channels\": 3}


def network(classes):
    return Sequential(
        stem=Sequential(conv=Conv2d(4, 3, padding=1), add=Sum(BatchNorm2d(name=\"stem.norm\"), Identity())),
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        head=Linear(classes),
    )
"
    );
    let model = model_of(&imported);
    let x = Tensor::ones((1, 3, 8, 8), DType::F32, &Device::Cpu).unwrap();
    let scores = model
        .forward(&x, &mut Context::new(Mode::Evaluate))
        .unwrap();
    assert_eq!(scores.dims(), [1, 2]);
}

/// Fails unless a file is refused soon.
fn refused(bytes: Vec<u8>) -> String {
    let start = Instant::now();
    let error = import(bytes, "Hostile", MOST).unwrap_err().to_string();
    assert!(start.elapsed() < Duration::from_secs(2), "{error}");
    assert!(error.len() < 1000, "{error}");
    error
}

#[test]
fn torn_files_are_refused() {
    let file = file();
    let entries = import(file.clone(), "Whole", MOST).unwrap().metadata.len();
    for len in 0..file.len() {
        // Metadata stand at the end, and a file without some of them is whole.
        if let Ok(imported) = import(file[..len].to_vec(), "Torn", MOST) {
            assert!(imported.metadata.len() < entries, "{len} bytes");
        }
    }
    refused(file[..file.len() / 2].to_vec());
    assert!(import(file.clone(), "Large", file.len() - 1).is_err());
}

#[test]
fn files_with_any_byte_changed_are_read_or_refused() {
    let file = file();
    for at in 0..file.len() {
        for change in [1, 0x80, 0xff] {
            let mut file = file.clone();
            file[at] ^= change;
            let start = Instant::now();
            let _ = import(file, "Changed", MOST);
            assert!(start.elapsed() < Duration::from_secs(2), "byte {at}");
        }
    }
}

/// A field of a message: its number and its bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut len = content.len();
    while len >= 0x80 {
        bytes.push(len as u8 | 0x80);
        len >>= 7;
    }
    bytes.push(len as u8);
    bytes.extend(content);
    bytes
}

/// A number of a message.
fn number(field: u8, mut value: u64) -> Vec<u8> {
    let mut bytes = vec![field << 3];
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A model of a graph's fields.
fn model(graph: &[u8]) -> Vec<u8> {
    [number(1, 9), field(7, graph), field(8, &number(2, 20))].concat()
}

fn node(op: &str, inputs: &[&str], output: &str, more: &[u8]) -> Vec<u8> {
    let inputs = inputs.iter().flat_map(|input| field(1, input.as_bytes()));
    let mut node: Vec<u8> = inputs.collect();
    node.extend(field(2, output.as_bytes()));
    node.extend(field(4, op.as_bytes()));
    node.extend(more);
    field(1, &node)
}

/// The input `x` and the result `y`.
fn ends(sides: &[u64]) -> Vec<u8> {
    let dims: Vec<u8> = sides
        .iter()
        .flat_map(|side| field(1, &number(1, *side)))
        .collect();
    let tensor = [number(1, 1), field(2, &dims)].concat();
    let of_type = field(2, &field(1, &tensor));
    [
        field(11, &[field(1, b"x"), of_type].concat()),
        field(12, &field(1, b"y")),
    ]
    .concat()
}

/// An initializer of f32, with fields beside.
fn initializer(name: &str, dims: &[u64], more: &[u8]) -> Vec<u8> {
    let mut tensor: Vec<u8> = dims.iter().flat_map(|dim| number(1, *dim)).collect();
    tensor.extend(number(2, 1));
    tensor.extend(field(8, name.as_bytes()));
    tensor.extend(more);
    field(5, &tensor)
}

#[test]
fn hostile_files_are_refused_with_what_is_wrong() {
    let ends = ends(&[1, 3, 8, 8]);
    let conv = |more: &[u8]| [&node("Conv", &["x", "w"], "y", more)[..], &ends].concat();
    let weight = |dims: &[u64]| initializer("w", dims, &[]);
    let attribute =
        |name: &str, rest: &[u8]| field(5, &[&field(1, name.as_bytes())[..], rest].concat());
    let zeros = |len: usize| field(9, &vec![0; len]);
    let right = initializer("w", &[2, 3, 1, 1], &zeros(24));
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("no operator set", number(1, 9)),
        ("is not in the file", model(&conv(&[]))),
        (
            "has 0 values where its shape",
            model(&[conv(&[]), weight(&[2, 3, 1, 1])].concat()),
        ),
        (
            "more than",
            model(&[conv(&[]), weight(&[1 << 40, 1 << 40])].concat()),
        ),
        (
            "more than",
            model(&[conv(&[]), weight(&[1 << 62, 8])].concat()),
        ),
        (
            "negative size",
            model(&[conv(&[]), weight(&[u64::MAX, 3])].concat()),
        ),
        (
            "does not fit",
            model(&[conv(&[]), initializer("w", &[2, 2, 1, 1], &zeros(16))].concat()),
        ),
        (
            "type f64",
            model(
                &[
                    conv(&[]),
                    field(5, &[number(2, 11), field(8, b"w")].concat()),
                ]
                .concat(),
            ),
        ),
        (
            "another file",
            model(
                &[
                    conv(&[]),
                    initializer("w", &[2, 3, 1, 1], &field(13, &field(1, b"location"))),
                ]
                .concat(),
            ),
        ),
        (
            "strides must be",
            model(
                &[
                    conv(&attribute(
                        "strides",
                        &[number(8, 0), number(8, 1)].concat(),
                    )),
                    right.clone(),
                ]
                .concat(),
            ),
        ),
        (
            "pads must be",
            model(
                &[
                    conv(&attribute(
                        "pads",
                        &[
                            number(8, u64::MAX),
                            number(8, 0),
                            number(8, 0),
                            number(8, 0),
                        ]
                        .concat(),
                    )),
                    right.clone(),
                ]
                .concat(),
            ),
        ),
        (
            "group must be",
            model(
                &[
                    conv(&attribute("group", &number(3, 1 << 40))),
                    right.clone(),
                ]
                .concat(),
            ),
        ),
        (
            "too many numbers",
            model(&[conv(&attribute("strides", &field(8, &[1; 1000]))), right].concat()),
        ),
        (
            "go round in a circle",
            model(
                &[
                    node("Relu", &["b"], "a", &[]),
                    node("Relu", &["a"], "b", &[]),
                    ends.clone(),
                ]
                .concat(),
            ),
        ),
        (
            "the operation LSTM is not read",
            model(&[node("LSTM", &["x"], "y", &[]), ends.clone()].concat()),
        ),
        ("not computed from the input", model(&ends)),
        ("has a side of", model(&self::ends(&[1, 3, 1 << 40, 8]))),
        ("must be images", model(&self::ends(&[1, 3, 8, 8, 8]))),
        ("nodes, more than", model(&field(1, &[]).repeat(10_001))),
        (
            "more nodes, names or numbers",
            model(&field(1, &[]).repeat(4 << 20)),
        ),
        (
            "more nodes, names or numbers",
            model(
                &[
                    conv(&attribute("strides", &field(8, &vec![1; 32 << 20]))),
                    ends.clone(),
                ]
                .concat(),
            ),
        ),
        (
            "of operator set 3",
            [number(1, 9), field(8, &number(2, 3)), field(7, &[])].concat(),
        ),
        (
            "are not read",
            model(
                &[
                    node("Relu", &["x"], "y", &field(7, b"com.example")),
                    ends.clone(),
                ]
                .concat(),
            ),
        ),
    ];
    for (expected, bytes) in cases {
        let error = refused(bytes);
        assert!(
            error.contains(expected),
            "{error:?} does not say {expected:?}"
        );
    }
}

#[test]
fn branches_within_branches_end_somewhere() {
    // Each sum takes the result of the one before, within its branch: a chain of 9,000 joins is read, or refused.
    let mut graph = Vec::new();
    let mut last = "x".to_owned();
    for at in 0..4_500 {
        let (a, b) = (format!("a{at}"), format!("b{at}"));
        graph.extend(node("Relu", &[&last], &a, &[]));
        graph.extend(node("Add", &[&a, &last], &b, &[]));
        last = b;
    }
    graph.extend(node("Relu", &[&last], "y", &[]));
    graph.extend(ends(&[1, 3, 8, 8]));
    let error = refused(model(&graph));
    assert!(error.contains("scores of classes"), "{error}");
    // Each sum takes all results before it.
    let mut graph = Vec::new();
    let mut names = vec!["x".to_owned()];
    for at in 0..300 {
        let name = format!("s{at}");
        let inputs: Vec<_> = names.iter().map(String::as_str).collect();
        graph.extend(node("Sum", &inputs, &name, &[]));
        names.push(name);
    }
    graph.extend(node("GlobalAveragePool", &["s299"], "g", &[]));
    graph.extend(node("Flatten", &["g"], "y", &[]));
    graph.extend(ends(&[1, 3, 8, 8]));
    let error = refused(model(&graph));
    assert!(error.contains("end at different places"), "{error}");
}
