//! A page of a layer's picture: a grid of equal tiles, in which every value is a square of pixels.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::colours::{Canvas, ColourMap};
use super::tiles::{Axes, SheetKind, Tile, Tiles};
use crate::error::{Error, Result};

/// The range of values that the colours span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ColourScale)]
pub enum Scale {
    /// Each tile by itself.
    #[default]
    Tile,
    /// All tiles of the layer.
    Layer,
    /// All layers with the same kind of picture.
    Network,
}

/// The order of the tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TileOrder)]
pub enum Sort {
    /// By index.
    Index,
    /// The largest norm first.
    Norm,
    /// The largest mean first.
    Mean,
    /// The largest mean response to an image first.
    Activation,
}

/// The choice of a page and its drawing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct SheetQuery {
    /// The scale of the colours.
    pub scale: Scale,
    /// The order; by default by norm for filters, by mean for feature maps.
    pub sort: Option<Sort>,
    /// The page, from 0.
    pub page: usize,
    /// The filter whose kernels are shown, instead of all filters.
    pub filter: Option<usize>,
    /// A range for the colours, which overrides the scale.
    pub range: Option<[f32; 2]>,
}

/// The layout of the tiles, in pixels unless stated otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SheetGrid)]
pub struct Grid {
    /// Tiles across.
    pub columns: usize,
    /// Tiles down.
    pub rows: usize,
    /// Values across a tile.
    pub tile_width: usize,
    /// Values down a tile.
    pub tile_height: usize,
    /// Pixels along a side of a value.
    pub zoom: usize,
    /// The gap between tiles.
    pub gap: usize,
    /// The width of the picture.
    pub width: usize,
    /// The height of the picture.
    pub height: usize,
}

/// The gap between tiles: wider for large values, so that small kernels stay apart.
const fn gap(zoom: usize) -> usize {
    2 + zoom / 4
}

/// The zoom, for tiles of about so many pixels; larger for a matrix.
const TILE: usize = 96;
const MATRIX: usize = 768;

/// The most pixels along a side of a value.
const MOST_ZOOM: usize = 16;

impl Grid {
    /// The layout of so many tiles, about as many across as down.
    pub(super) fn new(tiles: usize, [height, width]: [usize; 2], room: usize) -> Self {
        let zoom = (room / height.max(width).max(1)).clamp(1, MOST_ZOOM);
        let mut columns = 1;
        while columns * width * columns * zoom < tiles * height * zoom {
            columns += 1;
        }
        let rows = tiles.div_ceil(columns);
        let gap = gap(zoom);
        let along = |count: usize, side: usize| (count * (side * zoom + gap)).saturating_sub(gap);
        Self {
            columns,
            rows,
            tile_width: width,
            tile_height: height,
            zoom,
            gap,
            width: along(columns, width),
            height: along(rows, height),
        }
    }

    /// The top left corner of a tile: row and column of the picture.
    fn corner(&self, place: usize) -> [usize; 2] {
        let step = |side: usize| side * self.zoom + self.gap;
        [
            place / self.columns * step(self.tile_height),
            place % self.columns * step(self.tile_width),
        ]
    }
}

/// The range of a colour map.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ColourRange)]
pub struct Range {
    /// The value of the lowest colour.
    pub lo: f32,
    /// The value of the highest colour.
    pub hi: f32,
}

/// A page of a picture. The JSON has everything but the pixels.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Sheet {
    /// The kind of the tiles.
    pub kind: SheetKind,
    /// The layout.
    pub sheet: Grid,
    /// The page, from 0.
    pub page: usize,
    /// Pages in all.
    pub pages: usize,
    /// Tiles in all.
    pub total: usize,
    /// Tiles on a full page.
    pub per_page: usize,
    /// The order.
    pub sort: Sort,
    /// The scale of the colours.
    pub scale: Scale,
    /// The range of all colours; `null` if each tile has its own.
    pub range: Option<Range>,
    /// The colour map.
    pub map: ColourMap,
    /// Nine equally spaced colours, from the lowest value to the highest.
    pub legend: Vec<String>,
    /// The tiles of this page, in order.
    pub tiles: Vec<Tile>,
    /// The part of a matrix on the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub axes: Option<Axes>,
    /// The tiles' values and the ranges of their colours.
    #[serde(skip)]
    content: Vec<(Vec<f32>, [f32; 2])>,
}

