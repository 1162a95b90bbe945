//! The updates of a perceptron over HTTP.

use serde_json::{Value, json};

use crate::support::{Server, conv, mlp};

fn perceptron(epochs: u64, samples: u64) -> Value {
    json!({
        "data": {"set": "moons", "samples": samples, "noise": 0.4},
        "network": {"kind": "perceptron"},
        "training": {"epochs": epochs}
    })
}

/// Rows of numbers in single precision.
fn single(rows: &Value) -> Vec<Vec<f32>> {
    serde_json::from_value(rows.clone()).unwrap()
}

#[test]
fn the_updates_of_each_epoch_are_told_and_end_with_the_recorded_weights() {
    let server = Server::start();
    let id = server.create(&perceptron(3, 200));
    server.await_status(&id, "finished");
    let get = |rest: &str| server.get(&format!("/api/v1/runs/{id}/{rest}"));
    let rows = |epoch: u64| {
        let told = get(&format!("boundaries?epoch={epoch}")).json();
        told["boundary"]["linear"]["rows"].clone()
    };
    for epoch in 1..=3 {
        let told = get(&format!("updates?epoch={epoch}")).json();
        assert_eq!(
            (&told["epoch"], &told["epochs"]),
            (&json!(epoch), &json!(3))
        );
        assert_eq!(told["exact"], true);
        // Digits beyond single precision depend on who wrote the JSON.
        assert_eq!(
            (single(&told["before"]), single(&told["after"])),
            (single(&rows(epoch - 1)), single(&rows(epoch)))
        );
        let updates = told["updates"].as_array().unwrap();
        assert_eq!(
            (&told["total"], &told["mistakes"]),
            (&json!(updates.len()), &json!(updates.len()))
        );
        assert!(updates.len() > 5, "{} updates", updates.len());
        assert_eq!(updates[0]["before"], told["before"]);
        assert_eq!(updates[updates.len() - 1]["after"], told["after"]);
        for pair in updates.windows(2) {
            assert_eq!(pair[0]["after"], pair[1]["before"]);
        }
        // Pages begin where they are asked to.
        let rest = get(&format!("updates?epoch={epoch}&skip=3")).json();
        assert_eq!(rest["updates"].as_array().unwrap()[..], updates[3..]);
        assert_eq!(rest["total"], told["total"]);
        // A mistake is a point of the training split.
        let points = get("points").json();
        let all = points["points"].as_array().unwrap().iter();
        let train: Vec<_> = all.filter(|point| point["split"] == "train").collect();
        let linear = &get("boundaries?epoch=0").json()["boundary"]["linear"];
        for update in updates {
            let mistake = &update["mistakes"][0];
            let point = train[mistake["sample"].as_u64().unwrap() as usize];
            assert_eq!(point["class"], mistake["target"]);
            for (axis, name) in ["x", "y"].iter().enumerate() {
                let of = |key: &str| linear[key][axis].as_f64().unwrap();
                let raw = mistake["x"][axis].as_f64().unwrap() * of("deviation") + of("mean");
                assert!((raw - point[name].as_f64().unwrap()).abs() < 1e-5);
            }
        }
    }
    assert_eq!(get("updates").json()["epoch"], 1);
}

#[test]
fn an_answer_has_a_bounded_number_of_updates() {
    let server = Server::start();
    let mut spec = perceptron(1, 3000);
    // Points without order: about half of them are mistakes.
    spec["data"]["set"] = json!("xor");
    let id = server.create(&spec);
    server.await_status(&id, "finished");
    let page = |skip: usize| {
        let told = server.get(&format!("/api/v1/runs/{id}/updates?skip={skip}"));
        told.expect(200)
    };
    let first = page(0);
    let total = first["total"].as_u64().unwrap() as usize;
    assert!(total > 500, "{total}");
    assert_eq!(first["updates"].as_array().unwrap().len(), 500);
    let (mut seen, mut last) = (500, first);
    while seen < total {
        let next = page(seen);
        let after = &last["updates"].as_array().unwrap().last().unwrap()["after"];
        assert_eq!(&next["updates"][0]["before"], after);
        seen += next["updates"].as_array().unwrap().len();
        last = next;
    }
    assert_eq!(page(total)["updates"], json!([]));
}

#[test]
fn runs_without_updates_and_epochs_that_are_not_there_are_refused() {
    let server = Server::start();
    let id = server.create(&perceptron(2, 60));
    server.await_status(&id, "finished");
    let get = |id: &str, rest: &str| server.get(&format!("/api/v1/runs/{id}/updates{rest}"));
    for epoch in ["0", "3"] {
        let answer = get(&id, &format!("?epoch={epoch}"));
        assert_eq!(
            (answer.status, answer.fields()),
            (422, vec!["epoch".to_owned()])
        );
        assert!(answer.body.contains("from 1 to 2"), "{}", answer.body);
    }
    assert_eq!(get(&id, "?epoch=many").status, 400);
    let mut moons = mlp(1);
    moons["data"] = json!({"set": "moons", "samples": 60});
    for (spec, words) in [
        (conv(1), "nothing to show"),
        (moons, "did not record its weights"),
    ] {
        let other = server.create(&spec);
        server.await_status(&other, "finished");
        let answer = get(&other, "");
        assert_eq!(answer.status, 409, "{}", answer.body);
        assert!(answer.body.contains(words), "{}", answer.body);
    }
    assert_eq!(get("0190a4b2-0000-7000-8000-000000000001", "").status, 404);
}
