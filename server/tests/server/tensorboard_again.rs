//! Logs that are imported a second time, after training went on.

use std::fs;

use serde_json::json;

use crate::support::{Server, until, vivarium};
use crate::tensorboard::{events, send, series};

#[test]
fn a_log_that_grew_replaces_what_was_imported_of_it_and_keeps_its_labels() {
    let mut server = Server::start();
    let begun = events(&[("loss", 1, 1.0), ("loss", 2, 2.0)]);
    let grown = events(&[
        ("loss", 1, 1.0),
        ("loss", 2, 2.0),
        ("loss", 3, 3.0),
        ("val_loss", 3, 4.0),
    ]);
    let name = "exp/events.out.tfevents.1.host";
    let id = send(&server, "", &[(name, &begun)]).json()["runs"][0]["id"].take();
    let id = id.as_str().unwrap();
    let labels = json!({"name": "renamed", "tags": ["a"], "notes": "seen"});
    server.patch(&format!("/api/v1/runs/{id}"), &labels);

    let answer = send(&server, "", &[(name, &grown)]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let told = answer.json();
    assert_eq!(
        (&told["replaced"][0]["id"], &told["replaced"][0]["name"]),
        (&json!(id), &json!("renamed"))
    );
    assert_eq!(told["runs"], json!([]));
    let run = server.run(id);
    assert_eq!(
        (&run["name"], &run["tags"], &run["notes"], &run["status"]),
        (
            &json!("renamed"),
            &json!(["a"]),
            &json!("seen"),
            &json!("finished")
        )
    );
    assert_eq!(
        series(&server, id, "train_loss")["y"],
        json!([1.0, 2.0, 3.0])
    );
    assert_eq!(series(&server, id, "validation_loss")["y"], json!([4.0]));
    assert_eq!(run["summary"]["validation_loss"], 4.0);
    assert_eq!(run["source"]["files"][0]["bytes"], grown.len());

    // What is older says so and changes nothing, also with another file beside it that is no longer there.
    let told = send(&server, "", &[(name, &begun)]).json();
    assert_eq!(told["newer"][0]["id"], *id);
    // A further file of the same run, as a resumed training begins it.
    let resumed = events(&[("loss", 4, 5.0)]);
    let told = send(
        &server,
        "",
        &[(name, &grown), ("exp/events.out.tfevents.2.host", &resumed)],
    );
    assert_eq!(told.json()["replaced"][0]["id"], *id);
    assert_eq!(
        series(&server, id, "train_loss")["y"],
        json!([1.0, 2.0, 3.0, 5.0])
    );
    let told = send(&server, "", &[(name, &grown)]).json();
    assert_eq!(told["newer"][0]["id"], *id);
    assert_eq!(
        server.get("/api/v1/runs").json()["runs"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    // The index is made of what lies in the directory now.
    server.stop();
    for file in ["index.sqlite3", "index.sqlite3-wal", "index.sqlite3-shm"] {
        let _ = fs::remove_file(server.data_dir().join(file));
    }
    server.restart();
    server.await_status(id, "finished");
    assert_eq!(series(&server, id, "train_loss")["total"], 4);
    // Nothing is left of what was replaced.
    let left = fs::read_dir(server.data_dir().join("boards")).unwrap();
    assert_eq!(left.count(), 0);
}

#[test]
fn the_command_line_replaces_a_run_that_a_server_shows() {
    let server = Server::start();
    let logs = tempfile::tempdir().unwrap();
    let path = logs.path().join("exp/events.out.tfevents.1.host");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let import = || {
        let (logs, data) = (logs.path().to_str().unwrap(), server.data_dir());
        let output = vivarium(&["import-events", logs, "--data-dir", data.to_str().unwrap()]);
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{told}");
        told
    };
    let whole = events(&[("loss", 1, 1.0), ("loss", 2, 2.0)]);
    // Still written: its last record is half there.
    fs::write(&path, &whole[..whole.len() - 9]).unwrap();
    let told = import();
    let id = told.split_whitespace().next().unwrap().to_owned();
    server.await_status(&id, "finished");
    assert_eq!(series(&server, &id, "train_loss")["y"], json!([1.0]));
    fs::write(&path, &whole).unwrap();
    let told = import();
    assert!(
        told.starts_with(&id) && told.contains("has grown"),
        "{told}"
    );
    until("the curve is the longer one", || {
        series(&server, &id, "train_loss")["y"] == json!([1.0, 2.0])
    });
    assert!(import().contains("is here already"));
    // It was cut back, and is written on in another way.
    fs::write(&path, events(&[("loss", 1, 1.0)])).unwrap();
    assert!(import().contains("they are older"));
    fs::write(&path, events(&[("loss", 1, 9.0)])).unwrap();
    let told = import();
    assert!(
        !told.starts_with(&id) && told.contains("there are two runs now"),
        "{told}"
    );
}

#[test]
fn a_copy_that_was_trained_on_elsewhere_is_a_run_of_its_own() {
    let server = Server::start();
    let begun = events(&[("loss", 1, 1.0)]);
    let grown = events(&[("loss", 1, 1.0), ("loss", 2, 2.0)]);
    let file = |folder: &str| format!("logs/{folder}/events.out.tfevents.1.host");
    let first = send(&server, "", &[(&file("a"), &begun)]).json()["runs"][0]["id"].take();
    let told = send(&server, "", &[(&file("b"), &grown)]).json();
    assert_eq!(told["runs"][0]["name"], "logs/b");
    let id = first.as_str().unwrap();
    assert_eq!(series(&server, id, "train_loss")["y"], json!([1.0]));
}
