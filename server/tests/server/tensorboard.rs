//! TensorBoard's event files come in: those of PyTorch, of TensorBoard itself, and damaged ones.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use prost::Message as _;
use serde_json::{Value, json};
use vivarium::tensorboard::event::{Event, SessionLog, Summary, Value as Scalar};
use vivarium::tensorboard::record;

use crate::support::{Answer, Server, agent, form_of, form_type, until, vivarium};

/// Files that `data/tensorboard/generate.py` made, and what TensorBoard reads in them.
pub fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tensorboard")
}

/// Sends files as a browser's form does.
pub fn send(server: &Server, name: &str, files: &[(&str, &[u8])]) -> Answer {
    let mut fields = vec![("name", None, name.as_bytes())];
    fields.extend(
        files
            .iter()
            .map(|&(file, bytes)| ("file", Some(file), bytes)),
    );
    let request = agent().post(server.url("/api/v1/tensorboard"));
    let request = request.header("content-type", form_type());
    Answer::of(request.send(&form_of(&fields)[..]))
}

/// Sends one file and returns the id of the run that it became.
pub fn import(server: &Server, name: &str, file: &[u8]) -> String {
    let answer = send(server, name, &[("events.out.tfevents.1.host", file)]);
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["runs"][0]["id"].as_str().unwrap().to_owned()
}

/// An event file with a value for each tag and step.
pub fn events(values: &[(&str, i64, f32)]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut write = |event: Event| record::write(&mut file, &event.encode_to_vec()).unwrap();
    write(Event {
        file_version: Some("brain.Event:2".into()),
        ..Event::default()
    });
    for &(tag, step, value) in values {
        write(scalar(tag, step, value));
    }
    file
}

pub fn scalar(tag: &str, step: i64, value: f32) -> Event {
    let value = Scalar {
        tag: tag.into(),
        simple_value: Some(value),
        ..Scalar::default()
    };
    Event {
        wall_time: 1.7e9 + step as f64,
        step,
        summary: Some(Summary { value: vec![value] }),
        ..Event::default()
    }
}

pub fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A series with every point.
pub fn series(server: &Server, id: &str, name: &str) -> Value {
    let path = format!("/api/v1/runs/{id}/metrics?series={name}&points=1000000");
    server.get(&path).json()["series"][name].take()
}

pub fn named<'a>(runs: &'a Value, name: &str) -> &'a Value {
    let runs = runs["runs"].as_array().unwrap();
    runs.iter().find(|run| run["name"] == name).unwrap()
}

