//! What a user takes away of a run works without Vivarium and gives its figures.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use vivarium_models::classify::Preprocessing;
use vivarium_models::contract::Normalisation;
use vivarium_models::data::{Fit, PhotoTransform, decode_image};
use vivarium_models::graph::Criterion;
use zip::ZipArchive;

use crate::kept_photos::with_pets;
use crate::support::{Server, conv, mlp, photos, vivarium};

const FILES: [&str; 9] = [
    "README.md",
    "classifier.py",
    "labels.txt",
    "model.onnx",
    "model.py",
    "model.safetensors",
    "predict.py",
    "predict_onnx.py",
    "preprocessing.json",
];

fn unpacked(zip: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut files = BTreeMap::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        files.insert(file.name().unwrap().into_owned(), bytes);
    }
    files
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn everything_is_in_the_zip_and_the_command_writes_the_same() {
    let server = Server::start();
    let id = server.create(&conv(2));
    let run = server.await_status(&id, "finished");
    let (status, headers, zip) = server.get_bytes(&format!("/api/v1/runs/{id}/export?format=zip"));
    assert_eq!(status, 200);
    assert_eq!(headers["content-type"], "application/zip");
    assert_eq!(
        headers["content-disposition"],
        "attachment; filename=\"classifier.zip\""
    );
    let files = unpacked(&zip);
    assert_eq!(files.keys().collect::<Vec<_>>(), FILES);
    let weights = fs::read(server.run_dir(&id).join("checkpoints/best.safetensors")).unwrap();
    assert_eq!(files["model.safetensors"], weights);
    assert_eq!(text(&files["labels.txt"]), "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    let preprocessing: Value = serde_json::from_slice(&files["preprocessing.json"]).unwrap();
    for (field, value) in [
        ("size", json!([32, 32])),
        ("channels", json!("RGB")),
        ("fit", json!("crop")),
        ("scores", json!("logits")),
        // The digits are pixels, which are not rounded when they are resized.
        ("round", json!(false)),
    ] {
        assert_eq!(preprocessing[field], value, "{field}");
    }
    assert_eq!(preprocessing["mean"].as_array().unwrap().len(), 3);
    let readme = text(&files["README.md"]);
    let accuracy = 100.0 * run["summary"]["test_accuracy"].as_f64().unwrap();
    for part in [
        "# residual on digits".to_owned(),
        format!("| Test accuracy | {accuracy:.1}% of "),
        "python predict.py".to_owned(),
        env!("CARGO_PKG_VERSION").to_owned(),
    ] {
        assert!(readme.contains(&part), "{part}: {readme}");
    }

    let folder = tempfile::tempdir().unwrap();
    for (format, name) in [
        ("zip", "classifier.zip"),
        ("html", "classifier.html"),
        ("onnx", "model.onnx"),
        ("safetensors", "model.safetensors"),
        ("pytorch", "model.py"),
    ] {
        let out = folder.path().join(name);
        let output = export(&server, &id, format, &out);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let (_, _, sent) = server.get_bytes(&format!("/api/v1/runs/{id}/export?format={format}"));
        let written = fs::read(&out).unwrap();
        match format {
            "zip" => assert_eq!(unpacked(&written), unpacked(&sent)),
            _ => assert!(written == sent, "{format}"),
        }
    }
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        5,
        "no file is left over"
    );
}

fn export(server: &Server, id: &str, format: &str, out: &Path) -> Output {
    let data = server.data_dir().to_str().unwrap();
    vivarium(&[
        "export",
        id,
        "--format",
        format,
        "--out",
        out.to_str().unwrap(),
        "--data-dir",
        data,
    ])
}

