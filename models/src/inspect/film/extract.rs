//! Reduces a layer's picture for a frame: some of its tiles, scaled down, with values quantised to bytes between the
//! minimum and the maximum of the tile. The RGB filters of the first layer are kept exactly.

use serde::{Deserialize, Serialize};

use super::fit::Share;
use crate::inspect::{ColourMap, SheetKind, Tile, Tiles};

/// Height and width.
pub(super) type Shape = [usize; 2];

/// A layer's picture in a frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extract {
    /// The layer.
    pub layer: String,
    /// The kind of its tiles.
    pub kind: SheetKind,
    /// The colour map of its values.
    pub map: ColourMap,
    /// 3 for RGB values, else 1.
    pub channels: usize,
    /// Height and width of a tile in the network.
    pub of: [usize; 2],
    /// Tiles in the network.
    pub total: usize,
    /// Height and width of a tile in the frame.
    pub tile: [usize; 2],
    /// The number of tiles in the frame, from the first.
    pub kept: usize,
    /// The number of values; cells after them are empty.
    pub len: usize,
}

/// With its values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct KeptTiles {
    pub(super) metadata: Extract,
    /// Statistics of the tiles in the network.
    pub(super) tiles: Vec<Tile>,
    pub(super) numbers: TileData,
}

/// Tile after tile `[channels, height, width]`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TileData {
    /// 0 is the minimum of the tile, 255 the maximum.
    Bytes(Vec<u8>),
    Exact(Vec<f32>),
}

/// The shape after averaging over squares, for a limited side.
pub(super) fn smaller(of: Shape, side: usize) -> Shape {
    let factor = factor(of, side);
    of.map(|length| length.div_ceil(factor))
}

fn factor(of: Shape, side: usize) -> usize {
    of[0].max(of[1]).div_ceil(side.max(1)).max(1)
}

impl KeptTiles {
    /// Extracts the part of a picture that a frame keeps.
    pub(super) fn of(share: &Share, picture: &Tiles<'_>) -> Self {
        let whole = picture.kind == SheetKind::Heatmap;
        let tiles = if whole {
            vec![matrix(&picture.summaries)]
        } else {
            picture.summaries[..share.count].to_vec()
        };
        let values = tiles.iter().flat_map(|tile| {
            let mut values = if whole {
                strongest(picture, share.tile)
            } else {
                picture.values(tile.index)
            };
            match share.kind {
                SheetKind::Heatmap => {}
                SheetKind::Vector => {
                    values.truncate(share.tile[0] * share.tile[1]);
                    // Empty cells come last.
                    values.retain(|value| !value.is_nan() || tile.min.is_nan());
                }
                _ if share.tile == share.of => {}
                _ => values = means(&values, share.of, share.tile),
            }
            values.into_iter().map(|value| (value, *tile))
        });
        let numbers = if share.exact {
            TileData::Exact(values.map(|(value, _)| value).collect())
        } else {
            TileData::Bytes(values.map(|(value, tile)| byte(value, &tile)).collect())
        };
        Self {
            metadata: Extract {
                layer: share.layer.clone(),
                kind: share.kind,
                map: picture.map,
                channels: share.channels,
                of: share.of,
                total: share.total,
                tile: share.tile,
                kept: share.count,
                len: numbers.len(),
            },
            tiles,
            numbers,
        }
    }

    /// Restores the picture.
    pub(super) fn tiles(&self) -> Tiles<'static> {
        let Extract {
            kind,
            map,
            channels,
            tile,
            ..
        } = self.metadata;
        let size = (channels * tile[0] * tile[1]).max(1);
        let values = match &self.numbers {
            TileData::Exact(values) => values.clone(),
            TileData::Bytes(bytes) => {
                let each = bytes.chunks(size).zip(&self.tiles);
                let mut values: Vec<_> = each
                    .flat_map(|(bytes, tile)| bytes.iter().map(|byte| value(*byte, tile)))
                    .collect();
                values.resize(size * self.tiles.len(), f32::NAN);
                values
            }
        };
        Tiles::of_values(kind, map, channels, tile, self.tiles.clone(), values)
    }
}

impl TileData {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Exact(values) => values.len(),
        }
    }
}

