//! EfficientNet-Lite0 with the weights of ImageNet, as `scripts/efficientnet-lite0` writes them: PyTorch's results, and the
//! right classes of real photos.
//!
//! `scripts/test-data` fetches the weights and the photos; `./test` calls it. Without them these tests are skipped, and say
//! so.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use serde_json::{Map, Value};
use vivarium_models::data::{PhotoTransform, decode_image, network_input};
use vivarium_models::networks::{Model, NetworkRow, NetworkText, recognise};
use vivarium_models::nn::{Context, Mode};

const TEXT: &str = include_str!("../../../examples/networks/efficientnet-lite0.py");

/// A file that `scripts/test-data` fetched. With `VIVARIUM_TEST_DATA` it must be there.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn fetched(test: &str, name: &str) -> Option<PathBuf> {
    let named = std::env::var_os("VIVARIUM_TEST_DATA").map(PathBuf::from);
    let is_named = named.is_some();
    let folder = named.unwrap_or_else(|| {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        root.join("target/test-data")
    });
    let path = folder.join(name);
    if path.is_file() {
        return Some(path);
    }
    assert!(
        !is_named,
        "{} is missing: call scripts/test-data",
        path.display()
    );
    eprintln!("SKIPPED {test}: call scripts/test-data for {name}");
    None
}

fn graph(input: &[usize], classes: usize) -> vivarium_models::graph::Graph {
    let text = NetworkText::read(TEXT).unwrap();
    text.graph(&Map::new(), input, classes).unwrap()
}

fn pretrained(test: &str) -> Option<Model> {
    let weights = fetched(test, "efficientnet-lite0.safetensors")?;
    let model = Model::of_graph(graph(&[3, 224, 224], 1000), 0).unwrap();
    assert!(model.load_pretrained(&weights, false).unwrap().is_empty());
    Some(model)
}

/// A value of a byte as the network takes it.
fn normalised(byte: f64) -> f32 {
    ((byte - 127.0) / 128.0) as f32
}

/// The classes of the five greatest scores.
fn top5(scores: &[f32]) -> HashSet<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    order[..5].iter().copied().collect()
}

#[test]
fn the_text_has_the_parameters_of_the_pytorch_module_and_nineteen_blocks() {
    let graph = graph(&[3, 224, 224], 1000);
    // Those of the PyTorch module in efficientnet-lite-pytorch.
    assert_eq!(graph.parameters(), 4_652_008);
    let blocks: Vec<_> = graph.blocks().into_iter().map(|block| block.name).collect();
    assert_eq!(
        (blocks.len(), &*blocks[0], &*blocks[16]),
        (19, "stem", "blocks.15")
    );
    assert_eq!(blocks[17..], ["head", "classifier"]);
    let last = graph.nodes.iter().find(|node| node.name == "head.act");
    assert_eq!(last.unwrap().shape, [1280, 7, 7]);
    // A frozen backbone leaves the classifier, with the dropout before it.
    let frozen = graph.frozen(1).unwrap();
    let names = graph
        .nodes
        .iter()
        .zip(&frozen)
        .filter(|(_, frozen)| !**frozen);
    let names: Vec<_> = names.map(|(node, _)| node.name.as_str()).collect();
    assert_eq!(names, ["dropout", "classifier"]);
    assert_eq!(graph.trainable_parameters(Some(1)), 1280 * 1000 + 1000);
}

#[test]
fn results_of_its_layers_are_pytorchs() {
    let Some(model) = pretrained("results_of_its_layers_are_pytorchs") else {
        return;
    };
    let golden: Map<String, Value> =
        serde_json::from_str(include_str!("../golden/efficientnet_lite0.json")).unwrap();
    let byte = |c: usize, i: usize, j: usize| (c * 37 + i * 7 + j * 13 + (i * j) % 251) % 256;
    let places = (0..3 * 224 * 224).map(|at| (at / (224 * 224), at / 224 % 224, at % 224));
    let pattern: Vec<f32> = places
        .map(|(c, i, j)| normalised(byte(c, i, j) as f64))
        .collect();
    let x = Tensor::from_vec(pattern, (1, 3, 224, 224), &Device::Cpu).unwrap();
    let mut layers: HashMap<String, Vec<f32>> = HashMap::new();
    let mut record = |record: &vivarium_models::nn::LayerRecord<'_>| {
        if golden.contains_key(record.name) {
            // PyTorch's order of the dimensions.
            let result = match record.output.rank() {
                4 => record.output.permute((0, 3, 1, 2))?,
                _ => record.output.clone(),
            };
            let values = result.contiguous()?.flatten_all()?.to_vec1()?;
            layers.insert(record.name.to_owned(), values);
        }
        Ok(())
    };
    model
        .forward(&x, &mut Context::recorded(Mode::Evaluate, &mut record))
        .unwrap();
    assert_eq!(layers.len(), golden.len());
    for (name, expected) in &golden {
        let numbers = |key: &str| {
            let numbers = expected[key].as_array().unwrap().iter();
            numbers
                .map(|number| number.as_f64().unwrap())
                .collect::<Vec<_>>()
        };
        let shape = numbers("shape").iter().product::<f64>() as usize;
        assert_eq!(layers[name].len(), shape, "{name}");
        for (place, expected) in numbers("places").iter().zip(numbers("values")) {
            let got = f64::from(layers[name][*place as usize]);
            assert!(
                (got - expected).abs() <= 1e-4,
                "{name} {place}: {got} {expected}"
            );
        }
    }
}

#[test]
fn photos_have_their_classes_among_the_first_five() {
    const TEST: &str = "photos_have_their_classes_among_the_first_five";
    let Some(model) = pretrained(TEST) else {
        return;
    };
    for (photo, classes) in [
        // Egyptian cat, tiger cat, tabby.
        ("chelsea.png", &[285, 282, 281][..]),
        // Espresso, cup.
        ("coffee.png", &[967, 968]),
        // Missile, projectile, space shuttle.
        ("rocket.jpg", &[657, 744, 812]),
        // Moped, motor scooter.
        ("motorcycle_left.png", &[665, 670]),
    ] {
        let Some(path) = fetched(TEST, photo) else {
            return;
        };
        let picture = decode_image(&std::fs::read(path).unwrap(), 1 << 24).unwrap();
        let x = network_input(&[3, 224, 224], &picture, PhotoTransform::default()).unwrap();
        let x: Vec<f32> = x
            .iter()
            .map(|v| normalised(f64::from(*v) * 255.0))
            .collect();
        let x = Tensor::from_vec(x, (1, 3, 224, 224), &Device::Cpu).unwrap();
        let scores = model
            .forward(&x, &mut Context::new(Mode::Evaluate))
            .unwrap();
        let first = top5(&scores.to_vec2::<f32>().unwrap()[0]);
        let found = classes.iter().filter(|class| first.contains(class)).count();
        assert_eq!(found, classes.len(), "{photo}: {first:?}");
    }
}

#[test]
fn the_file_brings_its_network_with_it() {
    let Some(path) = fetched(
        "the_file_brings_its_network_with_it",
        "efficientnet-lite0.safetensors",
    ) else {
        return;
    };
    let found = recognise(&path, std::iter::empty::<Arc<NetworkRow>>()).unwrap();
    assert_eq!(found.row.title, "EfficientNet-Lite0");
    assert_eq!(
        (&found.input[..], found.classes),
        (&[3, 224, 224][..], 1000)
    );
}
