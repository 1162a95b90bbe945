//! Every step of every change: the server dies there, the step fails there, the client leaves there. Afterwards the
//! change is carried through or was not begun, and nothing lies about.

mod table;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{ENDLESS, Server, mlp, until};
use table::{CHANGES, Change, Request, ids, is_here, labelled, runs, sweep, text, trash};

/// A server at whose steps a test has a say.
struct Stage {
    server: Server,
    folder: TempDir,
}

/// What happens at a step.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Kill,
    Fail,
    Leave,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("failpoints");
        let variables = [("VIVARIUM_FAILPOINTS", file.to_str().unwrap())];
        let server = Server::start_in(&["--jobs", "2"], &variables);
        Self { server, folder }
    }

    fn arm(&self, line: &str) {
        let _ = fs::remove_file(self.passed_file());
        // In one step: the server reads it at any time.
        let new = self.folder.path().join("new");
        fs::write(&new, line).unwrap();
        fs::rename(new, self.folder.path().join("failpoints")).unwrap();
    }

    fn passed(&self) -> usize {
        let names = fs::read_to_string(self.passed_file()).unwrap_or_default();
        names.lines().count()
    }

    fn passed_file(&self) -> PathBuf {
        self.folder.path().join("failpoints.passed")
    }

    /// Has something happen at the `n`-th step of a change. Says whether the change has so many.
    fn interrupt(&mut self, at: At, n: usize, request: &Request) -> bool {
        let action = match at {
            At::Kill => "kill",
            At::Fail => "fail",
            At::Leave => "wait",
        };
        self.arm(&format!("{action} {n}"));
        let mut stream = send(&self.server, request);
        let reached = if at == At::Leave {
            stream.set_nonblocking(true).unwrap();
            let mut answered = false;
            until("the change is at the step, or through", || {
                answered = stream.read(&mut [0; 1]).is_ok();
                answered || self.passed() > n
            });
            drop(stream);
            // By then the server has seen that the client left.
            for _ in 0..3 {
                assert_eq!(self.server.get("/healthz").status, 200);
            }
            !answered
        } else {
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            let reached = self.passed() > n;
            assert!(at == At::Kill || !answer.is_empty(), "it is answered");
            reached
        };
        self.arm("");
        // What the server writes by itself passes failpoints too, perhaps after the answer.
        let reached = reached || (at == At::Kill && self.is_gone());
        if at == At::Kill && reached {
            self.server.wait();
            self.server.restart();
        }
        reached
    }

    /// Whether the server does not answer any more.
    fn is_gone(&self) -> bool {
        let address = &self.server.address;
        let Ok(mut stream) = TcpStream::connect(address) else {
            return true;
        };
        let head = format!("GET /healthz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        let mut answer = Vec::new();
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.read_to_end(&mut answer);
        answer.is_empty()
    }
}

fn send(server: &Server, request: &Request) -> TcpStream {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let head = format!(
        "{} /api/v1{} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n",
        request.method,
        request.path,
        server.address,
        request.kind,
        request.body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let _ = stream.write_all(&request.body);
    stream
}

/// What is half done, or half removed, in a data folder.
fn lying_about(folder: &Path) -> Vec<PathBuf> {
    let entries = |of: &Path| {
        let entries = fs::read_dir(of).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let mut found = entries(folder);
    let below: Vec<_> = found.iter().flat_map(|path| entries(path)).collect();
    found.extend(below);
    found.retain(|path| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with('.')
    });
    found
}

/// What always holds when nothing is being changed.
fn assert_sound(server: &Server) {
    let folder = server.data_dir();
    until("nothing lies about", || lying_about(folder).is_empty());
    let names = |of: &str| {
        let entries = fs::read_dir(folder.join(of))
            .into_iter()
            .flatten()
            .flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    until("every run has its directory and its row", || {
        names("runs") == ids(&runs(server))
    });
    for run in runs(server).as_array().unwrap() {
        if let Some(sweep) = run["sweep"].as_str() {
            let whole = server.get(&format!("/api/v1/sweeps/{sweep}")).expect(200);
            assert!(ids(&whole["runs"]).contains(&run["id"].as_str().unwrap().to_owned()));
        }
    }
    for sweep in server.get("/api/v1/sweeps").expect(200)["sweeps"]
        .as_array()
        .unwrap()
    {
        let id = sweep["id"].as_str().unwrap();
        let file = fs::read(folder.join(format!("sweeps/{id}.json"))).unwrap();
        let file: Value = serde_json::from_slice(&file).unwrap();
        assert_eq!(
            sweep["runs"].as_u64().unwrap() as usize,
            file["runs"].as_array().unwrap().len()
        );
    }
    let deleted = ids(&trash(server));
    let mut expected: Vec<_> = deleted
        .iter()
        .flat_map(|id| [id.clone(), format!("{id}.json")])
        .collect();
    expected.sort();
    assert_eq!(
        names("trash"),
        expected,
        "what is in the trash can be brought back"
    );
}

fn every_step_of(at: At) {
    std::thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || {
                let mut stage = Stage::new();
                for change in CHANGES.iter().skip(half).step_by(2) {
                    steps_of(&mut stage, change, at);
                }
            });
        }
    });
}

