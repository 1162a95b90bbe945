//! Brings the index and the run directories together: when the server starts, and from time to
//! time after, because runs also come from the command line.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Supervisor;
use super::deletion::EMPTY_EVERY;
use super::life::Beginning;
use crate::aside::blocking;
use crate::error::{Error, Result};
use crate::failpoint::failpoint;
use crate::index::Writing;
use crate::index::runs::{self, Run, Status};
use crate::run_dir::tail::{self, Place};
use crate::run_dir::{self, RunDir, RunId};
use crate::trash::Deleted;

/// How often the folder is looked through for what came from elsewhere.
const LOOK: Duration = Duration::from_secs(2);

/// Making a run's directory takes milliseconds; one that is half made after this stays so.
const MAKING: Duration = Duration::from_secs(60);

impl Supervisor {
    pub(super) async fn reconcile_until_shutdown(self) {
        // Another program may hold the index at this moment: a run that is not taken over would never go on.
        while let Err(error) = self.take_over().await {
            tracing::error!(%error, "the runs of an earlier server could not be taken over");
            let pause = self
                .0
                .shutdown
                .run_until_cancelled(tokio::time::sleep(LOOK));
            if pause.await.is_none() {
                return;
            }
        }
        let mut emptied: Option<Instant> = None;
        self.fill_reserve().await;
        while self
            .0
            .shutdown
            .run_until_cancelled(tokio::time::sleep(LOOK))
            .await
            .is_some()
        {
            self.repair_rows().await;
            if let Err(error) = self.look_for_strangers(has_another_length).await {
                tracing::error!(%error, "the folder of runs could not be looked through");
            }
            self.fill_reserve().await;
            if emptied.is_none_or(|at| at.elapsed() >= EMPTY_EVERY) {
                emptied = Some(Instant::now());
                if let Err(error) = self.empty_trash().await {
                    tracing::error!(%error, "the trash could not be looked through");
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

    /// At the start: adopts workers that live, lines up what waited or was interrupted.
    async fn take_over(&self) -> Result<()> {
        self.index_deletions().await?;
        let mut known = self.0.index.list().await?;
        known.sort_by_key(|run| (run.position, run.id));
        for run in known {
            if !is_left_behind(run.status) {
                continue;
            }
            let _alone = self.0.changing.write().await;
            // Made, resumed or deleted by somebody since the list was read.
            if self.tasks().contains_key(&run.id) {
                continue;
            }
            match self.take_over_one(run.id).await {
                Ok(()) | Err(Error::NotFound(_)) => {}
                Err(error) if error.is_of_the_index() => return Err(error),
                Err(error) => {
                    tracing::error!(run = %run.id, %error, "the run could not be taken over");
                }
            }
        }
        self.repair_rows().await;
        self.look_for_strangers(differs).await
    }

    pub(super) async fn take_over_one(&self, id: RunId) -> Result<()> {
        let run = self.run(id).await?;
        // It may have been made, and come to its end, since the list was read.
        if !is_left_behind(run.status) {
            return Ok(());
        }
        if let Some(worker) = self.0.launcher.adopt(&self.dir(id))? {
            tracing::info!(run = %id, "adopted a worker that outlived its server");
            self.set_status(id, Status::Running, "").await?;
            self.begin(id, Beginning::Adopt(worker));
            if run.stopping {
                // Whoever asked for it was answered, or would have been.
                self.stop(id).await?;
            }
            return Ok(());
        }
        // It may have come to its end while no server looked.
        self.catch_up(id).await?;
        match self.run(id).await?.reason.as_deref().map(Status::of_reason) {
            Some(status) if run.status == Status::Running => {
                let message = self.run(id).await?.message;
                self.set_status(id, status, message).await
            }
            _ if run.stopping => self.set_status(id, Status::Stopped, "").await,
            _ => {
                let enqueue = move |w: &Writing<'_>| runs::enqueue(w, id);
                self.0.index.write_patiently(enqueue).await?;
                self.begin(id, Beginning::Wait(self.0.turns.line_up()));
                Ok(())
            }
        }
    }

    /// Finds directories that the index does not know, and logs that changed without this server, as
    /// `changed` says.
    async fn look_for_strangers(&self, changed: fn(&Path, Place) -> bool) -> Result<()> {
        self.sweep_leftovers().await?;
        self.renew_replaced().await?;
        let known = self.0.index.read(runs::places).await?;
        let known: HashMap<RunId, Place> = known.into_iter().collect();
        let folder = self.0.runs.clone();
        let strangers = blocking(move || {
            let mut found = run_dir::list(&folder)?;
            found.retain(|id| {
                let log = RunDir::of(&folder, *id).events_file();
                known.get(id).is_none_or(|&place| changed(&log, place))
            });
            Ok(found)
        })
        .await?;
        for id in strangers {
            let _alone = self.0.changing.write().await;
            if self.tasks().contains_key(&id) {
                continue;
            }
            if let Err(error) = self.meet(id).await {
                tracing::error!(run = %id, %error, "the run could not be indexed");
            }
        }
        Ok(())
    }

    async fn sweep_leftovers(&self) -> Result<()> {
        let folder = self.0.runs.clone();
        let found = blocking(move || Ok(leftovers(&folder))).await?;
        if found.is_empty() {
            return Ok(());
        }
        // A run that this server deletes is gone once nobody is at it.
        let _alone = self.0.changing.write().await;
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

    /// Indexes a run that came from elsewhere or from the trash, or that went on without this server.
    pub(super) async fn meet(&self, id: RunId) -> Result<()> {
        let dir = self.dir(id);
        let known = self.0.index.read(move |c| runs::find(c, id)).await?;
        let trash = self.0.trash.clone();
        let was_deleted = blocking(move || Ok(trash.coming_back(id))).await?;
        if known.is_none() {
            self.enter(id, was_deleted.clone()).await?;
        } else if was_deleted.is_none() && dir.board_file().exists() {
            return self.renew_alone(id).await;
        }
        if was_deleted.is_some() {
            // Its labels are in the index.
            let trash = self.0.trash.clone();
            blocking(move || {
                let _ = failpoint("restore.entered");
                trash.returned(id);
                Ok(())
            })
            .await?;
        }
        if let Some(worker) = self.0.launcher.adopt(&dir)? {
            self.set_status(id, Status::Running, "").await?;
            self.begin(id, Beginning::Adopt(worker));
            return Ok(());
        }
        self.catch_up(id).await?;
        let run = self.run(id).await?;
        if known.is_some_and(|before| before.seq == run.seq && before.reason == run.reason) {
            // Half a line at the end of the log of a worker that died: nothing new.
            return Ok(());
        }
        let (status, message) = match as_the_log_says(&run) {
            _ if run.reason.is_none() && was_deleted.is_some_and(|about| about.active) => (
                Status::Stopped,
                "It was deleted while it trained or waited.".to_owned(),
            ),
            told => told,
        };
        self.set_status(id, status, message).await
    }

    /// Gives a run its row; one that was deleted has its labels again from the first moment.
    async fn enter(&self, id: RunId, was_deleted: Option<Deleted>) -> Result<()> {
        let number = was_deleted.as_ref().map(|about| about.number);
        let mut new = self.told(id, number).await?;
        let is_labelled = was_deleted.is_some();
        if let Some(about) = was_deleted {
            (new.name, new.tags, new.notes) = (about.name, about.tags, about.notes);
        }
        let insert = move |w: &Writing<'_>| {
            runs::insert(w, &new)?;
            if is_labelled {
                // To the file of its labels too.
                runs::set_labels(w, id, None, None, None)?;
            }
            Ok(())
        };
        self.0.index.write_patiently(insert).await
    }
}

/// The status of a run that nobody trains, with a message.
pub(super) fn as_the_log_says(run: &Run) -> (Status, String) {
    match run.reason.as_deref() {
        Some(reason) => (Status::of_reason(reason), run.message.clone()),
        None if run.seq == 0 => (Status::Stopped, "It has not begun yet.".to_owned()),
        None => (
            Status::Failed,
            "The worker is gone without a last word.".to_owned(),
        ),
    }
}

/// Whether a run without a task is to go on.
pub(super) fn is_left_behind(status: Status) -> bool {
    matches!(
        status,
        Status::Queued | Status::Running | Status::Interrupted
    )
}

/// Whether a log is longer than what is indexed of it, or shorter.
fn has_another_length(log: &Path, place: Place) -> bool {
    fs::metadata(log).is_ok_and(|metadata| metadata.len() != place.offset)
}

/// Whether there is another length, or another last line: looked at once, at the start.
fn differs(log: &Path, place: Place) -> bool {
    has_another_length(log, place) || tail::is_continued(log, place).is_ok_and(|is| !is)
}

/// What a server left half made or half removed when it was killed.
fn leftovers(runs: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(runs).into_iter().flatten().flatten();
    let found = entries.filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with(".deleted-") || (name.starts_with(".new-") && is_abandoned(entry))
    });
    found.map(|entry| entry.path()).collect()
}

/// Whether nobody can be at work any more on a run that was being made, in this process or, from
/// the command line, in another.
fn is_abandoned(entry: &fs::DirEntry) -> bool {
    let modified = entry.metadata().and_then(|metadata| metadata.modified());
    modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > MAKING))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

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
        made("0199d3a0-0000-7000-8000-000000000000", 2 * MAKING);
        let mut left = [
            made(".new-b", 2 * MAKING),
            made(".deleted-c", Duration::ZERO),
        ];
        let mut found = leftovers(folder.path());
        left.sort();
        found.sort();
        assert_eq!(found, left);
    }
}
