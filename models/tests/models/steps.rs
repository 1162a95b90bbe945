//! Schedules, label smoothing and clipping compared with PyTorch, by values from `golden/schedules.py` and
//! `golden/steps.py`.

use candle_core::{Device, Tensor, Var};
use serde_json::{Value, json};
use vivarium_models::contract::Reason;
use vivarium_models::data::Library;
use vivarium_models::ops::{Gradients, cross_entropy, smoothed_cross_entropy, threads};
use vivarium_models::spec::{RunSpec, ScheduleSpec};
use vivarium_models::train::{Learner, LrCurve, lr_at, prepare};

use crate::common::{run, small, spec};
use crate::golden::{Golden, close};

fn golden(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn numbers(json: &Value) -> Vec<f64> {
    let numbers = json.as_array().unwrap().iter();
    numbers.map(|number| number.as_f64().unwrap()).collect()
}

fn singles(json: &Value) -> Vec<f32> {
    numbers(json).into_iter().map(|n| n as f32).collect()
}

#[test]
fn every_schedule_gives_every_step_the_rate_that_pytorchs_gives() {
    let cases = golden(include_str!("../golden/schedules.json"));
    for case in cases.as_array().unwrap() {
        let schedule: ScheduleSpec = serde_json::from_value(case["schedule"].clone()).unwrap();
        let rates = numbers(&case["rates"]);
        let total = rates.len() as u64;
        let (base, per_epoch) = (
            case["base"].as_f64().unwrap(),
            case["steps_per_epoch"].as_u64().unwrap(),
        );
        for (step, expected) in (1..).zip(rates) {
            let got = lr_at(&schedule, base, per_epoch, total, step);
            // PyTorch multiplies from step to step, so its last digits differ.
            assert!(
                (got / expected - 1.0).abs() < 1e-9,
                "{schedule:?} step {step}: {got} instead of {expected}"
            );
        }
    }
}

#[test]
fn a_smoothed_loss_and_its_gradient_are_pytorchs() {
    let golden = &golden(include_str!("../golden/steps.json"))["smoothing"];
    let targets: Vec<u32> = numbers(&golden["truth"])
        .into_iter()
        .map(|class| class as u32)
        .collect();
    let scores = Var::from_vec(singles(&golden["scores"]), (6, 5), &Device::Cpu).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let smoothing = case["smoothing"].as_f64().unwrap();
        let loss = smoothed_cross_entropy(&scores, &targets, smoothing).unwrap();
        let expected = case["loss"].as_f64().unwrap();
        assert!(
            (loss.mean - expected).abs() < 1e-6 * expected,
            "{smoothing}: {} instead of {expected}",
            loss.mean
        );
        let gradient = loss.tensor.backward().unwrap().remove(&scores).unwrap();
        let gradient: Vec<f32> = gradient.flatten_all().unwrap().to_vec1().unwrap();
        close("gradient", &gradient, &singles(&case["gradient"]), 1e-7);
    }
    let plain = cross_entropy(&scores, &targets).unwrap().mean;
    let none = smoothed_cross_entropy(&scores, &targets, 0.0).unwrap().mean;
    assert!((plain - none).abs() < 1e-7);
}

#[test]
fn what_is_no_number_shows_in_a_smoothed_loss_too() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let scores = Tensor::new(&[[0.0, bad, 1.0]], &Device::Cpu).unwrap();
        for target in 0..3 {
            let loss = smoothed_cross_entropy(&scores, &[target], 0.1).unwrap();
            assert!(!loss.mean.is_finite(), "{bad} {target}: {}", loss.mean);
        }
    }
}

/// Parameters with given gradients.
fn with_gradients(gradients: &[Vec<f32>]) -> (Vec<Var>, Gradients) {
    let mut parameters = Vec::new();
    let mut kept = Gradients::default();
    for gradient in gradients {
        let parameter = Var::zeros(gradient.len(), candle_core::DType::F32, &Device::Cpu).unwrap();
        kept.set(&parameter, gradient.clone());
        parameters.push(parameter);
    }
    (parameters, kept)
}

#[test]
fn gradients_are_clipped_by_their_norm_together_as_pytorch_does() {
    let golden = &golden(include_str!("../golden/steps.json"))["clipping"];
    let given: Vec<_> = golden["gradients"]
        .as_array()
        .unwrap()
        .iter()
        .map(singles)
        .collect();
    for case in golden["cases"].as_array().unwrap() {
        let (parameters, mut gradients) = with_gradients(&given);
        let norm = gradients.clip(parameters.iter(), case["clip"].as_f64().unwrap());
        assert!((norm / case["norm"].as_f64().unwrap() - 1.0).abs() < 1e-6);
        for (parameter, expected) in parameters.iter().zip(case["gradients"].as_array().unwrap()) {
            close(
                "gradient",
                gradients.of(parameter).unwrap(),
                &singles(expected),
                1e-7,
            );
        }
    }
}

