//! Moves runs to the trash and restores them.

use std::time::Duration;

use tokio::sync::{RwLockWriteGuard, mpsc, oneshot};

use super::Supervisor;
use super::run_task::Command;
use crate::blocking::blocking;
use crate::error::Result;
use crate::failpoint::failpoint;
use crate::index::removal;
use crate::index::runs::{self, Run};
use crate::run_dir::RunId;
use crate::trash::{self, Deleted};

/// How often the trash is searched for expired runs.
pub(super) const EMPTY_EVERY: Duration = Duration::from_secs(3600);

impl Supervisor {
    /// Moves a run to the trash with everything that belongs to it, after ending its worker. On a full disk it uses the
    /// reserve.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::error::Error::NotFound) when there is no such run. After this or any other error the
    /// run stays.
    pub async fn delete(&self, id: RunId) -> Result<()> {
        // Read before the worker is killed, which changes the status to failed.
        let active = self.run(id).await?.status.is_active();
        let deleted = match self.try_to_delete(id, active).await {
            Err(error) if error.is_full_disk() && self.0.reserve.release() => {
                self.try_to_delete(id, active).await
            }
            other => other,
        };
        if deleted.is_ok() {
            self.0.tracker.spawn(self.clone().purge_until_done());
        }
        deleted
    }

    async fn try_to_delete(&self, id: RunId, active: bool) -> Result<()> {
        let _lock = self.end_task(id).await;
        let about = about(self.run(id).await?, active);
        let trash = self.0.trash.clone();
        blocking(move || {
            trash.announce(&about)?;
            failpoint("delete.announced").inspect_err(|_| {
                let _ = trash.withdraw(id);
            })
        })
        .await?;
        let indexed = self.0.index.write(move |w| removal::delete(w, id)).await;
        let trash = self.0.trash.clone();
        if let Err(error) = indexed {
            blocking(move || trash.withdraw(id)).await?;
            return Err(error);
        }
        let moved = blocking(move || {
            failpoint("delete.indexed")?;
            trash.move_in(id)?;
            let _ = failpoint("delete.moved");
            Ok(())
        })
        .await;
        if let Err(error) = moved {
            self.0
                .index
                .write(move |w| removal::undelete(w, id))
                .await?;
            let trash = self.0.trash.clone();
            blocking(move || trash.withdraw(id)).await?;
            return Err(error);
        }
        Ok(())
    }

    /// Ends the task of a run and its worker. The run gets no other task while the guard is held.
    async fn end_task(&self, id: RunId) -> RwLockWriteGuard<'_, ()> {
        loop {
            let task = self.tasks().get(&id).cloned();
            if let Some(task) = task {
                let (done, ended) = oneshot::channel();
                if task.send(Command::Kill(done)).is_ok() {
                    // The sender is dropped with the task at the latest.
                    let _ = ended.await;
                }
            }
            let alone = self.0.lifecycle.write().await;
            // It may have been resumed meanwhile.
            let mut tasks = self.tasks();
            if tasks.get(&id).is_none_or(mpsc::UnboundedSender::is_closed) {
                tasks.remove(&id);
                drop(tasks);
                return alone;
            }
        }
    }

    /// Deletes the events of deleted runs in batches.
    pub(super) async fn purge_until_done(self) {
        loop {
            match self.0.index.write_with_retries(removal::purge).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(%error, "events of deleted runs remain until the next start");
                    return;
                }
            }
        }
    }

    /// Restores a run from the trash with its name, tags and notes.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::error::Error::NotFound) when it is not in the trash.
    pub async fn restore(&self, id: RunId) -> Result<()> {
        let _lock = self.0.lifecycle.write().await;
        let trash = self.0.trash.clone();
        blocking(move || trash.restore(id)).await?;
        let back = self.index_restored(id).await;
        if back.is_err() && self.run(id).await.is_err() {
            let trash = self.0.trash.clone();
            blocking(move || trash.undo_restore(id)).await?;
        }
        back
    }

    async fn index_restored(&self, id: RunId) -> Result<()> {
        blocking(|| failpoint("restore.moved")).await?;
        self.0
            .index
            .write(move |w| removal::forget_deletion(w, id))
            .await?;
        self.index_run(id).await
    }

    /// The runs in the trash, newest first.
    pub async fn deleted(&self) -> Result<Vec<Deleted>> {
        let trash = self.0.trash.clone();
        blocking(move || Ok(trash.list())).await
    }

    /// Deletes a run in the trash for good.
    pub async fn remove_for_good(&self, id: RunId) -> Result<()> {
        let trash = self.0.trash.clone();
        let detached = {
            let _lock = self.0.lifecycle.write().await;
            blocking(move || trash.detach(id)).await?
        };
        blocking(move || trash::remove_detached(&detached)).await
    }

    /// Deletes expired runs for good.
    pub(super) async fn empty_trash(&self) -> Result<()> {
        let trash = self.0.trash.clone();
        let old = {
            let _lock = self.0.lifecycle.write().await;
            blocking(move || Ok(trash.detach_expired())).await?
        };
        for (id, detached) in old {
            tracing::info!(run = %id, "deleted for good: its time in the trash is over");
            blocking(move || trash::remove_detached(&detached)).await?;
        }
        Ok(())
    }

    /// Completes or rolls back, before any request is answered, the deletions and restorations that an earlier server
    /// left unfinished.
    pub(super) async fn recover_deletions(&self) -> Result<()> {
        let trash = self.0.trash.clone();
        let back = blocking(move || Ok(trash.recover())).await?;
        for about in back {
            // The labels are still beside the trash.
            if let Err(error) = self.index_restored(about.id).await {
                tracing::error!(run = %about.id, %error, "the run could not be indexed");
            }
        }
        Ok(())
    }

    /// Brings the index up to date with deletions that were announced but not indexed.
    pub(super) async fn index_deletions(&self) -> Result<()> {
        let _lock = self.0.lifecycle.write().await;
        let trash = self.0.trash.clone();
        let mut gone = blocking(move || Ok(trash.list())).await?;
        gone.retain(|about| !self.run_dir(about.id).path().is_dir());
        self.0
            .index
            .write_with_retries(move |w| {
                for about in gone {
                    if runs::find(w, about.id)?.is_some() {
                        removal::delete(w, about.id)?;
                    }
                }
                removal::forget_deleted(w)
            })
            .await?;
        self.0.tracker.spawn(self.clone().purge_until_done());
        Ok(())
    }
}

fn about(run: Run, active: bool) -> Deleted {
    Deleted {
        id: run.id,
        name: run.name,
        tags: run.tags,
        notes: run.notes,
        number: run.number,
        active,
        deleted: String::new(),
        until: String::new(),
    }
    .now()
}
