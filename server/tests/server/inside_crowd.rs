//! Twenty people look inside while a run is trained.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

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
        server.get(&format!("/api/v1/runs/{id}/layers")).status == 200
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
    let (over, answers, longest) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let mut reader = Reader::open(&server, &format!("run={id}"), None);
    std::thread::scope(|scope| {
        for person in 0..20usize {
            let (server, asked, over, answers) = (&server, &asked, &over, &answers);
            let id = &id;
            scope.spawn(move || {
                let mut turn = person;
                while !over.load(Ordering::Relaxed) {
                    let rest = &asked[turn % asked.len()];
                    let (status, _, body) = server.get_bytes(&format!("/api/v1/runs/{id}/{rest}"));
                    // A film that was thinned has no first epoch any more.
                    let gone = status == 422 && rest.contains("checkpoint=1");
                    let text = || String::from_utf8_lossy(&body).into_owned();
                    assert!(
                        [200, 503].contains(&status) || gone,
                        "{rest}: {status} {}",
                        text()
                    );
                    answers.fetch_add(1, Ordering::Relaxed);
                    turn += 1;
                }
            });
        }
        let (server, over, longest) = (&server, &over, &longest);
        scope.spawn(move || {
            while !over.load(Ordering::Relaxed) {
                let begun = Instant::now();
                assert_eq!(server.get("/healthz").status, 200);
                longest.fetch_max(begun.elapsed().as_millis() as u64, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let (begun, mut last, mut gap) = (Instant::now(), Instant::now(), Duration::ZERO);
        while begun.elapsed() < Duration::from_secs(6) {
            reader.next().unwrap();
            gap = gap.max(last.elapsed());
            last = Instant::now();
        }
        over.store(true, Ordering::Relaxed);
        assert!(
            gap < Duration::from_millis(1500),
            "the stream was silent for {gap:?}"
        );
    });
    let (answers, longest) = (answers.into_inner(), longest.into_inner());
    println!("{answers} answers, /healthz within {longest} ms");
    assert!(answers > 40, "{answers}");
    assert!(longest < 100, "/healthz took {longest} ms");
    server.post(&format!("/api/v1/runs/{id}/stop"), &json!({}));
    server.await_status(&id, "stopped");
}
