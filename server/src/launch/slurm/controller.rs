//! The task that runs all of Slurm's commands.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use uuid::Uuid;

use super::commands::{self, Failure, JobInfo};
use super::exit;
use super::followed::{Cancel, Followed, Place, now};
use super::job_file::JobFile;
use super::needs::Needs;
use super::options::SlurmOptions;
use super::script::script;
use super::submission::Submission;
use crate::blocking::blocking;
use crate::error::Result;
use crate::launch::{Exit, State};
use crate::run_dir::RunDir;

/// The pause between two commands.
const COMMAND_INTERVAL: Duration = Duration::from_millis(300);

/// How long launches are gathered: the runs of a sweep come one after another.
const GATHER: Duration = Duration::from_millis(300);

/// How often the states of the jobs are asked for.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// The pause after a command that did not reach Slurm.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// A submission whose command was interrupted, and of which Slurm knows nothing for this long, has not reached it.
const DOUBT: Duration = Duration::from_secs(10);

/// The most jobs of an array; Slurm's default limit is 1001.
const MAX_ARRAY: usize = 1000;

/// The most jobs that one command cancels.
const MAX_CANCELS: usize = 200;

/// How many cycles a submission without jobs or followers is kept.
const KEPT_POLLS: u32 = 30;

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
            self.known.entry(submission.id).or_insert(Known {
                submission,
                id: None,
                in_doubt: None,
                idle_polls: 0,
            });
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
            Request::Submit { dir, needs, states } => {
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
            Request::Adopt {
                dir,
                file,
                states,
                answer,
            } => {
                let is_known = self.adopt(dir, file, states);
                let _ = answer.send(is_known);
            }
            Request::Cancel { dir, kill } => {
                if let Some(followed) = self.followed.get_mut(&dir) {
                    let before = followed.cancel.is_some_and(|cancel| cancel.kill);
                    followed.cancel = Some(Cancel {
                        kill: kill || before,
                        is_sent: false,
                    });
                    if followed.place.is_none() {
                        followed.tell(State::Ended(Exit::Cancelled));
                        self.followed.remove(&dir);
                    }
                }
            }
        }
    }

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
        if place.is_none() && file.is_some() {
            // A command line may have submitted it.
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
        let submit = self
            .followed
            .values()
            .filter(|followed| followed.place.is_none())
            .map(|followed| followed.since + GATHER)
            .min();
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
        let now = Instant::now();
        let done = if let Some((signal, ids)) = self.next_cancels() {
            self.cancel(signal, ids).await
        } else if let Some((resources, paths)) = self.next_submission() {
            self.submit(resources, paths).await
        } else if now >= self.next_poll && !self.known.is_empty() {
            self.next_poll = now + POLL_INTERVAL;
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

    /// The runs whose jobs are to be cancelled or signalled now.
    fn cancels(&self) -> impl Iterator<Item = (&PathBuf, Option<&'static str>)> {
        self.followed.iter().filter_map(|(dir, followed)| {
            let cancel = followed.cancel.filter(|cancel| !cancel.is_sent)?;
            followed.id.as_ref()?;
            let is_running = matches!(&*followed.states.borrow(), Some(State::Running(_)));
            Some((dir, (is_running && !cancel.kill).then_some("TERM")))
        })
    }

    fn next_cancels(&mut self) -> Option<(Option<&'static str>, Vec<String>)> {
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

    async fn cancel(
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

    /// Runs that were gathered long enough and fit into one array, in the order in which they came, with the arguments
    /// of what they ask for.
    fn next_submission(&self) -> Option<(Vec<String>, Vec<PathBuf>)> {
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

    async fn submit(&mut self, resources: Vec<String>, paths: Vec<PathBuf>) -> Result<(), String> {
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
        self.known.insert(
            id,
            Known {
                submission,
                id: None,
                in_doubt: None,
                idle_polls: 0,
            },
        );
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
    async fn confirm(&mut self, submission: Uuid, job: &str) {
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
    async fn write_files(&mut self) {
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
    fn give_up(&mut self, id: Uuid) {
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

    fn end_all(&mut self, paths: &[PathBuf], exit: Exit) {
        for path in paths {
            if let Some(followed) = self.followed.remove(path) {
                followed.tell(State::Ended(exit.clone()));
            }
        }
    }

    /// Asks for the states of all jobs.
    async fn poll(&mut self) -> Result<(), String> {
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
            if let Err(error) = blocking(move || file.write(&job_file)).await {
                tracing::warn!(%error, "the end of a job could not be noted");
            }
        }
        followed.tell(State::Ended(exit));
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
