//! Rebuilds the curves of an index of an earlier version from its events, in the background.

use super::Supervisor;
use crate::error::{Error, Result};
use crate::index::{Writing, curves, runs};
use crate::run_dir::RunId;

impl Supervisor {
    pub(super) async fn migrate_curves(self) {
        let made = self
            .0
            .shutdown
            .run_until_cancelled(self.migrate_all_curves());
        if let Some(Err(error)) = made.await {
            tracing::error!(%error, "some runs have no curves yet; the next start continues");
        }
    }

    async fn migrate_all_curves(&self) -> Result<()> {
        let without = self.0.index.read(runs::without_curves).await?;
        if without.is_empty() {
            return Ok(());
        }
        tracing::info!(
            runs = without.len(),
            "the index is of an earlier version: its curves are rebuilt"
        );
        for id in without {
            match self.migrate_curves_of(id).await {
                // An unreadable row is noted, and its run is reindexed.
                Ok(()) | Err(Error::NotFound(_) | Error::Unreadable(_)) => {}
                Err(error) => return Err(error),
            }
        }
        tracing::info!("all curves are rebuilt");
        Ok(())
    }

    async fn migrate_curves_of(&self, id: RunId) -> Result<()> {
        let next = move |w: &Writing<'_>| curves::derive(w, id);
        while self.0.index.write_with_retries(next).await? {}
        Ok(())
    }
}
