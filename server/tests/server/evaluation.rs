//! Evaluations of runs that were really trained: that they are the run's own, and what is refused.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::data_sets::{pets, upload};
use crate::inside::Trained;
use crate::support::{Answer, ENDLESS, Server, conv, mlp, until};

/// Asks until the evaluation is there, or is refused.
fn evaluated(server: &Server, path: &str) -> Answer {
    let mut answer = server.get(path);
    until(&format!("{path} is evaluated"), || {
        if answer.status == 202 {
            let progress = &answer.json()["progress"];
            assert!(progress["phase"].is_string() && progress["share"].is_number());
            answer = server.get(path);
        }
        answer.status != 202
    });
    answer
}

impl Trained {
    /// The file of the best weights.
    fn best(&self) -> PathBuf {
        let run = self.server.run_dir(&self.id);
        run.join("checkpoints/best.safetensors")
    }

    fn evaluation(&self, query: &str) -> Value {
        let path = self.path(&format!("evaluation{query}"));
        evaluated(&self.server, &path).expect(200)
    }
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

fn close(a: &Value, b: &Value) {
    assert!((number(a) - number(b)).abs() < 1e-6, "{a} {b}");
}

/// The files of all evaluations.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}

#[test]
fn the_test_split_is_evaluated_as_the_run_did_itself() {
    let run = Trained::new(&conv(3));
    let test = run.json("test")["test"].clone();
    let of = run.evaluation("");
    assert_eq!(of["confusion"], test["confusion"]);
    close(&of["accuracy"]["value"], &test["accuracy"]);
    close(&of["calibration"]["plain"]["nll"]["value"], &test["loss"]);
    assert_eq!(
        (&of["split"], &of["scores"]),
        (&json!("test"), &json!("logits"))
    );
    assert_eq!(of["checkpoint"]["name"], "best");
    assert_eq!(of["classes"].as_array().unwrap().len(), 10);
    assert_eq!(of["per_class"].as_array().unwrap().len(), 10);
    let temperature = &of["calibration"]["temperature"];
    assert!(
        number(&temperature["validation_nll_after"])
            <= number(&temperature["validation_nll_before"])
    );
    for figure in [&of["accuracy"], &of["macro_average"]["f1"], &of["top_5"]] {
        let [low, value, high] = ["low", "value", "high"].map(|of| number(&figure[of]));
        assert!(low <= value && value <= high, "{figure}");
    }
    let mistakes = of["mistakes"].as_array().unwrap();
    assert!(!mistakes.is_empty());
    let sample = mistakes[0]["index"].as_u64().unwrap();
    let predicted = run.json(&format!("predict?image=test:{sample}"));
    assert_eq!(predicted["top"][0]["class"], mistakes[0]["predicted"]);
    assert_eq!(predicted["image"]["truth"], mistakes[0]["truth"]);
    close(
        &predicted["top"][0]["probability"],
        &mistakes[0]["confidence"],
    );

    // The other splits and the other checkpoint.
    let validation = run.evaluation("?split=validation");
    assert_ne!(validation["sample_set"], of["sample_set"]);
    let train = run.evaluation("?split=train&checkpoint=last");
    assert_eq!(
        (
            &train["samples"],
            &train["checkpoint"]["name"],
            &train["checkpoint"]["epoch"]
        ),
        (&json!(80), &json!("last"), &json!(3))
    );

    let curves = evaluated(&run.server, &run.path("evaluation/curves?class=3&class=0")).expect(200);
    let curves = curves["curves"].as_array().unwrap();
    assert_eq!(
        [&curves[0]["class"], &curves[1]["class"]],
        [&json!(3), &json!(0)]
    );
    assert_eq!(curves[0]["roc"][0], json!([0.0, 0.0]));

    // Everything lies in the cache, and nothing new in the run's directory.
    let cached = files(&run.server.data_dir().join("evaluations"));
    let expected = [
        "test.f32",
        "test.json",
        "test.targets",
        "train.f32",
        "train.json",
        "train.targets",
        "validation.f32",
        "validation.f32",
        "validation.json",
        "validation.targets",
        "validation.targets",
    ];
    assert_eq!(cached, expected);
    assert!(!run.server.run_dir(&run.id).join("evaluation").exists());

    // An answer that a client has is not sent again.
    let path = run.path("evaluation");
    let first = run.server.get(&path);
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let again = crate::support::agent()
        .get(run.server.url(&path))
        .header("if-none-match", &tag)
        .call();
    assert_eq!(Answer::of(again).status, 304);
}

#[test]
fn points_and_a_perceptron_are_evaluated_too() {
    let server = Server::start();
    let perceptron = json!({
        "data": {"set": "blobs"}, "network": {"kind": "perceptron"},
        "training": {"epochs": 2, "threads": 1}
    });
    for (spec, scores) in [(mlp(3), "logits"), (perceptron, "margins")] {
        let id = server.create(&spec);
        server.await_status(&id, "finished");
        let path = format!("/api/v1/runs/{id}");
        let of = evaluated(&server, &format!("{path}/evaluation")).expect(200);
        let test = server.get(&format!("{path}/test")).json()["test"].clone();
        assert_eq!(of["confusion"], test["confusion"]);
        assert_eq!(of["scores"], scores);
        assert_eq!(of["calibration"].is_null(), scores == "margins");
        assert_eq!(of["top_5"], Value::Null);
        assert!(of["macro_average"]["auc"]["value"].is_number());
    }
}

#[test]
fn two_runs_are_compared_on_the_same_samples_and_on_no_others() {
    let server = Server::start();
    let seed = |seed: u64| {
        let mut spec = conv(2);
        spec["training"]["seed"] = json!(seed);
        // Another size and another validation split leave the test samples as they are.
        spec["data"]["size"] = json!(if seed == 1 { 32 } else { 16 });
        spec["data"]["validation"] = json!(if seed == 1 { 0.1 } else { 0.2 });
        server.create(&spec)
    };
    let (a, b, points) = (seed(1), seed(2), server.create(&mlp(1)));
    for id in [&a, &b, &points] {
        server.await_status(id, "finished");
    }
    let compare = |a: &str, b: &str, more: &str| {
        let path = format!("/api/v1/runs/{a}/evaluation/comparison?with={b}{more}");
        evaluated(&server, &path)
    };
    let of = compare(&a, &b, "").expect(200);
    let count = |of: &Value, name: &str| of[name].as_u64().unwrap();
    let all = &of["all"];
    let accuracies = [&a, &b].map(|id| {
        let of = evaluated(&server, &format!("/api/v1/runs/{id}/evaluation")).expect(200);
        (number(&of["accuracy"]["value"]), count(&of, "samples"))
    });
    let samples = accuracies[0].1;
    let right = count(all, "both") + count(all, "only_first");
    assert!((right as f64 / samples as f64 - accuracies[0].0).abs() < 1e-12);
    let difference = accuracies[0].0 - accuracies[1].0;
    assert!((number(&all["difference"]["value"]) - difference).abs() < 1e-12);
    let per_class = of["per_class"].as_array().unwrap();
    let sum = |name: &str| per_class.iter().map(|of| count(of, name)).sum::<u64>();
    for name in ["both", "only_first", "only_second", "neither"] {
        assert_eq!(sum(name), count(all, name));
    }
    let back = compare(&b, &a, "").expect(200);
    assert_eq!(back["all"]["only_first"], all["only_second"]);
    assert_eq!(back["all"]["p_value"], all["p_value"]);

    let refused = compare(&a, &points, "").expect(409);
    let words = refused["detail"].as_str().unwrap();
    assert!(
        words.contains("“digits”") && words.contains("“moons”"),
        "{words}"
    );
    let refused = compare(&a, &b, "&split=validation").expect(409);
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("validation samples")
    );
    for with in ["", "x", "..%2f"] {
        let path = format!("/api/v1/runs/{a}/evaluation/comparison?with={with}");
        assert_eq!(server.get(&path).fields(), ["with"]);
    }
    let nobody = "0199d3a0-0000-7000-8000-000000000000";
    compare(&a, nobody, "").expect(404);
}

