//! Reads curves by name: the values, and the position (step, time, epoch) of each.

use std::ops::Range;

use rusqlite::{Connection, OptionalExtension as _};

use super::extremes::StoredCurve;
use super::metrics::{OWN, SERIES};
use crate::error::Result;

/// The curves of steps: loss, accuracy, learning rate.
pub(super) const OF_STEPS: [i64; 3] = [0, 1, 2];

/// The curves of epochs: loss and accuracy in training, then in validation.
pub(super) const OF_EPOCHS: [i64; 4] = [5, 6, 7, 8];

/// The positions of the steps.
pub(super) const CLOCK: i64 = 16;

/// Added to the number of a curve: its positions.
pub(super) const POSITIONS: i64 = 32;

/// Added to the number of a curve: the curve of that name of an imported run.
pub(super) const IMPORTED: i64 = 64;

/// The first curve of a tag with a chart of its own; each takes [`OWN_STRIDE`] numbers.
const FIRST_OWN: i64 = 4096;

/// The numbers of such a curve: its values and its positions.
const OWN_STRIDE: i64 = 64;

pub(super) fn stored(
    connection: &Connection,
    run: i64,
    series: i64,
    width: usize,
) -> StoredCurve<'_> {
    StoredCurve {
        connection,
        run,
        series,
        width,
    }
}

/// The number of the curve of a tag with a chart of its own, by its index among those of the run.
pub(super) fn number_of_own(connection: &Connection, run: i64, tag: &str) -> Result<Option<i64>> {
    let spec: Option<String> = connection
        .prepare_cached("SELECT spec FROM runs WHERE key = ?1")?
        .query_row([run], |row| row.get(0))
        .optional()?;
    let spec: serde_json::Value =
        serde_json::from_str(&spec.unwrap_or_default()).unwrap_or_default();
    let own = spec.pointer("/source/own").and_then(|own| own.as_array());
    let position = own.and_then(|own| own.iter().position(|known| known == tag));
    Ok(position.map(|position| FIRST_OWN + OWN_STRIDE * position as i64))
}

/// The position of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Position {
    /// Its step.
    pub step: u64,
    /// Training time after it in seconds, without pauses; of an imported value the time since the run's first value.
    pub seconds: f64,
    /// The epoch, for values of epochs.
    pub epoch: u64,
}

/// The positions of a curve, by ordinal.
pub struct Positions<'a> {
    stored: StoredCurve<'a>,
    /// The last row that was read: the next request is mostly for the next value.
    row: Option<(u64, Vec<f64>)>,
    /// Ordinals with consecutive steps, and the first of these steps.
    gapless: Option<(Range<u64>, u64)>,
}

impl<'a> Positions<'a> {
    pub(super) fn of(connection: &'a Connection, run: i64, series: i64) -> Self {
        let width = if series == CLOCK { 4 } else { 3 };
        Self {
            stored: stored(connection, run, series, width),
            row: None,
            gapless: None,
        }
    }

    /// The number of positions.
    pub(super) fn count(&mut self) -> Result<u64> {
        self.row = self.stored.row_at(i64::MAX as u64)?;
        Ok(self
            .row
            .as_ref()
            .map_or(0, |row| row.0 + self.length(&row.1)))
    }

    fn length(&self, row: &[f64]) -> u64 {
        match (self.stored.series, row) {
            (CLOCK, [_, _, _, count]) => *count as u64,
            (CLOCK, _) => 0,
            _ => (row.len() / 3) as u64,
        }
    }

    /// The position of a value; its time is NaN after [`without_times`](Self::without_times).
    pub fn at(&mut self, ordinal: u64) -> Result<Position> {
        if let Some((range, step)) = &self.gapless
            && range.contains(&ordinal)
        {
            return Ok(Position {
                step: step + (ordinal - range.start),
                seconds: f64::NAN,
                epoch: 0,
            });
        }
        let has = |row: &(u64, Vec<f64>)| (row.0..row.0 + self.length(&row.1)).contains(&ordinal);
        if !self.row.as_ref().is_some_and(has) {
            self.row = self.stored.row_at(ordinal)?.filter(has);
        }
        let Some((first, row)) = &self.row else {
            return Err(self.stored.damaged("positions of a curve are missing"));
        };
        let i = ordinal - first;
        Ok(match row[..] {
            [step, before, after, count] if self.stored.series == CLOCK => Position {
                step: step as u64 + i,
                seconds: before + (after - before) * ((i + 1) as f64 / count),
                epoch: 0,
            },
            _ => match row.as_chunks::<3>().0.get(i as usize) {
                Some(&[step, seconds, epoch]) => Position {
                    step: step as u64,
                    seconds,
                    epoch: epoch as u64,
                },
                None => Position::default(),
            },
        })
    }

    /// Omits the times of a range from now on. If no step of the range is missing, which the first and the last tell
    /// because steps ascend, a position is a subtraction and nothing is read.
    pub fn without_times(&mut self, range: Range<u64>) -> Result<()> {
        self.gapless = None;
        if self.stored.series == CLOCK && !range.is_empty() {
            let (first, last) = (range.start, range.end - 1);
            let step = self.at(first)?.step;
            if self.at(last)?.step.checked_sub(step) == Some(last - first) {
                self.gapless = Some((range, step));
            }
        }
        Ok(())
    }

    /// The first ordinal below `count` where `holds` is true; it must be true of all later ones.
    pub fn first_where(&mut self, count: u64, holds: impl Fn(Position) -> bool) -> Result<u64> {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = u64::midpoint(low, high);
            if holds(self.at(middle)?) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }
}

/// A curve.
pub struct Curve<'a> {
    /// Its values; for time and samples, which follow from the steps, those of the loss.
    pub stored: StoredCurve<'a>,
    /// Their positions.
    pub positions: Positions<'a>,
    /// The number of values.
    pub count: u64,
}

/// The curve `name` of a run, which may be imported.
pub fn named<'a>(
    connection: &'a Connection,
    run: i64,
    name: &str,
    imported: bool,
) -> Result<Curve<'a>> {
    if let Some(tag) = name.strip_prefix(OWN) {
        // A tag without a curve gets the number before the first, which is unused.
        let series = number_of_own(connection, run, tag)?;
        let series = series.unwrap_or(FIRST_OWN - OWN_STRIDE);
        let mut positions = Positions::of(connection, run, series + POSITIONS);
        let count = positions.count()?;
        return Ok(Curve {
            stored: stored(connection, run, series, 1),
            positions,
            count,
        });
    }
    let number = SERIES.iter().position(|known| *known == name).unwrap_or(0) as i64;
    let series = match (imported, number) {
        (true, _) => number + IMPORTED,
        // Time and samples.
        (false, 3 | 4) => 0,
        (false, _) => number,
    };
    let positions = match (imported, OF_STEPS.contains(&series)) {
        (false, true) => CLOCK,
        _ => series + POSITIONS,
    };
    let mut positions = Positions::of(connection, run, positions);
    let count = positions.count()?;
    Ok(Curve {
        stored: stored(connection, run, series, 1),
        positions,
        count,
    })
}
