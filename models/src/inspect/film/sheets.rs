//! The pages of an inspector, from a frame.

use serde::Serialize;
use utoipa::ToSchema;

use super::Frame;
use super::extract::{Extract, KeptTiles};
use crate::error::{Error, Result};
use crate::inspect::{Scale, Sheet, SheetQuery, Statistics, TileValues, Tiles, ValueSource};

/// The original size of a picture that a frame reduced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reduced {
    /// Tiles in the network.
    pub total: usize,
    /// Height and width of a tile in the network.
    #[schema(min_items = 2, max_items = 2)]
    pub tile: [usize; 2],
}

/// A page of filters.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FilmSheet {
    /// The page of the reduced picture.
    #[serde(flatten)]
    pub sheet: Sheet,
    /// The reduction; `null` if everything is kept.
    pub reduced: Option<Reduced>,
}

/// A page of feature maps of the pinned image.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FilmFeatures {
    /// The page.
    #[serde(flatten)]
    pub film: FilmSheet,
    /// Statistics of all activations of the layer, including omitted ones.
    pub statistics: Statistics,
}

impl Frame {
    /// The layers whose weights the frame shows.
    pub fn filter_layers(&self) -> impl Iterator<Item = &str> {
        self.filters.iter().map(|kept| kept.metadata.layer.as_str())
    }

    /// The layers whose activations the frame shows.
    pub fn feature_layers(&self) -> impl Iterator<Item = &str> {
        self.features
            .iter()
            .map(|kept| kept.metadata.layer.as_str())
    }

    /// The filters of a layer.
    ///
    /// # Errors
    /// [`Error::Setting`] when the frame does not have them.
    pub fn filters(&self, layer: &str) -> Result<Tiles<'static>> {
        Ok(self.filters[place(&self.filters, layer)?].tiles())
    }

    /// The feature maps of a layer for the pinned image.
    ///
    /// # Errors
    /// [`Error::Setting`] when the frame does not have the layer.
    pub fn features(&self, layer: &str) -> Result<Tiles<'static>> {
        Ok(self.features[place(&self.features, layer)?].tiles())
    }

    /// A page of a layer's filters.
    ///
    /// # Errors
    /// [`Error::Setting`] when the frame does not have the layer or the page, or single kernels are requested.
    pub fn filter_sheet(&self, layer: &str, query: &SheetQuery) -> Result<FilmSheet> {
        if query.filter.is_some() {
            let message =
                "single kernels are not in a film; the checkpoints best and last have them";
            return Err(Error::setting("filter", message));
        }
        sheet(&self.filters, place(&self.filters, layer)?, query)
    }

    /// A page of a layer's feature maps for the pinned image.
    ///
    /// # Errors
    /// As [`Frame::filter_sheet`].
    pub fn feature_sheet(&self, layer: &str, query: &SheetQuery) -> Result<FilmFeatures> {
        let place = place(&self.features, layer)?;
        Ok(FilmFeatures {
            film: sheet(&self.features, place, query)?,
            statistics: self.statistics[place].clone(),
        })
    }

    /// The values of one tile, as they are kept.
    ///
    /// # Errors
    /// [`Error::Setting`] when the frame does not have the layer or the tile, or a single kernel is requested.
    pub fn values(&self, layer: &str, of: ValueSource, index: usize) -> Result<TileValues> {
        let kept = match of {
            ValueSource::Filter => &self.filters,
            ValueSource::Feature => &self.features,
            ValueSource::Kernel => {
                let message =
                    "\"kernel\" is not in a film; the checkpoints best and last have them";
                return Err(Error::setting("of", message));
            }
        };
        TileValues::of_tile(&kept[place(kept, layer)?].tiles(), index)
    }
}

fn place(kept: &[KeptTiles], layer: &str) -> Result<usize> {
    let found = kept.iter().position(|kept| kept.metadata.layer == layer);
    found.ok_or_else(|| {
        let message = format!("the film shows nothing of {layer:?} here");
        Error::setting("layer", message)
    })
}

fn sheet(all: &[KeptTiles], place: usize, query: &SheetQuery) -> Result<FilmSheet> {
    let tiles = all[place].tiles();
    let range = match query.scale {
        Scale::Tile => None,
        Scale::Layer => Some(tiles.value_range()),
        Scale::Network => {
            let Extract { kind, map, .. } = all[place].metadata;
            let alike = |kept: &&KeptTiles| (kept.metadata.kind, kept.metadata.map) == (kind, map);
            Some(value_range(all.iter().filter(alike)))
        }
    };
    let Extract {
        of,
        total,
        tile,
        kept,
        ..
    } = all[place].metadata;
    Ok(FilmSheet {
        sheet: tiles.sheet(query, range)?,
        reduced: (of != tile || total != kept).then_some(Reduced { total, tile: of }),
    })
}

/// The range of values of several pictures.
fn value_range<'a>(all: impl Iterator<Item = &'a KeptTiles>) -> [f32; 2] {
    let tiles = all.flat_map(|kept| &kept.tiles);
    tiles.fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], tile| {
        [low.min(tile.min), high.max(tile.max)]
    })
}
