//! What a run's events give to its curves, as plain numbers beside the events: a run of a million
//! steps is read in milliseconds, where its lines would have to be parsed again each time.
//!
//! Everything here follows from the events and is made anew with the index.

use std::collections::BTreeMap;

use rusqlite::{Connection, Rows, params};

use super::line::{self, Epoch, Line, Scalars, Steps};
use super::metrics::SERIES;
use crate::error::Result;

/// The table, one row for each event that has to do with curves.
pub const TABLE: &str = "
CREATE TABLE curves (
    run  INTEGER NOT NULL,
    seq  INTEGER NOT NULL,
    kind INTEGER NOT NULL,   -- 0 started, 1 steps, 2 epoch, 3 scalars
    body BLOB    NOT NULL,   -- numbers of eight bytes, the lowest first
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;
";

const STARTED: u8 = 0;
const STEPS: u8 = 1;
const EPOCH: u8 = 2;
const SCALARS: u8 = 3;

/// What a value is that is no finite number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Not a number.
    Nan,
    /// Infinite.
    Inf,
}

impl Kind {
    /// The word for it in events and in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nan => "nan",
            Self::Inf => "inf",
        }
    }

    fn of(name: Option<&str>) -> Self {
        match name {
            Some("inf") => Self::Inf,
            _ => Self::Nan,
        }
    }
}

/// Keeps the numbers of an event.
pub fn append(connection: &Connection, run: i64, seq: u64, line: &Line) -> Result<()> {
    let (kind, body) = match line {
        Line::Started {
            steps_per_epoch,
            train_samples,
            ..
        } => (
            STARTED,
            numbers([
                steps_per_epoch.unwrap_or(1) as f64,
                train_samples.unwrap_or(1) as f64,
            ]),
        ),
        Line::Steps(steps) => (STEPS, numbers(of_steps(steps))),
        Line::Epoch(end) => (EPOCH, numbers(of_epoch(end))),
        Line::Scalars(scalars) => match of_scalars(scalars) {
            Some(values) => (SCALARS, numbers(values)),
            None => return Ok(()),
        },
        _ => return Ok(()),
    };
    connection
        .prepare_cached("INSERT INTO curves (run, seq, kind, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![run, seq, kind, body])?;
    Ok(())
}

/// Makes the table from the events of an index that had none.
pub fn fill(connection: &Connection) -> rusqlite::Result<()> {
    let mut runs = connection.prepare("SELECT run, seq, body FROM events ORDER BY run, seq")?;
    let mut rows = runs.query([])?;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(2)?.as_str().unwrap_or_default();
        if let Some((seq, line)) = line::parse(body) {
            // What the index took once it takes again.
            let _ = append(connection, row.get(0)?, seq, &line);
        }
    }
    Ok(())
}

/// Drops the numbers of a run.
pub fn delete(connection: &Connection, run: i64) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM curves WHERE run = ?1")?
        .execute([run])?;
    Ok(())
}

fn numbers(values: impl IntoIterator<Item = f64>) -> Vec<u8> {
    values.into_iter().flat_map(f64::to_le_bytes).collect()
}

/// First step, seconds at the last one, what is not finite; then three numbers for each step.
fn of_steps(steps: &Steps) -> Vec<f64> {
    let infinite = Kind::of(steps.not_finite.as_deref()) == Kind::Inf;
    let mut values = vec![
        steps.first_step as f64,
        steps.seconds,
        f64::from(u8::from(infinite)),
    ];
    let at =
        |values: &[Option<f64>], i: usize| values.get(i).copied().flatten().unwrap_or(f64::NAN);
    for (i, loss) in steps.loss.iter().enumerate() {
        values.extend([
            loss.unwrap_or(f64::NAN),
            at(&steps.accuracy, i),
            at(&steps.lr, i),
        ]);
    }
    values
}

fn of_epoch(end: &Epoch) -> [f64; 8] {
    let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let validation = end.validation.as_ref();
    [
        end.epoch as f64,
        end.step as f64,
        end.elapsed,
        number(end.train.loss),
        number(end.train.accuracy),
        f64::from(u8::from(validation.is_some())),
        number(validation.and_then(|score| score.loss)),
        number(validation.and_then(|score| score.accuracy)),
    ]
}

/// Which curve, what is not finite; then step, seconds and value. `None` for what is no curve.
fn of_scalars(scalars: &Scalars) -> Option<Vec<f64>> {
    let name = scalars.series.as_deref()?;
    let series = SERIES.iter().position(|known| *known == name)?;
    let infinite = Kind::of(scalars.not_finite.as_deref()) == Kind::Inf;
    let mut values = vec![series as f64, f64::from(u8::from(infinite))];
    for (step, seconds, value) in scalars.shown() {
        values.extend([step as f64, seconds, value.unwrap_or(f64::NAN)]);
    }
    Some(values)
}

