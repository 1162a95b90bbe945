//! In what order runs come.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::written::{Written, await_runs, fruit, server_with};
use super::{names, walk};
use crate::support::Server;

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
