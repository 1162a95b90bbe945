//! Runs are deleted into the trash, and come back from it.

use std::time::Duration;

use tokio::sync::oneshot;

use super::Supervisor;
use super::life::Command;
use crate::aside::blocking;
use crate::error::Result;
use crate::index::runs::{self, Run, Status};
use crate::run_dir::RunId;
use crate::trash::Deleted;

/// How often the trash is looked through for what is old.
pub(super) const EMPTY_EVERY: Duration = Duration::from_secs(3600);

impl Supervisor {
    /// Moves a run to the trash with everything that belongs to it; ends its worker first.
    pub async fn delete(&self, id: RunId) -> Result<()> {
        let run = self.run(id).await?;
        let (done, ended) = oneshot::channel();
        let task = self.tasks().get(&id).cloned();
        if task.is_some_and(|task| task.send(Command::Kill(done)).is_ok()) {
            // The sender is dropped with the task at the latest.
            let _ = ended.await;
        }
        let _changing = self.0.changing.read().await;
        let about = about(run);
        let trash = self.0.trash.clone();
        blocking(move || trash.announce(&about)).await?;
        self.0.index.write(move |w| runs::delete(w, id)).await?;
        let trash = self.0.trash.clone();
        blocking(move || trash.take_in(id)).await
    }

    /// Brings a run back from the trash with its name, tags and notes.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::error::Error::NotFound) when it is not there.
    pub async fn restore(&self, id: RunId) -> Result<()> {
        let _alone = self.0.changing.write().await;
        let trash = self.0.trash.clone();
        let about = blocking(move || trash.give_back(id)).await?;
        self.0
            .index
            .write(move |w| runs::forget_deletion(w, id))
            .await?;
        self.meet_again(id, Some(about.number)).await?;
        self.label_again(about).await
    }

    /// What is in the trash, the newest first.
    pub async fn deleted(&self) -> Result<Vec<Deleted>> {
        let trash = self.0.trash.clone();
        blocking(move || Ok(trash.list())).await
    }

    /// Removes a run of the trash for good.
    pub async fn remove_for_good(&self, id: RunId) -> Result<()> {
        let trash = self.0.trash.clone();
        blocking(move || trash.remove(id)).await
    }

    /// Removes for good what is old.
    pub(super) async fn empty_trash(&self) -> Result<()> {
        let trash = self.0.trash.clone();
        let gone = blocking(move || Ok(trash.empty_old())).await?;
        for id in gone {
            tracing::info!(run = %id, "removed for good: it was deleted long ago");
        }
        Ok(())
    }

    /// At the start: completes what was cut short; says which runs were on their way back.
    pub(super) async fn complete_deletions(&self) -> Result<Vec<Deleted>> {
        // Requests are answered already: a run that one of them brings back was not cut short.
        let _alone = self.0.changing.write().await;
        let trash = self.0.trash.clone();
        let (back, mut gone) = blocking(move || Ok((trash.complete(), trash.list()))).await?;
        gone.retain(|about| !self.dir(about.id).path().is_dir());
        // The index may have been left behind when the run was announced and no more.
        self.0
            .index
            .write(move |w| {
                for about in gone {
                    if runs::find(w, about.id)?.is_some() {
                        runs::delete(w, about.id)?;
                    }
                }
                Ok(())
            })
            .await?;
        Ok(back)
    }

    /// Gives a run that came back what people had called it.
    pub(super) async fn label_again(&self, about: Deleted) -> Result<()> {
        let id = about.id;
        self.0
            .index
            .write(move |w| {
                runs::set_labels(
                    w,
                    id,
                    Some(&about.name),
                    Some(&about.tags),
                    Some(&about.notes),
                )?;
                if about.active && runs::get(w, id)?.reason.is_none() {
                    let message = "It was deleted while it trained or waited.";
                    runs::set_status(w, id, Status::Stopped, message)?;
                }
                Ok(())
            })
            .await?;
        let trash = self.0.trash.clone();
        blocking(move || {
            trash.returned(id);
            Ok(())
        })
        .await
    }
}

fn about(run: Run) -> Deleted {
    Deleted {
        id: run.id,
        name: run.name,
        tags: run.tags,
        notes: run.notes,
        number: run.number,
        active: run.status.is_active(),
        deleted: String::new(),
        until: String::new(),
    }
    .now()
}
