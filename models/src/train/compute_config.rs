//! The compute configuration, on which the results of a run depend besides its settings: threads, instructions and
//! data. A resumed run uses that of its start where the machine allows; otherwise a note says that its results will
//! differ from those of an uninterrupted run.

use super::run_paths::Record;
use crate::error::Result;
use crate::ops::instructions::{self, Instructions};
use crate::ops::{set_threads, threads};
use crate::spec::RunSpec;

/// The configuration of this process.
#[derive(Clone, Copy, Debug)]
pub(super) struct ComputeConfig {
    pub(super) threads: usize,
    pub(super) instructions: Instructions,
    /// Whether the settings give the number of threads.
    threads_are_set: bool,
}

impl ComputeConfig {
    /// Configures operations as the settings say, else as at the start of the run, else for the whole machine.
    ///
    /// # Errors
    /// As [`set_threads`].
    pub(super) fn configure(spec: &RunSpec, record: Option<&Record>) -> Result<Self> {
        let set = spec.training.threads.map(|n| n as usize);
        let began_with = record.and_then(|record| record.threads);
        let threads = set.or(began_with).unwrap_or_else(threads::available);
        if let Some(name) = record.and_then(|record| record.instructions.as_deref()) {
            instructions::prefer(name);
        }
        set_threads(threads)?;
        Ok(Self {
            threads,
            instructions: instructions::instructions()?,
            threads_are_set: set.is_some(),
        })
    }

    /// A note for the user if this differs from the start of the run, or from what the machine offers.
    pub(super) fn differences(&self, record: &Record, data_hash: &str) -> Vec<String> {
        let mut notes = Vec::new();
        let (here, widest) = (self.instructions.name(), Instructions::supported().last());
        if let Some(before) = record.instructions.as_deref() {
            if before != here {
                notes.push(format!(
                    "The run began with the vector instructions {before} and goes on with {here}: from here on its numbers may differ in their last digits from those of a run that was not interrupted."
                ));
            } else if widest.is_some_and(|widest| widest != self.instructions)
                && !instructions::are_asked_for()
            {
                notes.push(format!(
                    "The run goes on with the vector instructions {here}, which it began with, so that its numbers stay exact."
                ));
            }
        }
        let offered = threads::available();
        if !self.threads_are_set && self.threads > offered {
            notes.push(format!(
                "The run goes on with {} threads, which it began with, so that its numbers stay exact. This process is offered {offered}.",
                self.threads
            ));
        }
        if record
            .data_hash
            .as_deref()
            .is_some_and(|before| before != data_hash)
        {
            notes.push(
                "The data set is not the one that the run began with: from here on its numbers differ from those of a run that was not interrupted.".to_owned(),
            );
        }
        notes
    }
}
