//! Anything may be killed at any moment, and nothing is lost.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{ENDLESS, LASTING, Server, mlp, signal, until};

/// Every step's loss in the order of the log: equal text is equal to the bit.
fn losses(lines: &[String]) -> Vec<String> {
    let lines = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["kind"] == "steps")
        .flat_map(|line| line["loss"].as_array().unwrap().clone())
        .map(|loss| loss.to_string())
        .collect()
}

#[test]
fn training_outlives_the_server_and_the_next_server_adopts_it() {
    let mut server = Server::start();
    let id = server.create(&mlp(ENDLESS));
    server.await_step(&id, 1);
    let worker = server.worker_pid(&id);
    for round in 0..10_u64 {
        // Moments that are no multiple of anything: in the midst of writes, reads and waits.
        std::thread::sleep(Duration::from_millis(37 * (round * 7 % 11)));
        server.kill();
        let before = server.log_lines(&id).len();
        until("the worker goes on alone", || {
            server.log_lines(&id).len() > before
        });
        server.restart();
        let adopted = server.run(&id)["summary"]["step"].as_u64();
        until("the run is adopted", || {
            let run = server.run(&id);
            run["status"] == "running" && run["summary"]["step"].as_u64() > adopted
        });
        assert_eq!(
            server.worker_pid(&id),
            worker,
            "it is the same worker still"
        );
        let indexed = server.indexed_lines(&id);
        assert!(
            indexed == server.log_lines(&id)[..indexed.len()],
            "what is indexed is the log, line by line"
        );
    }
    server.post(&format!("/api/v1/runs/{id}/stop"), &json!({}));
    server.await_status(&id, "stopped");
    assert_eq!(server.indexed_lines(&id), server.log_lines(&id));
}

#[test]
fn a_killed_worker_is_told_and_resume_gives_what_would_have_been() {
    let server = Server::start_with(&["--jobs", "2"]);
    let whole = server.create(&mlp(LASTING));
    let killed = server.create(&mlp(LASTING));
    for step in [1, 700, 1500] {
        server.await_step(&killed, step);
        signal(server.worker_pid(&killed), "KILL");
        let run = server.await_status(&killed, "failed");
        assert!(
            run["message"].as_str().unwrap().contains("SIGKILL"),
            "{run}"
        );
        assert_eq!(
            server
                .post(&format!("/api/v1/runs/{killed}/resume"), &json!({}))
                .status,
            202
        );
        server.await_status(&killed, "running");
    }
    server.await_status(&whole, "finished");
    server.await_status(&killed, "finished");
    let (killed_log, whole_log) = (server.log_lines(&killed), server.log_lines(&whole));
    assert_eq!(losses(&killed_log), losses(&whole_log));
    let test = |id: &str| server.run(id)["summary"]["test_loss"].to_string();
    assert_eq!(test(&killed), test(&whole));
    assert_eq!(server.indexed_lines(&killed), killed_log);
}

#[test]
fn the_next_in_line_starts_when_a_worker_dies() {
    let server = Server::start();
    let first = server.create(&mlp(ENDLESS));
    let second = server.create(&mlp(1));
    server.await_step(&first, 1);
    signal(server.worker_pid(&first), "KILL");
    server.await_status(&second, "finished");
    assert_eq!(server.status(&first), "failed");
}

#[test]
fn a_stopped_server_interrupts_its_runs_and_takes_them_up_again() {
    let mut server = Server::start();
    let id = server.create(&mlp(ENDLESS));
    let waiting = server.create(&mlp(1));
    server.await_step(&id, 100);
    let worker = server.worker_pid(&id);
    server.stop();
    assert!(
        !std::path::Path::new(&format!("/proc/{worker}")).exists(),
        "no worker is left"
    );
    let step = {
        let last: Value = serde_json::from_str(server.log_lines(&id).last().unwrap()).unwrap();
        assert_eq!(
            (&last["kind"], &last["reason"]),
            (&json!("finished"), &json!("stopped"))
        );
        server.log_lines(&id).len()
    };
    server.restart();
    server.await_status(&id, "running");
    until("it goes on", || server.log_lines(&id).len() > step + 3);
    assert_eq!(server.status(&waiting), "queued");
}