#[test]
fn what_cannot_be_taken_away_is_refused_in_words() {
    let server = Server::start();
    let id = server.create(&mlp(1));
    server.await_status(&id, "finished");
    for format in ["zip", "html"] {
        let refused = server.get(&format!("/api/v1/runs/{id}/export?format={format}"));
        assert_eq!(refused.status, 409, "{}", refused.body);
        assert!(
            refused.body.contains("points in the plane"),
            "{}",
            refused.body
        );
    }
    for format in ["onnx", "safetensors", "pytorch"] {
        let (status, ..) = server.get_bytes(&format!("/api/v1/runs/{id}/export?format={format}"));
        assert_eq!(status, 200, "{format}");
    }
    for (query, message) in [
        (
            "?format=bad",
            "must be “zip”, “html”, “onnx”, “safetensors” or “pytorch”",
        ),
        ("", "is needed"),
        ("?format=zip&format=zip", "must be given once"),
    ] {
        let refused = server.get(&format!("/api/v1/runs/{id}/export{query}"));
        let fields = refused.fields();
        assert_eq!(
            (refused.status, &fields[..]),
            (400, &["format".to_owned()][..])
        );
        assert_eq!(refused.json()["errors"][0]["message"], message);
    }
    let refused = server.get(&format!("/api/v1/runs/{id}/export?format=zip&checkpoint=1"));
    assert_eq!(refused.fields(), ["checkpoint"]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a.zip");
    let output = vivarium(&[
        "export",
        &id,
        "--data-dir",
        server.data_dir().to_str().unwrap(),
    ]);
    assert!(!output.status.success());
    let output = export(&server, &id, "zip", &out);
    assert!(!output.status.success() && !out.exists());
    let both = [
        "export",
        &id,
        "--format",
        "zip",
        "--tensorboard",
        "x",
        "--out",
        "y",
    ];
    assert!(!vivarium(&both).status.success());
}

#[test]
fn no_name_leaves_its_place_in_the_page() {
    let server = Server::start();
    let hostile = "</script><script>alert(1)</script><!--";
    let mut spec = conv(1);
    spec["name"] = json!(hostile);
    let id = server.create(&spec);
    server.await_status(&id, "finished");
    let (status, headers, page) =
        server.get_bytes(&format!("/api/v1/runs/{id}/export?format=html"));
    assert_eq!(status, 200);
    // A browser that is sent there saves the page and does not run it under this server's address.
    assert_eq!(headers["content-type"], "application/octet-stream");
    let page = text(&page);
    assert!(
        !page.contains("alert(1)</script>"),
        "a name closes its element"
    );
    assert!(page.contains("\\u003c/script>\\u003cscript>alert(1)"));
    // Nothing is loaded: every address is in the page itself.
    for part in [
        "src=\"http",
        "href=\"http",
        "url(http",
        "from \"../",
        "from \"./",
    ] {
        assert!(!page.contains(part), "{part}");
    }
}

/// The Python of `VIVARIUM_PYTHON`, or python3, if it has these modules. It says loudly when a test is skipped.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn python(test: &str, modules: &[&str]) -> Option<PathBuf> {
    let chosen = std::env::var_os("VIVARIUM_PYTHON");
    let python = PathBuf::from(chosen.clone().unwrap_or_else(|| "python3".into()));
    let imports = format!("import {}", modules.join(", "));
    let found = Command::new(&python).args(["-c", &imports]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    assert!(
        chosen.is_none(),
        "VIVARIUM_PYTHON does not have all of {modules:?}"
    );
    eprintln!("SKIPPED {test}: python3 does not have all of {modules:?}");
    None
}

/// The networks that are taken away: all kinds, small where they are huge by default.
fn networks() -> Vec<(&'static str, Value)> {
    let of = |kind: &str, settings: Value| {
        let mut network = json!({"kind": kind});
        network
            .as_object_mut()
            .unwrap()
            .extend(settings.as_object().unwrap().clone());
        network
    };
    vec![
        ("perceptron", of("perceptron", json!({}))),
        ("mlp", of("mlp", json!({}))),
        ("mlp-wide", of("mlp-wide", json!({"hidden": [64, 32]}))),
        (
            "vgg16",
            of("vgg16", json!({"head": "compact", "width": 0.125})),
        ),
        (
            "residual-small",
            of(
                "residual-small",
                json!({"plan": [8, 12], "depth": [2], "hidden": 16}),
            ),
        ),
        ("residual-deep", of("residual-deep", json!({}))),
        ("inception", of("inception", json!({}))),
    ]
}

fn train(server: &Server, network: &Value, channels: usize) -> String {
    let id = server.create(&json!({
        "data": {"set": "digits", "size": 32, "channels": channels, "limit": 60},
        "network": network,
        "training": {"epochs": 1, "batch_size": 16, "seed": 3},
    }));
    server.await_status(&id, "finished");
    id
}

/// The photos of a test: EXIF orientations, CMYK, palettes, transparency, 16 bits, and the JPEGs of cameras.
fn all_photos() -> Vec<PathBuf> {
    let folders = [photos(), photos().join("../jpegs")];
    let files = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        !name.ends_with(".json") && name != "cmyk-unmarked.jpg"
    });
    files.sort();
    files
}

/// The largest difference between the values of two tables whose rows are of the same files; classes may be in another
/// order where their values are nearly equal.
fn difference(a: &str, b: &str) -> f64 {
    let read = |table: &str| -> Vec<(String, BTreeMap<String, f64>)> {
        let rows = table.lines().skip(1).map(|line| {
            let cells: Vec<_> = line.split(',').collect();
            let pairs = cells[1..].chunks_exact(2);
            let values = pairs.map(|pair| (pair[0].to_owned(), pair[1].parse().unwrap()));
            (cells[0].to_owned(), values.collect())
        });
        rows.collect()
    };
    let (a, b) = (read(a), read(b));
    assert!(!a.is_empty());
    assert_eq!(a.len(), b.len());
    let mut most = 0f64;
    for ((file, values), (other, others)) in a.iter().zip(&b) {
        assert_eq!(file, other);
        for (class, value) in values {
            let error = (value - others[class]).abs() / value.abs().max(1.0);
            most = most.max(error);
        }
    }
    most
}

