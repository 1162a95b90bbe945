//! Weights from other programs.

use std::collections::HashMap;
use std::fs;

use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;
use vivarium_models::networks::{Model, TensorValues, weights_info};

use crate::common::spec;

/// Indices of convolutions in torchvision's `vgg16` and `vgg16_bn`.
const PLAIN: [usize; 13] = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28];
const NORMED: [usize; 13] = [0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40];

fn vgg16(norm: &str, classes: usize) -> Model {
    let network = json!({"kind": "vgg16", "norm": norm, "head": "compact", "width": 0.0625});
    let spec = spec(json!({"data": {"set": "digits"}, "network": network}));
    Model::new(&spec.network, &[3, 32, 32], classes, 1).unwrap()
}

/// A file of tensors with one value each.
type Tensors = Vec<(String, Dtype, Vec<usize>, Vec<u8>)>;

/// Damages a file.
type Spoil = fn(&mut Tensors);

fn write(path: &std::path::Path, tensors: &Tensors) {
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        (
            name.clone(),
            TensorView::new(*dtype, shape.clone(), bytes).unwrap(),
        )
    });
    let bytes = safetensors::serialize(views.collect::<HashMap<_, _>>(), None).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The narrow network as torchvision would save it, in f16 and without counters, like old files.
fn torchvisions(model: &Model) -> Tensors {
    let tensors = model
        .store()
        .tensors()
        .filter(|(name, _)| !name.ends_with("num_batches_tracked"));
    tensors
        .map(|(name, tensor)| {
            let values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let bytes = values
                .iter()
                .flat_map(|v| half::f16::from_f32(*v).to_le_bytes());
            (
                name.to_owned(),
                Dtype::F16,
                tensor.dims().to_vec(),
                bytes.collect(),
            )
        })
        .collect()
}

#[test]
fn convolutions_have_torchvisions_names() {
    for (norm, places) in [("none", PLAIN), ("batch", NORMED)] {
        let model = vgg16(norm, 10);
        let names: Vec<_> = model
            .store()
            .parameters()
            .map(|(name, _)| name.to_owned())
            .collect();
        for place in places {
            assert!(
                names.contains(&format!("features.{place}.weight")),
                "{norm} {place}"
            );
        }
        let layers = if norm == "none" { 13 } else { 26 };
        assert_eq!(names.len(), 2 * layers + 2, "{norm}");
    }
}

#[test]
fn weights_are_taken_in_half_precision_and_without_counters() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vgg.safetensors");
    for norm in ["none", "batch"] {
        let teacher = vgg16(norm, 10);
        write(&path, &torchvisions(&teacher));
        assert_eq!(weights_info(&path).unwrap().batch_norm, norm == "batch");
        let student = vgg16(norm, 10);
        student.load_pretrained(&path, false).unwrap();
        for ((name, a), (_, b)) in teacher
            .store()
            .parameters()
            .zip(student.store().parameters())
        {
            let values =
                |of: &candle_core::Var| of.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            for (a, b) in values(a).into_iter().zip(values(b)) {
                assert_eq!(half::f16::from_f32(a).to_f32(), b, "{name}");
            }
        }
    }
}

#[test]
fn other_classes_want_a_fresh_head_and_leave_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vgg.safetensors");
    let teacher = vgg16("batch", 1000);
    write(&path, &torchvisions(&teacher));
    let student = vgg16("batch", 10);
    let refused = student
        .load_pretrained(&path, false)
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("classifier.weight has the shape [1000, 32] instead of [10, 32]"),
        "{refused}"
    );
    assert!(refused.contains("fresh head"), "{refused}");
    let before = student.weights().unwrap();
    student.load_pretrained(&path, true).unwrap();
    let after = student.weights().unwrap();
    for ((name, _, a), (_, _, b)) in before.iter().zip(&after) {
        let kept = name.starts_with("classifier.") || name.ends_with("num_batches_tracked");
        let same_anyway = name.ends_with("bias") || name.contains("running") || a == b;
        assert!(if kept { a == b } else { a != b || same_anyway }, "{name}");
    }
    assert_ne!(before[0].2, after[0].2);
}