#[test]
fn the_norm_of_a_long_gradient_does_not_depend_on_the_number_of_threads() {
    let long: Vec<f32> = (0..400_003).map(|i| (i as f32 * 0.37).sin()).collect();
    let exact = long.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
    let _alone = crate::common::THREADS.write().unwrap();
    let before = threads::threads();
    let norms = [1, 2, 3].map(|count| {
        threads::set_threads(count).unwrap();
        let (parameters, mut gradients) = with_gradients(std::slice::from_ref(&long));
        let norm = gradients.clip(parameters.iter(), 1.0);
        let clipped = gradients.of(&parameters[0]).unwrap().to_vec();
        let again = gradients.clip(parameters.iter(), 1.0);
        assert!((again - 1.0).abs() < 1e-6, "{again}");
        (norm, clipped)
    });
    threads::set_threads(before).unwrap();
    assert!(norms[0] == norms[1] && norms[1] == norms[2]);
    assert!((norms[0].0 / exact.sqrt() - 1.0).abs() < 1e-12);
}

/// The run of `golden/steps.py`, without its loop.
fn golden_run() -> RunSpec {
    let mut document = small();
    document["training"] = json!({
        "optimizer": {"kind": "sgd", "lr": 0.2, "momentum": 0.9, "weight_decay": 5e-4, "nesterov": true},
        "schedule": {"kind": "one_cycle"}, "label_smoothing": 0.1, "clip": 0.7
    });
    spec(document)
}

#[test]
fn twenty_steps_with_schedule_smoothing_and_clipping_are_pytorchs() {
    let expected = &golden(include_str!("../golden/steps.json"))["run"];
    let start = Golden::read("relu", false);
    let training = golden_run().training;
    let mut learner = Learner::of_run(start.model("relu", false), &training);
    let x: Vec<f32> = start.floats("x").iter().map(|value| value * 2.0).collect();
    let x = learner.batch(x, 16).unwrap();
    let losses: Vec<f32> = (1..=20)
        .map(|step| {
            let moved = u32::from(step > 10);
            let targets: Vec<_> = start.classes().iter().map(|c| (c + moved) % 5).collect();
            let lr = lr_at(&training.schedule, training.optimizer.lr(), 4, 20, step);
            learner.step(&x, &targets, lr, step).unwrap().mean as f32
        })
        .collect();
    close("losses", &losses, &singles(&expected["losses"]), 1e-5);
}

#[test]
fn a_run_tells_the_rate_that_its_schedule_gives() {
    let mut document = small();
    document["training"]["schedule"] = json!({"kind": "cosine", "warmup_epochs": 0.4});
    let spec = spec(document);
    let folder = tempfile::tempdir().unwrap();
    let (reason, recorder) = run(&spec, folder.path(), None);
    assert_eq!(reason, Reason::Completed);
    let told: Vec<_> = recorder.steps().iter().map(|step| step.lr).collect();
    let curve = LrCurve::of(&spec, &prepare(&spec, &Library::none()).unwrap(), 100);
    assert_eq!(curve.steps, (1..=15).collect::<Vec<_>>());
    assert_eq!(told, curve.lr);
    assert!(told[0] < told[2] && told[14] < told[3]);
}

#[test]
fn a_long_runs_curve_has_its_ends_its_peak_and_hardly_more_points_than_asked_for() {
    let spec = spec(json!({
        "data": {"set": "digits"}, "network": {"kind": "mlp"},
        "training": {"epochs": 100_000, "schedule": {"kind": "one_cycle"}}
    }));
    let plan = prepare(&spec, &Library::none()).unwrap();
    let curve = LrCurve::of(&spec, &plan, 100);
    assert!((100..=103).contains(&curve.steps.len()));
    assert_eq!(curve.steps.len(), curve.lr.len());
    assert_eq!(
        (curve.steps[0], curve.steps.last()),
        (1, Some(&plan.total_steps))
    );
    assert!(curve.steps.windows(2).all(|pair| pair[0] < pair[1]));
    assert!((curve.lr[0] * 25.0 / 0.01 - 1.0).abs() < 1e-12);
    let peak = curve.lr.iter().copied().fold(0.0, f64::max);
    assert!((peak / 0.01 - 1.0).abs() < 1e-9, "{peak}");
}

#[test]
fn a_curve_falls_from_one_step_to_the_next_where_the_rate_does() {
    let spec = spec(json!({
        "data": {"set": "digits"}, "network": {"kind": "mlp"},
        "training": {"epochs": 400, "schedule": {"kind": "milestones", "milestones": [37, 230]}}
    }));
    let curve = LrCurve::of(&spec, &prepare(&spec, &Library::none()).unwrap(), 100);
    let mut falls = 0;
    for (steps, rates) in curve.steps.windows(2).zip(curve.lr.windows(2)) {
        if rates[0] != rates[1] {
            falls += 1;
            assert_eq!(steps[1], steps[0] + 1);
        }
    }
    assert_eq!(falls, 2);
}
