//! Many runs under one short name, and heads that are too long for any name.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::events::Reader;
use crate::support::{Server, mlp};

/// Some runs that are over.
fn finished(server: &Server, count: usize) -> Vec<String> {
    let ids: Vec<_> = (0..count).map(|_| server.create(&mlp(1))).collect();
    for id in &ids {
        server.await_status(id, "finished");
    }
    ids
}

fn select(server: &Server, ids: &[String]) -> Value {
    let answer = server.post("/api/v1/selections", &json!({"runs": ids}));
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()
}

#[test]
fn what_takes_runs_takes_a_selection_and_skips_those_that_are_gone() {
    let mut server = Server::start();
    let ids = finished(&server, 3);
    let selection = select(&server, &ids);
    let name = selection["id"].as_str().unwrap().to_owned();
    assert_eq!(selection["url"], format!("/compare?selection={name}"));
    assert_eq!(select(&server, &ids)["id"], name.as_str());
    server.delete(&format!("/api/v1/runs/{}", ids[1]));
    // It is kept, and means the same after a restart.
    server.stop();
    server.restart();
    let here = [ids[0].as_str(), ids[2].as_str()];
    let told = server.get(&format!("/api/v1/selections/{name}")).json();
    assert_eq!(told["runs"], json!(here));
    assert_eq!(told["missing"], 1);
    for api in ["metrics", "statistics"] {
        let answer = server
            .get(&format!("/api/v1/{api}?selection={name}"))
            .json();
        let found: Vec<_> = answer["runs"].as_object().unwrap().keys().collect();
        assert_eq!(found, here, "{api}");
    }
    let (status, _, zip) = server.get_bytes(&format!("/api/v1/tensorboard?selection={name}"));
    assert_eq!((status, &zip[..2]), (200, b"PK".as_slice()));
    let mut reader = Reader::open(&server, &format!("selection={name}"), None);
    assert_eq!(reader.next().unwrap().event, "removed");
    let of: Vec<_> = (0..server.log_lines(&ids[0]).len())
        .map(|_| reader.next().unwrap().event)
        .collect();
    assert!(of.iter().all(|run| here.contains(&run.as_str())), "{of:?}");
    let page = server.get(&format!("/compare?selection={name}"));
    assert_eq!(page.status, 200);
    assert!(page.body.contains("\"missing\":1"));
    assert!(page.body.contains(&ids[2]) && !page.body.contains(&ids[1]));
}

#[test]
fn what_takes_runs_takes_a_sweep() {
    let server = Server::start();
    let sweep = json!({"base": mlp(1), "grid": {"training.seed": [1, 2]}, "repeats": 1});
    let made = server.post("/api/v1/sweeps", &sweep).json();
    let id = made["id"].as_str().unwrap();
    let runs: Vec<_> = made["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["id"].as_str().unwrap().to_owned())
        .collect();
    for run in &runs {
        server.await_status(run, "finished");
    }
    let answer = server.get(&format!("/api/v1/metrics?sweep={id}")).json();
    assert_eq!(answer["runs"].as_object().unwrap().len(), 2);
    let missing = "0199d3a0-0000-7000-8000-000000000000";
    let answer = server.get(&format!("/api/v1/metrics?sweep={missing}"));
    assert_eq!(answer.status, 404);
}

#[test]
fn a_selection_that_is_none_is_refused_in_words() {
    let server = Server::start();
    let many: Vec<_> = (0..10_001)
        .map(|i| format!("0199d3a0-0000-7000-8000-{i:012x}"))
        .collect();
    for (body, status) in [
        (json!({"runs": []}), 422),
        (json!({"runs": ["../x"]}), 422),
        (json!({"runs": many}), 422),
        (json!({"runs": [many[0]], "name": "x"}), 400),
        (json!({}), 400),
    ] {
        let answer = server.post("/api/v1/selections", &body);
        let text = body.to_string().chars().take(60).collect::<String>();
        assert!(
            answer.status == status || answer.status == 422,
            "{text}: {} {}",
            answer.status,
            answer.body
        );
    }
    assert_eq!(
        server
            .post("/api/v1/selections", &json!({"runs": &many[1..]}))
            .status,
        201
    );
    for name in ["x", "..%2f..%2findex", &"0".repeat(32)] {
        for address in [
            format!("/api/v1/selections/{name}"),
            format!("/api/v1/metrics?selection={name}"),
            format!("/compare?selection={name}"),
        ] {
            assert_eq!(server.get(&address).status, 404, "{address}");
        }
    }
}

#[test]
fn an_address_holds_a_thousand_runs_and_a_longer_one_is_told_what_to_do() {
    let server = Server::start();
    let query = |count: usize| {
        (0..count)
            .map(|i| format!("run=0199d3a0-0000-7000-8000-{i:012x}"))
            .collect::<Vec<_>>()
            .join("&")
    };
    for path in ["/compare", "/api/v1/metrics", "/api/v1/statistics"] {
        let answer = server.get(&format!("{path}?{}", query(1_000)));
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }
    for (path, kind) in [
        ("/compare", "text/html"),
        ("/api/v1/metrics", "application/problem+json"),
    ] {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        let head = format!("GET {path}?{} HTTP/1.1\r\n", query(3_000));
        // The server may have answered and gone before all is written.
        let _ = stream.write_all(head.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        assert!(answer.contains(kind), "{answer}");
        assert!(answer.contains("/api/v1/selections"), "{answer}");
    }
}
