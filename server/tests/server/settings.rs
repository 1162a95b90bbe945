//! Settings that cannot be trained are refused at creation, by the path of the field.

use serde_json::{Value, json};

use crate::support::{ENDLESS, Server, mlp, until};

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

#[test]
fn a_sweep_is_told_before_it_starts() {
    let server = Server::start();
    let sweep = json!({
        "base": mlp(2),
        "grid": {"training.optimizer.lr": {"from": 0.001, "to": 0.1, "count": 3, "scale": "log"}, "network.hidden": [[8], [64]]},
        "repeats": 2
    });
    let check = server.post("/api/v1/sweeps/check", &sweep).json();
    assert_eq!(check["runs"], 12);
    assert!(check["parameters"]["min"].as_u64() < check["parameters"]["max"].as_u64());
    let estimate = server.post("/api/v1/sweeps/estimate", &sweep).json();
    assert_eq!(
        (&estimate["measured"], &estimate["kinds"]),
        (&json!(2), &json!(2))
    );
    assert!(estimate["seconds"].as_f64().unwrap() > 0.0, "{estimate}");
    assert_eq!(server.get("/api/v1/runs").json()["runs"], json!([]));
    let mut wrong = sweep.clone();
    wrong["grid"]["training.optimizer.lr"]["to"] = json!(0.0001);
    for path in ["", "/check", "/estimate"] {
        let answer = server.post(&format!("/api/v1/sweeps{path}"), &wrong);
        assert_eq!(
            (answer.status, answer.fields()),
            (422, vec!["grid.training.optimizer.lr".to_owned()])
        );
    }
}

#[test]
fn a_sweep_is_shown_stopped_and_given_more_runs() {
    let server = Server::start();
    let sweep = json!({
        "base": mlp(ENDLESS),
        "grid": {"training.optimizer.lr": {"from": 0.001, "to": 0.1, "scale": "log"}},
        "search": {"kind": "random", "trials": 5}
    });
    let made = server.post("/api/v1/sweeps", &sweep).json();
    let path = format!("/api/v1{}", made["url"].as_str().unwrap());
    let shown = server.get(&path).json();
    assert_eq!(shown["runs"].as_array().unwrap().len(), 5);
    assert_eq!(shown["spec"]["search"]["trials"], 5);
    let stopped = server.post(&format!("{path}/stop"), &json!({})).json();
    assert_eq!(stopped["stopped"], 5);
    until("nothing runs any more", || {
        let sweep = server.get(&path).json();
        let runs = sweep["runs"].as_array().unwrap().clone();
        runs.iter().all(|run| run["status"] == "stopped")
    });
    let more = server.post(&format!("{path}/trials"), &json!({"trials": 2}));
    assert_eq!(more.status, 201, "{}", more.body);
    assert_eq!(more.json()["runs"].as_array().unwrap().len(), 2);
    let shown = server.get(&path).json();
    assert_eq!(shown["spec"]["search"]["trials"], 7);
    let rates: std::collections::BTreeSet<String> = shown["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["spec"]["training"]["optimizer"]["lr"].to_string())
        .collect();
    assert_eq!(rates.len(), 7);
    let list = server.get("/api/v1/sweeps").json();
    assert_eq!(list["sweeps"][0]["runs"], 7);
    server.post(&format!("{path}/stop"), &json!({}));
    assert_eq!(server.get(&path.replace("/api/v1", "")).status, 200);
    for gone in [
        "/api/v1/sweeps/..%2F..%2Fetc",
        "/sweeps/0199d3a0-0000-7000-8000-000000000000",
    ] {
        assert_eq!(server.get(gone).status, 404, "{gone}");
    }
    let nothing = server.post(&format!("{path}/trials"), &json!({}));
    assert_eq!(
        (nothing.status, nothing.fields()),
        (422, vec!["repeats".to_owned()])
    );
}

#[test]
fn a_check_tells_the_learning_rate_over_the_run() {
    let server = Server::start();
    let mut spec = mlp(10);
    spec["training"]["schedule"] = json!({"kind": "cosine", "min_lr": 0.001, "warmup_epochs": 2});
    let answer = server.post("/api/v1/specs/check", &spec).json();
    let numbers = |name: &str| -> Vec<f64> {
        let list = answer["schedule"][name].as_array().unwrap();
        list.iter().map(|n| n.as_f64().unwrap()).collect()
    };
    let (steps, lr) = (numbers("steps"), numbers("lr"));
    assert_eq!(steps.len(), lr.len());
    assert!((100..=140).contains(&steps.len()), "{}", steps.len());
    assert_eq!(
        steps.last().copied(),
        answer["plan"]["total_steps"].as_f64()
    );
    let last = lr[lr.len() - 1];
    let peak = lr.iter().copied().fold(0.0, f64::max);
    assert!(lr[0] < 0.001 && peak == 0.01 && (last - 0.001).abs() < 1e-4);
}

#[test]
fn an_estimate_is_measured_and_remembered() {
    let server = Server::start();
    let estimate = |spec: &Value| {
        let answer = server.post("/api/v1/specs/estimate", spec);
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    };
    let first = estimate(&mlp(10));
    let measured = &first["measured"];
    assert!(measured["steps"].as_u64().unwrap() >= 1, "{first}");
    assert!(measured["peak_memory_bytes"].as_u64().unwrap() > 1 << 20);
    let seconds = first["seconds"].as_f64().unwrap();
    assert!(seconds > 0.0 && seconds < 600.0, "{first}");
    // The data set is held beside what was measured.
    let plan = server.post("/api/v1/specs/check", &mlp(10)).json()["plan"].clone();
    let data = plan["data_bytes"].as_u64().unwrap();
    let held = first["memory_bytes"].as_u64().unwrap();
    assert!(data > 0 && held >= measured["peak_memory_bytes"].as_u64().unwrap() + data);
    // The length of the run, its rate and its seed change nothing that was measured.
    let mut longer = mlp(20);
    longer["training"]["seed"] = json!(8);
    longer["training"]["optimizer"] = json!({"lr": 0.5});
    let second = estimate(&longer);
    assert_eq!(&second["measured"], measured);
    assert!(second["seconds"].as_f64().unwrap() > 1.5 * seconds);
}

#[test]
fn what_cannot_be_checked_is_not_measured() {
    let server = Server::start();
    let answer = server.post(
        "/api/v1/specs/estimate",
        &with("training.batch_size", json!(0)),
    );
    assert_eq!(
        (answer.status, answer.fields()),
        (422, vec!["training.batch_size".to_owned()])
    );
}

#[test]
fn who_goes_away_ends_the_measurement() {
    let server = Server::start();
    // So large that it is measured for seconds.
    let mut spec = mlp(1);
    spec["network"] = json!({"kind": "mlp", "hidden": [8192, 8192]});
    spec["data"] = json!({"set": "digits"});
    spec["training"]["batch_size"] = json!(1024);
    let socket = asking(&server, "/api/v1/specs/estimate", &spec);
    until("it is measured", || children(server.pid(), "measure") == 1);
    drop(socket);
    until("the measurement has ended", || {
        children(server.pid(), "measure") == 0
    });
}

/// A request whose answer nobody reads yet.
fn asking(server: &Server, path: &str, spec: &Value) -> std::net::TcpStream {
    let body = spec.to_string();
    let mut socket = std::net::TcpStream::connect(&server.address).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        server.address,
        body.len()
    );
    std::io::Write::write_all(&mut socket, (head + &body).as_bytes()).unwrap();
    socket
}

