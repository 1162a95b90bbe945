//! Pictures of activations.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use super::Inspector;
use super::colours::ColourMap;
use super::layers::LayerKind;
use super::recording::{Recording, read};
use super::sheet::{Scale, Sheet, SheetQuery};
use super::statistics::Statistics;
use super::tiles::{SheetKind, Tile, Tiles};
use crate::error::{Error, Result};

/// Values per row for a layer without spatial dimensions.
const STRIP: usize = 64;

/// A page of a layer's feature maps, with statistics of its activations.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Features {
    /// The page.
    #[serde(flatten)]
    pub sheet: Sheet,
    /// Statistics of all activations of the layer.
    pub statistics: Statistics,
}

impl Inspector {
    /// The feature maps of a layer.
    ///
    /// # Errors
    /// [`Error::Setting`] when the layer does not exist, or the recording is of another network.
    pub fn features<'a>(&'a self, recording: &'a Recording, layer: &str) -> Result<Tiles<'a>> {
        self.features_at(recording, self.place(layer)?)
    }

    fn features_at<'a>(&'a self, recording: &'a Recording, place: usize) -> Result<Tiles<'a>> {
        let measured = self.maps_of(recording, place)?;
        let mut tiles = self.maps(recording, place);
        if tiles.kind != SheetKind::Picture && measured.iter().any(|tile| tile.min < 0.0) {
            tiles.map = ColourMap::Diverging;
        }
        tiles.summaries = Cow::Borrowed(measured);
        Ok(tiles)
    }

    /// Statistics of each feature map of a layer.
    pub(super) fn maps_of<'a>(&self, recording: &'a Recording, place: usize) -> Result<&'a [Tile]> {
        let known = recording.steps.get(place).zip(recording.maps.get(place));
        let Some((step, maps)) = known.filter(|_| recording.steps.len() == self.layers().len())
        else {
            return Err(Error::setting("image", "was recorded with another network"));
        };
        Ok(maps.get_or_init(|| {
            let tiles = self.maps(recording, place);
            let count = match (tiles.kind, step.output.dims()) {
                (SheetKind::Maps, dims) => dims[dims.len() - 1],
                _ => 1,
            };
            tiles.measure(count)
        }))
    }

    /// A layer's feature maps, without statistics.
    fn maps<'a>(&'a self, recording: &'a Recording, place: usize) -> Tiles<'a> {
        let output = &recording.steps[place].output;
        let input = self.layers()[place].kind == LayerKind::Input;
        match *output.dims() {
            [_, height, width, channels] if input => {
                let source = Box::new(move |_| self.picture(recording));
                let (kind, map) = (SheetKind::Picture, ColourMap::Rgb);
                Tiles::new(kind, map, channels, [height, width], source)
            }
            [_, height, width, channels] => {
                let gather = move |map: usize, values: &[f32]| {
                    values.iter().skip(map).step_by(channels).copied().collect()
                };
                let source =
                    move |map| read(output, |values| gather(map, values)).unwrap_or_default();
                let (kind, map) = (SheetKind::Maps, ColourMap::Sequential);
                Tiles::new(kind, map, 1, [height, width], Box::new(source))
            }
            ref dims => {
                let len = dims[dims.len() - 1];
                let (width, height) = (len.min(STRIP), len.div_ceil(STRIP));
                let source = move |_| {
                    let mut values = read(output, <[f32]>::to_vec).unwrap_or_default();
                    values.resize(width * height, f32::NAN);
                    values
                };
                let (kind, map) = (SheetKind::Vector, ColourMap::Sequential);
                Tiles::new(kind, map, 1, [height, width], Box::new(source))
            }
        }
    }

    /// The image before normalisation, with values from 0 to 1.
    pub(super) fn picture(&self, recording: &Recording) -> Vec<f32> {
        let mut image = recording.image.clone();
        self.each_channel(&mut image, |value, mean, deviation| {
            (f64::from(value) * deviation + mean) as f32
        });
        image
    }

    /// A page of the feature maps of a layer.
    ///
    /// # Errors
    /// As [`Inspector::features`] and [`Tiles::sheet`].
    pub fn feature_sheet(
        &self,
        recording: &Recording,
        layer: &str,
        query: &SheetQuery,
    ) -> Result<Features> {
        let place = self.place(layer)?;
        let tiles = self.features_at(recording, place)?;
        let range = match query.scale {
            Scale::Tile => None,
            Scale::Layer => Some(tiles.value_range()),
            Scale::Network => {
                let mut extent = tiles.value_range();
                for place in 0..self.layers().len() {
                    let others = self.features_at(recording, place)?;
                    if others.map == tiles.map {
                        let [low, high] = others.value_range();
                        extent = [extent[0].min(low), extent[1].max(high)];
                    }
                }
                Some(extent)
            }
        };
        Ok(Features {
            sheet: tiles.sheet(query, range)?,
            statistics: self.statistics_at(recording, place)?,
        })
    }
}
