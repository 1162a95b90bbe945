//! Learning rate schedules. The rate depends only on the schedule, the plan and the number of the step, so checkpoints
//! need no state for it. The formulas are PyTorch's, with a scheduler step per training step.

use std::f64::consts::PI;

use serde::Serialize;
use utoipa::ToSchema;

use super::plan::Plan;
use crate::spec::{RunSpec, ScheduleSpec};

/// The learning rate of a step, from 1.
///
/// With `W` steps of warm-up, step `s` has the learning rate times `s / (W + 1)`: PyTorch's `LinearLR` with
/// `start_factor=1/(W+1), total_iters=W`. A cosine follows the warm-up, over the remaining steps (`SequentialLR`,
/// `CosineAnnealingLR`); epochs of `step` and `milestones` are counted from the start of the run (`ChainedScheduler`,
/// `StepLR`, `MultiStepLR`). `one_cycle` is `OneCycleLR` with `anneal_strategy="cos"` and `cycle_momentum=False`, whose
/// first phase is a warm-up already.
pub fn lr_at(
    schedule: &ScheduleSpec,
    base: f64,
    steps_per_epoch: u64,
    total_steps: u64,
    step: u64,
) -> f64 {
    let before = step.saturating_sub(1);
    let epoch = before / steps_per_epoch.max(1);
    let warm = |warmup_epochs: f64| {
        let steps = warmup_steps(warmup_epochs, steps_per_epoch);
        if before < steps {
            step as f64 / (steps + 1) as f64
        } else {
            1.0
        }
    };
    match schedule {
        ScheduleSpec::Constant { warmup_epochs } => base * warm(*warmup_epochs),
        ScheduleSpec::Step {
            every_epochs,
            gamma,
            warmup_epochs,
        } => base * decay(*gamma, epoch / (*every_epochs).max(1)) * warm(*warmup_epochs),
        ScheduleSpec::Milestones {
            milestones,
            gamma,
            warmup_epochs,
        } => {
            let passed = milestones.iter().filter(|at| **at <= epoch).count();
            base * decay(*gamma, passed as u64) * warm(*warmup_epochs)
        }
        ScheduleSpec::Cosine {
            min_lr,
            warmup_epochs,
        } => {
            let steps = warmup_steps(*warmup_epochs, steps_per_epoch);
            if before < steps {
                return base * warm(*warmup_epochs);
            }
            let length = total_steps.saturating_sub(steps).max(1) as f64;
            cosine_interpolation(base, *min_lr, (before - steps) as f64 / length)
        }
        ScheduleSpec::OneCycle {
            pct_start,
            div_factor,
            final_div_factor,
        } => {
            let start = base / div_factor;
            let end = start / final_div_factor;
            let last = total_steps.saturating_sub(1) as f64;
            let peak = pct_start * total_steps as f64 - 1.0;
            let at = before as f64;
            if at <= peak {
                cosine_interpolation(start, base, share(at, peak))
            } else {
                cosine_interpolation(base, end, share(at - peak, last - peak))
            }
        }
    }
}

/// Points of the learning rate schedule, for a chart.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Schedule)]
pub struct LrCurve {
    /// Steps in ascending order, from 1 to the last.
    pub steps: Vec<u64>,
    /// The learning rate of each step.
    pub lr: Vec<f64>,
}

impl LrCurve {
    /// About `points` learning rates, evenly spaced, including the first and the last step; and the corners of the
    /// schedule, if they are few.
    pub fn of(spec: &RunSpec, plan: &Plan, points: u64) -> Self {
        let gaps = points.saturating_sub(1).max(1);
        let last = plan.total_steps.max(1);
        let place = |i: u64| 1 + (u128::from(last - 1) * u128::from(i) / u128::from(gaps)) as u64;
        let mut steps: Vec<_> = (0..=gaps).map(place).collect();
        let turns = turns(&spec.training.schedule, plan);
        if turns.len() as u64 <= points {
            steps.extend(turns.into_iter().filter(|step| (1..=last).contains(step)));
        }
        steps.sort_unstable();
        steps.dedup();
        let lr = |step: &u64| {
            lr_at(
                &spec.training.schedule,
                spec.training.optimizer.lr(),
                plan.steps_per_epoch,
                plan.total_steps,
                *step,
            )
        };
        let lr = steps.iter().map(lr).collect();
        Self { steps, lr }
    }
}

