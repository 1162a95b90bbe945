//! Moving averages of long curves, kept so that a curve is read once and not for each look at it.
//!
//! An average at a place follows from every value before it, for a weight that anybody may choose: no extremes that
//! were written beforehand tell it. So the first who asks has the curve read from its beginning, value by value; what
//! is kept of that is, for each block of [`BLOCK`] values, the extremes of the average in it, and the average's state at
//! its beginning. From these any stretch is drawn, to the last value: a part of a block is computed from the state
//! before it, exactly as from the beginning. A curve that grew is read on from where it was.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::ema::ExponentialMovingAverage;
use super::extremes::{Extremes, StoredCurve};
use crate::error::Result;

/// Values in a block: 80 bytes are kept for each.
pub const BLOCK: u64 = 256;

/// Blocks that are kept of all curves together: some 40 MiB.
const MOST_BLOCKS: usize = 500_000;

/// Which average of which curve. `made` is the number of the change with which the curve's run was last begun anew.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key {
    /// The run's key.
    pub run: i64,
    /// See above.
    pub made: i64,
    /// Which of its curves.
    pub series: i64,
    /// The weight.
    pub weight: f64,
}

/// One average: whole blocks from the beginning.
#[derive(Debug)]
struct Blocks {
    at_start: Vec<ExponentialMovingAverage>,
    extremes: Vec<Extremes>,
    /// After the last of them.
    state: ExponentialMovingAverage,
}

/// The averages that are kept, the last used last.
#[derive(Debug, Default)]
pub struct MovingAverages(Mutex<Vec<(Key, Arc<Mutex<Blocks>>)>>);

impl MovingAverages {
    /// Calls `each` with the extremes of pieces of the average that make up a range in order: of blocks where the range
    /// has whole ones and `coarse` is wanted, of single values elsewhere.
    pub fn pieces(
        &self,
        curve: &StoredCurve<'_>,
        key: Key,
        range: Range<u64>,
        coarse: bool,
        each: &mut dyn FnMut(u64, &Extremes),
    ) -> Result<()> {
        let shared = self.of(key);
        let mut blocks = shared.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.extend(curve, range.end)?;
        let (start, end) = (
            range.start.next_multiple_of(BLOCK),
            range.end / BLOCK * BLOCK,
        );
        if !coarse || start >= end {
            blocks.singly(curve, range, each)?;
        } else {
            blocks.singly(curve, range.start..start, each)?;
            for block in start / BLOCK..end / BLOCK {
                if let Some(extremes) = blocks.extremes.get(block as usize) {
                    each(block * BLOCK, extremes);
                }
            }
            blocks.singly(curve, end..range.end, each)?;
        }
        let kept = blocks.extremes.len();
        drop(blocks);
        self.make_room(key, kept);
        Ok(())
    }

    /// Whoever wants the same one waits for who was first, and reads nothing.
    fn of(&self, key: Key) -> Arc<Mutex<Blocks>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match all.iter().position(|(known, _)| *known == key) {
            Some(at) => all.remove(at).1,
            None => Arc::new(Mutex::new(Blocks {
                at_start: Vec::new(),
                extremes: Vec::new(),
                state: ExponentialMovingAverage::new(key.weight),
            })),
        };
        all.push((key, Arc::clone(&found)));
        found
    }

    fn make_room(&self, newest: Key, kept: usize) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut total = kept;
        let mut stays = Vec::new();
        for (key, blocks) in all.iter().rev().filter(|(key, _)| *key != newest) {
            // One that is being read is in use.
            total += blocks.try_lock().map_or(0, |blocks| blocks.extremes.len());
            stays.push((*key, total <= MOST_BLOCKS));
        }
        all.retain(|(known, _)| {
            let stays = stays.iter().find(|(key, _)| key == known);
            stays.is_none_or(|(_, stays)| *stays)
        });
    }
}

impl Blocks {
    /// Reads on to the last whole block before `end`.
    fn extend(&mut self, curve: &StoredCurve<'_>, end: u64) -> Result<()> {
        let known = self.extremes.len() as u64 * BLOCK;
        let whole = end / BLOCK * BLOCK;
        if whole <= known {
            return Ok(());
        }
        let (mut state, mut block) = (self.state, Extremes::default());
        let read = curve.values(known..whole, |at, value| {
            if at % BLOCK == 0 {
                self.at_start.push(state);
            }
            block.add(at, state.next(value));
            if at % BLOCK == BLOCK - 1 {
                self.extremes.push(std::mem::take(&mut block));
                self.state = state;
            }
        });
        // Reading may have been broken off in the middle of a block.
        self.at_start.truncate(self.extremes.len());
        read
    }

    /// The average at each place of a range.
    fn singly(
        &self,
        curve: &StoredCurve<'_>,
        range: Range<u64>,
        each: &mut dyn FnMut(u64, &Extremes),
    ) -> Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        let block = range.start / BLOCK;
        let (mut state, from) = match self.at_start.get(block as usize) {
            Some(state) => (*state, block * BLOCK),
            None => (self.state, self.extremes.len() as u64 * BLOCK),
        };
        curve.values(from..range.end, |at, value| {
            let value = state.next(value);
            if at >= range.start {
                let mut one = Extremes::default();
                one.add(at, value);
                each(at, &one);
            }
        })
    }
}
