//! Parameters under the names that PyTorch gives them, and the layers made of them.
//!
//! | module | what it is |
//! |---|---|
//! | `store` | where a network's parameters and buffers live, in the order they were made |
//! | `init` | what parameters start from |
//! | `context` | whether a forward pass trains or evaluates, and who wants to see activations |
//! | `linear`, `conv2d`, `batch_norm`, `dropout`; `conv_norm` | layers; three that follow each other |
//! | `pending` | images that the next layer normalises as it reads them |
//!
//! A layer's name is its place in PyTorch's module: `net.0` has the parameters `net.0.weight` and `net.0.bias`.

mod batch_norm;
mod context;
mod conv2d;
mod conv_norm;
mod dropout;
mod init;
mod linear;
mod pending;
mod store;

pub use batch_norm::BatchNorm;
pub use context::{Context, Does, Mode, Recorder, Shown};
pub use conv_norm::{Branch, ConvNorm};
pub use conv2d::{Conv2d, ConvShape};
pub use dropout::Dropout;
pub use init::{Init, Scheme};
pub use linear::Linear;
pub use pending::Pending;
pub use store::{MOST_PARAMETERS, Scope, Store};
