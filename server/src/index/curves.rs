//! What a run's events give to its curves, as plain numbers beside the events, so that a curve is drawn without reading
//! its lines again, however many they are.
//!
//! Each curve is [stored](StoredCurve) with its extremes; beside it lies where its values are: the steps of one's own run
//! share one clock, the ends of epochs and imported curves have each their own. Everything here follows from the events
//! and is made anew with the index.

use std::ops::Range;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::extremes::{self, StoredCurve};
use super::metrics::{OWN, SERIES};
use super::{Writing, runs};
use crate::error::Result;
use crate::run_dir::RunId;
use vivarium_models::contract::{Epoch, Event, Record, Scalars, Steps};

/// Where single events of a kind are found among all lines of a log.
pub const MARKS: &str = "
CREATE TABLE event_marks (
    run   INTEGER NOT NULL,
    kind  INTEGER NOT NULL,   -- 0 started, 1 test, 2 boundary
    seq   INTEGER NOT NULL,
    epoch INTEGER,            -- of a boundary
    PRIMARY KEY (run, kind, seq)
) WITHOUT ROWID;
";

/// Bytes of lines that are taken in at once when curves are made of events that are indexed already.
const BATCH: usize = 1 << 20;

/// Values of steps in a row, where several lines are taken in at once: about a page of the file.
const ROW: usize = 480;

/// Kinds of events that are found without reading a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A worker began.
    Started = 0,
    /// The result on the test split.
    Test = 1,
    /// A decision boundary.
    Boundary = 2,
}

/// The curves of steps: loss, accuracy, learning rate.
const OF_STEPS: [i64; 3] = [0, 1, 2];

/// The curves of epochs: loss and accuracy in training, then in validation.
const OF_EPOCHS: [i64; 4] = [5, 6, 7, 8];

/// Where the steps are.
const CLOCK: i64 = 16;

/// Added to a curve's number: where the values of that curve are.
const PLACES: i64 = 32;

/// Added to a curve's number: the curve of that name of an imported run.
const IMPORTED: i64 = 64;

/// The first curve that a tag has of its own; each takes as many numbers as [`OWN_STRIDE`].
const FIRST_OWN: i64 = 4096;

/// The numbers of a curve of its own: its values, and where they are.
const OWN_STRIDE: i64 = 64;

/// Keeps the numbers of events of a run, one event after the other. The values of its steps are gathered, so that a
/// long log becomes rows of hundreds of values however few each line has; [`finish`](Self::finish) writes the rest.
pub struct Appender<'a> {
    writing: &'a Writing<'a>,
    run: i64,
    /// Where the steps end; not read before there is a line of steps.
    end: Option<End>,
    /// Values that are not written yet, of [`OF_STEPS`].
    gathered: [Vec<f64>; OF_STEPS.len()],
    /// How many values were there when blocks were last built.
    built: u64,
}

/// The end of a run's steps.
#[derive(Clone, Copy, Default)]
struct End {
    /// How many there are.
    count: u64,
    /// The last of them.
    place: Place,
}

impl<'a> Appender<'a> {
    /// For the events that follow those that the curves are made of.
    pub fn new(writing: &'a Writing<'a>, run: i64) -> Self {
        Self {
            writing,
            run,
            end: None,
            gathered: Default::default(),
            built: 0,
        }
    }

