//! Carries the log of a run into the index while its worker writes, and afterwards up to its end.

use std::time::Duration;

use tokio::time::Instant;

use super::Supervisor;
use super::run_task::{Inbox, SHUTDOWN_GRACE, Signals};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::index::runs;
use crate::index::{Writing, events};
use crate::launch::{Exit, State, Worker};
use crate::run_dir::RunId;
use crate::run_dir::tail::{self, Following, Place};

/// Exponential backoff while a log cannot be followed.
#[derive(Default)]
struct Backoff {
    /// The pause before the next attempt.
    pause: Duration,
    until: Option<Instant>,
}

impl Backoff {
    const SHORTEST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(2);

    /// Whether the pause is over.
    fn is_ready(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() >= until)
    }

    /// Lengthens the pause; logs the first failure only.
    fn failed(&mut self, id: RunId, error: &Error) {
        if self.until.is_none() {
            tracing::error!(run = %id, %error, "the log cannot be followed for now");
        }
        self.pause = (self.pause * 2).clamp(Self::SHORTEST, Self::LONGEST);
        self.until = Some(Instant::now() + self.pause);
    }

    fn succeeded(&mut self, id: RunId) {
        if self.until.is_some() {
            tracing::info!(run = %id, "the log is followed again");
            *self = Self::default();
        }
    }
}

/// The pauses between readings of a log: short while it grows, then longer and longer.
struct Pauses {
    shortest: Duration,
    longest: Duration,
    next: Duration,
}

impl Pauses {
    fn new((shortest, longest): (Duration, Duration)) -> Self {
        Self {
            shortest,
            longest,
            next: shortest,
        }
    }

    /// Whether nothing was new for some time.
    fn are_longest(&self) -> bool {
        self.next == self.longest && self.longest > self.shortest
    }

    /// Begins with the shortest pause again.
    fn restart(&mut self) {
        self.next = self.shortest;
    }

    fn read(&mut self, grew: bool) {
        self.next = match grew {
            true => self.shortest,
            false => (self.next * 2).min(self.longest),
        };
    }
}

/// The jobs of a run that a scheduler starts again and again.
#[derive(Default)]
struct Attempts {
    is_running: bool,
    /// The last step of the attempt before.
    step: Option<u64>,
    /// Attempts in a row that trained no further step.
    fruitless: u32,
}

impl Attempts {
    /// A time limit that is shorter than it takes to begin would have the job start forever.
    const MOST: u32 = 3;

    /// Takes the next state in. Returns whether another attempt is useless; `step` is the last step so far.
    fn is_useless(&mut self, state: &State, step: Option<u64>) -> bool {
        let has_ended = self.is_running && matches!(state, State::Waiting(_));
        self.is_running = matches!(state, State::Running(_));
        if has_ended {
            self.fruitless = match step > self.step {
                true => 0,
                false => self.fruitless + 1,
            };
            self.step = step;
        }
        self.fruitless >= Self::MOST
    }
}

/// How the following of a log ended.
pub(super) enum Followed {
    /// The worker has ended, and all of its log is indexed.
    ToTheEnd(Exit),
    /// The server shuts down, and the worker stays with its scheduler.
    Left,
}

