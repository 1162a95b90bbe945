//! Brings the index and the run directories into agreement: when the server starts, and periodically afterwards,
//! because runs are also created on the command line.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::Supervisor;
use super::deletion::EMPTY_EVERY;
use super::look::Looks;
use super::run_task::{Start, log_unfinished};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::failpoint::failpoint;
use crate::index::Writing;
use crate::index::run_labels;
use crate::index::runs::{self, Run, Status};
use crate::panics;
use crate::run_dir::tail::{self, Place};
use crate::run_dir::{self, RunDir, RunId};
use crate::trash::Deleted;

/// How often the folder is searched for runs created elsewhere.
const INTERVAL: Duration = Duration::from_secs(2);

/// The message of a run whose worker has disappeared.
const WORKER_GONE: &str = "The worker disappeared without a final event.";

/// Creating a run's directory takes milliseconds; one that is unfinished after this time is a leftover.
const STAGING_TIMEOUT: Duration = Duration::from_secs(60);

impl Supervisor {
    pub(super) async fn reconcile_until_shutdown(self) {
        let (mut given_up, mut looks) = (GivenUp::default(), Looks::default());
        let mut adopted = self.try_to_adopt_runs(&mut given_up, true).await;
        self.remove_all_unfinished().await;
        let mut emptied: Option<Instant> = None;
        self.fill_reserve().await;
        while self
            .0
            .shutdown
            .run_until_cancelled(tokio::time::sleep(INTERVAL))
            .await
            .is_some()
        {
            if !adopted {
                adopted = self.try_to_adopt_runs(&mut given_up, false).await;
                continue;
            }
            self.repair_rows().await;
            if let Err(error) = panics::catch(self.discover_runs(&mut looks, &mut given_up)).await {
                tracing::error!(%error, "the folder of runs could not be searched");
            }
            self.fill_reserve().await;
            if let Err(error) = panics::catch(self.recover_orphans()).await {
                tracing::error!(%error, "the index could not be searched");
            }
            if emptied.is_none_or(|at| at.elapsed() >= EMPTY_EVERY) {
                emptied = Some(Instant::now());
                if let Err(error) = panics::catch(self.empty_trash()).await {
                    tracing::error!(%error, "the trash could not be searched");
                }
            }
        }
    }

    async fn fill_reserve(&self) {
        let this = self.clone();
        let filled = blocking(move || {
            this.0.reserve.fill();
            Ok(())
        });
        let _ = filled.await;
    }

    /// Returns whether all runs of an earlier server were adopted; otherwise it is retried.
    async fn try_to_adopt_runs(&self, given_up: &mut GivenUp, first: bool) -> bool {
        match panics::catch(self.adopt_runs(given_up)).await {
            Ok(()) => true,
            // A panic would happen again.
            Err(error @ Error::Panic(_)) => {
                tracing::error!(%error, "the runs of an earlier server could not be adopted");
                true
            }
            Err(error) => {
                if first {
                    tracing::error!(%error, "the runs of an earlier server could not be adopted; retrying");
                }
                false
            }
        }
    }

    /// At the start: removes the partial files of workers that died while no server was running.
    async fn remove_all_unfinished(&self) {
        let folder = self.0.runs.clone();
        let looked = blocking(move || {
            for id in run_dir::list(&folder)? {
                log_unfinished(id, RunDir::of(&folder, id).remove_unfinished());
            }
            Ok(())
        });
        if let Err(error) = looked.await {
            tracing::warn!(%error, "the runs could not be searched");
        }
    }

