//! Which runs are found, and with what they can be.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;
use tempfile::TempDir;

use super::written::{Written, await_runs, fruit, server_with};
use super::{encoded, list, of};
use crate::support::Server;

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
    let fields = facets["fields"].as_array().unwrap();
    assert!(fields.contains(&json!({"name": "accuracy", "numeric": true})));
    for field in fields {
        let name = field["name"].as_str().unwrap();
        let is_compared = server
            .get(&format!("/api/v1/runs?search={name}%3e1"))
            .status
            == 200;
        assert_eq!(field["numeric"], is_compared, "{name}");
        list(&server, &format!("search={name}%3a1"));
    }
}
