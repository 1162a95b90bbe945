//! A request that changes something is carried through or not begun, whatever its client does.

use std::io::Write as _;
use std::net::{Shutdown, TcpStream};

use serde_json::Value;

use crate::support::{Answer, Server, agent, form, form_type, mlp, until};

/// Operations of the API that are no GET and change nothing: they may end when their client leaves.
const COMPUTING: [(&str, &str); 7] = [
    ("post", "/networks/check"),
    ("post", "/runs/{id}/predict"),
    ("post", "/specs/check"),
    ("post", "/specs/estimate"),
    ("post", "/specs/find-lr"),
    ("post", "/sweeps/check"),
    ("post", "/sweeps/estimate"),
];

/// Operations that take a form.
const FORMS: [&str; 5] = [
    "/datasets",
    "/networks/import",
    "/tensorboard",
    "/images",
    "/runs/{id}/predict",
];

/// Every operation of the API's document that is no GET: its method and path.
fn operations(server: &Server) -> Vec<(String, String)> {
    let document = server.get("/api/v1/openapi.json").json();
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            if ["post", "put", "patch", "delete"].contains(&&**method) {
                found.push((method.clone(), path.clone()));
            }
        }
    }
    found
}

fn changes_begun(server: &Server) -> u64 {
    let metrics = server.get("/metrics").body;
    let line = metrics
        .lines()
        .find(|line| line.starts_with("vivarium_changes_total "));
    line.unwrap().split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn every_route_that_changes_something_is_carried_through() {
    let server = Server::start();
    let id = "0199d3a0-0000-7000-8000-000000000000";
    for (method, path) in operations(&server) {
        let url = path
            .replace("{id}", id)
            .replace("{set}", "no-such-set")
            .replace("{name}", "no-such-network")
            .replace("{file}", id);
        let url = server.url(&format!("/api/v1{url}"));
        let before = changes_begun(&server);
        let request = ureq::http::Request::builder()
            .method(method.to_uppercase().as_str())
            .uri(url);
        let answer = if FORMS.contains(&&*path) {
            let request = request.header("content-type", form_type());
            agent().run(request.body(form("other", None, b"")).unwrap())
        } else {
            let request = request.header("content-type", "application/json");
            agent().run(request.body("{}").unwrap())
        };
        let status = Answer::of(answer).status;
        assert!(![405, 500].contains(&status), "{method} {path}: {status}");
        let computes = COMPUTING.contains(&(&*method, &*path));
        let expected = before + u64::from(!computes);
        assert_eq!(
            changes_begun(&server),
            expected,
            "{method} {path} must be among the routes that are carried through (or, if it changes nothing, in COMPUTING)"
        );
    }
}

/// Sends a request and leaves without waiting for the answer.
fn send_and_leave(server: &Server, method: &str, path: &str, body: &Value) {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let body = body.to_string();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        server.address,
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let _ = stream.shutdown(Shutdown::Both);
}

#[test]
fn a_client_that_leaves_does_not_cut_its_change_short() {
    let server = Server::start();
    let before = changes_begun(&server);
    for _ in 0..20 {
        send_and_leave(&server, "POST", "/api/v1/runs", &mlp(1));
    }
    let runs = || server.get("/api/v1/runs?limit=1000").json()["runs"].clone();
    until("every run that was begun is trained", || {
        let begun = (changes_begun(&server) - before) as usize;
        let runs = runs();
        let runs = runs.as_array().unwrap();
        runs.len() == begun && runs.iter().all(|run| run["status"] == "finished")
    });
}

#[test]
fn a_body_that_is_cut_off_asks_for_nothing() {
    let server = Server::start();
    let before = changes_begun(&server);
    let body = mlp(1).to_string();
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let head = format!(
        "POST /api/v1/runs HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        server.address,
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body.as_bytes()[..20]).unwrap();
    drop(stream);
    // A whole request that comes later is through, so the torn one had its time.
    server.create(&mlp(1));
    assert_eq!(changes_begun(&server), before + 1);
    assert_eq!(
        server.get("/api/v1/runs").json()["runs"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let refused = server.post_text("/api/v1/runs", &"x".repeat(300 * 1024));
    assert_eq!(refused.status, 413, "{}", refused.body);
    assert!(refused.json()["detail"].is_string());
}
