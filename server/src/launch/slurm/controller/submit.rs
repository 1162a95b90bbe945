//! Gathers runs and submits them as arrays of jobs.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use super::{COMMAND_INTERVAL, Controller, Known};
use crate::blocking::blocking;
use crate::launch::slurm::commands::{self, Failure};
use crate::launch::slurm::followed::{Followed, now};
use crate::launch::slurm::needs::Needs;
use crate::launch::slurm::script::script;
use crate::launch::slurm::submission::Submission;
use crate::launch::{Exit, State};
use crate::run_dir::RunDir;

/// How long launches are gathered: the runs of a sweep come one after another.
const GATHER: Duration = Duration::from_millis(300);

/// The most jobs of an array; Slurm's default limit is 1001.
const MAX_ARRAY: usize = 1000;

impl Controller {
    /// Follows a run that is to be submitted.
    pub(super) fn gather(
        &mut self,
        dir: RunDir,
        needs: Needs,
        states: watch::Sender<Option<State>>,
    ) {
        let followed = Followed {
            dir: dir.clone(),
            needs,
            place: None,
            since: Instant::now(),
            states,
            id: None,
            is_written: false,
            submitted: now(),
            cancel: None,
        };
        followed.tell_waiting(None, None, self.is_away);
        self.followed.insert(dir.path().to_owned(), followed);
    }

    /// When the runs that were gathered first are to be submitted.
    pub(super) fn next_gathered(&self) -> Option<Instant> {
        let waiting = self.followed.values();
        let waiting = waiting.filter(|followed| followed.place.is_none());
        waiting.map(|followed| followed.since + GATHER).min()
    }

    /// Runs that were gathered long enough and fit into one array, in the order in which they came, with the arguments
    /// of what they ask for.
    pub(super) fn next_submission(&self) -> Option<(Vec<String>, Vec<PathBuf>)> {
        let mut waiting: Vec<_> = self
            .followed
            .iter()
            .filter(|(_, followed)| followed.place.is_none())
            .collect();
        // The names of runs grow with time.
        waiting.sort_by_key(|(path, followed)| (followed.since, *path));
        let (_, first) = waiting.first()?;
        if first.since.elapsed() < GATHER && waiting.len() < MAX_ARRAY {
            return None;
        }
        let array: Vec<_> = waiting
            .iter()
            .filter(|(_, followed)| followed.needs.fits(&first.needs))
            .take(MAX_ARRAY)
            .collect();
        let needs = array.iter().map(|(_, followed)| &followed.needs);
        let paths = array.iter().map(|(path, _)| (*path).clone());
        let mut arguments = Needs::arguments(needs);
        arguments.extend(self.options.arguments(first.needs.asked.time));
        Some((arguments, paths.collect()))
    }

    /// Submits an array of runs. The submission is on the disk before the command runs.
    pub(super) async fn submit(
        &mut self,
        resources: Vec<String>,
        paths: Vec<PathBuf>,
    ) -> Result<(), String> {
        let folder = self.folder.clone();
        let listed = paths.clone();
        let written = blocking(move || Submission::create(&folder, listed)).await;
        let submission = match written {
            Ok(submission) => submission,
            Err(error) => {
                self.end_all(&paths, Exit::Refused(error.to_string()));
                return Ok(());
            }
        };
        let id = submission.id;
        for (index, path) in paths.iter().enumerate() {
            if let Some(followed) = self.followed.get_mut(path) {
                followed.place = Some((id, index));
            }
        }
        let mut arguments = vec![
            format!("--job-name={}", submission.job_name()),
            format!("--output={}", submission.log_pattern()),
        ];
        arguments.extend(resources);
        let text = script(&self.options, &submission.list());
        let tasks = paths.len();
        self.known.insert(id, Known::new(submission));
        self.next_poll = Instant::now() + COMMAND_INTERVAL;
        match commands::sbatch(&arguments, tasks, &text).await {
            Ok(job) => {
                tracing::info!(job, runs = tasks, "submitted to Slurm");
                self.confirm(id, &job).await;
                Ok(())
            }
            Err(Failure::Refused(message)) => {
                self.give_up(id);
                self.end_all(&paths, Exit::Refused(message));
                Ok(())
            }
            // The next polls tell whether Slurm has it.
            Err(Failure::Unreachable(message)) => Err(message),
        }
    }

    /// Records the id of a submission's job, here and in the directories of its runs.
    pub(super) async fn confirm(&mut self, submission: Uuid, job: &str) {
        if let Some(known) = self.known.get_mut(&submission) {
            known.id = Some(job.to_owned());
            known.in_doubt = None;
        }
        for followed in self.followed.values_mut() {
            if let Some((id, index)) = followed.place
                && id == submission
                && followed.id.is_none()
            {
                followed.id = Some(format!("{job}_{index}"));
                followed.tell_waiting(followed.id.clone(), None, false);
            }
        }
        self.write_files().await;
    }

    /// Writes the `job.json` of each run whose job is known.
    pub(super) async fn write_files(&mut self) {
        let mut files = Vec::new();
        for (path, followed) in &mut self.followed {
            if let (false, Some(id), Some((submission, index))) =
                (followed.is_written, &followed.id, followed.place)
            {
                files.push((path.clone(), followed.file(submission, index, id, false)));
            }
        }
        if files.is_empty() {
            return;
        }
        let written = blocking(move || {
            let mut done = Vec::new();
            for (path, file) in files {
                match file.write(&RunDir::at(&path).job_file()) {
                    Ok(()) => done.push(path),
                    Err(error) => tracing::warn!(%error, "the job of a run could not be noted"),
                }
            }
            Ok(done)
        });
        for path in written.await.unwrap_or_default() {
            if let Some(followed) = self.followed.get_mut(&path) {
                followed.is_written = true;
            }
        }
    }

    /// Forgets a submission that Slurm does not have; its runs are submitted again if they are still followed.
    pub(super) fn give_up(&mut self, id: Uuid) {
        if let Some(known) = self.known.remove(&id) {
            known.submission.remove();
        }
        for followed in self.followed.values_mut() {
            if followed
                .place
                .is_some_and(|(submission, _)| submission == id)
            {
                followed.place = None;
                followed.since = Instant::now();
            }
        }
    }
}
