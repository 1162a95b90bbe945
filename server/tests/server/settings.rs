//! Settings that cannot be trained are refused at creation, by the path of the field.

use serde_json::{Value, json};

use crate::support::{Server, mlp, until};

fn with(path: &str, value: Value) -> Value {
    let mut spec = mlp(1);
    let mut at = &mut spec;
    for part in path.split('.') {
        at = &mut at[part];
    }
    *at = value;
    spec
}

#[test]
fn bad_values_are_refused_by_the_path_of_their_field() {
    let server = Server::start();
    for (path, value) in [
        ("training.batch_size", json!(0)),
        ("training.batch_size", json!("64")),
        ("training.epochs", json!(9_223_372_036_854_775_808_u64)),
        ("training.epochs", json!(1.5)),
        ("training.epochs", Value::Null),
        ("training.optimizer", json!({"kind": "sgd", "lr": -1})),
        ("training.optimizer", json!({"kind": "newton"})),
        ("training.seed", json!(-1)),
        ("network.hidden", json!([32, 0])),
        ("network.kind", json!("mpl")),
        ("network.colour", json!("red")),
        ("data.set", json!("mnits")),
        ("data.validation", json!(1.5)),
        ("device", json!("abacus")),
        ("name", json!("line\nbreak")),
        ("surprise", json!(true)),
    ] {
        for route in ["/api/v1/runs", "/api/v1/specs/check"] {
            let answer = server.post(route, &with(path, value.clone()));
            assert_eq!(answer.status, 422, "{path}={value}: {}", answer.body);
            assert_eq!(answer.headers["content-type"], "application/problem+json");
            let fields = answer.fields();
            assert!(
                fields.iter().any(|field| field.starts_with(path)),
                "{path}={value}: {fields:?}"
            );
        }
    }
    assert_eq!(server.get("/api/v1/runs").json()["runs"], json!([]));
}

#[test]
fn text_that_is_not_json_is_refused_by_the_field_where_it_stops_being_json() {
    let server = Server::start();
    let body = r#"{"data": {"set": "moons"}, "network": {"kind": "mlp"}, "training": {"optimizer": {"kind": "sgd", "lr": NaN}}}"#;
    let answer = server.post_text("/api/v1/runs", body);
    assert_eq!(
        (answer.status, answer.fields()),
        (422, vec!["training.optimizer.lr".to_owned()])
    );
    assert_eq!(server.post_text("/api/v1/runs", "hello").status, 400);
    assert_eq!(server.post_text("/api/v1/runs", "[1, 2]").status, 422);
    assert_eq!(server.post_text("/api/v1/runs", "").status, 400);
}

#[test]
fn every_fault_is_told_at_once() {
    let server = Server::start();
    let mut spec = with("training.batch_size", json!(0));
    spec["training"]["epochs"] = json!(0);
    spec["network"]["hidden"] = json!("wide");
    let fields = server.post("/api/v1/runs", &spec).fields();
    for path in ["training.batch_size", "training.epochs", "network.hidden"] {
        assert!(
            fields.iter().any(|field| field == path),
            "{path} is missing in {fields:?}"
        );
    }
}

#[test]
fn a_check_tells_the_settings_in_full_and_what_they_mean() {
    let server = Server::start();
    let spec = json!({"data": {"set": "digits"}, "network": {"kind": "mlp"}});
    let answer = server.post("/api/v1/specs/check", &spec).json();
    assert_eq!(answer["spec"]["network"]["hidden"], json!([128, 64]));
    // 64·128 + 128 + 128·64 + 64 + 64·10 + 10
    assert_eq!(answer["plan"]["parameters"], 17_226);
    let plan = &answer["plan"];
    let count = |name: &str| plan[name].as_u64().unwrap();
    assert_eq!(
        count("train_samples") + count("validation_samples") + count("test_samples"),
        1797
    );
    let batch = answer["spec"]["training"]["batch_size"].as_u64().unwrap();
    assert_eq!(
        count("steps_per_epoch"),
        count("train_samples").div_ceil(batch)
    );
}

#[test]
fn a_sweep_makes_every_run_or_none() {
    let server = Server::start();
    let sweep = json!({"base": mlp(1), "grid": {"training.batch_size": [16, 0]}});
    let answer = server.post("/api/v1/sweeps", &sweep);
    assert_eq!(
        (answer.status, answer.fields()),
        (422, vec!["training.batch_size".to_owned()])
    );
    assert_eq!(server.get("/api/v1/runs").json()["runs"], json!([]));

    let sweep = json!({"base": mlp(1), "grid": {"training.batch_size": [16, 32]}, "repeats": 2});
    let made = server.post("/api/v1/sweeps", &sweep).json();
    assert_eq!(made["runs"].as_array().unwrap().len(), 4);
    until("all four are through", || {
        let runs = server.get("/api/v1/runs").json();
        runs["runs"]
            .as_array()
            .unwrap()
            .iter()
            .all(|run| run["status"] == "finished" && run["sweep"] == made["id"])
    });
}
