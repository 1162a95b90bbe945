//! Writes the curves of a run: the values of its events as plain numbers, so that a curve is drawn without reading the
//! events again.
//!
//! Each curve is [stored](extremes::StoredCurve) with its extremes, and beside it the positions of its values: the
//! steps of a run that was trained here share one clock, the ends of epochs and imported curves have positions of their
//! own. Everything here follows from the events and is rebuilt with the index.

use rusqlite::{Connection, OptionalExtension as _, params};
use vivarium_models::contract::{Epoch, Event, Record, Scalars, Steps};

use super::extremes;
use super::metrics::{OWN, SERIES};
use super::positions::{
    CLOCK, IMPORTED, OF_EPOCHS, OF_STEPS, POSITIONS, Position, Positions, number_of_own, stored,
};
use super::{Writing, runs};
use crate::error::Result;
use crate::run_dir::RunId;
/// The sequence numbers of single events of some kinds.
pub const MARKS: &str = "
CREATE TABLE event_marks (
    run   INTEGER NOT NULL,
    kind  INTEGER NOT NULL,   -- 0 started, 1 test, 2 boundary
    seq   INTEGER NOT NULL,
    epoch INTEGER,            -- of a boundary
    PRIMARY KEY (run, kind, seq)
) WITHOUT ROWID;
";

/// Bytes of lines per transaction when curves are rebuilt from indexed events.
const BATCH: usize = 1 << 20;

/// Values of steps per row when several lines are appended together: about a page of the file.
const ROW: usize = 480;

/// Ends of epochs per row when several are appended together: their positions fill a page of the file.
const ENDS: usize = 160;

/// Kinds of events that are found without reading the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A `started` event.
    Started = 0,
    /// A `test` event.
    Test = 1,
    /// A `boundary` event.
    Boundary = 2,
}

/// Appends the values of a run's events. Values are buffered, so that a long log becomes rows of hundreds of values
/// however few each line has; [`finish`](Self::finish) writes the rest.
pub struct Appender<'a> {
    writing: &'a Writing<'a>,
    run: i64,
    /// Where the steps end; read when the first line of steps is appended.
    end: Option<End>,
    /// Buffered values of [`OF_STEPS`].
    gathered: [Vec<f64>; OF_STEPS.len()],
    /// The number of values when blocks were last built.
    built: u64,
    /// Buffered values of [`OF_EPOCHS`].
    ends: [Ends; OF_EPOCHS.len()],
}

/// Buffered values of a curve of epochs.
#[derive(Default)]
struct Ends {
    /// The last epoch that was appended; `None` before the first, when the curve may have it already.
    epoch: Option<u64>,
    /// The number of values in the index.
    count: u64,
    values: Vec<f64>,
    positions: Vec<f64>,
}

impl Ends {
    fn write(&mut self, writing: &Writing<'_>, run: i64, series: i64) -> Result<()> {
        if !self.values.is_empty() {
            append_at(
                writing,
                run,
                series,
                self.count,
                &self.values,
                &self.positions,
            )?;
            self.count += self.values.len() as u64;
            self.values.clear();
            self.positions.clear();
        }
        Ok(())
    }
}

/// The end of a run's steps.
#[derive(Clone, Copy, Default)]
struct End {
    /// The number of steps.
    count: u64,
    /// The position of the last one.
    position: Position,
}

impl<'a> Appender<'a> {
    /// Appends to the existing curves of a run.
    pub fn new(writing: &'a Writing<'a>, run: i64) -> Self {
        Self {
            writing,
            run,
            end: None,
            gathered: Default::default(),
            built: 0,
            ends: Default::default(),
        }
    }

