//! TensorBoard's event files go out: every value, alone, in a zip and by the command line.

use std::fs;
use std::io::{Cursor, Read as _};

use prost::Message as _;
use serde_json::{Value, json};
use vivarium::tensorboard::event::Event;
use vivarium::tensorboard::record::{Next, Records};

use crate::support::{Server, mlp, vivarium};
use crate::tensorboard::{events, import, series};

/// The scalars in an event file: tag, step, value.
fn scalars(file: &[u8]) -> Vec<(String, i64, f32)> {
    let mut records = Records::of(file);
    let mut found = Vec::new();
    loop {
        match records.next().unwrap() {
            Next::Record(content) => {
                let event = Event::decode(content).unwrap();
                for value in event.summary.unwrap_or_default().value {
                    if let Some(number) = value.simple_value {
                        found.push((value.tag, event.step, number));
                    }
                }
            }
            Next::End => return found,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn every_value_of_a_run_goes_out_and_comes_in_again() {
    let server = Server::start();
    let id = server.create(&mlp(3));
    server.await_status(&id, "finished");
    let (status, headers, file) = server.get_bytes(&format!("/api/v1/runs/{id}/tensorboard"));
    assert_eq!(status, 200);
    let disposition = headers["content-disposition"].to_str().unwrap();
    assert!(
        disposition.contains("events.out.tfevents.") && disposition.contains(&id),
        "{disposition}"
    );
    let found = scalars(&file);
    let (mut steps, mut epochs) = (0, 0);
    for line in server.log_lines(&id) {
        let line: Value = serde_json::from_str(&line).unwrap();
        let check = |tag: &str, step: &Value, value: &Value| {
            let (step, value) = (step.as_i64().unwrap(), value.as_f64().unwrap() as f32);
            assert!(
                found.contains(&(tag.to_owned(), step, value)),
                "{tag} {step} {value}"
            );
        };
        if line["kind"] == "steps" {
            for i in 0..line["loss"].as_array().unwrap().len() {
                let step = json!(line["first_step"].as_u64().unwrap() + i as u64);
                check("loss/train", &step, &line["loss"][i]);
                check("accuracy/train", &step, &line["accuracy"][i]);
                check("learning_rate", &step, &line["lr"][i]);
                steps += 1;
            }
        }
        if line["kind"] == "epoch" {
            check(
                "loss/validation",
                &line["step"],
                &line["validation"]["loss"],
            );
            check(
                "accuracy/validation",
                &line["step"],
                &line["validation"]["accuracy"],
            );
            check(
                "accuracy/train_epoch",
                &line["step"],
                &line["train"]["accuracy"],
            );
            epochs += 1;
        }
    }
    assert_eq!(
        found.iter().filter(|(tag, ..)| tag == "loss/train").count(),
        steps
    );
    assert_eq!(
        found
            .iter()
            .filter(|(tag, ..)| tag == "loss/validation")
            .count(),
        epochs
    );

    let back = import(&server, "back", &file);
    for name in [
        "train_loss",
        "train_accuracy",
        "validation_loss",
        "validation_accuracy",
        "lr",
    ] {
        let (ours, theirs) = (series(&server, &id, name), series(&server, &back, name));
        assert_eq!(ours["x"], theirs["x"], "{name}");
        let rounded = |series: &Value| {
            let values = series["y"].as_array().unwrap().iter();
            values
                .map(|value| value.as_f64().map(|value| value as f32))
                .collect::<Vec<_>>()
        };
        assert_eq!(rounded(&ours), rounded(&theirs), "{name}");
    }
    assert_eq!(
        server.run(&back)["spec"]["hparams"]["training.batch_size"],
        8
    );
    // What came in goes out again as it was, under its own tags.
    let (_, _, again) = server.get_bytes(&format!("/api/v1/runs/{back}/tensorboard"));
    let mut before = found.clone();
    let mut after = scalars(&again);
    before.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    after.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    assert_eq!(before, after);
}

#[test]
fn several_runs_go_out_as_folders_with_their_names() {
    let server = Server::start();
    let file = events(&[
        ("loss", 1, f32::NAN),
        ("loss", 2, f32::INFINITY),
        ("loss", 3, 0.5),
    ]);
    let other = events(&[("loss", 1, 2.0)]);
    let ids = [
        import(&server, "same: name", &file),
        import(&server, "same: name", &other),
    ];
    let gone = "0199d3a0-0000-7000-8000-000000000000";
    let path = format!(
        "/api/v1/tensorboard?run={}&run={}&run={gone}",
        ids[0], ids[1]
    );
    let (status, headers, bytes) = server.get_bytes(&path);
    assert_eq!(
        (status, headers["content-type"].to_str().unwrap()),
        (200, "application/zip")
    );
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let names: Vec<_> = zip
        .file_names()
        .map(|name| name.unwrap().split('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["same- name", "same- name (2)"]);
    let mut first = Vec::new();
    zip.by_index(0).unwrap().read_to_end(&mut first).unwrap();
    let values: Vec<_> = scalars(&first)
        .into_iter()
        .map(|(_, _, value)| value.to_bits())
        .collect();
    assert_eq!(
        values,
        [
            f32::NAN.to_bits(),
            f32::INFINITY.to_bits(),
            0.5f32.to_bits()
        ]
    );
    assert_eq!(server.get("/api/v1/tensorboard").status, 400);
    assert_eq!(
        server
            .get(&format!("/api/v1/tensorboard?run={gone}"))
            .status,
        404
    );
    assert_eq!(
        server
            .get(&format!("/api/v1/runs/{gone}/tensorboard"))
            .status,
        404
    );
}

#[test]
fn the_command_line_writes_a_log_directory() {
    let server = Server::start();
    let id = import(&server, "theirs", &events(&[("loss", 1, 1.0)]));
    server.patch(
        &format!("/api/v1/runs/{id}"),
        &json!({"name": "renamed/it"}),
    );
    let out = tempfile::tempdir().unwrap();
    let out = out.path().to_str().unwrap();
    let data = server.data_dir().to_str().unwrap();
    let export = |run: &str| vivarium(&["export", run, "--tensorboard", out, "--data-dir", data]);
    let output = export(&id[..30]);
    assert!(output.status.success());
    let path = String::from_utf8(output.stdout).unwrap();
    assert!(
        path.starts_with(&format!("{out}/renamed-it/events.out.tfevents.")),
        "{path}"
    );
    assert_eq!(
        scalars(&fs::read(path.trim()).unwrap()),
        [("loss".to_owned(), 1, 1.0)]
    );
    let by_path = export(server.run_dir(&id).to_str().unwrap());
    assert_eq!(String::from_utf8(by_path.stdout).unwrap(), path);
    let unknown = export("ffffffff");
    assert!(
        String::from_utf8(unknown.stderr)
            .unwrap()
            .contains("There is no run “ffffffff”")
    );
}