/// The curves of a run, whole. Not a number stands where a value is not finite.
#[derive(Debug)]
pub struct Curves {
    /// Steps in an epoch.
    pub steps_per_epoch: u64,
    /// Samples of the training split.
    pub train_samples: u64,
    /// The steps that there are, ascending.
    pub step: Vec<u64>,
    /// Of each step.
    pub loss: Vec<f64>,
    /// Of each step.
    pub accuracy: Vec<f64>,
    /// Of each step.
    pub lr: Vec<f64>,
    /// Of each step: seconds of training after it, pauses not counted.
    pub seconds: Vec<f64>,
    /// Steps whose loss is not finite.
    pub not_finite: Vec<(u64, Kind)>,
    /// The ends of epochs, ascending.
    pub epochs: Vec<End>,
    /// Of an imported run: its curves by name, each with steps of its own.
    pub imported: BTreeMap<&'static str, Points>,
}

/// An imported curve.
#[derive(Debug, Default)]
pub struct Points {
    /// The steps that there are, ascending.
    pub step: Vec<u64>,
    /// Of each step: seconds since the run's first value, never less than before.
    pub seconds: Vec<f64>,
    /// Of each step.
    pub value: Vec<f64>,
    /// Steps whose value is not finite.
    pub not_finite: Vec<(u64, Kind)>,
}

impl Default for Curves {
    fn default() -> Self {
        Self {
            steps_per_epoch: 1,
            train_samples: 1,
            step: Vec::new(),
            loss: Vec::new(),
            accuracy: Vec::new(),
            lr: Vec::new(),
            seconds: Vec::new(),
            not_finite: Vec::new(),
            epochs: Vec::new(),
            imported: BTreeMap::new(),
        }
    }
}

/// The end of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct End {
    /// From 1.
    pub epoch: u64,
    /// Its last step.
    pub step: u64,
    /// Seconds of training so far.
    pub seconds: f64,
    /// Over its steps.
    pub train_loss: f64,
    /// Over its steps.
    pub train_accuracy: f64,
    /// On the validation split, when there is one: loss and accuracy.
    pub validation: Option<(f64, f64)>,
}

/// Reads the curves of a run up to event `seq`.
pub fn read(connection: &Connection, run: i64, seq: u64) -> Result<Curves> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, body FROM curves WHERE run = ?1 AND seq <= ?2 ORDER BY seq",
    )?;
    fold(statement.query(params![run, seq])?)
}

/// Of a run's curves those that are tables' matter: the ends of epochs, or what was imported.
pub fn without_steps(connection: &Connection, run: i64) -> Result<Curves> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, body FROM curves WHERE run = ?1 AND kind IN (2, 3) ORDER BY seq",
    )?;
    fold(statement.query([run])?)
}

fn fold(mut rows: Rows<'_>) -> Result<Curves> {
    let mut curves = Curves::default();
    while let Some(row) = rows.next()? {
        let body = row.get_ref(1)?.as_blob().unwrap_or_default();
        curves.take(row.get(0)?, body);
    }
    Ok(curves)
}

impl Curves {
    fn take(&mut self, kind: u8, body: &[u8]) {
        let mut values = body
            .as_chunks::<8>()
            .0
            .iter()
            .copied()
            .map(f64::from_le_bytes);
        let mut next = || values.next().unwrap_or(f64::NAN);
        match kind {
            STARTED => {
                self.steps_per_epoch = (next() as u64).max(1);
                self.train_samples = next() as u64;
            }
            STEPS => {
                let (first, seconds, infinite) = (next() as u64, next(), next() != 0.0);
                let kind = if infinite { Kind::Inf } else { Kind::Nan };
                self.steps(first, seconds, kind, body.get(24..).unwrap_or_default());
            }
            EPOCH => {
                let end = End {
                    epoch: next() as u64,
                    step: next() as u64,
                    seconds: next(),
                    train_loss: next(),
                    train_accuracy: next(),
                    validation: (next() != 0.0).then(|| (next(), next())),
                };
                let kept = self.epochs.partition_point(|known| known.epoch < end.epoch);
                self.epochs.truncate(kept);
                self.epochs.push(end);
            }
            SCALARS => {
                let (series, infinite) = (next(), next() != 0.0);
                let kind = if infinite { Kind::Inf } else { Kind::Nan };
                if let Some(name) = SERIES.get(series as usize) {
                    let points = self.imported.entry(name).or_default();
                    points.take(kind, body.get(16..).unwrap_or_default());
                }
            }
            _ => {}
        }
    }

