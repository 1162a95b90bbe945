//! The film of a run over HTTP, while it is trained and after.

use std::fs;

use serde_json::{Value, json};
use vivarium_models::inspect::film::{Folder, Frame};

use crate::inside::Trained;
use crate::support::{ENDLESS, Server, conv, photos, signal, until, upload_image};

fn film(server: &Server, id: &str) -> Value {
    server.get(&format!("/api/v1/runs/{id}/film")).json()
}

#[test]
fn a_film_tells_its_epochs_and_what_is_in_each() {
    let run = Trained::new(&conv(3));
    let told = run.json("film");
    assert_eq!(told["epochs"], json!([0, 1, 2, 3]));
    assert_eq!(told["pinned"], json!({"image": "test:0", "pending": false}));
    let files = fs::read_dir(run.server.run_dir(&run.id).join("film")).unwrap();
    let frames = files.map(|file| file.unwrap()).filter(|file| {
        let name = file.file_name().into_string().unwrap();
        name.starts_with("epoch-") || name.starts_with("step-")
    });
    let size: u64 = frames.map(|file| file.metadata().unwrap().len()).sum();
    assert_eq!(told["bytes"], size);
    let curve = run.json("metrics?series=validation_accuracy&x=epoch");
    let frames = told["frames"].as_array().unwrap();
    let names: Vec<_> = frames
        .iter()
        .map(|frame| frame["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["0", "step-1", "step-2", "1", "2", "3"]);
    for early in &frames[..3] {
        let name = early["name"].as_str().unwrap();
        assert_eq!(early["epoch"], 0);
        assert_eq!(early["validation_accuracy"], Value::Null);
        let whole = run.json(&format!("film/{name}"));
        assert_eq!(
            (&whole["name"], &whole["confusion"]),
            (&json!(name), &Value::Null)
        );
        assert_eq!(
            run.get(&format!("layers/stem.0/filters?checkpoint={name}"))
                .status,
            200
        );
    }
    for (place, frame) in frames[3..].iter().enumerate() {
        assert_eq!(
            (&frame["epoch"], &frame["step"]),
            (&json!(place + 1), &json!(3 * (place + 1)))
        );
        assert_eq!(
            frame["validation_accuracy"],
            curve["series"]["validation_accuracy"]["y"][place]
        );
        let whole = run.json(&format!("film/{}", place + 1));
        assert_eq!(whole["top"][0]["class"], frame["top"]["class"]);
        assert_eq!(whole["layers"]["features"][0], "input");
        assert_eq!(whole["layers"]["filters"][0], "stem.0");
        assert_eq!(
            run.json(&format!("predict?checkpoint={}", place + 1))["top"],
            whole["top"]
        );
    }
    // The last frame is of the last checkpoint, and shows what that shows.
    for (what, mean) in [("filters", "norm"), ("features", "mean")] {
        let [film, own] = ["3", "last"]
            .map(|checkpoint| run.json(&format!("layers/stem.0/{what}?checkpoint={checkpoint}")));
        assert_eq!(
            (&film["kind"], &film["sheet"]),
            (&own["kind"], &own["sheet"])
        );
        assert_eq!(film["reduced"], Value::Null);
        for (film, own) in film["tiles"]
            .as_array()
            .unwrap()
            .iter()
            .zip(own["tiles"].as_array().unwrap())
        {
            assert_eq!(
                (&film["index"], &film[mean]),
                (&own["index"], &own[mean]),
                "{what}"
            );
        }
    }
    assert_ne!(
        run.json("layers/stem.0/filters?checkpoint=1")["tiles"],
        run.json("layers/stem.0/filters?checkpoint=3")["tiles"],
        "it has learnt something"
    );
}

#[test]
fn a_difference_of_two_frames_is_each_value_less_that_of_before() {
    let run = Trained::new(&conv(2));
    let values = |checkpoint: &str| {
        let rest = format!("layers/stem.0/values?of=filter&index=1&checkpoint={checkpoint}");
        let told = run.json(&rest);
        let values = told["values"].as_array().unwrap().clone();
        values
            .iter()
            .map(|value| value.as_f64().unwrap())
            .collect::<Vec<_>>()
    };
    let (now, before) = (values("2"), values("0"));
    let page = run.json("layers/stem.0/filters?checkpoint=2&minus=0");
    let tiles = page["tiles"].as_array().unwrap();
    let tile = tiles.iter().find(|tile| tile["index"] == 1).unwrap();
    let changes: Vec<_> = now
        .iter()
        .zip(&before)
        .map(|(now, before)| now - before)
        .collect();
    let norm = changes
        .iter()
        .map(|change| change * change)
        .sum::<f64>()
        .sqrt();
    assert!(norm > 0.0, "it has learnt something");
    assert!(
        (tile["norm"].as_f64().unwrap() - norm).abs() < 1e-5,
        "{tile} and {norm}"
    );
    assert!(page["change"]["max"].as_f64() >= tile["max"].as_f64());
    let none = run.json("layers/stem.0/filters?checkpoint=2&minus=2");
    assert_eq!(none["change"]["rms"], 0.0);
    // Maps lie on a diverging map, whose middle is no change.
    let maps = run.json("layers/stem.0/features?checkpoint=2&minus=step-1");
    assert_eq!(maps["map"], "diverging");
    let picture = "layers/stem.0/features.png?checkpoint=2&minus=0";
    assert_eq!(run.server.get_bytes(&run.path(picture)).0, 200);
    // The checkpoints' own weights, and the kernels of a filter.
    let whole = run.json("layers/stem.0/filters?checkpoint=last&minus=best");
    assert!(whole["change"]["values"].as_u64() > Some(0));
    for (rest, words) in [
        (
            "layers/stem.0/filters?checkpoint=2&minus=9",
            "is not in the film",
        ),
        (
            "layers/stem.0/filters?checkpoint=2&minus=first",
            "must be “best”",
        ),
        (
            "layers/stem.0/features?checkpoint=last&minus=0",
            "same kind",
        ),
    ] {
        let answer = run.get(rest);
        assert_eq!(
            (answer.status, answer.fields()),
            (422, vec!["minus".to_owned()]),
            "{rest}"
        );
        assert!(answer.body.contains(words), "{rest}: {}", answer.body);
    }
}

#[test]
fn layers_are_told_without_reading_weights() {
    let run = Trained::new(&conv(2));
    let whole = run.json("layers");
    assert_eq!(whole["checkpoint"], "best");
    // Weights that cannot be read are no obstacle, nor none at all.
    let folder = run.server.run_dir(&run.id).join("checkpoints");
    fs::write(folder.join("best.safetensors"), "no weights").unwrap();
    assert_eq!(run.json("layers")["layers"], whole["layers"]);
    fs::remove_dir_all(&folder).unwrap();
    let without = run.json("layers");
    assert_eq!(
        (&without["checkpoint"], &without["checkpoints"]),
        (&json!(2), &json!([]))
    );
    assert_eq!(without["layers"], whole["layers"]);
    fs::remove_dir_all(run.server.run_dir(&run.id).join("film")).unwrap();
    let nothing = run.json("layers");
    assert_eq!(
        (&nothing["checkpoint"], &nothing["film"]),
        (&Value::Null, &json!([]))
    );
    assert_eq!(nothing["parameters"], whole["parameters"]);
    let progress = run.json("layers/progress");
    assert_eq!(
        (&progress["requests"], &progress["reading"]),
        (&json!(0), &Value::Null)
    );
}

#[test]
fn an_image_that_is_pinned_is_followed_from_the_next_epoch_on_and_goes_with_its_run() {
    let server = Server::start();
    let id = server.create(&conv(ENDLESS));
    until("there is a frame", || {
        film(&server, &id)["frames"][0].is_object()
    });
    let photo = upload_image(&server, &fs::read(photos().join("rgb.jpg")).unwrap()).json();
    let photo = photo["id"].as_str().unwrap();
    let url = format!("/api/v1/runs/{id}/pinned");
    let answer = server.put(&url, &json!({ "image": photo }));
    assert_eq!(
        (answer.status, &answer.json()["image"]),
        (200, &json!(photo))
    );
    until("the film follows it", || {
        film(&server, &id)["pinned"] == json!({"image": photo, "pending": false})
    });
    let newest = |server: &Server| {
        film(server, &id)["frames"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone()
    };
    assert!(
        newest(&server)["pinned"]
            .as_str()
            .unwrap()
            .starts_with("png:")
    );
    // Each frame says which image it is of: those before the pin are of the sample.
    let images = |server: &Server| -> Vec<(Value, Value)> {
        let told = film(server, &id);
        let frames = told["frames"].as_array().unwrap().iter();
        frames
            .map(|frame| (frame["pinned"].clone(), frame["image"].clone()))
            .collect()
    };
    for (pinned, image) in images(&server) {
        let sample = pinned == "test:0";
        assert_eq!(image, if sample { "test:0" } else { "pinned" });
    }
    // The upload may go; the film has its own.
    assert_eq!(
        server.delete(&format!("/api/v1/images/{photo}")).status,
        204
    );
    assert_eq!(
        server
            .get_bytes(&format!("/api/v1/runs/{id}/images/pinned.png"))
            .0,
        200
    );
    let answer = server.put(&url, &json!({"image": "validation:1"}));
    assert_eq!(
        (answer.status, &answer.json()["image"]),
        (200, &json!("validation:1"))
    );
    until("the film follows the sample", || {
        let told = film(&server, &id);
        told["pinned"] == json!({"image": "validation:1", "pending": false})
    });
    assert_eq!(newest(&server)["image"], "pinned");
    // Of what was pinned before, an upload that is gone has no picture any more.
    let now = newest(&server)["pinned"].clone();
    for (pinned, image) in images(&server) {
        let expected = if pinned == "test:0" {
            json!("test:0")
        } else if pinned == now {
            json!("pinned")
        } else {
            Value::Null
        };
        assert_eq!(image, expected, "{pinned}");
    }
    assert_eq!(server.put(&url, &json!({"image": null})).status, 200);
    until("it follows the first sample again", || {
        newest(&server)["pinned"] == "test:0"
    });
    for (pinned, image) in images(&server) {
        if pinned == "test:0" {
            assert_eq!(image, "pinned", "the sample is what is followed now");
        } else if pinned == now {
            assert_eq!(image, "validation:1");
        } else {
            assert!(image.is_null());
        }
    }
    server.put(&url, &json!({"image": "test:5"}));
    let pins = || {
        fs::read_dir(server.data_dir().join("pins"))
            .unwrap()
            .count()
    };
    assert_eq!(pins(), 2);
    assert_eq!(server.delete(&format!("/api/v1/runs/{id}")).status, 204);
    assert_eq!(server.get(&format!("/api/v1/runs/{id}/film")).status, 404);
    // The run can come back from the trash, with its pin; without that it goes for good.
    assert_eq!(pins(), 2);
    assert_eq!(server.delete(&format!("/api/v1/trash/{id}")).status, 204);
    assert_eq!(pins(), 0);
}

#[test]
fn pins_of_runs_that_are_gone_go_at_the_next_start() {
    let mut server = Server::start();
    server.stop();
    let pins = server.data_dir().join("pins");
    fs::write(pins.join("0190a4b2-0000-7000-8000-000000000001.png"), "").unwrap();
    fs::write(pins.join(".incoming-x"), "").unwrap();
    server.restart();
    assert_eq!(fs::read_dir(pins).unwrap().count(), 0);
}

#[test]
fn a_worker_killed_at_any_moment_leaves_whole_frames() {
    let server = Server::start();
    let id = server.create(&conv(ENDLESS));
    let film = Folder::at(server.run_dir(&id).join("film"));
    for kill in 0..12u64 {
        let so_far = film.epochs().unwrap().last().copied().unwrap_or(0);
        until("a frame comes", || {
            film.epochs().unwrap().last().copied() > Some(so_far)
        });
        std::thread::sleep(std::time::Duration::from_millis(7 * kill));
        signal(server.worker_pid(&id), "KILL");
        server.await_status(&id, "failed");
        for name in film.names().unwrap() {
            let frame = Frame::read(&film.frame(name)).unwrap().unwrap();
            assert_eq!(frame.name(), name, "after kill {kill}");
        }
        server.post(&format!("/api/v1/runs/{id}/resume"), &json!({}));
    }
    server.post(&format!("/api/v1/runs/{id}/stop"), &json!({}));
    server.await_status(&id, "stopped");
    assert!(film.epochs().unwrap().len() <= 101);
    let left: Vec<_> = fs::read_dir(film.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".safetensors"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
