//! Data sets over HTTP: uploads with their reports, fetches, pictures, and what is refused.

use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::mirror::{Manners, Mirror};
use crate::support::{Answer, ENDLESS, FASHION, Server, agent, form, form_type, photos, until};

/// The files of golden pictures, of the crate of numerics.
fn photo(name: &str) -> Vec<u8> {
    fs::read(photos().join(name)).unwrap()
}

pub fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Two classes of six pictures each.
pub fn pets() -> Vec<u8> {
    let (colour, grey) = (photo("rgb.jpg"), photo("grey.png"));
    let names: Vec<_> = (0..12)
        .map(|i| format!("pets/{}/{i}.jpg", if i % 2 == 0 { "cats" } else { "dogs" }))
        .collect();
    let file = |(i, name): (usize, &String)| {
        (
            name.clone(),
            if i % 2 == 0 {
                colour.clone()
            } else {
                grey.clone()
            },
        )
    };
    let files: Vec<_> = names.iter().enumerate().map(file).collect();
    zipped(
        &files
            .iter()
            .map(|(name, bytes)| (name.as_str(), &bytes[..]))
            .collect::<Vec<_>>(),
    )
}

pub fn upload(server: &Server, file: &str, bytes: &[u8]) -> Answer {
    send(server, form("file", Some(file), bytes))
}

fn send(server: &Server, body: Vec<u8>) -> Answer {
    Answer::of(
        agent()
            .post(server.url("/api/v1/datasets"))
            .header("content-type", form_type())
            .send(&body[..]),
    )
}

fn set(server: &Server, name: &str) -> Option<Value> {
    let sets = server.get("/api/v1/datasets").json()["datasets"]
        .as_array()
        .unwrap()
        .clone();
    sets.into_iter().find(|set| set["set"] == name)
}