#[test]
fn what_pytorch_and_tensorboard_wrote_is_read_as_tensorboard_reads_it() {
    let server = Server::start();
    let logs = golden().join("logs");
    let data = server.data_dir().to_str().unwrap();
    let output = vivarium(&["import-events", logs.to_str().unwrap(), "--data-dir", data]);
    let told = String::from_utf8(output.stdout).unwrap();
    let left_out = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{left_out}");
    assert_eq!(told.lines().count(), 3, "{told}");
    assert!(
        told.contains("not shown: 1700000000.5/hparam/accuracy, grad_norm"),
        "{told}"
    );
    assert!(
        left_out.contains("pictures/events.out.tfevents.1700000000.host: holds no scalars")
            && left_out.contains("1 of histograms, 1 of images"),
        "{left_out}"
    );
    // The server finds them by itself.
    until("the runs are there", || {
        let runs = server.get("/api/v1/runs").json();
        let runs = runs["runs"].as_array().unwrap().clone();
        runs.len() == 3 && runs.iter().all(|run| run["status"] == "finished")
    });
    let runs = server.get("/api/v1/runs").json();
    let expected: Value =
        serde_json::from_slice(&fs::read(golden().join("expected.json")).unwrap()).unwrap();
    for (run, name, folder, tag, percent) in [
        ("torch", "train_loss", "torch", "Loss/train", false),
        ("torch", "train_accuracy", "torch", "Accuracy/train", false),
        ("torch", "lr", "torch", "lr", false),
        ("torch", "validation_loss", "torch", "Loss/val", false),
        (
            "torch",
            "validation_accuracy",
            "torch",
            "Accuracy/val",
            true,
        ),
        ("keras", "train_loss", "keras/train", "epoch_loss", false),
        (
            "keras",
            "validation_loss",
            "keras/validation",
            "epoch_loss",
            false,
        ),
        (
            "keras",
            "validation_accuracy",
            "keras/validation",
            "epoch_accuracy",
            false,
        ),
        ("keras", "lr", "keras/train", "epoch_learning_rate", false),
        ("restarted", "train_loss", "restarted", "train_loss", false),
    ] {
        let id = named(&runs, run)["id"].as_str().unwrap();
        let read = series(&server, id, name);
        let points = expected[folder][tag].as_array().unwrap();
        assert_eq!(read["x"].as_array().unwrap().len(), points.len(), "{tag}");
        for (i, point) in points.iter().enumerate() {
            assert_eq!(read["x"][i].as_f64(), point[0].as_f64(), "{tag}");
            let value = point[2].as_f64();
            let value = if percent {
                value.map(|value| value / 100.0)
            } else {
                value
            };
            assert_eq!(read["y"][i].as_f64(), value, "{run} {tag} {i}");
        }
    }
    let torch = named(&runs, "torch");
    assert_eq!(
        torch["spec"]["hparams"],
        json!({"batch_size": 32, "lr": 0.1, "nesterov": 1, "optimizer": "sgd"})
    );
    assert_eq!(torch["source"]["kind"], "tensorboard");
    assert_eq!(torch["source"]["began"], "2023-11-14T22:13:20Z");
    assert_eq!(
        torch["source"]["other"],
        json!({"histograms": 1, "text": 1})
    );
    let gaps = &series(&server, torch["id"].as_str().unwrap(), "train_loss")["not_finite"];
    assert_eq!(
        gaps,
        &json!([{"x": 50.0, "kind": "nan"}, {"x": 60.0, "kind": "inf"}])
    );
    assert_eq!(torch["summary"]["step"], 190);
    let best = torch["summary"]["best_validation_accuracy"]
        .as_f64()
        .unwrap();
    assert!((best - 0.825).abs() < 1e-3, "{best}");
    let again = vivarium(&["import-events", logs.to_str().unwrap(), "--data-dir", data]);
    let told = String::from_utf8(again.stdout).unwrap();
    assert_eq!(told.matches("is here already").count(), 3, "{told}");
}

