//! Runs page by page: cursors, searches, filters, orders and groups, over runs that are written instead of trained.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::events::Reader;
use crate::support::{ENDLESS, Server, mlp, until};

/// A run that is over.
struct Written {
    name: &'static str,
    network: Value,
    set: &'static str,
    lr: Value,
    /// The accuracy after its only epoch, with which it ends; `None`: it ends before that.
    accuracy: Option<f64>,
    reason: &'static str,
    seconds: f64,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            name: "mlp on digits",
            network: json!({"kind": "mlp"}),
            set: "digits",
            lr: json!(0.01),
            accuracy: Some(0.5),
            reason: "completed",
            seconds: 1.0,
        }
    }
}

impl Written {
    fn to(&self, runs: &Path, number: u64) -> String {
        let id = format!("0199d3a0-{number:04x}-7000-8000-000000000000");
        let folder = runs.join(&id);
        fs::create_dir_all(&folder).unwrap();
        // Complete: what is written by hand is checked, and the data set must be there.
        let spec = json!({
            "name": self.name,
            "data": {"set": self.set, "validation": 0.1, "limit": null, "size": 8, "channels": 1, "augment": "none",
                     "normalisation": "measured"},
            "network": self.network,
            "training": {
                "epochs": 1, "batch_size": 32,
                "optimizer": {"kind": "sgd", "lr": self.lr, "momentum": 0.9, "weight_decay": 0.0, "nesterov": false},
                "schedule": {"kind": "constant", "warmup_epochs": 0.0}, "label_smoothing": 0.0, "clip": null,
                "early_stopping": null, "seed": 0, "threads": null,
            },
            "device": "cpu",
        });
        fs::write(folder.join("spec.json"), spec.to_string()).unwrap();
        let mut lines = vec![json!({
            "kind": "started", "parameters": 100 + number, "classes": ["0", "1"], "train_samples": 8,
            "steps_per_epoch": 2, "total_steps": 2,
        })];
        if let Some(accuracy) = self.accuracy {
            let score = json!({"loss": 1.0 - accuracy, "accuracy": accuracy});
            lines.push(json!({
                "kind": "steps", "first_step": 1, "epoch": 1, "samples_seen": 8, "seconds": self.seconds,
                "loss": [0.9, 0.8], "accuracy": [0.5, 0.5], "lr": [0.1, 0.1], "images_per_s": 12,
            }));
            lines.push(json!({
                "kind": "epoch", "epoch": 1, "step": 2, "samples_seen": 8, "train": score, "validation": score,
                "seconds": self.seconds, "elapsed": self.seconds, "peak_memory_bytes": 1000 - number,
            }));
        }
        lines.push(json!({"kind": "finished", "reason": self.reason, "message": ""}));
        let text = lines.iter_mut().enumerate().map(|(at, line)| {
            line["seq"] = json!(at + 1);
            line["time"] = json!("2026-01-01T00:00:00Z");
            format!("{line}\n")
        });
        fs::write(folder.join("events.ndjson"), text.collect::<String>()).unwrap();
        id
    }
}

/// A server with these runs, from the oldest to the newest, and their ids.
fn server_with(written: &[Written]) -> (Server, Vec<String>) {
    let folder = TempDir::new().unwrap();
    let runs = folder.path().join("runs");
    let ids = written
        .iter()
        .zip(0..)
        .map(|(run, at)| run.to(&runs, at))
        .collect();
    let server = Server::start_on(folder);
    await_runs(&server, written.len());
    (server, ids)
}

fn await_runs(server: &Server, count: usize) {
    until("every run is indexed", || {
        let list = server.get("/api/v1/runs?limit=1").json();
        let statuses = list["statuses"].as_object().unwrap().values();
        let over = ["running", "queued"]
            .iter()
            .all(|of| list["statuses"][of] == 0);
        over && statuses.map(|count| count.as_u64().unwrap()).sum::<u64>() as usize == count
    });
}

fn plain(count: usize) -> (Server, Vec<String>) {
    let runs: Vec<_> = (0..count).map(|_| Written::default()).collect();
    server_with(&runs)
}

fn list(server: &Server, query: &str) -> Value {
    server.get(&format!("/api/v1/runs?{query}")).expect(200)
}

fn of(list: &Value, field: &str) -> Vec<String> {
    let runs = list["runs"].as_array().unwrap().iter();
    runs.map(|run| run[field].as_str().unwrap().to_owned())
        .collect()
}

