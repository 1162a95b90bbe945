//! Which series a tag is drawn as: by its name, and by what a user says.

use std::fs;

use prost::Message as _;
use serde_json::{Value, json};
use vivarium::tensorboard::record;

use crate::support::{Answer, Server, agent, form_of, form_type, mlp, vivarium};
use crate::tensorboard::{events, import, scalar, send, series};

/// What the log of Ultralytics looks like.
fn yolo() -> Vec<u8> {
    events(&[
        ("train/loss", 1, 1.0),
        ("val/loss", 1, 1.5),
        ("metrics/accuracy_top1", 1, 0.25),
        ("metrics/mAP50, all", 1, 0.5),
        ("metrics/mAP50, all", 2, 0.75),
    ])
}

#[test]
fn an_accuracy_without_a_split_is_of_validation_and_the_run_says_why() {
    let server = Server::start();
    let id = import(&server, "yolo", &yolo());
    assert_eq!(
        series(&server, &id, "validation_accuracy")["y"],
        json!([0.25])
    );
    assert_eq!(series(&server, &id, "train_accuracy")["y"], json!([]));
    let source = &server.run(&id)["source"];
    let remark = source["remarks"][0].as_str().unwrap();
    assert!(
        remark.starts_with(
            "“metrics/accuracy_top1” names no split. It is drawn as validation accuracy"
        ),
        "{remark}"
    );
}

#[test]
fn tags_are_drawn_as_a_person_says_and_names_decide_again_when_that_is_taken_back() {
    let server = Server::start();
    let id = import(&server, "yolo", &yolo());
    server.patch(&format!("/api/v1/runs/{id}"), &json!({"notes": "seen"}));
    let path = format!("/api/v1/runs/{id}/tags");
    let curves = || {
        let told = server.get(&path).json();
        let tags = told["tags"].as_array().unwrap().clone();
        let of = tags.into_iter().map(|tag| {
            let name = tag["tag"].as_str().unwrap().to_owned();
            (name, tag["curve"].clone())
        });
        of.collect::<std::collections::BTreeMap<_, _>>()
    };
    assert_eq!(curves()["metrics/accuracy_top1"], "validation_accuracy");
    assert_eq!(curves()["metrics/mAP50, all"], Value::Null);

    let wanted = json!({"tags": {
        "metrics/accuracy_top1": "train_accuracy",
        "metrics/mAP50, all": "own",
        "val/loss": "none",
    }});
    let answer = server.put(&path, &wanted);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let run = answer.json();
    assert_eq!(run["notes"], "seen");
    assert_eq!(run["source"]["own"], json!(["metrics/mAP50, all"]));
    assert_eq!(series(&server, &id, "train_accuracy")["y"], json!([0.25]));
    assert_eq!(series(&server, &id, "validation_accuracy")["y"], json!([]));
    assert_eq!(series(&server, &id, "validation_loss")["y"], json!([]));
    assert_eq!(run["summary"]["validation_loss"], Value::Null);
    // A list of names, since tags may have commas.
    let asked = format!(
        "/api/v1/runs/{id}/metrics?series=%5B%22tag:metrics/mAP50,%20all%22,%22train_loss%22%5D"
    );
    let own = server.get(&asked).json()["series"].take();
    assert_eq!(own["tag:metrics/mAP50, all"]["y"], json!([0.5, 0.75]));
    assert_eq!(own["train_loss"]["y"], json!([1.0]));

    for (wrong, status) in [
        (json!({"tags": {"train/loss": "loss"}}), 422),
        (json!({"tags": {"no such": "own"}}), 422),
        (json!({"tags": {"train/loss": "lr", "val/loss": "lr"}}), 422),
        (json!({"tags": 1}), 422),
    ] {
        let answer = server.put(&path, &wrong);
        assert_eq!(answer.status, status, "{wrong}: {}", answer.body);
    }
    let gone = "/api/v1/runs/0199d3a0-0000-7000-8000-000000000000/tags";
    assert_eq!(server.get(gone).status, 404);
    assert_eq!(server.put(gone, &json!({"tags": {}})).status, 404);
    assert_eq!(curves()["metrics/mAP50, all"], "own");

    // What was said is kept when the log grows.
    let mut grown = yolo();
    let more = scalar("metrics/mAP50, all", 3, 1.0);
    record::write(&mut grown, &more.encode_to_vec()).unwrap();
    let told = send(&server, "", &[("events.out.tfevents.1.host", &grown)]).json();
    assert_eq!(told["replaced"][0]["id"], *id);
    let own = server.get(&asked).json()["series"].take();
    assert_eq!(own["tag:metrics/mAP50, all"]["y"], json!([0.5, 0.75, 1.0]));

    assert_eq!(server.put(&path, &json!({"tags": {}})).status, 200);
    assert_eq!(curves()["metrics/accuracy_top1"], "validation_accuracy");
    assert_eq!(curves()["metrics/mAP50, all"], Value::Null);
}

#[test]
fn tags_can_be_said_at_the_import_and_a_run_of_ones_own_has_none() {
    let server = Server::start();
    let tags = br#"{"metrics/mAP50, all": "own", "val/loss": "none"}"#;
    let fields: [(&str, Option<&str>, &[u8]); 2] = [
        ("tags", None, tags),
        ("file", Some("events.out.tfevents.1"), &yolo()),
    ];
    let upload = |fields: &[(&str, Option<&str>, &[u8])]| {
        // By the earlier path, which scripts may use.
        let request = agent().post(server.url("/api/v1/boards"));
        let request = request.header("content-type", form_type());
        Answer::of(request.send(&form_of(fields)[..]))
    };
    let answer = upload(&fields);
    assert_eq!(answer.status, 201, "{}", answer.body);
    let id = answer.json()["runs"][0]["id"].take();
    let source = server.run(id.as_str().unwrap())["source"].take();
    assert_eq!(source["own"], json!(["metrics/mAP50, all"]));
    assert_eq!(source["not_shown"], json!(["val/loss"]));
    assert_eq!(
        upload(&[("tags", None, b"[1]"), fields[1]]).fields(),
        ["tags"]
    );

    let trained = server.create(&mlp(1));
    server.await_status(&trained, "finished");
    let path = format!("/api/v1/runs/{trained}/tags");
    assert_eq!(server.get(&path).status, 409);
    assert_eq!(server.put(&path, &json!({"tags": {}})).status, 409);

    let logs = tempfile::tempdir().unwrap();
    fs::write(
        logs.path().join("events.out.tfevents.2"),
        events(&[("map50", 1, 1.0), ("accuracy", 1, 0.5)]),
    )
    .unwrap();
    let (logs, data) = (
        logs.path().to_str().unwrap(),
        server.data_dir().to_str().unwrap(),
    );
    let said = [
        "--tag",
        "map50=own",
        "--tag",
        "accuracy=validation_accuracy",
        "--tag",
        "x=lr",
    ];
    let output = vivarium(&[&["import-events", logs, "--data-dir", data][..], &said].concat());
    let (told, warned) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(
        told.contains("validation_accuracy is “accuracy”; in charts of their own: map50"),
        "{told}"
    );
    assert!(
        warned.contains("no run that was imported has a tag “x”"),
        "{warned}"
    );
    let wrong = vivarium(&[
        "import-events",
        logs,
        "--data-dir",
        data,
        "--tag",
        "map50=loss",
    ]);
    assert!(
        String::from_utf8(wrong.stderr)
            .unwrap()
            .contains("must be one of train_loss")
    );
}
