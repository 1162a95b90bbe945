//! Every step of every change: the server dies there, the step fails there, the client leaves there. Afterwards the
//! change is carried through or was not begun, and nothing lies about.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::data_sets::{pets, upload};
use crate::support::{ENDLESS, Server, conv, form, form_type, mlp, photos, until, upload_image};
use crate::tensorboard::events;

/// A server at whose steps a test has a say.
struct Stage {
    server: Server,
    folder: TempDir,
}

/// A request as it goes over the wire.
struct Request {
    method: &'static str,
    path: String,
    kind: String,
    body: Vec<u8>,
}

/// A change, what goes before it, and what must hold after it.
struct Change {
    name: &'static str,
    /// Makes what is changed; says what the others need to know of it.
    before: fn(&Server) -> Value,
    request: fn(&Value) -> Request,
    /// Whether it is carried through: `None` when neither holds.
    done: fn(&Server, &Value) -> Option<bool>,
    /// It begins when files are here that take their time to come: who leaves before that has asked for nothing.
    uploads: bool,
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

fn json_request(method: &'static str, path: String, body: &Value) -> Request {
    Request {
        method,
        path,
        kind: "application/json".to_owned(),
        body: body.to_string().into_bytes(),
    }
}

fn form_request(path: &str, field: &str, file: &str, bytes: &[u8]) -> Request {
    Request {
        method: "POST",
        path: path.to_owned(),
        kind: form_type(),
        body: form(field, Some(file), bytes),
    }
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

fn ids(of: &Value) -> Vec<String> {
    let mut ids: Vec<_> = of
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

fn runs(server: &Server) -> Value {
    server.get("/api/v1/runs").expect(200)["runs"].clone()
}

fn trash(server: &Server) -> Value {
    server.get("/api/v1/trash").expect(200)["runs"].clone()
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

/// A run that was stopped and can go on.
fn stopped(server: &Server) -> Value {
    loop {
        let id = server.create(&mlp(200));
        if server
            .post(&format!("/api/v1/runs/{id}/stop"), &json!({}))
            .status
            == 202
        {
            until("it ends", || {
                ["stopped", "finished"].contains(&&*server.status(&id))
            });
            if server.status(&id) == "stopped" {
                return json!({ "id": id });
            }
        }
    }
}

/// A run with labels.
fn labelled(server: &Server) -> Value {
    let id = server.create(&mlp(1));
    server.await_status(&id, "finished");
    let labels = json!({"name": "mine", "tags": ["best"], "notes": "seen"});
    server
        .patch(&format!("/api/v1/runs/{id}"), &labels)
        .expect(200);
    json!({ "id": id })
}

fn is_labelled(run: &Value) -> bool {
    run["name"] == "mine" && run["tags"] == json!(["best"]) && run["notes"] == "seen"
}

fn deleted(server: &Server) -> Value {
    let run = labelled(server);
    server
        .delete(&format!("/api/v1/runs/{}", text(&run["id"])))
        .expect(204);
    run
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Whether a run is among the runs, with its labels, or in the trash, with its labels, and not both.
fn is_here(server: &Server, id: &str) -> Option<bool> {
    let one = |of: Value| {
        of.as_array()
            .unwrap()
            .iter()
            .find(|run| run["id"] == id)
            .cloned()
    };
    match (one(runs(server)), one(trash(server))) {
        (Some(run), None) => is_labelled(&run).then_some(true),
        (None, Some(run)) => is_labelled(&run).then_some(false),
        _ => None,
    }
}

fn count(server: &Server) -> Value {
    json!({ "runs": ids(&runs(server)).len() })
}

fn grew_by(server: &Server, before: &Value, more: u64) -> Option<bool> {
    match ids(&runs(server)).len() as u64 - before["runs"].as_u64().unwrap() {
        0 => Some(false),
        new => (new == more).then_some(true),
    }
}

fn sweep(epochs: u64, seeds: u64) -> Value {
    json!({"base": mlp(epochs), "grid": {"training.seed": (0..seeds).collect::<Vec<_>>()}})
}

/// Whether all of a sweep's runs are asked to stop; `None` when only some are.
fn all_stop(server: &Server, id: &str) -> Option<bool> {
    let whole = server.get(&format!("/api/v1/sweeps/{id}")).expect(200);
    let stops = |run: &Value| run["stopping"] == true || run["status"] == "stopped";
    let runs = whole["runs"].as_array().unwrap();
    match runs.iter().filter(|run| stops(run)).count() {
        0 => Some(false),
        some => (some == runs.len()).then_some(true),
    }
}

fn draft(server: &Server) -> Value {
    let draft = upload(server, "pets.zip", &pets()).expect(201);
    let sets = server.get("/api/v1/datasets").json()["datasets"]
        .as_array()
        .unwrap()
        .len();
    json!({"id": draft["id"], "set": format!("pets-{sets}")})
}

fn has_set(server: &Server, set: &Value) -> bool {
    let sets = server.get("/api/v1/datasets").expect(200);
    sets["datasets"]
        .as_array()
        .unwrap()
        .iter()
        .any(|it| it["set"] == *set && it["state"]["kind"] == "present")
}

fn reports(server: &Server) -> usize {
    server.get("/api/v1/reports").expect(200)["reports"]
        .as_array()
        .unwrap()
        .len()
}

fn images(server: &Server) -> usize {
    server.get("/api/v1/images").expect(200)["images"]
        .as_array()
        .unwrap()
        .len()
}

fn photo() -> Vec<u8> {
    fs::read(photos().join("rgb.jpg")).unwrap()
}

const CHANGES: &[Change] = &[
    Change {
        name: "create a run",
        uploads: false,
        before: count,
        request: |_| json_request("POST", "/runs".into(), &mlp(1)),
        done: |server, before| grew_by(server, before, 1),
    },
    Change {
        name: "create a sweep",
        uploads: false,
        before: count,
        request: |_| json_request("POST", "/sweeps".into(), &sweep(1, 8)),
        done: |server, before| grew_by(server, before, 8),
    },
    Change {
        name: "add to a sweep",
        uploads: false,
        before: |server| {
            let sweep = json!({"base": mlp(1), "grid": {"training.batch_size": [8, 16]}});
            let made = server.post("/api/v1/sweeps", &sweep).expect(201);
            json!({"id": made["id"], "runs": ids(&runs(server)).len()})
        },
        request: |it| {
            let path = format!("/sweeps/{}/trials", text(&it["id"]));
            json_request("POST", path, &json!({"repeats": 1}))
        },
        done: |server, before| grew_by(server, before, 2),
    },
    Change {
        name: "resume a run",
        uploads: false,
        before: stopped,
        request: |it| {
            json_request(
                "POST",
                format!("/runs/{}/resume", text(&it["id"])),
                &json!({}),
            )
        },
        done: |server, it| Some(server.status(text(&it["id"])) != "stopped"),
    },
    Change {
        name: "stop a run",
        uploads: false,
        before: |server| {
            let id = server.create(&mlp(ENDLESS));
            server.await_status(&id, "running");
            json!({ "id": id, "endless": true })
        },
        request: |it| {
            json_request(
                "POST",
                format!("/runs/{}/stop", text(&it["id"])),
                &json!({}),
            )
        },
        done: |server, it| {
            let run = server.run(text(&it["id"]));
            Some(run["stopping"] == true || run["status"] == "stopped")
        },
    },
    Change {
        name: "stop a sweep",
        uploads: false,
        before: |server| {
            let made = server
                .post("/api/v1/sweeps", &sweep(ENDLESS, 3))
                .expect(201);
            json!({"id": made["id"], "endless": true})
        },
        request: |it| {
            json_request(
                "POST",
                format!("/sweeps/{}/stop", text(&it["id"])),
                &json!({}),
            )
        },
        done: |server, it| all_stop(server, text(&it["id"])),
    },
    Change {
        name: "delete a run",
        uploads: false,
        before: labelled,
        request: |it| json_request("DELETE", format!("/runs/{}", text(&it["id"])), &json!({})),
        done: |server, it| is_here(server, text(&it["id"])).map(|here| !here),
    },
    Change {
        name: "restore a run",
        uploads: false,
        before: deleted,
        request: |it| {
            json_request(
                "POST",
                format!("/runs/{}/restore", text(&it["id"])),
                &json!({}),
            )
        },
        done: |server, it| is_here(server, text(&it["id"])),
    },
    Change {
        name: "remove a run for good",
        uploads: false,
        before: deleted,
        request: |it| json_request("DELETE", format!("/trash/{}", text(&it["id"])), &json!({})),
        done: |server, it| Some(!ids(&trash(server)).contains(&text(&it["id"]).to_owned())),
    },
    Change {
        name: "label a run",
        uploads: false,
        before: labelled,
        request: |it| {
            let path = format!("/runs/{}", text(&it["id"]));
            json_request("PATCH", path, &json!({"name": "other", "notes": "new"}))
        },
        done: |server, it| {
            let run = server.run(text(&it["id"]));
            let new = run["name"] == "other" && run["notes"] == "new";
            (new || is_labelled(&run)).then_some(new)
        },
    },
    Change {
        name: "pin an image",
        uploads: false,
        before: |server| {
            let id = server.create(&conv(1));
            server.await_status(&id, "finished");
            let image = upload_image(server, &photo()).expect(201);
            json!({"id": id, "image": image["id"]})
        },
        request: |it| {
            let path = format!("/runs/{}/pinned", text(&it["id"]));
            json_request("PUT", path, &json!({"image": it["image"]}))
        },
        done: |server, it| {
            let film = server
                .get(&format!("/api/v1/runs/{}/film", text(&it["id"])))
                .expect(200);
            let image = &film["pinned"]["image"];
            // Killed between the picture and its name, it is pinned without one.
            (*image == it["image"] || image == "pinned" || image == "test:0")
                .then(|| image != "test:0")
        },
    },
    Change {
        name: "select runs",
        uploads: false,
        before: labelled,
        request: |it| json_request("POST", "/selections".into(), &json!({"runs": [it["id"]]})),
        done: |server, it| {
            let body = json!({"runs": [it["id"]]});
            let made = server.post("/api/v1/selections", &body).expect(201);
            let path = format!("/api/v1/selections/{}", text(&made["id"]));
            let runs = server.get(&path).expect(200)["runs"].clone();
            (runs == json!([it["id"]])).then_some(true)
        },
    },
    Change {
        name: "begin a report",
        uploads: false,
        before: |server| json!(reports(server)),
        request: |_| json_request("POST", "/reports".into(), &json!({"text": "# New"})),
        done: |server, before| Some(reports(server) as u64 > before.as_u64().unwrap()),
    },
    Change {
        name: "save a report",
        uploads: false,
        before: |server| {
            server
                .post("/api/v1/reports", &json!({"text": "# Old"}))
                .expect(201)
        },
        request: |it| {
            let body = json!({"text": "# Changed", "revision": it["revision"]});
            json_request("PUT", format!("/reports/{}", text(&it["id"])), &body)
        },
        done: |server, it| {
            let now = server
                .get(&format!("/api/v1/reports/{}", text(&it["id"])))
                .expect(200);
            Some(now["text"] == "# Changed")
        },
    },
    Change {
        name: "delete a report",
        uploads: false,
        before: |server| {
            server
                .post("/api/v1/reports", &json!({"text": "# Old"}))
                .expect(201)
        },
        request: |it| {
            json_request(
                "DELETE",
                format!("/reports/{}", text(&it["id"])),
                &json!({}),
            )
        },
        done: |server, it| {
            let path = format!("/api/v1/reports/{}", text(&it["id"]));
            let gone = server.get(&path).status == 404;
            // Wherever it is, it can be had.
            (!gone || server.post(&format!("{path}/restore"), &json!({})).status == 200)
                .then_some(gone)
        },
    },
    Change {
        name: "restore a report",
        uploads: false,
        before: |server| {
            let it = server
                .post("/api/v1/reports", &json!({"text": "# Old"}))
                .expect(201);
            server
                .delete(&format!("/api/v1/reports/{}", text(&it["id"])))
                .expect(204);
            it
        },
        request: |it| {
            json_request(
                "POST",
                format!("/reports/{}/restore", text(&it["id"])),
                &json!({}),
            )
        },
        done: |server, it| {
            Some(
                server
                    .get(&format!("/api/v1/reports/{}", text(&it["id"])))
                    .status
                    == 200,
            )
        },
    },
    Change {
        name: "upload an image",
        uploads: true,
        before: |server| json!(images(server)),
        request: |_| form_request("/images", "image", "photo.jpg", &photo()),
        done: |server, before| Some(images(server) as u64 > before.as_u64().unwrap()),
    },
    Change {
        name: "remove an image",
        uploads: false,
        before: |server| upload_image(server, &photo()).expect(201),
        request: |it| json_request("DELETE", format!("/images/{}", text(&it["id"])), &json!({})),
        done: |server, it| {
            let listed = server.get("/api/v1/images").expect(200);
            let listed = ids(&listed["images"]).contains(&text(&it["id"]).to_owned());
            let shown = server
                .get_bytes(&format!("/api/v1/images/{}.png", text(&it["id"])))
                .0
                == 200;
            (listed == shown).then_some(!listed)
        },
    },
    Change {
        name: "import event files",
        uploads: true,
        before: count,
        request: |it| {
            // Other values each time: the same files are not taken twice.
            let value = it["runs"].as_u64().unwrap() as f32;
            let file = events(&[("loss", 1, value), ("loss", 2, 0.5)]);
            form_request("/tensorboard", "file", "events.out.tfevents.1.host", &file)
        },
        done: |server, before| grew_by(server, before, 1),
    },
    Change {
        name: "upload a data set",
        uploads: true,
        before: |_| Value::Null,
        request: |_| form_request("/datasets", "file", "pets.zip", &pets()),
        // A draft waits in memory; whoever left never learns of it, and nothing of it lies about.
        done: |_, _| Some(false),
    },
    Change {
        name: "accept a data set",
        uploads: false,
        before: draft,
        request: |it| {
            let path = format!("/datasets/drafts/{}", text(&it["id"]));
            json_request("POST", path, &json!({"set": it["set"], "title": "Pets"}))
        },
        done: |server, it| {
            let done = has_set(server, &it["set"]);
            let path = format!("/api/v1/datasets/drafts/{}", text(&it["id"]));
            // Asked again, the answer is true: it is that set, or it waits for another name, or it is gone.
            let again = server.post(&path, &json!({"set": it["set"]})).status;
            let true_then = [201, 404].contains(&again);
            (true_then && (again != 201 || has_set(server, &it["set"]))).then_some(done)
        },
    },
    Change {
        name: "discard a data set",
        uploads: false,
        before: draft,
        request: |it| {
            json_request(
                "DELETE",
                format!("/datasets/drafts/{}", text(&it["id"])),
                &json!({}),
            )
        },
        done: |server, it| {
            let path = format!("/api/v1/datasets/drafts/{}", text(&it["id"]));
            Some(server.delete(&path).status == 404)
        },
    },
    Change {
        name: "remove a data set",
        uploads: false,
        before: |server| {
            let it = draft(server);
            let path = format!("/api/v1/datasets/drafts/{}", text(&it["id"]));
            server.post(&path, &json!({"set": it["set"]})).expect(201);
            it
        },
        request: |it| {
            json_request(
                "DELETE",
                format!("/datasets/{}", text(&it["set"])),
                &json!({}),
            )
        },
        done: |server, it| Some(!has_set(server, &it["set"])),
    },
];

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
