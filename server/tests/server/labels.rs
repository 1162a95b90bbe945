//! Corrections of labels, and the search for mistakes by a sweep over folds.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use crate::data_sets::{upload, zipped};
use crate::support::{Server, until};

/// A photo that is dark above and bright below, or the other way round.
fn photo(is_bright_above: bool, number: u32) -> Vec<u8> {
    let image = RgbImage::from_fn(16, 16, |x, y| {
        let noise = (x * 31 + y * 17 + number * 13) % 60;
        let bright = (y < 8) == is_bright_above;
        Rgb([(if bright { 180 } else { 15 } + noise) as u8; 3])
    });
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// The photos whose labels are wrong.
const WRONG: [u32; 4] = [3, 20, 41, 66];

/// A server with the set `halves`: 100 photos of two classes, four of them in the wrong folder.
fn with_halves() -> Server {
    let server = Server::start();
    let files: Vec<(String, Vec<u8>)> = (0..100)
        .map(|number| {
            let is_above = number % 2 == 0;
            let folder = is_above != WRONG.contains(&number);
            let class = if folder { "above" } else { "below" };
            (format!("{class}/{number:02}.png"), photo(is_above, number))
        })
        .collect();
    publish(&server, &files);
    server
}

/// Publishes photos as the set `halves`.
fn publish(server: &Server, files: &[(String, Vec<u8>)]) {
    let files: Vec<_> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), &bytes[..]))
        .collect();
    let draft = upload(server, "halves.zip", &zipped(&files)).expect(201);
    let url = format!("/api/v1/datasets/drafts/{}", draft["id"].as_str().unwrap());
    server.post(&url, &json!({"set": "halves"})).expect(201);
}

/// Photos of the classes of `halves`, which are others than its own.
fn other_halves() -> Vec<(String, Vec<u8>)> {
    let file = |number: u32| {
        let class = ["above", "below"][number as usize % 2];
        let name = format!("{class}/{number:02}.png");
        (name, photo(number.is_multiple_of(2), number + 7))
    };
    (0..100).map(file).collect()
}

fn spec() -> Value {
    json!({
        "name": "labels",
        "data": {"set": "halves", "size": 16, "channels": 1},
        "network": {"kind": "mlp", "hidden": [16]},
        "training": {
            "epochs": 30, "batch_size": 16, "threads": 1,
            "optimizer": {"kind": "adamw", "lr": 0.003}
        }
    })
}

fn labels(server: &Server) -> Value {
    server.get("/api/v1/datasets/halves/labels").expect(200)
}

fn change(server: &Server, changes: &Value) -> Value {
    let body = json!({"changes": changes});
    server
        .patch("/api/v1/datasets/halves/labels", &body)
        .expect(200)
}

