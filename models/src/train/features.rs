//! The features of a frozen network: what its frozen layers make of each sample. Frozen layers give the same result in
//! every epoch, so it is computed once and kept: in memory, or in a file that vanishes with the process.
//!
//! The samples are computed in their order and in batches of one size, so that the features do not depend on where a run
//! was interrupted. Nothing is kept from one process to the next.

use std::fs::File;
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::Path;

use candle_core::{Device, Tensor};

use super::learner::Learner;
use crate::classify::evaluation_rows;
use crate::data::{self, Samples};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::nn::FrozenPart;
use crate::spec::RunSpec;

/// Features of up to this many bytes are kept in memory, and more in a file.
const IN_MEMORY: u64 = 256 << 20;

/// Features of more bytes are not kept.
const MOST: u64 = 32 << 30;

/// The features of the samples that are seen in every epoch.
pub(super) struct Features {
    train: Kept,
    validation: Kept,
    /// The shape of one sample's features.
    shape: Vec<usize>,
}

/// Whether a run keeps features.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Keeping {
    /// It does: values of a sample.
    Values(u64),
    /// It does not, as nothing is frozen for two epochs.
    NotFrozen,
    /// It does not, for this reason.
    No(&'static str),
}

impl Keeping {
    /// Whether a run keeps the features of so many samples.
    pub(super) fn of(spec: &RunSpec, graph: &Graph, samples: u64) -> Self {
        let Some(transfer) = &spec.training.transfer else {
            return Self::NotFrozen;
        };
        let part = transfer
            .trainable_blocks
            .and_then(|n| FrozenPart::new(graph, n));
        let Some(part) = part.filter(|_| transfer.frozen_epochs(spec.training.epochs) > 1) else {
            return Self::NotFrozen;
        };
        if data::is_augmented(&spec.data) {
            return Self::No("the images are augmented anew in every epoch");
        }
        if spec.training.mixup.is_some() || spec.training.cutmix.is_some() {
            return Self::No("the images are mixed anew in every epoch");
        }
        let Some(place) = part.output() else {
            return Self::No("the trained layers take several of their results");
        };
        let values: u64 = graph.nodes[place]
            .shape
            .iter()
            .map(|side| *side as u64)
            .product();
        match bytes(values, samples) > MOST {
            true => Self::No("their results would take more than 32 GiB"),
            false => Self::Values(values),
        }
    }

    /// The memory of the features of so many samples, in bytes.
    pub(super) fn memory_bytes(&self, samples: u64) -> u64 {
        match self {
            Self::Values(values) => match bytes(*values, samples) {
                bytes if bytes > IN_MEMORY => 0,
                bytes => bytes,
            },
            _ => 0,
        }
    }
}

fn bytes(values: u64, samples: u64) -> u64 {
    values
        .saturating_mul(samples)
        .saturating_mul(size_of::<f32>() as u64)
}

impl Features {
    /// Computes the features of both splits. `folder` is for a file, where they are many. `goes_on` is asked between
    /// batches; `None` when it says no.
    ///
    /// # Errors
    /// When a file cannot be written, or the network has no frozen part whose result alone is taken.
    pub(super) fn compute(
        learner: &Learner,
        [train, validation]: [&Samples; 2],
        folder: &Path,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Self>> {
        let (shape, _) = features_of(learner, train, 0..train.len().min(1))?;
        let values: usize = shape.iter().product();
        let in_memory = bytes(values as u64, (train.len() + validation.len()) as u64) <= IN_MEMORY;
        let mut splits = Vec::new();
        for samples in [train, validation] {
            let mut kept = Kept::new(values, samples.len(), (!in_memory).then_some(folder))?;
            let rows = evaluation_rows(samples.size());
            for start in (0..samples.len()).step_by(rows) {
                if !goes_on() {
                    return Ok(None);
                }
                let range = start..(start + rows).min(samples.len());
                kept.push(&features_of(learner, samples, range)?.1)?;
            }
            splits.push(kept);
        }
        let (Some(validation), Some(train)) = (splits.pop(), splits.pop()) else {
            return Ok(None);
        };
        Ok(Some(Self {
            train,
            validation,
            shape,
        }))
    }

    /// The features of some training samples, in this order: [n, …].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn train(&self, indices: &[u32]) -> Result<Tensor> {
        self.batch(
            self.train
                .gather(indices.iter().map(|index| *index as usize))?,
        )
    }

