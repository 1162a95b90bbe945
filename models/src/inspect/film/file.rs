//! A frame on disk: a safetensors file. `filters/…` and `features/…` are the pictures, as bytes between the minimum and
//! the maximum of each tile; `filters.tiles` and `features.tiles` have norm, mean, minimum and maximum of each tile of
//! all layers, in the order of the metadata.

use std::collections::HashMap;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;

use super::extract::{Extract, KeptTiles, TileData};
use super::{Frame, FrameMetadata, Predictions};
use crate::error::{Error, Result};
use crate::inspect::{Histogram, SheetKind, Statistics, Tile};
use crate::tensor_file::{self, Slice, TensorSlice as Tensor};

/// The version of this format.
pub(super) const VERSION: u32 = 1;

/// The metadata of a file.
pub(super) const OVERHEAD: usize = 4096;

/// The largest size of a valid file, in bytes.
const MOST_READ: u64 = 4 << 20;

/// The most cells of a picture that are allocated from a file.
const MOST_CELLS: usize = 1 << 22;

const METADATA: &str = "vivarium.film";
const PREDICTED: &str = "validation/predicted";
const CONFIDENCE: &str = "validation/confidence";
const CONFUSION: &str = "validation/confusion";

/// Values of a layer's statistics before its histogram.
const FACTS: usize = 5;

/// Bars of a histogram.
const BARS: usize = 32;

impl Frame {
    /// Writes a file under the temporary name `temporary`, then renames it, so that readers see complete frames. There is
    /// no fsync, which would take longer than an epoch of a small run.
    ///
    /// # Errors
    /// When it cannot be written; no file is then left.
    pub(crate) fn write(&self, path: &Path, temporary: &Path) -> Result<()> {
        let metadata = serde_json::to_string(&self.metadata)
            .map_err(|e| Error::checkpoint(path, e.to_string()))?;
        let metadata = HashMap::from([
            (METADATA.to_owned(), metadata),
            ("vivarium.epoch".to_owned(), self.metadata.epoch.to_string()),
            ("vivarium.step".to_owned(), self.metadata.step.to_string()),
        ]);
        let mut tensors = Tensors::default();
        let (classes, scores): (Vec<_>, Vec<_>) = self
            .top
            .iter()
            .map(|(class, score, probability)| (*class, [*score, probability.unwrap_or(f32::NAN)]))
            .unzip();
        let tiles = [&self.filters, &self.features].map(|kept| {
            let each = kept.iter().flat_map(|kept| &kept.tiles);
            each.flat_map(|tile| [tile.norm, tile.mean, tile.min, tile.max])
                .collect::<Vec<_>>()
        });
        let statistics: Vec<_> = self.statistics.iter().flat_map(facts).collect();
        tensors.add("top/class", &[classes.len()], Slice::U16(&classes));
        tensors.add(
            "top/score",
            &[classes.len(), 2],
            Slice::F32(scores.as_flattened()),
        );
        for (folder, kept, tiles) in [
            ("filters", &self.filters, &tiles[0]),
            ("features", &self.features, &tiles[1]),
        ] {
            let name = format!("{folder}.tiles");
            tensors.add(name, &[tiles.len() / 4, 4], Slice::F32(tiles));
            for kept in kept {
                let name = format!("{folder}/{}", kept.metadata.layer);
                let values = match &kept.numbers {
                    TileData::Bytes(bytes) => Slice::U8(bytes),
                    TileData::Exact(values) => Slice::F32(values),
                };
                tensors.add(name, &kept.metadata.shape(), values);
            }
        }
        let width = FACTS + BARS;
        tensors.add(
            "features.statistics",
            &[self.statistics.len(), width],
            Slice::F32(&statistics),
        );
        let confusion: Vec<_> = self.confusion.iter().flatten().flatten().collect();
        let confusion: Vec<_> = confusion
            .into_iter()
            .map(|count| u32::try_from(*count).unwrap_or(u32::MAX))
            .collect();
        if let Some(rows) = &self.confusion {
            tensors.add(CONFUSION, &[rows.len(), rows.len()], Slice::U32(&confusion));
        }
        if let Some(predictions) = &self.predictions {
            tensors.predictions(predictions);
        }
        tensor_file::replace(path, temporary, tensors.0, metadata)
    }

    /// Reads a frame; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for a file that is not a complete frame.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let Some(bytes) = tensor_file::bytes_of(path, MOST_READ)? else {
            return Ok(None);
        };
        parse(&bytes)
            .map(Some)
            .map_err(|message| Error::checkpoint(path, message))
    }
}

