//! The events of a run, and how well it learns.

use base64::Engine as _;
use serde_json::{Value, json};
use vivarium_models::bench::{BenchOptimizer, BenchOptions, bench, network};
use vivarium_models::contract::{Boundary, Event, Reason, Which};
use vivarium_models::data::Library;
use vivarium_models::train::prepare;

use crate::common::{Recorder, run, small, spec};

fn trained(document: Value) -> (Reason, Recorder) {
    let folder = tempfile::tempdir().unwrap();
    run(&spec(document), folder.path(), None)
}

fn boundaries(recorder: &Recorder) -> Vec<&Boundary> {
    recorder
        .events
        .iter()
        .filter_map(|e| {
            if let Event::Boundary(b) = e {
                Some(b)
            } else {
                None
            }
        })
        .collect()
}

fn test_accuracy(recorder: &Recorder) -> f64 {
    let mut accuracies = recorder.events.iter().filter_map(|e| {
        if let Event::Test(t) = e {
            Some(t.score.accuracy)
        } else {
            None
        }
    });
    accuracies.next().unwrap()
}

#[test]
fn the_multilayer_perceptron_reads_digits() {
    for seed in 0..5 {
        let (reason, recorder) = trained(json!({
            "data": {"set": "digits"}, "network": {"kind": "mlp"},
            "training": {"epochs": 30, "batch_size": 64, "seed": seed, "threads": 1,
                         "optimizer": {"kind": "sgd", "lr": 0.01, "momentum": 0.9}}
        }));
        assert_eq!(reason, Reason::Completed);
        let accuracy = test_accuracy(&recorder);
        assert!(accuracy >= 0.96, "seed {seed}: {accuracy}");
    }
}

#[test]
fn what_no_line_divides_a_hidden_layer_does() {
    for (set, network, optimizer) in [
        (
            "xor",
            json!({"kind": "mlp", "hidden": [16]}),
            json!({"kind": "adamw", "lr": 0.01}),
        ),
        (
            "moons",
            json!({"kind": "mlp", "hidden": [16], "activation": "tanh"}),
            json!({"kind": "adamw", "lr": 0.01}),
        ),
        (
            "circles",
            json!({"kind": "mlp", "hidden": [16], "activation": "silu"}),
            json!({"kind": "adamw", "lr": 0.01}),
        ),
        (
            "spiral",
            json!({"kind": "mlp", "hidden": [32, 32]}),
            json!({"kind": "adamw", "lr": 0.01}),
        ),
    ] {
        let (_, recorder) = trained(json!({
            "data": {"set": set}, "network": network,
            "training": {"epochs": 100, "batch_size": 16, "threads": 1, "optimizer": optimizer}
        }));
        assert!(
            test_accuracy(&recorder) >= 0.95,
            "{set}: {}",
            test_accuracy(&recorder)
        );
    }
}

