//! Reports over the API, and what a run came to on its test split.

use serde_json::{Value, json};

use crate::support::{ENDLESS, Server, mlp};

#[test]
fn a_report_is_written_saved_deleted_and_brought_back() {
    let mut server = Server::start();
    let made = server
        .post("/api/v1/reports", &json!({"text": "# Noise\n\nText."}))
        .expect(201);
    assert_eq!(made["title"], "Noise");
    let url = format!("/api/v1{}", made["url"].as_str().unwrap());
    let report = server.get(&url).json();
    assert_eq!(report["text"], "# Noise\n\nText.");
    assert_eq!(report["revision"], made["revision"]);

    let change = json!({"text": "# Less noise", "revision": made["revision"]});
    let saved = server.put(&url, &change).expect(200);
    assert_eq!(saved["title"], "Less noise");
    // A second window that knows only the first text overwrites nothing.
    let stale = json!({"text": "# Other", "revision": made["revision"]});
    let problem = server.put(&url, &stale).expect(409);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("nothing was overwritten"),
        "{problem}"
    );

    // It outlives the server, however that ends.
    server.kill();
    server.restart();
    let listed = server.get("/api/v1/reports").json();
    assert_eq!(listed["reports"], json!([saved]));
    assert_eq!(server.get(&url).json()["text"], "# Less noise");

    server.delete(&url).expect(204);
    server.get(&url).expect(404);
    server.delete(&url).expect(404);
    assert_eq!(server.get("/api/v1/reports").json()["reports"], json!([]));
    let back = server
        .post(&format!("{url}/restore"), &json!({}))
        .expect(200);
    assert_eq!(back["title"], "Less noise");
    assert_eq!(server.get(&url).json()["text"], "# Less noise");
}

#[test]
fn what_is_no_report_is_refused_in_words() {
    let server = Server::start();
    for id in [
        "nothing",
        "01a214aa-f832-771b-b5df-8347040e379b",
        "..%2f..%2fspec",
    ] {
        let problem = server.get(&format!("/api/v1/reports/{id}")).expect(404);
        assert!(
            problem["detail"].as_str().unwrap().contains("report"),
            "{problem}"
        );
        assert_eq!(server.get(&format!("/reports/{id}")).status, 404);
    }
    let long = json!({"text": "a".repeat(1024 * 1024 + 1)});
    let problem = server.post("/api/v1/reports", &long).expect(422);
    assert_eq!(problem["errors"][0]["path"], "text");
    let problem = server
        .post("/api/v1/reports", &json!({"text": "", "colour": 1}))
        .expect(422);
    assert!(
        problem["detail"].as_str().unwrap().contains("colour"),
        "{problem}"
    );
    // The longest that is allowed is, however JSON writes it.
    let most = json!({"text": "\n".repeat(1024 * 1024)});
    server.post("/api/v1/reports", &most).expect(201);
}

#[test]
fn what_is_written_cannot_leave_its_place_in_the_page() {
    let server = Server::start();
    let text = "# </script><script>alert(1)</script>";
    let made = server
        .post("/api/v1/reports", &json!({ "text": text }))
        .expect(201);
    let page = server.get(made["url"].as_str().unwrap());
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
    assert!(page.body.contains("\\u003cscript>alert(1)"));
    let list = server.get("/reports");
    assert_eq!(list.status, 200);
    assert!(!list.body.contains("<script>alert"));
}

#[test]
fn the_result_on_the_test_split_is_told_once_there_is_one() {
    let server = Server::start();
    let id = server.create(&mlp(1));
    server.await_status(&id, "finished");
    let told = server.get(&format!("/api/v1/runs/{id}/test")).json();
    let run = server.get(&format!("/api/v1/runs/{id}")).json();
    assert_eq!(told["test"]["accuracy"], run["summary"]["test_accuracy"]);
    assert_eq!(told["classes"], run["summary"]["classes"]);
    let rows = told["test"]["confusion"].as_array().unwrap();
    let (mut right, mut all) = (0, 0);
    for (truth, row) in rows.iter().enumerate() {
        for (predicted, cell) in row.as_array().unwrap().iter().enumerate() {
            let cell = cell.as_u64().unwrap();
            all += cell;
            right += if truth == predicted { cell } else { 0 };
        }
    }
    let accuracy = told["test"]["accuracy"].as_f64().unwrap();
    assert!((right as f64 / all as f64 - accuracy).abs() < 1e-6);

    let waiting = server.create(&mlp(ENDLESS));
    let told = server.get(&format!("/api/v1/runs/{waiting}/test")).json();
    assert_eq!(told["test"], Value::Null);
    let none = "/api/v1/runs/01a214aa-f832-771b-b5df-8347040e379b/test";
    server.get(none).expect(404);
}
