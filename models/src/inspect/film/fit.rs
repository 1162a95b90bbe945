//! Chooses how much of each layer fits in a frame.
//!
//! Reduced in this order, until the rest fits: half the resolution of large tiles, first of layers that repeat a
//! convolution, then of convolutions except the first, the deepest layers first; tiles, of all layers equally; the rest
//! of the resolution; the rest of the tiles; and last, in networks of many hundred layers, whole layers.

use std::cmp::Reverse;

use super::extract::{Shape, smaller};
use crate::inspect::{SheetKind, Tiles};

/// The most filters of a layer.
pub(super) const MOST_FILTERS: usize = 512;

/// The most feature maps of a layer.
pub(super) const MOST_MAPS: usize = 64;

/// The longest side of a feature map.
const SIDE: usize = 32;

/// The most bytes of filters that are kept exactly.
const MOST_EXACT: usize = 64 << 10;

/// The priority of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Priority {
    /// Repeats what another layer shows.
    Repeated,
    /// Shows something new.
    Own,
    /// The pictures that users look at first.
    First,
}

/// The part of one layer's picture that is kept.
#[derive(Clone, Debug)]
pub(super) struct Share {
    pub(super) layer: String,
    pub(super) worth: Priority,
    pub(super) kind: SheetKind,
    pub(super) channels: usize,
    /// The size in the network.
    pub(super) of: Shape,
    pub(super) total: usize,
    /// The size in the frame.
    pub(super) tile: Shape,
    pub(super) count: usize,
    /// Whether values are kept exactly.
    pub(super) exact: bool,
}

impl Share {
    pub(super) fn new(layer: &str, worth: Priority, tiles: &Tiles<'_>, most: usize) -> Self {
        let total = match tiles.kind {
            SheetKind::Heatmap => 1,
            _ => tiles.len(),
        };
        let [height, width] = tiles.tile;
        let exact = total * tiles.channels * height * width * size_of::<f32>();
        let mut share = Self {
            layer: layer.to_owned(),
            worth,
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

    /// Reduces tiles to a resolution: that of feature maps; other pictures scale it as they need.
    fn shrink(&mut self, side: usize) {
        let [rows, columns] = self.of;
        self.tile = match self.kind {
            SheetKind::Maps | SheetKind::Picture => smaller(self.of, side),
            // There are many neurons.
            SheetKind::Neurons => smaller(self.of, side / 2),
            // A matrix is one tile, of at most 64 values along a side; a strip is 64 rows of 64.
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
        // With the statistics of each tile and of the layer's activations, and the metadata.
        self.count * (tile + 16) + 150 + 2 * self.layer.len() + 240
    }
}

fn sum(shares: &[Share]) -> usize {
    shares.iter().map(Share::bytes).sum()
}

/// Reduces pictures until they fit; returns their bytes.
pub(super) fn fit(shares: &mut [Share], budget: usize) -> usize {
    let mut order: Vec<_> = (0..shares.len()).collect();
    order.sort_by_key(|place| (shares[*place].worth, Reverse(*place)));
    for (side, least, up_to) in [
        (SIDE / 2, 8, Priority::Own),
        (SIDE / 4, 4, Priority::First),
        (SIDE / 8, 1, Priority::First),
    ] {
        for place in &order {
            if sum(shares) <= budget {
                return sum(shares);
            }
            if shares[*place].worth <= up_to {
                shares[*place].shrink(side);
            }
        }
        let mut most = shares.iter().map(|share| share.count).max().unwrap_or(0);
        while sum(shares) > budget && most > least {
            most -= 1;
            for share in &mut *shares {
                share.count = share.count.min(most);
            }
        }
    }
    // Keeps every second, fourth or eighth layer.
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

    fn maps(layer: usize, worth: Priority, total: usize, side: usize) -> Share {
        let mut share = Share {
            layer: format!("features.{layer}"),
            worth,
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

    /// Feature maps, and values along a side of each.
    fn kept(shares: &[Share]) -> Vec<(usize, usize)> {
        let pair = |share: &Share| (share.count, share.tile[0]);
        shares.iter().map(pair).collect()
    }

    #[test]
    fn what_shows_something_again_is_smaller_first_and_the_first_layer_last() {
        let all = || {
            vec![
                maps(0, Priority::First, 64, 224),
                maps(1, Priority::Repeated, 64, 224),
                maps(2, Priority::Own, 128, 56),
                maps(3, Priority::Repeated, 128, 56),
                maps(4, Priority::Own, 8, 7),
            ]
        };
        let whole = sum(&all());
        let expected = [
            (0, [(64, 32), (64, 32), (64, 28), (64, 28), (8, 7)]),
            (1, [(64, 32), (64, 32), (64, 28), (64, 14), (8, 7)]),
            (40_000, [(64, 32), (64, 16), (64, 28), (64, 14), (8, 7)]),
            (90_000, [(64, 32), (64, 16), (64, 14), (64, 14), (8, 7)]),
        ];
        for (less, expected) in expected {
            let mut shares = all();
            assert!(fit(&mut shares, whole - less) <= whole - less);
            assert_eq!(kept(&shares), expected, "{less} bytes less");
        }
        let mut shares = all();
        fit(&mut shares, 60_000);
        let counts: Vec<_> = shares.iter().map(|share| share.count).collect();
        assert!((8..64).contains(&counts[0]), "{counts:?}");
        assert_eq!(counts[..4], [counts[0]; 4]);
        assert_eq!((shares[0].tile, counts[4]), ([32, 32], 8));
    }

    #[test]
    fn anything_fits() {
        for layers in [1, 10, 100, 1000] {
            for budget in [2_000, 20_000, 300_000] {
                let share = |layer| maps(layer, Priority::Repeated, 2048, 112);
                let mut shares: Vec<_> = (0..layers).map(share).collect();
                let taken = fit(&mut shares, budget);
                assert!(taken <= budget, "{layers} in {budget}");
                assert!(shares[0].count > 0, "{layers} in {budget}");
            }
        }
    }
}
