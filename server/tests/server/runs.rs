//! The life of a run, as the API tells it.

use serde_json::{Value, json};

use crate::support::{ENDLESS, LASTING, Server, mlp, until};

#[test]
fn a_run_trains_to_its_end_and_tells_its_figures() {
    let server = Server::start();
    let spec = json!({
        "name": "digits",
        "data": {"set": "digits"},
        "network": {"kind": "mlp"},
        "training": {"epochs": 5, "batch_size": 32}
    });
    let id = server.create(&spec);
    let run = server.await_status(&id, "finished");
    assert_eq!(run["reason"], "completed");
    let summary = &run["summary"];
    assert_eq!(
        (&summary["epoch"], &summary["epochs"]),
        (&json!(5), &json!(5))
    );
    assert_eq!(summary["step"], summary["steps"]);
    assert!(
        summary["test_accuracy"].as_f64().unwrap() > 0.8,
        "{summary}"
    );
    assert_eq!(summary["classes"].as_array().unwrap().len(), 10);
    assert_eq!(
        summary["samples_seen"].as_u64().unwrap(),
        5 * summary["train_samples"].as_u64().unwrap()
    );
    for file in [
        "spec.json",
        "events.ndjson",
        "worker.log",
        "lock",
        "checkpoints/last.safetensors",
        "checkpoints/best.safetensors",
    ] {
        assert!(server.run_dir(&id).join(file).exists(), "{file}");
    }
}

#[test]
fn events_are_numbered_without_a_gap_and_hold_every_step_once() {
    let server = Server::start();
    let id = server.create(&mlp(3));
    let run = server.await_status(&id, "finished");
    let lines: Vec<Value> = server
        .log_lines(&id)
        .iter()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let mut next_step = 1;
    for (i, line) in lines.iter().enumerate() {
        assert_eq!(line["seq"], i as u64 + 1);
        if line["kind"] == "steps" {
            assert_eq!(line["first_step"], next_step);
            let count = line["loss"].as_array().unwrap().len();
            assert!(
                ["accuracy", "lr"]
                    .iter()
                    .all(|name| line[name].as_array().unwrap().len() == count)
            );
            next_step += count as u64;
        }
    }
    assert_eq!(run["summary"]["steps"], next_step - 1);
    assert_eq!(lines[0]["kind"], "started");
    assert_eq!(lines.last().unwrap()["kind"], "finished");
    for kind in ["epoch", "boundary", "checkpoint", "test"] {
        assert!(lines.iter().any(|line| line["kind"] == kind), "{kind}");
    }
}

#[test]
fn curves_come_over_every_axis() {
    let server = Server::start();
    let id = server.create(&mlp(2));
    let summary = server.await_status(&id, "finished")["summary"].clone();
    let steps = summary["steps"].as_u64().unwrap() as usize;
    let series = "train_loss,validation_accuracy,time";
    for (x, end) in [
        ("step", steps as f64),
        ("samples", summary["samples_seen"].as_f64().unwrap()),
        ("epoch", 2.0),
    ] {
        let metrics = server
            .get(&format!(
                "/api/v1/runs/{id}/metrics?series={series}&x={x}&points=100000"
            ))
            .json();
        let loss = &metrics["series"]["train_loss"];
        assert_eq!(loss["total"], steps);
        let xs = loss["x"].as_array().unwrap();
        assert_eq!(
            (xs.len(), xs.last().unwrap().as_f64().unwrap()),
            (steps, end)
        );
        assert_eq!(
            metrics["series"]["validation_accuracy"]["y"]
                .as_array()
                .unwrap()
                .len(),
            2
        );
        assert_eq!(metrics["last_seq"], summary["events"]);
    }
    let thinned = server
        .get(&format!(
            "/api/v1/runs/{id}/metrics?series=train_loss&points=20"
        ))
        .json();
    assert!(
        thinned["series"]["train_loss"]["x"]
            .as_array()
            .unwrap()
            .len()
            <= 20
    );
    for bad in ["series=loss", "x=week", "points=1", "points=-1"] {
        assert_eq!(
            server
                .get(&format!("/api/v1/runs/{id}/metrics?{bad}"))
                .status,
            400,
            "{bad}"
        );
    }
}

