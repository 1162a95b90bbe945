//! Carries the log of a run into the index while its worker writes, and afterwards up to its end.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

use super::Supervisor;
use super::run_task::{Inbox, SHUTDOWN_GRACE, Signals};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::index::{Writing, events};
use crate::launch::{Exit, Worker};
use crate::run_dir::RunId;
use crate::run_dir::tail::{self, Following, Place};

/// How often a log is read. A worker gathers steps for 40 ms, so a step is in the index at most
/// 100 ms after it was made.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(25);

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

impl Supervisor {
    /// Indexes the log until the worker has ended and all of it is indexed.
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
    ) -> Result<Exit> {
        let mut look = tokio::time::interval(POLL_INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // An error must neither leave the worker unattended nor end this loop.
        let mut backoff = Backoff::default();
        let mut place = None;
        let exit = loop {
            tokio::select! {
                exit = worker.ended() => break exit,
                _ = look.tick(), if backoff.is_ready() => {
                    // Not to the end of the log: with a worker that writes faster than the index
                    // accepts, no command would ever be received.
                    match self.index_next(id, &mut place).await {
                        Ok(_) => backoff.succeeded(id),
                        Err(error) => backoff.failed(id, &error),
                    }
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
                result => return result.map(|()| exit),
            }
            let now = tokio::time::Instant::now();
            if self.0.shutdown.is_cancelled() && now > *last_try.get_or_insert(now + SHUTDOWN_GRACE)
            {
                return Ok(exit);
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.pause) => {}
                Some(command) = inbox.recv() => signals.receive(command),
            }
            if !signals.kill.is_empty() {
                return Ok(exit);
            }
        }
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
