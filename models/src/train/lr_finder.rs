//! The learning-rate finder: trains for about a hundred steps while the rate rises from far too low to far too high, and
//! suggests one from the losses (Smith 2017, arXiv:1506.01186, "LR range test"). Nothing of it is kept.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::class_weights::class_weights;
use super::compute_config::ComputeConfig;
use super::learner::Learner;
use super::loader::{DataLoader, LoaderConfig};
use crate::data::{self, Library};
use crate::error::Result;
use crate::graph::{Criterion, Graph};
use crate::networks::Model;
use crate::spec::RunSpec;

/// The first and the last rate.
const RATES: [f64; 2] = [1e-6, 10.0];

/// The most steps, and the fewest for a network whose steps are slow.
const STEPS: [u64; 2] = [40, 100];

/// The time that slow steps should take together.
const BUDGET: Duration = Duration::from_secs(25);

/// After this time no further step is begun.
const LIMIT: Duration = Duration::from_secs(60);

/// The averaged loss diverges when it is this many times its least value.
const DIVERGED: f64 = 4.0;

/// The fewest losses of a valley, and how far it must fall, as a share of its first loss.
const LEAST_VALLEY: usize = 6;
const LEAST_FALL: f64 = 0.01;

/// A step of the learning-rate finder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LrFinderStep {
    /// Its number, from 1.
    #[schema(minimum = 1)]
    pub step: u64,
    /// The number of steps if none is left out.
    pub steps: u64,
    /// The learning rate.
    pub lr: f64,
    /// The loss, averaged over the steps so far: an exponential moving average without the bias of its start.
    pub loss: f64,
}

/// The result of the learning-rate finder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LrSuggestion {
    /// The suggested learning rate, with two digits; `null` if the losses suggest none.
    pub lr: Option<f64>,
    /// What the result means, as sentences.
    pub note: String,
}

/// Finds a learning rate for a run, whose data the library must have. The run's own rate and its schedule do not matter;
/// everything else is as in the run. `on_step` is told of every step.
///
/// The rate rises by the same factor at each step. The search ends early when the loss diverges, and after a minute in
/// any case.
///
/// # Errors
/// When the data cannot be read, the network cannot be built, or threads cannot be started.
pub fn find_lr(
    spec: &RunSpec,
    graph: Graph,
    library: &Library,
    on_step: &mut dyn FnMut(&LrFinderStep),
) -> Result<LrSuggestion> {
    ComputeConfig::configure(spec, None)?;
    let data = data::load(&spec.data, library)?;
    let criterion = graph.criterion;
    let model = Model::of_graph(graph, spec.training.seed)?;
    let mut learner = Learner::of_run(model, &spec.training)
        .with_class_weights(class_weights(&spec.training, &data));
    let config = LoaderConfig {
        epochs: u64::MAX,
        ..LoaderConfig::of_run(&data, &spec.training)
    };
    let mut loader = DataLoader::new(config, 0, 0)?;
    let [fewest, mut steps] = STEPS;
    let began = Instant::now();
    let mut curve: Vec<LrFinderStep> = Vec::new();
    // The sum of the losses, each weighing less at every step, and that of the weights.
    let (mut sum, mut weight, mut least) = (0.0, 0.0, f64::INFINITY);
    let mut note = "";
    for step in 1..=STEPS[1] {
        if step > steps {
            break;
        }
        let lr = rate(step, steps);
        let mut batch = loader.next()?;
        let samples = batch.targets.len();
        let x = learner.batch(std::mem::take(&mut batch.values), samples)?;
        let loss = learner.step(&x, batch.targets(), lr, step)?.mean;
        // For a hundred steps 0.98, as in fastai.
        let stays = 1.0 - 2.0 / steps as f64;
        sum = stays * sum + loss;
        weight = stays * weight + 1.0;
        let unbiased = sum / weight;
        if !unbiased.is_finite() {
            break;
        }
        if step == 1 {
            // The first step also allocates memory, so the time of the others is less.
            let fit = BUDGET.as_secs_f64() / began.elapsed().as_secs_f64().max(1e-9);
            steps = (fit as u64).clamp(fewest, steps);
        }
        let told = LrFinderStep {
            step,
            steps,
            lr,
            loss: unbiased,
        };
        on_step(&told);
        curve.push(told);
        least = unbiased.min(least);
        // The perceptron's loss is proportional to the rate.
        if criterion == Criterion::CrossEntropy && unbiased > DIVERGED * least {
            break;
        }
        if began.elapsed() > LIMIT {
            note = " A minute was over before all rates were tried.";
            break;
        }
    }
    Ok(suggestion(&curve, steps, criterion, note))
}

/// The rate of a step.
fn rate(step: u64, steps: u64) -> f64 {
    let [first, last] = RATES;
    let share = (step - 1) as f64 / (steps - 1).max(1) as f64;
    first * (last / first).powf(share)
}

