//! Sets that are kept as photos, over HTTP and at the command line: their reports, their examples, their preparation, and
//! a process that is killed while it prepares.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::json;

use crate::data_sets::{upload, zipped};
use crate::support::{Server, signal, until, upload_image, vivarium};

/// A photo that is wider than high, and differs from others by its number.
fn photo(width: u32, height: u32, number: u32) -> Vec<u8> {
    let image = RgbImage::from_fn(width, height, |x, y| {
        let wave = |a: u32, b: u32| ((x * a + y * b + 37 * number * (a + 1)) / 3 % 256) as u8;
        Rgb([wave(1 + number % 3, 2), wave(2, 1), wave(3, 1 + number % 5)])
    });
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn pets(count: u32) -> Vec<(String, Vec<u8>)> {
    (0..count)
        .map(|i| {
            let class = ["cats", "dogs"][i as usize % 2];
            (format!("{class}/{i}.png"), photo(60, 30, i))
        })
        .collect()
}

/// A server with the set `pets`, and what it said of it before.
pub(crate) fn with_pets(count: u32) -> (Server, serde_json::Value) {
    let server = Server::start();
    let files = pets(count);
    let files: Vec<_> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), &bytes[..]))
        .collect();
    let draft = upload(&server, "pets.zip", &zipped(&files)).expect(201);
    let url = format!("/api/v1/datasets/drafts/{}", draft["id"].as_str().unwrap());
    server.post(&url, &json!({"set": "pets"})).expect(201);
    (server, draft)
}

#[test]
fn photos_are_reported_with_warnings_and_shown_in_every_fit() {
    let (server, draft) = with_pets(12);
    let report = &draft["report"];
    assert_eq!(
        (
            &report["photos"]["width"],
            &report["photos"]["height"],
            &report["side"]
        ),
        (&json!([60, 60, 60]), &json!([30, 30, 30]), &json!(30))
    );
    let warnings = report["warnings"].as_array().unwrap();
    let about = |words: &str| {
        let says = |w: &&serde_json::Value| w["message"].as_str().unwrap().contains(words);
        warnings
            .iter()
            .find(says)
            .unwrap_or_else(|| panic!("{words:?} is not in {warnings:?}"))
    };
    assert_eq!(
        about("12 of 12 images are much longer than wide")["files"][0],
        "cats/0.png (60×30)"
    );
    assert_eq!(
        about("2 classes have fewer than 20 images")["files"],
        json!(["cats (6)", "dogs (6)"])
    );
    let fits = server.get("/api/v1/datasets/pets/fits").expect(200);
    assert_eq!(fits["fits"], json!(["crop", "pad", "stretch"]));
    let (status, headers, png) = server.get_bytes("/api/v1/datasets/pets/fits.png");
    assert_eq!(
        (status, headers["content-type"].as_bytes()),
        (200, &b"image/png"[..])
    );
    let shown = image::load_from_memory(&png).unwrap();
    let rows = fits["photos"].as_array().unwrap().len() as u32;
    assert_eq!((shown.width(), shown.height()), (3 * 128, rows * 128));
    for path in ["digits", "moons", "mnist", "nothing", "..%2fruns"] {
        for of in ["fits", "fits.png"] {
            let answer = server.get_bytes(&format!("/api/v1/datasets/{path}/{of}"));
            assert_eq!(answer.0, 404, "{path}/{of}");
        }
    }
}