#[test]
fn an_imported_run_is_a_run_but_for_what_needs_a_network() {
    let mut server = Server::start();
    let log = golden().join("logs/torch/events.out.tfevents.1700000000.host");
    let bytes = fs::read(log).unwrap();
    let id = import(&server, "theirs", &bytes);
    let run = server.run(&id);
    assert_eq!(
        (&run["name"], &run["status"]),
        (&json!("theirs"), &json!("finished"))
    );
    for (method, path) in [
        ("POST", "stop"),
        ("POST", "resume"),
        ("GET", "layers"),
        ("GET", "predict?image=test:0"),
        ("GET", "samples"),
        ("GET", "film"),
        ("GET", "points"),
        ("GET", "log"),
        ("GET", "layers/x/filters.png"),
    ] {
        let path = format!("/api/v1/runs/{id}/{path}");
        let answer = if method == "POST" {
            server.post(&path, &json!({}))
        } else {
            server.get(&path)
        };
        assert_eq!(answer.status, 409, "{path}: {}", answer.body);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.starts_with("The run was imported from TensorBoard files"),
            "{detail}"
        );
    }
    assert_eq!(server.get(&format!("/new?copy={id}")).status, 409);
    assert_eq!(server.get(&format!("/runs/{id}/inside")).status, 409);
    assert_eq!(server.get(&format!("/runs/{id}")).status, 200);
    // Nobody trains in its directory.
    let before = fs::read(server.run_dir(&id).join("events.ndjson")).unwrap();
    let worker = vivarium(&["worker", server.run_dir(&id).to_str().unwrap()]);
    assert!(!worker.status.success());
    assert_eq!(
        fs::read(server.run_dir(&id).join("events.ndjson")).unwrap(),
        before
    );

    let labels = json!({"name": "renamed", "tags": ["a"], "notes": "seen"});
    assert_eq!(
        server.patch(&format!("/api/v1/runs/{id}"), &labels).status,
        200
    );
    let loss = series(&server, &id, "train_loss");
    assert_eq!(server.delete(&format!("/api/v1/runs/{id}")).status, 204);
    assert_eq!(server.get(&format!("/api/v1/runs/{id}")).status, 404);
    assert_eq!(
        server
            .post(&format!("/api/v1/runs/{id}/restore"), &json!({}))
            .status,
        200
    );
    let back = server.run(&id);
    assert_eq!(
        (&back["name"], &back["tags"]),
        (&json!("renamed"), &json!(["a"]))
    );
    assert_eq!(series(&server, &id, "train_loss"), loss);

    let statistics = server.get(&format!("/api/v1/statistics?run={id}")).json();
    assert_eq!(statistics["runs"][&id]["validation_loss"]["count"], 4);
    // Two values of twenty are not finite.
    assert_eq!(statistics["runs"][&id]["train_loss"]["count"], 18);

    server.stop();
    for file in ["index.sqlite3", "index.sqlite3-wal", "index.sqlite3-shm"] {
        let _ = fs::remove_file(server.data_dir().join(file));
    }
    server.restart();
    server.await_status(&id, "finished");
    let rebuilt = server.run(&id);
    assert_eq!(
        (&rebuilt["source"], &rebuilt["spec"]),
        (&run["source"], &run["spec"])
    );
    assert_eq!(rebuilt["summary"], run["summary"]);
    assert_eq!(series(&server, &id, "train_loss"), loss);
}

