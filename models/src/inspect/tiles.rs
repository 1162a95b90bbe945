//! A layer's picture, tile by tile.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::colours::ColourMap;

/// The kind of a picture's tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SheetKind {
    /// RGB filters.
    Rgb,
    /// Single kernels.
    Kernels,
    /// Norms of filters over their inputs, for each tap of the kernel.
    Norms,
    /// A block of a matrix of weights: a row for each output, a column for each input.
    Heatmap,
    /// Weights of neurons, in the shape of their input image.
    Neurons,
    /// Feature maps.
    Maps,
    /// Values without spatial dimensions, 64 per row.
    Vector,
    /// The image itself.
    Picture,
}

/// Values along a side of a block of a matrix.
pub(super) const BLOCK: usize = 256;

/// Statistics of one tile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Tile {
    /// The index of the filter, kernel or feature map.
    pub index: usize,
    /// The square root of the sum of its squares.
    pub norm: f32,
    /// The mean of its values.
    pub mean: f32,
    /// The minimum.
    pub min: f32,
    /// The maximum.
    pub max: f32,
    /// Whether it is constant, and so carries no information; for a single value, whether that is 0.
    pub constant: bool,
}

impl Tile {
    /// Statistics of a tile, without NaN cells.
    pub fn of(index: usize, values: &[f32]) -> Self {
        let (mut min, mut max) = (f32::INFINITY, f32::NEG_INFINITY);
        let (mut sum, mut squares, mut count) = (0.0f64, 0.0f64, 0usize);
        for value in values.iter().filter(|value| !value.is_nan()) {
            min = min.min(*value);
            max = max.max(*value);
            let value = f64::from(*value);
            sum += value;
            squares += value * value;
            count += 1;
        }
        if count == 0 {
            (min, max) = (f32::NAN, f32::NAN);
        }
        Self {
            index,
            norm: squares.sqrt() as f32,
            mean: (sum / count.max(1) as f64) as f32,
            min,
            max,
            constant: if count == 1 { min == 0.0 } else { min == max },
        }
    }
}

/// The part of a matrix that a block shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SheetAxes)]
pub struct Axes {
    /// The columns.
    pub x: Axis,
    /// The rows.
    pub y: Axis,
}

/// The range of a block along one dimension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SheetAxis)]
pub struct Axis {
    /// `input` or `output`.
    pub name: &'static str,
    /// The first index.
    pub from: usize,
    /// One past the last index.
    pub to: usize,
    /// The size of the whole dimension.
    pub of: usize,
}

/// Returns the values of a tile, `[channels, height, width]`.
type Source<'a> = Box<dyn Fn(usize) -> Vec<f32> + Send + Sync + 'a>;

/// All tiles of a layer's picture. Values are fetched on demand.
pub struct Tiles<'a> {
    /// The kind of the tiles.
    pub kind: SheetKind,
    /// The colour map of the values.
    pub map: ColourMap,
    /// 3 for RGB values, else 1.
    pub channels: usize,
    /// Height and width of a tile; of a matrix, those of the whole.
    pub tile: [usize; 2],
    /// Statistics of each tile, by index.
    pub summaries: Cow<'a, [Tile]>,
    /// The response of each filter to an image, if there is one.
    pub(super) activation: Option<Vec<f32>>,
    pub(super) per_page: usize,
    source: Source<'a>,
}

impl std::fmt::Debug for Tiles<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, tile, .. } = self;
        write!(f, "{} {kind:?} of {tile:?}", self.len())
    }
}

impl<'a> Tiles<'a> {
    pub(super) fn new(
        kind: SheetKind,
        map: ColourMap,
        channels: usize,
        tile: [usize; 2],
        source: Source<'a>,
    ) -> Self {
        let small = tile[0].max(tile[1]) <= 8;
        Self {
            kind,
            map,
            channels,
            tile,
            summaries: Cow::Borrowed(&[]),
            activation: None,
            per_page: match kind {
                SheetKind::Heatmap => 1,
                _ if small => 256,
                _ => 64,
            },
            source,
        }
    }

    /// A picture with its values in memory, tile after tile `[channels, height, width]`, as from a film.
    pub fn of_values(
        kind: SheetKind,
        map: ColourMap,
        channels: usize,
        tile: [usize; 2],
        summaries: Vec<Tile>,
        values: Vec<f32>,
    ) -> Tiles<'static> {
        let size = channels * tile[0] * tile[1];
        let source = Box::new(move |index: usize| {
            let values = values.get(index * size..(index + 1) * size);
            values.map_or_else(|| vec![f32::NAN; size], <[f32]>::to_vec)
        });
        Tiles {
            summaries: Cow::Owned(summaries),
            ..Tiles::new(kind, map, channels, tile, source)
        }
    }

    /// The number of tiles.
    pub fn len(&self) -> usize {
        match self.kind {
            SheetKind::Heatmap => self.blocks().into_iter().product(),
            _ => self.summaries.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of blocks of a matrix, down and across.
    fn blocks(&self) -> [usize; 2] {
        self.tile.map(|side| side.div_ceil(BLOCK))
    }

    /// The row range and the column range of a block of a matrix.
    pub(super) fn block(&self, index: usize) -> [[usize; 2]; 2] {
        let across = self.blocks()[1].max(1);
        let place = [index / across, index % across];
        [0, 1].map(|side| {
            let from = place[side] * BLOCK;
            [from, (from + BLOCK).min(self.tile[side])]
        })
    }

    /// The part of a matrix in a tile.
    pub(super) fn axes(&self, index: usize) -> Option<Axes> {
        let [rows, columns] = self.block(index);
        let axis = |name, [from, to]: [usize; 2], of| Axis { name, from, to, of };
        (self.kind == SheetKind::Heatmap).then(|| Axes {
            x: axis("input", columns, self.tile[1]),
            y: axis("output", rows, self.tile[0]),
        })
    }

    /// Height and width of one tile.
    pub fn size(&self, index: usize) -> [usize; 2] {
        match self.kind {
            SheetKind::Heatmap => self.block(index).map(|[from, to]| to - from),
            _ => self.tile,
        }
    }

    /// The values of one tile, `[channels, height, width]`; empty cells are NaN.
    pub fn values(&self, index: usize) -> Vec<f32> {
        (self.source)(index)
    }

    /// Computes the statistics of so many tiles.
    pub(super) fn measure(&self, count: usize) -> Vec<Tile> {
        (0..count)
            .map(|index| Tile::of(index, &self.values(index)))
            .collect()
    }

    /// The minimum and the maximum of all values.
    pub(super) fn value_range(&self) -> [f32; 2] {
        let start = [f32::INFINITY, f32::NEG_INFINITY];
        self.summaries.iter().fold(start, |[low, high], tile| {
            [low.min(tile.min), high.max(tile.max)]
        })
    }

    /// The range of the colours for values from `low` to `high`: symmetric about 0 for a diverging colour map, and from
    /// 0 for norms.
    pub(super) fn colour_range(&self, [low, high]: [f32; 2], one_tile: bool) -> [f32; 2] {
        let most = low.abs().max(high.abs());
        match (self.kind, self.map) {
            (SheetKind::Picture, _) => [0.0, 1.0],
            (_, ColourMap::Diverging | ColourMap::Rgb) => [-most, most],
            (SheetKind::Norms, _) if !one_tile => [0.0, high],
            _ => [low, high],
        }
    }
}
