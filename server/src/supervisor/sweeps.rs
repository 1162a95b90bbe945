//! Sweeps: their runs are created and stopped together, and more can be added.

use vivarium_models::spec::RunSpec;

use super::Supervisor;
use super::create::SweepChange;
use crate::blocking::blocking;
use crate::error::Result;
use crate::failpoint::failpoint;
use crate::index::runs::{self, Status};
use crate::run_dir::RunId;
use crate::sweeps::store::{Sweep, Sweeps};
use crate::sweeps::{GrowRequest, SweepSpec};

impl Supervisor {
    /// Creates and queues all runs of a sweep; none if one of them is invalid.
    pub async fn create_sweep(&self, spec: SweepSpec) -> Result<(String, Vec<RunId>)> {
        let id = Sweeps::new_id();
        let (library, asked) = (self.0.library.clone(), spec.clone());
        let runs = blocking(move || asked.expand(&library)).await?;
        let made = self.create_runs_of(&id, None, spec, runs).await?;
        Ok((id, made))
    }

    /// Adds runs to a sweep: more samples of a search, or more seeds for every combination.
    pub async fn grow_sweep(&self, id: String, more: GrowRequest) -> Result<Vec<RunId>> {
        let _lock = self.0.sweep_lock.lock().await;
        let sweep = self.sweep(id.clone()).await?;
        let (library, spec) = (self.0.library.clone(), sweep.spec.clone());
        let (spec, fresh) = blocking(move || spec.grow(more, &library)).await?;
        self.create_runs_of(&id, Some(sweep), spec, fresh).await
    }

    /// Creates runs of a sweep, which is `before` or new.
    async fn create_runs_of(
        &self,
        id: &str,
        before: Option<Sweep>,
        spec: SweepSpec,
        runs: Vec<RunSpec>,
    ) -> Result<Vec<RunId>> {
        let planned: Vec<_> = runs.into_iter().map(|run| (RunId::next(), run)).collect();
        let made: Vec<_> = planned.iter().map(|(id, _)| *id).collect();
        let mut all = before
            .as_ref()
            .map_or(Vec::new(), |sweep| sweep.runs.clone());
        all.extend(&made);
        let change = SweepChange {
            id: id.to_owned(),
            before,
            after: Sweep { spec, runs: all },
        };
        self.create_all(planned, Some(change)).await?;
        Ok(made)
    }

    /// Stops the queued and running runs of a sweep; returns how many.
    pub async fn stop_sweep(&self, id: String) -> Result<usize> {
        self.sweep(id.clone()).await?;
        let stopped = self
            .0
            .index
            .write(move |w| {
                let (mut runs, _) = runs::of_sweep(w, &id)?;
                runs.retain(|run| run.status.is_active() && !run.stopping);
                runs.iter()
                    .try_for_each(|run| runs::set_stopping(w, run.id))?;
                Ok(runs)
            })
            .await?;
        // The tasks are told even if this fails: the rows say so.
        let _ = blocking(|| failpoint("sweep.stopping")).await;
        // Queued runs first: a running run that stops would let the next one start.
        let (waiting, training): (Vec<_>, Vec<_>) =
            stopped.iter().partition(|run| run.status == Status::Queued);
        for run in waiting.into_iter().chain(training) {
            self.tell_to_stop(run.id);
        }
        Ok(stopped.len())
    }

    /// The settings of a sweep, and all runs that were created for it.
    pub async fn sweep(&self, id: String) -> Result<Sweep> {
        let sweeps = self.0.sweeps.clone();
        blocking(move || sweeps.get(&id)).await
    }

    /// All sweeps, newest first.
    pub async fn sweeps(&self) -> Result<Vec<(String, Sweep)>> {
        let sweeps = self.0.sweeps.clone();
        blocking(move || Ok(sweeps.list())).await
    }
}
