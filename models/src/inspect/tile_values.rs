//! The values of one tile.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::layers::LayerKind;
use super::recording::Recording;
use super::tiles::{Tile, Tiles};
use super::{Inspector, check_index};
use crate::error::{Error, Result};

/// The source of a tile's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValueSource {
    /// A tile of the weights' picture.
    Filter,
    /// A kernel of a filter.
    Kernel,
    /// A feature map.
    Feature,
}

/// The values of one tile.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TileValues {
    /// `[height, width]`, or `[3, height, width]`.
    pub shape: Vec<usize>,
    /// The values, row by row; empty cells are NaN, which is `null` in JSON.
    #[schema(value_type = Vec<Option<f32>>)]
    pub values: Vec<f32>,
    /// The minimum.
    pub min: f32,
    /// The maximum.
    pub max: f32,
    /// The mean.
    pub mean: f32,
    /// The square root of the sum of squares.
    pub norm: f32,
}

impl TileValues {
    fn of(shape: Vec<usize>, values: Vec<f32>) -> Self {
        let Tile {
            norm,
            mean,
            min,
            max,
            ..
        } = Tile::of(0, &values);
        Self {
            shape,
            values,
            min,
            max,
            mean,
            norm,
        }
    }

    pub(super) fn of_tile(tiles: &Tiles<'_>, index: usize) -> Result<Self> {
        check_index("index", index, tiles.len())?;
        let mut shape = tiles.size(index).to_vec();
        if tiles.channels > 1 {
            shape.insert(0, tiles.channels);
        }
        Ok(Self::of(shape, tiles.values(index)))
    }
}

impl Inspector {
    /// The values of the tile `index`; `input` chooses the kernel of a filter. For the input layer they are those of
    /// the normalised image.
    ///
    /// # Errors
    /// [`Error::Setting`] when the layer, tile or kernel does not exist, or a feature map is requested without a recording.
    pub fn values(
        &self,
        recording: Option<&Recording>,
        layer: &str,
        of: ValueSource,
        index: usize,
        input: Option<usize>,
    ) -> Result<TileValues> {
        match of {
            ValueSource::Filter => TileValues::of_tile(&self.filters(layer)?, index),
            ValueSource::Kernel => {
                TileValues::of_tile(&self.kernels(layer, index)?, input.unwrap_or(0))
            }
            ValueSource::Feature => {
                let Some(recording) = recording else {
                    return Err(Error::setting("image", "is needed for feature maps"));
                };
                let tiles = self.features(recording, layer)?;
                let numbers = TileValues::of_tile(&tiles, index)?;
                let sees = self.layer(layer)?.kind == LayerKind::Input;
                Ok(if sees {
                    TileValues::of(numbers.shape, recording.image.clone())
                } else {
                    numbers
                })
            }
        }
    }
}
