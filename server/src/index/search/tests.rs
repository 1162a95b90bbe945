//! Searches over three runs, and over an imported one.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Search;
use super::setting_names::{SettingNames, field_of};
use crate::error::{Error, Result};
use crate::index::facts::{Facts, leaves, run_for_tests, text_of};

/// The settings of some runs.
struct SpecSettings(Vec<Value>);

impl SettingNames for SpecSettings {
    fn has(&mut self, name: &str) -> Result<bool> {
        Ok(self.all()?.iter().any(|known| known == name))
    }

    fn all(&mut self) -> Result<Vec<String>> {
        let mut names = BTreeSet::new();
        for spec in &self.0 {
            leaves(spec, &mut |path, _| {
                names.insert(field_of(path));
            });
        }
        Ok(names.into_iter().collect())
    }
}

fn spec(name: &str, network: &Value, training: &Value) -> Value {
    let mut spec = json!({
        "name": name,
        "data": {"set": "digits"},
        "network": {"kind": "mlp", "activation": "relu"},
        "training": {"batch_size": 32, "optimizer": {"kind": "sgd", "lr": 0.01}},
    });
    for (part, more) in [("network", network), ("training", training)] {
        for (key, value) in more.as_object().unwrap() {
            spec[part][key] = value.clone();
        }
    }
    spec
}

fn runs() -> Vec<Facts> {
    let figures = |accuracy: Value, seconds: u64| {
        json!({
            "best_validation_accuracy": accuracy, "validation_loss": 0.2, "parameters": 17_226,
            "seconds": seconds, "peak_memory_bytes": 30 << 20,
        })
    };
    let large = json!({"kind": "vgg16", "head": "compact"});
    let other = json!({"batch_size": 128, "optimizer": {"kind": "adamw", "lr": 0.001}});
    let mut apple = run_for_tests(
        &spec("apple", &json!({}), &json!({})),
        &figures(json!(0.95), 90),
    );
    apple.tags = vec!["final".to_owned(), "course two".to_owned()];
    let mut banana = run_for_tests(&spec("banana", &large, &other), &figures(json!(0.8), 700));
    banana.status = crate::index::runs::Status::Failed;
    let mut cherry = run_for_tests(
        &spec("cherry pie", &json!({}), &json!({})),
        &figures(Value::Null, 90),
    );
    cherry.notes = "tastes good".to_owned();
    vec![apple, banana, cherry]
}

fn read(text: &str) -> Result<Search> {
    let mut settings = SpecSettings(runs().iter().map(|run| run.spec().clone()).collect());
    Search::read_with(text, &mut settings)
}

fn found(text: &str) -> Vec<String> {
    let search = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let runs = runs().into_iter();
    runs.filter(|run| search.matches(run))
        .map(|run| run.name)
        .collect()
}

fn faults(text: &str) -> Vec<(String, String)> {
    match read(text) {
        Err(Error::Fields(faults)) => faults
            .into_iter()
            .map(|fault| (text_of(&fault.value), fault.message))
            .collect(),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn terms_are_combined_by_and_and_a_word_alone_searches_everywhere() {
    assert_eq!(found(""), ["apple", "banana", "cherry pie"]);
    assert_eq!(found("an"), ["banana"]);
    assert_eq!(found("mlp p"), ["apple", "cherry pie"]);
    assert_eq!(found("\"cherry pie\""), ["cherry pie"]);
    assert_eq!(found("tastes"), ["cherry pie"]);
    assert!(found("<script> x").is_empty());
    assert_eq!(found("CHERRY"), ["cherry pie"]);
}

#[test]
fn fields_are_matched_by_text_by_value_and_by_comparison() {
    for (text, expected) in [
        ("network:vgg", &["banana"][..]),
        ("network=vgg", &[]),
        ("tag:final", &["apple"]),
        ("tag:\"course two\"", &["apple"]),
        ("status:failed", &["banana"]),
        ("accuracy>0.9", &["apple"]),
        ("accuracy>90% network:mlp", &["apple"]),
        ("accuracy>=80", &["apple", "banana"]),
        ("lr<=0.005", &["banana"]),
        ("lr=1e-3", &["banana"]),
        ("batch_size=32", &["apple", "cherry pie"]),
        ("batch_size!=32", &["banana"]),
        ("head:compact", &["banana"]),
        (
            "parameters<20k seconds<2min memory>20MiB",
            &["apple", "cherry pie"],
        ),
        ("-network:mlp", &["banana"]),
        ("optimizer:adamw", &["banana"]),
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn imported_runs_are_found_by_their_source_and_their_hyperparameters() {
    let theirs = json!({"name": "theirs", "source": {"kind": "tensorboard"}, "hparams": {"lr": 2}});
    let runs = [
        run_for_tests(&spec("mine", &json!({}), &json!({})), &json!({})),
        run_for_tests(&theirs, &json!({})),
    ];
    let mut settings = SpecSettings(runs.iter().map(|run| run.spec().clone()).collect());
    for (text, expected) in [
        ("source:tensorboard", "theirs"),
        ("source:vivarium", "mine"),
        ("tensorboard", "theirs"),
        ("lr>1", "theirs"),
        ("network:mlp", "mine"),
    ] {
        let search = Search::read_with(text, &mut settings).unwrap();
        let found: Vec<_> = runs.iter().filter(|run| search.matches(run)).collect();
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(found[0].name, expected, "{text}");
    }
    assert_eq!(runs[1].sort_value("network"), None);
}

#[test]
fn a_missing_value_matches_no_comparison() {
    assert!(found("name:cherry accuracy<1").is_empty());
    assert!(found("name:cherry accuracy>0").is_empty());
}

#[test]
fn a_percentage_with_its_unit_is_read_literally() {
    assert_eq!(found("accuracy<150%"), ["apple", "banana"]);
}

#[test]
fn every_term_that_is_not_understood_is_told_with_what_there_is() {
    let faults = faults("mlp netwrk:mlp accuracy>much status>3 lr:");
    let terms: Vec<_> = faults.iter().map(|(term, _)| term.as_str()).collect();
    assert_eq!(terms, ["netwrk:mlp", "accuracy>much", "status>3", "lr:"]);
    assert!(faults[0].1.contains("no field “netwrk”"), "{faults:?}");
    assert!(faults[0].1.contains("name"), "{faults:?}");
    assert!(faults[1].1.contains("“much” is not a number"));
    assert!(faults[2].1.contains("is text"));
    assert!(faults[3].1.contains("needs a value"));
}

#[test]
fn properties_of_every_object_are_not_fields() {
    for name in ["constructor", "__proto__", "valueOf"] {
        assert!(
            faults(&format!("{name}:x"))[0].1.contains("no field"),
            "{name}"
        );
    }
}
