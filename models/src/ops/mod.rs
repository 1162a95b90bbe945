//! Kernels on the CPU, as Candle operations with their gradients.
//!
//! | module | what it is |
//! |---|---|
//! | [`threads`] | how many threads compute, and from which size on |
//! | [`instructions`](mod@instructions) | which vector instructions compute |
//! | `kernel` | functions compiled for each of them; memory that is written before it is read |
//! | `product` | products of matrices, on the `gemm` crate |
//! | `tape` | what was computed, to be differentiated backwards |
//! | `real` | f32, what is trained in, and f64, in which the tests differentiate |
//! | `linear` | `x·Wᵀ + b` |
//! | `conv` | convolutions of images with their channels last |
//! | `pool`, `layout` | pooling; the order of an image's dimensions |
//! | `activation` | ReLU, SiLU, sigmoid, tanh |
//! | `batch_norm` | normalisation over the batch |
//! | `statistics` | means and variances of channels |
//! | `dropout` | zeros from a seeded mask |
//! | `deliver` | where the gradients of parameters go |
//! | `gradients` | to buffers, in the same memory from step to step |
//! | `descent` | into the parameters, as soon as they are known |
//! | `keep` | what changes beside the parameters: running statistics, loaded values |
//! | `loss` | softmax cross-entropy, the perceptron's criterion |
//! | `optimizer` | SGD and AdamW, each in one pass over memory |
//!
//! Candle's own ReLU has the gradient 1 at 0, its pooling a wrong one, and neither they nor its optimizers are fused:
//! that is why these exist. Every operation is deterministic: sums are taken in an order that does not depend on timing.
//!
//! `unsafe` stands here and nowhere else in the crate.

mod activation;
mod batch_norm;
mod columns;
mod conv;
mod deliver;
mod descent;
mod dropout;
mod gradients;
pub mod instructions;
mod keep;
mod kernel;
mod layout;
mod linear;
mod loss;
mod optimizer;
mod pool;
mod product;
mod real;
mod statistics;
mod tape;
pub mod threads;

pub use activation::{Activation, activate};
pub use batch_norm::{batch_norm, batch_norm_fixed};
pub use conv::{Geometry, conv2d, conv2d_branches, norm_conv2d};
pub use descent::Descent;
pub use dropout::dropout;
pub use gradients::Gradients;
pub use instructions::{Instructions, check_instructions, instructions};
pub use keep::{AddOne, MoveTowards, Overwrite};
pub use layout::{channels_last, flatten};
pub use linear::linear;
pub(crate) use loss::greatest;
pub use loss::{Loss, cross_entropy, perceptron, smoothed_cross_entropy, softmax};
pub use optimizer::{AdamW, Rule, Sgd};
pub use pool::{Window, max_pool2d, mean_pool};
pub use statistics::{BatchStatistics, Measured};
pub use tape::{Tape, join, rows, sum};
pub use threads::set_threads;