    /// Appends the next event.
    pub fn append(&mut self, seq: u64, event: &Event) -> Result<()> {
        let (writing, run) = (self.writing, self.run);
        let mark = |kind: Mark, epoch: Option<i64>| -> Result<()> {
            writing
                .prepare_cached(
                    "INSERT INTO event_marks (run, kind, seq, epoch) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![run, kind as i64, seq, epoch])?;
            Ok(())
        };
        match event {
            Event::Started(_) => mark(Mark::Started, None),
            Event::Test(_) => mark(Mark::Test, None),
            Event::Boundary(at) => mark(Mark::Boundary, i64::try_from(at.epoch).ok()),
            Event::Steps(steps) => self.append_steps(steps),
            Event::Epoch(end) => self.append_epoch(end),
            Event::Scalars(scalars) => append_scalars(writing, run, scalars),
            _ => Ok(()),
        }
    }

    /// Writes the buffered values, and the blocks that they complete.
    pub fn finish(&mut self) -> Result<()> {
        for (series, ends) in OF_EPOCHS.into_iter().zip(&mut self.ends) {
            ends.write(self.writing, self.run, series)?;
        }
        let Some(end) = self.end else {
            return Ok(());
        };
        self.write_gathered(end.count)?;
        for series in OF_STEPS {
            let curve = stored(self.writing, self.run, series, 1);
            curve.build(self.built, end.count)?;
            curve.compact(self.built, end.count)?;
        }
        self.built = end.count;
        Ok(())
    }

    /// Writes the buffered values, which end at `count`.
    fn write_gathered(&mut self, count: u64) -> Result<()> {
        for (series, values) in OF_STEPS.into_iter().zip(&mut self.gathered) {
            if !values.is_empty() {
                let first = count - values.len() as u64;
                stored(self.writing, self.run, series, 1).append(first, values)?;
                values.clear();
            }
        }
        Ok(())
    }

    fn append_steps(&mut self, steps: &Steps) -> Result<()> {
        if steps.loss.is_empty() {
            return Ok(());
        }
        let (writing, run) = (self.writing, self.run);
        let mut end = match self.end {
            Some(end) => end,
            None => {
                let end = read_end(writing, run)?;
                self.built = end.count;
                end
            }
        };
        // A run that was resumed from a checkpoint repeats some steps; the last values count.
        if end.count > 0 && end.position.step >= steps.first_step {
            self.finish()?;
            let mut clock = Positions::of(writing, run, CLOCK);
            let kept =
                clock.first_where(end.count, |position| position.step >= steps.first_step)?;
            rewind(writing, run, steps.first_step, end.count, kept)?;
            self.ends = Default::default();
            end = read_end(writing, run)?;
            self.built = end.count;
        }
        let new = steps.loss.len() as u64;
        // Only the last step of a line has a time; those before it are interpolated.
        let before = end.position.seconds;
        let row = [steps.first_step as f64, before, steps.seconds, new as f64];
        stored(writing, run, CLOCK, 4).append(end.count, &row)?;
        let columns = [&steps.loss, &steps.accuracy, &steps.lr];
        for (values, column) in self.gathered.iter_mut().zip(columns) {
            let at = |i: usize| column.get(i).copied().unwrap_or(f64::NAN);
            values.extend((0..steps.loss.len()).map(at));
        }
        end.count += new;
        end.position = Position {
            step: steps.last_step(),
            seconds: steps.seconds,
            epoch: 0,
        };
        self.end = Some(end);
        if self.gathered[0].len() >= ROW {
            self.write_gathered(end.count)?;
        }
        Ok(())
    }
}

impl Appender<'_> {
    fn append_epoch(&mut self, end: &Epoch) -> Result<()> {
        let (writing, run) = (self.writing, self.run);
        let position = [end.step as f64, end.elapsed, end.epoch as f64];
        let validation = end.validation.as_ref();
        let values = [
            Some(end.train.loss),
            Some(end.train.accuracy),
            validation.map(|score| score.loss),
            validation.map(|score| score.accuracy),
        ];
        for ((series, value), ends) in OF_EPOCHS.into_iter().zip(values).zip(&mut self.ends) {
            if ends.epoch.is_none_or(|last| end.epoch <= last) {
                ends.write(writing, run, series)?;
                // An epoch that is repeated counts once.
                let goes = |position: Position| position.epoch >= end.epoch;
                ends.count = forget_ends(writing, run, series, goes)?;
            }
            ends.epoch = Some(end.epoch);
            if let Some(value) = value {
                ends.values.push(value);
                ends.positions.extend(position);
            }
            if ends.values.len() >= ENDS {
                ends.write(writing, run, series)?;
            }
        }
        Ok(())
    }
}

fn read_end(connection: &Connection, run: i64) -> Result<End> {
    let mut clock = Positions::of(connection, run, CLOCK);
    let count = clock.count()?;
    let position = match count.checked_sub(1) {
        Some(last) => clock.at(last)?,
        None => Position::default(),
    };
    Ok(End { count, position })
}

/// Deletes the curves of a run.
pub fn delete(connection: &Connection, run: i64) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM event_marks WHERE run = ?1")?
        .execute([run])?;
    extremes::delete(connection, run)
}

/// Appends the next indexed events that are not in the curves yet, which an index of an earlier version has. Returns
/// whether there are more.
pub fn derive(writing: &Writing<'_>, id: RunId) -> Result<bool> {
    let Some(run) = runs::find(writing, id)? else {
        return Ok(false);
    };
    let events = super::events::after(writing, id, run.curves, usize::MAX >> 1, BATCH)?;
    let Some(last) = events.last().map(|event| event.seq) else {
        return Ok(false);
    };
    let mut curves = Appender::new(writing, run.number);
    for event in &events {
        if let Ok(record) = Record::parse(&event.body) {
            curves.append(record.seq, &record.event)?;
        }
    }
    curves.finish()?;
    runs::set_curves(writing, id, last)?;
    Ok(last < run.seq)
}

