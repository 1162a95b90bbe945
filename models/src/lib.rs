//! Networks, data sets and training: everything numerical in Vivarium, and no web in it.
//!
//! | module | what it is | uses |
//! |---|---|---|
//! | [`error`] | the one error type | |
//! | [`links`] | links in the data folder, which are not followed | |
//! | [`spec`] | what a run is asked to do: the table of fields, the check, [`spec::RunSpec`] | the rows of `networks` and `data` |
//! | [`random`] | random numbers that depend on nothing but a key | |
//! | [`ops`] | kernels with their gradients, as Candle operations; the only `unsafe` | |
//! | [`nn`] | parameters under PyTorch's names, and the layers made of them | `ops` |
//! | [`networks`] | the table of networks: one file and one row each | `nn` |
//! | [`data`] | the table of data sets: one row each | |
//! | `tensor_file` | one safetensors file | |
//! | [`train`] | the training loop, its events, its checkpoints | all of the above |
//! | [`inspect`] | a trained network from the inside: filters, feature maps, gradients | `networks`, `data` |
//! | [`bench`](mod@bench) | how long a training step takes | `networks`, `train` |
//!
//! What always holds: a run is a function of its [`spec::RunSpec`] and the number of threads. Nothing here reads a
//! clock to decide what to compute, and every random number comes from a key that names what it is for.
#![deny(missing_docs)]

pub mod bench;
pub mod data;
pub mod error;
pub mod inspect;
pub mod links;
pub mod networks;
pub mod nn;
pub mod ops;
pub mod random;
pub mod spec;
mod tensor_file;
pub mod train;

pub use error::{Error, Result};
