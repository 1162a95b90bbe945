//! Asks for the states of all jobs, tells them, and notes how jobs ended.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::Controller;
use crate::blocking::blocking;
use crate::launch::slurm::commands::{self, Failure, JobInfo};
use crate::launch::slurm::exit;
use crate::launch::slurm::followed::{Followed, Place};
use crate::launch::slurm::submission::Submission;
use crate::launch::{Exit, State};

/// How often the states of the jobs are asked for.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// A submission whose command was interrupted, and of which Slurm knows nothing for this long, has not reached it.
const DOUBT: Duration = Duration::from_secs(10);

/// How many cycles a submission without jobs or followers is kept.
const KEPT_POLLS: u32 = 30;

impl Controller {
    /// Asks for the states of all jobs.
    pub(super) async fn poll(&mut self) -> Result<(), String> {
        self.next_poll = Instant::now() + POLL_INTERVAL;
        let names: Vec<_> = self
            .known
            .values()
            .map(|known| known.submission.job_name())
            .collect();
        let jobs = match commands::squeue(&names).await {
            Ok(jobs) => jobs,
            Err(Failure::Unreachable(message) | Failure::Refused(message)) => return Err(message),
        };
        let mut states: HashMap<Place, JobInfo> = HashMap::new();
        for job in jobs {
            let (Some(submission), Some((array, index))) =
                (Submission::id_of_name(&job.name), job.id.split_once('_'))
            else {
                continue;
            };
            let Ok(index) = index.parse::<usize>() else {
                continue;
            };
            if self
                .known
                .get(&submission)
                .is_some_and(|known| known.id.is_none())
            {
                let array = array.to_owned();
                self.confirm(submission, &array).await;
            }
            states.insert((submission, index), job);
        }
        self.settle_doubts();
        self.tell_states(&states).await;
        self.write_files().await;
        self.remove_idle(&states);
        Ok(())
    }

    /// Submits again what certainly did not reach Slurm.
    fn settle_doubts(&mut self) {
        let mut lost = Vec::new();
        for (id, known) in &mut self.known {
            if known.id.is_some() {
                continue;
            }
            let since = *known.in_doubt.get_or_insert_with(Instant::now);
            let was_confirmed = self.followed.values().any(|followed| {
                followed.id.is_some() && followed.place.is_some_and(|p| p.0 == *id)
            });
            if !was_confirmed && since.elapsed() > DOUBT {
                lost.push(*id);
            }
        }
        for id in lost {
            tracing::warn!(submission = %id, "a submission did not reach Slurm");
            self.give_up(id);
        }
    }

    async fn tell_states(&mut self, states: &HashMap<Place, JobInfo>) {
        let mut ended = Vec::new();
        let mut missing = Vec::new();
        for (path, followed) in &mut self.followed {
            let Some(place) = followed.place else {
                continue;
            };
            let Some(job) = states.get(&place) else {
                if followed.id.is_some() {
                    missing.push(path.clone());
                }
                continue;
            };
            followed.id = Some(job.id.clone());
            match exit::of_state(&job.state, job.status) {
                Some(exit) => ended.push((path.clone(), exit)),
                None => followed.tell_job(job),
            }
        }
        if !missing.is_empty() {
            ended.extend(self.exits_of_forgotten(missing).await);
        }
        for (path, exit) in ended {
            self.end(&path, exit).await;
        }
    }

    /// The exits of jobs that Slurm's controller no longer knows: it forgets them some minutes after their end.
    async fn exits_of_forgotten(&self, paths: Vec<PathBuf>) -> Vec<(PathBuf, Exit)> {
        let id = |path: &Path| self.followed.get(path)?.id.clone();
        let ids: Vec<_> = paths.iter().filter_map(|path| id(path)).collect();
        let accounts = commands::sacct(&ids).await.unwrap_or_default();
        let exits = paths.into_iter().map(|path| {
            let account = accounts.iter().find(|job| {
                // Ids are used again when a cluster begins anew.
                Some(&job.id) == id(&path).as_ref() && Submission::id_of_name(&job.name).is_some()
            });
            let told = account.and_then(|job| exit::of_state(&job.state, job.status));
            // Slurm forgets a task of an array at once that is cancelled while it waits.
            let waited = self.followed.get(&path).is_some_and(Followed::is_waiting);
            let guess = if waited {
                Exit::Cancelled
            } else {
                Exit::Unknown
            };
            (path, told.unwrap_or(guess))
        });
        exits.collect()
    }

    /// Notes the end of a job in its `job.json`, and tells it with what its log says.
    async fn end(&mut self, path: &Path, exit: Exit) {
        let Some(followed) = self.followed.remove(path) else {
            return;
        };
        let mut exit = exit;
        if let Some((submission, index)) = followed.place {
            let log = self.known.get(&submission).map(|known| {
                let submission = known.submission.clone();
                blocking(move || Ok(submission.log_of(index)))
            });
            let log = match log {
                Some(log) => log.await.unwrap_or_default(),
                None => String::new(),
            };
            exit = match exit {
                Exit::Unknown => exit::of_log(&log),
                exit => exit::with_log(exit, &log),
            };
            let id = followed.id.clone().unwrap_or_default();
            let file = followed.file(submission, index, &id, true);
            let job_file = followed.dir.job_file();
            if let Err(error) = blocking(move || file.write_end(&job_file)).await {
                tracing::warn!(%error, "the end of a job could not be noted");
            }
        }
        followed.tell(State::Ended(exit));
    }

    /// Ends runs whose jobs did not come to be.
    pub(super) fn end_all(&mut self, paths: &[PathBuf], exit: Exit) {
        for path in paths {
            if let Some(followed) = self.followed.remove(path) {
                followed.tell(State::Ended(exit.clone()));
            }
        }
    }

    /// Removes the folders of submissions whose jobs have ended and whose runs nobody follows.
    fn remove_idle(&mut self, states: &HashMap<Place, JobInfo>) {
        let mut lively: HashSet<Uuid> = self
            .followed
            .values()
            .filter_map(|followed| Some(followed.place?.0))
            .collect();
        let jobs = states
            .iter()
            .filter(|(_, job)| exit::of_state(&job.state, job.status).is_none());
        lively.extend(jobs.map(|((submission, _), _)| *submission));
        self.known.retain(|id, known| {
            if lively.contains(id) {
                known.idle_polls = 0;
                return true;
            }
            known.idle_polls += 1;
            if known.idle_polls > KEPT_POLLS {
                known.submission.remove();
                return false;
            }
            true
        });
    }
}