#[test]
fn the_programs_of_the_zip_give_vivariums_probabilities() {
    let modules = ["torch", "onnxruntime", "PIL", "numpy"];
    let Some(python) = python("the programs of the zip", &modules) else {
        return;
    };
    let server = Server::start();
    let data = server.data_dir().to_str().unwrap().to_owned();
    let mut runs: Vec<_> = networks()
        .iter()
        .map(|(name, network)| ((*name).to_owned(), train(&server, network, 3)))
        .collect();
    runs.push((
        "grey".to_owned(),
        train(&server, &json!({"kind": "mlp"}), 1),
    ));
    // Two imported networks: an ONNX file, and weights for a network of Vivarium.
    let folder = tempfile::tempdir().unwrap();
    for (format, network) in [("onnx", 4), ("safetensors", 4)] {
        let weights = folder.path().join(format!("imported.{format}"));
        let output = export(&server, &runs[network].1, format, &weights);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let mut arguments = vec!["import", weights.to_str().unwrap(), "--data", "digits"];
        arguments.extend([
            "--set",
            "data.size=32",
            "--set",
            "data.channels=3",
            "--set",
            "data.limit=60",
        ]);
        if format == "safetensors" {
            arguments.extend([
                "--network",
                "residual-small",
                "--set",
                "network.plan=[8,12]",
            ]);
            arguments.extend(["--set", "network.depth=[2]", "--set", "network.hidden=16"]);
        }
        arguments.extend(["--data-dir", &data]);
        let output = vivarium(&arguments);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let id = told
            .split(|sign: char| !sign.is_ascii_hexdigit() && sign != '-')
            .find(|word| word.len() == 36)
            .unwrap_or_else(|| panic!("{told}"))
            .to_owned();
        crate::support::until("the server has found the run", || {
            server.get(&format!("/api/v1/runs/{id}")).status == 200
        });
        server.post(&format!("/api/v1/runs/{id}/resume"), &json!({}));
        server.await_status(&id, "finished");
        runs.push((format!("imported {format}"), id));
    }
    for (name, id) in runs {
        let here = tempfile::tempdir().unwrap();
        unpack_to(&server, &id, here.path());
        assert_programs_agree(&server, &id, &python, here.path(), &name);
    }
}

/// Writes the files of a run's zip to a folder.
fn unpack_to(server: &Server, id: &str, folder: &Path) {
    let zip = folder.join("classifier.zip");
    let output = export(server, id, "zip", &zip);
    assert!(
        output.status.success(),
        "{id}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    for (file, bytes) in unpacked(&fs::read(&zip).unwrap()) {
        fs::write(folder.join(file), bytes).unwrap();
    }
}

