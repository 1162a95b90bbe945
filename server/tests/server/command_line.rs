//! The command line, as scripts use it.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{ENDLESS, Server, photos, signal, until, vivarium};

fn last_line(text: &[u8]) -> Value {
    let text = String::from_utf8_lossy(text);
    let line = text.trim().lines().last().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn train_ends_with_its_summary_and_the_server_finds_the_run() {
    let server = Server::start();
    let folder = server.data_dir().to_string_lossy().into_owned();
    let output = vivarium(&[
        "train",
        "--network",
        "mlp",
        "--data",
        "digits",
        "--set",
        "training.epochs=2",
        "--set",
        "network.hidden=[32]",
        "--data-dir",
        &folder,
    ]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let summary = last_line(&output.stdout);
    assert_eq!(
        (&summary["epochs"], &summary["reason"]),
        (&json!(2), &json!("completed"))
    );
    assert!(
        summary["test"]["accuracy"].as_f64().unwrap() > 0.5,
        "{summary}"
    );
    let id = summary["run"].as_str().unwrap();
    until("the server has found the run", || {
        server.get(&format!("/api/v1/runs/{id}")).status == 200
    });
    let run = server.await_status(id, "finished");
    assert_eq!(run["spec"]["network"]["hidden"], json!([32]));
    assert_eq!(server.indexed_lines(id), server.log_lines(id));
}

#[test]
fn ctrl_c_stops_train_with_a_checkpoint_that_a_worker_takes_up() {
    let folder = tempfile::tempdir().unwrap();
    let epochs = format!("training.epochs={ENDLESS}");
    let process = Command::new(env!("CARGO_BIN_EXE_vivarium"))
        .args([
            "train",
            "--network",
            "mlp",
            "--data",
            "moons",
            "--set",
            &epochs,
            "--data-dir",
        ])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let runs = folder.path().join("runs");
    let mut dir = None;
    until("some steps are done", || {
        dir = std::fs::read_dir(&runs)
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| e.path())
            .next();
        let log = dir
            .as_ref()
            .and_then(|d| std::fs::read_to_string(d.join("events.ndjson")).ok());
        log.is_some_and(|log| log.matches(r#""kind":"steps""#).count() > 3)
    });
    signal(process.id(), "INT");
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(last_line(&output.stdout)["reason"], "stopped");
    let dir = dir.unwrap();
    assert!(dir.join("checkpoints/last.safetensors").exists());

    let lines = || {
        std::fs::read_to_string(dir.join("events.ndjson"))
            .unwrap()
            .lines()
            .count()
    };
    let before = lines();
    let worker = Command::new(env!("CARGO_BIN_EXE_vivarium"))
        .arg("worker")
        .arg(&dir)
        .spawn()
        .unwrap();
    until("the worker goes on", || lines() > before + 3);
    signal(worker.id(), "TERM");
    assert!(worker.wait_with_output().unwrap().status.success());
}

#[test]
fn what_cannot_be_trained_is_refused_in_words() {
    for (arguments, word) in [
        (
            &["train", "--network", "mpl", "--data", "digits"][..],
            "network.kind",
        ),
        (
            &[
                "train",
                "--network",
                "mlp",
                "--data",
                "digits",
                "--set",
                "training.epochs=0",
            ],
            "training.epochs",
        ),
        (
            &[
                "train",
                "--network",
                "mlp",
                "--data",
                "digits",
                "--set",
                "epochs",
            ],
            "PATH=VALUE",
        ),
        (&["train", "--spec", "/nowhere.json"], "/nowhere.json"),
        (&["worker", "/nowhere"], "/nowhere"),
        (&["bench", "--network", "abacus"], "network.kind"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_vivarium"))
            .args(arguments)
            .env("VIVARIUM_DATA_DIR", folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{arguments:?}");
        assert!(
            said.contains(word) && !said.contains("panicked"),
            "{arguments:?}: {said}"
        );
    }
}

#[test]
fn classes_that_nobody_learns_are_named_before_the_first_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_string_lossy().into_owned();
    let output = vivarium(&[
        "train",
        "--network",
        "mlp",
        "--data",
        "digits",
        "--set",
        "data.limit=3",
        "--set",
        "training.epochs=1",
        "--data-dir",
        &folder,
    ]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let [note, epoch] =
        ["of 10 classes have no sample to learn from", "epoch 1:"].map(|words| said.find(words));
    assert!(note.is_some() && note < epoch, "{said}");
}

#[test]
fn instructions_and_operations_that_do_not_exist_are_refused_before_anything_starts() {
    let refusals = [
        "VIVARIUM_INSTRUCTIONS: must be one of portable, avx2, avx512, not sse",
        "VIVARIUM_OPS: must be one of kernels, reference, not sse",
    ];
    for arguments in [
        &["data", "list"][..],
        &["worker", "/nowhere"],
        &["serve", "--port", "0"],
    ] {
        for refusal in refusals {
            let (variable, _) = refusal.split_once(':').unwrap();
            let output = Command::new(env!("CARGO_BIN_EXE_vivarium"))
                .args(arguments)
                .env(variable, "sse")
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success(), "{arguments:?}");
            assert!(said.contains(refusal), "{arguments:?}: {said}");
        }
    }
}

#[test]
fn data_list_names_every_set() {
    let output = vivarium(&["data", "list"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for set in ["digits", "blobs", "moons", "circles", "spiral", "xor"] {
        assert!(
            text.lines().any(|line| line.starts_with(set)),
            "{set}: {text}"
        );
    }
}

#[test]
fn bench_prints_one_line_that_comparisons_read() {
    let output = vivarium(&[
        "bench",
        "--network",
        "mlp",
        "--batch",
        "16",
        "--size",
        "8",
        "--channels",
        "1",
        "--opt",
        "adamw",
        "--steps",
        "3",
        "--threads",
        "1",
        "--json",
    ]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let line = last_line(&output.stdout);
    for (field, value) in [
        ("net", json!("mlp")),
        ("batch", json!(16)),
        ("size", json!(8)),
        ("opt", json!("adamw")),
        ("threads", json!(1)),
    ] {
        assert_eq!(line[field], value);
    }
    for field in ["step_ms", "images_per_s", "peak_rss_mib"] {
        assert!(line[field].as_f64().unwrap() > 0.0, "{field}");
    }
}

#[test]
fn who_reads_no_further_ends_nothing() {
    let mut process = Command::new(env!("CARGO_BIN_EXE_vivarium"))
        .args(["data", "list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(process.stdout.take());
    let output = process.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}");
}

#[test]
fn inspect_writes_the_pictures_of_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().to_string_lossy().into_owned();
    let output = vivarium(&[
        "train",
        "--network",
        "residual-small",
        "--data",
        "digits",
        "--set",
        "data.size=32",
        "--set",
        "data.limit=80",
        "--set",
        "network.plan=[4,6]",
        "--set",
        "network.depth=[1]",
        "--set",
        "training.epochs=1",
        "--data-dir",
        &data_dir,
    ]);
    let id = last_line(&output.stdout)["run"]
        .as_str()
        .unwrap()
        .to_owned();
    let inspect = |more: &[&str]| {
        let run = ["inspect", &id[..30], "--data-dir", &data_dir];
        let output = vivarium(&[&run, more].concat());
        let words = String::from_utf8_lossy(&output.stdout).into_owned();
        let faults = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), words, faults)
    };
    let (done, layers, _) = inspect(&["--list"]);
    assert!(done && layers.contains("stem.0") && layers.contains("blocks.0.convs.0.depthwise"));
    let out = folder.path().join("pictures");
    let out = out.to_str().unwrap();
    let photo = photos().join("rgb.jpg");
    let (done, written, faults) = inspect(&["--image", photo.to_str().unwrap(), "--out", out]);
    assert!(done, "{faults}");
    for name in [
        "stem.0.filters.png",
        "stem.0.features.png",
        "blocks.0.skip.conv.filters.png",
        "grad-cam.png",
        "gradient.png",
        "prediction.json",
    ] {
        let path = std::path::Path::new(out).join(name);
        assert!(written.contains(name), "{name}: {written}");
        let bytes = std::fs::read(&path).unwrap();
        assert!(
            !name.ends_with("png") || bytes.starts_with(b"\x89PNG"),
            "{name}"
        );
    }
    let (done, written, _) = inspect(&["--image", "test:1", "--all", "--out", out]);
    assert!(done && written.lines().count() > layers.lines().count());
    for (more, said) in [
        (&["--image", "nowhere.png", "--out", out][..], "nowhere.png"),
        (&["--image", "test:99999", "--out", out], "test has"),
        (&["--layer", "stem.7", "--out", out], "stem.7"),
    ] {
        let (done, _, faults) = inspect(more);
        assert!(!done && faults.contains(said), "{said}: {faults}");
    }
    let output = vivarium(&["inspect", "0000", "--list", "--data-dir", &data_dir]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("There is no run “0000”"));
}

#[test]
fn imported_weights_are_a_run_that_is_looked_into_and_trained_further() {
    let server = Server::start();
    let data_dir = server.data_dir().to_string_lossy().into_owned();
    let small = [
        "--set",
        "network.plan=[4,6]",
        "--set",
        "network.depth=[1]",
        "--set",
        "data.size=32",
    ];
    let few = [
        "--set",
        "data.limit=80",
        "--set",
        "training.epochs=2",
        "--set",
        "data.channels=3",
    ];
    let residual = [
        "--network",
        "residual-small",
        "--data",
        "digits",
        "--data-dir",
        &data_dir,
    ];
    let output = vivarium(&[&["train"][..], &residual, &small, &few].concat());
    let trained = last_line(&output.stdout);
    let weights = format!(
        "{}/checkpoints/last.safetensors",
        trained["directory"].as_str().unwrap()
    );
    let import = |more: &[&str]| {
        vivarium(&[&["import", &weights][..], &residual, &small, &few, more].concat())
    };
    let output = import(&[]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let told = last_line(&output.stdout);
    let (id, directory) = (
        told["run"].as_str().unwrap(),
        told["directory"].as_str().unwrap(),
    );
    let out = server.data_dir().join("pictures");
    let output = vivarium(&[
        "inspect",
        directory,
        "--image",
        "test:0",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    until("the server has found the run", || {
        server.get(&format!("/api/v1/runs/{id}")).status == 200
    });
    let run = server.await_status(id, "stopped");
    assert_eq!(run["spec"]["data"]["normalisation"], "imagenet");
    assert_eq!(
        server
            .post(&format!("/api/v1/runs/{id}/resume"), &json!({}))
            .status,
        202
    );
    let run = server.await_status(id, "finished");
    assert_eq!(run["summary"]["epoch"], json!(2));

    let output = import(&["--set", "network.plan=[4,8]"]);
    let faults = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && faults.contains("has the shape"),
        "{faults}"
    );
    let runs = std::fs::read_dir(server.data_dir().join("runs"))
        .unwrap()
        .count();
    assert_eq!(runs, 2, "what does not fit leaves no run behind");
}

#[test]
fn weights_that_are_no_safetensors_are_called_what_they_are_and_leave_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 548\n";
    for (name, bytes, said) in [
        (
            "model.pth",
            &b"PK\x03\x04\0\0\0\0archive/data.pkl"[..],
            "torch.load(\"model.pth\"",
        ),
        ("old.pt", b"\x80\x02\x8a\x0al", "torch.save (a pickle)"),
        ("model.safetensors", pointer.as_bytes(), "git lfs pull"),
        (
            "page.safetensors",
            b"<!DOCTYPE html><title>Sign in</title>",
            "a page of HTML",
        ),
        ("model.h5", b"\x89HDF\r\n\x1a\n", "keras.models.load_model"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let output = vivarium(&[
            "import",
            path.to_str().unwrap(),
            "--network",
            "mlp",
            "--data",
            "digits",
            "--data-dir",
            data.to_str().unwrap(),
        ]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && told.contains(said),
            "{name}: {told}"
        );
        let runs = std::fs::read_dir(data.join("runs")).map_or(0, Iterator::count);
        assert_eq!(runs, 0, "{name}");
    }
}
