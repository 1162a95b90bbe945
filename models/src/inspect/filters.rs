//! Pictures of weights. The kind of picture depends on the shape of a layer's weights and on its input.

use std::borrow::Cow;

use candle_core::Tensor;

use super::colours::ColourMap;
use super::layers::Weights;
use super::recording::{Recording, read};
use super::sheet::{Scale, Sheet, SheetQuery};
use super::tiles::{SheetKind, Tiles};
use super::{Inspector, check_index};
use crate::error::{Error, Result};

/// Kernels on a page of one filter's kernels.
const KERNELS: usize = 16;

impl Inspector {
    /// The picture of a layer's weights: RGB filters, norms over the inputs, single kernels, neurons in the shape of
    /// their input image, or a matrix.
    ///
    /// # Errors
    /// [`Error::Setting`] when the layer does not exist or has no weights.
    pub fn filters(&self, layer: &str) -> Result<Tiles<'_>> {
        self.filters_at(self.place(layer)?)
    }

    fn filters_at(&self, place: usize) -> Result<Tiles<'_>> {
        let weights = self.weights(place)?;
        let mut tiles = picture(weights, self.input());
        let count = match tiles.kind {
            SheetKind::Heatmap => tiles.len(),
            _ => weights.weight.dims()[0],
        };
        let measured = self.filters[place].get_or_init(|| tiles.measure(count));
        tiles.summaries = Cow::Borrowed(measured);
        Ok(tiles)
    }

    /// The kernels of one filter, one for each of its inputs.
    ///
    /// # Errors
    /// As [`Inspector::filters`]; and when the layer's filters have no kernels, or the filter does not exist.
    pub fn kernels(&self, layer: &str, filter: usize) -> Result<Tiles<'_>> {
        let weights = self.weights(self.place(layer)?)?;
        let [outputs, inputs, height, width] = *weights.weight.dims() else {
            return Err(no_kernels(layer));
        };
        if height * width == 1 {
            return Err(no_kernels(layer));
        }
        check_index("filter", filter, outputs)?;
        let weight = &weights.weight;
        let size = height * width;
        let source = move |input| part(weight, (filter * inputs + input) * size, size);
        let mut tiles = Tiles::new(
            SheetKind::Kernels,
            ColourMap::Diverging,
            1,
            [height, width],
            Box::new(source),
        );
        tiles.per_page = KERNELS;
        tiles.summaries = Cow::Owned(tiles.measure(inputs));
        Ok(tiles)
    }

    /// A page of the picture of a layer's weights, or of one filter's kernels. With a recording, filters can be sorted
    /// by their response to its image.
    ///
    /// # Errors
    /// As [`Inspector::filters`], [`Inspector::kernels`] and [`Tiles::sheet`].
    pub fn filter_sheet(
        &self,
        layer: &str,
        query: &SheetQuery,
        recording: Option<&Recording>,
    ) -> Result<Sheet> {
        let place = self.place(layer)?;
        let mut tiles = match query.filter {
            Some(filter) => self.kernels(layer, filter)?,
            None => self.filters_at(place)?,
        };
        let per_filter = query.filter.is_none() && tiles.kind != SheetKind::Heatmap;
        if let Some(recording) = recording.filter(|_| per_filter) {
            let means = self.maps_of(recording, place)?;
            let means: Vec<_> = means.iter().map(|map| map.mean).collect();
            tiles.activation = (means.len() == tiles.len()).then_some(means);
        }
        let range = match query.scale {
            Scale::Tile => None,
            Scale::Layer => Some(tiles.value_range()),
            Scale::Network => Some(self.extent_of_all(tiles.kind)?),
        };
        tiles.sheet(query, range)
    }

    /// The range of values of all layers with the same kind of picture.
    fn extent_of_all(&self, kind: SheetKind) -> Result<[f32; 2]> {
        let mut extent = [f32::INFINITY, f32::NEG_INFINITY];
        let mut add = |[low, high]: [f32; 2]| {
            extent = [extent[0].min(low), extent[1].max(high)];
        };
        for (place, layer) in self.layers().iter().enumerate() {
            let Some(weights) = &layer.numbers else {
                continue;
            };
            let own = picture(weights, self.input()).kind;
            if own == kind {
                add(self.filters_at(place)?.value_range());
            } else if kind == SheetKind::Kernels && own == SheetKind::Norms {
                // Kernels are shown for one filter at a time.
                add(read(&weights.weight, |values| {
                    let start = [f32::INFINITY, f32::NEG_INFINITY];
                    let fold = |[low, high]: [f32; 2], v: &f32| [low.min(*v), high.max(*v)];
                    values.iter().fold(start, fold)
                })?);
            }
        }
        Ok(extent)
    }

    /// The weights of a layer.
    pub(super) fn weights(&self, place: usize) -> Result<&Weights> {
        let layer = &self.layers()[place];
        layer.numbers.as_ref().ok_or_else(|| {
            let message = format!("{:?} has no weights to show", layer.name);
            Error::setting("layer", message)
        })
    }
}