#[test]
fn the_axes_of_an_imported_curve_are_steps_and_seconds() {
    let server = Server::start();
    let file = events(&[
        ("loss", 10, 4.0),
        ("loss", 20, 3.0),
        ("loss", 40, 1.0),
        ("val_loss", 30, 2.0),
    ]);
    let id = import(&server, "", &file);
    let over = |x: &str| {
        let path = format!(
            "/api/v1/runs/{id}/metrics?series=train_loss,validation_loss,time,lr&x={x}&smooth=0.5"
        );
        server.get(&path).json()["series"].take()
    };
    let (steps, seconds) = (over("step"), over("time"));
    assert_eq!(steps["train_loss"]["x"], json!([10.0, 20.0, 40.0]));
    assert_eq!(seconds["train_loss"]["x"], json!([0.0, 10.0, 30.0]));
    assert_eq!(steps["time"]["x"], json!([10.0, 20.0, 30.0, 40.0]));
    assert_eq!(steps["time"]["y"], json!([0.0, 10.0, 20.0, 30.0]));
    assert_eq!(steps["validation_loss"]["y"], json!([2.0]));
    assert_eq!(steps["lr"]["x"], json!([]));
    assert_eq!(
        steps["train_loss"]["smoothed"]["y"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(server.run(&id)["name"], "TensorBoard, 2023-11-14 22:13:30");
}

#[test]
fn folders_and_zips_become_runs_by_their_paths() {
    let server = Server::start();
    let one = events(&[("loss", 1, 1.0)]);
    let two = events(&[("epoch_loss", 1, 2.0)]);
    let three = events(&[("epoch_loss", 1, 3.0)]);
    let answer = send(
        &server,
        "",
        &[
            ("logs/a/events.out.tfevents.1", &one),
            ("logs/b/train/events.out.tfevents.1", &two),
            ("logs/b/validation/events.out.tfevents.1", &three),
        ],
    );
    assert_eq!(answer.status, 201, "{}", answer.body);
    let runs = answer.json();
    let both = named(&runs, "logs/b")["id"].as_str().unwrap().to_owned();
    assert_eq!(series(&server, &both, "train_loss")["y"], json!([2.0]));
    assert_eq!(series(&server, &both, "validation_loss")["y"], json!([3.0]));
    assert!(
        server
            .run_dir(&both)
            .join("board/logs/b/train/events.out.tfevents.1")
            .exists()
    );

    let four = events(&[("loss", 1, 4.0)]);
    let zipped = zip(&[
        ("x/events.out.tfevents.1", &four),
        ("x/model.pt", b"weights"),
        ("events.out.tfevents.1", &one),
    ]);
    let answer = send(&server, "again", &[("mine.zip", &zipped)]).json();
    assert_eq!(named(&answer, "again/x")["url"].as_str().unwrap().len(), 42);
    assert_eq!(answer["already"][0]["name"], "logs/a");
    // The same once more: nothing is new, and that is no fault.
    let answer = send(&server, "again", &[("mine.zip", &zipped)]);
    assert_eq!(
        (
            answer.status,
            answer.json()["runs"].as_array().unwrap().len()
        ),
        (200, 0)
    );
    assert_eq!(answer.json()["already"].as_array().unwrap().len(), 2);
    assert_eq!(
        server.get("/api/v1/runs").json()["runs"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[test]
fn what_was_done_again_counts_once_and_what_was_cut_off_is_told() {
    let server = Server::start();
    let first = events(&[("loss", 1, 1.0), ("loss", 2, 2.0), ("loss", 3, 3.0)]);
    let second = events(&[("loss", 2, 20.0), ("other", 1, 5.0)]);
    let mut torn = events(&[("loss", 3, 30.0), ("loss", 4, 40.0)]);
    torn.truncate(torn.len() - 5);
    let answer = send(
        &server,
        "mine",
        &[
            ("r/events.out.tfevents.1", &first),
            ("r/events.out.tfevents.2", &second),
            ("r/events.out.tfevents.3", &torn),
        ],
    );
    let id = answer.json()["runs"][0]["id"].as_str().unwrap().to_owned();
    let loss = series(&server, &id, "train_loss");
    assert_eq!(
        (&loss["x"], &loss["y"]),
        (&json!([1.0, 2.0, 3.0]), &json!([1.0, 20.0, 30.0]))
    );
    let source = &server.run(&id)["source"];
    let remark = source["remarks"][0].as_str().unwrap();
    assert!(
        remark.starts_with("r/events.out.tfevents.3 ends within a record, at byte"),
        "{remark}"
    );
    assert_eq!(source["not_shown"], json!(["other"]));

    let mut start = events(&[("loss", 1, 1.0), ("loss", 2, 2.0)]);
    let again = Event {
        step: 1,
        session_log: Some(SessionLog {
            status: SessionLog::START,
        }),
        ..Event::default()
    };
    record::write(&mut start, &again.encode_to_vec()).unwrap();
    record::write(&mut start, &scalar("loss", 5, 5.0).encode_to_vec()).unwrap();
    let id = import(&server, "", &start);
    assert_eq!(series(&server, &id, "train_loss")["x"], json!([5.0]));
}

#[test]
fn what_cannot_be_taken_is_refused_with_the_file_and_the_reason() {
    let server = Server::start();
    let good = events(&[("loss", 1, 1.0), ("loss", 2, 2.0)]);
    let mut huge = events(&[]);
    let length = u64::MAX.to_le_bytes();
    huge.extend(length);
    huge.extend([1, 2, 3, 4]);
    let mut foreign = Vec::new();
    record::write(&mut foreign, b"an example of a data set").unwrap();
    let picture =
        fs::read(golden().join("logs/pictures/events.out.tfevents.1700000000.host")).unwrap();
    let outside = zip(&[("../../events.out.tfevents.1", &good)]);
    let absolute = zip(&[("/tmp/events.out.tfevents.1", &good)]);
    let without = zip(&[("notes.txt", b"words")]);
    let mut broken = zip(&[("a/events.out.tfevents.1", &good)]);
    broken.truncate(broken.len() - 10);
    let name = "events.out.tfevents.1";
    for (file, bytes, reason) in [
        (name, &b""[..], "is empty"),
        (
            name,
            b"hello, this is not an event file at all",
            "is not an event file of TensorBoard",
        ),
        (name, &good[..20], "is not an event file of TensorBoard"),
        (name, &foreign, "is not an event file of TensorBoard"),
        (
            name,
            &huge,
            "the last 12 bytes, from byte 31 on, are left out",
        ),
        (name, &[0; 4096], "holds nothing but zeros"),
        (name, &picture, "holds no scalars"),
        (name, &events(&[]), "holds no scalars"),
        (name, &events(&[("loss", -1, 1.0)]), "holds no scalars"),
        (
            "../../../events.out.tfevents.1",
            &good,
            "names a place outside",
        ),
        ("logs.zip", &outside, "names a place outside"),
        ("logs.zip", &absolute, "names a place outside"),
        ("logs.zip", &without, "holds no event files"),
        ("logs.zip", &broken, "cannot be read as a zip"),
    ] {
        let answer = send(&server, "", &[(file, bytes)]);
        assert_eq!(answer.status, 422, "{reason}: {}", answer.body);
        let problem = answer.json();
        let fault = &problem["errors"][0];
        assert!(
            fault["message"].as_str().unwrap().contains(reason),
            "{reason}: {problem}"
        );
        assert!(
            fault["path"]
                .as_str()
                .unwrap()
                .contains(file.rsplit('/').next().unwrap()),
            "{problem}"
        );
    }
    let answer = send(
        &server,
        "",
        &[
            ("a/events.out.tfevents.1", &good),
            ("a/events.out.tfevents.1", &good),
        ],
    );
    assert!(answer.body.contains("is there twice"), "{}", answer.body);
    assert_eq!(send(&server, "x", &[]).status, 400);
    assert_eq!(
        send(&server, &"x".repeat(1000), &[(name, &good)]).fields(),
        ["name"]
    );
    assert_eq!(server.get("/api/v1/runs").json()["runs"], json!([]));
    // Nothing is left of all this.
    let left = fs::read_dir(server.data_dir().join("boards"))
        .unwrap()
        .count();
    assert_eq!(left, 0);
}

#[test]
fn infinite_values_keep_their_signs_in_and_out() {
    let server = Server::start();
    let values = [
        f32::NEG_INFINITY,
        f32::INFINITY,
        1.0,
        f32::NAN,
        f32::NEG_INFINITY,
    ];
    let given: Vec<_> = (1..)
        .zip(values)
        .map(|(step, value)| ("loss", step, value))
        .collect();
    let id = import(&server, "", &events(&given));
    let gaps = series(&server, &id, "train_loss")["not_finite"].take();
    let expected = json!([
        {"x": 1.0, "kind": "-inf"},
        {"x": 2.0, "kind": "inf"},
        {"x": 4.0, "kind": "nan"},
        {"x": 5.0, "kind": "-inf"},
    ]);
    assert_eq!(gaps, expected);
    let (_, _, file) = server.get_bytes(&format!("/api/v1/runs/{id}/tensorboard"));
    let back = import(&server, "back", &file);
    assert_eq!(series(&server, &back, "train_loss")["not_finite"], expected);
}

#[test]
fn too_much_is_refused_before_it_is_on_the_disk() {
    let server = Server::start_with(&["--max-upload-mib", "1"]);
    let answer = send(&server, "", &[("events.out.tfevents.1", &vec![0; 2 << 20])]);
    assert_eq!(answer.status, 413, "{}", answer.body);
    // Two mebibytes of nothing in a zip of two kilobytes.
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    zip.start_file("events.out.tfevents.1", options).unwrap();
    zip.write_all(&vec![0; 2 << 20]).unwrap();
    let bomb = zip.finish().unwrap().into_inner();
    assert!(bomb.len() < 10_000);
    let answer = send(&server, "", &[("logs.zip", &bomb)]);
    assert_eq!(answer.status, 422);
    assert!(
        answer.body.contains("more than 1 MiB of event files"),
        "{}",
        answer.body
    );
}