/// The nearest byte; NaN becomes 0.
fn byte(value: f32, tile: &Tile) -> u8 {
    ((value - tile.min) / (tile.max - tile.min) * 255.0).round() as u8
}

fn value(byte: u8, tile: &Tile) -> f32 {
    match byte {
        255 => tile.max,
        _ => tile.min + f32::from(byte) / 255.0 * (tile.max - tile.min),
    }
}

/// Average pooling of values `[channels, …]`.
fn means(values: &[f32], of: Shape, to: Shape) -> Vec<f32> {
    let factor = of[0].div_ceil(to[0]).max(of[1].div_ceil(to[1]));
    let mut means = Vec::with_capacity(values.len() / factor);
    for channel in values.chunks_exact((of[0] * of[1]).max(1)) {
        for row in 0..to[0] {
            for column in 0..to[1] {
                let rows = row * factor..((row + 1) * factor).min(of[0]);
                let columns = column * factor..((column + 1) * factor).min(of[1]);
                let (mut sum, count) = (0.0f32, rows.len() * columns.len());
                for row in rows {
                    sum += channel[row * of[1]..][columns.clone()].iter().sum::<f32>();
                }
                means.push(sum / count.max(1) as f32);
            }
        }
    }
    means
}

/// A matrix scaled down: each cell is the value of its block that is farthest from 0. Means of weights of both signs
/// would cancel.
fn strongest(matrix: &Tiles<'_>, to: Shape) -> Vec<f32> {
    let factors = [0, 1].map(|side| matrix.tile[side].div_ceil(to[side].max(1)).max(1));
    let mut cells = vec![0.0f32; to[0] * to[1]];
    for index in 0..matrix.len() {
        let [[top, _], [left, right]] = matrix.block(index);
        let values = matrix.values(index);
        for (row, values) in values.chunks_exact((right - left).max(1)).enumerate() {
            let cells = &mut cells[(top + row) / factors[0] * to[1]..][..to[1]];
            for (column, value) in values.iter().enumerate() {
                let cell = &mut cells[(left + column) / factors[1]];
                if value.abs() > cell.abs() {
                    *cell = *value;
                }
            }
        }
    }
    cells
}

/// Statistics of a matrix, from those of its blocks.
fn matrix(blocks: &[Tile]) -> Tile {
    let square = |tile: &Tile| f64::from(tile.norm).powi(2);
    let fold = |start: f32, by: fn(f32, f32) -> f32, of: fn(&Tile) -> f32| {
        blocks.iter().map(of).fold(start, by)
    };
    let (min, max) = (
        fold(f32::INFINITY, f32::min, |tile| tile.min),
        fold(f32::NEG_INFINITY, f32::max, |tile| tile.max),
    );
    Tile {
        index: 0,
        norm: blocks.iter().map(square).sum::<f64>().sqrt() as f32,
        // Blocks at the edges are smaller, which does not affect the picture.
        mean: fold(0.0, |a, b| a + b, |tile| tile.mean) / blocks.len().max(1) as f32,
        min,
        max,
        constant: min == max,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_within_half_a_step_of_its_tile() {
        let values = [-1.0, -0.3, 0.0, 0.25, 3.0];
        let tile = Tile::of(0, &values);
        for given in values {
            let back = value(byte(given, &tile), &tile);
            assert!(
                (back - given).abs() <= 4.0 / 255.0 / 2.0 + 1e-6,
                "{given}: {back}"
            );
        }
        assert_eq!(value(byte(-1.0, &tile), &tile), -1.0);
        assert_eq!(value(byte(3.0, &tile), &tile), 3.0);
        let constant = Tile::of(0, &[0.5, 0.5]);
        assert_eq!(value(byte(0.5, &constant), &constant), 0.5);
    }

    #[test]
    fn means_are_of_squares_and_of_what_is_left_at_the_edges() {
        let values = [1.0, 3.0, 10.0, 5.0, 7.0, 20.0, 0.0, 2.0, 9.0];
        assert_eq!(smaller([3, 3], 2), [2, 2]);
        assert_eq!(means(&values, [3, 3], [2, 2]), [4.0, 15.0, 1.0, 9.0]);
        assert_eq!(smaller([32, 32], 32), [32, 32]);
        assert_eq!(smaller([224, 100], 32), [32, 15]);
        assert_eq!(smaller([1, 1], 16), [1, 1]);
    }
}