#[test]
fn a_stretch_of_a_curve_comes_finer_than_the_whole() {
    let server = Server::start();
    let id = server.create(&mlp(3));
    server.await_status(&id, "finished");
    let of = |query: &str| {
        let answer = server.get(&format!(
            "/api/v1/runs/{id}/metrics?series=train_loss&{query}"
        ));
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["series"]["train_loss"].clone()
    };
    let numbers = |series: &Value, name: &str| -> Vec<f64> {
        let values = series[name].as_array().unwrap();
        values.iter().map(|v| v.as_f64().unwrap()).collect()
    };
    let whole = of("points=100000");
    let (x, y) = (numbers(&whole, "x"), numbers(&whole, "y"));
    let part = of("points=100000&from=10&to=20.5");
    // The next point on either side comes too, so that a line runs to the edge.
    assert_eq!(numbers(&part, "x"), x[8..21]);
    assert_eq!(numbers(&part, "y"), y[8..21]);
    assert_eq!(part["total"], 13);
    let empty = of("points=10&from=1e9");
    assert_eq!(empty["total"], 1);
    let smooth = of("points=100000&smooth=0.9");
    let smoothed = numbers(&smooth["smoothed"], "y");
    let (mut mean, mut mass) = (0.0, 0.0);
    for (before, (value, smoothed)) in (0_u32..).zip(y.iter().zip(&smoothed)) {
        mass = f64::min(mass * 0.9 + 1.0, 1.0 + f64::from(before) / 8.0);
        mean += (value - mean) / mass;
        assert!((smoothed - mean).abs() < 1e-6 * (1.0 + mean));
    }
    for bad in ["smooth=1", "smooth=-0.1", "from=x"] {
        let answer = server.get(&format!("/api/v1/runs/{id}/metrics?{bad}"));
        assert_eq!(answer.status, 400, "{bad}");
    }
}

