//! A stored curve: its values, and the extremes of blocks of increasing size, so that any range is drawn from about as
//! many rows as there are points to draw.
//!
//! A value is addressed by its ordinal: the number of values of the curve before it. A block of level 1 has [`BLOCK`]
//! values, a block of the next level [`FACTOR`] times as many. Only complete blocks are written, in the transaction
//! that appends their last value; values after the last complete block are read from the levels below.

use rusqlite::{Connection, params};

use super::damage;
use crate::error::{BadRow, Error, Result};

/// Values in a block of level 1.
pub const BLOCK: u64 = 256;

/// Blocks of a level per block of the next.
pub const FACTOR: u64 = 8;

/// The tables: rows of consecutive values, and a row for each complete block of them.
pub const TABLES: &str = "
CREATE TABLE curve_values (
    run    INTEGER NOT NULL,
    series INTEGER NOT NULL,
    first  INTEGER NOT NULL,   -- ordinal of the first value
    body   BLOB    NOT NULL,   -- numbers of eight bytes, the lowest first
    PRIMARY KEY (run, series, first)
) WITHOUT ROWID;
CREATE TABLE curve_extremes (
    run    INTEGER NOT NULL,
    series INTEGER NOT NULL,
    level  INTEGER NOT NULL,
    at     INTEGER NOT NULL,   -- the block's number
    body   BLOB    NOT NULL,
    PRIMARY KEY (run, series, level, at)
) WITHOUT ROWID;
";

/// The number of values in a block of a level; level 0 is the values themselves.
pub fn size(level: u32) -> u64 {
    match level {
        0 => 1,
        _ => BLOCK.saturating_mul(FACTOR.saturating_pow(level - 1)),
    }
}

/// The level with the largest blocks of at most this many values.
pub fn level_of(most: u64) -> u32 {
    (0..16)
        .take_while(|&level| size(level) <= most)
        .last()
        .unwrap_or(0)
}

/// The extremes of consecutive values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Extremes {
    /// The smallest value and its first ordinal.
    pub low: Option<(u64, f64)>,
    /// The largest value and its first ordinal.
    pub high: Option<(u64, f64)>,
    /// The ordinal of the first value that is not finite.
    pub hole: Option<u64>,
    /// The number of values that are not finite.
    pub holes: u64,
}

impl Extremes {
    /// Adds the next value.
    pub fn add(&mut self, at: u64, value: f64) {
        if !value.is_finite() {
            self.hole = self.hole.or(Some(at));
            self.holes += 1;
            return;
        }
        if self.low.is_none_or(|(_, low)| value < low) {
            self.low = Some((at, value));
        }
        if self.high.is_none_or(|(_, high)| value > high) {
            self.high = Some((at, value));
        }
    }

    /// Adds the extremes of the values that follow.
    pub fn merge(&mut self, next: &Self) {
        if let Some((at, value)) = next.low
            && self.low.is_none_or(|(_, low)| value < low)
        {
            self.low = Some((at, value));
        }
        if let Some((at, value)) = next.high
            && self.high.is_none_or(|(_, high)| value > high)
        {
            self.high = Some((at, value));
        }
        self.hole = self.hole.or(next.hole);
        self.holes += next.holes;
    }

    fn to_bytes(self) -> Vec<u8> {
        let place = |extreme: Option<(u64, f64)>| {
            let (at, value) = extreme.unwrap_or((0, f64::NAN));
            [at.to_le_bytes(), value.to_le_bytes()]
        };
        let hole = self.hole.unwrap_or(0).to_le_bytes();
        let words = [
            place(self.low),
            place(self.high),
            [hole, self.holes.to_le_bytes()],
        ];
        words.into_iter().flatten().flatten().collect()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let [low_at, low, high_at, high, hole, holes] = bytes.as_chunks::<8>().0 else {
            return None;
        };
        let place = |at: &[u8; 8], value: &[u8; 8]| {
            let value = f64::from_le_bytes(*value);
            value.is_finite().then(|| (u64::from_le_bytes(*at), value))
        };
        let holes = u64::from_le_bytes(*holes);
        Some(Self {
            low: place(low_at, low),
            high: place(high_at, high),
            hole: (holes > 0).then(|| u64::from_le_bytes(*hole)),
            holes,
        })
    }
}

/// A curve of a run.
#[derive(Clone, Copy)]
pub struct StoredCurve<'a> {
    /// The index.
    pub connection: &'a Connection,
    /// The key of the run.
    pub run: i64,
    /// The number of the curve.
    pub series: i64,
    /// Numbers of eight bytes per value.
    pub width: usize,
}

