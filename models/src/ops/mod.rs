//! Kernels on the CPU, as Candle operations with their gradients.
//!
//! | module | what it is |
//! |---|---|
//! | [`threads`] | how many threads compute, and from which size on |
//! | [`instructions`](mod@instructions) | which vector instructions compute |
//! | `kernel` | functions compiled for each instruction set; memory that is written before it is read |
//! | `matmul` | matrix products, on the `gemm` crate |
//! | `tape` | the record of a forward pass and its backward pass |
//! | `float` | f32, which networks are trained in, and f64, in which the tests check gradients |
//! | `linear` | `x·Wᵀ + b` |
//! | `conv` | convolutions of channels-last images |
//! | `pool`, `layout`, `pad` | pooling; the order of an image's dimensions; zeros around an image |
//! | `activation` | ReLU, ReLU6, SiLU, GELU, Hardswish, sigmoid, Hardsigmoid, tanh |
//! | `hardtanh` | values between two bounds |
//! | `product` | products, also by one value for each channel |
//! | `batch_norm` | batch normalisation |
//! | `statistics` | means and variances of channels |
//! | `dropout` | zeros from a seeded mask |
//! | `gradient_sink` | where the backward pass puts the gradients of parameters |
//! | `gradients` | a sink that keeps them, in the same memory from step to step |
//! | `fused_backward` | a sink that updates each parameter as soon as its gradient is known |
//! | `inplace` | in-place operations: running statistics, averaged weights, loaded values |
//! | `loss` | softmax cross-entropy, the perceptron's criterion |
//! | `optimizer` | the update rules of SGD and AdamW, each in one pass over memory |
//! | [`reference`](mod@reference) | every operation again, made of candle-core's and candle-nn's |
//!
//! Candle's own ReLU has the gradient 1 at 0, its pooling a wrong one, and neither they nor its optimizers are fused:
//! that is why these exist. Every operation is deterministic: sums are taken in an order that does not depend on timing.
//!
//! `unsafe` stands here and nowhere else in the crate.

mod activation;
mod batch_norm;
mod columns;
mod conv;
mod dropout;
mod float;
mod fused_backward;
mod gradient_sink;
mod gradients;
mod hardtanh;
mod inplace;
pub mod instructions;
mod kernel;
mod layout;
mod linear;
mod loss;
mod matmul;
mod optimizer;
mod pad;
mod pool;
mod product;
pub mod reference;
mod statistics;
mod tape;
pub mod threads;

pub use activation::{Activation, activate};
pub use batch_norm::{batch_norm, batch_norm_eval};
pub use conv::{ConvParams, conv2d, conv2d_branches, norm_conv2d};
pub use dropout::dropout;
pub use fused_backward::FusedBackward;
pub use gradients::Gradients;
pub use hardtanh::hardtanh;
pub use inplace::{CopySource, add_one_, copy_, ema_, lerp_};
pub use instructions::{Instructions, check_instructions, instructions};
pub use layout::{channels_last, flatten_channels_first};
pub use linear::linear;
pub(crate) use loss::argmax;
pub use loss::{
    Loss, Targets, cross_entropy, perceptron_loss, smoothed_cross_entropy, softmax,
    weighted_cross_entropy,
};
pub use optimizer::{AdamW, Optimizer, ParamGroup, Sgd};
pub use pad::zero_pad2d;
pub(crate) use pool::{PoolPart, adaptive_parts};
pub use pool::{PoolWindow, adaptive_avg_pool2d, avg_pool2d, max_pool2d};
pub use product::mul;
pub use statistics::{BatchStatistics, WithStats};
pub use tape::{Tape, add, cat, flatten};
pub use threads::set_threads;
