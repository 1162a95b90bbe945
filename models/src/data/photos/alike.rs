//! Finds pictures that are nearly identical, such as the same photo saved at two sizes, or two of a burst.
//!
//! Pictures are candidates when one of eight parts of their hashes is equal. Two hashes that differ in at most seven
//! bits have an equal part, so each picture is compared with a few others only.

use std::collections::HashMap;

use super::fingerprint::Fingerprint;

/// Parts of a hash, of 16 bits each.
const PARTS: usize = 8;

/// The most differing bits. Those with more than seven are mostly found, not always.
const MOST_DISTANCE: u32 = 10;

/// The least correlation of the thumbnails.
const LEAST_CORRELATION: f32 = 0.995;

/// The most candidates of a part, the latest ones: of many pictures that look alike, not every pair is compared.
const MOST_CANDIDATES: usize = 200;

/// A detector of pictures that are nearly identical, which sees them in order.
#[derive(Debug, Default)]
pub(in crate::data) struct Alike {
    prints: Vec<Option<Fingerprint>>,
    /// For each part and its bits, the pictures.
    buckets: HashMap<(usize, u16), Vec<u32>>,
    /// Pictures, each with an earlier one that looks the same.
    pub(in crate::data) pairs: Vec<[u32; 2]>,
}

impl Alike {
    /// Adds the next picture; `None` for one that is known to be identical to an earlier one. Among the pictures that it
    /// resembles, that of the highest `rank` is its pair, then the most similar one.
    pub(in crate::data) fn see(&mut self, print: Option<Fingerprint>, rank: impl Fn(u32) -> u32) {
        let this = self.prints.len() as u32;
        if let Some(print) = print.as_ref().filter(|print| !print.is_blank()) {
            let mut best: Option<(u32, f32, u32)> = None;
            for part in 0..PARTS {
                let bits = (print.hash >> (16 * part)) as u16;
                let bucket = self.buckets.entry((part, bits)).or_default();
                for other in bucket.iter().rev().take(MOST_CANDIDATES) {
                    let Some(Some(before)) = self.prints.get(*other as usize) else {
                        continue;
                    };
                    if print.distance(before) > MOST_DISTANCE {
                        continue;
                    }
                    let similar = print.correlation(before);
                    let found = (rank(*other), similar, *other);
                    if similar >= LEAST_CORRELATION
                        && best.is_none_or(|best| (found.0, found.1) > (best.0, best.1))
                    {
                        best = Some(found);
                    }
                }
                bucket.push(this);
            }
            if let Some((.., other)) = best {
                self.pairs.push([this, other]);
            }
        }
        self.prints.push(print);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Picture;
    use crate::random::Key;

    /// A picture of smooth blobs, as photos are, that depends on a number; with noise of so many levels.
    fn picture(number: u64, noise: u64) -> Picture {
        let mut generator = Key::new(number, "blobs").generator();
        let waves: Vec<[f64; 4]> = (0..12)
            .map(|_| [(); 4].map(|()| generator.below(1000) as f64 / 1000.0))
            .collect();
        let mut noisy = Key::new(noise, "noise").generator();
        let side = 48;
        let mut rgb = Vec::new();
        for i in 0..side * side {
            let (x, y) = ((i % side) as f64 / 48.0, (i / side) as f64 / 48.0);
            let value: f64 = waves
                .iter()
                .map(|[a, b, c, d]| {
                    (30.0 * (a - 0.5) * x + 30.0 * (b - 0.5) * y + 6.3 * c).sin() * d
                })
                .sum();
            let value = 128.0 + 30.0 * value + noisy.below(noise + 1) as f64;
            rgb.extend([value.clamp(0.0, 255.0) as u8; 3]);
        }
        Picture {
            width: side,
            height: side,
            rgb,
        }
    }

    #[test]
    fn noisy_copies_are_found_among_thousands_of_others() {
        let mut alike = Alike::default();
        for number in 0..3000 {
            alike.see(Some(Fingerprint::of(&picture(number, 0))), |_| 0);
        }
        assert_eq!(alike.pairs, Vec::<[u32; 2]>::new(), "all differ");
        for number in 0..60 {
            alike.see(Some(Fingerprint::of(&picture(50 * number, 9))), |_| 0);
        }
        let expected: Vec<_> = (0..60).map(|i| [3000 + i, 50 * i]).collect();
        assert_eq!(alike.pairs, expected);
    }

    #[test]
    fn a_picture_is_paired_by_rank_first() {
        let mut alike = Alike::default();
        for noise in [12, 0, 1] {
            alike.see(Some(Fingerprint::of(&picture(5, noise))), |other| {
                u32::from(other == 0)
            });
        }
        assert_eq!(alike.pairs, [[1, 0], [2, 0]]);
    }

    #[test]
    fn blank_pictures_and_known_copies_have_no_pair() {
        let mut alike = Alike::default();
        let blank = Picture {
            width: 20,
            height: 20,
            rgb: vec![77; 1200],
        };
        alike.see(Some(Fingerprint::of(&blank)), |_| 0);
        alike.see(Some(Fingerprint::of(&blank)), |_| 0);
        alike.see(Some(Fingerprint::of(&picture(1, 0))), |_| 0);
        alike.see(None, |_| 0);
        alike.see(Some(Fingerprint::of(&picture(1, 3))), |_| 0);
        assert_eq!(alike.pairs, [[4, 2]]);
    }
}