impl Tiles<'_> {
    /// Makes one page. `range` is the range of values for the query's scale, unless that is the tile.
    ///
    /// # Errors
    /// [`Error::Setting`] when the page or the order does not exist, or the range is invalid.
    pub fn sheet(&self, query: &SheetQuery, range: Option<[f32; 2]>) -> Result<Sheet> {
        let (total, per_page) = (self.len(), self.per_page);
        let pages = total.div_ceil(per_page).max(1);
        if query.page >= pages {
            let message = format!("must be below {pages}, and is {}", query.page);
            return Err(Error::setting("page", message));
        }
        let map = match query.range {
            Some([low, high]) if !(low < high && low.is_finite() && high.is_finite()) => {
                let message = "must be two numbers, the first below the second";
                return Err(Error::setting("range", message));
            }
            // Two pictures side by side share the colour map as well as the range.
            Some([low, _]) if low < 0.0 && self.map == ColourMap::Sequential => {
                ColourMap::Diverging
            }
            _ => self.map,
        };
        let fixed = query.range.map(|range| match map {
            ColourMap::Sequential => range,
            _ => self.colour_range(range, false),
        });
        let range = fixed.or_else(|| range.map(|range| self.colour_range(range, false)));
        let (sort, order) = self.order(query.sort)?;
        let start = query.page * per_page;
        let shown = &order[start.min(total)..(start + per_page).min(total)];
        let content = shown.iter().map(|index| {
            let tile = &self.summaries[*index];
            let own = || self.colour_range([tile.min, tile.max], true);
            (self.values(*index), range.unwrap_or_else(own))
        });
        let first = shown.first().copied().unwrap_or(0);
        let room = match self.kind {
            SheetKind::Heatmap | SheetKind::Vector | SheetKind::Picture => MATRIX,
            _ => TILE,
        };
        Ok(Sheet {
            kind: self.kind,
            sheet: Grid::new(shown.len(), self.size(first), room),
            page: query.page,
            pages,
            total,
            per_page,
            sort,
            scale: query.scale,
            range: range.map(|[lo, hi]| Range { lo, hi }),
            map,
            legend: map.legend(),
            tiles: shown.iter().map(|index| self.summaries[*index]).collect(),
            axes: self.axes(first),
            content: content.collect(),
        })
    }

    /// The tiles' indices in order.
    fn order(&self, sort: Option<Sort>) -> Result<(Sort, Vec<usize>)> {
        let sort = sort.unwrap_or(match self.kind {
            SheetKind::Maps => Sort::Mean,
            SheetKind::Heatmap | SheetKind::Vector | SheetKind::Picture => Sort::Index,
            _ => Sort::Norm,
        });
        let mut order: Vec<usize> = (0..self.len()).collect();
        let of = |index: usize| -> f32 {
            match (sort, &self.activation) {
                (Sort::Norm, _) => self.summaries[index].norm,
                (Sort::Mean, _) => self.summaries[index].mean,
                (Sort::Activation, Some(means)) => means[index],
                _ => 0.0,
            }
        };
        if sort == Sort::Activation && self.activation.is_none() {
            let message = "\"activation\" is for the filters of a convolution, and needs an image";
            return Err(Error::setting("sort", message));
        }
        // A stable sort: equal tiles stay in the order of their indices.
        order.sort_by(|a, b| of(*b).total_cmp(&of(*a)));
        Ok((sort, order))
    }
}

impl Sheet {
    /// The page as a PNG: RGBA, or a palette whose first colour is transparent.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn png(&self) -> Result<Vec<u8>> {
        let grid = &self.sheet;
        let mut canvas = Canvas::new(grid.width.max(1), grid.height.max(1), self.map);
        let size = [grid.tile_height, grid.tile_width];
        for (place, (values, range)) in self.content.iter().enumerate() {
            canvas.tile(values, size, grid.corner(place), grid.zoom, *range);
        }
        canvas.png()
    }
}