#[test]
fn what_does_not_fit_is_refused_by_the_tensors_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vgg.safetensors");
    let model = vgg16("none", 10);
    let before = model.weights().unwrap();
    let good = torchvisions(&model);
    let cases: [(&str, Spoil); 5] = [
        ("features.2.weight is missing", |t| {
            t.retain(|(name, ..)| name != "features.2.weight")
        }),
        ("extra.weight is none of the network's tensors", |t| {
            t.push(("extra.weight".to_owned(), Dtype::F32, vec![1], vec![0; 4]));
        }),
        ("features.0.bias has the shape [2, 2] instead of [4]", |t| {
            let (.., shape, _) = t
                .iter_mut()
                .find(|(name, ..)| name == "features.0.bias")
                .unwrap();
            *shape = vec![2, 2];
        }),
        ("features.5.bias has values that are not finite", |t| {
            let (.., bytes) = t
                .iter_mut()
                .find(|(name, ..)| name == "features.5.bias")
                .unwrap();
            bytes[..2].copy_from_slice(&half::f16::NAN.to_le_bytes());
        }),
        ("features.7.bias is of the type U8", |t| {
            let (_, dtype, shape, bytes) = t
                .iter_mut()
                .find(|(name, ..)| name == "features.7.bias")
                .unwrap();
            *dtype = Dtype::U8;
            bytes.truncate(shape[0]);
        }),
    ];
    for (said, spoil) in cases {
        let mut tensors = good.clone();
        spoil(&mut tensors);
        write(&path, &tensors);
        let refused = model.load_pretrained(&path, false).unwrap_err().to_string();
        assert!(refused.contains(said), "{said}: {refused}");
        assert_eq!(model.weights().unwrap(), before, "{said}");
    }
    fs::write(&path, b"not a file of tensors").unwrap();
    assert!(model.load_pretrained(&path, false).is_err());
    assert!(weights_info(&folder.path().join("none")).is_err());
}

/// A small network, and its tensors as a file has them.
fn small() -> (Model, Tensors) {
    let network = json!({"kind": "mlp", "hidden": [16], "norm": true});
    let spec = spec(json!({"data": {"set": "digits"}, "network": network}));
    let model = Model::new(&spec.network, &[1, 8, 8], 10, 1).unwrap();
    let tensors = model.weights().unwrap().into_iter();
    let tensors = tensors.map(|(name, shape, values)| match values {
        TensorValues::F32(values) => {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes());
            (name, Dtype::F32, shape, bytes.collect())
        }
        TensorValues::I64(values) => {
            let bytes = values.iter().flat_map(|value| (value + 7).to_le_bytes());
            (name, Dtype::I64, shape, bytes.collect())
        }
    });
    let tensors = tensors.collect();
    let other = Model::new(&spec.network, &[1, 8, 8], 10, 2).unwrap();
    (other, tensors)
}

#[test]
fn names_of_wrappers_are_taken_off_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let (model, good) = small();
    write(&path, &good);
    assert_eq!(model.load_pretrained(&path, false).unwrap(), [""; 0]);
    let expected = model.weights().unwrap();
    for prefix in [
        "module.",
        "_orig_mod.",
        "_orig_mod.module.",
        "ema_model.module.",
        "state_dict.model.",
        "_forward_module.",
        "net.",
    ] {
        let (model, mut tensors) = small();
        for (name, ..) in &mut tensors {
            *name = format!("{prefix}{name}");
        }
        write(&path, &tensors);
        let notes = model.load_pretrained(&path, false).unwrap();
        let told = format!("{prefix} was taken off {} names of tensors.", tensors.len());
        assert_eq!(notes, [told]);
        assert_eq!(model.weights().unwrap(), expected, "{prefix}");
    }
}