/// What lies in the folder of data sets.
fn left(server: &Server) -> Vec<String> {
    let entries = fs::read_dir(server.data_dir().join("datasets"))
        .into_iter()
        .flatten();
    entries
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

fn run_on(set: &str, epochs: u64) -> Value {
    json!({
        "data": {"set": set}, "network": {"kind": "mlp", "hidden": [8]},
        "training": {"epochs": epochs, "batch_size": 4, "threads": 1}
    })
}

#[test]
fn a_zip_is_reported_accepted_and_trained_on() {
    let server = Server::start();
    let answer = upload(&server, "My Pets.zip", &pets());
    assert_eq!(answer.status, 201, "{}", answer.body);
    let draft = answer.json();
    assert_eq!(
        (&draft["suggestion"], &draft["file"]),
        (&json!("my-pets"), &json!("My Pets.zip"))
    );
    assert_eq!(
        draft["report"]["classes"],
        json!([{"name": "cats", "images": 6}, {"name": "dogs", "images": 6}])
    );
    assert_eq!(draft["report"]["sizes"], json!([[16, 16], [16, 16]]));
    assert!(
        set(&server, "my-pets").is_none(),
        "it is no set before it is accepted"
    );
    let url = format!("/api/v1/datasets/drafts/{}", draft["id"].as_str().unwrap());
    let accepted = server.post(&url, &json!({"set": "my-pets", "title": "My pets"}));
    assert_eq!(
        (accepted.status, accepted.json()),
        (201, json!({"set": "my-pets"}))
    );
    let mine = set(&server, "my-pets").unwrap();
    assert_eq!(
        (&mine["title"], &mine["state"]["kind"], &mine["classes"]),
        (&json!("My pets"), &json!("present"), &json!(2))
    );
    assert_eq!(mine["about"]["source"], "My Pets.zip");
    assert_eq!(left(&server), ["my-pets"]);
    assert_eq!(
        server.post(&url, &json!({"set": "again"})).status,
        409,
        "a draft is accepted once"
    );
    // Whoever asks again, because the answer was lost, gets it.
    let again = server.post(&url, &json!({"set": "my-pets"}));
    assert_eq!(
        (again.status, again.json()),
        (201, json!({"set": "my-pets"}))
    );
    let id = server.create(&run_on("my-pets", 2));
    server.await_status(&id, "finished");
}

#[test]
fn a_name_that_cannot_be_used_leaves_the_draft_for_another() {
    let server = Server::start();
    let draft = upload(&server, "pets.zip", &pets()).expect(201);
    let url = format!("/api/v1/datasets/drafts/{}", draft["id"].as_str().unwrap());
    for name in ["digits", "mnist", "Pets", "../pets", ".pets", "", "a/b"] {
        let answer = server.post(&url, &json!({"set": name}));
        assert_eq!(
            (answer.status, answer.fields()),
            (422, vec!["set".to_owned()]),
            "{name}"
        );
    }
    let answer = server.post(&url, &json!({"set": "pets", "title": "a\nb"}));
    assert_eq!(answer.fields(), ["title"]);
    assert_eq!(server.post(&url, &json!({"set": "pets"})).status, 201);
    // The next of that name is offered another, and does not take this one's.
    let second = upload(&server, "pets.zip", &pets()).expect(201);
    assert_eq!(second["suggestion"], "pets-2");
    let url = format!("/api/v1/datasets/drafts/{}", second["id"].as_str().unwrap());
    assert_eq!(server.post(&url, &json!({"set": "pets"})).fields(), ["set"]);
    assert_eq!(server.delete(&url).status, 204);
    assert_eq!(server.delete(&url).status, 404);
    assert_eq!(left(&server), ["pets"]);
}

#[test]
fn unreadable_images_are_named_and_left_out_on_a_word_only() {
    let server = Server::start();
    let (colour, cmyk) = (photo("rgb.jpg"), photo("cmyk-unmarked.jpg"));
    let files: [(&str, &[u8]); 5] = [
        ("a/1.jpg", &colour),
        ("a/2.jpg", b"no"),
        ("b/1.jpg", &colour),
        ("b/2.jpg", &cmyk),
        ("notes.txt", b"x"),
    ];
    let draft = upload(&server, "some.zip", &zipped(&files)).expect(201);
    let unreadable = draft["report"]["unreadable"].as_array().unwrap();
    assert_eq!(
        unreadable
            .iter()
            .map(|fault| fault["file"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["a/2.jpg", "b/2.jpg"]
    );
    assert_eq!(draft["report"]["ignored"], json!(["notes.txt"]));
    let url = format!("/api/v1/datasets/drafts/{}", draft["id"].as_str().unwrap());
    let answer = server.post(&url, &json!({"set": "some"}));
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(set(&server, "some").is_none());
    assert_eq!(
        server
            .post(&url, &json!({"set": "some", "skip_unreadable": true}))
            .status,
        201
    );
    assert_eq!(set(&server, "some").unwrap()["about"]["images"], 2);
}

#[test]
fn files_that_are_refused_leave_nothing_behind() {
    let server = Server::start();
    let colour = photo("rgb.jpg");
    let outside = zipped(&[("a/1.jpg", &colour), ("../b/1.jpg", &colour)]);
    let one_class = zipped(&[("a/1.jpg", &colour)]);
    let empty_class = zipped(&[("a/1.jpg", &colour), ("b/1.jpg", b"")]);
    for (bytes, path, words) in [
        (&outside[..], "../b/1.jpg", "leads out of the archive"),
        (&one_class, "some.zip", "at least 2 classes"),
        (&empty_class, "b", "has no image that can be read"),
        (
            b"PK\x03\x04 and no more",
            "some.zip",
            "cannot be read as a zip",
        ),
        (b"hello", "some.zip", "is no zip"),
        (b"", "some.zip", "is no zip"),
    ] {
        let answer = upload(&server, "some.zip", bytes);
        assert_eq!(answer.status, 422, "{}", answer.body);
        assert!(
            answer.fields().contains(&path.to_owned()),
            "{}",
            answer.body
        );
        assert!(
            answer.json()["detail"].as_str().unwrap().contains(words),
            "{}",
            answer.body
        );
        assert_eq!(left(&server), Vec::<String>::new());
    }
    assert_eq!(
        send(&server, form("file", None, b"no file's name")).status,
        400
    );
    let json_body = server.post("/api/v1/datasets", &json!({}));
    assert_eq!(json_body.status, 400, "{}", json_body.body);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn uploads_have_a_limit_and_those_that_break_off_are_forgotten() {
    let server = Server::start_with(&["--max-upload-mib", "1"]);
    let answer = upload(&server, "large.zip", &vec![b'P'; 3 << 20]);
    assert_eq!(answer.status, 413, "{}", answer.body);
    until("nothing is left of it", || left(&server).is_empty());
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let body = form("file", Some("half.zip"), &pets());
    write!(
        stream,
        "POST /api/v1/datasets HTTP/1.1\r\nhost: {}\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n",
        server.address,
        form_type(),
        body.len()
    )
    .unwrap();
    stream.write_all(&body[..body.len() / 2]).unwrap();
    until("it comes in", || !left(&server).is_empty());
    drop(stream);
    until("nothing is left of it", || left(&server).is_empty());
}

#[test]
fn what_a_server_that_died_has_left_goes_at_the_next_start() {
    let mut server = Server::start();
    upload(&server, "pets.zip", &pets());
    assert_eq!(left(&server).len(), 1);
    server.kill();
    server.restart();
    assert_eq!(left(&server), Vec::<String>::new());
}

#[test]
fn other_sites_cannot_upload_or_delete() {
    let server = Server::start();
    let request = agent()
        .post(server.url("/api/v1/datasets"))
        .header("content-type", form_type())
        .header("origin", "http://evil.example");
    assert_eq!(
        Answer::of(request.send(&form("file", Some("pets.zip"), &pets())[..])).status,
        403
    );
    let request = agent()
        .delete(server.url("/api/v1/datasets/digits"))
        .header("sec-fetch-site", "cross-site");
    assert_eq!(Answer::of(request.call()).status, 403);
}

#[test]
fn sets_are_deleted_unless_somebody_needs_them() {
    let server = Server::start();
    let draft = upload(&server, "pets.zip", &pets()).expect(201);
    server.post(
        &format!("/api/v1/datasets/drafts/{}", draft["id"].as_str().unwrap()),
        &json!({"set": "pets"}),
    );
    for (set, status) in [
        ("digits", 409),
        ("mnist", 404),
        ("no-such", 404),
        ("..%2Fruns", 404),
    ] {
        assert_eq!(
            server.delete(&format!("/api/v1/datasets/{set}")).status,
            status,
            "{set}"
        );
    }
    let id = server.create(&run_on("pets", ENDLESS));
    server.await_step(&id, 10);
    assert_eq!(server.delete("/api/v1/datasets/pets").status, 409);
    server.post(&format!("/api/v1/runs/{id}/stop"), &json!({}));
    server.await_status(&id, "stopped");
    assert_eq!(server.delete("/api/v1/datasets/pets").status, 204);
    assert!(set(&server, "pets").is_none());
    // The run is still told of; only going on with it is not possible, and is said so.
    assert_eq!(server.run(&id)["spec"]["data"]["set"], "pets");
    server.post(&format!("/api/v1/runs/{id}/resume"), &json!({}));
    let run = server.await_status(&id, "failed");
    assert!(
        run["message"].as_str().unwrap().contains("data.set"),
        "{run}"
    );
    let answer = server.post("/api/v1/runs", &run_on("pets", 1));
    assert_eq!(
        (answer.status, answer.fields()),
        (422, vec!["data.set".to_owned()])
    );
}

#[test]
fn pictures_show_sets_of_images() {
    let server = Server::start();
    let layout = server.get("/api/v1/datasets/digits/gallery").json();
    assert_eq!((&layout["rows"], &layout["cell"]), (&json!(10), &json!(8)));
    let mut picture = agent()
        .get(server.url("/api/v1/datasets/digits/gallery.png"))
        .call()
        .unwrap();
    assert_eq!(picture.headers()["content-type"], "image/png");
    let mut bytes = Vec::new();
    picture
        .body_mut()
        .as_reader()
        .read_to_end(&mut bytes)
        .unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
    let tag = picture.headers()["etag"].to_str().unwrap().to_owned();
    let again = agent()
        .get(server.url("/api/v1/datasets/digits/gallery.png"))
        .header("if-none-match", tag)
        .call();
    assert_eq!(again.unwrap().status().as_u16(), 304);
    for set in ["moons", "mnist", "no-such"] {
        assert_eq!(
            server
                .get(&format!("/api/v1/datasets/{set}/gallery.png"))
                .status,
            404,
            "{set}"
        );
    }
}

#[test]
fn a_known_set_is_fetched_while_one_looks_on() {
    let folder = Path::new(FASHION);
    assert!(
        folder.is_dir(),
        "install Debian's package dataset-fashion-mnist, as ./test does"
    );
    let mirror = Mirror::of(folder.parent().unwrap(), Manners::default());
    let server = Server::start_with(&["--mirror", &mirror.url]);
    let answer = server.post("/api/v1/runs", &run_on("fashion-mnist", 1));
    assert_eq!(
        (answer.status, answer.fields()),
        (422, vec!["data.set".to_owned()])
    );
    assert!(
        answer.json()["detail"]
            .as_str()
            .unwrap()
            .contains("vivarium data fetch fashion-mnist")
    );
    assert_eq!(
        server
            .post("/api/v1/datasets/fashion-mnist/fetch", &json!({}))
            .status,
        202
    );
    until("the set is here", || {
        let set = set(&server, "fashion-mnist").unwrap();
        assert_eq!(set["fetch"]["message"].as_str().unwrap_or_default(), "");
        set["state"]["kind"] == "present"
    });
    until("the fetch is through", || {
        set(&server, "fashion-mnist").unwrap()["fetch"].is_null()
    });
    assert_eq!(
        server
            .post("/api/v1/datasets/fashion-mnist/fetch", &json!({}))
            .status,
        409
    );
    // The mirror has no other; why it does not come is told until somebody clears it away.
    assert_eq!(
        server
            .post("/api/v1/datasets/mnist/fetch", &json!({}))
            .status,
        202
    );
    until("the fetch has failed", || {
        set(&server, "mnist").unwrap()["fetch"]["active"] == false
    });
    assert!(
        set(&server, "mnist").unwrap()["fetch"]["message"]
            .as_str()
            .unwrap()
            .contains("404")
    );
    assert_eq!(server.delete("/api/v1/datasets/mnist/fetch").status, 204);
    assert!(set(&server, "mnist").unwrap()["fetch"].is_null());
    for name in ["digits", "no-such"] {
        assert_eq!(
            server
                .post(&format!("/api/v1/datasets/{name}/fetch"), &json!({}))
                .status,
            404
        );
    }
}