fn steps_of(stage: &mut Stage, change: &Change, at: At) {
    for n in 0.. {
        assert!(n < 100, "{}: it comes to an end", change.name);
        let context = || format!("{}: {at:?} at step {n}", change.name);
        let it = (change.before)(&stage.server);
        let reached = stage.interrupt(at, n, &(change.request)(&it));
        let server = &stage.server;
        let mut done = None;
        until(&format!("{}: done or not begun", context()), || {
            done = (change.done)(server, &it);
            // Whoever left does not know when it is through.
            done.is_some() && (at != At::Leave || !reached || done == Some(true) || change.uploads)
        });
        if change.name != "upload a data set" && !reached {
            assert_eq!(done, Some(true), "{}", context());
        }
        if it["endless"] == true {
            // Whatever became of it, it can be stopped now.
            let mut left = true;
            until("what was to stop stops", || {
                for run in runs(server).as_array().unwrap() {
                    let path = format!("/api/v1/runs/{}/stop", text(&run["id"]));
                    if ["queued", "running"].contains(&text(&run["status"]))
                        && run["stopping"] == false
                    {
                        server.post(&path, &json!({}));
                    }
                }
                left = runs(server)
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|run| ["queued", "running"].contains(&text(&run["status"])));
                !left
            });
        }
        until(&format!("{}: no run waits for good", context()), || {
            let runs = runs(server);
            let mut each = runs.as_array().unwrap().iter();
            each.all(|run| !["queued", "running"].contains(&text(&run["status"])))
        });
        if change.name == "upload a data set" {
            // What was received and reported waits for a word; that is no remains.
            if !reached {
                stage.server.kill();
                stage.server.restart();
            }
        }
        eprintln!("{}: {done:?}", context());
        assert_sound(&stage.server);
        if !reached {
            break;
        }
    }
    // And nothing of it goes or comes at the next start.
    let listed = |server: &Server| (ids(&runs(server)), ids(&trash(server)));
    let before = listed(&stage.server);
    stage.server.kill();
    stage.server.restart();
    assert_eq!(listed(&stage.server), before, "{}", change.name);
    assert_sound(&stage.server);
}

#[test]
fn a_server_that_dies_at_any_step_leaves_a_change_or_none() {
    every_step_of(At::Kill);
}

#[test]
fn a_step_that_fails_leaves_a_change_or_none() {
    every_step_of(At::Fail);
}

#[test]
fn a_client_that_leaves_at_any_step_gets_its_change() {
    every_step_of(At::Leave);
}

#[test]
fn a_run_is_deleted_on_a_full_disk() {
    let stage = Stage::new();
    let run = labelled(&stage.server);
    let id = text(&run["id"]);
    let reserve = stage.server.data_dir().join("reserve");
    until("there is a reserve", || reserve.exists());
    stage.arm("fail 0");
    stage
        .server
        .delete(&format!("/api/v1/runs/{id}"))
        .expect(204);
    assert!(stage.passed() > 0, "the disk was full");
    stage.arm("");
    assert_eq!(is_here(&stage.server, id), Some(false));
    until("there is a reserve for the next time", || reserve.exists());
    assert_sound(&stage.server);
}

#[test]
fn a_sweep_of_many_runs_is_there_with_all_of_them() {
    let server = Server::start();
    // Nothing of it trains: what is asked is whether all of it is made.
    let blocker = server.create(&mlp(ENDLESS));
    server.await_status(&blocker, "running");
    let made = server.post("/api/v1/sweeps", &sweep(1, 700)).expect(201);
    let path = format!("/api/v1/sweeps/{}", text(&made["id"]));
    assert_eq!(ids(&made["runs"]).len(), 700);
    let listed = server.get(&path).expect(200);
    assert_eq!(ids(&listed["runs"]), ids(&made["runs"]));
    let seeds = listed["runs"].as_array().unwrap().iter();
    let seeds: Vec<_> = seeds
        .map(|run| run["spec"]["training"]["seed"].as_u64().unwrap())
        .collect();
    assert_eq!(seeds, (0..700).collect::<Vec<_>>(), "in their order");
    let stopped = server.post(&format!("{path}/stop"), &json!({})).expect(200);
    assert_eq!(stopped["stopped"], 700);
    until("all of it is stopped", || {
        let runs = server.get(&path).expect(200)["runs"].clone();
        let mut runs = runs.as_array().unwrap().iter();
        runs.all(|run| run["status"] == "stopped")
    });
}
