//! Twenty people look inside while a run is trained.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use crate::events::Reader;
use crate::support::{ENDLESS, Server, conv, photos, until, upload_image};

#[test]
fn a_crowd_that_looks_inside_stalls_no_stream_and_no_other_request() {
    let server = Server::start();
    let id = server.create(&conv(ENDLESS));
    let film = format!("/api/v1/runs/{id}/film");
    until("there is a film", || {
        server.get(&film).body.contains("\"epoch\":2")
    });
    until("there is a checkpoint", || {
        let told = server.get(&format!("/api/v1/runs/{id}/layers")).json();
        told["checkpoints"][0].is_object()
    });
    let photo = upload_image(&server, &fs::read(photos().join("rgb.jpg")).unwrap()).json();
    let photo = photo["id"].as_str().unwrap().to_owned();
    let asked = [
        "layers".to_owned(),
        "layers/stem.0/filters.png".to_owned(),
        format!("layers/stem.0/features.png?image={photo}"),
        format!("layers/blocks.0.convs.0.depthwise/features?image={photo}&scale=network"),
        format!("layers/stem.0/arithmetic?image={photo}&map=0&y=3&x=4"),
        format!("layers/stem.0/gradient?image={photo}&map=0&y=3&x=4"),
        format!("attention.png?image={photo}"),
        "predict?image=test:4".to_owned(),
        "samples?split=validation&truth=1&predicted=2&checkpoint=1".to_owned(),
        "layers/stem.0/features.png?checkpoint=1".to_owned(),
        "images/test:7.png?size=96".to_owned(),
    ];
    let served = AtomicU64::new(0);
    let mut reader = Reader::open(&server, &format!("run={id}"), None);
    // Everybody asks for everything once, each beginning elsewhere.
    let person = |first: usize| {
        for turn in first..first + asked.len() {
            let rest = &asked[turn % asked.len()];
            let (status, _, body) = server.get_bytes(&format!("/api/v1/runs/{id}/{rest}"));
            // A film that was thinned has no first epoch any more.
            let gone = status == 422 && rest.contains("checkpoint=1");
            assert!(
                [200, 503].contains(&status) || gone,
                "{rest}: {status} {}",
                String::from_utf8_lossy(&body)
            );
            served.fetch_add(u64::from(status == 200), Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        let person = &person;
        let people: Vec<_> = (0..20)
            .map(|first| scope.spawn(move || person(first)))
            .collect();
        // Meanwhile the run is told and the server answers.
        while !people.iter().all(|person| person.is_finished()) {
            reader.next().unwrap();
            assert_eq!(server.get("/healthz").status, 200);
        }
    });
    let (served, of) = (served.into_inner(), 20 * asked.len() as u64);
    println!("{served} of {of} were served");
    assert!(served > of / 2, "{served} of {of} were served");
    server.post(&format!("/api/v1/runs/{id}/stop"), &json!({}));
    server.await_status(&id, "stopped");
}