impl StoredCurve<'_> {
    /// The error for a row of this curve.
    pub(super) fn damaged(&self, what: &str) -> Error {
        Error::Unreadable(BadRow {
            key: self.run,
            id: super::runs::id_of(self.connection, self.run),
            fault: what.to_owned(),
        })
    }

    fn fault(&self, error: rusqlite::Error) -> Error {
        damage::fault(
            self.run,
            super::runs::id_of(self.connection, self.run),
            error,
        )
    }

    /// The number of values.
    pub fn count(&self) -> Result<u64> {
        Ok(match self.row_at(i64::MAX as u64)? {
            Some((first, body)) => first + (body.len() / 8 / self.width) as u64,
            None => 0,
        })
    }

    /// The row with the value at an ordinal, or the last row before it, with the ordinal of its first value.
    pub fn row_at(&self, at: u64) -> Result<Option<(u64, Vec<f64>)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT first, body FROM curve_values WHERE run = ?1 AND series = ?2 AND first <= ?3 ORDER BY first DESC LIMIT 1",
        )?;
        let mut rows = statement.query(params![self.run, self.series, at])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let first = row.get(0).map_err(|error| self.fault(error))?;
        let body = row
            .get_ref(1)?
            .as_blob()
            .map_err(|error| self.fault(error.into()))?;
        Ok(Some((first, numbers(body).collect())))
    }

    /// Appends values after the `count` existing ones.
    pub fn append(&self, count: u64, values: &[f64]) -> Result<()> {
        let body: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.insert(count, &body)
    }

    fn insert(&self, first: u64, body: &[u8]) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO curve_values (run, series, first, body) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![self.run, self.series, first, body])?;
        Ok(())
    }

    /// Calls `each` with the ordinals and values of a range in order.
    pub fn values(
        &self,
        range: std::ops::Range<u64>,
        mut each: impl FnMut(u64, f64),
    ) -> Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT first, body FROM curve_values WHERE run = ?1 AND series = ?2 AND first < ?4 AND first >= coalesce(
             (SELECT max(first) FROM curve_values WHERE run = ?1 AND series = ?2 AND first <= ?3), 0) ORDER BY first",
        )?;
        let mut rows = statement.query(params![self.run, self.series, range.start, range.end])?;
        let mut next = range.start;
        while let Some(row) = rows.next()? {
            let first: u64 = row.get(0).map_err(|error| self.fault(error))?;
            let body = row
                .get_ref(1)?
                .as_blob()
                .map_err(|error| self.fault(error.into()))?;
            let skip = next.saturating_sub(first) as usize;
            if first > next {
                break;
            }
            for value in numbers(body).skip(skip).take((range.end - next) as usize) {
                each(next, value);
                next += 1;
            }
        }
        if next < range.end {
            return Err(self.damaged("values of a curve are missing"));
        }
        Ok(())
    }

    /// Writes the extremes of the blocks that `count` values complete and `before` values did not.
    pub fn build(&self, before: u64, count: u64) -> Result<()> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO curve_extremes (run, series, level, at, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for level in 1.. {
            let size = size(level);
            let blocks = before / size..count / size;
            if blocks.is_empty() {
                break;
            }
            let mut whole = vec![Extremes::default(); (blocks.end - blocks.start) as usize];
            let within = blocks.start * size..blocks.end * size;
            let mut take = |at: u64, extremes: &Extremes| {
                if let Some(block) = whole.get_mut((at / size - blocks.start) as usize) {
                    block.merge(extremes);
                }
            };
            if level == 1 {
                self.values(within, |at, value| {
                    let mut one = Extremes::default();
                    one.add(at, value);
                    take(at, &one);
                })?;
            } else {
                self.blocks(level - 1, within, &mut take)?;
            }
            for (at, extremes) in blocks.zip(whole) {
                insert.execute(params![
                    self.run,
                    self.series,
                    level,
                    at,
                    extremes.to_bytes()
                ])?;
            }
        }
        Ok(())
    }

    /// Merges the rows of each block that `count` values complete and `before` values did not. A run appends few values
    /// at a time, and an epoch one; a row for each is slow to read.
    pub fn compact(&self, before: u64, count: u64) -> Result<()> {
        for block in before / BLOCK..count / BLOCK {
            let range = params![self.run, self.series, block * BLOCK, (block + 1) * BLOCK];
            let mut first = None;
            let mut rows = 0;
            let mut whole: Vec<u8> = Vec::new();
            self.connection
                .prepare_cached(
                    "SELECT first, body FROM curve_values WHERE run = ?1 AND series = ?2 AND first >= ?3 AND first < ?4 ORDER BY first",
                )?
                .query_map(range, |row| {
                    first = first.or(Some(row.get::<_, u64>(0)?));
                    rows += 1;
                    whole.extend_from_slice(row.get_ref(1)?.as_blob()?);
                    Ok(())
                })?
                .collect::<rusqlite::Result<()>>()
                .map_err(|error| self.fault(error))?;
            if rows < 2 {
                continue;
            }
            self.connection
                .prepare_cached("DELETE FROM curve_values WHERE run = ?1 AND series = ?2 AND first >= ?3 AND first < ?4")?
                .execute(range)?;
            self.insert(first.unwrap_or(block * BLOCK), &whole)?;
        }
        Ok(())
    }

    /// Calls `each` with the blocks of a level that make up a range, and the ordinals of their first values.
    fn blocks(
        &self,
        level: u32,
        range: std::ops::Range<u64>,
        each: &mut dyn FnMut(u64, &Extremes),
    ) -> Result<()> {
        let size = size(level);
        let mut statement = self.connection.prepare_cached(
            "SELECT at, body FROM curve_extremes WHERE run = ?1 AND series = ?2 AND level = ?3 AND at >= ?4 AND at < ?5
             ORDER BY at",
        )?;
        let (mut next, end) = (range.start / size, range.end / size);
        let mut rows = statement.query(params![self.run, self.series, level, next, end])?;
        while let Some(row) = rows.next()? {
            let at: u64 = row.get(0).map_err(|error| self.fault(error))?;
            let body = row
                .get_ref(1)?
                .as_blob()
                .map_err(|error| self.fault(error.into()))?;
            let extremes = Extremes::from_bytes(body).filter(|_| at == next);
            let extremes = extremes.ok_or_else(|| self.damaged("a block of a curve is damaged"))?;
            each(at * size, &extremes);
            next += 1;
        }
        if next < end {
            return Err(self.damaged("blocks of a curve are missing"));
        }
        Ok(())
    }

    /// Calls `each` with the extremes of consecutive pieces that make up a range, none larger than a block of `level`.
    pub fn pieces(
        &self,
        level: u32,
        range: std::ops::Range<u64>,
        each: &mut dyn FnMut(u64, &Extremes),
    ) -> Result<()> {
        if level == 0 {
            return self.values(range, |at, value| {
                let mut one = Extremes::default();
                one.add(at, value);
                each(at, &one);
            });
        }
        let size = size(level);
        let (start, end) = (range.start.next_multiple_of(size), range.end / size * size);
        if start >= end {
            return self.pieces(level - 1, range, each);
        }
        self.pieces(level - 1, range.start..start, each)?;
        self.blocks(level, start..end, each)?;
        self.pieces(level - 1, end..range.end, each)
    }

    /// The values of a range that are not finite, with their ordinals.
    pub fn holes(&self, range: std::ops::Range<u64>) -> Result<Vec<(u64, f64)>> {
        let mut found = Vec::new();
        self.holes_in(15, range, &mut found)?;
        Ok(found)
    }

    fn holes_in(
        &self,
        level: u32,
        range: std::ops::Range<u64>,
        found: &mut Vec<(u64, f64)>,
    ) -> Result<()> {
        if level == 0 {
            return self.values(range, |at, value| {
                if !value.is_finite() {
                    found.push((at, value));
                }
            });
        }
        let size = size(level);
        let (start, end) = (range.start.next_multiple_of(size), range.end / size * size);
        if start >= end {
            return self.holes_in(level - 1, range, found);
        }
        self.holes_in(level - 1, range.start..start, found)?;
        let mut with_holes = Vec::new();
        self.blocks(level, start..end, &mut |at, extremes| {
            if extremes.holes > 0 {
                with_holes.push(at);
            }
        })?;
        for at in with_holes {
            self.holes_in(level - 1, at..at + size, found)?;
        }
        self.holes_in(level - 1, end..range.end, found)
    }

    /// Truncates the curve to `count` values; `cut` shortens the row with the first removed value to the given number
    /// of values.
    pub fn truncate(&self, count: u64, cut: impl FnOnce(&mut Vec<f64>, usize)) -> Result<()> {
        let last = if count > 0 {
            self.row_at(count - 1)?
        } else {
            None
        };
        self.connection
            .prepare_cached(
                "DELETE FROM curve_values WHERE run = ?1 AND series = ?2 AND first >= ?3",
            )?
            .execute(params![self.run, self.series, count])?;
        if let Some((first, mut body)) = last {
            cut(&mut body, (count - first) as usize);
            let body: Vec<u8> = body.iter().flat_map(|value| value.to_le_bytes()).collect();
            self.connection
                .prepare_cached("UPDATE curve_values SET body = ?4 WHERE run = ?1 AND series = ?2 AND first = ?3")?
                .execute(params![self.run, self.series, first, body])?;
        }
        for level in 1..16 {
            self.connection
                .prepare_cached("DELETE FROM curve_extremes WHERE run = ?1 AND series = ?2 AND level = ?3 AND at >= ?4")?
                .execute(params![self.run, self.series, level, count / size(level)])?;
        }
        Ok(())
    }
}

/// Deletes the curves of a run.
pub fn delete(connection: &Connection, run: i64) -> Result<()> {
    for table in ["curve_values", "curve_extremes"] {
        connection
            .prepare_cached(&format!("DELETE FROM {table} WHERE run = ?1"))?
            .execute([run])?;
    }
    Ok(())
}

fn numbers(body: &[u8]) -> impl Iterator<Item = f64> + '_ {
    body.as_chunks::<8>()
        .0
        .iter()
        .copied()
        .map(f64::from_le_bytes)
}
