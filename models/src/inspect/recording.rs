//! All activations of one image.

use std::sync::OnceLock;

use candle_core::{CpuStorage, Device, Storage, Tensor, Var};

use super::{Inspector, Tile};
use crate::error::{Error, Result};
use crate::nn::{Context, LayerRecord, Mode};
use crate::ops;

/// What every layer of a network made of one image.
#[derive(Debug)]
pub struct Recording {
    /// The image as the network saw it: normalised, in the order of the network's input.
    pub(super) image: Vec<f32>,
    /// In the order of the catalogue.
    pub(super) steps: Vec<Step>,
    /// The score of every class.
    pub(super) scores: Vec<f32>,
    /// What the maps of each layer are like, once somebody asked.
    pub(super) maps: Vec<OnceLock<Vec<Tile>>>,
}

/// What one layer was given and gave.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) inputs: Vec<Tensor>,
    /// `[1, height, width, channels]` or `[1, values]`.
    pub(super) output: Tensor,
}

impl Recording {
    /// The memory that the activations take, in bytes; those that several layers share count once.
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

    /// The class with the greatest score.
    pub(super) fn best(&self) -> usize {
        ops::argmax(&self.scores)
    }
}

impl Inspector {
    /// One pass of a raw image `[channels, height, width]`, its values from 0 to 1 and of the network's own size; or of
    /// a raw point.
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

    /// The same of a sample that is normalised already, as a data set's samples are.
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

    /// A pass that evaluates.
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

    /// The same as something that a tape follows.
    pub(super) fn variable(&self, image: &[f32]) -> Result<Var> {
        Ok(Var::from_tensor(&self.tensor(image)?)?)
    }

    /// Changes values by their channel's mean and deviation.
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

/// Reads a tensor's numbers where they lie.
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