#[test]
fn a_sweep_over_folds_finds_wrong_labels_and_corrections_make_versions() {
    let server = with_halves();
    let mut base = spec();
    base["data"]["folds"] = json!(4);
    let made = server
        .post(
            "/api/v1/sweeps",
            &json!({"base": base, "grid": {"data.fold": [0, 1, 2, 3]}}),
        )
        .expect(201);
    let sweep = made["id"].as_str().unwrap().to_owned();
    let url = format!("/api/v1/sweeps/{sweep}/label-issues");
    let waiting = server.get(&url).expect(202);
    assert_eq!(waiting["folds"].as_array().unwrap().len(), 4);
    assert_eq!(waiting["issues"], json!([]));
    until("the folds are trained and predicted", || {
        server.get(&url).status == 200
    });
    let found = server.get(&url).expect(200);
    assert_eq!(found["samples"], 100);
    assert_eq!(
        (&found["version"], &found["set"]),
        (&json!("imported"), &json!("halves"))
    );
    let names = |found: &Value| -> Vec<String> {
        let issues = found["issues"].as_array().unwrap().iter();
        issues
            .map(|issue| issue["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let mut first = names(&found)[..WRONG.len()].to_vec();
    first.sort();
    assert_eq!(
        first,
        [
            "above/03.png",
            "above/41.png",
            "below/20.png",
            "below/66.png"
        ]
    );
    let rest = server.get(&format!("{url}?skip=3")).expect(200);
    assert_eq!(names(&rest)[0], names(&found)[3]);
    let likely = found["likely"].as_u64().unwrap();
    assert!((1..20).contains(&likely), "{likely}");
    let pairs = found["pairs"].as_array().unwrap();
    let open: u64 = pairs
        .iter()
        .map(|pair| pair["open"].as_u64().unwrap())
        .sum();
    assert_eq!(open, likely);
    let asked = server
        .get(&format!("{url}?label=0&suggested=1"))
        .expect(200);
    let asked_for = asked["issues"].as_array().unwrap();
    assert!(!asked_for.is_empty());
    for issue in asked_for {
        assert_eq!(
            (&issue["label"], &issue["suggested"]),
            (&json!(0), &json!(1))
        );
    }
    assert_eq!(asked["likely"], found["likely"]);

    let typical_of =
        |found: &Value, class: usize| found["typical"][class].as_array().unwrap().clone();
    let suspected: Vec<&Value> = found["issues"].as_array().unwrap()[..likely as usize]
        .iter()
        .map(|issue| &issue["sample"])
        .collect();
    for class in 0..2 {
        let typical = typical_of(&found, class);
        assert_eq!(typical.len(), 3);
        assert!(typical.iter().all(|sample| !suspected.contains(&sample)));
        assert_eq!(typical_of(&asked, class), typical);
    }
    let no_longer_typical = typical_of(&found, 1)[0].clone();

    let issue = &found["issues"][0];
    let sample = issue["sample"].as_u64().unwrap();
    let suggested = found["classes"][issue["suggested"].as_u64().unwrap() as usize].clone();
    let relabelled = change(
        &server,
        &json!([{"action": "relabel", "sample": sample, "class": suggested}]),
    );
    let version = relabelled["version"].as_str().unwrap().to_owned();
    assert_eq!(relabelled["corrections"][0]["class"], issue["suggested"]);
    assert_eq!(relabelled["corrections"][0]["imported"], issue["label"]);
    let kept = found["issues"][1]["sample"].clone();
    let excluded = found["issues"][2]["sample"].clone();
    change(
        &server,
        &json!([
            {"action": "keep", "sample": kept},
            {"action": "exclude", "sample": excluded},
            {"action": "exclude", "sample": no_longer_typical}
        ]),
    );
    assert_eq!(labels(&server)["kept"][0]["sample"], kept);
    let after = server.get(&url).expect(200);
    assert_eq!(typical_of(&after, 1)[..2], typical_of(&found, 1)[1..]);
    let left = names(&after);
    assert_eq!(left[0], names(&found)[3]);
    assert!(!left.contains(&names(&found)[1]));

    // Runs say which labels they learn, and earlier ones keep theirs.
    let run = server.create(&spec());
    let used = server.run(&run)["spec"]["data"]["version"].clone();
    assert_ne!(used, version.as_str());
    let now = labels(&server);
    assert_eq!(now["version"], used);
    let counted: Vec<(&Value, &Value)> = now["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| (&version["version"], &version["runs"]))
        .collect();
    assert!(
        counted.contains(&(&json!("imported"), &json!(4))),
        "{counted:?}"
    );
    assert!(counted.contains(&(&used, &json!(1))), "{counted:?}");
    assert_eq!(now["checks"][0]["sweep"], sweep.as_str());
    server.await_status(&run, "finished");

    // More seeds of the sweep have the labels of its first runs.
    let trials = format!("/api/v1/sweeps/{sweep}/trials");
    let more = server.post(&trials, &json!({"repeats": 1})).expect(201);
    let more = more["runs"][0]["id"].as_str().unwrap();
    assert_eq!(server.run(more)["spec"]["data"]["version"], "imported");

    let restored = change(
        &server,
        &json!([
            {"action": "restore", "sample": sample},
            {"action": "restore", "sample": excluded},
            {"action": "restore", "sample": no_longer_typical},
            {"action": "restore", "sample": kept}
        ]),
    );
    assert_eq!(restored["version"], "imported");
    assert_eq!(restored["corrections"], json!([]));
    let body = json!({"from": version});
    let back = server
        .patch("/api/v1/datasets/halves/labels", &body)
        .expect(200);
    assert_eq!(back["version"], version.as_str());
}

#[test]
fn a_change_to_labels_that_were_changed_elsewhere_or_are_of_other_images_is_refused() {
    let server = with_halves();
    let url = "/api/v1/datasets/halves/labels";
    let change_if = |tag: &str, sample: u32| {
        let body = json!({"changes": [{"action": "exclude", "sample": sample}]});
        server.patch_if(url, ("if-match", tag), &body)
    };
    let tag = |answer: &crate::support::Answer| answer.headers["etag"].to_str().unwrap().to_owned();
    let first = tag(&server.get(url));
    let changed = change_if(&first, 1);
    assert_eq!(changed.status, 200);
    assert_eq!(change_if(&first, 2).status, 412);
    assert_eq!(change_if(&tag(&changed), 2).status, 200);
    assert_eq!(labels(&server)["corrections"].as_array().unwrap().len(), 2);

    // The same name, and other images.
    let seen = tag(&server.get(url));
    server.delete("/api/v1/datasets/halves");
    publish(&server, &other_halves());
    assert_eq!(change_if(&seen, 3).status, 412);
    assert_eq!(labels(&server)["corrections"], json!([]));
}

#[test]
fn folds_of_images_that_were_replaced_say_nothing_of_the_new_ones() {
    let server = with_halves();
    let mut base = spec();
    base["data"]["folds"] = json!(2);
    base["training"]["epochs"] = json!(1);
    let body = json!({"base": base, "grid": {"data.fold": [0, 1]}});
    let made = server.post("/api/v1/sweeps", &body).expect(201);
    let url = format!(
        "/api/v1/sweeps/{}/label-issues",
        made["id"].as_str().unwrap()
    );
    until("the folds have judged", || server.get(&url).status == 200);
    server.delete("/api/v1/datasets/halves");
    publish(&server, &other_halves());
    let refused = server.get(&url);
    assert_eq!(refused.status, 409);
    assert!(refused.body.contains("was replaced"), "{}", refused.body);
}

#[test]
fn images_of_a_set_are_shown_as_they_were_imported() {
    let server = with_halves();
    let (status, headers, bytes) = server.get_bytes("/api/v1/datasets/halves/samples/0.png?size=8");
    assert_eq!(
        (status, headers["content-type"].to_str().unwrap()),
        (200, "image/png")
    );
    let image = image::load_from_memory(&bytes).unwrap().to_rgb8();
    assert_eq!(image.dimensions(), (8, 8));
    // The first of the class “above”.
    assert!(image.get_pixel(4, 1)[0] > 150 && image.get_pixel(4, 6)[0] < 90);
    for missing in ["100.png", "x.png", "0", "-1.png"] {
        server
            .get(&format!("/api/v1/datasets/halves/samples/{missing}"))
            .expect(404);
    }
    let bad = server.get("/api/v1/datasets/halves/samples/0.png?size=0");
    assert_eq!((bad.status, bad.fields()), (422, vec!["size".to_owned()]));
    server
        .get("/api/v1/datasets/digits/samples/0.png")
        .expect(409);
    server.get("/api/v1/datasets/nothing/labels").expect(404);
}

#[test]
fn wrong_changes_are_refused_by_name_and_change_nothing() {
    let server = with_halves();
    let refused = |body: Value, field: &str| {
        let answer = server.patch("/api/v1/datasets/halves/labels", &body);
        assert_eq!(
            (answer.status, answer.fields()),
            (422, vec![field.to_owned()]),
            "{body}"
        );
        assert_eq!(labels(&server)["version"], "imported");
    };
    let good = json!({"action": "exclude", "sample": 1});
    refused(
        json!({"changes": [good, {"action": "relabel", "sample": 2, "class": "cats"}]}),
        "changes.1.class",
    );
    refused(
        json!({"changes": [good, {"action": "exclude", "sample": 100}]}),
        "changes",
    );
    refused(json!({"changes": [good], "from": "0123456789ab"}), "from");
    for unreadable in [
        json!({"changes": [{"action": "burn", "sample": 1}]}),
        json!({"changes": [{"action": "exclude", "sample": -1}]}),
        json!({"changes": [{"action": "exclude", "sample": 1, "class": "above"}]}),
        json!({"from": null}),
    ] {
        let answer = server.patch("/api/v1/datasets/halves/labels", &unreadable);
        assert!(
            [400, 422].contains(&answer.status),
            "{unreadable}: {}",
            answer.status
        );
    }
    let digits = server.patch(
        "/api/v1/datasets/digits/labels",
        &json!({"changes": [good]}),
    );
    assert_eq!(digits.status, 409);

    let made = server
        .post(
            "/api/v1/sweeps",
            &json!({"base": spec(), "grid": {"training.seed": [0, 1]}}),
        )
        .expect(201);
    let url = format!(
        "/api/v1/sweeps/{}/label-issues",
        made["id"].as_str().unwrap()
    );
    assert_eq!(server.get(&url).status, 409);
}
