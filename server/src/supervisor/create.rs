//! Creates runs: a single one, or those of a sweep together.
//!
//! The steps: fill the directories, write the sweep's file under a temporary name, insert the rows in one transaction,
//! rename the file and the directories, queue the runs. The transaction decides: at the next start
//! [`Supervisor::recover_creations`] completes runs that have rows and removes those that have none. An error rolls
//! back.

use std::collections::HashMap;

use vivarium_models::spec::RunSpec;

use super::Supervisor;
use super::run_task::Start;
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::failpoint::failpoint;
use crate::index::removal;
use crate::index::runs::{self, NewRun, Status};
use crate::run_dir::imported::ImportedRun;
use crate::run_dir::{RunId, staging};
use crate::start_weights;
use crate::sweeps::store::Sweep;

/// The change that creating runs makes to their sweep.
#[derive(Clone)]
pub(super) struct SweepChange {
    /// The id of the sweep.
    pub id: String,
    /// The sweep before; `None` for a new one.
    pub before: Option<Sweep>,
    /// The sweep afterwards.
    pub after: Sweep,
}

impl Supervisor {
    /// Creates a run and queues it.
    pub async fn create(&self, spec: RunSpec) -> Result<RunId> {
        let id = RunId::next();
        self.create_all(vec![(id, spec)], None).await?;
        Ok(id)
    }

    /// Creates all of `planned` or none, and queues them in their order.
    pub(super) async fn create_all(
        &self,
        planned: Vec<(RunId, RunSpec)>,
        change: Option<SweepChange>,
    ) -> Result<()> {
        let ids: Vec<_> = planned.iter().map(|(id, _)| *id).collect();
        let sweep = change.as_ref().map(|change| change.id.clone());
        let rows = planned
            .iter()
            .map(|(id, spec)| row(*id, spec, sweep.clone()))
            .collect::<Result<Vec<_>>>()?;
        let (folder, library) = (self.0.runs.clone(), self.0.library.clone());
        blocking(move || {
            let mut starts = HashMap::new();
            for (id, spec) in &planned {
                if let Some(start) = start_weights::find(&folder, spec, &library)? {
                    starts.insert(*id, start);
                }
            }
            staging::stage(&folder, &planned, &starts)
        })
        .await?;
        let made = self.commit_staged(&ids, rows, change.clone()).await;
        if made.is_err() {
            self.roll_back(ids, change).await;
        }
        made
    }

    async fn commit_staged(
        &self,
        ids: &[RunId],
        rows: Vec<NewRun>,
        change: Option<SweepChange>,
    ) -> Result<()> {
        let sweeps = self.0.sweeps.clone();
        let announced = change.clone();
        blocking(move || {
            failpoint("run.staged")?;
            announced.map_or(Ok(()), |it| sweeps.announce(&it.id, &it.after))?;
            failpoint("run.announced")
        })
        .await?;
        // From the rows to the tasks: the reconciliation must see all of these or none.
        let _lifecycle = self.0.lifecycle.read().await;
        self.0
            .index
            .write(move |w| rows.iter().try_for_each(|row| runs::insert(w, row)))
            .await?;
        let (folder, sweeps, named) = (self.0.runs.clone(), self.0.sweeps.clone(), ids.to_vec());
        blocking(move || {
            failpoint("run.indexed")?;
            change.map_or(Ok(()), |it| sweeps.confirm(&it.id))?;
            failpoint("run.confirmed")?;
            staging::publish(&folder, &named)?;
            failpoint("run.named")
        })
        .await?;
        for &id in ids {
            self.spawn_task(id, Start::Queue(self.0.queue.enqueue()));
        }
        Ok(())
    }

    /// Adds runs whose directories were imported and are still unnamed: all of them, or none.
    pub async fn add_imported(&self, imported: Vec<(RunId, ImportedRun)>) -> Result<()> {
        let ids: Vec<_> = imported.iter().map(|(id, _)| *id).collect();
        let made = self.commit_imported(&ids, imported).await;
        if made.is_err() {
            self.roll_back(ids, None).await;
        }
        made
    }