#[test]
fn a_run_tells_its_steps_epochs_and_end_in_order() {
    let spec = spec(small());
    let plan = prepare(&spec, &Library::none()).unwrap();
    assert_eq!(
        (
            plan.train_samples,
            plan.validation_samples,
            plan.test_samples
        ),
        (38, 10, 12)
    );
    assert_eq!((plan.steps_per_epoch, plan.total_steps), (5, 15));
    let folder = tempfile::tempdir().unwrap();
    let (_, recorder) = run(&spec, folder.path(), None);

    let kind = |event: &Event| {
        serde_json::to_value(event).unwrap()["kind"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let kinds: Vec<_> = recorder.events.iter().map(kind).collect();
    let epoch = [
        "steps", "steps", "steps", "steps", "steps", "epoch", "boundary",
    ];
    let expected = [&["started", "boundary"][..], &epoch, &epoch, &epoch].concat();
    assert_eq!(kinds[..expected.len()], expected);
    let end: Vec<_> = kinds[expected.len()..]
        .iter()
        .filter(|kind| *kind != "checkpoint")
        .collect();
    assert_eq!(end, ["test", "finished"]);

    // Every sample once per epoch, in batches of 9 and a shorter last one.
    let mut seen = 0;
    for (i, step) in recorder.steps().iter().enumerate() {
        let size = if i % 5 == 4 { 2 } else { 9 };
        seen += size;
        assert_eq!(
            (step.step, step.epoch, step.samples_seen),
            (i as u64 + 1, i as u64 / 5 + 1, seen)
        );
        assert!(
            (step.accuracy * size as f64).fract() < 1e-9
                && step.lr == 0.001
                && step.images_per_s > 0.0
        );
    }
    assert!(
        recorder
            .steps()
            .windows(2)
            .all(|pair| pair[0].seconds <= pair[1].seconds)
    );

    // An epoch's training metrics are the means of its batches, weighted by their sizes.
    let ends = recorder.events.iter().filter_map(|e| {
        if let Event::Epoch(end) = e {
            Some(end)
        } else {
            None
        }
    });
    for (i, end) in ends.enumerate() {
        let steps = &recorder.steps()[i * 5..i * 5 + 5];
        let sizes = [9.0, 9.0, 9.0, 9.0, 2.0];
        let loss = steps
            .iter()
            .zip(sizes)
            .map(|(step, size)| step.loss * size)
            .sum::<f64>()
            / 38.0;
        assert!((end.train.loss - loss).abs() < 1e-12);
        assert_eq!((end.epoch, end.step), (i as u64 + 1, i as u64 * 5 + 5));
        assert!(end.validation.is_some() && end.seconds > 0.0 && end.elapsed >= end.seconds);
    }

    let test = recorder
        .events
        .iter()
        .find_map(|e| {
            if let Event::Test(t) = e {
                Some(t)
            } else {
                None
            }
        })
        .unwrap();
    assert_eq!(test.confusion.iter().flatten().sum::<u64>(), 12);
    let right = test.confusion[0][0] + test.confusion[1][1];
    assert_eq!(test.score.accuracy, right as f64 / 12.0);
    let whiches = |which| {
        recorder
            .events
            .iter()
            .any(|e| matches!(e, Event::Checkpoint { which: w, .. } if *w == which))
    };
    assert!(whiches(Which::Last) && whiches(Which::Best));
}

#[test]
fn epochs_see_the_samples_in_different_orders_and_seeds_too() {
    let losses = |seed| {
        let mut document = small();
        document["training"]["seed"] = json!(seed);
        let (_, recorder) = trained(document);
        recorder
            .steps()
            .iter()
            .map(|step| step.loss)
            .collect::<Vec<_>>()
    };
    assert_eq!(losses(1), losses(1));
    assert_ne!(losses(1), losses(2));
}

#[test]
fn a_loss_that_leaves_the_numbers_ends_the_run_at_its_step() {
    let (reason, recorder) = trained(json!({
        "data": {"set": "digits"}, "network": {"kind": "mlp"},
        "training": {"epochs": 50, "threads": 1, "optimizer": {"kind": "sgd", "lr": 100}}
    }));
    assert_eq!(reason, Reason::Diverged);
    let last = recorder.steps().last().copied().unwrap();
    assert!(!last.loss.is_finite(), "{last:?}");
    let finite = recorder
        .steps()
        .iter()
        .filter(|step| step.loss.is_finite())
        .count();
    assert_eq!(finite + 1, recorder.steps().len());
    let Some(Event::Finished { reason, message }) = recorder.events.last() else {
        panic!("no end is told")
    };
    assert_eq!(*reason, Reason::Diverged);
    assert!(
        message.contains(&format!("step {}", last.step)),
        "{message}"
    );
    assert!(!recorder.events.iter().any(|e| matches!(e, Event::Test(_))));
}

#[test]
fn early_stopping_ends_a_run_that_gets_no_better_and_tests_the_best_epoch() {
    for metric in ["validation_loss", "validation_accuracy"] {
        let folder = tempfile::tempdir().unwrap();
        let spec = spec(json!({
            "data": {"set": "moons", "noise": 1.0, "validation": 0.3}, "network": {"kind": "mlp", "hidden": [64]},
            "training": {"epochs": 500, "batch_size": 16, "threads": 1, "optimizer": {"kind": "adamw", "lr": 0.02},
                         "early_stopping": {"metric": metric, "patience": 4}}
        }));
        let (reason, recorder) = run(&spec, folder.path(), None);
        assert_eq!(reason, Reason::EarlyStopped);
        let scores: Vec<_> = recorder
            .events
            .iter()
            .filter_map(|e| {
                if let Event::Epoch(end) = e {
                    end.validation
                } else {
                    None
                }
            })
            .map(|score| {
                if metric == "validation_loss" {
                    -score.loss
                } else {
                    score.accuracy
                }
            })
            .collect();
        let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let first_best = scores.iter().position(|score| *score == best).unwrap();
        assert_eq!(scores.len(), first_best + 1 + 4, "{scores:?}");
        let Some(Event::Finished { message, .. }) = recorder.events.last() else {
            panic!("no end is told")
        };
        assert!(
            message.contains("4th in a row") && message.contains(&metric.replace('_', " ")),
            "{message}"
        );
        // Resuming changes nothing: the patience is still used up.
        let (reason, again) = run(&spec, folder.path(), None);
        assert_eq!((reason, again.steps().len()), (Reason::EarlyStopped, 0));
        assert_eq!(again.facts().last(), recorder.facts().last());
    }
}

#[test]
fn a_run_without_validation_has_no_validation_score() {
    let mut document = small();
    document["data"]["validation"] = json!(0);
    let (reason, recorder) = trained(document);
    assert_eq!(reason, Reason::Completed);
    assert!(
        recorder
            .events
            .iter()
            .all(|e| !matches!(e, Event::Epoch(end) if end.validation.is_some()))
    );
}

#[test]
fn the_boundary_covers_the_points_and_is_right_about_them() {
    for kind in ["perceptron", "mlp"] {
        let spec = spec(json!({
            "data": {"set": "blobs", "classes": 3}, "network": {"kind": kind}, "training": {"epochs": 3, "threads": 1}
        }));
        let folder = tempfile::tempdir().unwrap();
        let (_, recorder) = run(&spec, folder.path(), None);
        let all = boundaries(&recorder);
        assert_eq!(
            all.iter().map(|b| b.epoch).collect::<Vec<_>>(),
            [0, 1, 2, 3]
        );
        let last = all[3];
        let cells = base64::engine::general_purpose::STANDARD
            .decode(&last.cells)
            .unwrap();
        assert_eq!((last.columns, last.rows, cells.len()), (64, 64, 4096));
        let points = vivarium_models::data::points(&spec.data).unwrap().unwrap();
        let place =
            |v: f64, [low, high]: [f64; 2]| ((v - low) / (high - low) * 64.0).floor() as usize;
        let right = points.iter().filter(|p| {
            let cell = cells[place(p.y, last.y) * 64 + place(p.x, last.x)];
            usize::from(cell / 32) == p.class
        });
        let share = right.count() as f64 / points.len() as f64;
        assert!(share > 0.97, "{kind}: {share}");
        assert!(
            cells.iter().any(|cell| cell % 32 == 31) && cells.iter().any(|cell| cell % 32 < 8),
            "{kind}"
        );
    }
}

#[test]
fn images_have_no_boundary() {
    let (_, recorder) = trained(json!({
        "data": {"set": "digits", "limit": 64}, "network": {"kind": "perceptron"}, "training": {"epochs": 1, "threads": 1}
    }));
    assert!(boundaries(&recorder).is_empty());
}

#[test]
fn the_benchmark_gives_the_line_of_the_contract() {
    let network = network(&json!({"kind": "mlp", "norm": true})).unwrap();
    let options = BenchOptions {
        network,
        batch: 8,
        size: 8,
        channels: 1,
        optimizer: BenchOptimizer::AdamW,
        steps: 4,
        threads: 1,
    };
    let line = serde_json::to_value(bench(&options).unwrap()).unwrap();
    let keys: Vec<_> = line.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "net",
            "batch",
            "size",
            "opt",
            "threads",
            "step_ms",
            "images_per_s",
            "peak_rss_mib"
        ]
    );
    assert_eq!(
        (&line["net"], &line["opt"]),
        (&json!("mlp"), &json!("adamw"))
    );
    assert!(line["step_ms"].as_f64().unwrap() > 0.0);
    assert!(
        bench(&BenchOptions {
            steps: 0,
            ..options
        })
        .is_err()
    );
}

#[test]
fn the_benchmark_refuses_what_a_network_does_not_take() {
    let paths = |document: Value| {
        network(&document)
            .unwrap_err()
            .into_iter()
            .map(|e| e.path)
            .collect::<Vec<_>>()
    };
    assert_eq!(paths(json!({"kind": "vgg"})), ["network.kind"]);
    assert_eq!(
        paths(json!({"kind": "mlp", "hidden": [0], "head": 1})),
        ["network.hidden.0", "network.head"]
    );
    assert_eq!(paths(json!("mlp")), ["network"]);
}
