//! Parameters under the names that PyTorch gives them, and the layers made of them.
//!
//! | module | what it is |
//! |---|---|
//! | `var_store` | the parameters and buffers of a network, in the order of their creation |
//! | `init` | initialisation of parameters |
//! | `context` | the mode of a forward pass, and its recorder |
//! | `linear`, `conv2d`, `batch_norm`, `dropout`; `conv_norm` | layers; convolution, normalisation and activation in sequence |
//! | `deferred_norm` | images whose normalisation is fused into the next layer |
//!
//! A layer's name is its path in the PyTorch module: `net.0` has the parameters `net.0.weight` and `net.0.bias`.

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
