//! The page of runs, and what its stream tells from then on.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::written::{Written, await_runs, plain};
use crate::events::Reader;
use crate::support::{ENDLESS, Server, mlp};

/// The data of the page of runs.
fn page_data(server: &Server, path: &str) -> Value {
    let body = server.get(path).body;
    let (_, data) = body.split_once("id=\"data\">").unwrap();
    serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn the_page_has_the_first_runs_and_its_stream_tells_what_changes_from_then_on() {
    let (server, ids) = plain(230);
    let data = page_data(&server, "/");
    assert_eq!(data["first"]["runs"].as_array().unwrap().len(), 100);
    assert_eq!(data["first"]["total"], 230);
    let changes = data["changes"].as_str().unwrap();
    let mut reader = Reader::open(&server, &format!("status=none&changes={changes}"), None);
    let events = |reader: &mut Reader, until: &str| {
        let mut seen = Vec::new();
        loop {
            let message = reader.next().unwrap();
            let end = message.event == until;
            seen.push((
                message.event,
                serde_json::from_str::<Value>(&message.data).unwrap(),
            ));
            if end {
                return seen;
            }
        }
    };
    let began = events(&mut reader, "upto");
    let kinds: Vec<_> = began.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["server", "upto"], "no state of a run");
    let new = server.create(&mlp(ENDLESS));
    let told = events(&mut reader, "upto");
    assert!(
        told.iter()
            .any(|(kind, run)| kind == "run" && run["id"] == *new)
    );
    assert!(
        told.iter()
            .all(|(kind, run)| kind != "run" || run["id"] == *new)
    );
    assert_eq!(
        server.delete(&format!("/api/v1/runs/{}", ids[0])).status,
        204
    );
    loop {
        let told = events(&mut reader, "upto");
        if told
            .iter()
            .any(|(kind, data)| kind == "removed" && data["id"] == *ids[0])
        {
            break;
        }
    }
    // Runs that are named are told beside that, as they are at the beginning.
    let query = format!("status={}&changes={changes}", ids[1]);
    let told = events(&mut Reader::open(&server, &query, None), "upto");
    assert!(
        told.iter()
            .any(|(kind, run)| kind == "run" && run["id"] == *ids[1])
    );
}

#[test]
fn of_many_changes_the_number_is_told_and_of_named_runs_the_states() {
    let (server, ids) = plain(3);
    let changes = page_data(&server, "/")["changes"]
        .as_str()
        .unwrap()
        .to_owned();
    let runs = server.data_dir().join("runs");
    for at in 0..250 {
        Written::default().to(&runs, 1000 + at);
    }
    await_runs(&server, 253);
    let selection = server.post("/api/v1/selections", &json!({"runs": ids[..2]}));
    let selection = selection.expect(201)["id"].as_str().unwrap().to_owned();
    let query = format!("status={selection}&changes={changes}");
    let mut reader = Reader::open(&server, &query, None);
    let (mut states, mut many) = (Vec::new(), None);
    loop {
        let message = reader.next().unwrap();
        let data: Value = serde_json::from_str(&message.data).unwrap();
        match message.event.as_str() {
            "run" => states.push(data["id"].as_str().unwrap().to_owned()),
            "many" => many = data["runs"].as_u64(),
            "upto" => break,
            _ => {}
        }
    }
    states.sort();
    states.dedup();
    assert_eq!(states, ids[..2]);
    assert_eq!(many, Some(250));
    // Every state is told to who asks for all of them, however many there are.
    let mut reader = Reader::open(&server, "status=all", None);
    let mut seen = BTreeSet::new();
    loop {
        let message = reader.next().unwrap();
        match message.event.as_str() {
            "run" => {
                let run: Value = serde_json::from_str(&message.data).unwrap();
                assert!(
                    seen.insert(run["id"].as_str().unwrap().to_owned()),
                    "told twice"
                );
            }
            "upto" => break,
            _ => {}
        }
    }
    assert_eq!(seen.len(), 253);
    // A place in another index is none: what changes from now on is told.
    let other = "0199d3a0-0000-7000-8000-000000000000.1";
    let mut reader = Reader::open(&server, &format!("status=none&changes={other}"), None);
    let kinds = [reader.next(), reader.next()].map(|message| message.unwrap().event);
    assert_eq!(kinds, ["server", "upto"]);
}
