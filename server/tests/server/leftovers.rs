//! What processes leave that die at a bad moment, and files that somebody damaged.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use crate::support::{ENDLESS, Server, mlp, signal, until, vivarium};

/// Puts half a checkpoint where a worker that was killed would have left one.
fn leave_half_a_checkpoint(server: &Server, id: &str) -> [PathBuf; 3] {
    let checkpoints = server.run_dir(id).join("checkpoints");
    fs::create_dir_all(server.run_dir(id).join("film")).unwrap();
    let left = [
        checkpoints.join(".tmpQ1w2E3"),
        checkpoints.join("last.state.safetensors.tmp"),
        server.run_dir(id).join("film/frame.tmp"),
    ];
    for path in &left {
        fs::write(path, vec![0; 100_000]).unwrap();
    }
    left
}

fn are_gone(paths: &[PathBuf]) -> bool {
    paths.iter().all(|path| !path.exists())
}

#[test]
fn half_a_checkpoint_goes_with_the_worker_that_was_killed_over_it() {
    let server = Server::start();
    let id = server.create(&mlp(ENDLESS));
    server.await_step(&id, 100);
    let worker = server.worker_pid(&id);
    signal(worker, "STOP");
    let left = leave_half_a_checkpoint(&server, &id);
    signal(worker, "KILL");
    server.await_status(&id, "failed");
    until("the files are removed", || are_gone(&left));
    assert!(server.run_dir(&id).join("spec.json").exists());
}

#[test]
fn half_a_checkpoint_goes_at_the_next_start_and_not_while_a_worker_lives() {
    let mut server = Server::start_with(&["--jobs", "2"]);
    let over = server.create(&mlp(1));
    server.await_status(&over, "finished");
    let alive = server.create(&mlp(ENDLESS));
    server.await_step(&alive, 100);
    server.kill();
    let worker = server.worker_pid(&alive);
    signal(worker, "STOP");
    let of_the_dead = leave_half_a_checkpoint(&server, &over);
    let of_the_living = leave_half_a_checkpoint(&server, &alive);
    let report = server.data_dir().join("reports/.incoming-x");
    fs::create_dir_all(report.parent().unwrap()).unwrap();
    fs::write(&report, "half").unwrap();
    server.restart();
    until("the files are removed", || are_gone(&of_the_dead));
    assert!(!report.exists());
    server.await_status(&alive, "running");
    assert!(of_the_living.iter().all(|path| path.exists()));
    signal(worker, "CONT");
}

#[test]
fn a_damaged_log_is_told_once_on_its_run_and_looked_at_again_when_it_changes() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let server = Server::start_logging_to(log.path());
    let id = server.create(&mlp(1));
    server.await_status(&id, "finished");
    let events = server.run_dir(&id).join("events.ndjson");
    let whole = fs::read(&events).unwrap();
    let mut damaged = fs::OpenOptions::new().append(true).open(&events).unwrap();
    damaged.write_all(b"this is no event\n").unwrap();
    let number = whole.iter().filter(|&&byte| byte == b'\n').count() + 1;
    until("the run says so", || {
        let message = server.run(&id)["message"].as_str().unwrap().to_owned();
        message.contains(&format!("line {number} is not event number {number}"))
    });
    assert_eq!(server.status(&id), "finished", "what it came to stays true");
    // Each run from elsewhere is found by a further look through the folder.
    let folder = server.data_dir().to_string_lossy().into_owned();
    for known in 2..=3 {
        let arguments = ["train", "--network", "perceptron", "--data", "digits"];
        let set = ["--set", "training.epochs=1", "--data-dir", &folder];
        assert!(
            vivarium(&[&arguments[..], &set[..]].concat())
                .status
                .success()
        );
        until("the folder was looked through again", || {
            server.get("/api/v1/runs").json()["runs"]
                .as_array()
                .is_some_and(|runs| runs.len() == known)
        });
    }
    let said = fs::read_to_string(log.path()).unwrap();
    assert_eq!(said.matches("cannot be indexed").count(), 1, "{said}");
    // Mended, and grown by an event: it is read on.
    let note = format!("{{\"kind\":\"note\",\"seq\":{number},\"message\":\"mended\"}}\n");
    fs::write(&events, [&whole[..], note.as_bytes()].concat()).unwrap();
    until("it is read on", || {
        server.indexed_lines(&id).len() == number
    });
}
