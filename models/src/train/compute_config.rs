//! What the numbers of a run depend on beside its settings: how many threads compute, with which instructions, on which
//! data. A run that goes on does so with what it began with, as far as the machine lets it; else it is said that its
//! numbers are no longer those of a run that was not interrupted.

use super::run_paths::Record;
use crate::error::Result;
use crate::ops::instructions::{self, Instructions};
use crate::ops::{set_threads, threads};
use crate::spec::RunSpec;

/// What this process computes with.
#[derive(Clone, Copy, Debug)]
pub(super) struct ComputeConfig {
    pub(super) threads: usize,
    pub(super) instructions: Instructions,
    /// Whether the settings say how many threads.
    threads_are_set: bool,
}

impl ComputeConfig {
    /// Has operations compute as the settings say, else as the run began, else with all there is.
    ///
    /// # Errors
    /// As [`set_threads`].
    pub(super) fn settle(spec: &RunSpec, record: Option<&Record>) -> Result<Self> {
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

    /// What a person should know where this is not what the run began with, or not what the machine would offer.
    pub(super) fn differences(&self, record: &Record, data_hash: &str) -> Vec<String> {
        let mut notes = Vec::new();
        let (here, widest) = (
            self.instructions.name(),
            Instructions::of_this_machine().last(),
        );
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