    /// Takes in the next event.
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
            Event::Epoch(end) => append_epoch(writing, run, end),
            Event::Scalars(scalars) => append_scalars(writing, run, scalars),
            _ => Ok(()),
        }
    }

    /// Writes what was gathered.
    pub fn finish(&mut self) -> Result<()> {
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

    /// Writes the gathered values, which end at `count`.
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
        // A run that was resumed from a checkpoint does some steps again; the last word counts.
        if end.count > 0 && end.place.step >= steps.first_step {
            self.finish()?;
            let mut clock = Places::of(writing, run, CLOCK);
            let kept = clock.first_where(end.count, |place| place.step >= steps.first_step)?;
            rewind(writing, run, steps.first_step, end.count, kept)?;
            end = read_end(writing, run)?;
            self.built = end.count;
        }
        let new = steps.loss.len() as u64;
        // Only the line's last step has a time; those before it are spread evenly.
        let before = end.place.seconds;
        let row = [steps.first_step as f64, before, steps.seconds, new as f64];
        stored(writing, run, CLOCK, 4).append(end.count, &row)?;
        let columns = [&steps.loss, &steps.accuracy, &steps.lr];
        for (values, column) in self.gathered.iter_mut().zip(columns) {
            let at = |i: usize| column.get(i).copied().unwrap_or(f64::NAN);
            values.extend((0..steps.loss.len()).map(at));
        }
        end.count += new;
        end.place = Place {
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

fn read_end(connection: &Connection, run: i64) -> Result<End> {
    let mut clock = Places::of(connection, run, CLOCK);
    let count = clock.count()?;
    let place = match count.checked_sub(1) {
        Some(last) => clock.at(last)?,
        None => Place::default(),
    };
    Ok(End { count, place })
}

/// Drops the numbers of a run.
pub fn delete(connection: &Connection, run: i64) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM event_marks WHERE run = ?1")?
        .execute([run])?;
    extremes::delete(connection, run)
}

/// Makes curves of the next events of a run that are indexed and not in its curves: of an index of an earlier version.
/// Returns whether there are more.
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

/// The last event of a kind, or that of an epoch.
pub fn marked(
    connection: &Connection,
    run: i64,
    kind: Mark,
    epoch: Option<u64>,
) -> Result<Option<String>> {
    // SQLite counts no further.
    let epoch = epoch.map(|epoch| i64::try_from(epoch).unwrap_or(i64::MAX));
    let body = connection
        .prepare_cached(
            "SELECT body FROM events WHERE run = ?1 AND seq = (
             SELECT max(seq) FROM event_marks WHERE run = ?1 AND kind = ?2 AND (?3 IS NULL OR epoch = ?3))",
        )?
        .query_row(params![run, kind as i64, epoch], |row| row.get(0));
    Ok(body.optional()?)
}

/// The epochs that have an event of a kind, in the order of the log.
pub fn marked_epochs(connection: &Connection, run: i64, kind: Mark) -> Result<Vec<u64>> {
    let mut statement = connection.prepare_cached(
        "SELECT epoch FROM event_marks WHERE run = ?1 AND kind = ?2 AND epoch IS NOT NULL ORDER BY seq",
    )?;
    let epochs = statement.query_map(params![run, kind as i64], |row| row.get(0))?;
    Ok(epochs.collect::<rusqlite::Result<_>>()?)
}

fn stored(connection: &Connection, run: i64, series: i64, width: usize) -> StoredCurve<'_> {
    StoredCurve {
        connection,
        run,
        series,
        width,
    }
}

/// Forgets steps from `step` on, of which `kept` of `count` stay, and the epochs that ended with them.
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
        forget_ends(writing, run, series, |place| place.step >= step)?;
    }
    runs::set_made(writing, run)
}

fn forget_ends(
    writing: &Writing<'_>,
    run: i64,
    series: i64,
    goes: impl Fn(Place) -> bool,
) -> Result<u64> {
    let mut places = Places::of(writing, run, series + PLACES);
    let count = places.count()?;
    if count == 0 || !goes(places.at(count - 1)?) {
        return Ok(count);
    }
    let kept = places.first_where(count, goes)?;
    stored(writing, run, series, 1).truncate(kept, Vec::truncate)?;
    let cut = |row: &mut Vec<f64>, stay: usize| row.truncate(3 * stay);
    stored(writing, run, series + PLACES, 3).truncate(kept, cut)?;
    runs::set_made(writing, run)?;
    Ok(kept)
}

fn append_epoch(writing: &Writing<'_>, run: i64, end: &Epoch) -> Result<()> {
    let place = [end.step as f64, end.elapsed, end.epoch as f64];
    let validation = end.validation.as_ref();
    let values = [
        Some(end.train.loss),
        Some(end.train.accuracy),
        validation.map(|score| score.loss),
        validation.map(|score| score.accuracy),
    ];
    for (series, value) in OF_EPOCHS.into_iter().zip(values) {
        // An epoch that is told again counts once.
        let count = forget_ends(writing, run, series, |place| place.epoch >= end.epoch)?;
        if let Some(value) = value {
            append_at(writing, run, series, count, &[value], &place)?;
        }
    }
    Ok(())
}

fn append_at(
    writing: &Writing<'_>,
    run: i64,
    series: i64,
    count: u64,
    values: &[f64],
    places: &[f64],
) -> Result<()> {
    let end = count + values.len() as u64;
    let curve = stored(writing, run, series, 1);
    curve.append(count, values)?;
    curve.build(count, end)?;
    curve.compact(count, end)?;
    let curve = stored(writing, run, series + PLACES, 3);
    curve.append(count, places)?;
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
    let mut known = Places::of(writing, run, series + PLACES);
    let count = known.count()?;
    let mut before = if count > 0 {
        known.at(count - 1)?.seconds
    } else {
        0.0
    };
    let (mut values, mut places) = (Vec::new(), Vec::new());
    for (step, seconds, value) in scalars.points() {
        before = seconds.max(before);
        places.extend([step as f64, before, f64::NAN]);
        values.push(value);
    }
    if values.is_empty() {
        return Ok(());
    }
    append_at(writing, run, series, count, &values, &places)
}

