//! A data folder that version 0.1 has written, with a bit of everything: `tests/data/make_data_folder.py` made it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Server, until};

fn server() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/data-folder-0.1.tar.gz");
    let unpacked = Command::new("tar")
        .args(["--strip-components=1", "-xzf"])
        .arg(packed)
        .arg("-C")
        .arg(folder.path())
        .status();
    assert!(unpacked.unwrap().success());
    Server::start_on(folder)
}

/// The id of the run of a name.
fn run(server: &Server, name: &str) -> String {
    let runs = server.get("/api/v1/runs").json();
    let runs = runs["runs"].as_array().unwrap();
    let run = runs.iter().find(|run| run["name"] == name);
    let run = run.unwrap_or_else(|| panic!("no run {name}"));
    run["id"].as_str().unwrap().to_owned()
}

/// What is listed of every run: name, status, reason, and figures.
fn listed(server: &Server) -> Vec<Value> {
    let runs = server.get("/api/v1/runs").json();
    let runs = runs["runs"].as_array().unwrap().iter();
    let mut listed: Vec<_> = runs
        .map(|run| {
            json!([
                run["name"],
                run["status"],
                run["reason"],
                run["tags"],
                run["summary"]["step"],
                run["summary"]["train_loss"],
                run["summary"]["test_accuracy"],
            ])
        })
        .collect();
    listed.sort_by_key(Value::to_string);
    listed
}

/// The losses of all steps, as the log has them.
fn losses(server: &Server, id: &str) -> Vec<Value> {
    let lines = server.log_lines(id).into_iter();
    let steps = lines
        .map(|line| serde_json::from_str::<Value>(&line).unwrap())
        .filter(|line| line["kind"] == "steps");
    steps
        .flat_map(|line| line["loss"].as_array().unwrap().clone())
        .collect()
}

#[test]
fn every_page_and_every_answer_about_a_run_opens() {
    let server = server();
    let runs = server.get("/api/v1/runs").json();
    let runs = runs["runs"].as_array().unwrap();
    let states: Vec<_> = runs
        .iter()
        .map(|run| {
            let text = |of: &str| run[of].as_str().unwrap_or("none").to_owned();
            (text("name"), text("status"), text("reason"))
        })
        .collect();
    for (name, status, reason) in [
        ("A perceptron", "finished", "completed"),
        ("An MLP on points", "finished", "completed"),
        ("VGG16, narrow", "finished", "completed"),
        ("A residual network, narrow", "finished", "completed"),
        ("Diverges", "finished", "diverged"),
        ("Stops early", "finished", "early_stopped"),
        ("Whole", "finished", "completed"),
        ("Stopped", "stopped", "stopped"),
        ("On stripes", "finished", "completed"),
        ("TensorBoard, 2023-11-14 22:13:21", "finished", "completed"),
    ] {
        let state = (name.to_owned(), status.to_owned(), reason.to_owned());
        assert!(states.contains(&state), "{state:?} is not in {states:?}");
    }
    let sweeps = server.get("/api/v1/sweeps").json();
    let sweep = sweeps["sweeps"][0]["id"].as_str().unwrap().to_owned();
    let reports = server.get("/api/v1/reports").json();
    let report = reports["reports"][0]["id"].as_str().unwrap().to_owned();
    let mut open: Vec<_> = ["/", "/new", "/data", "/reports", "/compare"]
        .map(str::to_owned)
        .into();
    open.extend([
        format!("/sweeps/{sweep}"),
        format!("/reports/{report}"),
        format!("/api/v1/sweeps/{sweep}"),
        format!("/api/v1/reports/{report}"),
        "/api/v1/trash".to_owned(),
    ]);
    for run in runs {
        let id = run["id"].as_str().unwrap();
        open.push(format!("/runs/{id}"));
        for rest in [
            "",
            "/metrics?series=train_loss,validation_accuracy&x=step",
            "/test",
            "/boundaries",
            "/tensorboard",
        ] {
            open.push(format!("/api/v1/runs/{id}{rest}"));
        }
        // An imported run has tags, and no worker's log.
        let own = run["source"].is_null();
        let rest = if own { "log" } else { "tags" };
        open.push(format!("/api/v1/runs/{id}/{rest}"));
    }
    for name in ["VGG16, narrow", "A residual network, narrow", "On stripes"] {
        let id = self::run(&server, name);
        open.push(format!("/runs/{id}/inside"));
        for rest in ["layers", "film", "predict?image=test:1"] {
            open.push(format!("/api/v1/runs/{id}/{rest}"));
        }
    }
    for layer in [
        "features.0/filters.png",
        "features.0/features.png?image=test:1",
    ] {
        let id = self::run(&server, "VGG16, narrow");
        open.push(format!("/api/v1/runs/{id}/layers/{layer}"));
    }
    for path in open {
        let (status, _, body) = server.get_bytes(&path);
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    }
}

#[test]
fn labels_the_trash_data_sets_and_images_are_there() {
    let server = server();
    let labelled = server.run(&run(&server, "On stripes"));
    assert_eq!(labelled["tags"], json!(["kept"]));
    assert_eq!(labelled["notes"], "A note of **version 0.1**.");
    let trash = server.get("/api/v1/trash").json();
    assert_eq!(trash["runs"][0]["name"], "Deleted");
    let id = trash["runs"][0]["id"].as_str().unwrap();
    let restored = server.post(&format!("/api/v1/runs/{id}/restore"), &json!({}));
    assert_eq!(restored.status, 200, "{}", restored.body);
    assert_eq!(server.run(id)["status"], "finished");
    let sets = server.get("/api/v1/datasets").json();
    let sets = sets["datasets"].as_array().unwrap();
    let stripes = sets.iter().find(|set| set["set"] == "stripes").unwrap();
    assert_eq!(stripes["state"]["kind"], "present");
    let images = server.get("/api/v1/images").json();
    assert_eq!(images["images"].as_array().unwrap().len(), 1);
}

#[test]
fn a_stopped_run_goes_on_to_the_numbers_of_one_that_was_not() {
    let server = server();
    let (whole, stopped) = (run(&server, "Whole"), run(&server, "Stopped"));
    let before = losses(&server, &stopped).len();
    let resumed = server.post(&format!("/api/v1/runs/{stopped}/resume"), &json!({}));
    assert_eq!(resumed.status, 202, "{}", resumed.body);
    server.await_status(&stopped, "finished");
    let expected = losses(&server, &whole);
    assert!(0 < before && before < expected.len());
    assert_eq!(losses(&server, &stopped), expected);
}

#[test]
fn an_index_that_is_made_anew_tells_what_that_of_version_0_1_did() {
    let mut server = server();
    let before = listed(&server);
    server.stop();
    for file in fs::read_dir(server.data_dir()).unwrap().flatten() {
        if file
            .file_name()
            .to_string_lossy()
            .starts_with("index.sqlite3")
        {
            fs::remove_file(file.path()).unwrap();
        }
    }
    server.restart();
    until("every run is in the new index", || {
        listed(&server) == before
    });
}
