//! What cannot be looked at, and in what words that is said.

use std::fs;

use serde_json::json;

use crate::inside::Trained;
use crate::support::{Answer, Server, conv, mlp};

#[test]
fn what_is_asked_for_and_is_not_there_is_refused_by_name() {
    let run = Trained::new(&conv(2));
    let gone = "0190a4b2-0000-7000-8000-000000000001";
    for (rest, field, words) in [
        ("layers/none/filters", "layer", "none"),
        ("layers/none/features.png", "layer", "none"),
        ("layers/..%2f..%2fspec.json/filters", "layer", "no layer"),
        ("layers/stem.1/filters.png", "layer", "no weights"),
        ("layers/stem.0/filters?page=7", "page", "below 1"),
        ("layers/stem.0/filters?page=-1", "page", "whole number"),
        (
            "layers/stem.0/filters?scale=big",
            "scale",
            "“tile”, “layer” or “network”",
        ),
        ("layers/stem.0/filters?sort=size", "sort", "“activation”"),
        ("layers/stem.0/filters?filter=4", "filter", "below 4"),
        ("layers/stem.0/filters?range=1", "range", "two numbers"),
        (
            "layers/stem.0/filters?range=2,1",
            "range",
            "the first below the second",
        ),
        ("layers/stem.0/filters?range=nan,1", "range", "two numbers"),
        ("layers/stem.0/features?filter=1", "filter", "weights"),
        (
            "layers/stem.0/features?image=test:999999",
            "image",
            "test has 359",
        ),
        ("layers/stem.0/features?image=other:1", "image", "“pinned”"),
        (
            "layers/stem.0/features?image=..%2fpins",
            "image",
            "“pinned”",
        ),
        (
            &format!("layers/stem.0/features?image={gone}"),
            "image",
            "not here",
        ),
        (
            "layers/stem.0/features?checkpoint=1&image=test:1",
            "image",
            "“pinned”",
        ),
        ("layers/stem.0/values?of=feature", "index", "needed"),
        (
            "layers/stem.0/values?index=0",
            "of",
            "“filter”, “kernel” or “feature”",
        ),
        (
            "layers/stem.0/values?of=feature&index=4",
            "index",
            "below 4",
        ),
        (
            "layers/stem.0/values?of=kernel&index=0&checkpoint=1",
            "of",
            "not in a film",
        ),
        ("layers/stem.0/arithmetic?map=4&y=0&x=0", "map", "below 4"),
        ("layers/stem.0/arithmetic?map=0&y=32&x=0", "y", "below 32"),
        ("layers/stem.0/arithmetic?map=0&y=0", "x", "needed"),
        (
            "layers/stem.0/arithmetic?map=0&y=0&x=0&checkpoint=1",
            "checkpoint",
            "“best” or “last”",
        ),
        (
            "layers/stem.0/gradient?map=0&y=0&x=0&class=10",
            "class",
            "below 10",
        ),
        ("layers/stem.1/arithmetic?map=0&y=0&x=0", "layer", "convol"),
        ("layers/stem.0/window?map=4", "map", "below 4"),
        ("layers/stem.0/window?input=3", "input", "below 3"),
        (
            "layers/blocks.0.convs.0.depthwise/window?map=1&input=2",
            "input",
            "which map 1 reads",
        ),
        ("layers/stem.1/window", "layer", "neither a convolution"),
        (
            "layers/stem.0/window?direction=up",
            "direction",
            "“forward” or “backward”",
        ),
        (
            "layers/stem.0/window?direction=backward&class=10",
            "class",
            "below 10",
        ),
        (
            "layers/stem.0/window?checkpoint=1",
            "checkpoint",
            "“best” or “last”",
        ),
        (
            "layers?checkpoint=9",
            "checkpoint",
            "which has 0, step-1, step-2, 1, 2",
        ),
        (
            "layers?checkpoint=first",
            "checkpoint",
            "“best”, “last” or an epoch",
        ),
        (
            "attention.png?method=magic",
            "method",
            "“grad-cam” or “gradient”",
        ),
        ("attention.png?class=99", "class", "below 10"),
        ("attention.png?layer=none", "layer", "none"),
        (
            "attention.png?checkpoint=2",
            "checkpoint",
            "“best” or “last”",
        ),
        ("samples?split=train", "split", "“test” or “validation”"),
        ("samples?split=test&truth=10", "truth", "below 10"),
        ("samples?split=test&page=99", "page", "below"),
        ("images/test:0.png?size=0", "size", "between 1 and 1024"),
        ("images/test:9999.png", "image", "test has"),
    ] {
        let answer = run.get(rest);
        let (kind, body) = (&answer.headers["content-type"], &answer.body);
        assert_eq!(
            (answer.status, kind.to_str().unwrap()),
            (422, "application/problem+json"),
            "{rest}: {body}"
        );
        assert_eq!(answer.fields(), [field], "{rest}: {body}");
        assert!(
            answer.json()["detail"].as_str().unwrap().contains(words),
            "{rest}: {body}"
        );
    }
    for rest in [
        "film/9",
        "film/best",
        "film/-1",
        "images/test:0",
        "images/x.jpg",
    ] {
        assert_eq!(run.get(rest).status, 404, "{rest}");
    }
    for body in [
        json!({"image": "pinned"}),
        json!({"image": gone}),
        json!({"image": "test:99999"}),
    ] {
        let answer = run.server.put(&run.path("pinned"), &body);
        assert_eq!(
            (answer.status, answer.fields()),
            (422, vec!["image".to_owned()]),
            "{body}"
        );
    }
    assert_eq!(
        run.server
            .put(&run.path("pinned"), &json!({"file": "/etc/passwd"}))
            .status,
        422
    );
    assert_eq!(
        run.get("layers/stem.0/filters").status,
        200,
        "and it goes on"
    );
}

