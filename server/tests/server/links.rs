//! Links in the data folder lead nowhere: nothing outside it is read, served or written.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::json;

use crate::support::{Server, conv, mlp, photos, until, upload_image, vivarium};

const SECRET: &str = "what nobody was to see";

/// Puts a link to a copy of a file outside in its place; gives the copy.
fn link_out(path: &Path, outside: &Path) -> std::path::PathBuf {
    let copy = outside.join(path.file_name().unwrap());
    if path.exists() {
        fs::copy(path, &copy).unwrap();
        fs::remove_file(path).unwrap();
    } else {
        fs::write(&copy, SECRET).unwrap();
    }
    symlink(&copy, path).unwrap();
    copy
}

#[test]
fn a_log_that_is_a_link_is_not_served() {
    let server = Server::start();
    let outside = tempfile::tempdir().unwrap();
    let id = server.create(&mlp(1));
    server.await_status(&id, "finished");
    let secret = outside.path().join("secret");
    fs::write(&secret, SECRET).unwrap();
    let log = server.run_dir(&id).join("worker.log");
    let _ = fs::remove_file(&log);
    symlink(&secret, &log).unwrap();
    let answer = server.get(&format!("/api/v1/runs/{id}/log"));
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(
        answer.body.contains("link") && !answer.body.contains(SECRET),
        "{}",
        answer.body
    );
}

#[test]
fn reports_and_images_that_are_links_are_not_served() {
    let mut server = Server::start();
    let outside = tempfile::tempdir().unwrap();
    let report = server
        .post("/api/v1/reports", &json!({"text": SECRET}))
        .json();
    let report = report["id"].as_str().unwrap().to_owned();
    let photo = fs::read(photos().join("rgb.png")).unwrap();
    let image = upload_image(&server, &photo).expect(201)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let data = server.data_dir().to_owned();
    link_out(&data.join(format!("reports/{report}.md")), outside.path());
    link_out(&data.join(format!("images/{image}.png")), outside.path());
    for path in [
        format!("/api/v1/reports/{report}"),
        format!("/api/v1/images/{image}.png"),
    ] {
        let answer = server.get(&path);
        assert_eq!(answer.status, 409, "{path}: {}", answer.body);
        assert!(!answer.body.contains(SECRET), "{}", answer.body);
    }
    assert_eq!(server.get(&format!("/reports/{report}")).status, 409);
    let save = json!({"text": "other", "revision": "x"});
    assert_eq!(
        server
            .put(&format!("/api/v1/reports/{report}"), &save)
            .status,
        409
    );
    assert_eq!(
        server.delete(&format!("/api/v1/reports/{report}")).status,
        409
    );
    assert_eq!(server.get("/api/v1/reports").json()["reports"], json!([]));
    server.stop();
    server.restart();
    assert_eq!(server.get("/api/v1/images").json()["images"], json!([]));
}

/// The worker and the server: neither reads on nor appends where the log is a link.
#[test]
fn nothing_is_written_through_links_of_a_run() {
    let server = Server::start();
    for file in [
        "events.ndjson",
        "worker.log",
        "spec.json",
        "lock",
        "checkpoints/last.safetensors",
    ] {
        let outside = tempfile::tempdir().unwrap();
        let id = server.create(&conv(1));
        server.await_status(&id, "finished");
        let directory = server.run_dir(&id);
        let copy = link_out(&directory.join(file), outside.path());
        let before = fs::read(&copy).unwrap();
        let worker = vivarium(&["worker", directory.to_str().unwrap()]);
        // It says so in its log, where that is one.
        let mut told = String::from_utf8_lossy(&worker.stderr).into_owned();
        if file != "worker.log" {
            told += &fs::read_to_string(directory.join("worker.log")).unwrap();
        }
        assert!(
            !worker.status.success() && told.contains("is a link"),
            "{file}: {told}"
        );
        assert_eq!(fs::read(&copy).unwrap(), before, "{file}");
    }
}

#[test]
fn a_run_that_is_a_link_is_not_taken_in() {
    let server = Server::start();
    let outside = tempfile::tempdir().unwrap();
    let id = server.create(&mlp(1));
    server.await_status(&id, "finished");
    let copy = outside.path().join("run");
    fs::rename(server.run_dir(&id), &copy).unwrap();
    let other = id.replace(&id[..8], "0199d3a0");
    symlink(&copy, server.run_dir(&other)).unwrap();
    let before = fs::read_dir(&copy).unwrap().count();
    // It is not shown as what it is, and nothing is written to it.
    until("the folder was looked at", || {
        let log = server.get(&format!("/api/v1/runs/{other}/log"));
        log.status >= 400
    });
    let resumed = server.post(&format!("/api/v1/runs/{other}/resume"), &json!({}));
    assert!(
        resumed.status >= 400 && resumed.status < 500,
        "{}",
        resumed.body
    );
    assert_eq!(fs::read_dir(&copy).unwrap().count(), before);
}
