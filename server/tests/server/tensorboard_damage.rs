//! Event files that are empty, truncated or damaged: what is lost, and what is imported all the same.

use std::fs;
use std::io::{Cursor, Write as _};

use serde_json::json;

use crate::support::{Server, vivarium};
use crate::tensorboard::{events, named, send, series};

/// An event file of three values, and where the record of the second begins.
fn three_values() -> (Vec<u8>, usize) {
    let second = events(&[("loss", 1, 1.0)]).len();
    let file = events(&[("loss", 1, 1.0), ("loss", 2, 2.0), ("loss", 3, 3.0)]);
    (file, second)
}

#[test]
fn an_empty_cut_or_damaged_file_costs_itself_and_the_other_runs_are_imported() {
    let server = Server::start();
    let good = events(&[("loss", 1, 4.0)]);
    let (file, second) = three_values();
    let mut flipped = file.clone();
    flipped[second + 20] ^= 1;
    let mut zero_tail = file.clone();
    zero_tail.extend([0; 4096]);
    let answer = send(
        &server,
        "",
        &[
            ("good/events.out.tfevents.1", &good),
            ("empty/events.out.tfevents.1", b""),
            ("text/events.out.tfevents.1", b"no event file at all"),
            ("flipped/events.out.tfevents.1", &flipped),
            ("zeros/events.out.tfevents.1", &zero_tail),
            ("cut/events.out.tfevents.1", &file[..file.len() - 5]),
        ],
    );
    assert_eq!(answer.status, 201, "{}", answer.body);
    let told = answer.json();
    let left_out: Vec<_> = told["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["file"].as_str().unwrap())
        .collect();
    assert_eq!(
        left_out,
        ["empty/events.out.tfevents.1", "text/events.out.tfevents.1"]
    );
    for (name, expected, remark) in [
        ("good", json!([4.0]), ""),
        ("flipped", json!([1.0, 3.0]), "bytes from byte"),
        ("zeros", json!([1.0, 2.0, 3.0]), "are zeros"),
        ("cut", json!([1.0, 2.0]), "ends within a record"),
    ] {
        let run = named(&told, name);
        let id = run["id"].as_str().unwrap();
        assert_eq!(series(&server, id, "train_loss")["y"], expected, "{name}");
        let remarks = run["remarks"].to_string();
        assert!(remarks.contains(remark), "{name}: {remarks}");
        assert_eq!(remark.is_empty(), run["remarks"] == json!([]), "{name}");
    }
}

#[test]
fn of_several_files_of_a_run_a_bad_one_costs_itself() {
    let server = Server::start();
    let (first, second) = (
        events(&[("loss", 1, 1.0)]),
        events(&[("loss", 2, 2.0), ("loss", 3, 3.0)]),
    );
    let told = send(
        &server,
        "",
        &[
            ("r/events.out.tfevents.1", &first),
            ("r/events.out.tfevents.2", b""),
            ("r/events.out.tfevents.3", &second),
        ],
    );
    assert_eq!(told.status, 201, "{}", told.body);
    let told = told.json();
    assert_eq!(told["skipped"][0]["file"], "r/events.out.tfevents.2");
    let id = told["runs"][0]["id"].as_str().unwrap();
    assert_eq!(
        series(&server, id, "train_loss")["y"],
        json!([1.0, 2.0, 3.0])
    );
    let remarks = server.run(id)["source"]["remarks"].to_string();
    assert!(
        remarks.contains("r/events.out.tfevents.2 is empty"),
        "{remarks}"
    );
}

#[test]
fn a_damaged_entry_of_a_zip_costs_what_comes_after_the_damage() {
    let server = Server::start();
    let good = events(&[("loss", 1, 4.0)]);
    let (file, _) = three_values();
    // Stored, so that the bytes of the file are those of the archive.
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in [("good", &good), ("bad", &file)] {
        let name = format!("{name}/events.out.tfevents.1");
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    let mut zip = zip.finish().unwrap().into_inner();
    let third = zip
        .windows(4)
        .rposition(|bytes| bytes == 3f32.to_le_bytes())
        .unwrap();
    zip[third] ^= 1;
    let told = send(&server, "", &[("logs.zip", &zip)]);
    assert_eq!(told.status, 201, "{}", told.body);
    let told = told.json();
    let fault = &told["skipped"][0];
    assert_eq!(fault["file"], "logs.zip/bad/events.out.tfevents.1");
    let id = named(&told, "bad")["id"].as_str().unwrap();
    assert_eq!(series(&server, id, "train_loss")["y"], json!([1.0, 2.0]));
    let id = named(&told, "good")["id"].as_str().unwrap();
    assert_eq!(series(&server, id, "train_loss")["y"], json!([4.0]));
}

#[test]
fn the_command_line_names_what_is_damaged_and_imports_the_rest() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let write = |name: &str, bytes: &[u8]| {
        let path = root.path().join(name).join("events.out.tfevents.1");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    write("logs/good1", &events(&[("loss", 1, 1.0)]));
    write("logs/good2", &events(&[("loss", 1, 2.0)]));
    write("logs/crashed", b"");
    write("more/good3", &events(&[("loss", 1, 3.0)]));
    fs::create_dir(root.path().join("nothing")).unwrap();
    let paths = ["logs", "nothing", "more"].map(|name| root.path().join(name));
    let mut args = vec!["import-events"];
    args.extend(paths.iter().map(|path| path.to_str().unwrap()));
    args.extend(["--data-dir", data.to_str().unwrap()]);
    let output = vivarium(&args);
    let told = String::from_utf8(output.stdout).unwrap();
    let left_out = String::from_utf8(output.stderr).unwrap();
    for name in ["good1", "good2", "good3"] {
        assert!(told.contains(name), "{told}");
    }
    assert!(
        left_out.contains("crashed/events.out.tfevents.1: is empty"),
        "{left_out}"
    );
    // A path in which nothing is found is an error, of which the others know nothing.
    assert!(left_out.contains("holds no event files"), "{left_out}");
    assert!(!output.status.success());
}