fn conflict(answer: &Answer, words: &str) {
    assert_eq!(answer.status, 409, "{}", answer.body);
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains(words), "{detail}");
}

#[test]
fn runs_without_something_to_look_at_say_what_is_missing() {
    let server = Server::start();
    let points = server.create(&mlp(1));
    server.await_status(&points, "finished");
    for rest in [
        "layers",
        "film",
        "predict",
        "samples",
        "layers/net.0/filters.png",
    ] {
        conflict(
            &server.get(&format!("/api/v1/runs/{points}/{rest}")),
            "points in the plane",
        );
    }
    for id in ["0190a4b2-0000-7000-8000-000000000001", "none"] {
        assert_eq!(server.get(&format!("/api/v1/runs/{id}/layers")).status, 404);
    }
    // One that trains keeps the other waiting, which has nothing to show.
    let first = server.create(&mlp(crate::support::ENDLESS));
    let waits = server.create(&conv(1));
    conflict(
        &server.get(&format!("/api/v1/runs/{waits}/layers")),
        "has not begun",
    );
    server.post(&format!("/api/v1/runs/{first}/stop"), &json!({}));
    server.await_status(&waits, "finished");
    fs::remove_dir_all(server.run_dir(&waits).join("checkpoints")).unwrap();
    let get = |rest: &str| server.get(&format!("/api/v1/runs/{waits}/{rest}"));
    // The film and the graph are there.
    assert_eq!(get("layers").status, 200);
    conflict(&get("layers/stem.0/filters"), "no checkpoint yet");
    conflict(
        &get("layers/stem.0/filters?checkpoint=best"),
        "no checkpoint “best” yet",
    );
    assert_eq!(
        get("layers/stem.0/filters?checkpoint=1").status,
        200,
        "the film is there"
    );
}

#[test]
fn a_damaged_file_is_said_to_be_one_and_the_others_can_be_looked_at() {
    let run = Trained::new(&conv(2));
    let folder = run.server.run_dir(&run.id);
    let best = folder.join("checkpoints/best.safetensors");
    let whole = fs::read(&best).unwrap();
    // A file of its own, which is not also the last one's.
    fs::remove_file(&best).unwrap();
    let mut nan = whole.clone();
    let end = nan.len() - 8;
    let floats = (nan.len() / 2) & !3;
    nan[floats..end].fill(0xff);
    for (bytes, words) in [
        (&whole[..whole.len() / 2], "“best” cannot be used"),
        (&[0xff; 64][..], "header"),
        (&nan[..], "“best” cannot be used"),
    ] {
        fs::write(&best, bytes).unwrap();
        conflict(&run.get("layers/stem.0/filters"), words);
        let last = "layers/stem.0/filters?checkpoint=last";
        assert_eq!(run.get(last).status, 200);
    }
    fs::write(&best, &whole).unwrap();
    let mended = run.get("layers/stem.0/filters").status;
    assert_eq!(mended, 200, "and it is found mended");
    fs::write(folder.join("film/epoch-000001.safetensors"), &whole).unwrap();
    conflict(
        &run.get("layers/stem.0/filters?checkpoint=1"),
        "no frame of a film",
    );
    assert_eq!(run.json("film")["epochs"], json!([0, 2]));
    fs::write(folder.join("film/test.safetensors"), "no predictions").unwrap();
    assert!(run.get("samples?split=test").status >= 400);
    assert_eq!(run.server.get("/healthz").status, 200);
}

#[test]
fn samples_of_data_that_have_changed_are_not_shown_for_those_of_then() {
    let run = Trained::new(&conv(1));
    let index = rusqlite::Connection::open(run.server.data_dir().join("index.sqlite3")).unwrap();
    // As if the set had been removed and another been imported under its name.
    let changed = index
        .execute(
            "UPDATE events SET body = json_set(body, '$.data_hash', 'other') WHERE body LIKE '{\"kind\":\"started\"%'",
            [],
        )
        .unwrap();
    assert_eq!(changed, 1);
    conflict(&run.get("predict?image=test:1"), "has changed");
    assert_eq!(run.get("layers/stem.0/filters").status, 200);
}
