//! Reads the curves of a run for a chart: which series, over which axis, between which ends, how smooth, downsampled to
//! what a screen can show.

use std::collections::BTreeMap;
use std::ops::Range;

use rusqlite::Connection;
use serde::Serialize;
use utoipa::ToSchema;
use vivarium_models::contract::NotFinite;

use super::downsample::Downsampling;
use super::moving::{self, MovingAverages};
use super::positions::{self, Curve, Position};
use super::runs::{self, Run};
use crate::error::{Error, Result};
use crate::run_dir::RunId;

/// The series: per step first, then per epoch.
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

/// The prefix of series with a chart of their own; the tag of an imported run follows.
pub const OWN: &str = "tag:";

/// The series that can be smoothed: one noisy value per step.
const NOISY: [&str; 2] = ["train_loss", "train_accuracy"];

/// The maximum number of values that are not finite and are listed one by one.
const MOST_HOLES: usize = 1000;

/// The maximum number of times of an imported run that are sorted for one answer.
const MOST_MOMENTS: u64 = 500_000;

/// The axes.
pub const AXES: [&str; 4] = ["step", "samples", "epoch", "time"];

/// A request for curves.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Names of [`SERIES`], and tags after [`OWN`].
    pub series: Vec<String>,
    /// One of [`AXES`].
    pub x: String,
    /// The approximate number of points per series.
    pub points: usize,
    /// Only points between these positions, and the next one on either side.
    pub from: Option<f64>,
    /// See `from`.
    pub to: Option<f64>,
    /// The weight of a moving average over all points, from 0 to below 1, which is added to the answer.
    pub smooth: Option<f64>,
}

/// The series of a run.
#[derive(Debug, Serialize, ToSchema)]
pub struct Metrics {
    /// The run.
    pub run: RunId,
    /// The last event in the series; a stream continues after it.
    pub last_seq: u64,
    /// What `x` counts.
    pub x: String,
    /// By name.
    pub series: BTreeMap<String, Series>,
}

/// One curve.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = MetricSeries)]
pub struct Series {
    /// Steps, samples, epochs (with fractions) or seconds.
    pub x: Vec<f64>,
    /// `null` where it is not finite.
    pub y: Vec<Option<f64>>,
    /// Points between `from` and `to` before downsampling.
    pub total: usize,
    /// The values that are not finite, of the whole run; of more than a thousand the first in each of a thousand
    /// buckets.
    pub not_finite: Vec<NotFinitePoint>,
    /// The moving average, downsampled separately.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub smoothed: Option<Line>,
}

/// The points of a line.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Line {
    /// Positions, as in a series.
    pub x: Vec<f64>,
    /// Values; `null` where they are not finite.
    pub y: Vec<Option<f64>>,
}

/// A value that cannot be drawn.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotFinitePoint {
    /// Its position.
    pub x: f64,
    /// What it is.
    pub kind: NotFinite,
}