/// Holds the programs in a folder against `vivarium predict`, on all photos.
fn assert_programs_agree(server: &Server, id: &str, python: &Path, folder: &Path, name: &str) {
    let photos = all_photos();
    let names: Vec<_> = photos.iter().map(|photo| photo.to_str().unwrap()).collect();
    assert!(names.len() > 40);
    let data = server.data_dir().to_str().unwrap();
    let mut arguments = vec!["predict", id, "--top", "10", "--data-dir", data];
    arguments.extend(&names);
    let output = vivarium(&arguments);
    assert!(
        output.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let own = text(&output.stdout);
    for program in ["predict.py", "predict_onnx.py"] {
        let output = Command::new(python)
            .arg(folder.join(program))
            .args(["--top", "10"])
            .args(&names)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{name} {program}: {told}");
        let theirs = text(&output.stdout);
        assert_eq!(
            own.lines().next(),
            theirs.lines().next(),
            "{name} {program}"
        );
        let error = difference(&own, &theirs);
        assert!(error <= 1e-4, "{name} {program}: {error}");
    }
}

#[test]
fn the_programs_of_the_zip_prepare_photos_to_the_bit() {
    let modules = ["torch", "onnxruntime", "PIL", "numpy"];
    let Some(python) = python("the inputs of the zip's programs", &modules) else {
        return;
    };
    let (server, _) = with_pets(24);
    let on_photos = |fit: &str, channels: usize, size: usize| json!({"set": "pets", "fit": fit, "channels": channels, "size": size});
    for (data, is_rounded) in [
        (on_photos("crop", 3, 32), true),
        (on_photos("pad", 1, 24), true),
        (on_photos("stretch", 3, 9), true),
        // Sums in another order differ in their last bit here, too.
        (
            json!({"set": "digits", "size": 24, "channels": 3, "limit": 60}),
            false,
        ),
    ] {
        let id = server.create(&json!({
            "data": data, "network": {"kind": "mlp", "hidden": [8]},
            "training": {"epochs": 1, "batch_size": 4, "seed": 3},
        }));
        server.await_status(&id, "finished");
        let here = tempfile::tempdir().unwrap();
        unpack_to(&server, &id, here.path());
        assert_programs_agree(&server, &id, &python, here.path(), &data.to_string());

        let read = |name: &str| fs::read(here.path().join(name)).unwrap();
        let of: Value = serde_json::from_slice(&read("preprocessing.json")).unwrap();
        assert_eq!(of["round"], is_rounded, "{data}");
        let field = |name: &str| of[name].clone();
        let [height, width]: [usize; 2] = serde_json::from_value(field("size")).unwrap();
        let normalisation = Normalisation {
            mean: serde_json::from_value(field("mean")).unwrap(),
            deviation: serde_json::from_value(field("std")).unwrap(),
        };
        let transform = PhotoTransform {
            fit: serde_json::from_value::<Fit>(field("fit")).unwrap(),
            round: is_rounded,
        };
        let input = [normalisation.mean.len(), height, width];
        let criterion = Criterion::CrossEntropy;
        let own = Preprocessing::new(&input, transform, &normalisation, criterion).unwrap();
        let photos = all_photos();
        let output = Command::new(&python)
            .args(["-c", INPUTS])
            .args(&photos)
            .current_dir(here.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let theirs = read("inputs");
        let size = 4 * input.iter().product::<usize>();
        assert_eq!(theirs.len(), photos.len() * size);
        for (photo, theirs) in photos.iter().zip(theirs.chunks_exact(size)) {
            let picture = decode_image(&fs::read(photo).unwrap(), 1 << 24).unwrap();
            let values = own.apply(&picture).unwrap();
            let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            assert!(bytes == theirs, "{data} {}", photo.display());
        }
    }
}

/// Writes the inputs for all photos, as little-endian float32.
const INPUTS: &str = "\
import sys
from pathlib import Path
from classifier import preprocess
with open('inputs', 'wb') as out:
    for path in sys.argv[1:]:
        out.write(preprocess(Path(path)).astype('<f4').tobytes())
";

/// Makes all weights of a run's best checkpoint so large that scores overflow, and takes the checksums out.
fn spoil(server: &Server, id: &str) {
    let path = server.run_dir(id).join("checkpoints/best.safetensors");
    let bytes = fs::read(&path).unwrap();
    let (length, rest) = bytes.split_at(8);
    let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&rest[..length]).unwrap();
    header.as_object_mut().unwrap().remove("__metadata__");
    let mut header = header.to_string();
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let values = 3e38f32.to_le_bytes().repeat((rest.len() - length) / 4);
    let length = (header.len() as u64).to_le_bytes();
    fs::write(&path, [&length[..], header.as_bytes(), &values].concat()).unwrap();
}

#[test]
fn scores_that_are_no_numbers_are_errors_of_their_photos_everywhere() {
    const FAULT: &str =
        "the network's scores are not numbers: the run diverged; choose an earlier checkpoint";
    let server = Server::start();
    let id = server.create(&json!({
        "data": {"set": "digits", "size": 32, "channels": 3, "limit": 60},
        "network": {"kind": "mlp", "hidden": [8]}, "training": {"epochs": 1},
    }));
    server.await_status(&id, "finished");
    spoil(&server, &id);
    let photo = photos().join("rgb.jpg");
    let bytes = fs::read(&photo).unwrap();
    let answer = crate::predict::predict(&server, &id, "", &[("a.jpg", &bytes)]).expect(200);
    let row = json!({"path": "a.jpg", "top": [], "error": FAULT});
    assert_eq!(answer["images"], json!([row]));
    let photo = photo.to_str().unwrap();
    let data = server.data_dir().to_str().unwrap();
    let told = |output: &Output| {
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(text(&output.stdout).lines().count(), 1, "the header alone");
        let told = text(&output.stderr);
        assert!(told.contains(&format!("{photo}: {FAULT}")), "{told}");
    };
    told(&vivarium(&["predict", &id, photo, "--data-dir", data]));
    let modules = ["torch", "onnxruntime", "PIL", "numpy"];
    let Some(python) = python("scores that are no numbers", &modules) else {
        return;
    };
    let here = tempfile::tempdir().unwrap();
    unpack_to(&server, &id, here.path());
    for program in ["predict.py", "predict_onnx.py"] {
        let output = Command::new(&python)
            .arg(here.path().join(program))
            .arg(photo)
            .output();
        told(&output.unwrap());
    }
}
