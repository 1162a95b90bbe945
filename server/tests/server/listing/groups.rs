//! Runs group by group.

use serde_json::{Value, json};

use super::written::{Written, server_with};
use super::{list, of, walk};

#[test]
fn runs_are_listed_group_by_group() {
    let rates = [0.1, 0.01, 0.1, 0.001, 0.01];
    let accuracies = [Some(0.2), Some(0.4), Some(0.6), None, Some(0.9)];
    let written: Vec<_> = rates
        .iter()
        .zip(accuracies)
        .map(|(lr, accuracy)| Written {
            lr: json!(lr),
            accuracy,
            ..Written::default()
        })
        .collect();
    let (server, ids) = server_with(&written);
    let lr = "group=training.optimizer.lr";
    let all = list(&server, lr);
    let expected: Vec<_> = [4, 1, 3, 2, 0].iter().map(|at| ids[*at].clone()).collect();
    assert_eq!(
        of(&all, "id"),
        expected,
        "groups in the order of their first runs"
    );
    let groups = all["groups"].as_array().unwrap();
    let told: Vec<_> = groups
        .iter()
        .map(|group| {
            (
                group["value"].clone(),
                group["runs"].clone(),
                group["listed"].clone(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [0.01, 0.001, 0.1].map(|rate| {
            let count = if rate == 0.001 { json!(1) } else { json!(2) };
            (json!(rate), count.clone(), count)
        })
    );
    let mean = |at: usize| groups[at]["mean_best_validation_accuracy"].as_f64();
    assert!((mean(0).unwrap() - 0.65).abs() < 1e-9);
    assert_eq!((mean(1), &groups[1]["validated"]), (None, &json!(0)));
    // A page may end within a group.
    for limit in 1..=5 {
        assert_eq!(walk(&server, &format!("{lr}&limit={limit}")), expected);
    }
    let part = list(&server, &format!("{lr}&limit=1"));
    assert_eq!(part["groups"][0]["runs"], 2);
    assert_eq!(part["groups"][0]["listed"], 1);
    let of_group = server.get("/api/v1/runs/ids?group=training.optimizer.lr&value=0.1");
    assert_eq!(of_group.expect(200)["ids"], json!([ids[2], ids[0]]));

    for (at, tags) in [(0, json!(["a", "b"])), (2, json!(["b"]))] {
        server
            .patch(&format!("/api/v1/runs/{}", ids[at]), &json!({"tags": tags}))
            .expect(200);
    }
    let by_tag = list(&server, "group=tag");
    let expected: Vec<_> = [2, 0, 4, 3, 1].iter().map(|at| ids[*at].clone()).collect();
    assert_eq!(of(&by_tag, "id"), expected, "runs without a tag come last");
    let told: Vec<_> = by_tag["groups"].as_array().unwrap().iter().collect();
    let told: Vec<_> = told
        .iter()
        .map(|group| {
            (
                group["value"].clone(),
                group["runs"].clone(),
                group["listed"].clone(),
            )
        })
        .collect();
    let expected_groups = [("b", 2, 2), ("", 3, 3)].map(|(tag, runs, listed)| {
        let value = if tag.is_empty() {
            Value::Null
        } else {
            json!(tag)
        };
        (value, json!(runs), json!(listed))
    });
    assert_eq!(
        told, expected_groups,
        "a run of two groups is listed in the first"
    );
    for limit in 1..=5 {
        assert_eq!(walk(&server, &format!("group=tag&limit={limit}")), expected);
    }
    let none = server
        .get("/api/v1/runs/ids?group=tag&value=null")
        .expect(200);
    assert_eq!(none["ids"], json!([ids[4], ids[3], ids[1]]));
}