#[test]
fn several_runs_are_asked_for_at_once() {
    let server = Server::start();
    let (a, b) = (server.create(&mlp(2)), server.create(&mlp(3)));
    for id in [&a, &b] {
        server.await_status(id, "finished");
    }
    let gone = "0199d3a0-0000-7000-8000-000000000000";
    let query = format!("run={a}&run={gone}&run={b}");
    let both = server
        .get(&format!("/api/v1/metrics?{query}&series=validation_loss"))
        .json();
    assert_eq!(both["runs"].as_object().unwrap().len(), 2);
    for (id, epochs) in [(&a, 2), (&b, 3)] {
        let alone = server
            .get(&format!("/api/v1/runs/{id}/metrics?series=validation_loss"))
            .json();
        assert_eq!(both["runs"][id], alone);
        assert_eq!(
            alone["series"]["validation_loss"]["y"]
                .as_array()
                .unwrap()
                .len(),
            epochs
        );
    }
    let statistics = server.get(&format!("/api/v1/statistics?{query}")).json();
    assert_eq!(statistics["runs"].as_object().unwrap().len(), 2);
    let found = &statistics["runs"][&b]["validation_loss"];
    let losses: Vec<f64> = both["runs"][&b]["series"]["validation_loss"]["y"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect();
    let mean = losses.iter().sum::<f64>() / 3.0;
    assert_eq!(found["count"], 3);
    assert!((found["mean"].as_f64().unwrap() - mean).abs() < 1e-12);
    assert!(found["std"].as_f64().unwrap() > 0.0);
    assert_eq!(server.get("/api/v1/metrics?run=../x").status, 404);
    let page = server.get(&format!("/compare?{query}"));
    assert_eq!(page.status, 200);
    assert!(page.body.contains(&a) && page.body.contains("\"missing\":1"));
}

#[test]
fn two_dimensional_data_has_points_and_a_boundary_for_each_epoch() {
    let server = Server::start();
    let spec = json!({
        "data": {"set": "blobs"},
        "network": {"kind": "perceptron"},
        "training": {"epochs": 3, "optimizer": {"kind": "sgd", "lr": 0.001}}
    });
    let id = server.create(&spec);
    server.await_status(&id, "finished");
    let answer = server
        .get(&format!("/api/v1/runs/{id}/boundaries?epoch=2"))
        .json();
    assert_eq!(answer["epochs"], json!([0, 1, 2, 3]));
    assert_eq!(answer["boundary"]["epoch"], 2);
    assert_eq!(
        server
            .get(&format!("/api/v1/runs/{id}/boundaries?epoch=9"))
            .status,
        404
    );
    let points = server.get(&format!("/api/v1/runs/{id}/points")).json();
    assert!(points["points"].as_array().unwrap().len() >= 100);
    let digits = server.create(
        &json!({"data": {"set": "digits"}, "network": {"kind": "mlp"}, "training": {"epochs": 1}}),
    );
    assert_eq!(
        server.get(&format!("/api/v1/runs/{digits}/points")).status,
        404
    );
}

#[test]
fn stop_keeps_the_run_and_resume_completes_it_as_if_nothing_had_been() {
    let server = Server::start();
    let whole = server.create(&mlp(LASTING));
    server.await_status(&whole, "finished");
    let stopped = server.create(&mlp(LASTING));
    server.await_step(&stopped, 100);
    assert_eq!(
        server
            .post(&format!("/api/v1/runs/{stopped}/stop"), &json!({}))
            .status,
        202
    );
    let run = server.await_status(&stopped, "stopped");
    assert!(
        run["summary"]["step"].as_u64() < run["summary"]["steps"].as_u64(),
        "it was stopped in its midst"
    );
    assert_eq!(
        server
            .post(&format!("/api/v1/runs/{stopped}/resume"), &json!({}))
            .status,
        202
    );
    server.await_status(&stopped, "finished");
    assert_eq!(losses(&server, &stopped), losses(&server, &whole));
    let test = |id: &str| server.run(id)["summary"]["test_loss"].clone();
    assert_eq!(test(&stopped), test(&whole));
}

/// Every step's loss, as written: equal text is equal to the bit.
fn losses(server: &Server, id: &str) -> Vec<String> {
    let lines = server.log_lines(id);
    let steps = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    steps
        .filter(|line| line["kind"] == "steps")
        .flat_map(|line| line["loss"].as_array().unwrap().clone())
        .map(|loss| loss.to_string())
        .collect()
}

#[test]
fn the_queue_has_positions_and_its_order() {
    let server = Server::start();
    let first = server.create(&mlp(ENDLESS));
    server.await_step(&first, 1);
    let waiting: Vec<_> = (0..3).map(|_| server.create(&mlp(1))).collect();
    for (i, id) in waiting.iter().enumerate() {
        let run = server.run(id);
        assert_eq!(
            (&run["status"], &run["position"]),
            (&json!("queued"), &json!(i + 1))
        );
    }
    server.post(&format!("/api/v1/runs/{}/stop", waiting[0]), &json!({}));
    server.await_status(&waiting[0], "stopped");
    assert_eq!(server.run(&waiting[1])["position"], 1);
    server.post(&format!("/api/v1/runs/{first}/stop"), &json!({}));
    for id in &waiting[1..] {
        server.await_status(id, "finished");
    }
}

#[test]
fn what_cannot_be_done_now_is_a_conflict() {
    let server = Server::start();
    let id = server.create(&mlp(1));
    server.await_status(&id, "finished");
    for action in ["stop", "resume"] {
        assert_eq!(
            server
                .post(&format!("/api/v1/runs/{id}/{action}"), &json!({}))
                .status,
            409,
            "{action}"
        );
    }
    for missing in [
        "0199d3a0-0000-7000-8000-000000000000",
        "no-id",
        "..%2f..%2fetc",
    ] {
        for path in ["", "/metrics", "/log", "/points", "/boundaries"] {
            let answer = server.get(&format!("/api/v1/runs/{missing}{path}"));
            assert_eq!(answer.status, 404, "{missing}{path}");
            assert_eq!(answer.headers["content-type"], "application/problem+json");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_worker_has_huge_pages_where_it_may_and_the_server_small_ones() {
    let huge_pages = |pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("THP_enabled:"));
        line.unwrap().ends_with('1')
    };
    let server = Server::start();
    let id = server.create(&mlp(ENDLESS));
    server.await_step(&id, 1);
    let here = huge_pages(std::process::id());
    assert_eq!(huge_pages(server.worker_pid(&id)), here);
    assert!(!huge_pages(server.pid()));
}

#[test]
#[cfg(target_os = "linux")]
fn a_worker_gives_way_to_every_other_process() {
    let server = Server::start();
    let id = server.create(&mlp(ENDLESS));
    server.await_step(&id, 1);
    let worker = server.worker_pid(&id);
    let stat = std::fs::read_to_string(format!("/proc/{worker}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split(' ').collect();
    // proc_pid_stat(5): the session is the 6th field and the niceness the 19th; the text begins before the 3rd.
    assert_eq!(fields[4], worker.to_string(), "its session: {stat}");
    assert_eq!(fields[17], "10", "its niceness: {stat}");
    // Kernels without autogroups have no such file.
    let autogroup = format!("/proc/{worker}/autogroup");
    if std::path::Path::new(&autogroup).exists() {
        until("the session is nice, too", || {
            std::fs::read_to_string(&autogroup).is_ok_and(|group| group.ends_with("nice 10\n"))
        });
    }
}

#[test]
fn a_deleted_run_leaves_nothing_even_while_it_trains() {
    let server = Server::start();
    let id = server.create(&mlp(ENDLESS));
    server.await_step(&id, 50);
    let worker = server.worker_pid(&id);
    assert_eq!(server.delete(&format!("/api/v1/runs/{id}")).status, 204);
    assert_eq!(server.get(&format!("/api/v1/runs/{id}")).status, 404);
    until("the worker is gone", || {
        !std::path::Path::new(&format!("/proc/{worker}")).exists()
    });
    let left: Vec<_> = std::fs::read_dir(server.data_dir().join("runs"))
        .unwrap()
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(server.delete(&format!("/api/v1/runs/{id}")).status, 404);
}

#[test]
fn a_deleted_run_comes_back_as_it_was() {
    let mut server = Server::start();
    let (first, id) = (server.create(&mlp(1)), server.create(&mlp(2)));
    for id in [&first, &id] {
        server.await_status(id, "finished");
    }
    let path = format!("/api/v1/runs/{id}");
    let labels = json!({"name": "mine", "tags": ["final"], "notes": "seen"});
    let before = server.patch(&path, &labels).json();
    let curves = server.get(&format!("{path}/metrics")).json();
    for restarted in [false, true] {
        assert_eq!(server.delete(&path).status, 204);
        let runs = server.get("/api/v1/runs").json();
        assert_eq!(runs["runs"].as_array().unwrap().len(), 1);
        let trash = server.get("/api/v1/trash").json();
        assert_eq!(trash["runs"][0]["name"], "mine");
        assert!(
            trash["runs"][0]["until"].as_str().unwrap()
                > trash["runs"][0]["deleted"].as_str().unwrap()
        );
        if restarted {
            server.stop();
            server.restart();
        }
        let restored = server.post(&format!("{path}/restore"), &json!({}));
        assert_eq!(restored.status, 200, "{}", restored.body);
        let after = restored.json();
        for field in [
            "number", "name", "tags", "notes", "status", "reason", "summary", "spec",
        ] {
            assert_eq!(after[field], before[field], "{field}");
        }
        assert_eq!(server.get(&format!("{path}/metrics")).json(), curves);
        assert_eq!(server.get("/api/v1/trash").json()["runs"], json!([]));
        let again = server.post(&format!("{path}/restore"), &json!({}));
        assert_eq!(again.status, 404);
    }
    assert_eq!(server.delete(&path).status, 204);
    assert_eq!(server.delete(&format!("/api/v1/trash/{id}")).status, 204);
    assert_eq!(server.get("/api/v1/trash").json()["runs"], json!([]));
    assert!(!server.data_dir().join("trash").join(&id).exists());
}

#[test]
fn a_run_that_is_brought_back_while_the_server_looks_through_the_trash_stays() {
    let mut server = Server::start();
    let id = server.create(&mlp(1));
    server.await_status(&id, "finished");
    let path = format!("/api/v1/runs/{id}");
    assert_eq!(server.delete(&path).status, 204);
    // A full trash takes a starting server a while.
    let trash = server.data_dir().join("trash");
    let about = std::fs::read_to_string(trash.join(format!("{id}.json"))).unwrap();
    for other in 0..3000 {
        let other = format!("{}{other:012x}", &id[..24]);
        std::fs::create_dir(trash.join(&other)).unwrap();
        let about = about.replace(&id, &other);
        std::fs::write(trash.join(format!("{other}.json")), about).unwrap();
    }
    // Whatever the server is at when it is asked.
    for wait in 0..20 {
        server.stop();
        server.restart();
        std::thread::sleep(std::time::Duration::from_millis(2 * wait));
        let restored = server.post(&format!("{path}/restore"), &json!({}));
        assert_eq!(restored.status, 200, "{}", restored.body);
        assert!(server.run_dir(&id).join("spec.json").exists());
        assert_eq!(server.delete(&path).status, 204);
    }
}

#[test]
fn a_run_that_is_deleted_while_it_trains_can_go_on_when_it_is_back() {
    let server = Server::start();
    let id = server.create(&mlp(ENDLESS));
    server.await_step(&id, 50);
    let path = format!("/api/v1/runs/{id}");
    assert_eq!(server.delete(&path).status, 204);
    let back = server.post(&format!("{path}/restore"), &json!({})).json();
    assert_eq!(back["status"], "stopped", "{back}");
    let step = back["summary"]["step"].as_u64().unwrap();
    assert_eq!(
        server.post(&format!("{path}/resume"), &json!({})).status,
        202
    );
    server.await_step(&id, step + 50);
}

#[test]
fn labels_are_kept_and_checked() {
    let server = Server::start();
    let id = server.create(&mlp(1));
    let path = format!("/api/v1/runs/{id}");
    let run = server
        .patch(
            &path,
            &json!({"name": "Größe <b>", "tags": ["final"], "notes": "=1+1"}),
        )
        .json();
    assert_eq!(
        (&run["name"], &run["tags"], &run["notes"]),
        (&json!("Größe <b>"), &json!(["final"]), &json!("=1+1"))
    );
    let run = server.patch(&path, &json!({"notes": ""})).json();
    assert_eq!(
        (&run["name"], &run["notes"]),
        (&json!("Größe <b>"), &json!(""))
    );
    for (labels, field) in [
        (json!({"name": " "}), "name"),
        (json!({"tags": ["a\nb"]}), "tags.0"),
        (json!({"title": "x"}), "title"),
    ] {
        let answer = server.patch(&path, &labels);
        assert_eq!(answer.status, 422, "{labels}");
        assert_eq!(answer.fields(), [field]);
    }
    let page = server.get(&format!("/runs/{id}")).body;
    assert!(
        !page.contains("Größe <b>") && page.contains("Größe &#60;b&#62;"),
        "names are escaped in pages"
    );
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_and_stays_valid_json() {
    let server = Server::start();
    let mut spec = mlp(50);
    spec["training"]["optimizer"] = json!({"kind": "sgd", "lr": 100, "momentum": 0.99});
    spec["network"] = json!({"kind": "mlp", "hidden": [64, 64, 64]});
    let id = server.create(&spec);
    let run = server.await_status(&id, "finished");
    assert_eq!(run["reason"], "diverged", "{run}");
    assert!(run["message"].as_str().unwrap().contains("step"), "{run}");
    let metrics = server
        .get(&format!("/api/v1/runs/{id}/metrics?series=train_loss"))
        .json();
    assert_eq!(
        metrics["series"]["train_loss"]["not_finite"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn the_api_describes_itself() {
    let server = Server::start();
    let document = server.get("/api/v1/openapi.json").json();
    let id = "0199d3a0-0000-7000-8000-000000000000";
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 14);
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            let url = server.url(&format!(
                "/api/v1{}",
                path.replace("{id}", id).replace("{set}", "no-such-set")
            ));
            let request = ureq::http::Request::builder()
                .method(method.to_uppercase().as_str())
                .uri(url);
            // The status alone: one of the bodies is a stream without an end.
            let answer = crate::support::agent().run(request.body(()).unwrap());
            let status = answer.unwrap().status().as_u16();
            assert_ne!(status, 405, "{method} {path}");
            assert!(status != 404 || path.contains('{'), "{method} {path}");
        }
    }
}