impl Wanted {
    /// # Errors
    /// [`Error::BadRequest`] when a name is unknown; it lists the known ones.
    pub fn check(&self) -> Result<()> {
        let unknown = |name: &&String| !SERIES.contains(&name.as_str()) && !name.starts_with(OWN);
        if let Some(name) = self.series.iter().find(unknown) {
            return Err(Error::BadRequest(format!(
                "series: there is no series “{name}”; there are {}, and “{OWN}” with a tag of an imported run",
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

/// Reads the requested curves of a run.
///
/// # Errors
/// [`Error::NotFound`] when there is no such run.
pub fn read(
    connection: &Connection,
    averages: &MovingAverages,
    id: RunId,
    wanted: &Wanted,
) -> Result<Metrics> {
    let run = runs::get(connection, id)?;
    let batch_size = run
        .spec
        .pointer("/training/batch_size")
        .and_then(serde_json::Value::as_u64)
        .unwrap_or(1);
    let reader = Reader {
        connection,
        averages,
        wanted,
        run: &run,
        steps_per_epoch: run.summary.steps_per_epoch.unwrap_or(1).max(1),
        train_samples: run.summary.train_samples.unwrap_or(1),
        batch_size,
    };
    let mut series = BTreeMap::new();
    for name in &wanted.series {
        series.insert(name.clone(), reader.series(name)?);
    }
    Ok(Metrics {
        run: id,
        last_seq: run.curves,
        x: wanted.x.clone(),
        series,
    })
}

/// Rounds to seven digits.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10f64.powi(6 - value.abs().log10().floor() as i32);
    let short = (value * scale).round() / scale;
    if short.is_finite() { short } else { value }
}

/// The number of training samples up to `step`: the last batch of an epoch may be smaller.
fn samples_at(step: u64, steps_per_epoch: u64, train_samples: u64, batch_size: u64) -> u64 {
    let before = step.saturating_sub(1) / steps_per_epoch;
    let within = step.saturating_sub(before * steps_per_epoch);
    before * train_samples + train_samples.min(within.saturating_mul(batch_size))
}

struct Reader<'a> {
    connection: &'a Connection,
    averages: &'a MovingAverages,
    wanted: &'a Wanted,
    run: &'a Run,
    steps_per_epoch: u64,
    train_samples: u64,
    batch_size: u64,
}

impl Reader<'_> {
    fn curve(&self, name: &str) -> Result<Curve<'_>> {
        let imported = self.run.source.is_some();
        positions::named(self.connection, self.run.number, name, imported)
    }

    fn series(&self, name: &str) -> Result<Series> {
        let mut curve = self.curve(name)?;
        if self.run.source.is_some() {
            if name == "time" && curve.count == 0 {
                return self.imported_time();
            }
        } else if matches!(name, "time" | "samples") {
            return self.of_positions(name, curve);
        }
        let range = self.range(name, &mut curve)?;
        if self.wanted.x != "time" {
            curve.positions.without_times(0..curve.count)?;
        }
        let total = range.end - range.start;
        let downsampling = Downsampling::of(range.clone(), self.wanted.points);
        let stored = curve.stored;
        let kept = downsampling.kept(
            |level, each| stored.pieces(level, range.clone(), each),
            |at| {
                let mut value = f64::NAN;
                stored.values(at..at + 1, |_, found| value = found)?;
                Ok(value)
            },
        )?;
        let not_finite = self.not_finite(name, &mut curve)?;
        let is_noisy = NOISY.contains(&name) || name.starts_with(OWN);
        let weight = self.wanted.smooth.filter(|_| is_noisy);
        let smoothed = match weight {
            Some(weight) => Some(self.smoothed(name, &mut curve, weight, &range)?),
            None => None,
        };
        let line = self.line(name, &mut curve, kept)?;
        Ok(Series {
            x: line.x,
            y: line.y,
            total: total as usize,
            not_finite,
            smoothed,
        })
    }

    fn smoothed(
        &self,
        name: &str,
        curve: &mut Curve<'_>,
        weight: f64,
        range: &Range<u64>,
    ) -> Result<Line> {
        let key = moving::Key {
            run: self.run.number,
            made: self.run.made,
            series: curve.stored.series,
            weight,
        };
        let downsampling = Downsampling::of(range.clone(), self.wanted.points);
        let coarse = downsampling.each() >= moving::BLOCK;
        let (averages, stored) = (self.averages, curve.stored);
        let kept = downsampling.kept(
            |_, each| averages.pieces(&stored, key, range.clone(), coarse, each),
            |at| {
                let mut found = f64::NAN;
                averages.pieces(&stored, key, at..at + 1, false, &mut |_, one| {
                    found = one.low.map_or(f64::NAN, |(_, value)| value);
                })?;
                Ok(found)
            },
        )?;
        let mut line = self.line(name, curve, kept)?;
        // A mean has no more significant digits than its terms.
        for y in line.y.iter_mut().flatten() {
            *y = rounded(*y);
        }
        Ok(line)
    }

    /// A series that follows from the steps and never falls: the ends of each bucket are its extremes.
    fn of_positions(&self, name: &str, mut curve: Curve<'_>) -> Result<Series> {
        let range = self.range(name, &mut curve)?;
        let total = range.end - range.start;
        let mut line = Line::default();
        for at in Downsampling::of(range, self.wanted.points).ends() {
            let position = curve.positions.at(at)?;
            line.x.push(self.position(name, position));
            let y = match name {
                "time" => position.seconds,
                _ => self.samples(position.step),
            };
            line.y.push(Some(y).filter(|y| y.is_finite()));
        }
        Ok(Series {
            x: line.x,
            y: line.y,
            total: total as usize,
            ..Series::default()
        })
    }

    /// The time of an imported run, which has no such curve: the times of the steps of any curve; for very long ones,
    /// of the longest.
    fn imported_time(&self) -> Result<Series> {
        let mut all = Vec::new();
        for name in SERIES {
            all.push(self.curve(name)?);
        }
        for tag in self.run.source.iter().flat_map(|source| &source.own) {
            all.push(self.curve(&format!("{OWN}{tag}"))?);
        }
        let total: u64 = all.iter().map(|curve| curve.count).sum();
        if total > MOST_MOMENTS {
            let longest = all.into_iter().max_by_key(|curve| curve.count);
            return longest.map_or(Ok(Series::default()), |curve| {
                self.of_positions("time", curve)
            });
        }
        let mut moments = Vec::new();
        for curve in &mut all {
            for at in 0..curve.count {
                let position = curve.positions.at(at)?;
                moments.push((position.step, position.seconds));
            }
        }
        moments.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        moments.dedup_by_key(|&mut (step, _)| step);
        let mut before = 0.0f64;
        for (_, seconds) in &mut moments {
            before = seconds.max(before);
            *seconds = before;
        }
        let over_time = self.wanted.x == "time";
        let x = |&(step, seconds): &(u64, f64)| if over_time { seconds } else { step as f64 };
        let count = moments.len();
        let mut start = 0;
        let mut end = count;
        if let Some(from) = self.wanted.from {
            start = moments
                .partition_point(|moment| x(moment) < from)
                .saturating_sub(1);
        }
        if let Some(to) = self.wanted.to {
            end = (moments.partition_point(|moment| x(moment) <= to) + 1).min(count);
        }
        let range = start.min(end) as u64..end as u64;
        let kept = Downsampling::of(range.clone(), self.wanted.points).ends();
        let kept: Vec<_> = kept.filter_map(|at| moments.get(at as usize)).collect();
        Ok(Series {
            x: kept.iter().map(|moment| x(moment)).collect(),
            y: kept
                .iter()
                .map(|moment| Some(moment.1).filter(|y| y.is_finite()))
                .collect(),
            total: (range.end - range.start) as usize,
            ..Series::default()
        })
    }

    /// The range between the requested ends, with one more point on either side, so that a line reaches the edge.
    fn range(&self, name: &str, curve: &mut Curve<'_>) -> Result<Range<u64>> {
        let count = curve.count;
        let start = match self.wanted.from {
            Some(from) => {
                let inside = |position| self.position(name, position) >= from;
                curve
                    .positions
                    .first_where(count, inside)?
                    .saturating_sub(1)
            }
            None => 0,
        };
        let end = match self.wanted.to {
            Some(to) => {
                let beyond = |position| self.position(name, position) > to;
                (curve.positions.first_where(count, beyond)? + 1).min(count)
            }
            None => count,
        };
        Ok(start.min(end)..end)
    }

    fn line(&self, name: &str, curve: &mut Curve<'_>, kept: Vec<(u64, f64)>) -> Result<Line> {
        let mut line = Line::default();
        for (at, y) in kept {
            line.x.push(self.position(name, curve.positions.at(at)?));
            line.y.push(Some(y).filter(|y| y.is_finite()));
        }
        Ok(line)
    }

    /// For a run with hardly any finite value, the first of each bucket.
    fn not_finite(&self, name: &str, curve: &mut Curve<'_>) -> Result<Vec<NotFinitePoint>> {
        let of_steps = self.run.source.is_none();
        if of_steps && (matches!(name, "train_accuracy" | "lr") || name.starts_with(OWN)) {
            return Ok(Vec::new());
        }
        let stored = curve.stored;
        let whole = 0..curve.count;
        let (mut holes, mut firsts) = (0, Vec::new());
        let downsampling = Downsampling::of(whole.clone(), 2 * MOST_HOLES);
        downsampling.stretches(
            |level, each| stored.pieces(level, whole.clone(), each),
            |stretch| {
                holes += stretch.holes;
                firsts.extend(stretch.hole);
            },
        )?;
        let found = if holes == 0 {
            Vec::new()
        } else if holes <= MOST_HOLES as u64 {
            stored.holes(whole)?
        } else {
            let mut found = Vec::new();
            for at in firsts {
                stored.values(at..at + 1, |at, value| found.push((at, value)))?;
            }
            found
        };
        found
            .into_iter()
            .map(|(at, value)| {
                Ok(NotFinitePoint {
                    x: self.position(name, curve.positions.at(at)?),
                    kind: NotFinite::of(value).unwrap_or(NotFinite::Nan),
                })
            })
            .collect()
    }

    fn samples(&self, step: u64) -> f64 {
        samples_at(
            step,
            self.steps_per_epoch,
            self.train_samples,
            self.batch_size,
        ) as f64
    }

    /// The position of a value on the axis. Imported values lie at their steps if the axis counts samples or epochs.
    fn position(&self, name: &str, position: Position) -> f64 {
        let axis = self.wanted.x.as_str();
        let per_epoch = name.starts_with("epoch_") || name.starts_with("validation_");
        match axis {
            "time" => position.seconds,
            _ if self.run.source.is_some() => position.step as f64,
            "samples" if per_epoch => (position.epoch * self.train_samples) as f64,
            "samples" => self.samples(position.step),
            "epoch" => position.step as f64 / self.steps_per_epoch as f64,
            _ => position.step as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_last_batch_of_an_epoch_counts_what_it_holds() {
        let samples: Vec<_> = (1..=6).map(|step| samples_at(step, 3, 10, 4)).collect();
        assert_eq!(samples, [4, 8, 10, 14, 18, 20]);
    }
}
