//! Photos before a run's network: the command and the API give the same rows.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{
    Answer, Server, agent, conv, form_of, form_type, mlp, photos, signal, until, vivarium,
};

/// A run that has ended, and its id.
fn trained(server: &Server, spec: &Value) -> String {
    let id = server.create(spec);
    server.await_status(&id, "finished");
    id
}

/// Sends photos with their names.
pub(crate) fn predict(server: &Server, id: &str, query: &str, photos: &[(&str, &[u8])]) -> Answer {
    let fields: Vec<_> = photos
        .iter()
        .map(|(name, bytes)| ("image", Some(*name), *bytes))
        .collect();
    let request = agent().post(server.url(&format!("/api/v1/runs/{id}/predict{query}")));
    let request = request.header("content-type", form_type());
    Answer::of(request.send(&form_of(&fields)[..]))
}

/// A row of the API as the command prints it.
fn line(path: &str, row: &Value) -> String {
    let mut line = path.to_owned();
    for one in row["top"].as_array().unwrap() {
        let value = [&one["probability"], &one["score"]];
        let value = value.into_iter().find(|value| !value.is_null()).unwrap();
        line += &format!(",{},{value}", one["name"].as_str().unwrap());
    }
    line
}

/// The golden photos, and files that are none: their names and bytes in the order of a folder.
fn mixed(folder: &Path) -> Vec<(String, Vec<u8>)> {
    for entry in fs::read_dir(photos()).unwrap().flatten() {
        let name = entry.file_name();
        if !name.to_string_lossy().ends_with(".json") {
            fs::copy(entry.path(), folder.join(name)).unwrap();
        }
    }
    fs::write(folder.join("notes.txt"), "no photo").unwrap();
    fs::write(folder.join("empty.png"), "").unwrap();
    fs::write(folder.join(".DS_Store"), "litter").unwrap();
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| (name.clone(), fs::read(folder.join(name)).unwrap()))
        .collect()
}

