//! Dropout (Srivastava and others 2014).

use candle_core::Tensor;

use super::context::{Context, LayerOp};
use super::var_store::VarBuilder;
use crate::error::Result;
use crate::ops;

/// Sets values to 0 at random while training; the identity in evaluation. PyTorch's `Dropout`.
#[derive(Clone, Debug)]
pub struct Dropout {
    name: String,
    rate: f64,
}

impl Dropout {
    /// A layer that drops values with the probability `rate`.
    pub fn new(vb: &VarBuilder<'_>, rate: f64) -> Self {
        Self {
            name: vb.path().to_owned(),
            rate,
        }
    }

    /// `x`, with some values dropped.
    ///
    /// # Errors
    /// When the rate is not in [0, 1).
    pub fn forward(&self, x: Tensor, context: &mut Context<'_>) -> Result<Tensor> {
        let y = match context.dropout_key(&self.name) {
            Some(key) => ops::dropout(&x, self.rate, &key),
            None => Ok(x.clone()),
        };
        context.pass(&self.name, LayerOp::Dropout, &[&x], y)
    }
}