fn no_kernels(layer: &str) -> Error {
    let message = format!("{layer:?} has single weights and no kernels");
    Error::setting("filter", message)
}

/// A picture, without the statistics of its tiles.
fn picture<'a>(weights: &'a Weights, input: &[usize]) -> Tiles<'a> {
    let weight = &weights.weight;
    let signed = |kind, channels: usize, tile: [usize; 2]| {
        let size = channels * tile[0] * tile[1];
        let map = match channels {
            3 => ColourMap::Rgb,
            _ => ColourMap::Diverging,
        };
        let source = move |index| part(weight, index * size, size);
        Tiles::new(kind, map, channels, tile, Box::new(source))
    };
    match (weight.dims(), input) {
        ([_, 3, height, width], _) if weights.reads_image && height * width > 1 => {
            signed(SheetKind::Rgb, 3, [*height, *width])
        }
        ([_, 1, height, width], _) if height * width > 1 => {
            signed(SheetKind::Kernels, 1, [*height, *width])
        }
        ([_, inputs, height, width], _) if height * width > 1 => {
            let (inputs, tile) = (*inputs, [*height, *width]);
            let source = move |index| norms(weight, index, inputs, tile[0] * tile[1]);
            let map = ColourMap::Sequential;
            Tiles::new(SheetKind::Norms, map, 1, tile, Box::new(source))
        }
        ([_, inputs], [channels, height, width])
            if weights.reads_image && channels * height * width == *inputs =>
        {
            signed(SheetKind::Neurons, *channels, [*height, *width])
        }
        (dims, _) => matrix(weight, [dims[0], dims[1]]),
    }
}

/// Splits a matrix `[outputs, inputs]` into blocks.
fn matrix(weight: &Tensor, size: [usize; 2]) -> Tiles<'_> {
    let new = |source| Tiles::new(SheetKind::Heatmap, ColourMap::Diverging, 1, size, source);
    let places = new(Box::new(|_| Vec::new()));
    new(Box::new(move |index| {
        let [rows, [left, right]] = places.block(index);
        let cut = |values: &[f32]| {
            let row = |row: usize| &values[row * size[1] + left..row * size[1] + right];
            (rows[0]..rows[1]).flat_map(row).copied().collect()
        };
        read(weight, cut).unwrap_or_default()
    }))
}

/// Neighbouring weights.
fn part(weight: &Tensor, from: usize, len: usize) -> Vec<f32> {
    read(weight, |values| values[from..from + len].to_vec()).unwrap_or_default()
}

/// The norm of a filter over its inputs, for each of the `size` taps of the kernel.
fn norms(weight: &Tensor, filter: usize, inputs: usize, size: usize) -> Vec<f32> {
    let sum = |values: &[f32]| {
        let mut squares = vec![0.0f64; size];
        let kernels = &values[filter * inputs * size..(filter + 1) * inputs * size];
        for kernel in kernels.chunks_exact(size) {
            for (sum, value) in squares.iter_mut().zip(kernel) {
                *sum += f64::from(*value) * f64::from(*value);
            }
        }
        squares.into_iter().map(|sum| sum.sqrt() as f32).collect()
    };
    read(weight, sum).unwrap_or_default()
}