/// The last event of a kind, or the one of an epoch.
pub fn marked(
    connection: &Connection,
    run: i64,
    kind: Mark,
    epoch: Option<u64>,
) -> Result<Option<String>> {
    // SQLite's integers end here.
    let epoch = epoch.map(|epoch| i64::try_from(epoch).unwrap_or(i64::MAX));
    let body = connection
        .prepare_cached(
            "SELECT body FROM events WHERE run = ?1 AND seq = (
             SELECT max(seq) FROM event_marks WHERE run = ?1 AND kind = ?2 AND (?3 IS NULL OR epoch = ?3))",
        )?
        .query_row(params![run, kind as i64, epoch], |row| row.get(0));
    Ok(body.optional()?)
}

/// The epochs with an event of a kind, in the order of the log.
pub fn marked_epochs(connection: &Connection, run: i64, kind: Mark) -> Result<Vec<u64>> {
    let mut statement = connection.prepare_cached(
        "SELECT epoch FROM event_marks WHERE run = ?1 AND kind = ?2 AND epoch IS NOT NULL ORDER BY seq",
    )?;
    let epochs = statement.query_map(params![run, kind as i64], |row| row.get(0))?;
    Ok(epochs.collect::<rusqlite::Result<_>>()?)
}

/// Removes the steps from `step` on, of which `kept` of `count` remain, and the epochs that ended with them.
fn rewind(writing: &Writing<'_>, run: i64, step: u64, count: u64, kept: u64) -> Result<()> {
    if kept < count {
        for series in OF_STEPS {
            stored(writing, run, series, 1).truncate(kept, Vec::truncate)?;
        }
        stored(writing, run, CLOCK, 4).truncate(kept, |row, stay| {
            if let [_, before, after, count] = &mut row[..] {
                *after = *before + (*after - *before) * stay as f64 / *count;
                *count = stay as f64;
            }
        })?;
    }
    for series in OF_EPOCHS {
        forget_ends(writing, run, series, |position| position.step >= step)?;
    }
    runs::set_made(writing, run)
}

fn forget_ends(
    writing: &Writing<'_>,
    run: i64,
    series: i64,
    goes: impl Fn(Position) -> bool,
) -> Result<u64> {
    let mut positions = Positions::of(writing, run, series + POSITIONS);
    let count = positions.count()?;
    if count == 0 || !goes(positions.at(count - 1)?) {
        return Ok(count);
    }
    let kept = positions.first_where(count, goes)?;
    stored(writing, run, series, 1).truncate(kept, Vec::truncate)?;
    let cut = |row: &mut Vec<f64>, stay: usize| row.truncate(3 * stay);
    stored(writing, run, series + POSITIONS, 3).truncate(kept, cut)?;
    runs::set_made(writing, run)?;
    Ok(kept)
}

fn append_at(
    writing: &Writing<'_>,
    run: i64,
    series: i64,
    count: u64,
    values: &[f64],
    positions: &[f64],
) -> Result<()> {
    let end = count + values.len() as u64;
    let curve = stored(writing, run, series, 1);
    curve.append(count, values)?;
    curve.build(count, end)?;
    curve.compact(count, end)?;
    let curve = stored(writing, run, series + POSITIONS, 3);
    curve.append(count, positions)?;
    curve.compact(count, end)
}

fn append_scalars(writing: &Writing<'_>, run: i64, scalars: &Scalars) -> Result<()> {
    let name = scalars.series.as_deref();
    let series = match name.and_then(|name| name.strip_prefix(OWN)) {
        Some(tag) => number_of_own(writing, run, tag)?,
        None => {
            let number = SERIES.iter().position(|known| Some(*known) == name);
            number.map(|number| number as i64 + IMPORTED)
        }
    };
    let Some(series) = series else {
        return Ok(());
    };
    let mut known = Positions::of(writing, run, series + POSITIONS);
    let count = known.count()?;
    let mut before = if count > 0 {
        known.at(count - 1)?.seconds
    } else {
        0.0
    };
    let (mut values, mut positions) = (Vec::new(), Vec::new());
    for (step, seconds, value) in scalars.points() {
        before = seconds.max(before);
        positions.extend([step as f64, before, f64::NAN]);
        values.push(value);
    }
    if values.is_empty() {
        return Ok(());
    }
    append_at(writing, run, series, count, &values, &positions)
}
