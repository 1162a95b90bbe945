//! Many at once: one final state each, no zombies, never more workers than allowed.

use serde_json::{Value, json};

use crate::support::{Server, mlp, until};

#[test]
fn a_hundred_launches_and_cancels_end_in_one_state_each() {
    let server = Server::start_with(&["--jobs", "2"]);
    let ids: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..100)
            .map(|i| {
                let server = &server;
                scope.spawn(move || {
                    let id = server.create(&mlp(20 + i % 3));
                    if i % 4 != 0 {
                        // Twice, because people click twice.
                        for _ in 0..2 {
                            let status = server
                                .post(&format!("/api/v1/runs/{id}/stop"), &json!({}))
                                .status;
                            assert!([202, 409].contains(&status), "{status}");
                        }
                    }
                    if i % 10 == 0 {
                        assert_eq!(server.delete(&format!("/api/v1/runs/{id}")).status, 204);
                        return None;
                    }
                    Some(id)
                })
            })
            .collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(ids.len(), 90);
    until("every run has come to rest", || {
        assert!(workers(&server).len() <= 2, "{:?}", workers(&server));
        let runs = server.get("/api/v1/runs").json();
        let runs = runs["runs"].as_array().unwrap().clone();
        assert_eq!(runs.len(), 90);
        runs.iter()
            .all(|run| run["status"] == "finished" || run["status"] == "stopped")
    });
    for id in &ids {
        let Some(log) = std::fs::read_to_string(server.run_dir(id).join("events.ndjson")).ok()
        else {
            assert_eq!(server.status(id), "stopped", "it never began");
            continue;
        };
        let ends = log.lines().filter(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["kind"] == "finished"
        });
        assert!(ends.count() <= 1, "one end at most");
    }
    assert!(workers(&server).is_empty());
    assert_eq!(server.get("/healthz").status, 200);
}

/// The server's children, zombies included.
fn workers(server: &Server) -> Vec<String> {
    let path = format!("/proc/{0}/task/{0}/children", server.pid());
    let mut children: Vec<String> = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{}/task", server.pid()))
        .unwrap()
        .flatten()
    {
        let text = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children.extend(text.split_whitespace().map(str::to_owned));
    }
    assert!(
        std::path::Path::new(&path).exists(),
        "the system tells a process's children"
    );
    children
}
