//! The one error of this crate. Each variant names what a reader needs to find the cause: a file, a layer, a setting.

use std::error::Error as StdError;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use utoipa::ToSchema;

/// An error while data is loaded, a network is built or a run is trained.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file is not a checkpoint, or does not belong to the network.
    #[error("{}: {message}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it; names the tensor where one is at fault.
        message: String,
    },
    /// A setting that the table of fields allows cannot be carried out.
    #[error("{path}: {message}")]
    Setting {
        /// The setting's dotted path, such as `network.hidden`.
        path: String,
        /// What is allowed instead.
        message: String,
    },
    /// A data set is not as expected.
    #[error("data set {set}: {message}")]
    Data {
        /// The data set's name.
        set: String,
        /// What is wrong.
        message: String,
    },
    /// Files cannot be imported as a data set.
    #[error("{}", list_faults(.0))]
    Refused(Vec<Fault>),
    /// Tensors do not fit together.
    #[error("{place}: expected the shape {expected}, got {got:?}")]
    Shape {
        /// The layer or operation.
        place: String,
        /// The shape it takes, in words or as a list.
        expected: String,
        /// The shape it was given.
        got: Vec<usize>,
    },
    /// A tensor operation failed inside a layer.
    #[error("layer {layer}: {source}")]
    Layer {
        /// The layer's name, such as `net.0`.
        layer: String,
        /// The error of Candle.
        source: candle_core::Error,
    },
    /// A tensor operation failed.
    #[error("tensor operation: {0}")]
    Tensor(#[from] candle_core::Error),
    /// Threads could not be started.
    #[error("threads: {0}")]
    Threads(String),
    /// The observer of a run failed, and with it the run: nothing is trained that cannot be recorded.
    #[error("the run's events could not be recorded: {0}")]
    Observer(#[source] Box<dyn StdError + Send + Sync>),
}

impl Error {
    pub(crate) fn file(path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::File {
            path: path.as_ref().to_owned(),
            source,
        }
    }

    pub(crate) fn checkpoint(path: &Path, message: impl Into<String>) -> Self {
        Self::Checkpoint {
            path: path.to_owned(),
            message: message.into(),
        }
    }

    pub(crate) fn setting(path: &str, message: impl Into<String>) -> Self {
        Self::Setting {
            path: path.to_owned(),
            message: message.into(),
        }
    }
}

/// A result whose error is [`enum@Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// A fault of a file.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Fault {
    /// The file's name, as given or as in its archive.
    pub file: String,
    /// What is wrong with it, such as `must have 47,040,016 bytes, and has 10`.
    pub message: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.file, self.message)
    }
}

/// Lists faults in one line; of many, the first few and a count.
fn list_faults(faults: &[Fault]) -> String {
    const TOLD: usize = 5;
    let mut words: Vec<_> = faults.iter().take(TOLD).map(Fault::to_string).collect();
    if faults.len() > TOLD {
        words.push(format!("and {} more", faults.len() - TOLD));
    }
    words.join("; ")
}
