//! ONNX files: written from a graph, and read as a text with its weights.
//!
//! | module | what it is |
//! |---|---|
//! | `proto` | the messages of a file: the part of `onnx.proto` that is needed |
//! | `wire` | bounds what a file takes before it is decoded |
//! | `export` | a graph with its tensors as a file |
//! | `constant` | tensors of a file |
//! | `attributes` | the attributes of a node |
//! | `values` | the values of a file's graph while it is read: results, constants, shapes |
//! | `convert` | the nodes of a file as a [`Graph`](crate::graph::Graph) |
//! | `names` | the names of modules, from those of tensors and nodes |
//! | `tree` | a graph as a tree of sequences and joins |
//! | `text` | such a tree as a network's text |
//! | `import` | all of that: a file as a text, its tensors, and notes |

mod attributes;
mod constant;
mod convert;
mod export;
mod import;
mod names;
mod proto;
mod text;
mod tree;
mod values;
mod wire;

pub use export::{Metadata, export};
pub use import::{Imported, import};

/// Why a file is not read: the reason in a sentence, which names the node or the tensor at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ImportError(String);

impl ImportError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// A result whose error is [`ImportError`].
type Outcome<T> = std::result::Result<T, ImportError>;
