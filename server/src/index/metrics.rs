//! A run's curves as they are asked for: which, over what, between where and where, how smooth,
//! thinned to what a screen can show.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::Serialize;

use super::curves::{self, Curves, End, Kind, Points};
use super::runs;
use super::smooth::smooth;
use super::thin::thin;
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

/// Those of them that are smoothed when that is asked for: one noisy value for each step.
const NOISY: [&str; 2] = ["train_loss", "train_accuracy"];

/// What it can be drawn over.
pub const AXES: [&str; 4] = ["step", "samples", "epoch", "time"];

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Names of [`SERIES`].
    pub series: Vec<String>,
    /// One of [`AXES`].
    pub x: String,
    /// About how many points of each series.
    pub points: usize,
    /// Only what lies between these positions, and the next point on either side.
    pub from: Option<f64>,
    /// See `from`.
    pub to: Option<f64>,
    /// The weight of a moving average over all points, 0 to below 1, to go with the values.
    pub smooth: Option<f64>,
}

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
    /// Points between `from` and `to` before thinning.
    pub total: usize,
    /// Where the value is not a number, or infinite, in the whole run.
    pub not_finite: Vec<NotFinite>,
    /// The moving average, thinned for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smoothed: Option<Line>,
}

/// Points to draw a line through.
#[derive(Debug, Default, Serialize)]
pub struct Line {
    /// As in [`Series`].
    pub x: Vec<f64>,
    /// As in [`Series`].
    pub y: Vec<Option<f64>>,
}

/// A value that cannot be drawn.
#[derive(Debug, Serialize)]
pub struct NotFinite {
    /// Where.
    pub x: f64,
    /// `nan` or `inf`.
    pub kind: &'static str,
}

impl Wanted {
    /// # Errors
    /// [`Error::BadRequest`] when a name is unknown; it lists the known ones.
    pub fn check(&self) -> Result<()> {
        let unknown = |name: &&String| !SERIES.contains(&name.as_str());
        if let Some(name) = self.series.iter().find(unknown) {
            return Err(Error::BadRequest(format!(
                "series: there is no series “{name}”; there are {}",
                SERIES.join(", ")
            )));
        }
        if !AXES.contains(&self.x.as_str()) {
            return Err(Error::BadRequest(format!(
                "x: there is no axis “{}”; there are {}",
                self.x,
                AXES.join(", ")
            )));
        }
        if let Some(weight) = self.smooth.filter(|weight| !(0.0..1.0).contains(weight)) {
            return Err(Error::BadRequest(format!(
                "smooth: {weight} must be at least 0 and below 1"
            )));
        }
        Ok(())
    }
}

/// Reads what is asked for of a run.
///
/// # Errors
/// [`Error::NotFound`] when there is no such run.
pub fn read(connection: &Connection, id: RunId, wanted: &Wanted) -> Result<Metrics> {
    let run = runs::get(connection, id)?;
    let curves = curves::read(connection, runs::key(connection, id)?, run.seq)?;
    let batch_size = run
        .spec
        .pointer("/training/batch_size")
        .and_then(serde_json::Value::as_u64)
        .unwrap_or(1);
    let reader = Reader {
        wanted,
        curves: &curves,
        batch_size,
    };
    let series = wanted.series.iter();
    Ok(Metrics {
        run: id,
        last_seq: run.seq,
        x: wanted.x.clone(),
        series: series
            .map(|name| (name.clone(), reader.series(name)))
            .collect(),
    })
}

/// To seven digits.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10f64.powi(6 - value.abs().log10().floor() as i32);
    let short = (value * scale).round() / scale;
    if short.is_finite() { short } else { value }
}

/// The seconds of every step that some curve has.
fn clock_of<'a>(curves: impl Iterator<Item = &'a Points>) -> Points {
    let moments = curves.flat_map(|points| {
        points
            .step
            .iter()
            .copied()
            .zip(points.seconds.iter().copied())
    });
    let mut known: Vec<_> = moments.collect();
    known.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    known.dedup_by_key(|&mut (step, _)| step);
    let mut clock = Points::default();
    for (step, seconds) in known {
        let before = clock.seconds.last().copied().unwrap_or(0.0);
        clock.step.push(step);
        clock.seconds.push(seconds.max(before));
    }
    clock.value.clone_from(&clock.seconds);
    clock
}

struct Reader<'a> {
    wanted: &'a Wanted,
    curves: &'a Curves,
    batch_size: u64,
}

