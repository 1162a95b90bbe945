//! TensorBoard's event files: curves go out as them, and those of other programs come in as runs
//! to look at and to compare with.
//!
//! * [`record`]: how records lie in a file, with their checksums; [`event`]: what is in a record.
//! * [`mod@write`]: a run's events as an event file; [`export`]: those of runs, as files and as a zip.
//! * [`find`]: which event files of a folder belong to one run; [`unpack`]: a folder out of a zip.
//! * [`read`]: the scalars of a run's files, as TensorBoard would show them.
//! * [`tags`]: which scalar is which curve here.
//! * [`import`]: makes runs of what was found; [`relation`]: or takes them for runs that are here, and have grown.
//!
//! What always holds: no length that a file tells is trusted before as many bytes are there; what can be read of a
//! run's files becomes the run, whole or not at all, and what is left out is named.

pub mod event;
pub mod export;
pub mod find;
pub mod import;
pub mod read;
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
