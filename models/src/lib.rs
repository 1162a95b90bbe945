//! Networks, data sets and training: everything numerical in Vivarium, and no web in it.
//!
//! Each module uses only the modules above it in this table; `tests/module_order.rs` checks that from the sources.
//!
//! | module | what it is |
//! |---|---|
//! | [`error`] | the one error type |
//! | [`links`] | refuses links in the data folder |
//! | [`random`] | random numbers that depend on nothing but a key |
//! | [`contract`] | what is written down and read by others: the events of a run |
//! | [`spec`] | what a run is asked to do: [`spec::RunSpec`], and the fields that describe its settings |
//! | `tensor_file` | one safetensors file |
//! | [`ops`] | operations with gradients on Candle tensors, and the CPU's kernels; the only `unsafe` |
//! | [`graph`] | a network as data: operations, names and shapes; initialisation; the plan of a forward pass |
//! | [`nn`] | parameters under PyTorch's names, and the execution of graphs |
//! | [`networks`] | the built-in networks, each a text; the reader of such texts; weights from files |
//! | [`onnx`] | ONNX files: written from a graph, and read as a text with its weights |
//! | [`data`] | the table of data sets, the library on disk, splits, augmentation |
//! | [`evaluate`] | figures of predictions with their intervals: pure functions of scores and targets |
//! | [`form`] | the fields of all networks and data sets, and the check of a document against them |
//! | [`classify`] | a trained network at work: from a photo to its classes |
//! | [`inspect`] | a trained network from the inside: filters, feature maps, gradients, the film of a run |
//! | [`train`] | the training loop, its events, its checkpoints |
//! | [`bench`](mod@bench) | how long a training step takes |
//!
//! From a document of settings to a trained network; the folder `examples/` has longer programs.
//!
//! ```
//! use serde_json::json;
//! use vivarium_models::{data::Library, form, train};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let document = json!({"data": {"set": "digits"}, "network": {"kind": "mlp"}});
//! let run = form::check(&document, &Library::none()).map_err(|mut faults| faults.remove(0))?;
//! let plan = train::prepare(&run, &Library::none())?;
//! assert_eq!(plan.input, [1, 8, 8]);
//! assert_eq!(plan.classes.len(), 10);
//! # Ok(())
//! # }
//! ```
//!
//! What always holds: a run is a function of its [`spec::RunSpec`] and the number of threads. Nothing here reads a
//! clock to decide what to compute, and every random number comes from a key that names what it is for.
#![deny(missing_docs)]

pub mod bench;
pub mod classify;
pub mod contract;
pub mod data;
pub mod error;
pub mod evaluate;
pub mod form;
pub mod graph;
pub mod inspect;
pub mod links;
pub mod networks;
pub mod nn;
pub mod onnx;
pub mod ops;
pub mod random;
pub mod spec;
mod tensor_file;
pub mod train;

pub use error::{Error, Result};