    /// At the start: adopts running workers, and queues runs that were waiting or interrupted.
    async fn adopt_runs(&self, given_up: &mut GivenUp) -> Result<()> {
        self.index_deletions().await?;
        let mut known = self.0.index.runs(runs::unfinished).await?;
        known.sort_by_key(|run| (run.position, run.id));
        let mut failed = None;
        for run in known {
            let _lock = self.0.lifecycle.write().await;
            // Created, resumed or deleted since the list was read.
            if self.tasks().contains_key(&run.id) {
                continue;
            }
            match panics::catch(self.adopt_run(run.id)).await {
                Ok(()) | Err(Error::NotFound(_)) => {}
                Err(error) if error.is_of_the_index() => return Err(error),
                Err(error @ Error::EventLog { .. }) => {
                    self.give_up(run.id, &error, given_up).await?;
                }
                Err(error @ Error::Panic(_)) => {
                    tracing::error!(run = %run.id, %error, "the run could not be adopted");
                }
                // The other runs are adopted nevertheless.
                Err(error) => failed = Some(error),
            }
        }
        self.repair_rows().await;
        self.remove_leftovers().await?;
        self.reindex_replaced().await?;
        let changed = self.find_all_changed(log_differs).await?;
        self.index_changed(changed, given_up).await?;
        failed.map_or(Ok(()), Err)
    }

    /// Records that the log of a run cannot be read, and ignores the run until the log changes.
    async fn give_up(&self, id: RunId, error: &Error, given_up: &mut GivenUp) -> Result<()> {
        tracing::error!(run = %id, %error, "the run's log cannot be indexed; it is retried when it changes");
        if let Some(run) = self.0.index.read(move |c| runs::find(c, id)).await? {
            let status = match run.status {
                // Its result remains valid.
                Status::Finished => run.status,
                _ => Status::Failed,
            };
            self.set_status(id, status, error.to_string()).await?;
        }
        given_up.insert(id, file_states(&self.run_dir(id)));
        Ok(())
    }

    pub(super) async fn adopt_run(&self, id: RunId) -> Result<()> {
        let run = self.run(id).await?;
        // It may have ended since the list was read.
        if !is_unfinished(run.status) {
            return Ok(());
        }
        if let Some(worker) = self.0.launcher.adopt(&self.run_dir(id)).await? {
            tracing::info!(run = %id, "adopted a worker that outlived its server");
            self.mark_adopted(id).await?;
            let interrupted = run.status == Status::Interrupted;
            self.spawn_task(
                id,
                Start::Adopt {
                    worker,
                    interrupted,
                },
            );
            if run.stopping {
                // The request to stop was answered, or would have been.
                self.stop(id).await?;
            }
            return Ok(());
        }
        // It may have ended while no server was running.
        self.catch_up(id).await?;
        let Run {
            reason, message, ..
        } = self.run(id).await?;
        let ended = reason.as_deref().map(Status::of_reason);
        match (run.status, ended) {
            (Status::Running | Status::Interrupted, Some(end)) if end != Status::Stopped => {
                self.set_status(id, end, message).await
            }
            // A user who stops `vivarium train` is named in its last event.
            (Status::Running, Some(end)) if run.stopping || !message.is_empty() => {
                self.set_status(id, end, message).await
            }
            _ if run.stopping => self.set_status(id, Status::Stopped, "").await,
            // No user stopped it: the server did, or the machine.
            _ => self.requeue(id).await,
        }
    }

    /// Marks a run as running whose worker was adopted. A job may as well wait, which its task will tell.
    async fn mark_adopted(&self, id: RunId) -> Result<()> {
        match self.0.launcher.is_scheduler() && self.run(id).await?.status.is_active() {
            true => Ok(()),
            false => self.set_status(id, Status::Running, "").await,
        }
    }

    async fn requeue(&self, id: RunId) -> Result<()> {
        let enqueue = move |w: &Writing<'_>| runs::enqueue(w, id);
        self.0.index.write_with_retries(enqueue).await?;
        self.spawn_task(id, Start::Queue(self.0.queue.enqueue()));
        Ok(())
    }

    /// Finds runs that the index lists as queued or running and that have no task.
    async fn recover_orphans(&self) -> Result<()> {
        let mut active = self.0.index.read(runs::active).await?;
        active.retain(|id| !self.tasks().contains_key(id));
        for id in active {
            let _lock = self.0.lifecycle.write().await;
            if self.tasks().contains_key(&id) || self.0.shutdown.is_cancelled() {
                continue;
            }
            match panics::catch(self.recover_orphan(id)).await {
                Ok(()) | Err(Error::NotFound(_)) => {}
                Err(error) => {
                    tracing::warn!(run = %id, %error, "the run has no task");
                }
            }
        }
        Ok(())
    }

