//! The exponential moving average of the weights (Polyak averaging): what generalises better than the weights of the
//! last step (Tarvainen and Valpola 2017, arXiv:1703.01780; `ExponentialMovingAverage` of torchvision's reference).

use std::sync::Arc;

use crate::error::Result;
use crate::networks::Model;
use crate::ops::ema_;

/// The average of a network's weights, as a network.
///
/// Buffers are averaged too, as torchvision's reference does (`use_buffers=True`), so that the running statistics of
/// batch normalisation are of the same steps as the weights. Counts of batches are copied.
#[derive(Debug)]
pub(super) struct Ema {
    model: Arc<Model>,
    decay: f64,
}

impl Ema {
    /// An average that begins with the current weights of `model`.
    pub(super) fn new(model: &Model, decay: f64) -> Result<Self> {
        let model = Arc::new(model.duplicate()?);
        Ok(Self { model, decay })
    }

    /// The network with the averaged weights.
    pub(super) fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Takes in the weights after a step, which counts from 1.
    pub(super) fn update(&self, current: &Model, step: u64) -> Result<()> {
        let weight = 1.0 - decay_at(self.decay, step);
        let averages = self.model.store().tensors();
        for ((_, average), (_, current)) in averages.zip(current.store().tensors()) {
            ema_(average, current, weight)?;
        }
        Ok(())
    }
}

/// The decay of a step: it rises as `(1 + step) / (10 + step)` up to `decay`, so that the average soon leaves the initial
/// weights. The warm-up of TensorFlow's `ExponentialMovingAverage` with `num_updates`. It depends on the number of the
/// step alone, so that a resumed run needs no state for it.
fn decay_at(decay: f64, step: u64) -> f64 {
    let step = step as f64;
    decay.min((1.0 + step) / (10.0 + step))
}

#[cfg(test)]
mod tests {
    use super::decay_at;

    #[test]
    fn the_decay_rises_to_its_value() {
        assert_eq!(decay_at(0.99, 1), 2.0 / 11.0);
        assert_eq!(decay_at(0.99, 90), 0.91);
        assert_eq!(decay_at(0.99, 891), 0.99);
        assert_eq!(decay_at(0.99, 1_000_000), 0.99);
        assert_eq!(decay_at(0.0, 5), 0.0);
    }
}
