//! Nobody reads what the program says any more: the terminal is closed, the pipe's reader is gone, the disk is full.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Answer, ENDLESS, Server, at_a_terminal, mlp, signal, until};

/// A server whose output goes where a test says.
struct Spoken {
    _folder: TempDir,
    process: Child,
    address: String,
    stdout: Option<BufReader<ChildStdout>>,
    stderr: Option<ChildStderr>,
}

impl Spoken {
    fn start(stderr: Stdio, log: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = at_a_terminal(env!("CARGO_BIN_EXE_vivarium"))
            .args(["serve", "--port", "0", "--data-dir"])
            .arg(folder.path())
            .env("RUST_LOG", log)
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().unwrap().to_owned();
        Self {
            _folder: folder,
            stderr: process.stderr.take(),
            process,
            address,
            stdout: Some(stdout),
        }
    }

    fn agent() -> ureq::Agent {
        ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn get(&self, path: &str) -> Answer {
        Answer::of(Self::agent().get(self.url(path)).call())
    }

    fn trains_a_run(&self) {
        let answer = Answer::of(
            Self::agent()
                .post(self.url("/api/v1/runs"))
                .send_json(mlp(2)),
        );
        let id = answer.expect(201)["id"].as_str().unwrap().to_owned();
        until("the run is trained", || {
            self.get(&format!("/api/v1/runs/{id}")).json()["status"] == "finished"
        });
    }

    fn stops_on(mut self, name: &str) {
        signal(self.process.id(), name);
        until(&format!("SIG{name} stops the server"), || {
            self.process.try_wait().unwrap().is_some()
        });
        assert!(self.process.wait().unwrap().success(), "it ends well");
    }
}

impl Drop for Spoken {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_server_whose_reader_is_gone_works_on_and_stops_when_it_is_asked_to() {
    for name in ["TERM", "INT", "HUP"] {
        let mut server = Spoken::start(Stdio::piped(), "debug");
        server.stderr = None;
        server.stdout = None;
        server.trains_a_run();
        server.stops_on(name);
    }
}

#[test]
fn a_server_whose_log_is_on_a_full_disk_works_on_and_stops_when_it_is_asked_to() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let server = Spoken::start(full.into(), "debug");
    server.trains_a_run();
    server.stops_on("TERM");
}

#[test]
fn a_server_starts_where_nobody_hears_its_address() {
    let folder = tempfile::tempdir().unwrap();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_vivarium"))
        .args(["serve", "--port", "0", "--data-dir"])
        .arg(folder.path())
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap());
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    assert!(line.contains("ready"), "{line}");
    signal(process.id(), "TERM");
    assert!(process.wait().unwrap().success());
}

/// Starts `vivarium train` with more arguments.
fn train(folder: &Path, through: &[&str], epochs: u64) -> Command {
    let binary = env!("CARGO_BIN_EXE_vivarium");
    let (first, rest) = through
        .split_first()
        .map_or((binary, &[][..]), |(f, r)| (*f, r));
    let mut command = at_a_terminal(first);
    command.args(rest);
    if first != binary {
        command.arg(binary);
    }
    command
        .args(["train", "--network", "mlp", "--data", "moons", "--set"])
        .arg(format!("training.epochs={epochs}"))
        .arg("--data-dir")
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn only_run(folder: &Path) -> Option<PathBuf> {
    let mut entries = std::fs::read_dir(folder.join("runs")).ok()?.flatten();
    let path = entries.next()?.path();
    let name = path.file_name()?.to_str()?;
    (!name.starts_with('.')).then_some(path)
}

fn events(folder: &Path) -> Vec<Value> {
    let text =
        only_run(folder).and_then(|run| std::fs::read_to_string(run.join("events.ndjson")).ok());
    let text = text.unwrap_or_default();
    let lines = text.lines().map(serde_json::from_str);
    lines.map_while(Result::ok).collect()
}

fn count(folder: &Path, kind: &str) -> usize {
    let events = events(folder);
    events.iter().filter(|event| event["kind"] == kind).count()
}

fn ended(folder: &Path) -> Value {
    let last = events(folder).pop().unwrap();
    assert_eq!(last["kind"], "finished", "{last}");
    last["reason"].clone()
}

#[test]
fn train_goes_on_to_its_end_when_nobody_reads_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = train(folder.path(), &[], 30)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop((process.stdout.take(), process.stderr.take()));
    assert!(process.wait().unwrap().success());
    assert_eq!(ended(folder.path()), "completed");
}

#[test]
fn train_goes_on_to_its_end_when_the_disk_under_its_output_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = train(folder.path(), &[], 30);
    let status = command.stdout(full()).stderr(full()).status().unwrap();
    // Its result is lost, and that is an error.
    assert!(!status.success());
    assert_eq!(ended(folder.path()), "completed");
}

#[test]
fn a_terminal_that_is_closed_stops_train_with_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = train(folder.path(), &[], ENDLESS)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until("it trains", || count(folder.path(), "steps") > 0);
    drop(process.stderr.take());
    signal(process.id(), "HUP");
    assert!(process.wait().unwrap().success());
    assert_eq!(ended(folder.path()), "stopped");
    let run = only_run(folder.path()).unwrap();
    assert!(run.join("checkpoints/last.safetensors").exists());
}

#[test]
fn a_worker_that_is_hung_up_stops_with_a_checkpoint() {
    let server = Server::start();
    let id = server.create(&mlp(ENDLESS));
    server.await_step(&id, 10);
    signal(server.worker_pid(&id), "HUP");
    let run = server.await_status(&id, "stopped");
    assert_eq!(run["reason"], "stopped", "{run}");
    assert_eq!(
        server
            .post(&format!("/api/v1/runs/{id}/resume"), &json!({}))
            .status,
        202
    );
    server.await_status(&id, "running");
}

#[test]
fn train_under_nohup_survives_its_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = train(folder.path(), &["nohup"], ENDLESS)
        .stdin(File::open("/dev/null").unwrap())
        .spawn()
        .unwrap();
    until("it trains", || count(folder.path(), "steps") > 0);
    signal(process.id(), "HUP");
    let before = count(folder.path(), "epoch");
    until("it trains on", || {
        count(folder.path(), "epoch") > before + 2
    });
    signal(process.id(), "TERM");
    assert!(process.wait().unwrap().success());
    assert_eq!(ended(folder.path()), "stopped");
}

#[test]
fn a_server_whose_terminal_is_closed_interrupts_its_runs_and_takes_them_up_again() {
    let mut server = Server::start();
    let id = server.create(&mlp(ENDLESS));
    server.await_step(&id, 100);
    server.hang_up();
    let last = server.log_lines(&id).pop().unwrap();
    assert!(last.contains(r#""kind":"finished""#), "{last}");
    server.restart();
    server.await_status(&id, "running");
}