impl FrameMetadata {
    /// Reads the metadata of a frame, without its pictures; `None` when there is no frame.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for a file that is not a frame.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let Some(metadata) = tensor_file::metadata(path)? else {
            return Ok(None);
        };
        frame_metadata(&metadata)
            .map(Some)
            .map_err(|message| Error::checkpoint(path, message))
    }
}

impl Predictions {
    /// Writes the predictions of a split to a separate file, as [`Frame::write`] does.
    ///
    /// # Errors
    /// When it cannot be written; no file is then left.
    pub(crate) fn write(&self, path: &Path, temporary: &Path) -> Result<()> {
        let mut tensors = Tensors::default();
        let kept = self.clone().cut();
        tensors.predictions(&kept);
        let metadata = HashMap::from([("vivarium.version".to_owned(), json!(VERSION).to_string())]);
        tensor_file::replace(path, temporary, tensors.0, metadata)
    }

    /// Reads a file of predictions; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for a file without predictions.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let Some(bytes) = tensor_file::bytes_of(path, MOST_READ)? else {
            return Ok(None);
        };
        let file = SafeTensors::deserialize(&bytes).map_err(|e| e.to_string());
        let found = file.and_then(|file| predictions(&file));
        match found {
            Ok(Some(found)) => Ok(Some(found)),
            Ok(None) => Err(Error::checkpoint(path, format!("{PREDICTED} is missing"))),
            Err(message) => Err(Error::checkpoint(path, message)),
        }
    }
}

#[derive(Default)]
struct Tensors<'a>(Vec<(String, Tensor<'a>)>);

impl<'a> Tensors<'a> {
    fn add(&mut self, name: impl Into<String>, shape: &[usize], values: Slice<'a>) {
        let shape = shape.to_vec();
        self.0.push((name.into(), Tensor { shape, values }));
    }

    fn predictions(&mut self, of: &'a Predictions) {
        self.add(PREDICTED, &[of.len()], Slice::U16(&of.predicted));
        self.add(CONFIDENCE, &[of.len()], Slice::U8(&of.confidence));
    }
}

impl Extract {
    /// The shape of its tensor.
    fn shape(&self) -> Vec<usize> {
        let [height, width] = self.tile;
        match self.kind {
            SheetKind::Vector => vec![self.len],
            _ if self.channels > 1 => vec![self.kept, self.channels, height, width],
            _ => vec![self.kept, height, width],
        }
    }

    /// The number of cells of all its tiles; `None` for an invalid number.
    fn cells(&self) -> Option<usize> {
        let factors = [self.kept, self.channels, self.tile[0], self.tile[1]];
        let cells = factors
            .iter()
            .try_fold(1usize, |product, factor| product.checked_mul(*factor))?;
        (cells <= MOST_CELLS).then_some(cells)
    }
}

type Words<T> = std::result::Result<T, String>;

fn frame_metadata(metadata: &HashMap<String, String>) -> Words<FrameMetadata> {
    let text = metadata.get(METADATA).ok_or("it is no frame of a film")?;
    let metadata: FrameMetadata = serde_json::from_str(text).map_err(|e| e.to_string())?;
    match metadata.version {
        VERSION => Ok(metadata),
        other => Err(format!("it is of version {other}; {VERSION} is known")),
    }
}

fn parse(bytes: &[u8]) -> Words<Frame> {
    let (_, head) = SafeTensors::read_metadata(bytes).map_err(|e| e.to_string())?;
    let metadata = frame_metadata(head.metadata().as_ref().unwrap_or(&HashMap::new()))?;
    let file = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
    let filters = pictures(&file, "filters", &metadata.filters)?;
    let features = pictures(&file, "features", &metadata.features)?;
    let statistics = numbers(
        &file,
        "features.statistics",
        Some(features.len() * (FACTS + BARS)),
    )?;
    let statistics = statistics.chunks_exact(FACTS + BARS).map(known).collect();
    let classes: Vec<u16> = integers(&file, "top/class", u16::from_le_bytes)?;
    let scores = numbers(&file, "top/score", Some(2 * classes.len()))?;
    let top = classes
        .into_iter()
        .zip(scores.chunks_exact(2))
        .map(|(class, of)| {
            let probability = (!of[1].is_nan()).then_some(of[1]);
            (class, of[0], probability)
        });
    let confusion = match file.tensor(CONFUSION) {
        Err(_) => None,
        Ok(matrix) => {
            let side = matrix.shape().first().copied().unwrap_or(0).max(1);
            let counts = integers(&file, CONFUSION, u32::from_le_bytes)?;
            if counts.len() != side * side {
                return Err(format!("{CONFUSION} is not square"));
            }
            let rows = counts.chunks_exact(side);
            Some(
                rows.map(|row| row.iter().map(|count| (*count).into()).collect())
                    .collect(),
            )
        }
    };
    Ok(Frame {
        predictions: predictions(&file)?,
        confusion,
        top: top.collect(),
        filters,
        features,
        statistics,
        metadata,
    })
}