#[test]
fn a_run_prepares_its_photos_tells_it_and_takes_the_fit_of_its_settings() {
    let (server, _) = with_pets(40);
    let spec = |fit: &str| {
        json!({
            "data": {"set": "pets", "size": 24, "fit": fit}, "network": {"kind": "mlp", "hidden": [8]},
            "training": {"epochs": 1, "batch_size": 4, "threads": 1}
        })
    };
    let refused = server.post("/api/v1/runs", &spec("squash"));
    assert_eq!(
        (refused.status, refused.fields()),
        (422, vec!["data.fit".to_owned()])
    );
    let on_digits = json!({"data": {"set": "digits", "fit": "pad"}, "network": {"kind": "mlp"}});
    assert_eq!(
        server.post("/api/v1/runs", &on_digits).fields(),
        ["data.fit"]
    );
    let ids = ["pad", "crop"].map(|fit| {
        let id = server.create(&spec(fit));
        server.await_status(&id, "finished");
        id
    });
    let lines = server.log_lines(&ids[0]);
    assert!(lines[0].contains(r#""kind":"preparing""#), "{}", lines[0]);
    let done = lines.iter().find(|line| line.contains(r#""done":40"#));
    assert!(done.is_some(), "{lines:?}");
    assert_eq!(server.indexed_lines(&ids[0]).len(), lines.len());
    let mut prepared: Vec<_> = fs::read_dir(server.data_dir().join("datasets/pets/prepared"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    prepared.sort();
    assert_eq!(prepared, ["24-3-crop.u8", "24-3-pad.u8"]);
    // What a run is asked about a photo is prepared as its settings say: only the padded one has black bars.
    let uploaded = upload_image(&server, &photo(60, 30, 90)).expect(201);
    for image in ["test:0", uploaded["id"].as_str().unwrap()] {
        let [padded, cropped] = [&ids[0], &ids[1]].map(|id| {
            let (status, _, png) =
                server.get_bytes(&format!("/api/v1/runs/{id}/images/{image}.png?size=24"));
            assert_eq!(status, 200);
            let image = image::load_from_memory(&png).unwrap().to_rgb8();
            (image.get_pixel(12, 0).0, image.get_pixel(12, 12).0)
        });
        assert_eq!(padded.0, [0; 3]);
        assert!(padded.1 != [0; 3] && cropped.0 != [0; 3]);
    }
    // A set takes what was prepared of it along.
    server.delete("/api/v1/datasets/pets");
    assert!(!server.data_dir().join("datasets/pets").exists());
}

/// The files of the folder of prepared photos, by how their names end.
fn prepared(data: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(data.join("datasets/pets/prepared"))
        .into_iter()
        .flatten();
    let paths = entries.map(|e| e.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|e| e == ending))
        .collect()
}

#[test]
fn what_a_process_prepared_that_was_killed_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data_dir = data.to_string_lossy().into_owned();
    let source = folder.path().join("pets");
    for i in 0..200 {
        let path = source
            .join(["cats", "dogs"][i as usize % 2])
            .join(format!("{i}.png"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, photo(300, 200, i)).unwrap();
    }
    let imported = vivarium(&[
        "data",
        "--data-dir",
        &data_dir,
        "import",
        "pets",
        &source.to_string_lossy(),
    ]);
    assert!(imported.status.success(), "{imported:?}");
    let arguments = [
        "train",
        "--network",
        "mlp",
        "--data",
        "pets",
        "--data-dir",
        &data_dir,
        "--set",
        "data.size=256",
        "--set",
        "network.hidden=[4]",
        "--set",
        "training.epochs=1",
        "--set",
        "training.threads=1",
    ];
    let mut child = Command::new(env!("CARGO_BIN_EXE_vivarium"))
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let half = |path: &PathBuf| fs::metadata(path).is_ok_and(|about| about.len() > 64);
    until("a part of the photos is prepared", || {
        prepared(&data, "part").iter().any(half)
    });
    signal(child.id(), "KILL");
    child.wait().unwrap();
    assert_eq!(prepared(&data, "u8"), Vec::<PathBuf>::new());
    assert_eq!(prepared(&data, "part").len(), 1);
    let again = vivarium(&arguments);
    assert!(
        again.status.success(),
        "{}",
        String::from_utf8_lossy(&again.stderr)
    );
    assert!(String::from_utf8_lossy(&again.stderr).contains("preparing 200 photos"));
    assert_eq!(prepared(&data, "part"), Vec::<PathBuf>::new());
    // What was prepared after the leftover equals what is prepared from nothing.
    let whole = prepared(&data, "u8");
    let [made] = &whole[..] else {
        panic!("one file is prepared");
    };
    let bytes = fs::read(made).unwrap();
    fs::remove_file(made).unwrap();
    assert!(vivarium(&arguments).status.success());
    assert!(fs::read(made).unwrap() == bytes);
    // A leftover of other settings goes when a server starts.
    fs::write(made.with_file_name("9-3-crop.part"), "half").unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_vivarium"))
        .args(["serve", "--port", "0", "--data-dir", &data_dir])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until("the leftover is gone", || {
        prepared(&data, "part").is_empty()
    });
    signal(server.id(), "TERM");
    server.wait().unwrap();
}
