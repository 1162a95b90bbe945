//! Parameters under the names that PyTorch gives them, and the execution of graphs.
//!
//! | module | what it is |
//! |---|---|
//! | `var_store` | the parameters and buffers of a network, in the order of their creation |
//! | `context` | the mode of a forward pass, and its recorder |
//! | `linear`, `conv2d`, `batch_norm`, `dropout` | layers with parameters, and dropout |
//! | `frozen` | the division of a network into a frozen part and the rest |
//! | `executor` | the forward pass of a graph, step by step of its plan |
//!
//! A layer's name is its path in the PyTorch module: `net.0` has the parameters `net.0.weight` and `net.0.bias`.

mod batch_norm;
mod context;
mod conv2d;
mod dropout;
mod executor;
mod frozen;
mod linear;
mod var_store;

pub use batch_norm::BatchNorm;
pub use context::{Context, LayerOp, LayerRecord, Mode, Recorder};
pub use conv2d::Conv2d;
pub use executor::Executor;
pub use frozen::FrozenPart;
pub use linear::Linear;
pub(crate) use var_store::check_parameters;
pub use var_store::{MAX_PARAMETERS, VarBuilder, VarStore};
