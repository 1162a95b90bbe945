//! Batch normalisation, with running statistics for evaluation.

use candle_core::{DType, Device, Result as CandleResult, Tensor};

use super::context::{Context, LayerOp};
use super::var_store::VarBuilder;
use crate::error::Result;
use crate::graph::Init;
use crate::ops::{self, Activation, BatchStatistics, ConvParams, WithStats};

/// Normalises each channel of `[…, channels]`. PyTorch's `BatchNorm1d` and `BatchNorm2d`, except that it also takes a
/// batch of one row, which updates the running mean but not the running variance.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    batches: Tensor,
    /// Added to the variance.
    eps: f64,
    /// The weight of a batch in the running statistics.
    momentum: f64,
}

impl BatchNorm {
    /// A layer with weight 1, bias 0, running mean 0 and running variance 1.
    ///
    /// # Errors
    /// As [`VarBuilder::parameter`].
    pub fn new(mut vb: VarBuilder<'_>, channels: usize, eps: f64, momentum: f64) -> Result<Self> {
        Ok(Self {
            weight: vb.parameter("weight", &[channels], Init::Constant(1.0))?,
            bias: vb.parameter("bias", &[channels], Init::Constant(0.0))?,
            running_mean: vb.buffer(
                "running_mean",
                Tensor::zeros(channels, DType::F32, &Device::Cpu)?,
            )?,
            running_var: vb.buffer(
                "running_var",
                Tensor::ones(channels, DType::F32, &Device::Cpu)?,
            )?,
            batches: vb.buffer(
                "num_batches_tracked",
                Tensor::zeros((), DType::I64, &Device::Cpu)?,
            )?,
            eps,
            momentum,
        })
    }

    /// The operation, for a recorder.
    pub(super) fn op(&self) -> LayerOp<'_> {
        LayerOp::BatchNorm {
            weight: &self.weight,
            bias: &self.bias,
        }
    }

    /// Normalises `x` `[…, channels]`, by the statistics of the batch while training, else by the running statistics. An
    /// activation is applied in the same pass over memory.
    ///
    /// # Errors
    /// When `x` has another number of channels.
    pub fn forward(
        &self,
        x: &WithStats,
        activation: Option<Activation>,
        context: &Context<'_>,
    ) -> CandleResult<Tensor> {
        if context.is_training() {
            return self.train(x, activation);
        }
        let (weight, bias) = (
            context.parameter(&self.weight),
            context.parameter(&self.bias),
        );
        ops::batch_norm_eval(
            &x.values,
            &weight,
            &bias,
            &self.running_stats()?,
            self.eps,
            activation,
        )
    }

    fn train(&self, x: &WithStats, activation: Option<Activation>) -> CandleResult<Tensor> {
        let (y, batch) = ops::batch_norm(x, &self.weight, &self.bias, self.eps, activation)?;
        self.update_running_stats(&batch)?;
        Ok(y)
    }

    /// Normalisation in training mode, activation and convolution as one operation.
    pub(super) fn forward_norm_conv(
        &self,
        x: &WithStats,
        activation: Activation,
        weight: &Tensor,
        params: ConvParams,
    ) -> CandleResult<WithStats> {
        let norm = (&self.weight, &self.bias, self.eps);
        let (y, batch) = ops::norm_conv2d(x, norm, activation, weight, params)?;
        self.update_running_stats(&batch)?;
        Ok(y)
    }

    /// Updates the running statistics.
    fn update_running_stats(&self, batch: &BatchStatistics) -> CandleResult<()> {
        ops::lerp_(&self.running_mean, &batch.mean, self.momentum)?;
        if batch.rows > 1 {
            let rows = batch.rows as f64;
            let unbiased: Vec<_> = batch
                .variance
                .iter()
                .map(|v| v * rows / (rows - 1.0))
                .collect();
            ops::lerp_(&self.running_var, &unbiased, self.momentum)?;
        }
        ops::add_one_(&self.batches)
    }

    fn running_stats(&self) -> CandleResult<BatchStatistics> {
        let numbers = |tensor: &Tensor| -> CandleResult<Vec<f64>> {
            Ok(tensor
                .to_vec1::<f32>()?
                .into_iter()
                .map(f64::from)
                .collect())
        };
        Ok(BatchStatistics {
            mean: numbers(&self.running_mean)?,
            variance: numbers(&self.running_var)?,
            rows: 0,
        })
    }
}
