//! A run that is submitted to a cluster and followed until it ends.

use std::time::Duration;

use vivarium_models::contract::{Event, Reason, Record};
use vivarium_models::spec::RunSpec;

use super::Progress;
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::launch::slurm::SlurmOptions;
use crate::launch::{Launcher as _, SlurmLauncher, State, Worker};
use crate::run_dir::tail::{self, Following, Place};
use crate::run_dir::{RunDir, RunId};

/// How often the log is read.
const LOOK: Duration = Duration::from_millis(500);

/// Submits the run and shows its progress. Ctrl-C ends the following, not the job.
pub(super) fn train(
    data: &DataDir,
    spec: &RunSpec,
    options: SlurmOptions,
    progress: &mut Progress,
) -> Result<(RunId, RunDir, Reason)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::system("cannot start the async runtime", e))?;
    let followed = runtime.block_on(async {
        let launcher = SlurmLauncher::for_one_run(data.slurm(), options);
        let (id, dir, lock) = RunDir::create_locked(&data.runs(), spec)?;
        let worker = launcher.launch(&dir).await?;
        let mut follower = Follower {
            dir: &dir,
            place: Place::default(),
            lock: Some(lock),
            reason: None,
            progress,
        };
        let reason = follower.follow(worker).await?;
        Ok((id, dir, reason))
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
    reason: Option<Reason>,
    progress: &'a mut Progress,
}

impl Follower<'_> {
    async fn follow(&mut self, mut worker: Box<dyn Worker>) -> Result<Reason> {
        let mut last = String::new();
        loop {
            tokio::select! {
                state = worker.state() => {
                    let job = match state {
                        State::Ended(exit) => {
                            self.read_log()?;
                            let ended = Error::Conflict(exit.to_string());
                            return self.reason.ok_or(ended);
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
                _ = tokio::signal::ctrl_c() => {
                    return Err(Error::Usage(
                        "the job goes on without this command; the pages of a server with this data folder show it".to_owned(),
                    ));
                }
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
                self.reason = match record.event {
                    Event::Finished { reason, .. } => Some(reason),
                    _ => None,
                };
            }
        }
    }
}
