//! The error type of the server. `http::problem` maps it to a status, a page or a problem document; the command line
//! prints it. It is logged once, where it is handled.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use vivarium_models::spec::FieldError;

use crate::run_id::RunId;

/// A row of the index that does not hold what this program writes.
#[derive(Clone, Debug, PartialEq)]
pub struct BadRow {
    /// The key of the row.
    pub key: i64,
    /// The run, if its id can be read.
    pub id: Option<RunId>,
    /// What is wrong.
    pub fault: String,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            Some(id) => write!(f, "run {id}: {}", self.fault),
            None => write!(f, "row {}: {}", self.key, self.fault),
        }
    }
}

/// Everything that can go wrong, as messages for users: each names its subject.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The operating system refused something that has no path.
    #[error("{action}: {source}")]
    System {
        /// What could not be done.
        action: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// A value could not be written as JSON, or what this program stored could not be read as such.
    #[error("{what}: {source}")]
    Json {
        /// The value.
        what: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// An event log does not consist of events in order.
    #[error("{}: line {line} is not event number {line}", path.display())]
    EventLog {
        /// The log.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
    },
    /// The run has a worker already.
    #[error("{} is held by another worker{}", path.display(), in_brackets(holder))]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// The holder that the lock file names, in words.
        holder: Option<String>,
    },
    /// The settings of a run are not valid.
    #[error("The run's settings are not valid: {}", describe(.0))]
    Spec(Vec<FieldError>),
    /// A request is not what the route accepts.
    #[error("{0}")]
    BadRequest(String),
    /// A field of a request is not valid.
    #[error("{}: {}", .0.path, .0.message)]
    Field(Box<FieldError>),
    /// Fields of a request are not valid.
    #[error("{}", .0.iter().map(|e| format!("{}: {}", e.path, e.message)).collect::<Vec<_>>().join("; "))]
    Fields(Vec<FieldError>),
    /// The requested thing does not exist.
    #[error("There is no {0}.")]
    NotFound(String),
    /// The thing is not in a state that allows the request.
    #[error("{0}")]
    Conflict(String),
    /// The thing is not in the state that the request names with `If-Match` or `If-None-Match`.
    #[error("{0}")]
    PreconditionFailed(String),
    /// Too many requests at a time.
    #[error("{0}")]
    Busy(String),
    /// A queue is full.
    #[error("{0}")]
    Overloaded(&'static str),
    /// An error of training, data or networks.
    #[error(transparent)]
    Models(#[from] vivarium_models::Error),
    /// A data set could not be downloaded.
    #[error("{0}")]
    Fetch(String),
    /// An error of the index.
    #[error("The index: {0}")]
    Index(#[from] rusqlite::Error),
    /// The file of the index cannot be opened.
    #[error("{}: {message}", path.display())]
    IndexFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        message: String,
    },
    /// The index could not be written in time: another program has locked it, or the machine is overloaded.
    #[error(
        "The index is locked by another program, or this machine is too busy to write it; nothing was changed. Try again in a moment."
    )]
    IndexInUse,
    /// A row of the index cannot be read.
    #[error(
        "The index entry of {0} cannot be read. It is being repaired from the run's directory."
    )]
    Unreadable(BadRow),
    /// Another server uses the data folder.
    #[error("{} is in use by another Vivarium server{}; choose another with --data-dir", path.display(), in_brackets(holder))]
    DataDirInUse {
        /// The data folder.
        path: PathBuf,
        /// The other server, in words.
        holder: Option<String>,
    },
    /// The command line cannot be carried out.
    #[error("{0}")]
    Usage(String),
    /// A part of this program has ended: a defect, or the shutdown.
    #[error("{0} has ended")]
    Gone(&'static str),
    /// A caught panic, with its message.
    #[error("A defect in Vivarium: {0}")]
    Panic(String),
}

/// A result with the server's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A fault of one field of a request: its path, its value, and what is allowed.
    pub fn field(
        path: &str,
        value: impl Into<serde_json::Value>,
        message: impl Into<String>,
    ) -> Self {
        Self::Field(Box::new(FieldError::new(
            path,
            &value.into(),
            &message.into(),
        )))
    }

    /// Whether the index itself has failed, not the data to be indexed.
    pub fn is_of_the_index(&self) -> bool {
        matches!(
            self,
            Self::Index(_) | Self::IndexInUse | Self::Unreadable(_)
        )
    }

    /// Whether the disk was full.
    pub fn is_full_disk(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        match self {
            Self::File { source, .. } => matches!(source.kind(), StorageFull | QuotaExceeded),
            Self::Index(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            _ => false,
        }
    }

    /// A refusal of the operating system, and what could not be done for it.
    pub fn system(action: &'static str, source: io::Error) -> Self {
        Self::System { action, source }
    }

    /// A fault of JSON that this program writes or has stored.
    pub fn json(what: &'static str, source: serde_json::Error) -> Self {
        Self::Json { what, source }
    }

    /// A file error with its path.
    pub fn file(path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::File {
            path: path.as_ref().to_owned(),
            source,
        }
    }
}

fn in_brackets(holder: &Option<String>) -> String {
    let words = holder.as_ref();
    words.map_or(String::new(), |words| format!(" ({words})"))
}

fn describe(errors: &[FieldError]) -> String {
    let each: Vec<_> = errors
        .iter()
        .map(|e| format!("{} = {}: {}", e.path, e.value, e.message))
        .collect();
    each.join("; ")
}
