//! Sweeps: their runs are made together, stopped together, and more of them can be added.

use super::Supervisor;
use crate::aside::blocking;
use crate::error::{Error, Result};
use crate::run_dir::RunId;
use crate::sweeps::store::{Sweep, Sweeps};
use crate::sweeps::{More, SweepSpec};

impl Supervisor {
    /// Creates every run of a sweep and lines them up; none when one of them is not valid.
    pub async fn create_sweep(&self, spec: SweepSpec) -> Result<(String, Vec<RunId>)> {
        let id = Sweeps::new_id();
        let (library, asked) = (self.0.library.clone(), spec.clone());
        let mut sweep = Sweep {
            spec,
            runs: Vec::new(),
        };
        for run in blocking(move || asked.expand(&library)).await? {
            sweep.runs.push(self.create(run, Some(id.clone())).await?);
        }
        let made = sweep.runs.clone();
        self.save_sweep(&id, sweep).await?;
        Ok((id, made))
    }

    /// Adds runs to a sweep: more combinations of a search, or more seeds for every one.
    pub async fn grow_sweep(&self, id: String, more: More) -> Result<Vec<RunId>> {
        let _alone = self.0.growing.lock().await;
        let sweep = self.sweep(id.clone()).await?;
        let (library, spec) = (self.0.library.clone(), sweep.spec);
        let (spec, fresh) = blocking(move || spec.grow(more, &library)).await?;
        let mut made = Vec::new();
        for run in fresh {
            made.push(self.create(run, Some(id.clone())).await?);
        }
        let runs = [&sweep.runs[..], &made[..]].concat();
        self.save_sweep(&id, Sweep { spec, runs }).await?;
        Ok(made)
    }

    /// Stops what waits or trains of a sweep; says how many runs that were.
    pub async fn stop_sweep(&self, id: String) -> Result<usize> {
        self.sweep(id.clone()).await?;
        let all = self.0.index.list().await?;
        let mut stopped = 0;
        // Those that wait first: else one that stops makes room for the next.
        for run in all
            .into_iter()
            .filter(|run| run.sweep.as_ref() == Some(&id))
        {
            if !run.status.is_active() || run.stopping {
                continue;
            }
            match self.stop(run.id).await {
                Ok(()) => stopped += 1,
                // It came to its end in the meantime.
                Err(Error::Conflict(_) | Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(stopped)
    }

    /// A sweep's settings and the runs that it had.
    pub async fn sweep(&self, id: String) -> Result<Sweep> {
        let sweeps = self.0.sweeps.clone();
        blocking(move || sweeps.get(&id)).await
    }

    /// Every sweep, the newest first.
    pub async fn sweeps(&self) -> Result<Vec<(String, Sweep)>> {
        let sweeps = self.0.sweeps.clone();
        blocking(move || Ok(sweeps.list())).await
    }

    async fn save_sweep(&self, id: &str, sweep: Sweep) -> Result<()> {
        let (sweeps, id) = (self.0.sweeps.clone(), id.to_owned());
        blocking(move || sweeps.save(&id, &sweep)).await
    }
}
