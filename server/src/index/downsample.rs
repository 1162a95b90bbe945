//! Downsampling that keeps every extreme.

use std::ops::Range;

use super::extremes::{self, Extremes};
use crate::error::Result;

/// Receives the extremes of consecutive pieces of a range, each with the ordinal of its first value.
type Each<'a> = dyn FnMut(u64, &Extremes) + 'a;

/// Divides a range of a curve into buckets of about equal length and keeps the smallest and the largest value of each,
/// in order, and the first value that is not finite: no spike and no gap is lost. The first and the last point are
/// always kept. A bucket begins with a block of the level that is read.
#[derive(Clone, Debug)]
pub struct Downsampling {
    range: Range<u64>,
    points: u64,
    stretches: u64,
}

impl Downsampling {
    /// Downsamples a range to about `points` points.
    pub fn of(range: Range<u64>, points: usize) -> Self {
        let points = points as u64;
        Self {
            range,
            points,
            stretches: (points.saturating_sub(2) / 2).max(1),
        }
    }

    fn total(&self) -> u64 {
        self.range.end - self.range.start
    }

    fn keeps_all(&self) -> bool {
        self.total() <= self.points.max(2)
    }

    /// The approximate number of values per bucket.
    pub fn each(&self) -> u64 {
        if self.keeps_all() {
            1
        } else {
            self.total() / self.stretches
        }
    }

    /// Calls `each` with the extremes of every bucket that has values. `pieces` reads the range in pieces of at most
    /// the given level.
    pub fn stretches(
        &self,
        pieces: impl FnOnce(u32, &mut Each<'_>) -> Result<()>,
        mut each: impl FnMut(&Extremes),
    ) -> Result<()> {
        let (mut stretch, mut sum) = (0, Extremes::default());
        let total = u128::from(self.total().max(1));
        pieces(extremes::level_of(self.each()), &mut |at, piece| {
            let of = u128::from(at - self.range.start) * u128::from(self.stretches) / total;
            if of != stretch {
                each(&std::mem::take(&mut sum));
                stretch = of;
            }
            sum.merge(piece);
        })?;
        each(&sum);
        Ok(())
    }

    /// The kept ordinals, ascending, with their values. `value` reads one value.
    pub fn kept(
        &self,
        pieces: impl FnOnce(u32, &mut Each<'_>) -> Result<()>,
        value: impl Fn(u64) -> Result<f64>,
    ) -> Result<Vec<(u64, f64)>> {
        let mut kept: Vec<(u64, f64)> = Vec::new();
        if self.range.is_empty() {
            return Ok(kept);
        }
        let point = |at: u64, one: &Extremes| (at, one.low.map_or(f64::NAN, |(_, value)| value));
        if self.keeps_all() {
            pieces(0, &mut |at, one| kept.push(point(at, one)))?;
            return Ok(kept);
        }
        let (first, last) = (self.range.start, self.range.end - 1);
        kept.push((first, value(first)?));
        self.stretches(pieces, |stretch| {
            let hole = stretch.hole.map(|at| (at, f64::NAN));
            let mut found = [stretch.low, stretch.high, hole];
            found.sort_unstable_by_key(|found| found.map(|(at, _)| at));
            for (at, value) in found.into_iter().flatten() {
                if kept.last().is_none_or(|&(before, _)| before < at) {
                    kept.push((at, value));
                }
            }
        })?;
        if kept.last().is_some_and(|&(at, _)| at < last) {
            kept.push((last, value(last)?));
        }
        Ok(kept)
    }

    /// The ordinals of the first and the last value of every bucket.
    pub fn ends(&self) -> impl Iterator<Item = u64> + use<> {
        let (start, total, all) = (self.range.start, self.total(), self.keeps_all());
        let stretches = if all { total } else { self.stretches };
        let begin = move |stretch: u64| {
            start + (u128::from(stretch) * u128::from(total) / u128::from(stretches.max(1))) as u64
        };
        (0..stretches).flat_map(move |stretch| {
            let (first, last) = (begin(stretch), begin(stretch + 1) - 1);
            [Some(first), (last > first).then_some(last)]
                .into_iter()
                .flatten()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Downsamples values in memory, read in pieces of a level.
    fn thin(y: &[f64], points: usize) -> Vec<usize> {
        let whole = 0..y.len() as u64;
        let pieces = |level: u32, each: &mut Each<'_>| {
            for at in whole.clone().step_by(extremes::size(level) as usize) {
                let mut piece = Extremes::default();
                let end = (at + extremes::size(level)).min(whole.end);
                (at..end).for_each(|i| piece.add(i, y[i as usize]));
                each(at, &piece);
            }
            Ok(())
        };
        let kept = Downsampling::of(whole.clone(), points).kept(pieces, |at| Ok(y[at as usize]));
        let kept = kept.unwrap();
        for (at, value) in &kept {
            let y = y[*at as usize];
            assert!(y == *value || y.is_nan() && value.is_nan(), "{at}");
        }
        kept.into_iter().map(|(at, _)| at as usize).collect()
    }

    #[test]
    fn thinning_keeps_every_extreme_every_hole_and_both_ends() {
        let mut y: Vec<_> = (0..100_000).map(|i| (i as f64 * 0.01).sin()).collect();
        y[31_415] = 99.0;
        y[27_182] = -99.0;
        y[50_000] = f64::NAN;
        let kept = thin(&y, 1000);
        assert!(kept.len() <= 1003);
        assert!(kept.is_sorted_by(|a, b| a < b));
        for at in [0, 27_182, 31_415, 50_000, 99_999] {
            assert!(kept.contains(&at), "{at}");
        }
    }

    #[test]
    fn a_single_spike_stays_wherever_it_is_and_however_few_points_are_asked_for() {
        for at in [0, 1, 499_999, 500_000, 777_777, 999_998, 999_999] {
            let mut y = vec![0.5; 1_000_000];
            y[at] = 0.75;
            for points in [2, 3, 100, 4096] {
                assert!(thin(&y, points).contains(&at), "{at} of {points} points");
            }
        }
    }

    #[test]
    fn few_points_stay_as_they_are() {
        assert_eq!(thin(&[1.0, f64::NAN, 2.0], 1000), [0, 1, 2]);
        assert!(thin(&[], 1000).is_empty());
        assert_eq!(thin(&[f64::NAN; 5], 2), [0, 4]);
    }

    #[test]
    fn the_ends_of_stretches_are_in_order_and_are_all_where_few() {
        for (total, points) in [
            (0, 10),
            (1, 10),
            (10, 10),
            (11, 10),
            (1000, 10),
            (1_000_003, 500),
        ] {
            let ends: Vec<_> = Downsampling::of(5..5 + total, points).ends().collect();
            assert!(ends.is_sorted_by(|a, b| a < b) && ends.len() <= points);
            assert_eq!(ends.len() as u64, total.min(ends.len() as u64));
            assert_eq!(ends.first().copied(), (total > 0).then_some(5));
            assert_eq!(ends.last().copied(), (total > 0).then_some(total + 4));
        }
    }
}