#[test]
fn what_training_keeps_beside_a_network_is_left_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let (model, mut tensors) = small();
    write(&path, &tensors);
    model.load_pretrained(&path, false).unwrap();
    let expected = model.weights().unwrap();
    let (model, _) = small();
    for (name, ..) in &mut tensors {
        *name = format!("module.{name}");
    }
    let counter = tensors
        .iter_mut()
        .find(|(name, ..)| name.ends_with("num_batches_tracked"))
        .unwrap();
    // The form of some programs.
    *counter = (
        counter.0.clone(),
        Dtype::F32,
        vec![1],
        7f32.to_le_bytes().into(),
    );
    for (name, dtype, bytes) in [
        ("optimizer.state.0.exp_avg", Dtype::F32, vec![0; 4]),
        ("n_averaged", Dtype::I64, vec![0; 8]),
        ("module.net.0.total_ops", Dtype::F64, vec![0; 8]),
        ("rng_state", Dtype::U8, vec![1]),
    ] {
        tensors.push((name.to_owned(), dtype, vec![1], bytes));
    }
    write(&path, &tensors);
    let notes = model.load_pretrained(&path, false).unwrap();
    let told = "module.net.0.total_ops and 3 more are no part of the network, and were left out.";
    assert_eq!(notes.last().unwrap(), told);
    assert_eq!(model.weights().unwrap(), expected);
}

#[test]
fn what_is_there_twice_and_what_is_transposed_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let (model, good) = small();
    let before = model.weights().unwrap();
    let refused = || {
        let refused = model.load_pretrained(&path, false).unwrap_err().to_string();
        assert_eq!(model.weights().unwrap(), before, "{refused}");
        refused
    };

    // A network and its averaged copy in one file.
    let mut twice = good.clone();
    twice.extend(good.iter().map(|(name, dtype, shape, bytes)| {
        (format!("ema.{name}"), *dtype, shape.clone(), bytes.clone())
    }));
    write(&path, &twice);
    let told = refused();
    assert!(
        told.contains("net.0.bias is there twice, as ema.net.0.bias and as net.0.bias"),
        "{told}"
    );

    // The same name twice in the header, of which JSON parsers take the last.
    let tensor = r#"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
    let header = format!(r#"{{"net.0.bias":{tensor},"net.0.bias":{tensor}}}"#);
    let length = (header.len() as u64).to_le_bytes();
    fs::write(&path, [&length[..], header.as_bytes(), &[0; 4]].concat()).unwrap();
    let told = refused();
    assert!(
        told.contains("net.0.bias is there twice in its header"),
        "{told}"
    );

    let mut transposed = good.clone();
    let weight = transposed
        .iter_mut()
        .find(|(name, ..)| name == "net.0.weight");
    weight.unwrap().2.reverse();
    write(&path, &transposed);
    let told = refused();
    assert!(
        told.contains("net.0.weight has the shape [64, 16] instead of [16, 64]: it is transposed"),
        "{told}"
    );

    let others = vec![(
        "encoder.0.weight".to_owned(),
        Dtype::F32,
        vec![1],
        vec![0; 4],
    )];
    write(&path, &others);
    let told = refused();
    assert!(
        told.contains(
            "its names are such as encoder.0.weight, and the network's such as net.0.bias"
        ),
        "{told}"
    );
}

#[test]
fn a_file_that_is_cut_off_or_something_else_is_called_that() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let (model, good) = small();
    write(&path, &good);
    let whole = fs::read(&path).unwrap();
    let lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 548\n";
    for (bytes, said) in [
        (&whole[..whole.len() - 3], "it is cut off"),
        (&whole[..100], "is cut off: its header alone has"),
        (
            &b"PK\x03\x04\0\0\0\0\0\0\0\0archive/data.pkl"[..],
            "torch.load(\"w.safetensors\"",
        ),
        (&lfs[..], "git lfs pull"),
        (b"", "is empty"),
    ] {
        fs::write(&path, bytes).unwrap();
        for told in [
            model.load_pretrained(&path, false).unwrap_err().to_string(),
            weights_info(&path).unwrap_err().to_string(),
        ] {
            assert!(told.contains(said), "{said}: {told}");
        }
    }
}
