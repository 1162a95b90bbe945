//! Runs that start from the weights of others: over the API and the command line, and what is refused.

use std::fs;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Server, form, form_type, vivarium};

const NET: &str = "def net(classes):\n    \
    def layer(c):\n        return Sequential(conv=Conv2d(c, 3, padding=1, bias=False), norm=BatchNorm2d(), act=ReLU())\n    \
    return Sequential(stem=layer(4), body=layer(6), mean=Mean(), head=Linear(classes))\n";

fn base(epochs: u64) -> Value {
    json!({
        "name": "first", "data": {"set": "digits", "limit": 300},
        "network": {"kind": "small", "source": NET}, "training": {"epochs": epochs, "threads": 1}
    })
}

fn from(id: &str, more: Value) -> Value {
    let mut spec = base(3);
    spec["name"] = json!("second");
    spec["training"]["transfer"] = json!({"from": id});
    for (name, value) in more.as_object().unwrap() {
        spec["training"]["transfer"][name] = value.clone();
    }
    spec
}

fn finished(server: &Server, spec: &Value) -> String {
    let id = server.create(spec);
    server.await_status(&id, "finished");
    id
}

fn notes(server: &Server, id: &str) -> String {
    let lines = server.log_lines(id);
    let events = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let notes = events.filter(|event| event["kind"] == "note");
    let notes: Vec<_> = notes
        .map(|event| event["message"].as_str().unwrap().to_owned())
        .collect();
    notes.join("\n")
}

fn weights(server: &Server, id: &str, file: &str) -> Vec<u8> {
    fs::read(server.run_dir(id).join("checkpoints").join(file)).unwrap()
}

fn tensor(bytes: &[u8], name: &str) -> Vec<u8> {
    let file = safetensors_header(bytes);
    let offsets = &file.1[name]["data_offsets"];
    let at = |i: usize| file.0 + offsets[i].as_u64().unwrap() as usize;
    bytes[at(0)..at(1)].to_vec()
}

fn safetensors_header(bytes: &[u8]) -> (usize, Value) {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    (
        8 + length,
        serde_json::from_slice(&bytes[8..8 + length]).unwrap(),
    )
}

#[test]
fn a_run_starts_from_another_and_keeps_what_is_frozen_when_that_is_deleted() {
    let server = Server::start();
    let first = finished(&server, &base(2));
    let best = weights(&server, &first, "best.safetensors");
    let second = server.create(&from(&first, json!({"trainable_blocks": 1})));
    // The weights are in the new run's directory, so the source may go.
    server.delete(&format!("/api/v1/runs/{first}")).expect(204);
    let run = server.await_status(&second, "finished");
    assert_eq!(run["spec"]["training"]["transfer"]["from"], json!(first));
    assert_eq!(weights(&server, &second, "start.safetensors"), best);
    let record = fs::read(server.run_dir(&second).join("start.json")).unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap();
    let sha256: String = Sha256::digest(&best)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(
        record,
        json!({"from": first, "name": "first", "sha256": sha256, "fresh_head": false})
    );
    let told = notes(&server, &second);
    assert!(
        told.contains("the weights of the run “first”") && told.contains(&sha256[..16]),
        "{told}"
    );
    let last = weights(&server, &second, "last.safetensors");
    for name in [
        "stem.conv.weight",
        "stem.norm.running_var",
        "body.norm.weight",
        "body.norm.running_mean",
    ] {
        assert!(tensor(&last, name) == tensor(&best, name), "{name}");
    }
    assert!(tensor(&last, "head.weight") != tensor(&best, "head.weight"));
}

#[test]
fn the_last_layer_is_new_for_another_data_set() {
    let server = Server::start();
    let points = |set: &str, transfer: Value| {
        let spec = json!({
            "data": {"set": set, "samples": 100}, "network": {"kind": "mlp", "hidden": [8]},
            "training": {"epochs": 1, "threads": 1, "transfer": transfer}
        });
        finished(&server, &spec)
    };
    let first = points("moons", Value::Null);
    let fresh_head = |set: &str| {
        let id = points(set, json!({"from": first}));
        let record = fs::read(server.run_dir(&id).join("start.json")).unwrap();
        let record: Value = serde_json::from_slice(&record).unwrap();
        record["fresh_head"].as_bool().unwrap()
    };
    // Both have two classes.
    assert!(!fresh_head("moons"));
    assert!(fresh_head("circles"));
}