    async fn recover_orphan(&self, id: RunId) -> Result<()> {
        let run = self.run(id).await?;
        if !run.status.is_active() {
            return Ok(());
        }
        tracing::warn!(run = %id, status = run.status.name(), "the run had no task");
        if let Some(worker) = self.0.launcher.adopt(&self.run_dir(id)).await? {
            self.mark_adopted(id).await?;
            let interrupted = false;
            self.spawn_task(
                id,
                Start::Adopt {
                    worker,
                    interrupted,
                },
            );
            return Ok(());
        }
        if run.status == Status::Queued && !run.stopping {
            return self.requeue(id).await;
        }
        self.catch_up(id).await?;
        let now = self.run(id).await?;
        let (status, message) = match now.reason.as_deref() {
            Some(reason) if run.status == Status::Running => {
                (Status::of_reason(reason), now.message)
            }
            _ if run.stopping => (Status::Stopped, String::new()),
            _ => (Status::Failed, WORKER_GONE.to_owned()),
        };
        self.set_status(id, status, message).await
    }

    /// Finds directories that the index does not know, and logs whose length changed without this server.
    async fn discover_runs(&self, looks: &mut Looks, given_up: &mut GivenUp) -> Result<()> {
        let search = self.must_search(looks).await?;
        if search {
            self.remove_leftovers().await?;
            self.reindex_replaced().await?;
        }
        let known = given_up.keys().copied().collect();
        let changed = self.find_changed(looks, length_differs, search, known);
        let changed = changed.await?;
        self.index_changed(changed, given_up).await
    }

    /// Indexes runs that are new or whose logs changed.
    async fn index_changed(&self, found: HashSet<RunId>, given_up: &mut GivenUp) -> Result<()> {
        given_up.retain(|id, _| found.contains(id));
        let mut found: Vec<_> = found.into_iter().collect();
        // Runs are numbered in the order in which they are indexed.
        found.sort_unstable();
        let mut found = self.index_finished(found).await?;
        found.sort_unstable();
        for id in found {
            let _lock = self.0.lifecycle.write().await;
            let now = file_states(&self.run_dir(id));
            if self.tasks().contains_key(&id) || given_up.get(&id) == Some(&now) {
                continue;
            }
            match panics::catch(self.index_run(id)).await {
                Ok(()) => {}
                Err(error) if error.is_of_the_index() || matches!(error, Error::File { .. }) => {
                    // The next attempt may succeed.
                    if given_up.insert(id, Default::default()).is_none() {
                        tracing::error!(run = %id, %error, "the run could not be indexed; retrying");
                    }
                }
                Err(error) => self.give_up(id, &error, given_up).await?,
            }
        }
        Ok(())
    }