fn pictures(file: &SafeTensors<'_>, folder: &str, extracts: &[Extract]) -> Words<Vec<KeptTiles>> {
    let tiles = numbers(file, &format!("{folder}.tiles"), None)?;
    let mut tiles = tiles.chunks_exact(4);
    let each = extracts.iter().map(|metadata| {
        let name = format!("{folder}/{}", metadata.layer);
        let wrong = || format!("{name} is not as large as is said");
        let cells = metadata.cells().ok_or_else(wrong)?;
        let single = metadata.channels * metadata.of[0] * metadata.of[1] == 1;
        let tiles: Vec<_> = tiles
            .by_ref()
            .take(metadata.kept)
            .enumerate()
            .map(|(index, of)| tile(index, of, single))
            .collect();
        let tensor = tensor(file, &name)?;
        let numbers = match tensor.dtype() {
            Dtype::U8 => TileData::Bytes(tensor.data().to_vec()),
            _ => TileData::Exact(numbers(file, &name, None)?),
        };
        let whole = numbers.len() == cells || metadata.kind == SheetKind::Vector;
        if tiles.len() != metadata.kept
            || numbers.len() != metadata.len
            || metadata.len > cells
            || !whole
        {
            return Err(wrong());
        }
        Ok(KeptTiles {
            metadata: metadata.clone(),
            tiles,
            numbers,
        })
    });
    each.collect()
}

fn tile(index: usize, of: &[f32], single: bool) -> Tile {
    let [norm, mean, min, max] = [of[0], of[1], of[2], of[3]];
    Tile {
        index,
        norm,
        mean,
        min,
        max,
        constant: if single { min == 0.0 } else { min == max },
    }
}

fn predictions(file: &SafeTensors<'_>) -> Words<Option<Predictions>> {
    if file.tensor(PREDICTED).is_err() {
        return Ok(None);
    }
    let predicted = integers(file, PREDICTED, u16::from_le_bytes)?;
    let confidence = integers(file, CONFIDENCE, |[byte]: [u8; 1]| byte)?;
    if predicted.len() != confidence.len() {
        return Err(format!("{CONFIDENCE} is not as long as {PREDICTED}"));
    }
    Ok(Some(Predictions {
        predicted,
        confidence,
    }))
}

fn tensor<'a>(file: &SafeTensors<'a>, name: &str) -> Words<TensorView<'a>> {
    file.tensor(name).map_err(|e| format!("{name}: {e}"))
}

/// A tensor of f32 values of an expected length.
fn numbers(file: &SafeTensors<'_>, name: &str, len: Option<usize>) -> Words<Vec<f32>> {
    let tensor = tensor(file, name)?;
    let values: Vec<_> = words(&tensor, f32::from_le_bytes);
    if tensor.dtype() != Dtype::F32 || len.is_some_and(|len| len != values.len()) {
        return Err(format!("{name} is of another type or shape"));
    }
    Ok(values)
}

fn integers<T, const N: usize>(
    file: &SafeTensors<'_>,
    name: &str,
    number: fn([u8; N]) -> T,
) -> Words<Vec<T>> {
    let tensor = tensor(file, name)?;
    let fits = matches!(
        (tensor.dtype(), N),
        (Dtype::U8, 1) | (Dtype::U16, 2) | (Dtype::U32, 4)
    );
    if !fits {
        return Err(format!("{name} is of another type"));
    }
    Ok(words(&tensor, number))
}

fn words<T, const N: usize>(tensor: &TensorView<'_>, number: fn([u8; N]) -> T) -> Vec<T> {
    let words = tensor.data().as_chunks().0.iter();
    words.map(|word| number(*word)).collect()
}

fn facts(of: &Statistics) -> Vec<f32> {
    let mut facts = vec![
        of.mean as f32,
        of.std as f32,
        of.min,
        of.max,
        of.dead_share as f32,
    ];
    facts.extend(of.histogram.counts.iter().map(|count| *count as f32));
    facts.resize(FACTS + BARS, 0.0);
    facts
}

fn known(facts: &[f32]) -> Statistics {
    let (min, max) = (facts[2], facts[3]);
    Statistics {
        mean: facts[0].into(),
        std: facts[1].into(),
        min,
        max,
        dead_share: facts[4].into(),
        histogram: Histogram {
            from: min,
            to: max,
            counts: facts[FACTS..].iter().map(|count| *count as u64).collect(),
        },
    }
}

/// Statistics, read from a file.
pub(super) fn as_kept(of: Statistics) -> Statistics {
    known(&facts(&of))
}
