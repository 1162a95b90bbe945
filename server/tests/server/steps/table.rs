//! The changes whose steps are tested, and how one sees that a change is carried through.

use std::fs;

use serde_json::{Value, json};

use crate::data_sets::{pets, upload};
use crate::support::{ENDLESS, Server, conv, form, form_type, mlp, photos, until, upload_image};
use crate::tensorboard::events;

/// A request as it goes over the wire.
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub kind: String,
    pub body: Vec<u8>,
}

/// A change, what goes before it, and what must hold after it.
pub struct Change {
    pub name: &'static str,
    /// Makes what is changed; says what the others need to know of it.
    pub before: fn(&Server) -> Value,
    pub request: fn(&Value) -> Request,
    /// Whether it is carried through: `None` when neither holds.
    pub done: fn(&Server, &Value) -> Option<bool>,
    /// It begins when files are here that take their time to come: who leaves before that has asked for nothing.
    pub uploads: bool,
}

pub fn json_request(method: &'static str, path: String, body: &Value) -> Request {
    Request {
        method,
        path,
        kind: "application/json".to_owned(),
        body: body.to_string().into_bytes(),
    }
}

/// A request without content. `{}` in the path stands for the id.
fn request_to(method: &'static str, path: &str, id: &Value) -> Request {
    json_request(method, path.replace("{}", text(id)), &json!({}))
}

pub fn form_request(path: &str, field: &str, file: &str, bytes: &[u8]) -> Request {
    Request {
        method: "POST",
        path: path.to_owned(),
        kind: form_type(),
        body: form(field, Some(file), bytes),
    }
}

pub fn ids(of: &Value) -> Vec<String> {
    let mut ids: Vec<_> = of
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

pub fn runs(server: &Server) -> Value {
    let all = server.get("/api/v1/runs?limit=1000").expect(200);
    assert!(all["next"].is_null(), "they fit on a page");
    all["runs"].clone()
}

pub fn trash(server: &Server) -> Value {
    server.get("/api/v1/trash").expect(200)["runs"].clone()
}

/// A run that was stopped and can go on.
pub fn stopped(server: &Server) -> Value {
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
pub fn labelled(server: &Server) -> Value {
    let id = server.create(&mlp(1));
    server.await_status(&id, "finished");
    let labels = json!({"name": "mine", "tags": ["best"], "notes": "seen"});
    server
        .patch(&format!("/api/v1/runs/{id}"), &labels)
        .expect(200);
    json!({ "id": id })
}

pub fn is_labelled(run: &Value) -> bool {
    run["name"] == "mine" && run["tags"] == json!(["best"]) && run["notes"] == "seen"
}

pub fn deleted(server: &Server) -> Value {
    let run = labelled(server);
    server
        .delete(&format!("/api/v1/runs/{}", text(&run["id"])))
        .expect(204);
    run
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Whether a run is among the runs, with its labels, or in the trash, with its labels, and not both.
pub fn is_here(server: &Server, id: &str) -> Option<bool> {
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

pub fn count(server: &Server) -> Value {
    json!({ "runs": ids(&runs(server)).len() })
}

pub fn grew_by(server: &Server, before: &Value, more: u64) -> Option<bool> {
    match ids(&runs(server)).len() as u64 - before["runs"].as_u64().unwrap() {
        0 => Some(false),
        new => (new == more).then_some(true),
    }
}

pub fn sweep(epochs: u64, seeds: u64) -> Value {
    json!({"base": mlp(epochs), "grid": {"training.seed": (0..seeds).collect::<Vec<_>>()}})
}

/// Whether all of a sweep's runs are asked to stop; `None` when only some are.
pub fn all_stop(server: &Server, id: &str) -> Option<bool> {
    let whole = server.get(&format!("/api/v1/sweeps/{id}")).expect(200);
    let stops = |run: &Value| run["stopping"] == true || run["status"] == "stopped";
    let runs = whole["runs"].as_array().unwrap();
    match runs.iter().filter(|run| stops(run)).count() {
        0 => Some(false),
        some => (some == runs.len()).then_some(true),
    }
}

pub fn draft(server: &Server) -> Value {
    let draft = upload(server, "pets.zip", &pets()).expect(201);
    let sets = server.get("/api/v1/datasets").json()["datasets"]
        .as_array()
        .unwrap()
        .len();
    json!({"id": draft["id"], "set": format!("pets-{sets}")})
}

pub fn has_set(server: &Server, set: &Value) -> bool {
    let sets = server.get("/api/v1/datasets").expect(200);
    sets["datasets"]
        .as_array()
        .unwrap()
        .iter()
        .any(|it| it["set"] == *set && it["state"]["kind"] == "present")
}

pub fn reports(server: &Server) -> usize {
    server.get("/api/v1/reports").expect(200)["reports"]
        .as_array()
        .unwrap()
        .len()
}

pub fn images(server: &Server) -> usize {
    server.get("/api/v1/images").expect(200)["images"]
        .as_array()
        .unwrap()
        .len()
}

pub fn photo() -> Vec<u8> {
    fs::read(photos().join("rgb.jpg")).unwrap()
}

pub const CHANGES: &[Change] = &[
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
        request: |it| request_to("POST", "/runs/{}/resume", &it["id"]),
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
        request: |it| request_to("POST", "/runs/{}/stop", &it["id"]),
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
        request: |it| request_to("POST", "/sweeps/{}/stop", &it["id"]),
        done: |server, it| all_stop(server, text(&it["id"])),
    },
    Change {
        name: "delete a run",
        uploads: false,
        before: labelled,
        request: |it| request_to("DELETE", "/runs/{}", &it["id"]),
        done: |server, it| is_here(server, text(&it["id"])).map(|here| !here),
    },
    Change {
        name: "restore a run",
        uploads: false,
        before: deleted,
        request: |it| request_to("POST", "/runs/{}/restore", &it["id"]),
        done: |server, it| is_here(server, text(&it["id"])),
    },
    Change {
        name: "remove a run for good",
        uploads: false,
        before: deleted,
        request: |it| request_to("DELETE", "/trash/{}", &it["id"]),
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
        request: |it| request_to("DELETE", "/reports/{}", &it["id"]),
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
        request: |it| request_to("POST", "/reports/{}/restore", &it["id"]),
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
        request: |it| request_to("DELETE", "/images/{}", &it["id"]),
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
        request: |it| request_to("DELETE", "/datasets/drafts/{}", &it["id"]),
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
        request: |it| request_to("DELETE", "/datasets/{}", &it["set"]),
        done: |server, it| Some(!has_set(server, &it["set"])),
    },
];
