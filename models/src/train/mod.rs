//! Training: one loop, its events, its checkpoints.
//!
//! [`event`] is what a run tells, [`plan`] what it will do, known before it starts.

use std::path::Path;

mod event;
mod plan;

pub use event::{
    Boundary, Control, EpochEnd, Event, Observer, Reason, Score, Started, Step, TestResult, Which,
};
pub use plan::{Plan, prepare};

use crate::error::Result;
use crate::spec::RunSpec;

/// Trains a run to its end, from its beginning or from the checkpoint that lies in the folder `checkpoints`.
///
/// # Errors
/// When the data, a file, a tensor operation or the observer fails. The caller tells of it; every other end of a run
/// is told here, as [`Event::Finished`].
pub fn train(spec: &RunSpec, checkpoints: &Path, observer: &mut dyn Observer) -> Result<Reason> {
    let _ = (spec, checkpoints, observer);
    todo!()
}
