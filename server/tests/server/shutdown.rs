//! Servers that end before their workers do: impatient people, init systems, machines that go down. Whatever a person did
//! not stop goes on at the next start.

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::{ENDLESS, Server, mlp, signal, until};

/// A run whose worker is held still, so that it does not end before its server. When the server is gone, the kernel
/// wakes what it held still: a group of processes without a parent that could.
struct Held {
    server: Server,
    id: String,
    worker: u32,
}

impl Held {
    fn start() -> Self {
        let server = Server::start();
        let id = server.create(&mlp(ENDLESS));
        server.await_step(&id, 100);
        let worker = server.worker_pid(&id);
        signal(worker, "STOP");
        let held = Self { server, id, worker };
        // The kernel delivers what comes later first where its number is lower.
        until("the worker is still", || {
            held.worker_status("State:").unwrap().starts_with('T')
        });
        held
    }

    /// What the kernel says of the worker, while it is there.
    fn worker_status(&self, what: &str) -> Option<String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.worker)).ok()?;
        let value = status.lines().find_map(|line| line.strip_prefix(what));
        value.map(|value| value.trim().to_owned())
    }

    /// Waits until the worker was asked to stop: the signal waits for it.
    fn await_wish_to_stop(&self) {
        const TERM: u32 = 15;
        until("the worker is asked to stop", || {
            // A server that was in a hurry has left it already, and it has done what it was asked.
            let pending = self.worker_status("ShdPnd:");
            let pending = pending.map_or(u64::MAX, |mask| u64::from_str_radix(&mask, 16).unwrap());
            pending & 1 << (TERM - 1) != 0
        });
    }

    /// Sends a signal to the worker, which may have ended.
    fn tell_worker(&self, name: &str) {
        let _ = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.worker.to_string())
            .stderr(Stdio::null())
            .status();
    }

    fn let_go(&self) {
        self.tell_worker("CONT");
    }

    fn await_last_word(&self) {
        until("the worker ends with a checkpoint", || {
            // Another may have begun where this one left off.
            let lines = self.server.log_lines(&self.id);
            lines
                .iter()
                .any(|line| line.contains(r#""reason":"stopped""#))
        });
    }

    fn goes_on(&self) {
        let lines = self.server.log_lines(&self.id).len();
        self.server.await_status(&self.id, "running");
        until("it goes on", || {
            self.server.log_lines(&self.id).len() > lines + 3
        });
        assert_ne!(self.server.worker_pid(&self.id), self.worker);
    }
}

#[test]
fn a_server_that_is_killed_while_its_workers_stop_takes_their_runs_up_again() {
    let mut held = Held::start();
    signal(held.server.pid(), "TERM");
    held.await_wish_to_stop();
    held.server.kill();
    held.let_go();
    held.await_last_word();
    held.server.restart();
    held.goes_on();
}

#[test]
fn a_second_signal_ends_the_server_at_once_and_its_runs_are_taken_up_again() {
    let mut held = Held::start();
    signal(held.server.pid(), "TERM");
    held.await_wish_to_stop();
    signal(held.server.pid(), "TERM");
    // It ends well when it has waited for its workers.
    assert_eq!(held.server.await_end().code(), Some(1));
    held.let_go();
    held.await_last_word();
    held.server.restart();
    held.goes_on();
}

#[test]
fn a_worker_that_still_obeys_the_server_before_is_adopted_and_its_run_goes_on_after() {
    let mut held = Held::start();
    signal(held.server.pid(), "INT");
    held.await_wish_to_stop();
    held.server.kill();
    held.server.restart();
    held.server.await_status(&held.id, "running");
    held.let_go();
    held.await_last_word();
    held.goes_on();
}

#[test]
fn what_a_person_stopped_stays_stopped_when_the_server_dies_before_the_worker() {
    let mut held = Held::start();
    let stop = format!("/api/v1/runs/{}/stop", held.id);
    assert_eq!(held.server.post(&stop, &json!({})).status, 202);
    held.await_wish_to_stop();
    held.server.kill();
    held.let_go();
    held.await_last_word();
    held.server.restart();
    let run = held.server.await_status(&held.id, "stopped");
    assert_eq!(run["stopping"], false);
}

#[test]
fn workers_that_are_stopped_together_with_a_server_that_is_killed_go_on() {
    // As when a machine goes down: every process gets the signal, and the server does not live to see what comes of it.
    let mut held = Held::start();
    held.server.kill();
    held.tell_worker("TERM");
    held.let_go();
    held.await_last_word();
    held.server.restart();
    held.goes_on();
}

#[test]
fn a_server_whose_data_folder_another_one_has_taken_ends_and_leaves_the_lock_to_it() {
    let mut server = Server::start();
    let lock = server.data_dir().join("server.lock");
    let other = "7 another.example 000000000003\n";
    std::fs::write(&lock, other).unwrap();
    assert_eq!(server.await_end().code(), Some(1));
    assert_eq!(std::fs::read_to_string(&lock).unwrap(), other);
}

fn train(server: &Server) -> Child {
    Command::new(env!("CARGO_BIN_EXE_vivarium"))
        .args(["train", "--network", "mlp", "--data", "moons", "--set"])
        .arg(format!("training.epochs={ENDLESS}"))
        .arg("--data-dir")
        .arg(server.data_dir())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_run_of_the_command_line_that_a_person_stopped_is_not_taken_up() {
    let mut server = Server::start();
    let mut process = train(&server);
    let mut id = Value::Null;
    until("the server has adopted the run", || {
        let run = server.get("/api/v1/runs").json()["runs"][0].clone();
        id = run["id"].clone();
        run["status"] == "running"
    });
    server.kill();
    signal(process.id(), "INT");
    assert!(process.wait().unwrap().success());
    server.restart();
    let run = server.await_status(id.as_str().unwrap(), "stopped");
    assert!(
        run["message"].as_str().unwrap().contains("command line"),
        "{run}"
    );
}
