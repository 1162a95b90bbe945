//! All activations of one image.

use std::sync::OnceLock;

use candle_core::{CpuStorage, Device, Storage, Tensor, Var};

use super::{Inspector, Tile};
use crate::error::{Error, Result};
use crate::nn::{Context, LayerRecord, Mode};
use crate::ops;

/// The outputs of all layers of a network for one image.
#[derive(Debug)]
pub struct Recording {
    /// The network's input: the normalised image.
    pub(super) image: Vec<f32>,
    /// The layers, in the order of the catalogue.
    pub(super) steps: Vec<Step>,
    /// The score of every class.
    pub(super) scores: Vec<f32>,
    /// Statistics of each layer's feature maps, computed on first use.
    pub(super) maps: Vec<OnceLock<Vec<Tile>>>,
}

/// The inputs and the output of one layer.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) inputs: Vec<Tensor>,
    /// `[1, height, width, channels]` or `[1, values]`.
    pub(super) output: Tensor,
}

impl Recording {
    /// The memory of the activations, in bytes; shared ones count once.
    pub fn bytes(&self) -> u64 {
        let mut seen = std::collections::HashSet::new();
        let tensors = self
            .steps
            .iter()
            .flat_map(|step| step.inputs.iter().chain([&step.output]));
        let own = tensors.filter(|tensor| seen.insert(tensor.id()));
        own.map(|tensor| tensor.elem_count() * size_of::<f32>())
            .sum::<usize>() as u64
    }

    /// The class with the highest score.
    pub(super) fn best(&self) -> usize {
        ops::argmax(&self.scores)
    }
}

impl Inspector {
    /// Records one pass of a raw image `[channels, height, width]` of the network's input size, with values from 0 to
    /// 1; or of a raw point.
    ///
    /// # Errors
    /// When the image has another size, or the pass fails.
    pub fn record(&self, image: &[f32]) -> Result<Recording> {
        let mut image = image.to_vec();
        self.each_channel(&mut image, |value, mean, deviation| {
            ((f64::from(value) - mean) / deviation) as f32
        });
        self.record_normalised(image)
    }

    /// As [`Inspector::record`], for a normalised sample, such as those of a data set.
    ///
    /// # Errors
    /// As [`Inspector::record`].
    pub fn record_normalised(&self, image: Vec<f32>) -> Result<Recording> {
        let x = self.tensor(&image)?;
        let mut steps = vec![Step {
            inputs: Vec::new(),
            output: match x.rank() {
                4 => ops::channels_last(&x)?,
                _ => x.clone(),
            },
        }];
        let scores = self.pass(&x, &mut |record| {
            steps.push(Step {
                inputs: record.inputs.iter().map(|input| (*input).clone()).collect(),
                output: record.output.clone(),
            });
            Ok(())
        })?;
        Ok(Recording {
            image,
            scores: scores.flatten_all()?.to_vec1()?,
            maps: steps.iter().map(|_| OnceLock::new()).collect(),
            steps,
        })
    }

    /// A pass in evaluation mode.
    pub(super) fn pass<'a>(
        &self,
        x: &Tensor,
        recorder: &'a mut (dyn FnMut(&LayerRecord<'_>) -> Result<()> + 'a),
    ) -> Result<Tensor> {
        self.model
            .forward(x, &mut Context::recorded(Mode::Evaluate, recorder))
    }

    /// One sample as a batch.
    pub(super) fn tensor(&self, image: &[f32]) -> Result<Tensor> {
        let shape = [&[1], self.input()].concat();
        if image.len() != shape.iter().product::<usize>() {
            return Err(Error::Shape {
                place: "image".to_owned(),
                expected: format!("{:?}", self.input()),
                got: vec![image.len()],
            });
        }
        Ok(Tensor::from_slice(image, shape, &Device::Cpu)?)
    }

    /// One sample as a batch in a variable, for a tape.
    pub(super) fn variable(&self, image: &[f32]) -> Result<Var> {
        Ok(Var::from_tensor(&self.tensor(image)?)?)
    }

    /// Normalises values by the mean and deviation of their channel.
    pub(super) fn each_channel(&self, image: &mut [f32], change: impl Fn(f32, f64, f64) -> f32) {
        let normalisation = &self.normalisation;
        let pixels: usize = self.input()[1..].iter().product();
        let channels = normalisation.mean.iter().zip(&normalisation.deviation);
        for (values, (mean, deviation)) in image.chunks_exact_mut(pixels).zip(channels) {
            values
                .iter_mut()
                .for_each(|value| *value = change(*value, *mean, *deviation));
        }
    }
}

/// Reads a tensor's values without copying them.
pub(super) fn read<R>(tensor: &Tensor, look: impl FnOnce(&[f32]) -> R) -> Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    match (&*storage, layout.contiguous_offsets()) {
        (Storage::Cpu(CpuStorage::F32(values)), Some((start, end))) => {
            Ok(look(&values[start..end]))
        }
        _ => Err(Error::Shape {
            place: "what is looked at".to_owned(),
            expected: "f32 in one piece".to_owned(),
            got: tensor.dims().to_vec(),
        }),
    }
}
