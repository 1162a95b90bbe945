//! A best-fit free list: an allocation takes the shortest free range that is long enough. Long ranges so stay whole.

use std::collections::{BTreeMap, BTreeSet};

/// Ranges start and end at multiples of this, which is both a cache line and an AVX-512 vector.
pub(super) const LINE: usize = 64;

/// The free ranges of a space. Adjacent ones are merged.
#[derive(Debug)]
pub(super) struct Fit {
    /// The length of each range by its start.
    lengths: BTreeMap<usize, usize>,
    /// The ranges as (length, start), in order of length.
    by_length: BTreeSet<(usize, usize)>,
    /// The offset from which nothing has been allocated yet.
    untouched: usize,
}

/// An allocated range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) start: usize,
    /// Whether no byte of it has been allocated before.
    pub(super) fresh: bool,
}

impl Fit {
    /// A space that is entirely free.
    pub(super) fn new(len: usize) -> Self {
        let mut fit = Self {
            lengths: BTreeMap::new(),
            by_length: BTreeSet::new(),
            untouched: 0,
        };
        fit.put(0, len - len % LINE);
        fit
    }

    /// Allocates a range of at least `len` bytes; `None` if no free range is long enough.
    pub(super) fn take(&mut self, len: usize) -> Option<Part> {
        let len = whole(len)?;
        let (free, start) = *self.by_length.range((len, 0)..).next()?;
        self.remove(start, free);
        if free > len {
            self.put(start + len, free - len);
        }
        let fresh = start >= self.untouched;
        self.untouched = self.untouched.max(start + len);
        Some(Part { start, fresh })
    }

    /// Frees a range that was allocated for `len` bytes.
    pub(super) fn give(&mut self, mut start: usize, len: usize) {
        let Some(mut len) = whole(len) else { return };
        if let Some(after) = self.lengths.get(&(start + len)).copied() {
            self.remove(start + len, after);
            len += after;
        }
        let before = self.lengths.range(..start).next_back();
        if let Some((at, before)) = before.map(|(at, len)| (*at, *len))
            && at + before == start
        {
            self.remove(at, before);
            start = at;
            len += before;
        }
        self.put(start, len);
    }

    fn put(&mut self, start: usize, len: usize) {
        self.lengths.insert(start, len);
        self.by_length.insert((len, start));
    }

    fn remove(&mut self, start: usize, len: usize) {
        self.lengths.remove(&start);
        self.by_length.remove(&(len, start));
    }
}

/// The length of the range for `len` bytes.
pub(super) fn whole(len: usize) -> Option<usize> {
    len.max(1).checked_next_multiple_of(LINE)
}

#[cfg(test)]
mod tests {
    use vivarium_models::random::Key;

    use super::*;

    const SPACE: usize = 1 << 20;

    fn start(part: Option<Part>) -> usize {
        part.unwrap().start
    }

    #[test]
    fn the_shortest_part_that_is_long_enough_is_taken() {
        let mut fit = Fit::new(SPACE);
        let parts = [640, 64, 1280, 64, 320, 64].map(|len| start(fit.take(len)));
        assert_eq!(parts, [0, 640, 704, 1984, 2048, 2368]);
        for (start, len) in [(0, 640), (704, 1280), (2048, 320)] {
            fit.give(start, len);
        }
        assert_eq!(start(fit.take(300)), 2048);
        assert_eq!(start(fit.take(300)), 0);
        assert_eq!(start(fit.take(1000)), 704);
        assert_eq!(start(fit.take(SPACE / 2)), 2432);
        assert_eq!(fit.take(SPACE / 2), None);
        assert_eq!(fit.take(usize::MAX), None);
    }

    #[test]
    fn what_was_never_taken_before_is_said_to_be_fresh() {
        let mut fit = Fit::new(SPACE);
        let first = fit.take(100).unwrap();
        assert!(first.fresh);
        fit.give(first.start, 100);
        assert!(!fit.take(64).unwrap().fresh);
        // Partly used.
        assert!(!fit.take(256).unwrap().fresh);
        assert!(fit.take(256).unwrap().fresh);
    }

    #[test]
    fn parts_never_overlap_and_all_is_one_again_when_all_was_given_back() {
        let mut fit = Fit::new(SPACE);
        let mut generator = Key::new(7, "parts").generator();
        let mut taken: Vec<(usize, usize)> = Vec::new();
        let mut refused = 0;
        for _ in 0..20_000 {
            if generator.below(100) < 52 {
                let most = 1 << generator.below(17);
                let len = generator.below(most) as usize;
                let Some(part) = fit.take(len) else {
                    refused += 1;
                    continue;
                };
                let end = part.start + whole(len).unwrap();
                assert!(part.start.is_multiple_of(LINE) && end <= SPACE);
                for (start, len) in &taken {
                    let apart = end <= *start || part.start >= start + whole(*len).unwrap();
                    assert!(apart, "{part:?} of {len} over {start}");
                }
                taken.push((part.start, len));
            } else if !taken.is_empty() {
                let (start, len) = taken.swap_remove(generator.below(taken.len() as u64) as usize);
                fit.give(start, len);
            }
        }
        assert!(
            refused > 10 && taken.len() > 10,
            "{refused} {}",
            taken.len()
        );
        taken
            .into_iter()
            .for_each(|(start, len)| fit.give(start, len));
        assert_eq!(fit.lengths, BTreeMap::from([(0, SPACE)]));
        assert_eq!(fit.by_length, BTreeSet::from([(SPACE, 0)]));
    }
}
