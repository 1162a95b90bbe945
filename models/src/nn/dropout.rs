//! Dropout (Srivastava and others 2014).

use candle_core::{Result as CandleResult, Tensor};

use super::context::Context;
use crate::ops;

/// Sets values to 0 with the probability `p` while training; the identity in evaluation. The layer's name is part of the
/// key of its mask. PyTorch's `Dropout`.
///
/// # Errors
/// When `p` is not in [0, 1).
pub(super) fn dropout(
    name: &str,
    p: f64,
    x: &Tensor,
    context: &Context<'_>,
) -> CandleResult<Tensor> {
    match context.dropout_key(name) {
        Some(key) => ops::dropout(x, p, &key),
        None => Ok(x.clone()),
    }
}