fn names(server: &Server, query: &str) -> Vec<String> {
    of(&list(server, query), "name")
}

/// The ids of all pages.
fn walk(server: &Server, query: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = list(server, &format!("{query}{cursor}"));
        ids.extend(of(&page, "id"));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

/// The names of settings of a search, as they stand in an address.
fn encoded(text: &str) -> String {
    let bytes = text.bytes().map(|byte| format!("%{byte:02x}"));
    bytes.collect()
}

#[test]
fn pages_follow_one_another_from_the_newest_run_to_the_oldest() {
    let (server, mut ids) = plain(230);
    ids.reverse();
    let first = list(&server, "");
    assert_eq!(of(&first, "id"), ids[..100], "a hundred unless one says");
    assert_eq!(first["total"], 230);
    assert_eq!(first["statuses"]["finished"], 230);
    assert_eq!(first["unreadable"], json!([]));
    assert_eq!(first["groups"], json!([]));
    for (query, limit) in [("limit=100", 100), ("limit=7", 7), ("limit=1000", 1000)] {
        assert_eq!(walk(&server, query), ids, "{query}");
        let page = list(&server, query);
        assert_eq!(of(&page, "id").len(), limit.min(230));
        assert_eq!(page["next"].is_null(), limit == 1000);
    }
    // Of equals the newest come first, whatever is asked.
    assert_eq!(walk(&server, "limit=50&sort=validation"), ids);
    assert_eq!(walk(&server, "limit=50&search=digits&sort=-name"), ids);
    assert_eq!(walk(&server, "limit=23&group=status"), ids);
    ids.reverse();
    assert_eq!(walk(&server, "limit=50&sort=created"), ids);
}

#[test]
fn a_cursor_holds_its_place_while_runs_come_go_and_change() {
    for sort in ["", "&sort=name", "&sort=-validation"] {
        let (server, ids) = plain(12);
        let first = list(&server, &format!("limit=4{sort}"));
        let shown = of(&first, "id");
        let cursor = first["next"].as_str().unwrap();
        // The run at the end of the page goes, so do one before it and one after it, and another comes.
        for gone in [&shown[3], &shown[1], &ids[3]] {
            assert_eq!(server.delete(&format!("/api/v1/runs/{gone}")).status, 204);
        }
        Written::default().to(&server.data_dir().join("runs"), 4000);
        await_runs(&server, 10);
        let rest = walk(&server, &format!("limit=3{sort}&cursor={cursor}"));
        let expected: Vec<_> = ids
            .iter()
            .rev()
            .skip(4)
            .filter(|id| **id != ids[3])
            .collect();
        assert_eq!(rest.iter().collect::<Vec<_>>(), expected, "{sort}");
    }
}

fn fruit() -> Vec<Written> {
    vec![
        Written {
            name: "apple",
            accuracy: Some(0.95),
            ..Written::default()
        },
        Written {
            name: "Banana",
            network: json!({"kind": "vgg16", "head": "compact"}),
            set: "fashion-mnist",
            lr: json!(0.001),
            accuracy: Some(0.8),
            seconds: 700.0,
            ..Written::default()
        },
        Written {
            name: "cherry pie",
            accuracy: None,
            reason: "stopped",
            ..Written::default()
        },
    ]
}

#[test]
fn runs_are_searched_by_words_and_by_terms() {
    let (server, ids) = server_with(&fruit());
    let labels = json!({"tags": ["final", "course two"], "notes": "tastes gööd"});
    server
        .patch(&format!("/api/v1/runs/{}", ids[0]), &labels)
        .expect(200);
    for (search, expected) in [
        ("", &["cherry pie", "Banana", "apple"][..]),
        ("an", &["Banana"]),
        ("banana", &["Banana"]),
        ("vgg", &["Banana"]),
        ("fashion", &["Banana"]),
        ("tastes", &["apple"]),
        ("GÖÖD", &["apple"]),
        ("course", &["apple"]),
        ("stopped", &["cherry pie"]),
        (&ids[1], &["Banana"]),
        ("mlp e", &["cherry pie", "apple"]),
        ("\"cherry pie\"", &["cherry pie"]),
        ("tag:final", &["apple"]),
        ("-tag:final", &["cherry pie", "Banana"]),
        ("accuracy>0.9", &["apple"]),
        ("accuracy>=80", &["Banana", "apple"]),
        ("accuracy<1", &["Banana", "apple"]),
        ("lr<=0.005 network:vgg16", &["Banana"]),
        ("lr!=0.001", &["cherry pie", "apple"]),
        ("head:compact", &["Banana"]),
        ("seconds>10min", &["Banana"]),
        ("status:stopped", &["cherry pie"]),
        ("id:0199d3a0-0001", &["Banana"]),
        ("data=fashion-mnist", &["Banana"]),
        ("nothing of that kind", &[]),
    ] {
        let found = list(&server, &format!("search={}", encoded(search)));
        assert_eq!(of(&found, "name"), expected, "{search}");
        assert_eq!(found["total"], expected.len(), "{search}");
        assert_eq!(found["statuses"]["finished"], 2, "of all runs");
    }
}

#[test]
fn every_term_that_is_not_understood_is_told() {
    let (server, _) = server_with(&fruit());
    let search = encoded("mlp netwrk:mlp accuracy>much status>3 lr:");
    let problem = server
        .get(&format!("/api/v1/runs?search={search}"))
        .expect(422);
    let errors = problem["errors"].as_array().unwrap();
    let terms: Vec<_> = errors.iter().map(|error| &error["value"]).collect();
    assert_eq!(terms, ["netwrk:mlp", "accuracy>much", "status>3", "lr:"]);
    for (error, told) in errors.iter().zip(["netwrk", "number", "text", "value"]) {
        assert_eq!(error["path"], "search");
        assert!(error["message"].as_str().unwrap().contains(told), "{error}");
    }
    assert!(errors[0]["message"].as_str().unwrap().contains("network"));
}

#[test]
fn runs_are_sorted_by_every_column_and_what_has_no_value_comes_last() {
    let (server, _) = server_with(&fruit());
    for (sort, expected) in [
        ("created", ["apple", "Banana", "cherry pie"]),
        ("-created", ["cherry pie", "Banana", "apple"]),
        ("name", ["apple", "Banana", "cherry pie"]),
        ("-name", ["cherry pie", "Banana", "apple"]),
        ("status", ["cherry pie", "Banana", "apple"]),
        ("-status", ["Banana", "apple", "cherry pie"]),
        ("network", ["cherry pie", "apple", "Banana"]),
        ("-data", ["Banana", "cherry pie", "apple"]),
        ("progress", ["cherry pie", "Banana", "apple"]),
        ("-progress", ["Banana", "apple", "cherry pie"]),
        ("train_loss", ["apple", "Banana", "cherry pie"]),
        ("loss", ["apple", "Banana", "cherry pie"]),
        ("-loss", ["Banana", "apple", "cherry pie"]),
        ("last", ["Banana", "apple", "cherry pie"]),
        ("validation", ["Banana", "apple", "cherry pie"]),
        ("-validation", ["apple", "Banana", "cherry pie"]),
        ("test", ["cherry pie", "Banana", "apple"]),
        ("-parameters", ["cherry pie", "Banana", "apple"]),
        ("parameters", ["apple", "Banana", "cherry pie"]),
        ("memory", ["Banana", "apple", "cherry pie"]),
        ("speed", ["Banana", "apple", "cherry pie"]),
        ("-seconds", ["Banana", "apple", "cherry pie"]),
        ("seconds", ["apple", "Banana", "cherry pie"]),
        ("training.optimizer.lr", ["Banana", "cherry pie", "apple"]),
        ("network.head", ["Banana", "cherry pie", "apple"]),
    ] {
        assert_eq!(names(&server, &format!("sort={sort}")), expected, "{sort}");
        let one_by_one = walk(&server, &format!("limit=1&sort={sort}"));
        assert_eq!(one_by_one.len(), 3, "{sort}");
    }
}

#[test]
fn settings_are_sorted_as_numbers_before_texts() {
    let widths = [
        ("a", json!(100)),
        ("b", json!(9)),
        ("c", Value::Null),
        ("d", json!("auto")),
    ];
    // Settings of another program may be anything.
    let runs = widths.map(|(name, width)| Written {
        name,
        network: json!({"kind": "mlp", "hidden": [8], "activation": "relu"}),
        lr: width,
        ..Written::default()
    });
    let folder = TempDir::new().unwrap();
    let ids: Vec<_> = runs
        .iter()
        .zip(0..)
        .map(|(run, at)| {
            let plain = Written {
                name: run.name,
                ..Written::default()
            };
            plain.to(&folder.path().join("runs"), at)
        })
        .collect();
    let mut server = Server::start_on(folder);
    await_runs(&server, 4);
    server.stop();
    for (id, run) in ids.iter().zip(&runs) {
        let index = server.index();
        let spec = json!({"name": run.name, "hparams": {"width": run.lr}}).to_string();
        index
            .execute("UPDATE runs SET spec = ?2 WHERE id = ?1", [id, &spec])
            .unwrap();
    }
    server.restart();
    await_runs(&server, 4);
    assert_eq!(names(&server, "sort=hparams.width"), ["b", "a", "d", "c"]);
    assert_eq!(names(&server, "sort=-hparams.width"), ["d", "a", "b", "c"]);
    assert_eq!(names(&server, "search=width%3e50"), ["a"]);
    assert_eq!(names(&server, "search=width%3aAUT"), ["d"]);
}

#[test]
fn runs_are_filtered_by_status_tag_sweep_and_selection() {
    let folder = TempDir::new().unwrap();
    let ids: Vec<_> = fruit()
        .iter()
        .zip(0..)
        .map(|(run, at)| run.to(&folder.path().join("runs"), at))
        .collect();
    let sweep = "0199d3a0-0000-7000-8000-000000000001";
    fs::create_dir(folder.path().join("sweeps")).unwrap();
    let base = json!({
        "base": {"data": {"set": "digits"}, "network": {"kind": "mlp"}},
        "grid": {"training.optimizer.lr": [0.1]}, "repeats": 1, "runs": [ids[0], ids[2]],
    });
    let path = folder.path().join("sweeps").join(format!("{sweep}.json"));
    fs::write(path, base.to_string()).unwrap();
    let server = Server::start_on(folder);
    await_runs(&server, 3);
    for (at, tag) in [(0, "one"), (1, "two, or more")] {
        server
            .patch(
                &format!("/api/v1/runs/{}", ids[at]),
                &json!({"tags": [tag]}),
            )
            .expect(200);
    }
    let of_sweep = list(&server, &format!("sweep={sweep}"));
    assert_eq!(of(&of_sweep, "name"), ["cherry pie", "apple"]);
    assert_eq!(of_sweep["statuses"]["finished"], 1, "those of the sweep");
    let selection = server.post("/api/v1/selections", &json!({"runs": ids[..2]}));
    let selection = selection.expect(201)["id"].as_str().unwrap().to_owned();
    for (query, expected) in [
        ("status=stopped".to_owned(), &["cherry pie"][..]),
        (
            "status=stopped&status=finished".to_owned(),
            &["cherry pie", "Banana", "apple"],
        ),
        ("status=failed".to_owned(), &[]),
        ("tag=one".to_owned(), &["apple"]),
        (
            "tag=one&tag=two,%20or%20more".to_owned(),
            &["Banana", "apple"],
        ),
        ("tag=on".to_owned(), &[]),
        (format!("sweep={sweep}&status=finished"), &["apple"]),
        (format!("sweep={sweep}&search=pie"), &["cherry pie"]),
        (format!("selection={selection}"), &["Banana", "apple"]),
        (format!("selection={selection}&sweep={sweep}"), &["apple"]),
    ] {
        let found = list(&server, &query);
        assert_eq!(of(&found, "name"), expected, "{query}");
        assert_eq!(found["total"], expected.len(), "{query}");
        let told = server.get(&format!("/api/v1/runs/ids?{query}")).expect(200);
        assert_eq!(told["ids"], json!(of(&found, "id")), "{query}");
    }
}

#[test]
fn what_is_not_valid_is_refused_by_the_name_of_the_parameter() {
    let (server, _) = plain(3);
    let other = list(&server, "limit=1&sort=name");
    let other = other["next"].as_str().unwrap();
    for (query, parameter) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("limit=many", "limit"),
        ("cursor=", "cursor"),
        ("cursor=7b7d", "cursor"),
        ("cursor=%2e%2e%2f", "cursor"),
        (&format!("cursor={other}"), "cursor"),
        (&format!("sort=-name&cursor={other}"), "cursor"),
        ("sort=colour", "sort"),
        ("sort=--name", "sort"),
        ("sort=", "sort"),
        ("status=done", "status"),
        ("group=colour", "group"),
        ("search=colour:red", "search"),
        (&format!("search={}", "x".repeat(1001)), "search"),
        ("stauts=failed", "stauts"),
    ] {
        let problem = server.get(&format!("/api/v1/runs?{query}")).expect(422);
        assert_eq!(
            problem["errors"][0]["path"], parameter,
            "{query}: {problem}"
        );
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with(parameter), "{query}: {detail}");
    }
    assert_eq!(server.get("/api/v1/runs?selection=x").status, 404);
    for (query, parameter) in [
        ("group=tag", "value"),
        ("group=tag&value=x", "value"),
        ("value=1", "group"),
        ("limit=1", "limit"),
    ] {
        let problem = server.get(&format!("/api/v1/runs/ids?{query}")).expect(422);
        assert_eq!(problem["errors"][0]["path"], parameter, "{query}");
    }
    let problem = server.get("/api/v1/runs/facets?search=x").expect(422);
    assert_eq!(problem["errors"][0]["path"], "search");
    // A place that is past the end.
    let last = list(&server, "limit=2&sort=-name");
    let next = last["next"].as_str().unwrap();
    let rest = list(&server, &format!("limit=2&sort=-name&cursor={next}"));
    assert_eq!(of(&rest, "id").len(), 1);
}