#[test]
fn what_cannot_be_evaluated_is_refused_with_a_reason() {
    let run = Trained::new(&conv(1));
    let page = |query: &str| {
        let id = &run.id;
        run.server.get(&format!("/runs/{id}/evaluation{query}"))
    };
    let refused = page("?split=rubbish");
    assert_eq!(refused.status, 422);
    let allowed = "must be “train”, “validation” or “test”";
    assert!(refused.body.contains(allowed), "{}", refused.body);
    assert_eq!(page("?split=validation").status, 200);
    for (query, field) in [
        ("?split=other", "split"),
        ("?checkpoint=first", "checkpoint"),
        ("?checkpoint=1", "checkpoint"),
        ("?wait=21", "wait"),
        ("?wait=-1", "wait"),
        ("?version=../../../x/best-1", "version"),
        ("?version=0123", "version"),
        ("/curves", "class"),
        ("/curves?class=10", "class"),
        ("/curves?class=x", "class"),
    ] {
        let answer = run.get(&format!("evaluation{query}"));
        assert_eq!(
            (answer.status, answer.fields()),
            (422, vec![field.to_owned()]),
            "{query}"
        );
    }
    let nobody = "0199d3a0-0000-7000-8000-000000000000";
    for id in [nobody, "x"] {
        let path = format!("/api/v1/runs/{id}/evaluation");
        run.server.get(&path).expect(404);
        assert_eq!(
            run.server.get(&format!("/runs/{id}/evaluation")).status,
            404
        );
    }
    let page = run.server.get(&format!("/runs/{}/evaluation", run.id));
    assert!(page.status == 200 && page.body.contains("Evaluation of residual on digits"));
    let mut none = conv(1);
    none["data"]["validation"] = json!(0.0);
    let without = run.server.create(&none);
    run.server.await_status(&without, "finished");
    let of = format!("/api/v1/runs/{without}/evaluation");
    let refused = evaluated(&run.server, &format!("{of}?split=validation")).expect(409);
    assert_eq!(refused["detail"], "The run has no validation samples.");
    let test = evaluated(&run.server, &of).expect(200);
    assert_eq!(test["calibration"]["temperature"], Value::Null);
    assert_eq!(test["selective"]["choices"], json!([]));
}

