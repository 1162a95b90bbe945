//! Cancels the jobs of runs: those that train get a signal first, so that they write a checkpoint.

use std::path::{Path, PathBuf};

use tokio::time::Instant;

use super::{COMMAND_INTERVAL, Controller};
use crate::launch::slurm::commands::{self, Failure};
use crate::launch::slurm::followed::Cancel;
use crate::launch::{Exit, State};

/// The most jobs that one command cancels.
const MAX_CANCELS: usize = 200;

impl Controller {
    /// Notes that a job is to end. A run that was not submitted yet ends here.
    pub(super) fn ask_to_cancel(&mut self, dir: &Path, kill: bool) {
        if let Some(followed) = self.followed.get_mut(dir) {
            let before = followed.cancel.is_some_and(|cancel| cancel.kill);
            followed.cancel = Some(Cancel {
                kill: kill || before,
                is_sent: false,
            });
            if followed.place.is_none() {
                followed.tell(State::Ended(Exit::Cancelled));
                self.followed.remove(dir);
            }
        }
    }

    /// The runs whose jobs are to be cancelled or signalled now.
    pub(super) fn cancels(&self) -> impl Iterator<Item = (&PathBuf, Option<&'static str>)> {
        self.followed.iter().filter_map(|(dir, followed)| {
            let cancel = followed.cancel.filter(|cancel| !cancel.is_sent)?;
            followed.id.as_ref()?;
            let is_running = matches!(&*followed.states.borrow(), Some(State::Running(_)));
            Some((dir, (is_running && !cancel.kill).then_some("TERM")))
        })
    }

    /// The signal and the jobs of the next command; they are noted as sent.
    pub(super) fn next_cancels(&mut self) -> Option<(Option<&'static str>, Vec<String>)> {
        let signal = self.cancels().next()?.1;
        let dirs: Vec<PathBuf> = self
            .cancels()
            .filter(|(_, each)| *each == signal)
            .take(MAX_CANCELS)
            .map(|(dir, _)| dir.clone())
            .collect();
        let mut ids = Vec::new();
        for dir in dirs {
            if let Some(followed) = self.followed.get_mut(&dir) {
                if let Some(cancel) = &mut followed.cancel {
                    cancel.is_sent = true;
                }
                ids.extend(followed.id.clone());
            }
        }
        Some((signal, ids))
    }

    /// Signals or cancels jobs by id. Jobs that the command did not reach are to be cancelled again.
    pub(super) async fn cancel(
        &mut self,
        signal: Option<&'static str>,
        ids: Vec<String>,
    ) -> Result<(), String> {
        self.next_poll = Instant::now() + COMMAND_INTERVAL;
        match commands::scancel(&ids, signal).await {
            Ok(()) => Ok(()),
            // Some have ended meanwhile, which the next poll tells.
            Err(Failure::Refused(message)) => {
                tracing::debug!(message, "some jobs could not be cancelled");
                Ok(())
            }
            Err(Failure::Unreachable(message)) => {
                for followed in self.followed.values_mut() {
                    let is_one = followed.id.as_ref().is_some_and(|id| ids.contains(id));
                    if let (true, Some(cancel)) = (is_one, &mut followed.cancel) {
                        cancel.is_sent = false;
                    }
                }
                Err(message)
            }
        }
    }
}
