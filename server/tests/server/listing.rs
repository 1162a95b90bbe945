//! Runs page by page: cursors, searches, filters, orders and groups, over runs that are written instead of trained.

mod feed;
mod filters;
mod groups;
mod orders;
mod written;

use std::fs;

use serde_json::{Value, json};

use crate::support::{Server, until};
use written::{Written, await_runs, plain, server_with};

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

/// A text as it stands in an address.
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