/// The number of the curve that a tag has of its own: its place among those of the run.
fn number_of_own(connection: &Connection, run: i64, tag: &str) -> Result<Option<i64>> {
    let spec: Option<String> = connection
        .prepare_cached("SELECT spec FROM runs WHERE key = ?1")?
        .query_row([run], |row| row.get(0))
        .optional()?;
    let spec: serde_json::Value =
        serde_json::from_str(&spec.unwrap_or_default()).unwrap_or_default();
    let own = spec.pointer("/source/own").and_then(|own| own.as_array());
    let place = own.and_then(|own| own.iter().position(|known| known == tag));
    Ok(place.map(|place| FIRST_OWN + OWN_STRIDE * place as i64))
}

/// Where a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// Its step.
    pub step: u64,
    /// Seconds of training after it, pauses not counted; of an imported value since the run's first.
    pub seconds: f64,
    /// Of the end of an epoch: its number.
    pub epoch: u64,
}

/// Where the values of a curve are, by their ordinals.
pub struct Places<'a> {
    stored: StoredCurve<'a>,
    /// The row that was read last: whoever asks for one place mostly asks for the next one then.
    row: Option<(u64, Vec<f64>)>,
    /// Ordinals whose steps follow one another without a gap, and the step of the first.
    gapless: Option<(Range<u64>, u64)>,
}

impl<'a> Places<'a> {
    fn of(connection: &'a Connection, run: i64, series: i64) -> Self {
        let width = if series == CLOCK { 4 } else { 3 };
        Self {
            stored: stored(connection, run, series, width),
            row: None,
            gapless: None,
        }
    }

    /// How many there are.
    fn count(&mut self) -> Result<u64> {
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

    /// Where the value at an ordinal is; its time is not a number after [`without_times`](Self::without_times).
    pub fn at(&mut self, ordinal: u64) -> Result<Place> {
        if let Some((range, step)) = &self.gapless
            && range.contains(&ordinal)
        {
            return Ok(Place {
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
            return Err(self.stored.damaged("places of a curve are missing"));
        };
        let i = ordinal - first;
        Ok(match row[..] {
            [step, before, after, count] if self.stored.series == CLOCK => Place {
                step: step as u64 + i,
                seconds: before + (after - before) * ((i + 1) as f64 / count),
                epoch: 0,
            },
            _ => match row.as_chunks::<3>().0.get(i as usize) {
                Some(&[step, seconds, epoch]) => Place {
                    step: step as u64,
                    seconds,
                    epoch: epoch as u64,
                },
                None => Place::default(),
            },
        })
    }

    /// Whoever asks for places of a range from now on does without their times. Where no step of the range is missing,
    /// which its first and its last tell because steps ascend, a place is a subtraction then and nothing is read.
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

    /// The first ordinal of `count` of which something holds that holds of all after it.
    pub fn first_where(&mut self, count: u64, holds: impl Fn(Place) -> bool) -> Result<u64> {
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

/// A curve by its name.
pub struct Curve<'a> {
    /// Its values; of what follows from the steps alone (time, samples) those of the loss.
    pub stored: StoredCurve<'a>,
    /// Where they are.
    pub places: Places<'a>,
    /// How many there are.
    pub count: u64,
}

/// A curve of a run of one's own, or of an imported one.
pub fn named<'a>(
    connection: &'a Connection,
    run: i64,
    name: &str,
    imported: bool,
) -> Result<Curve<'a>> {
    if let Some(tag) = name.strip_prefix(OWN) {
        // Of a tag without a curve there is none: the number before the first is nobody's.
        let series = number_of_own(connection, run, tag)?;
        let series = series.unwrap_or(FIRST_OWN - OWN_STRIDE);
        let mut places = Places::of(connection, run, series + PLACES);
        let count = places.count()?;
        return Ok(Curve {
            stored: stored(connection, run, series, 1),
            places,
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
    let places = match (imported, OF_STEPS.contains(&series)) {
        (false, true) => CLOCK,
        _ => series + PLACES,
    };
    let mut places = Places::of(connection, run, places);
    let count = places.count()?;
    Ok(Curve {
        stored: stored(connection, run, series, 1),
        places,
        count,
    })
}
