//! A run whose job is followed, and what is told of it in words.

use std::time::SystemTime;

use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use super::commands::JobInfo;
use super::job_file::JobFile;
use super::needs::Needs;
use crate::job::{Job, JobState};
use crate::launch::State;
use crate::run_dir::{RunDir, lock};

/// The place of a job: its submission, and its index in the array.
pub(super) type Place = (Uuid, usize);

/// A run that is followed.
pub(super) struct Followed {
    pub dir: RunDir,
    pub needs: Needs,
    /// `None` while it waits to be submitted.
    pub place: Option<Place>,
    pub since: Instant,
    pub states: watch::Sender<Option<State>>,
    /// The job's id, once it is known, and whether `job.json` has it.
    pub id: Option<String>,
    pub is_written: bool,
    /// When it was submitted, RFC 3339.
    pub submitted: String,
    pub cancel: Option<Cancel>,
}

/// A wish to end a job.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Cancel {
    pub kill: bool,
    /// Whether the command for the present state of the job has been run.
    pub is_sent: bool,
}

impl Followed {
    /// The content of its `job.json`.
    pub(super) fn file(&self, submission: Uuid, index: usize, id: &str, ended: bool) -> JobFile {
        JobFile {
            scheduler: "slurm".to_owned(),
            submission,
            index,
            job: id.to_owned(),
            host: lock::host_name(),
            submitted: self.submitted.clone(),
            ended,
        }
    }

    /// Whether it was told last that the job waits.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(&*self.states.borrow(), Some(State::Waiting(_)))
    }

    /// Tells a state, unless it is the last one.
    pub(super) fn tell(&self, state: State) {
        self.states.send_if_modified(|last| {
            let is_new = last.as_ref() != Some(&state);
            *last = Some(state);
            is_new
        });
    }

    /// Tells that the job waits, or is yet to be submitted if it has no id.
    pub(super) fn tell_waiting(&self, id: Option<String>, reason: Option<String>, is_away: bool) {
        let text = match (&id, &reason, is_away) {
            (None, _, true) => NOT_SUBMITTED.to_owned(),
            (Some(id), _, true) => {
                format!("Slurm does not answer; job {id} keeps its place in the queue.")
            }
            (None, _, _) => "It is about to be submitted to Slurm.".to_owned(),
            (Some(id), None, _) => format!("Job {id} waits in Slurm's queue."),
            (Some(id), Some(reason), _) => {
                format!("Job {id} waits in Slurm's queue: {}.", in_words(reason))
            }
        };
        self.tell(State::Waiting(Job {
            scheduler: "slurm".to_owned(),
            id,
            state: JobState::Waiting,
            host: None,
            reason,
            text,
        }));
    }

    /// Tells the state of a job that has not ended.
    pub(super) fn tell_job(&mut self, job: &JobInfo) {
        let runs = matches!(
            job.state.as_str(),
            "RUNNING" | "COMPLETING" | "SUSPENDED" | "STAGE_OUT"
        );
        let host = Some(job.host.clone()).filter(|host| !host.is_empty() && host != "n/a");
        let was_running = matches!(&*self.states.borrow(), Some(State::Running(_)));
        if was_running != runs
            && let Some(cancel) = &mut self.cancel
        {
            // A signal does not reach a job that waits again.
            cancel.is_sent = false;
        }
        if !runs {
            let reason = Some(job.reason.clone()).filter(|it| !it.is_empty() && it != "None");
            return self.tell_waiting(Some(job.id.clone()), reason, false);
        }
        let at = host
            .as_ref()
            .map_or(String::new(), |host| format!(" on {host}"));
        let text = match job.state.as_str() {
            "SUSPENDED" => format!("Slurm has suspended job {}{at}.", job.id),
            _ => format!("Job {} runs{at}.", job.id),
        };
        self.tell(State::Running(Some(Job {
            scheduler: "slurm".to_owned(),
            id: Some(job.id.clone()),
            state: JobState::Running,
            host,
            reason: None,
            text,
        })));
    }

    /// Tells that Slurm is away; when it is back, the next poll tells the state.
    pub(super) fn tell_reachability(&self, is_away: bool) {
        let state = self.states.borrow().clone();
        match state {
            Some(State::Waiting(job)) if is_away => self.tell_waiting(job.id, job.reason, true),
            Some(State::Running(Some(job))) if is_away => {
                let id = job.id.as_deref().unwrap_or_default();
                let text = format!("Slurm does not answer; job {id} goes on.");
                self.tell(State::Running(Some(Job { text, ..job })));
            }
            Some(State::Waiting(job)) if job.id.is_none() => self.tell_waiting(None, None, false),
            _ => {}
        }
    }
}

/// What is told of a run that waits for Slurm to answer.
const NOT_SUBMITTED: &str = "Slurm does not answer; the run is submitted as soon as it does.";

/// The present time, RFC 3339.
pub(super) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

/// The reasons that users meet most, in words; others are given as they are.
fn in_words(reason: &str) -> String {
    let words = match reason {
        "Priority" => "others come first",
        "Resources" => "no node is free",
        "BeginTime" => "it begins again in a moment",
        "Dependency" => "it depends on another job",
        "JobArrayTaskLimit" => "the array's limit of jobs at a time is reached",
        "ReqNodeNotAvail" => "a node that it needs is not available",
        "PartitionTimeLimit" => "it asks for more time than the partition allows",
        "PartitionNodeLimit" => "it asks for more than the nodes of the partition have",
        "PartitionConfig" | "BadConstraints" => "no node of the partition has what it asks for",
        "PartitionDown" => "the partition is down",
        "JobHeldUser" | "JobHeldAdmin" => "it is held",
        other => return other.trim_end_matches('.').to_owned(),
    };
    format!("{words} ({reason})")
}