    fn steps(&mut self, first: u64, seconds: f64, kind: Kind, body: &[u8]) {
        // A run that was resumed from a checkpoint does some steps again; the last word counts.
        if self.step.last().is_some_and(|&last| last >= first) {
            self.rewind(first);
        }
        let rows = body.as_chunks::<24>().0;
        let before = self.seconds.last().copied().unwrap_or(0.0);
        for (i, row) in rows.iter().enumerate() {
            let [loss, accuracy, lr] = three(row);
            let step = first + i as u64;
            if loss.is_nan() {
                self.not_finite.push((step, kind));
            }
            self.step.push(step);
            self.loss.push(loss);
            self.accuracy.push(accuracy);
            self.lr.push(lr);
            // Only the line's last step has a time; those before it are spread evenly.
            let share = (i + 1) as f64 / rows.len() as f64;
            self.seconds.push(before + (seconds - before) * share);
        }
    }

    fn rewind(&mut self, first: u64) {
        let kept = self.step.partition_point(|&step| step < first);
        self.step.truncate(kept);
        for column in [
            &mut self.loss,
            &mut self.accuracy,
            &mut self.lr,
            &mut self.seconds,
        ] {
            column.truncate(kept);
        }
        self.not_finite.retain(|&(step, _)| step < first);
        self.epochs.retain(|end| end.step < first);
    }

    /// Training samples seen after `step`: the last batch of an epoch may be short.
    pub fn samples_at(&self, step: u64, batch_size: u64) -> u64 {
        let before = step.saturating_sub(1) / self.steps_per_epoch;
        let within = step.saturating_sub(before * self.steps_per_epoch);
        before * self.train_samples + self.train_samples.min(within.saturating_mul(batch_size))
    }
}

impl Points {
    fn take(&mut self, kind: Kind, body: &[u8]) {
        for row in body.as_chunks::<24>().0 {
            let [step, seconds, value] = three(row);
            let step = step as u64;
            if value.is_nan() {
                self.not_finite.push((step, kind));
            }
            let before = self.seconds.last().copied().unwrap_or(0.0);
            self.step.push(step);
            self.seconds.push(seconds.max(before));
            self.value.push(value);
        }
    }
}

/// The numbers of a row.
fn three(row: &[u8; 24]) -> [f64; 3] {
    let mut values = [0.0; 3];
    for (value, bytes) in values.iter_mut().zip(row.as_chunks::<8>().0) {
        *value = f64::from_le_bytes(*bytes);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(first_step: u64, loss: &[Option<f64>], seconds: f64) -> Vec<u8> {
        numbers(of_steps(&Steps {
            first_step,
            epoch: 1,
            samples_seen: 0,
            seconds,
            loss: loss.to_vec(),
            accuracy: loss.iter().map(|_| Some(0.5)).collect(),
            lr: Vec::new(),
            images_per_s: None,
            not_finite: Some("inf".into()),
        }))
    }

    #[test]
    fn a_step_that_is_done_again_counts_once() {
        let mut curves = Curves::default();
        curves.take(STEPS, &steps(1, &[Some(3.0), None, Some(2.0)], 3.0));
        curves.take(STEPS, &steps(3, &[Some(1.0), Some(0.5)], 5.0));
        assert_eq!(curves.step, [1, 2, 3, 4]);
        assert_eq!(curves.loss[2..], [1.0, 0.5]);
        assert_eq!(curves.seconds, [1.0, 2.0, 3.5, 5.0]);
        assert_eq!(curves.not_finite, [(2, Kind::Inf)]);
        assert!(curves.lr.iter().all(|lr| lr.is_nan()));
        curves.take(STEPS, &steps(2, &[Some(9.0)], 2.0));
        assert_eq!(curves.step, [1, 2]);
        assert!(curves.not_finite.is_empty());
    }

    #[test]
    fn a_row_that_is_cut_off_is_no_panic() {
        let whole = steps(1, &[Some(3.0), Some(2.0)], 3.0);
        for length in 0..whole.len() {
            for kind in [STARTED, STEPS, EPOCH, SCALARS, 9] {
                Curves::default().take(kind, &whole[..length]);
            }
        }
    }

    #[test]
    fn the_short_last_batch_of_an_epoch_counts_what_it_holds() {
        let curves = Curves {
            steps_per_epoch: 3,
            train_samples: 10,
            ..Curves::default()
        };
        let samples: Vec<_> = (1..=6).map(|step| curves.samples_at(step, 4)).collect();
        assert_eq!(samples, [4, 8, 10, 14, 18, 20]);
    }
}