/// The steps at which the schedule has a corner.
fn turns(schedule: &ScheduleSpec, plan: &Plan) -> Vec<u64> {
    let per_epoch = plan.steps_per_epoch.max(1);
    let mut turns = vec![warmup_steps(schedule.warmup_epochs(), per_epoch) + 1];
    // The last step before a fall, and the first after it.
    let fall = |epoch: u64| [epoch * per_epoch, epoch * per_epoch + 1];
    match schedule {
        ScheduleSpec::Step { every_epochs, .. } => {
            let falls = plan.total_steps / per_epoch / (*every_epochs).max(1);
            turns.extend((1..=falls).flat_map(|n| fall(n * every_epochs)));
        }
        ScheduleSpec::Milestones { milestones, .. } => {
            turns.extend(milestones.iter().flat_map(|epoch| fall(*epoch)));
        }
        ScheduleSpec::OneCycle { pct_start, .. } => {
            let peak = pct_start * plan.total_steps as f64;
            turns.extend([peak.floor() as u64, peak.ceil() as u64]);
        }
        ScheduleSpec::Constant { .. } | ScheduleSpec::Cosine { .. } => {}
    }
    turns
}

fn warmup_steps(epochs: f64, steps_per_epoch: u64) -> u64 {
    (epochs * steps_per_epoch as f64).round() as u64
}

/// `gamma^times`.
fn decay(gamma: f64, times: u64) -> f64 {
    gamma.powi(i32::try_from(times).unwrap_or(i32::MAX))
}

/// Cosine interpolation between two rates; exact at both ends.
fn cosine_interpolation(from: f64, to: f64, share: f64) -> f64 {
    let left = (1.0 + (PI * share).cos()) / 2.0;
    from * left + to * (1.0 - left)
}

/// The share of an interval that is done; 1 for an empty interval.
fn share(done: f64, whole: f64) -> f64 {
    if whole > 0.0 { done / whole } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lr(schedule: &ScheduleSpec, total_steps: u64, step: u64) -> f64 {
        lr_at(schedule, 0.1, 10, total_steps, step)
    }

    #[test]
    fn warm_up_rises_to_the_rate_and_a_constant_stays_there() {
        let schedule = ScheduleSpec::Constant { warmup_epochs: 0.4 };
        let rates: Vec<_> = (1..=6).map(|step| lr(&schedule, 30, step)).collect();
        for (rate, share) in rates.iter().zip([0.2, 0.4, 0.6, 0.8, 1.0, 1.0]) {
            assert!((rate - 0.1 * share).abs() < 1e-15, "{rates:?}");
        }
        let cold = ScheduleSpec::Constant { warmup_epochs: 0.0 };
        assert_eq!(lr(&cold, 30, 1), 0.1);
    }

    #[test]
    fn runs_of_one_step_have_a_rate() {
        for schedule in [
            ScheduleSpec::Cosine {
                min_lr: 0.0,
                warmup_epochs: 0.0,
            },
            ScheduleSpec::Step {
                every_epochs: 1,
                gamma: 0.1,
                warmup_epochs: 0.0,
            },
        ] {
            assert_eq!(lr(&schedule, 1, 1), 0.1);
        }
        for pct_start in [0.0, 0.3, 0.5, 1.0] {
            let schedule = ScheduleSpec::OneCycle {
                pct_start,
                div_factor: 25.0,
                final_div_factor: 1e4,
            };
            for total in 1..=4 {
                assert!((1..=total).all(|step| {
                    let rate = lr(&schedule, total, step);
                    rate > 0.0 && rate <= 0.1
                }));
            }
        }
    }

    #[test]
    fn a_rate_that_fell_very_often_is_a_number_still() {
        let schedule = ScheduleSpec::Step {
            every_epochs: 1,
            gamma: 0.1,
            warmup_epochs: 0.0,
        };
        assert_eq!(lr(&schedule, 1_000_000, 1_000_000), 0.0);
    }
}