impl Reader<'_> {
    fn series(&self, name: &str) -> Series {
        let curves = self.curves;
        if !curves.imported.is_empty() {
            return self.imported(name);
        }
        let own;
        let y = match name {
            "train_loss" => &curves.loss,
            "train_accuracy" => &curves.accuracy,
            "lr" => &curves.lr,
            "time" => &curves.seconds,
            "samples" => {
                own = curves.step.iter().map(|&step| self.samples(step)).collect();
                &own
            }
            _ => return self.per_epoch(name),
        };
        let not_finite = match name {
            "train_loss" => self.not_finite(),
            _ => Vec::new(),
        };
        let position = |i: usize| self.of_step(i);
        self.whole(name, y, not_finite, position)
    }

    /// A curve, thinned, with its moving average where that is asked for.
    fn whole(
        &self,
        name: &str,
        y: &[f64],
        not_finite: Vec<NotFinite>,
        position: impl Fn(usize) -> f64 + Copy,
    ) -> Series {
        let range = self.range(y.len(), position);
        let line = self.line(y, range.clone(), position);
        let weight = self.wanted.smooth.filter(|_| NOISY.contains(&name));
        let smoothed = weight.map(|weight| {
            let smoothed = smooth(y, weight);
            let mut line = self.line(&smoothed, range.clone(), position);
            // A mean has no more digits that count than what it is made of.
            for y in line.y.iter_mut().flatten() {
                *y = rounded(*y);
            }
            line
        });
        Series {
            x: line.x,
            y: line.y,
            total: range.len(),
            not_finite,
            smoothed,
        }
    }

    /// A curve that was imported. What it has no samples or epochs for lies at its steps.
    fn imported(&self, name: &str) -> Series {
        let clock;
        let points = match (name, self.curves.imported.get(name)) {
            (_, Some(points)) => points,
            ("time", None) => {
                clock = clock_of(self.curves.imported.values());
                &clock
            }
            _ => return Series::default(),
        };
        let position = |i: usize| match self.wanted.x.as_str() {
            "time" => points.seconds[i],
            _ => points.step[i] as f64,
        };
        let holes = points.not_finite.iter().filter_map(|&(step, kind)| {
            let i = points.step.binary_search(&step).ok()?;
            let (x, kind) = (position(i), kind.name());
            Some(NotFinite { x, kind })
        });
        self.whole(name, &points.value, holes.collect(), position)
    }

    fn per_epoch(&self, name: &str) -> Series {
        let value: fn(&End) -> Option<f64> = match name {
            "epoch_train_loss" => |end| Some(end.train_loss),
            "epoch_train_accuracy" => |end| Some(end.train_accuracy),
            "validation_loss" => |end| Some(end.validation?.0),
            _ => |end| Some(end.validation?.1),
        };
        let ends = self.curves.epochs.iter();
        let (x, y): (Vec<_>, Vec<_>) = ends
            .filter_map(|end| Some((self.of_epoch(end), value(end)?)))
            .unzip();
        let gaps = x.iter().zip(&y).filter(|(_, y)| y.is_nan());
        let kind = Kind::Nan.name();
        let not_finite = gaps.map(|(&x, _)| NotFinite { x, kind }).collect();
        let range = self.range(x.len(), |i| x[i]);
        let line = self.line(&y, range.clone(), |i| x[i]);
        Series {
            x: line.x,
            y: line.y,
            total: range.len(),
            not_finite,
            smoothed: None,
        }
    }

    /// What lies between the ends that are asked for, with one point more on either side, so that
    /// a line runs to the edge.
    fn range(&self, length: usize, position: impl Fn(usize) -> f64) -> std::ops::Range<usize> {
        let below = |bound: f64, inclusive: bool| {
            let (mut low, mut high) = (0, length);
            while low < high {
                let middle = usize::midpoint(low, high);
                let at = position(middle);
                if at < bound || (inclusive && at == bound) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            low
        };
        let start = self
            .wanted
            .from
            .map_or(0, |from| below(from, false).saturating_sub(1));
        let end = self
            .wanted
            .to
            .map_or(length, |to| (below(to, true) + 1).min(length));
        start.min(end)..end
    }

    fn line(
        &self,
        y: &[f64],
        range: std::ops::Range<usize>,
        position: impl Fn(usize) -> f64,
    ) -> Line {
        let start = range.start;
        let kept = thin(&y[range], self.wanted.points);
        Line {
            x: kept.iter().map(|i| position(start + i)).collect(),
            y: kept
                .iter()
                .map(|i| Some(y[start + i]).filter(|y| y.is_finite()))
                .collect(),
        }
    }

    fn not_finite(&self) -> Vec<NotFinite> {
        let found = self.curves.not_finite.iter();
        found
            .filter_map(|&(step, kind)| {
                let i = self.curves.step.binary_search(&step).ok()?;
                let (x, kind) = (self.of_step(i), kind.name());
                Some(NotFinite { x, kind })
            })
            .collect()
    }

    fn samples(&self, step: u64) -> f64 {
        self.curves.samples_at(step, self.batch_size) as f64
    }

    fn of_step(&self, i: usize) -> f64 {
        let step = self.curves.step[i];
        match self.wanted.x.as_str() {
            "samples" => self.samples(step),
            "epoch" => step as f64 / self.curves.steps_per_epoch as f64,
            "time" => self.curves.seconds[i],
            _ => step as f64,
        }
    }

    fn of_epoch(&self, end: &End) -> f64 {
        match self.wanted.x.as_str() {
            "samples" => (end.epoch * self.curves.train_samples) as f64,
            "epoch" => end.step as f64 / self.curves.steps_per_epoch as f64,
            "time" => end.seconds,
            _ => end.step as f64,
        }
    }
}