#[test]
fn an_index_that_is_lost_is_rebuilt_from_the_directories() {
    let mut server = Server::start();
    let sweep = json!({"base": mlp(2), "grid": {"training.seed": [1, 2]}});
    let made = server.post("/api/v1/sweeps", &sweep).json();
    let ids: Vec<_> = made["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["id"].as_str().unwrap().to_owned())
        .collect();
    for id in &ids {
        server.await_status(id, "finished");
    }
    // All of a run but the number of its last change, which a new index counts anew.
    let facts = |server: &Server, id: &str| {
        let mut run = server.run(id);
        run.as_object_mut().unwrap().remove("changed").unwrap();
        run
    };
    let before: Vec<_> = ids.iter().map(|id| facts(&server, id)).collect();
    for damage in ["remove", "overwrite"] {
        server.stop();
        for suffix in ["", "-wal", "-shm"] {
            let path = server.data_dir().join(format!("index.sqlite3{suffix}"));
            if damage == "remove" {
                let _ = std::fs::remove_file(&path);
            } else if path.exists() {
                std::fs::write(&path, vec![b'?'; 100_000]).unwrap();
            }
        }
        server.restart();
        for (id, run) in ids.iter().zip(&before) {
            until("the run is back", || server.run(id)["status"] == "finished");
            assert_eq!(&facts(&server, id), run);
            assert_eq!(server.indexed_lines(id), server.log_lines(id));
        }
    }
    let kept = std::fs::read_dir(server.data_dir()).unwrap().flatten();
    assert!(
        kept.into_iter()
            .any(|entry| entry.file_name().to_string_lossy().contains("damaged"))
    );
}

#[test]
fn a_run_that_ended_while_no_server_looked_is_told_as_it_ended() {
    let mut server = Server::start();
    let id = server.create(&mlp(LASTING));
    server.await_step(&id, 1);
    server.kill();
    until("the worker comes to its end", || {
        server
            .log_lines(&id)
            .last()
            .is_some_and(|line| line.contains(r#""kind":"finished""#))
    });
    server.restart();
    let run = server.await_status(&id, "finished");
    assert_eq!(run["reason"], "completed");
    assert_eq!(server.indexed_lines(&id), server.log_lines(&id));
}

#[test]
fn a_run_without_server_and_worker_goes_on_at_the_next_start() {
    let mut server = Server::start();
    let id = server.create(&mlp(ENDLESS));
    server.await_step(&id, 100);
    let worker = server.worker_pid(&id);
    server.kill();
    signal(worker, "KILL");
    let lines = server.log_lines(&id).len();
    server.restart();
    until("it goes on", || server.log_lines(&id).len() > lines + 3);
    server.await_status(&id, "running");
    assert_ne!(server.worker_pid(&id), worker);
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let server = Server::start();
    let folder = server.data_dir().to_string_lossy().into_owned();
    let second = crate::support::vivarium(&["serve", "--port", "0", "--data-dir", &folder]);
    assert!(!second.status.success());
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(
        said.contains("in use") && said.contains(&server.pid().to_string()),
        "{said}"
    );
}

#[test]
fn a_second_worker_on_the_same_run_is_refused_and_harms_nothing() {
    let server = Server::start();
    let id = server.create(&mlp(ENDLESS));
    server.await_step(&id, 10);
    let second = crate::support::vivarium(&["worker", &server.run_dir(&id).to_string_lossy()]);
    assert_eq!(second.status.code(), Some(75));
    let step = server.run(&id)["summary"]["step"].as_u64().unwrap();
    server.await_step(&id, step + 10);
}

#[test]
fn a_spec_that_is_no_longer_valid_fails_in_words() {
    let server = Server::start();
    let first = server.create(&mlp(ENDLESS));
    server.await_step(&first, 1);
    let id = server.create(&mlp(1));
    std::fs::write(
        server.run_dir(&id).join("spec.json"),
        r#"{"data": {"set": "moons"}, "network": {"kind": "abacus"}}"#,
    )
    .unwrap();
    server.post(&format!("/api/v1/runs/{first}/stop"), &json!({}));
    let run = server.await_status(&id, "failed");
    assert!(run["message"].as_str().unwrap().contains("abacus"), "{run}");
}

#[test]
fn a_deletion_that_was_cut_short_is_completed_at_the_next_start() {
    let mut server = Server::start();
    let id = server.create(&mlp(2));
    let path = format!("/api/v1/runs/{id}");
    server.await_status(&id, "finished");
    let labels = json!({"name": "mine", "tags": ["final"], "notes": "seen"});
    let before = server.patch(&path, &labels).json();
    assert_eq!(server.delete(&path).status, 204);
    let about = server.data_dir().join("trash").join(format!("{id}.json"));
    let announced = std::fs::read(&about).unwrap();
    let restored = server.post(&format!("{path}/restore"), &json!({}));
    assert_eq!(restored.status, 200, "{}", restored.body);
    server.kill();
    // Killed after it was announced and before anything else: the index and the folder still have it.
    std::fs::write(&about, announced).unwrap();
    server.restart();
    until("the run is in the trash and nowhere else", || {
        server.get("/api/v1/trash").json()["runs"][0]["name"] == "mine"
            && server.get("/api/v1/runs").json()["runs"] == json!([])
    });
    assert_eq!(server.get(&path).status, 404);
    let restored = server.post(&format!("{path}/restore"), &json!({}));
    assert_eq!(restored.status, 200, "{}", restored.body);
    for field in ["number", "name", "tags", "notes", "status", "summary"] {
        assert_eq!(restored.json()[field], before[field], "{field}");
    }
}