    async fn remove_leftovers(&self) -> Result<()> {
        let folder = self.0.runs.clone();
        let found = blocking(move || Ok(leftovers(&folder))).await?;
        if found.is_empty() {
            return Ok(());
        }
        // Waits for deletions that are in progress.
        let _lock = self.0.lifecycle.write().await;
        blocking(move || {
            found
                .iter()
                .try_for_each(|path| match fs::remove_dir_all(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        Err(Error::file(path, error))
                    }
                    _ => Ok(()),
                })
        })
        .await
    }

    /// Indexes a run that was created elsewhere, restored from the trash, or continued without this server.
    pub(super) async fn index_run(&self, id: RunId) -> Result<()> {
        let dir = self.run_dir(id);
        let known = self.0.index.read(move |c| runs::find(c, id)).await?;
        let trash = self.0.trash.clone();
        let was_deleted = blocking(move || Ok(trash.pending_restore(id))).await?;
        if known.is_none() {
            self.insert_run(id, was_deleted.clone()).await?;
        } else if was_deleted.is_none() && dir.imported_file().exists() {
            return self.reindex_imported_locked(id).await;
        }
        if was_deleted.is_some() {
            // The index has its labels now.
            let trash = self.0.trash.clone();
            blocking(move || {
                let _ = failpoint("restore.entered");
                trash.confirm_restore(id);
                Ok(())
            })
            .await?;
        }
        if let Some(worker) = self.0.launcher.adopt(&dir).await? {
            self.set_status(id, Status::Running, "").await?;
            let interrupted = false;
            self.spawn_task(
                id,
                Start::Adopt {
                    worker,
                    interrupted,
                },
            );
            return Ok(());
        }
        self.catch_up(id).await?;
        let run = self.run(id).await?;
        if known.is_some_and(|before| before.seq == run.seq && before.reason == run.reason) {
            // The log ends with an incomplete line of a worker that died: nothing new.
            return Ok(());
        }
        let (status, message) = match status_from_log(&run) {
            _ if run.reason.is_none() && was_deleted.is_some_and(|about| about.active) => (
                Status::Stopped,
                "It was deleted while it was training or queued.".to_owned(),
            ),
            told => told,
        };
        self.set_status(id, status, message).await
    }

    /// Inserts the row of a run. A restored run has its labels from the beginning.
    async fn insert_run(&self, id: RunId, was_deleted: Option<Deleted>) -> Result<()> {
        let number = was_deleted.as_ref().map(|about| about.number);
        let mut new = self.row_from_directory(id, number).await?;
        let is_labelled = was_deleted.is_some();
        if let Some(about) = was_deleted {
            (new.name, new.tags, new.notes) = (about.name, about.tags, about.notes);
        }
        let insert = move |w: &Writing<'_>| {
            runs::insert(w, &new)?;
            if is_labelled {
                // Writes the file of its labels, too.
                run_labels::set(w, id, None, None, None)?;
            }
            Ok(())
        };
        self.0.index.write_with_retries(insert).await
    }
}

/// The status of a run that has no worker, with a message.
pub(super) fn status_from_log(run: &Run) -> (Status, String) {
    match run.reason.as_deref() {
        Some(reason) => (Status::of_reason(reason), run.message.clone()),
        None if run.seq == 0 => (Status::Stopped, "It has not begun yet.".to_owned()),
        None => (Status::Failed, WORKER_GONE.to_owned()),
    }
}

/// Runs that cannot be indexed, with the state of their files at the last attempt: retrying without a change is
/// pointless.
type GivenUp = HashMap<RunId, FileStates>;

/// Length and modification time of the log and of the specification.
type FileStates = [Option<(u64, SystemTime)>; 2];

fn file_states(dir: &RunDir) -> FileStates {
    [dir.events_file(), dir.spec_file()].map(|path| {
        let about = fs::metadata(path).ok()?;
        Some((about.len(), about.modified().ok()?))
    })
}

/// Whether a run without a task should continue.
pub(super) fn is_unfinished(status: Status) -> bool {
    matches!(
        status,
        Status::Queued | Status::Running | Status::Interrupted
    )
}

/// Whether a log is longer or shorter than its indexed part.
fn length_differs(log: &Path, place: Place) -> bool {
    fs::metadata(log).is_ok_and(|metadata| metadata.len() != place.offset)
}

/// Whether the length or the last line differs; checked once, at the start.
fn log_differs(log: &Path, place: Place) -> bool {
    length_differs(log, place) || tail::is_continued(log, place).is_ok_and(|is| !is)
}

/// Directories of runs whose creation was interrupted.
fn leftovers(runs: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(runs).into_iter().flatten().flatten();
    let found = entries.filter(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with(".new-") && is_abandoned(entry)
    });
    found.map(|entry| entry.path()).collect()
}

/// Whether no process can still be creating the run, neither this one nor a command line.
fn is_abandoned(entry: &fs::DirEntry) -> bool {
    let modified = entry.metadata().and_then(|metadata| metadata.modified());
    modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > STAGING_TIMEOUT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_being_made_is_left_alone_and_what_was_left_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let made = |name: &str, age: Duration| {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            let then = SystemTime::now() - age;
            fs::File::open(&path).unwrap().set_modified(then).unwrap();
            path
        };
        made(".new-a", Duration::ZERO);
        made("0199d3a0-0000-7000-8000-000000000000", 2 * STAGING_TIMEOUT);
        let left = made(".new-b", 2 * STAGING_TIMEOUT);
        assert_eq!(leftovers(folder.path()), [left]);
    }
}
