//! The task that runs all of Slurm's commands.
//!
//! This file has its state and its loop: requests change the state, and what they ask for is done by commands, one at a
//! time: `cancel` jobs, `submit` runs that were gathered, `poll` for the states of all jobs and for what ended.

mod cancel;
mod poll;
mod submit;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use uuid::Uuid;

use super::followed::{Followed, now};
use super::job_file::JobFile;
use super::needs::Needs;
use super::options::SlurmOptions;
use super::submission::Submission;
use crate::error::Result;
use crate::launch::State;
use crate::run_dir::RunDir;

/// The pause between two commands.
const COMMAND_INTERVAL: Duration = Duration::from_millis(300);

/// The pause after a command that did not reach Slurm.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// What the launcher and its workers ask for.
pub(super) enum Request {
    /// Submit a job for a run, and tell its states.
    Submit {
        dir: RunDir,
        needs: Needs,
        states: watch::Sender<Option<State>>,
    },
    /// Tell the states of the job that a run has already, and answer whether there may be one.
    Adopt {
        dir: RunDir,
        file: Option<JobFile>,
        states: watch::Sender<Option<State>>,
        answer: oneshot::Sender<bool>,
    },
    /// Stop the job of a run, or kill it.
    Cancel { dir: PathBuf, kill: bool },
}

/// A submission, and what is known of it.
struct Known {
    submission: Submission,
    /// The id of the array's job.
    id: Option<String>,
    /// While the id is unknown: since when Slurm answers and knows nothing of it.
    in_doubt: Option<Instant>,
    /// Cycles in which nobody followed a run of it and no job of it lived.
    idle_polls: u32,
}

impl Known {
    fn new(submission: Submission) -> Self {
        Self {
            submission,
            id: None,
            in_doubt: None,
            idle_polls: 0,
        }
    }
}

/// Runs all commands, one after another.
pub(super) struct Controller {
    folder: PathBuf,
    options: SlurmOptions,
    followed: HashMap<PathBuf, Followed>,
    known: BTreeMap<Uuid, Known>,
    next_poll: Instant,
    /// No command before this.
    quiet_until: Instant,
    /// Whether Slurm did not answer the last command.
    is_away: bool,
}

impl Controller {
    pub(super) fn new(folder: PathBuf, options: SlurmOptions) -> Self {
        Self {
            folder,
            options,
            followed: HashMap::new(),
            known: BTreeMap::new(),
            next_poll: Instant::now(),
            quiet_until: Instant::now(),
            is_away: false,
        }
    }

    /// Reads the submissions that are new on the disk.
    pub(super) fn learn_submissions(&mut self) -> Result<()> {
        for submission in Submission::all(&self.folder)? {
            let known = self.known.entry(submission.id);
            known.or_insert_with(|| Known::new(submission));
        }
        Ok(())
    }

    /// Runs until the last launcher and worker are gone.
    pub(super) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Request>) {
        loop {
            let next = self.next_action();
            tokio::select! {
                biased;
                request = inbox.recv() => match request {
                    Some(request) => self.receive(request),
                    None => return,
                },
                () = tokio::time::sleep_until(next) => self.act().await,
            }
        }
    }

    fn receive(&mut self, request: Request) {
        match request {
            Request::Submit { dir, needs, states } => self.gather(dir, needs, states),
            Request::Adopt {
                dir,
                file,
                states,
                answer,
            } => {
                let is_known = self.adopt(dir, file, states);
                let _ = answer.send(is_known);
            }
            Request::Cancel { dir, kill } => self.ask_to_cancel(&dir, kill),
        }
    }

    /// Follows a run whose job another server or a command line submitted. Returns whether there may be one.
    fn adopt(
        &mut self,
        dir: RunDir,
        file: Option<JobFile>,
        states: watch::Sender<Option<State>>,
    ) -> bool {
        // The newest submission that has the run: of an older one the job has ended.
        let find = |known: &BTreeMap<Uuid, Known>| {
            known.values().rev().find_map(|known| {
                let index = known.submission.index(dir.path())?;
                Some((known.submission.id, index))
            })
        };
        let mut place = find(&self.known);
        let named = file.as_ref().map(|file| (file.submission, file.index));
        if named.is_some() && place != named {
            // Another process has submitted it.
            if let Err(error) = self.learn_submissions() {
                tracing::warn!(%error, "the submissions could not be read");
            }
            place = find(&self.known);
        }
        let Some(place) = place else {
            return false;
        };
        let file = file.filter(|file| (file.submission, file.index) == place);
        let followed = Followed {
            needs: Needs::default(),
            place: Some(place),
            since: Instant::now(),
            states,
            is_written: file.is_some(),
            submitted: file
                .as_ref()
                .map_or_else(now, |file| file.submitted.clone()),
            id: file.map(|file| file.job),
            cancel: None,
            dir: dir.clone(),
        };
        self.followed.insert(dir.path().to_owned(), followed);
        self.next_poll = Instant::now();
        true
    }

    /// When the next command may be due.
    fn next_action(&self) -> Instant {
        let submit = self.next_gathered();
        let cancel = self.cancels().next().map(|_| Instant::now());
        let poll = (!self.known.is_empty()).then_some(self.next_poll);
        let due = [submit, cancel, poll].into_iter().flatten().min();
        let idle = Instant::now() + Duration::from_secs(3600);
        due.unwrap_or(idle).max(self.quiet_until)
    }

    /// Runs one command.
    async fn act(&mut self) {
        self.followed
            .retain(|_, followed| !followed.states.is_closed());
        let done = if let Some((signal, ids)) = self.next_cancels() {
            self.cancel(signal, ids).await
        } else if let Some((resources, paths)) = self.next_submission() {
            self.submit(resources, paths).await
        } else if Instant::now() >= self.next_poll && !self.known.is_empty() {
            self.poll().await
        } else {
            return;
        };
        let is_away = done.is_err();
        if let Err(message) = &done
            && !self.is_away
        {
            tracing::warn!(message, "Slurm does not answer; jobs keep their last state");
        } else if self.is_away && !is_away {
            tracing::info!("Slurm answers again");
        }
        if is_away != self.is_away {
            self.is_away = is_away;
            for followed in self.followed.values() {
                followed.tell_reachability(is_away);
            }
        }
        let pause = match is_away {
            true => RETRY_INTERVAL,
            false => COMMAND_INTERVAL,
        };
        self.quiet_until = Instant::now() + pause;
    }
}