    async fn commit_imported(
        &self,
        ids: &[RunId],
        imported: Vec<(RunId, ImportedRun)>,
    ) -> Result<()> {
        let _lock = self.0.lifecycle.write().await;
        let rows: Vec<_> = imported
            .into_iter()
            .map(|(id, imported)| {
                let spec = imported.spec().to_string();
                NewRun::new(id, imported.name, spec, None, Status::Finished)
            })
            .collect();
        self.0
            .index
            .write(move |w| rows.iter().try_for_each(|row| runs::insert(w, row)))
            .await?;
        let (folder, named) = (self.0.runs.clone(), ids.to_vec());
        blocking(move || {
            failpoint("tensorboard.indexed")?;
            staging::publish(&folder, &named)?;
            failpoint("tensorboard.named")
        })
        .await?;
        for &id in ids {
            // If this fails, the reconciliation finds the run: its log is longer than what is indexed.
            if let Err(error) = self.index_run(id).await {
                tracing::error!(run = %id, %error, "the run could not be indexed");
            }
        }
        Ok(())
    }

    /// Removes what remains of runs that could not be created. Best effort: the next start removes the rest.
    async fn roll_back(&self, ids: Vec<RunId>, change: Option<SweepChange>) {
        let gone = ids.clone();
        let undone = self.0.index.write(move |w| {
            for id in gone {
                if runs::find(w, id)?.is_some() {
                    removal::delete(w, id)?;
                }
            }
            Ok(())
        });
        if let Err(error) = undone.await {
            tracing::error!(%error, "runs that could not be created remain in the index");
        }
        let (folder, sweeps) = (self.0.runs.clone(), self.0.sweeps.clone());
        let undone = blocking(move || {
            staging::remove(&folder, &ids);
            let Some(SweepChange { id, before, .. }) = change else {
                return Ok(());
            };
            sweeps.withdraw(&id);
            match (sweeps.get(&id), before) {
                (Err(Error::NotFound(_)), None) => Ok(()),
                (Ok(now), Some(before)) if now.runs.len() == before.runs.len() => Ok(()),
                (_, before) => sweeps.revert(&id, before.as_ref()),
            }
        });
        if let Err(error) = undone.await {
            tracing::error!(%error, "a sweep that could not be created remains");
        }
    }

    /// Completes or rolls back, before any request is answered, the creations that an earlier server left unfinished.
    pub(super) async fn recover_creations(&self) -> Result<()> {
        let sweeps = self.0.sweeps.clone();
        let pending = blocking(move || Ok(sweeps.pending())).await?;
        for (id, sweep) in pending {
            let last = sweep.runs.last().copied();
            let made = self
                .0
                .index
                .read(move |c| Ok(last.map(|last| runs::find(c, last)).transpose()?.flatten()))
                .await?;
            let sweeps = self.0.sweeps.clone();
            blocking(move || match made {
                Some(_) => sweeps.confirm(&id),
                None => {
                    sweeps.withdraw(&id);
                    Ok(())
                }
            })
            .await?;
        }
        let folder = self.0.runs.clone();
        let staged = blocking(move || Ok(staging::list(&folder))).await?;
        let (made, not): (Vec<_>, Vec<_>) = self
            .0
            .index
            .read(move |c| {
                let each = staged
                    .into_iter()
                    .map(|id| Ok((id, runs::find(c, id)?.is_some())));
                let all = each.collect::<Result<Vec<_>>>()?;
                Ok(all.into_iter().partition(|(_, made)| *made))
            })
            .await?;
        let folder = self.0.runs.clone();
        blocking(move || {
            let ids = |of: Vec<(RunId, bool)>| of.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
            staging::remove(&folder, &ids(not));
            match ids(made) {
                made if made.is_empty() => Ok(()),
                made => staging::publish(&folder, &made),
            }
        })
        .await?;
        self.forget_uncreated().await
    }

    /// Deletes the rows of runs that never began and have no directory.
    async fn forget_uncreated(&self) -> Result<()> {
        let mut unmade = self.0.index.read(runs::queued_without_events).await?;
        unmade.retain(|&id| !self.run_dir(id).path().exists());
        if unmade.is_empty() {
            return Ok(());
        }
        self.0
            .index
            .write(move |w| unmade.into_iter().try_for_each(|id| removal::delete(w, id)))
            .await
    }
}

fn row(id: RunId, spec: &RunSpec, sweep: Option<String>) -> Result<NewRun> {
    let text = serde_json::to_string(spec).map_err(|e| Error::json("the settings of a run", e))?;
    let status = Status::Queued;
    Ok(NewRun::new(id, spec.name.clone(), text, sweep, status))
}
