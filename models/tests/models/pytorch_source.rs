//! The PyTorch source of texts with names that Python or `nn.Module` has for itself, run in PyTorch.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use serde_json::Map;
use vivarium_models::networks::{Model, NetworkText};
use vivarium_models::nn::{Context, Mode};

use crate::python;

/// Networks for images of 3x8x8 and 4 classes.
const TEXTS: &[&str] = &[
    "def f(classes):\n    return Sequential(Flatten(), Linear(classes))\n",
    "def f(classes):\n    return Sequential(Flatten(), Linear(classes, name='class'))\n",
    // Keywords and attributes, on top and further down, alone and beside others.
    "
names = ['class', 'import', 'None', 'train', 'eval', 'type', 'parameters', 'zero_grad', 'apply', 'half', 'children',
         'call_super_init', 'dump_patches', 'T_destination', 'forward', 'state_dict', '_version', '__init__', 'keys', '1a']

def f(classes):
    layers = [Linear(6, name=name) for name in names]
    layers += [Linear(6, name='body.' + name) for name in names]
    layers += [Linear(6, name='alone' + str(at) + '.' + name) for at, name in enumerate(names)]
    return Sequential(Flatten(), *layers, Linear(classes))
",
    // Containers of each kind with refused names below them.
    "
def f(classes):
    chain = Sequential(Linear(5), Sequential(train=Linear(6), relu=ReLU()))
    branches = Sum(Linear(6), Sequential(keys=Linear(3), items=Linear(6)), values=Linear(6))
    return Sequential(Flatten(), chain=chain, branches=branches, last=Linear(classes))
",
    // The network itself is a layer, whose attributes others may have as names.
    "
def f(classes):
    return Sequential(Flatten(), Linear(5, name=''), weight=Linear(6), relu=ReLU(), bias=Linear(classes))
",
    "def none(classes):\n    return Sequential(größe=Flatten(), maß=Linear(classes))\n",
    "def pads(classes):\n    return Sequential(pad=ZeroPad2d((1, 0, 2, 1)), conv=Conv2d(4, 3), flat=Flatten(), last=Linear(classes))\n",
    "def ordered_dict(classes):\n    return Sequential(Flatten(), a=Sequential(b=Linear(3), c=Linear(classes)))\n",
];

#[test]
fn names_of_any_kind_are_those_of_the_state_dict_in_pytorch() {
    if !python::has("names in PyTorch source", &["safetensors", "torch"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let built_in = include_str!("../../networks/perceptron.py");
    for (at, source) in TEXTS.iter().chain([&built_in]).enumerate() {
        let classes = if *source == built_in { 2 } else { 4 };
        let text = NetworkText::read(source).unwrap();
        let graph = text.graph(&Map::new(), &[3, 8, 8], classes).unwrap();
        let here = folder.path().join(at.to_string());
        std::fs::create_dir(&here).unwrap();
        std::fs::write(here.join("model.py"), graph.pytorch()).unwrap();
        let model = Model::of_graph(graph, 1).unwrap();
        model
            .save_state_dict(&here.join("weights.safetensors"))
            .unwrap();
        let x = Tensor::randn(0f32, 1.0, (2, 3, 8, 8), &Device::Cpu).unwrap();
        let scores = model
            .forward(&x, &mut Context::new(Mode::Evaluate))
            .unwrap();
        let values = HashMap::from([("x", x), ("scores", scores)]);
        candle_core::safetensors::save(&values, here.join("values.safetensors")).unwrap();
    }
    println!(
        "{}",
        python::run("pytorch_source.py", &[folder.path()], &[])
    );
}

#[test]
fn a_name_that_pytorch_keeps_for_itself_is_refused_with_its_line() {
    for name in ["training", "body.training", "_modules.0", "_parameters"] {
        let source = format!(
            "def f(classes):\n    return Sequential(\n        Flatten(),\n        Linear(classes, name='{name}'))\n"
        );
        let text = NetworkText::read(&source).unwrap();
        let error = text.graph(&Map::new(), &[3, 8, 8], 4).unwrap_err();
        assert_eq!(error.line, 4, "{error}");
        assert!(error.message.contains(name), "{error}");
    }
}
