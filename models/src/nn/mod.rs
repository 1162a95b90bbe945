//! Parameters under the names that PyTorch gives them, and the layers made of them.
//!
//! | module | what it is |
//! |---|---|
//! | `var_store` | where a network's parameters and buffers live, in the order they were made |
//! | `init` | what parameters start from |
//! | `context` | whether a forward pass trains or evaluates, and who wants to see activations |
//! | `linear`, `conv2d`, `batch_norm`, `dropout`; `conv_norm` | layers; three that follow each other |
//! | `deferred_norm` | images that the next layer normalises as it reads them |
//!
//! A layer's name is its place in PyTorch's module: `net.0` has the parameters `net.0.weight` and `net.0.bias`.

mod batch_norm;
mod context;
mod conv2d;
mod conv_norm;
mod deferred_norm;
mod dropout;
mod init;
mod linear;
mod var_store;

pub use batch_norm::BatchNorm;
pub use context::{Context, LayerOp, LayerRecord, Mode, Recorder};
pub use conv_norm::{Branch, ConvNorm};
pub use conv2d::{Conv2d, ConvShape};
pub use deferred_norm::DeferredNorm;
pub use dropout::Dropout;
pub use init::{Init, InitScheme};
pub use linear::Linear;
pub use var_store::{MAX_PARAMETERS, VarBuilder, VarStore};