fn suggestion(
    curve: &[LrFinderStep],
    steps: u64,
    criterion: Criterion,
    note: &str,
) -> LrSuggestion {
    let none = |why: &str| LrSuggestion {
        lr: None,
        note: format!("{why}{note}"),
    };
    if criterion == Criterion::Perceptron {
        return none(
            "The perceptron's weights and its loss are proportional to the learning rate, so that every rate learns the same.",
        );
    }
    // The first losses are of rates that change nothing, the last are those of the divergence.
    let from = steps as usize / 10;
    let end = curve.len().saturating_sub(5);
    let losses: Vec<f64> = curve.iter().map(|step| step.loss).collect();
    match valley(losses.get(from..end).unwrap_or_default()) {
        Some(index) => LrSuggestion {
            lr: Some(two_digits(curve[from + index].lr)),
            note: format!("The middle of the longest fall of the loss (fastai's “valley”).{note}"),
        },
        None => none("The loss falls at none of the rates."),
    }
}

/// The place in the middle of the longest falling subsequence of the losses: fastai's `valley`. `None` if the losses do
/// not fall.
fn valley(losses: &[f64]) -> Option<usize> {
    // lengths[i]: the length of the longest falling subsequence that ends at i.
    let mut lengths = vec![1usize; losses.len()];
    let mut end = 0;
    for i in 1..losses.len() {
        for j in 0..i {
            if losses[i] < losses[j] {
                lengths[i] = lengths[i].max(lengths[j] + 1);
            }
        }
        if lengths[i] > lengths[end] {
            end = i;
        }
    }
    let length = *lengths.get(end)?;
    let start = (end + 1).saturating_sub(length);
    let falls = losses[end] < losses[start] * (1.0 - LEAST_FALL);
    (length >= LEAST_VALLEY && falls).then(|| {
        // A third and a sixth of the length, from where a fall without gaps would have begun.
        (end + length / 3 + length / 6).saturating_sub(length)
    })
}

/// A number rounded to two significant digits.
fn two_digits(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::form::check;

    /// Curves and places from `tests/golden/recipe.py`.
    #[test]
    fn the_suggestion_is_where_fastais_valley_is() {
        let golden: Value =
            serde_json::from_str(include_str!("../../tests/golden/recipe.json")).unwrap();
        let cases = golden["valley"].as_array().unwrap();
        assert_eq!(cases.len(), 12);
        for case in cases {
            let losses = case["losses"].as_array().unwrap().iter();
            let losses: Vec<f64> = losses.map(|loss| loss.as_f64().unwrap()).collect();
            let index = case["index"].as_u64().unwrap() as usize;
            assert_eq!(valley(&losses), Some(index));
        }
    }

    #[test]
    fn losses_that_do_not_fall_suggest_nothing() {
        let rising: Vec<f64> = (0..50).map(f64::from).collect();
        let hardly: Vec<f64> = (0..50).map(|i| 2.0 - 1e-5 * f64::from(i)).collect();
        for losses in [&[][..], &[1.0], &[1.0; 50], &rising, &hardly] {
            assert_eq!(valley(losses), None, "{losses:?}");
        }
    }

    #[test]
    fn rates_rise_by_one_factor_from_the_first_to_the_last() {
        for steps in STEPS {
            assert!((rate(1, steps) / RATES[0] - 1.0).abs() < 1e-12);
            assert!((rate(steps, steps) / RATES[1] - 1.0).abs() < 1e-12);
            let factor = rate(2, steps) / rate(1, steps);
            assert!((rate(8, steps) / rate(7, steps) / factor - 1.0).abs() < 1e-9);
        }
        assert_eq!([0.012_345, 9.96, 1e-6].map(two_digits), [0.012, 10.0, 1e-6]);
    }

    fn found(document: &Value) -> (Vec<LrFinderStep>, LrSuggestion) {
        let library = Library::none();
        let spec = check(document, &library).unwrap();
        let (input, classes) = data::shape(&spec.data, &library).unwrap();
        let graph = spec.network.graph(&input, classes).unwrap();
        let mut steps = Vec::new();
        let found = find_lr(&spec, graph, &library, &mut |step| steps.push(step.clone()));
        (steps, found.unwrap())
    }

    #[test]
    fn a_network_gets_a_rate_that_is_worth_trying() {
        for optimizer in ["sgd", "adamw"] {
            let (steps, found) = found(&json!({
                "data": {"set": "digits"}, "network": {"kind": "mlp"},
                "training": {"threads": 1, "optimizer": {"kind": optimizer}}
            }));
            let lr = found.lr.unwrap_or_else(|| panic!("{found:?}"));
            assert!((1e-4..1.0).contains(&lr), "{optimizer}: {lr}");
            assert!(steps.len() > 40 && steps.windows(2).all(|two| two[0].lr < two[1].lr));
            assert!(steps.iter().all(|step| step.loss.is_finite()));
            let again = self::found(&json!({
                "data": {"set": "digits"}, "network": {"kind": "mlp"},
                "training": {"threads": 1, "optimizer": {"kind": optimizer, "lr": 0.5}}
            }));
            // The run's own rate does not matter.
            assert_eq!(again, (steps, found));
        }
    }

    #[test]
    fn a_perceptron_is_told_that_its_rate_does_not_matter() {
        let (steps, found) = found(&json!({
            "data": {"set": "moons"}, "network": {"kind": "perceptron"}, "training": {"threads": 1}
        }));
        assert_eq!(steps.len(), 100);
        assert_eq!(found.lr, None);
        assert!(
            found.note.contains("every rate learns the same"),
            "{found:?}"
        );
    }
}