    /// The features of some neighbouring validation samples: [n, …].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn validation(&self, range: Range<usize>) -> Result<Tensor> {
        self.batch(self.validation.gather(range)?)
    }

    /// Their bytes, and whether they are in a file.
    pub(super) fn size(&self) -> (u64, bool) {
        let samples = self.train.samples + self.validation.samples;
        let in_file = matches!(self.train.place, Place::File(_));
        (bytes(self.train.values as u64, samples as u64), in_file)
    }

    fn batch(&self, values: Vec<f32>) -> Result<Tensor> {
        let width = self.train.values.max(1);
        let shape = [&[values.len() / width], &self.shape[..]].concat();
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
    }
}

/// The features of neighbouring samples: the shape for one sample, and the values.
fn features_of(
    learner: &Learner,
    samples: &Samples,
    range: Range<usize>,
) -> Result<(Vec<usize>, Vec<f32>)> {
    let n = range.len();
    let (values, _) = samples.slice(range)?;
    let features = learner.features(values, n)?;
    let shape = features.dims().get(1..).unwrap_or_default().to_vec();
    Ok((shape, features.flatten_all()?.to_vec1()?))
}

/// The features of one split.
struct Kept {
    /// Values of a sample.
    values: usize,
    samples: usize,
    place: Place,
}

enum Place {
    Memory(Vec<f32>),
    /// A file without a name.
    File(File),
}

impl Kept {
    fn new(values: usize, samples: usize, folder: Option<&Path>) -> Result<Self> {
        let place = match folder {
            None => Place::Memory(Vec::with_capacity(values * samples)),
            Some(folder) => {
                Place::File(tempfile::tempfile_in(folder).map_err(|e| Error::file(folder, e))?)
            }
        };
        Ok(Self {
            values,
            samples,
            place,
        })
    }

    fn push(&mut self, values: &[f32]) -> Result<()> {
        match &mut self.place {
            Place::Memory(all) => all.extend_from_slice(values),
            Place::File(file) => file
                .write_all(bytemuck::cast_slice(values))
                .map_err(of_file)?,
        }
        Ok(())
    }

    fn gather(&self, samples: impl ExactSizeIterator<Item = usize>) -> Result<Vec<f32>> {
        let width = self.values;
        let mut gathered = vec![0.0; samples.len() * width];
        for (into, sample) in gathered.chunks_exact_mut(width.max(1)).zip(samples) {
            let from = sample * width;
            match &self.place {
                Place::Memory(all) => into.copy_from_slice(&all[from..from + width]),
                Place::File(file) => {
                    let at = (from * size_of::<f32>()) as u64;
                    read_at(file, bytemuck::cast_slice_mut(into), at).map_err(of_file)?;
                }
            }
        }
        Ok(gathered)
    }
}

fn of_file(error: io::Error) -> Error {
    Error::file(Path::new("the features of the frozen layers"), error)
}

/// Reads from a position of a file, which stays where it is.
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_what_memory_gives() {
        let folder = tempfile::tempdir().unwrap();
        let values: Vec<f32> = (0..60).map(|value| value as f32 / 7.0).collect();
        let of = |folder: Option<&Path>| {
            let mut kept = Kept::new(5, 12, folder).unwrap();
            for part in values.chunks(25) {
                kept.push(part).unwrap();
            }
            let samples = [11, 0, 3, 3];
            [
                kept.gather(samples.into_iter()).unwrap(),
                kept.gather(2..7).unwrap(),
            ]
        };
        let from_memory = of(None);
        assert_eq!(from_memory[0][..5], values[55..60]);
        assert_eq!(from_memory[1], values[10..35]);
        assert_eq!(of(Some(folder.path())), from_memory);
        // The file has no name, so that nothing of it is left after a crash.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