#[test]
fn the_command_and_the_api_give_the_same_rows() {
    let server = Server::start();
    let id = trained(&server, &conv(2));
    let folder = tempfile::tempdir().unwrap();
    let files = mixed(folder.path());
    let named: Vec<_> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let answer = predict(&server, &id, "", &named).expect(200);
    assert_eq!(
        (&answer["checkpoint"], &answer["probabilities"]),
        (&json!("best"), &json!(true))
    );
    let rows = answer["images"].as_array().unwrap();
    assert_eq!(rows.len(), files.len());

    let (data, out) = (
        server.data_dir().to_str().unwrap(),
        folder.path().join("out.csv"),
    );
    let output = vivarium(&[
        "predict",
        &id,
        folder.path().to_str().unwrap(),
        "--csv",
        out.to_str().unwrap(),
        "--data-dir",
        data,
    ]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    let csv = fs::read_to_string(&out).unwrap();
    let mut lines = csv.lines();
    let header = lines.next().unwrap();
    assert!(
        header.starts_with("path,class,probability,second,second_probability,third,"),
        "{header}"
    );
    let mut bad = 0;
    for ((name, _), row) in files.iter().zip(rows) {
        let path = folder.path().join(name).to_str().unwrap().to_owned();
        assert_eq!(row["path"], json!(name));
        match row["error"].as_str() {
            None => assert_eq!(lines.next().unwrap(), line(&path, row)),
            Some(error) => {
                bad += 1;
                assert!(
                    told.contains(&format!("{path}: {error}")),
                    "{error}: {told}"
                );
            }
        }
    }
    assert_eq!(lines.next(), None);
    assert_eq!(bad, 3, "notes.txt, empty.png and cmyk-unmarked.jpg");

    // The page Inside shows the same classes.
    let uploaded = crate::support::upload_image(
        &server,
        named.iter().find(|(name, _)| *name == "rgb.png").unwrap().1,
    );
    let image = uploaded.expect(201)["id"].as_str().unwrap().to_owned();
    let inside = server
        .get(&format!("/api/v1/runs/{id}/predict?image={image}"))
        .expect(200);
    let row = rows.iter().find(|row| row["path"] == "rgb.png").unwrap();
    for (a, b) in inside["top"]
        .as_array()
        .unwrap()
        .iter()
        .zip(row["top"].as_array().unwrap())
    {
        assert_eq!(a["name"], b["name"]);
        let [a, b] = [a, b].map(|one| one["probability"].as_f64().unwrap());
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
}

#[test]
fn a_row_does_not_depend_on_the_other_photos() {
    let server = Server::start();
    let id = trained(&server, &conv(1));
    let folder = tempfile::tempdir().unwrap();
    let files = mixed(folder.path());
    let many: Vec<_> = files
        .iter()
        .cycle()
        .take(90)
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let all = predict(&server, &id, "?top=3", &many).expect(200);
    for (photo, together) in many
        .iter()
        .zip(all["images"].as_array().unwrap())
        .step_by(7)
    {
        let alone = predict(&server, &id, "?top=3", std::slice::from_ref(photo)).expect(200);
        assert_eq!(&alone["images"][0], together, "{}", photo.0);
    }
}

#[test]
fn what_cannot_be_predicted_is_refused_with_what_is_allowed() {
    let server = Server::start();
    let id = trained(&server, &conv(1));
    let photo = fs::read(photos().join("rgb.jpg")).unwrap();
    let one = [("a.jpg", &photo[..])];
    let refused = predict(&server, &id, "", &[]);
    assert_eq!(
        (refused.status, refused.fields()),
        (422, vec!["image".to_owned()]),
        "{}",
        refused.body
    );
    for top in ["0", "101"] {
        let refused = predict(&server, &id, &format!("?top={top}"), &one);
        assert_eq!(
            (refused.status, refused.fields()),
            (422, vec!["top".to_owned()])
        );
    }
    let refused = predict(&server, &id, "?top=many", &one);
    assert_eq!(
        (refused.status, refused.fields()),
        (400, vec!["top".to_owned()])
    );
    assert!(
        refused.body.contains("must be a whole number from 0"),
        "{}",
        refused.body
    );
    let refused = predict(&server, &id, "?checkpoint=1", &one);
    assert_eq!(refused.fields(), ["checkpoint"], "{}", refused.body);
    let many = vec![one[0]; 101];
    let refused = predict(&server, &id, "", &many);
    assert_eq!(
        (refused.status, refused.fields()),
        (422, vec!["image".to_owned()]),
        "{}",
        refused.body
    );
    let large = vec![0; (20 << 20) + 1];
    let rows = predict(&server, &id, "", &[("large.jpg", &large), one[0]]).expect(200);
    assert!(
        rows["images"][0]["error"]
            .as_str()
            .unwrap()
            .contains("20 MiB"),
        "{rows}"
    );
    assert_eq!(rows["images"][1]["error"], Value::Null);
    let points = trained(&server, &mlp(1));
    let refused = predict(&server, &points, "", &one);
    assert_eq!(refused.status, 409);
    assert!(
        refused.body.contains("points in the plane"),
        "{}",
        refused.body
    );
    predict(&server, "0199d3a0-0000-7000-8000-000000000000", "", &one).expect(404);
    assert_eq!(server.get(&format!("/runs/{id}/predict")).status, 200);
}

#[test]
fn a_perceptron_gives_scores_and_says_so() {
    let server = Server::start();
    let spec = json!({"data": {"set": "digits"}, "network": {"kind": "perceptron"}, "training": {"epochs": 1}});
    let id = trained(&server, &spec);
    let photo = fs::read(photos().join("rgb.jpg")).unwrap();
    let rows = predict(&server, &id, "?top=2", &[("a.jpg", &photo)]).expect(200);
    assert_eq!(rows["probabilities"], json!(false));
    let top = &rows["images"][0]["top"];
    assert_eq!(top[0]["probability"], Value::Null);
    assert!(
        top[0]["score"].as_f64() >= top[1]["score"].as_f64(),
        "{top}"
    );
    let output = vivarium(&[
        "predict",
        &id,
        photos().join("rgb.jpg").to_str().unwrap(),
        "--top",
        "2",
        "--data-dir",
        server.data_dir().to_str().unwrap(),
    ]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.starts_with("path,class,score,second,second_score\n"),
        "{text}"
    );
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("no probabilities"), "{told}");
    assert!(output.status.success(), "{told}");
}

#[test]
fn a_csv_is_written_completely_or_not_at_all() {
    let server = Server::start();
    let id = trained(&server, &conv(1));
    let folder = tempfile::tempdir().unwrap();
    let data = server.data_dir().to_str().unwrap();
    let photo = fs::read(photos().join("rgb.jpg")).unwrap();
    let input = folder.path().join("photos");
    fs::create_dir(&input).unwrap();
    let out = folder.path().join("out.csv");
    let paths = [input.to_str().unwrap(), out.to_str().unwrap()];
    let run = [
        "predict",
        &id,
        paths[0],
        "--csv",
        paths[1],
        "--data-dir",
        data,
    ];
    let output = vivarium(&run);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("no photos") && output.status.code() == Some(1),
        "{told}"
    );
    assert!(!out.exists());

    // More photos than are read before the signal comes.
    for at in 0..20_000 {
        fs::write(input.join(format!("{at}.jpg")), &photo).unwrap();
    }
    let mut process = Command::new(env!("CARGO_BIN_EXE_vivarium"))
        .args(run)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = || fs::read_dir(folder.path()).unwrap().count() > 1;
    until("the CSV is begun", begun);
    signal(process.id(), "INT");
    let status = process.wait().unwrap();
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().collect();
    if status.success() {
        let lines = fs::read_to_string(&out).unwrap();
        assert_eq!(lines.lines().count(), 20_001);
    } else {
        assert_eq!(left.len(), 1, "{left:?}");
    }
}

#[test]
fn names_that_spreadsheets_take_for_formulas_are_quoted() {
    let server = Server::start();
    let id = trained(&server, &conv(1));
    let folder = tempfile::tempdir().unwrap();
    fs::copy(photos().join("rgb.jpg"), folder.path().join("=1+1,2.jpg")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_vivarium"))
        .args(["predict", &id, "=1+1,2.jpg", "--top", "1", "--data-dir"])
        .arg(server.data_dir())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let row = text.lines().nth(1).unwrap();
    assert!(row.starts_with("\"'=1+1,2.jpg\","), "{text}");
}
