//! A run's lines unfolded into series, thinned to what a screen can show.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::Serialize;

use super::events;
use super::line::{self, Line};
use super::runs;
use crate::error::{Error, Result};
use crate::run_dir::RunId;

/// What can be drawn. Per step first, per epoch after.
pub const SERIES: [&str; 9] = [
    "train_loss",
    "train_accuracy",
    "lr",
    "samples",
    "time",
    "epoch_train_loss",
    "epoch_train_accuracy",
    "validation_loss",
    "validation_accuracy",
];

/// What it can be drawn over.
pub const AXES: [&str; 4] = ["step", "samples", "epoch", "time"];

/// The series of a run.
#[derive(Debug, Serialize)]
pub struct Metrics {
    /// The run.
    pub run: RunId,
    /// The last event that is in the series: the stream goes on after it.
    pub last_seq: u64,
    /// What `x` counts.
    pub x: String,
    /// By name.
    pub series: BTreeMap<String, Series>,
}

/// One curve.
#[derive(Debug, Default, Serialize)]
pub struct Series {
    /// Steps, samples, epochs (with fractions) or seconds.
    pub x: Vec<f64>,
    /// `null` where it is not finite.
    pub y: Vec<Option<f64>>,
    /// Points before thinning.
    pub total: usize,
    /// Where the value is not a number, or infinite.
    pub not_finite: Vec<NotFinite>,
}

/// A value that cannot be drawn.
#[derive(Debug, Serialize)]
pub struct NotFinite {
    /// Where.
    pub x: f64,
    /// `nan` or `inf`.
    pub kind: String,
}

/// Reads the named series of a run over the named axis, thinned to about `points` points each.
///
/// # Errors
/// [`Error::BadRequest`] when a name is unknown; it lists the known ones.
pub fn read(
    connection: &Connection,
    id: RunId,
    names: &[&str],
    x: &str,
    points: usize,
) -> Result<Metrics> {
    if let Some(unknown) = names.iter().find(|name| !SERIES.contains(name)) {
        return Err(Error::BadRequest(format!(
            "series: there is no series “{unknown}”; there are {}",
            SERIES.join(", ")
        )));
    }
    let axis = AXES.iter().position(|axis| *axis == x).ok_or_else(|| {
        Error::BadRequest(format!(
            "x: there is no axis “{x}”; there are {}",
            AXES.join(", ")
        ))
    })?;
    let run = runs::get(connection, id)?;
    let mut curves = Curves {
        wanted: SERIES.map(|name| names.contains(&name)),
        axis,
        series: Default::default(),
        batch_size: run
            .spec
            .pointer("/training/batch_size")
            .and_then(|v| v.as_u64())
            .unwrap_or(1),
        steps_per_epoch: 1,
        train_samples: 1,
        last: Point::default(),
    };
    let mut last_seq = 0;
    events::for_each(connection, id, |seq, body| {
        last_seq = seq;
        if let Some((_, line)) = line::parse(body) {
            curves.take(&line);
        }
        true
    })?;
    let series = SERIES
        .into_iter()
        .zip(curves.series)
        .filter(|(name, _)| names.contains(name))
        .map(|(name, series)| (name.to_owned(), thin(series, points)))
        .collect();
    Ok(Metrics {
        run: id,
        last_seq,
        x: x.to_owned(),
        series,
    })
}

/// Where in training a point lies, on each axis.
#[derive(Clone, Copy, Debug, Default)]
struct Point {
    step: u64,
    samples: u64,
    seconds: f64,
}

struct Curves {
    wanted: [bool; SERIES.len()],
    axis: usize,
    series: [Series; SERIES.len()],
    batch_size: u64,
    steps_per_epoch: u64,
    train_samples: u64,
    last: Point,
}

impl Curves {
    fn take(&mut self, line: &Line) {
        match line {
            Line::Started {
                steps_per_epoch,
                train_samples,
                ..
            } => {
                self.steps_per_epoch = steps_per_epoch.unwrap_or(1).max(1);
                self.train_samples = train_samples.unwrap_or(1);
            }
            Line::Steps(steps) => self.steps(steps),
            Line::Epoch(end) => {
                let at = Point {
                    step: end.step,
                    samples: end.epoch * self.train_samples,
                    seconds: end.elapsed,
                };
                let x = self.x(at);
                self.push(5, x, end.train.loss, None);
                self.push(6, x, end.train.accuracy, None);
                if let Some(score) = &end.validation {
                    self.push(7, x, score.loss, None);
                    self.push(8, x, score.accuracy, None);
                }
            }
            _ => {}
        }
    }

