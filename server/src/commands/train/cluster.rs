//! A run that is submitted to a cluster and followed until it ends.

use std::time::{Duration, Instant};

use vivarium_models::contract::{Event, Reason, Record};
use vivarium_models::spec::RunSpec;

use super::Progress;
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::launch::slurm::SlurmOptions;
use crate::launch::{Exit, Launcher as _, SlurmLauncher, State, Worker};
use crate::run_dir::start::StartWeights;
use crate::run_dir::tail::{self, Following, Place};
use crate::run_dir::{RunDir, RunId};
use crate::worker::HELD_BY_ANOTHER;

/// How often the log is read.
const LOOK: Duration = Duration::from_millis(500);

/// A server submits the next job of a run in this time.
const SUCCESSOR_WITHIN: Duration = Duration::from_secs(10);

/// Submits the run and shows its progress. Ctrl-C ends this command, not the job.
pub(super) fn train(
    data: &DataDir,
    spec: &RunSpec,
    start: Option<&StartWeights>,
    options: SlurmOptions,
    progress: &mut Progress,
) -> Result<(RunId, RunDir, Reason)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::system("cannot start the async runtime", e))?;
    let followed = runtime.block_on(async {
        let launcher = SlurmLauncher::for_one_run(data.slurm(), options);
        let (id, dir, lock) = RunDir::create_locked(&data.runs(), spec, start)?;
        let mut follower = Follower {
            dir: &dir,
            place: Place::default(),
            lock: Some(lock),
            step: 0,
            reason: None,
            progress,
        };
        tokio::select! {
            reason = follower.run_to_end(&launcher) => Ok((id, dir, reason?)),
            _ = tokio::signal::ctrl_c() => Err(Error::Usage(
                "the job goes on without this command; the pages of a server with this data folder show it".to_owned(),
            )),
        }
    });
    // Nothing waits for a command of Slurm that hangs.
    runtime.shutdown_background();
    followed
}

struct Follower<'a> {
    dir: &'a RunDir,
    place: Place,
    /// Held until the job is submitted, so that a server does not take the run for one that nobody trains.
    lock: Option<crate::run_dir::lock::Lock>,
    /// The last step of the log.
    step: u64,
    reason: Option<Reason>,
    progress: &'a mut Progress,
}

impl Follower<'_> {
    /// Submits jobs until the run has ended: one whose time is over is followed by another, as long as each trains.
    async fn run_to_end(&mut self, launcher: &SlurmLauncher) -> Result<Reason> {
        let mut worker = launcher.launch(self.dir).await?;
        loop {
            let began_at = self.step;
            let exit = self.follow(worker).await?;
            let job_is_over = exit.is_of_the_job()
                && matches!(self.reason, None | Some(Reason::Stopped))
                && self.step > began_at;
            if !job_is_over && exit != Exit::Code(HELD_BY_ANOTHER.into()) {
                let ended = Error::Conflict(exit.to_string());
                return self.reason.ok_or(ended);
            }
            self.progress.say(&format!("{exit} Another one follows."));
            worker = match self.job_of_a_server(launcher).await? {
                Some(worker) => worker,
                None => launcher.launch(self.dir).await?,
            };
        }
    }

    /// The next job, if a server that follows the run too submits it.
    async fn job_of_a_server(&self, launcher: &SlurmLauncher) -> Result<Option<Box<dyn Worker>>> {
        let deadline = Instant::now() + SUCCESSOR_WITHIN;
        while Instant::now() < deadline {
            if let Some(worker) = launcher.adopt(self.dir).await? {
                return Ok(Some(worker));
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(None)
    }

    /// Follows a job until it ends.
    async fn follow(&mut self, mut worker: Box<dyn Worker>) -> Result<Exit> {
        let mut last = String::new();
        loop {
            tokio::select! {
                state = worker.state() => {
                    let job = match state {
                        State::Ended(exit) => {
                            self.read_log()?;
                            return Ok(exit);
                        }
                        State::Waiting(job) => job,
                        State::Running(Some(job)) => job,
                        State::Running(None) => continue,
                    };
                    if job.id.is_some() {
                        self.lock = None;
                    }
                    if job.text != last {
                        self.progress.say(&job.text);
                        last = job.text;
                    }
                }
                () = tokio::time::sleep(LOOK) => self.read_log()?,
            }
        }
    }

    fn read_log(&mut self) -> Result<()> {
        let path = self.dir.events_file();
        loop {
            let (lines, to) = match tail::read_on(&path, self.place)? {
                Following::Lines(lines, to) if !lines.is_empty() => (lines, to),
                Following::Lines(..) => return Ok(()),
                Following::Another => {
                    self.place = Place::default();
                    continue;
                }
            };
            self.place = to;
            for line in lines {
                let Ok(record) = Record::parse(&line) else {
                    continue;
                };
                self.progress.show(&record.event);
                if let Event::Steps(steps) = &record.event {
                    self.step = steps.last_step();
                }
                self.reason = match record.event {
                    Event::Finished { reason, .. } => Some(reason),
                    _ => None,
                };
            }
        }
    }
}