impl Supervisor {
    /// Indexes the log, and the states of the worker, until the worker has ended and all of it is indexed.
    ///
    /// # Errors
    /// When the log is damaged, or the run is deleted. The worker has ended then too: an error must not leave it
    /// unattended.
    pub(super) async fn follow_log(
        &self,
        id: RunId,
        worker: &mut dyn Worker,
        inbox: &mut Inbox,
        signals: &mut Signals,
    ) -> Result<Followed> {
        let mut pauses = Pauses::new(self.0.launcher.log_intervals());
        let mut look = Box::pin(tokio::time::sleep(Duration::ZERO));
        // An error must neither leave the worker unattended nor end this loop.
        let mut backoff = Backoff::default();
        let mut place = None;
        // A state that is not in the index yet.
        let mut news = None;
        let mut attempts = Attempts::default();
        let mut is_useless = false;
        let mut is_waiting = false;
        let exit = loop {
            tokio::select! {
                state = worker.state() => match state {
                    State::Ended(_) if is_useless => break Exit::NoProgress,
                    State::Ended(exit) => break exit,
                    other => {
                        let step = self.run(id).await.ok().and_then(|run| run.summary.step);
                        if attempts.is_useless(&other, step) && !is_useless {
                            is_useless = true;
                            worker.kill();
                        }
                        is_waiting = matches!(other, State::Waiting(_));
                        news = Some(other);
                        pauses.restart();
                        look.as_mut().reset(Instant::now());
                    }
                },
                () = &mut look => {
                    // The log of a job that waits does not grow.
                    let is_idle = is_waiting && news.is_none() && pauses.are_longest();
                    if backoff.is_ready() && !is_idle {
                        // Not to the end of the log: with a worker that writes faster than the index
                        // accepts, no command would ever be received.
                        match self.index_next_state(id, &mut news, &mut place).await {
                            Ok(grew) => {
                                pauses.read(grew);
                                backoff.succeeded(id);
                            }
                            Err(error) => backoff.failed(id, &error),
                        }
                    }
                    look.as_mut().reset(Instant::now() + pauses.next);
                }
                Some(command) = inbox.recv() => {
                    signals.receive(command);
                    if signals.kill.is_empty() {
                        worker.stop();
                    } else {
                        worker.kill();
                    }
                }
                () = self.0.shutdown.cancelled(), if !signals.shutdown => {
                    if self.0.launcher.is_scheduler() {
                        return Ok(Followed::Left);
                    }
                    signals.shutdown = true;
                    self.mark_interrupted(id, signals).await;
                    worker.stop();
                }
            }
        };
        let mut last_try = None;
        loop {
            match self.catch_up(id).await {
                // The index is at fault, not the run.
                Err(error) if error.is_of_the_index() => backoff.failed(id, &error),
                result => return result.map(|()| Followed::ToTheEnd(exit)),
            }
            let now = tokio::time::Instant::now();
            if self.0.shutdown.is_cancelled() && now > *last_try.get_or_insert(now + SHUTDOWN_GRACE)
            {
                return Ok(Followed::ToTheEnd(exit));
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.pause) => {}
                Some(command) = inbox.recv() => signals.receive(command),
            }
            if !signals.kill.is_empty() {
                return Ok(Followed::ToTheEnd(exit));
            }
        }
    }

    /// Indexes a new state of the worker, if there is one, and the next lines of the log. Returns whether there were any.
    async fn index_next_state(
        &self,
        id: RunId,
        news: &mut Option<State>,
        place: &mut Option<Place>,
    ) -> Result<bool> {
        let state = news.clone();
        match state {
            Some(State::Waiting(job)) => {
                let write = move |w: &Writing<'_>| runs::set_waiting(w, id, Some(&job));
                self.0.index.write(write).await?;
            }
            Some(State::Running(job)) => {
                let write = move |w: &Writing<'_>| runs::set_training(w, id, job.as_ref());
                self.0.index.write(write).await?;
            }
            Some(State::Ended(_)) | None => {}
        }
        *news = None;
        self.index_next(id, place).await
    }

    /// Indexes the log up to its current end. Lines that a worker adds meanwhile are left for later.
    pub(super) async fn catch_up(&self, id: RunId) -> Result<()> {
        let known = self.0.index.read(move |c| events::place(c, id)).await?;
        let path = self.run_dir(id).events_file();
        let (end, is_the_same) =
            blocking(move || Ok((tail::len(&path)?, tail::is_continued(&path, known)?))).await?;
        if !is_the_same {
            self.reindex(id, known).await?;
        }
        let mut place = None;
        while self.index_next(id, &mut place).await? && place.is_none_or(|place| place.offset < end)
        {
        }
        Ok(())
    }

    /// Indexes the next lines of a log: as many as are read at once, from `place` or from where the index ends.
    /// Returns whether there were any.
    ///
    /// The log is the truth. If it is not the one that was indexed (a power cut loses lines that were
    /// not yet on the disk), it is indexed again from its first line.
    async fn index_next(&self, id: RunId, place: &mut Option<Place>) -> Result<bool> {
        let from = match place.take() {
            Some(known) => known,
            None => self.0.index.read(move |c| events::place(c, id)).await?,
        };
        let path = self.run_dir(id).events_file();
        let following = blocking(move || tail::read_on(&path, from)).await?;
        let (lines, to) = match following {
            Following::Lines(lines, to) => (lines, to),
            Following::Another => return self.reindex(id, from).await,
        };
        if lines.is_empty() {
            *place = Some(from);
            return Ok(false);
        }
        let append = move |w: &Writing<'_>| events::append(w, id, from, &lines, to);
        match self.0.index.write_with_retries(append).await {
            // An index from before lines were checked: its place may be wrong.
            Err(Error::EventLog { .. }) if from.offset > 0 && from.line.is_none() => {
                return self.reindex(id, from).await;
            }
            Err(error) => return Err(error),
            Ok(done) => *place = done.then_some(to),
        }
        Ok(true)
    }

    async fn reindex(&self, id: RunId, from: Place) -> Result<bool> {
        tracing::warn!(
            run = %id, indexed = from.offset,
            "the log is not the one that was indexed (truncated or replaced): it is reindexed"
        );
        let forget = move |w: &Writing<'_>| events::begin_again(w, id);
        self.0.index.write_with_retries(forget).await?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Job, JobState};

    #[test]
    fn a_job_that_starts_again_and_again_without_a_step_is_given_up() {
        let waiting = State::Waiting(Job {
            scheduler: "slurm".to_owned(),
            id: None,
            state: JobState::Waiting,
            host: None,
            reason: None,
            text: String::new(),
        });
        let running = State::Running(None);
        let mut attempts = Attempts::default();
        assert!(!attempts.is_useless(&waiting, None), "it has not begun");
        let mut again = |step| {
            assert!(!attempts.is_useless(&running, step));
            attempts.is_useless(&waiting, step)
        };
        assert!(!again(None));
        assert!(!again(None));
        assert!(!again(Some(10)), "it got on");
        assert!(!again(Some(10)));
        assert!(!again(Some(10)));
        assert!(again(Some(10)));
    }
}
