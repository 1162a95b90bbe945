//! How much of which layer a frame has room for.
//!
//! What is given up, in this order, until the rest fits: the resolution of large tiles, the deepest layer first, down to
//! a quarter of what is kept at best; tiles, from all layers alike; the rest of the resolution, the rest of the tiles;
//! and last, in networks of many hundred layers, whole layers.

use super::extract::{Shape, smaller};
use crate::inspect::{SheetKind, Tiles};

/// The most filters of a layer.
pub(super) const MOST_FILTERS: usize = 512;

/// The most feature maps of a layer.
pub(super) const MOST_MAPS: usize = 64;

/// The longest side of a feature map.
const SIDE: usize = 32;

/// The most bytes of filters that are kept as they are.
const MOST_EXACT: usize = 64 << 10;

/// What is kept of one layer's picture.
#[derive(Clone, Debug)]
pub(super) struct Share {
    pub(super) layer: String,
    pub(super) kind: SheetKind,
    pub(super) channels: usize,
    /// In the network.
    pub(super) of: Shape,
    pub(super) total: usize,
    /// Here.
    pub(super) tile: Shape,
    pub(super) count: usize,
    /// Whether values are kept as they are.
    pub(super) exact: bool,
}

impl Share {
    pub(super) fn new(layer: &str, tiles: &Tiles<'_>, most: usize) -> Self {
        let total = match tiles.kind {
            SheetKind::Heatmap => 1,
            _ => tiles.len(),
        };
        let [height, width] = tiles.tile;
        let exact = total * tiles.channels * height * width * size_of::<f32>();
        let mut share = Self {
            layer: layer.to_owned(),
            kind: tiles.kind,
            channels: tiles.channels,
            of: tiles.tile,
            total,
            tile: tiles.tile,
            count: total.min(most),
            exact: tiles.kind == SheetKind::Rgb && total <= most && exact <= MOST_EXACT,
        };
        share.shrink(SIDE);
        share
    }

    /// Makes tiles smaller, where maps are to have at most so many values along a side; other pictures have more or
    /// less, as they need.
    fn shrink(&mut self, side: usize) {
        let [rows, columns] = self.of;
        self.tile = match self.kind {
            SheetKind::Maps | SheetKind::Picture => smaller(self.of, side),
            // Neurons are many.
            SheetKind::Neurons => smaller(self.of, side / 2),
            // A matrix has but one tile, 64 values a side at best; a strip, 64 rows of 64.
            SheetKind::Heatmap => self
                .of
                .map(|length| length.div_ceil(length.div_ceil(2 * side))),
            SheetKind::Vector => [rows.min(2 * side), columns],
            SheetKind::Rgb if self.exact => self.of,
            SheetKind::Rgb | SheetKind::Kernels | SheetKind::Norms => smaller(self.of, 16),
        };
    }

    /// Bytes on disk.
    pub(super) fn bytes(&self) -> usize {
        if self.count == 0 {
            return 0;
        }
        let value = if self.exact { 4 } else { 1 };
        let tile = self.channels * self.tile[0] * self.tile[1] * value;
        // With what is said of each tile, of the layer's activations, and of the picture in the file's head.
        self.count * (tile + 16) + 150 + 2 * self.layer.len() + 240
    }
}

fn sum(shares: &[Share]) -> usize {
    shares.iter().map(Share::bytes).sum()
}

/// Gives up what does not fit; says how many bytes the rest takes.
pub(super) fn fit(shares: &mut [Share], budget: usize) -> usize {
    for (side, least) in [(SIDE / 2, 8), (SIDE / 4, 4), (SIDE / 8, 1)] {
        for place in (0..shares.len()).rev() {
            if sum(shares) <= budget {
                return sum(shares);
            }
            shares[place].shrink(side);
        }
        let mut most = shares.iter().map(|share| share.count).max().unwrap_or(0);
        while sum(shares) > budget && most > least {
            most -= 1;
            for share in &mut *shares {
                share.count = share.count.min(most);
            }
        }
    }
    // Every second, fourth, eighth layer stays.
    let mut stride = 2;
    while sum(shares) > budget && stride <= 2 * shares.len() {
        let left = |(place, _): &(usize, &mut Share)| place % stride != 0;
        let out = shares.iter_mut().enumerate().filter(left);
        out.for_each(|(_, share)| share.count = 0);
        stride *= 2;
    }
    sum(shares)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maps(layer: usize, total: usize, side: usize) -> Share {
        let mut share = Share {
            layer: format!("features.{layer}"),
            kind: SheetKind::Maps,
            channels: 1,
            of: [side, side],
            total,
            tile: [side, side],
            count: total.min(MOST_MAPS),
            exact: false,
        };
        share.shrink(SIDE);
        share
    }

    /// Maps, and values along a side of each.
    fn kept(shares: &[Share]) -> Vec<(usize, usize)> {
        shares
            .iter()
            .map(|share| (share.count, share.tile[0]))
            .collect()
    }

    #[test]
    fn what_fits_is_kept_and_deep_maps_are_the_first_to_be_smaller() {
        let all = || vec![maps(0, 64, 224), maps(1, 128, 56), maps(2, 8, 7)];
        let mut shares = all();
        fit(&mut shares, usize::MAX);
        assert_eq!(kept(&shares), [(64, 32), (64, 28), (8, 7)]);
        let whole = sum(&shares);
        for (budget, expected) in [
            (whole, [(64, 32), (64, 28), (8, 7)]),
            (whole - 1, [(64, 32), (64, 14), (8, 7)]),
            (70_000, [(64, 16), (64, 14), (8, 7)]),
        ] {
            let mut shares = all();
            fit(&mut shares, budget);
            assert_eq!(kept(&shares), expected, "{budget}");
        }
        let mut shares = all();
        fit(&mut shares, 20_000);
        let (count, side) = kept(&shares)[0];
        assert_eq!(kept(&shares), [(count, side), (count, 14), (8, 7)]);
        assert!((8..64).contains(&count) && side == 16, "{shares:?}");
    }

    #[test]
    fn anything_fits() {
        for layers in [1, 10, 100, 1000] {
            for budget in [2_000, 20_000, 300_000] {
                let mut shares: Vec<_> = (0..layers).map(|i| maps(i, 2048, 112)).collect();
                fit(&mut shares, budget);
                assert!(sum(&shares) <= budget, "{layers} in {budget}");
                assert!(shares[0].count > 0, "{layers} in {budget}");
            }
        }
    }
}