    fn steps(&mut self, steps: &line::Steps) {
        let count = steps.loss.len();
        let before = self.last;
        for i in 0..count {
            // Only the line's last step has a time; those before it are spread evenly.
            let share = (i + 1) as f64 / count as f64;
            let step = steps.first_step + i as u64;
            let at = Point {
                step,
                samples: self.samples_at(step),
                seconds: before.seconds + (steps.seconds - before.seconds) * share,
            };
            let x = self.x(at);
            let kind = steps.not_finite.as_deref();
            self.push(0, x, steps.loss[i], kind);
            self.push(1, x, steps.accuracy.get(i).copied().flatten(), None);
            self.push(2, x, steps.lr.get(i).copied().flatten(), None);
            self.push(3, x, Some(at.samples as f64), None);
            self.push(4, x, Some(at.seconds), None);
            self.last = at;
        }
    }

    /// Training samples seen after `step`: the last batch of an epoch may be short.
    fn samples_at(&self, step: u64) -> u64 {
        let before = step.saturating_sub(1) / self.steps_per_epoch;
        let within = step - before * self.steps_per_epoch;
        before * self.train_samples + self.train_samples.min(within * self.batch_size)
    }

    fn x(&self, at: Point) -> f64 {
        match self.axis {
            0 => at.step as f64,
            1 => at.samples as f64,
            2 => at.step as f64 / self.steps_per_epoch as f64,
            _ => at.seconds,
        }
    }

    fn push(&mut self, which: usize, x: f64, y: Option<f64>, not_finite: Option<&str>) {
        if !self.wanted[which] {
            return;
        }
        let series = &mut self.series[which];
        series.x.push(x);
        series.y.push(y);
        series.total += 1;
        if y.is_none() {
            let kind = not_finite.unwrap_or("nan").to_owned();
            series.not_finite.push(NotFinite { x, kind });
        }
    }
}

/// Keeps the smallest and the largest value of each of `points / 2` equal stretches, in order,
/// and every gap, so that no spike and no hole is lost.
fn thin(series: Series, points: usize) -> Series {
    let total = series.x.len();
    let stretches = (points / 2).max(1);
    if total <= stretches * 2 {
        return series;
    }
    let mut thinned = Series {
        total,
        not_finite: series.not_finite,
        ..Series::default()
    };
    let mut keep = Vec::new();
    for stretch in 0..stretches {
        let range = stretch * total / stretches..(stretch + 1) * total / stretches;
        let finite = || range.clone().filter_map(|i| Some((i, series.y[i]?)));
        let low = finite().min_by(|a, b| a.1.total_cmp(&b.1));
        let high = finite().max_by(|a, b| a.1.total_cmp(&b.1));
        let gap = range.clone().find(|&i| series.y[i].is_none());
        keep.clear();
        keep.extend(
            low.map(|(i, _)| i)
                .into_iter()
                .chain(high.map(|(i, _)| i))
                .chain(gap),
        );
        keep.sort_unstable();
        keep.dedup();
        for &i in &keep {
            thinned.x.push(series.x[i]);
            thinned.y.push(series.y[i]);
        }
    }
    thinned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(y: Vec<Option<f64>>) -> Series {
        Series {
            x: (0..y.len()).map(|i| i as f64).collect(),
            total: y.len(),
            y,
            not_finite: Vec::new(),
        }
    }

    #[test]
    fn thinning_keeps_every_extreme_and_every_gap() {
        let mut y: Vec<_> = (0..100_000)
            .map(|i| Some((i as f64 * 0.01).sin()))
            .collect();
        y[31_415] = Some(99.0);
        y[27_182] = Some(-99.0);
        y[50_000] = None;
        let thinned = thin(series(y), 1000);
        assert!(thinned.x.len() <= 1001);
        assert!(thinned.x.is_sorted());
        assert_eq!(thinned.total, 100_000);
        for (x, y) in [
            (31_415.0, Some(99.0)),
            (27_182.0, Some(-99.0)),
            (50_000.0, None),
        ] {
            let at = thinned
                .x
                .iter()
                .position(|&v| v == x)
                .expect("the extreme is kept");
            assert_eq!(thinned.y[at], y);
        }
    }

    #[test]
    fn few_points_stay_as_they_are() {
        let thinned = thin(series(vec![Some(1.0), None, Some(2.0)]), 1000);
        assert_eq!(thinned.y, [Some(1.0), None, Some(2.0)]);
    }

    #[test]
    fn the_short_last_batch_of_an_epoch_counts_what_it_holds() {
        let curves = Curves {
            wanted: [true; SERIES.len()],
            axis: 1,
            series: Default::default(),
            batch_size: 4,
            steps_per_epoch: 3,
            train_samples: 10,
            last: Point::default(),
        };
        let samples: Vec<_> = (1..=6).map(|step| curves.samples_at(step)).collect();
        assert_eq!(samples, [4, 8, 10, 14, 18, 20]);
    }
}