#[test]
fn a_run_that_trains_has_its_validation_split_evaluated_and_not_its_test_split() {
    let server = Server::start();
    let id = server.create(&conv(ENDLESS));
    let queued = server.create(&conv(1));
    let path = format!("/api/v1/runs/{id}/evaluation");
    let refused = server
        .get(&format!("/api/v1/runs/{queued}/evaluation"))
        .expect(409);
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("has not begun")
    );
    let best = server.run_dir(&id).join("checkpoints/best.safetensors");
    until("there is a checkpoint", || best.exists());
    let refused = server.get(&path).expect(409);
    assert!(refused["detail"].as_str().unwrap().contains("is not over"));
    evaluated(&server, &format!("{path}?split=validation")).expect(200);
    server.post(&format!("/api/v1/runs/{id}/stop"), &json!({}));
    server.await_status(&id, "stopped");
    let of = evaluated(&server, &path).expect(200);
    assert_eq!(of["split"], "test");
}

#[test]
fn a_run_that_writes_checkpoints_all_the_time_is_evaluated_at_one_of_them() {
    let run = Trained::new(&conv(1));
    let weights = run.best();
    let mut day = 0;
    let mut replace = || {
        day += 1;
        let time = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * day);
        File::open(&weights).unwrap().set_modified(time).unwrap();
    };
    let mut answer = run.get("evaluation?wait=0");
    until("the run is evaluated", || {
        if answer.status == 202 {
            replace();
            answer = run.get("evaluation?wait=0");
        }
        answer.status != 202
    });
    let checkpoint = answer.expect(200)["checkpoint"].clone();
    let version = checkpoint["version"].as_str().unwrap();

    // What belongs to it is told as long as it is kept.
    replace();
    let curves = format!("evaluation/curves?class=3&wait=0&version={version}");
    run.get(&curves).expect(200);
    assert_eq!(run.get("evaluation/curves?class=3&wait=0").status, 202);
    run.evaluation("");
    assert_eq!(run.get(&curves).status, 200, "the newest is meant then");
}

#[test]
fn a_damaged_checkpoint_and_a_data_set_that_is_gone_are_told() {
    let run = Trained::new(&conv(1));
    let weights = run.best();
    let sound = fs::read(&weights).unwrap();
    let mut damaged = sound.clone();
    let middle = damaged.len() / 2;
    damaged.truncate(middle);
    fs::write(&weights, &damaged).unwrap();
    let path = run.path("evaluation");
    let refused = evaluated(&run.server, &path).expect(409);
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("best.safetensors"),
        "{refused}"
    );
    fs::write(&weights, &sound).unwrap();
    evaluated(&run.server, &path).expect(200);
}

#[test]
fn a_data_set_that_is_gone_is_told() {
    let server = Server::start();
    let draft = upload(&server, "pets.zip", &pets()).expect(201);
    let draft = format!("/api/v1/datasets/drafts/{}", draft["id"].as_str().unwrap());
    let wish = json!({"set": "pets", "title": "Pets", "skip_unreadable": true});
    server.post(&draft, &wish).expect(201);
    let id = server.create(&json!({
        "data": {"set": "pets", "size": 16, "validation": 0.2},
        "network": {"kind": "mlp"}, "training": {"epochs": 1, "threads": 1}
    }));
    server.await_status(&id, "finished");
    let path = format!("/api/v1/runs/{id}/evaluation");
    let before = evaluated(&server, &path).expect(200);
    server.delete("/api/v1/datasets/pets").expect(204);
    // What was computed is kept.
    assert_eq!(server.get(&path).expect(200), before);
    let refused = evaluated(&server, &format!("{path}?split=train")).expect(409);
    assert!(
        refused["detail"].as_str().unwrap().contains("pets"),
        "{refused}"
    );
}

#[test]
fn an_evaluation_that_nobody_waits_for_ends() {
    let server = Server::start();
    let mut spec = conv(1);
    spec["data"] = json!({"set": "digits", "size": 64, "channels": 3, "limit": 32});
    let id = server.create(&spec);
    server.await_status(&id, "finished");
    let path = format!("/api/v1/runs/{id}/evaluation?wait=0");
    let first = server.get(&path);
    assert_eq!(first.status, 202, "{}", first.body);
    assert_eq!(first.headers["retry-after"], "1");
    let processes = || children(server.pid()).len();
    until("the evaluation has a process", || processes() == 1);
    until("the process is gone", || processes() == 0);
    // Whether it was ended or ready, the next request gets an answer.
    evaluated(&server, &format!("/api/v1/runs/{id}/evaluation")).expect(200);
}

/// The processes that evaluate for a server.
fn children(pid: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let is_child = |id: &u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let command = fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let parent = stat
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.split(' ').nth(1));
        parent == Some(pid.to_string().as_str()) && command.contains("evaluate")
    };
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(is_child)
        .collect()
}
