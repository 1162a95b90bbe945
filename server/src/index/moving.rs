//! Cached moving averages of long curves: a curve is read once, not for each chart.
//!
//! An average depends on every earlier value and on a weight that the user chooses, so it cannot be precomputed. The
//! first request reads the curve from its beginning, value by value. The cache keeps, for each block of [`BLOCK`]
//! values, the extremes of the average and its state at the beginning of the block. Any range is drawn from these, to
//! the last value: a part of a block is computed from the state before it, exactly as from the beginning. A curve that
//! has grown is read on from there.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::ema::ExponentialMovingAverage;
use super::extremes::{Extremes, StoredCurve};
use crate::error::Result;

/// Values per block, for which 80 bytes are kept.
pub const BLOCK: u64 = 256;

/// The maximum number of cached blocks of all curves: some 40 MiB.
const MOST_BLOCKS: usize = 500_000;

/// Identifies an average of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key {
    /// The key of the run.
    pub run: i64,
    /// The number of the change that last altered the curves of the run.
    pub made: i64,
    /// The number of the curve.
    pub series: i64,
    /// The weight.
    pub weight: f64,
}

/// An average: complete blocks from the beginning.
#[derive(Debug)]
struct Blocks {
    at_start: Vec<ExponentialMovingAverage>,
    extremes: Vec<Extremes>,
    /// The state after the last of them.
    state: ExponentialMovingAverage,
}

/// The cached averages, the most recently used last.
#[derive(Debug, Default)]
pub struct MovingAverages(Mutex<Vec<(Key, Arc<Mutex<Blocks>>)>>);

impl MovingAverages {
    /// Calls `each` with the extremes of consecutive pieces of the average that make up a range: blocks where the range
    /// has complete ones and `coarse` is set, else single values.
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

    /// The blocks of an average. Concurrent requests for the same one wait for the first and read nothing.
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
    /// Reads up to the last complete block before `end`.
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
        // An earlier read may have been interrupted within a block.
        self.at_start.truncate(self.extremes.len());
        read
    }

    /// The average at each ordinal of a range.
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