#[test]
fn a_learning_rate_is_found_step_by_step_and_nothing_is_left_of_it() {
    let server = Server::start();
    let mut spec = mlp(1);
    spec["data"] = json!({"set": "digits"});
    spec["training"]["mixup"] = json!({});
    spec["training"]["ema"] = json!({});
    let answer = server.post("/api/v1/specs/find-lr", &spec);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let mut lines: Vec<Value> = answer
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let result = lines.pop().unwrap();
    assert_eq!(result["kind"], "result");
    let lr = result["lr"].as_f64().unwrap();
    assert!((1e-5..10.0).contains(&lr), "{result}");
    assert!(lines.len() > 20);
    for (i, line) in lines.iter().enumerate() {
        assert_eq!(
            (&line["kind"], &line["step"]),
            (&json!("step"), &json!(i + 1))
        );
        assert!(line["loss"].is_f64() && line["lr"].is_f64());
    }
    assert_eq!(server.get("/api/v1/runs").json()["total"], 0);
    assert_eq!(children(server.pid(), "find-lr"), 0);
}

#[test]
fn no_learning_rate_is_looked_for_where_nothing_can_be_trained() {
    let server = Server::start();
    let refused = |field: &str, value: Value| {
        let answer = server.post("/api/v1/specs/find-lr", &with(field, value));
        (answer.status, answer.fields())
    };
    for (field, value) in [
        ("training.batch_size", json!(0)),
        ("training.ema", json!({"decay": 2})),
    ] {
        let path = match field {
            "training.ema" => "training.ema.decay",
            other => other,
        };
        assert_eq!(refused(field, value), (422, vec![path.to_owned()]));
    }
}

#[test]
fn who_goes_away_ends_the_search_and_a_second_one_waits_its_turn() {
    let server = Server::start();
    let mut spec = mlp(1);
    spec["network"] = json!({"kind": "mlp", "hidden": [4096, 4096]});
    spec["data"] = json!({"set": "digits"});
    spec["training"]["batch_size"] = json!(512);
    let socket = asking(&server, "/api/v1/specs/find-lr", &spec);
    until("it is searched", || children(server.pid(), "find-lr") == 1);
    let other = server.post("/api/v1/specs/find-lr", &spec);
    assert_eq!(other.status, 429, "{}", other.body);
    drop(socket);
    until("the search has ended", || {
        children(server.pid(), "find-lr") == 0
    });
    let mut small = mlp(1);
    small["training"]["batch_size"] = json!(4);
    let next = server.post("/api/v1/specs/find-lr", &small);
    assert_eq!(next.status, 200, "{}", next.body);
}

/// How many processes of a server have a word in their command.
fn children(server: u32, word: &str) -> usize {
    let children = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| {
            let read = |name: &str| std::fs::read_to_string(entry.path().join(name));
            let parent = format!("PPid:\t{server}\n");
            read("status").is_ok_and(|status| status.contains(&parent))
                && read("cmdline").is_ok_and(|line| line.contains(word))
        });
    children.count()
}
