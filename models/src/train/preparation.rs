//! The preparation of photos before a run starts, and what is told of it.

use std::time::{Duration, Instant};

use super::observer::{Control, Observer};
use crate::contract::Event;
use crate::data::{self, Library, Preparing};
use crate::error::{Error, Result};
use crate::spec::DataSpec;

/// The least time between two events.
const TOLD_EVERY: Duration = Duration::from_millis(500);

/// Prepares the photos of a run's data set, if it has any that are not prepared yet. Returns whether the run may start;
/// it may not if the observer asked to stop.
pub(super) fn prepare(
    spec: &DataSpec,
    library: &Library,
    observer: &mut dyn Observer,
) -> Result<bool> {
    let mut told: Option<Instant> = None;
    let mut failure = None;
    let prepared = data::prepare(spec, library, &mut |Preparing { done, of }| {
        let is_last = done == Some(of);
        if !is_last && told.is_some_and(|at| at.elapsed() < TOLD_EVERY) {
            return true;
        }
        told = Some(Instant::now());
        let event = Event::Preparing {
            done: done.map(|done| done as u64),
            of: of as u64,
        };
        match observer.observe(&event) {
            Ok(control) => control == Control::Continue || is_last,
            Err(error) => {
                failure = Some(error);
                false
            }
        }
    })?;
    match failure {
        Some(error) => Err(Error::Observer(error)),
        None => Ok(prepared),
    }
}