#[test]
fn runs_are_listed_group_by_group() {
    let rates = [0.1, 0.01, 0.1, 0.001, 0.01];
    let accuracies = [Some(0.2), Some(0.4), Some(0.6), None, Some(0.9)];
    let written: Vec<_> = rates
        .iter()
        .zip(accuracies)
        .map(|(lr, accuracy)| Written {
            lr: json!(lr),
            accuracy,
            ..Written::default()
        })
        .collect();
    let (server, ids) = server_with(&written);
    let lr = "group=training.optimizer.lr";
    let all = list(&server, lr);
    let expected: Vec<_> = [4, 1, 3, 2, 0].iter().map(|at| ids[*at].clone()).collect();
    assert_eq!(
        of(&all, "id"),
        expected,
        "groups in the order of their first runs"
    );
    let groups = all["groups"].as_array().unwrap();
    let told: Vec<_> = groups
        .iter()
        .map(|group| {
            (
                group["value"].clone(),
                group["runs"].clone(),
                group["listed"].clone(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [0.01, 0.001, 0.1].map(|rate| {
            let count = if rate == 0.001 { json!(1) } else { json!(2) };
            (json!(rate), count.clone(), count)
        })
    );
    let mean = |at: usize| groups[at]["mean_best_validation_accuracy"].as_f64();
    assert!((mean(0).unwrap() - 0.65).abs() < 1e-9);
    assert_eq!((mean(1), &groups[1]["validated"]), (None, &json!(0)));
    // A page may end within a group.
    for limit in 1..=5 {
        assert_eq!(walk(&server, &format!("{lr}&limit={limit}")), expected);
    }
    let part = list(&server, &format!("{lr}&limit=1"));
    assert_eq!(part["groups"][0]["runs"], 2);
    assert_eq!(part["groups"][0]["listed"], 1);
    let of_group = server.get("/api/v1/runs/ids?group=training.optimizer.lr&value=0.1");
    assert_eq!(of_group.expect(200)["ids"], json!([ids[2], ids[0]]));

    for (at, tags) in [(0, json!(["a", "b"])), (2, json!(["b"]))] {
        server
            .patch(&format!("/api/v1/runs/{}", ids[at]), &json!({"tags": tags}))
            .expect(200);
    }
    let by_tag = list(&server, "group=tag");
    let expected: Vec<_> = [2, 0, 4, 3, 1].iter().map(|at| ids[*at].clone()).collect();
    assert_eq!(of(&by_tag, "id"), expected, "runs without a tag come last");
    let told: Vec<_> = by_tag["groups"].as_array().unwrap().iter().collect();
    let told: Vec<_> = told
        .iter()
        .map(|group| {
            (
                group["value"].clone(),
                group["runs"].clone(),
                group["listed"].clone(),
            )
        })
        .collect();
    let expected_groups = [("b", 2, 2), ("", 3, 3)].map(|(tag, runs, listed)| {
        let value = if tag.is_empty() {
            Value::Null
        } else {
            json!(tag)
        };
        (value, json!(runs), json!(listed))
    });
    assert_eq!(
        told, expected_groups,
        "a run of two groups is listed in the first"
    );
    for limit in 1..=5 {
        assert_eq!(walk(&server, &format!("group=tag&limit={limit}")), expected);
    }
    let none = server
        .get("/api/v1/runs/ids?group=tag&value=null")
        .expect(200);
    assert_eq!(none["ids"], json!([ids[4], ids[3], ids[1]]));
}

#[test]
fn the_values_that_runs_have_are_told() {
    let mut runs = fruit();
    runs.push(Written {
        lr: json!(0.5),
        ..Written::default()
    });
    let (server, ids) = server_with(&runs);
    server
        .patch(
            &format!("/api/v1/runs/{}", ids[0]),
            &json!({"tags": ["final", "b"]}),
        )
        .expect(200);
    let facets = server.get("/api/v1/runs/facets").expect(200);
    assert_eq!(facets["tags"], json!(["b", "final"]));
    assert_eq!(facets["sources"], json!(["vivarium"]));
    let settings = facets["settings"].as_array().unwrap();
    let setting = |path: &str| {
        let found = settings.iter().find(|setting| setting["path"] == path);
        found.unwrap_or_else(|| panic!("{path} in {facets}"))
    };
    let values = |path: &str| -> BTreeSet<String> {
        let values = setting(path)["values"].as_array().unwrap();
        values.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        values("training.optimizer.lr"),
        ["0.001", "0.01", "0.5"].map(str::to_owned).into()
    );
    assert_eq!(setting("training.optimizer.lr")["differs"], true);
    assert_eq!(setting("training.batch_size")["differs"], false);
    let last = settings
        .iter()
        .rposition(|setting| setting["path"] == "training.batch_size");
    let head = settings
        .iter()
        .position(|setting| setting["path"] == "network.head");
    assert!(head > last, "what only some runs have comes last");
    assert!(settings.iter().all(|setting| setting["path"] != "name"));
}

#[test]
fn a_lost_index_has_the_same_runs_in_the_same_order_again() {
    let mut written = Vec::new();
    for at in 0..150 {
        written.push(Written {
            accuracy: (at % 3 > 0).then_some(f64::from(at) / 200.0),
            reason: ["completed", "stopped", "failed", "diverged"][at as usize % 4],
            ..Written::default()
        });
    }
    let (mut server, ids) = server_with(&written);
    server
        .patch(
            &format!("/api/v1/runs/{}", ids[7]),
            &json!({"tags": ["kept"]}),
        )
        .expect(200);
    // A log that does not end, one that is no log, and settings that are none.
    let runs = server.data_dir().join("runs");
    server.stop();
    for (at, file, text) in [
        (
            3,
            "events.ndjson",
            "{\"kind\":\"started\",\"seq\":1,\"parameters\":1}\n",
        ),
        (4, "events.ndjson", "nothing\n"),
        (5, "spec.json", "{"),
    ] {
        fs::write(runs.join(&ids[at]).join(file), text).unwrap();
    }
    server.restart();
    let facts = |server: &Server| {
        let mut all = list(server, "limit=1000")["runs"].clone();
        for run in all.as_array_mut().unwrap() {
            run.as_object_mut().unwrap().remove("changed");
        }
        all
    };
    until("what changed is told", || {
        let run = |at: usize| server.get(&format!("/api/v1/runs/{}", ids[at])).json();
        run(3)["message"] != "" && run(4)["message"] != ""
    });
    let status = |server: &Server, at: usize| server.run(&ids[at])["status"].clone();
    let before = facts(&server);
    server.stop();
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(server.data_dir().join(format!("index.sqlite3{suffix}")));
    }
    server.restart();
    // The one whose settings are lost is not shown, and the others are.
    await_runs(&server, 149);
    assert_eq!(status(&server, 3), "failed");
    assert_eq!(status(&server, 4), "failed");
    let after = facts(&server);
    let whole = |all: &Value| -> Vec<Value> {
        let all = all.as_array().unwrap().iter().rev().cloned();
        let damaged = [3, 4, 5].map(|at| ids[at].clone());
        all.filter(|run| damaged.iter().all(|id| run["id"] != **id))
            .collect()
    };
    let without_number = |mut runs: Vec<Value>| {
        for run in &mut runs {
            run.as_object_mut().unwrap().remove("number");
        }
        runs
    };
    let (before, after) = (whole(&before), whole(&after));
    let numbers = after.iter().map(|run| run["number"].as_u64().unwrap());
    assert!(
        numbers.is_sorted(),
        "they are numbered as they were created"
    );
    assert_eq!(without_number(after), without_number(before));
    assert_eq!(server.run(&ids[7])["tags"], json!(["kept"]));
}

/// The data of the page of runs.
fn page_data(server: &Server, path: &str) -> Value {
    let body = server.get(path).body;
    let (_, data) = body.split_once("id=\"data\">").unwrap();
    serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn the_page_has_the_first_runs_and_its_stream_tells_what_changes_from_then_on() {
    let (server, ids) = plain(230);
    let data = page_data(&server, "/");
    assert_eq!(data["first"]["runs"].as_array().unwrap().len(), 100);
    assert_eq!(data["first"]["total"], 230);
    let changes = data["changes"].as_str().unwrap();
    let mut reader = Reader::open(&server, &format!("status=none&changes={changes}"), None);
    let events = |reader: &mut Reader, until: &str| {
        let mut seen = Vec::new();
        loop {
            let message = reader.next().unwrap();
            let end = message.event == until;
            seen.push((
                message.event,
                serde_json::from_str::<Value>(&message.data).unwrap(),
            ));
            if end {
                return seen;
            }
        }
    };
    let began = events(&mut reader, "upto");
    let kinds: Vec<_> = began.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["server", "upto"], "no state of a run");
    let new = server.create(&mlp(ENDLESS));
    let told = events(&mut reader, "upto");
    assert!(
        told.iter()
            .any(|(kind, run)| kind == "run" && run["id"] == *new)
    );
    assert!(
        told.iter()
            .all(|(kind, run)| kind != "run" || run["id"] == *new)
    );
    assert_eq!(
        server.delete(&format!("/api/v1/runs/{}", ids[0])).status,
        204
    );
    loop {
        let told = events(&mut reader, "upto");
        if told
            .iter()
            .any(|(kind, data)| kind == "removed" && data["id"] == *ids[0])
        {
            break;
        }
    }
    // Runs that are named are told beside that, as they are at the beginning.
    let query = format!("status={}&changes={changes}", ids[1]);
    let told = events(&mut Reader::open(&server, &query, None), "upto");
    assert!(
        told.iter()
            .any(|(kind, run)| kind == "run" && run["id"] == *ids[1])
    );
}

#[test]
fn of_many_changes_the_number_is_told_and_of_named_runs_the_states() {
    let (server, ids) = plain(3);
    let changes = page_data(&server, "/")["changes"]
        .as_str()
        .unwrap()
        .to_owned();
    let runs = server.data_dir().join("runs");
    for at in 0..250 {
        Written::default().to(&runs, 1000 + at);
    }
    await_runs(&server, 253);
    let selection = server.post("/api/v1/selections", &json!({"runs": ids[..2]}));
    let selection = selection.expect(201)["id"].as_str().unwrap().to_owned();
    let query = format!("status={selection}&changes={changes}");
    let mut reader = Reader::open(&server, &query, None);
    let (mut states, mut many) = (Vec::new(), None);
    loop {
        let message = reader.next().unwrap();
        let data: Value = serde_json::from_str(&message.data).unwrap();
        match message.event.as_str() {
            "run" => states.push(data["id"].as_str().unwrap().to_owned()),
            "many" => many = data["runs"].as_u64(),
            "upto" => break,
            _ => {}
        }
    }
    states.sort();
    states.dedup();
    assert_eq!(states, ids[..2]);
    assert_eq!(many, Some(250));
    // Every state is told to who asks for all of them, however many there are.
    let mut reader = Reader::open(&server, "status=all", None);
    let mut seen = BTreeSet::new();
    loop {
        let message = reader.next().unwrap();
        match message.event.as_str() {
            "run" => {
                let run: Value = serde_json::from_str(&message.data).unwrap();
                assert!(
                    seen.insert(run["id"].as_str().unwrap().to_owned()),
                    "told twice"
                );
            }
            "upto" => break,
            _ => {}
        }
    }
    assert_eq!(seen.len(), 253);
    // A place in another index is none: what changes from now on is told.
    let other = "0199d3a0-0000-7000-8000-000000000000.1";
    let mut reader = Reader::open(&server, &format!("status=none&changes={other}"), None);
    let kinds = [reader.next(), reader.next()].map(|message| message.unwrap().event);
    assert_eq!(kinds, ["server", "upto"]);
}