#[test]
fn what_cannot_be_started_from_is_refused_at_its_field() {
    let server = Server::start();
    let first = finished(&server, &base(1));
    let running = server.create(&base(100_000));
    let refused = |spec: &Value, words: &str| {
        for path in ["/api/v1/runs", "/api/v1/specs/check"] {
            let problem = server.post(path, spec).expect(422);
            let errors = problem["errors"].as_array().unwrap();
            let error = errors
                .iter()
                .find(|error| error["path"] == "training.transfer.from");
            let message = error.map(|error| error["message"].as_str().unwrap());
            assert!(
                message.is_some_and(|message| message.contains(words)),
                "{problem}"
            );
        }
    };
    refused(&from("x", json!({})), "the id of a finished run");
    refused(&from("../../x", json!({})), "the id of a finished run");
    refused(&from("imported", json!({})), "no weights were imported");
    let nobody = "01890000-0000-7000-8000-000000000000";
    refused(&from(nobody, json!({})), "there is no run of this id");
    refused(&from(&running, json!({})), "has no");
    server.await_step(&running, 20);
    server.post(&format!("/api/v1/runs/{running}/stop"), &json!({}));
    let mut wider = from(&first, json!({}));
    wider["network"]["source"] = json!(NET.replace("layer(6)", "layer(8)"));
    refused(
        &wider,
        "body.conv.weight has the shape [6, 4, 3, 3] and not [8, 4, 3, 3]",
    );
    let mut colour = from(&first, json!({}));
    colour["data"]["channels"] = json!(3);
    refused(
        &colour,
        "stem.conv.weight has the shape [4, 1, 3, 3] and not [4, 3, 3, 3]",
    );
    let mut other = from(&first, json!({}));
    other["network"] = json!({"kind": "mlp"});
    refused(&other, "is a run of another network");
    let problem = server
        .post(
            "/api/v1/runs",
            &from(&first, json!({"trainable_blocks": 7})),
        )
        .expect(422);
    assert_eq!(
        problem["errors"][0]["path"],
        "training.transfer.trainable_blocks"
    );
    // Nothing of the refused runs is left.
    let runs = fs::read_dir(server.data_dir().join("runs"))
        .unwrap()
        .count();
    assert_eq!(runs, 2);
}

#[test]
fn a_sweep_compares_how_much_is_trained() {
    let server = Server::start();
    let first = finished(&server, &base(1));
    let sweep = json!({
        "base": from(&first, json!({})), "grid": {"training.transfer.trainable_blocks": [1, 2, 3]}
    });
    let made = server.post("/api/v1/sweeps", &sweep).expect(201);
    let runs = made["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 3);
    for run in runs {
        let id = run["id"].as_str().unwrap();
        server.await_status(id, "finished");
        assert!(server.run_dir(id).join("start.json").exists());
    }
    let bad = json!({"base": from("x", json!({})), "grid": {"training.transfer.trainable_blocks": [1, 2]}});
    server.post("/api/v1/sweeps", &bad).expect(422);
}

#[test]
fn the_form_offers_finished_runs_and_their_settings() {
    let server = Server::start();
    let first = finished(&server, &base(1));
    let plan = server
        .post(
            "/api/v1/specs/check",
            &from(&first, json!({"trainable_blocks": 1})),
        )
        .expect(200);
    assert_eq!(plan["plan"]["trainable_parameters"], 6 * 10 + 10);
    let blocks = plan["plan"]["blocks"].as_array().unwrap();
    assert_eq!(blocks[0], json!({"name": "stem", "parameters": 4 * 9 + 8}));
    let page = server.get(&format!("/new?transfer={first}"));
    assert_eq!(page.status, 200);
    assert!(page.body.contains(&first) && page.body.contains("first"));
    assert_eq!(
        server
            .get("/new?transfer=01890000-0000-7000-8000-000000000000")
            .status,
        404
    );
}

#[test]
fn the_command_line_starts_from_a_run_too() {
    let server = Server::start();
    let first = finished(&server, &base(1));
    let folder = server.data_dir().to_str().unwrap();
    let text = server.data_dir().join("small.py");
    fs::write(&text, NET).unwrap();
    let train = |from: &str| {
        vivarium(&[
            "train",
            "--network",
            text.to_str().unwrap(),
            "--data",
            "digits",
            "--data-dir",
            folder,
            "--set",
            "training.epochs=1",
            "--set",
            "data.limit=300",
            "--set",
            &format!("training.transfer.from={from}"),
        ])
    };
    let trained = train(&first);
    assert!(
        trained.status.success(),
        "{}",
        String::from_utf8_lossy(&trained.stderr)
    );
    let last = String::from_utf8(trained.stdout).unwrap();
    let summary: Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
    let run = std::path::Path::new(summary["directory"].as_str().unwrap());
    assert!(run.join("start.json").exists());
    let refused = train("01890000-0000-7000-8000-000000000000");
    assert!(!refused.status.success());
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(
        told.contains("training.transfer.from: there is no run of this id"),
        "{told}"
    );
}

#[test]
fn imported_weights_are_copied_into_the_run() {
    let server = Server::start();
    // Weights with the text of their network, as `scripts/efficientnet-lite0` writes them.
    let first = finished(&server, &base(1));
    let best = weights(&server, &first, "best.safetensors");
    let (start, mut header) = safetensors_header(&best);
    header["__metadata__"] = json!({"format": "pt", "vivarium.network": NET});
    let text = header.to_string();
    let mut file = (text.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(text.as_bytes());
    file.extend_from_slice(&best[start..]);
    let body = form("file", Some("my weights.safetensors"), &file);
    let imported = crate::support::agent()
        .post(server.url("/api/v1/networks/import"))
        .header("content-type", form_type())
        .send(&body[..]);
    let imported = crate::support::Answer::of(imported).expect(201);
    assert_eq!(imported["name"], "my-weights", "{imported}");
    let mut spec = from(
        "imported",
        json!({"trainable_blocks": 1, "fresh_head": true}),
    );
    spec["network"] = json!({"kind": "my-weights"});
    let second = server.create(&spec);
    server.await_status(&second, "finished");
    let last = weights(&server, &second, "last.safetensors");
    assert!(tensor(&last, "body.conv.weight") == tensor(&best, "body.conv.weight"));
    let told = notes(&server, &second);
    assert!(told.contains("the imported weights my-weights-"), "{told}");
    assert!(told.contains("The last layer starts anew."), "{told}");
}
