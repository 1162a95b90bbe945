//! TensorBoard's event files: exports the curves of runs, and imports those of other programs as runs to look at and
//! compare with.
//!
//! * [`record`]: the framing of records in a file, with checksums; [`event`]: their content.
//! * [`mod@write`]: a run's events as an event file; [`export`]: several runs, as files and as a zip.
//! * [`find`]: groups the event files of a folder by run; [`unpack`]: extracts a folder from a zip.
//! * [`read`]: the scalars of a run's files, as TensorBoard would show them.
//! * [`tags`]: maps tags to curves.
//! * [`import`]: makes runs of what was found (`describe` names them and chooses their curves); [`relation`]: or recognises runs that exist and whose files have grown.
//!
//! Invariants: a length in a file is not trusted before as many bytes are there; all readable values of a run's files
//! become the run, completely or not at all; whatever is left out is named.

mod describe;
pub mod event;
pub mod export;
pub mod find;
pub mod import;
pub mod read;
#[cfg(test)]
mod read_tests;
pub mod record;
pub mod relation;
pub mod tags;
pub mod unpack;
pub mod write;

use vivarium_models::data::Fault;

use crate::error::Error;

/// A fault of a file, named as the person knows it.
fn refused(file: impl Into<String>, message: impl Into<String>) -> Error {
    let (file, message) = (file.into(), message.into());
    vivarium_models::Error::Refused(vec![Fault { file, message }]).into()
}
