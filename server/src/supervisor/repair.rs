//! Repairs rows of the index that cannot be read, from the run directories.

use std::fs::OpenOptions;
use std::io::Write as _;

use super::Supervisor;
use super::reconcile::{is_unfinished, status_from_log};
use crate::blocking::blocking;
use crate::error::{BadRow, Error, Result};
use crate::index::runs::{self, NewRun, Status};
use crate::index::{Writing, events};
use crate::index::{damage, removal};
use crate::run_dir::RunId;

/// Keeps unreadable rows as they were, one JSON object per line.
const KEPT_IN: &str = "index.unreadable.ndjson";

impl Supervisor {
    /// Repairs the rows that were found since the last call.
    pub(super) async fn repair_rows(&self) {
        let index = &self.0.index;
        for row in index.to_repair() {
            let _lock = self.0.lifecycle.write().await;
            match self.repair(&row).await {
                Ok(()) => {
                    tracing::warn!(%row, "repaired from the run's directory; the old row is in {KEPT_IN}");
                    index.repaired(row.key);
                }
                Err(error) if error.is_of_the_index() => {
                    tracing::warn!(%row, %error, "not repaired yet");
                }
                Err(error) => {
                    tracing::error!(%row, %error, "the run cannot be shown");
                    index.beyond_repair(row.key, error.to_string());
                }
            }
        }
    }

    async fn repair(&self, row: &BadRow) -> Result<()> {
        let key = row.key;
        let kept = self
            .0
            .index
            .read(move |c| damage::row_as_json(c, key))
            .await?;
        // Deleted meanwhile, with its run.
        let Some(kept) = kept else { return Ok(()) };
        let path = self.0.runs.with_file_name(KEPT_IN);
        blocking(move || {
            let file = OpenOptions::new().create(true).append(true).open(&path);
            let written = file.and_then(|mut file| file.write_all(format!("{kept}\n").as_bytes()));
            written.map_err(|e| Error::file(&path, e))
        })
        .await?;
        match row.id {
            Some(id) => self.repair_run(key, id).await,
            // The reconciliation finds its directory like one that was created elsewhere.
            None => {
                let forget = move |w: &Writing<'_>| removal::forget_row(w, key);
                self.0.index.write_with_retries(forget).await
            }
        }
    }

    async fn repair_run(&self, key: i64, id: RunId) -> Result<()> {
        let new = self.row_from_directory(id, Some(key)).await?;
        let trains = self.tasks().contains_key(&id);
        let mend = move |w: &Writing<'_>| {
            let status_is_lost = runs::mend(w, key, &new)?;
            events::begin_again(w, id)?;
            Ok(status_is_lost)
        };
        let status_is_lost = self.0.index.write_with_retries(mend).await?;
        if trains {
            // Its task continues from the first line.
            return Ok(());
        }
        self.catch_up(id).await?;
        let run = self.run(id).await?;
        if status_is_lost {
            let (status, message) = status_from_log(&run);
            return self.set_status(id, status, message).await;
        }
        if is_unfinished(run.status) {
            return self.adopt_run(id).await;
        }
        Ok(())
    }

    /// The row of a run according to its directory.
    pub(super) async fn row_from_directory(
        &self,
        id: RunId,
        number: Option<i64>,
    ) -> Result<NewRun> {
        let dir = self.run_dir(id);
        let library = self.0.library.clone();
        let (name, spec) = blocking(move || dir.name_and_spec(&library)).await?;
        let sweeps = self.0.sweeps.clone();
        let sweep = blocking(move || Ok(sweeps.of(id))).await?;
        Ok(NewRun {
            number,
            ..NewRun::new(id, name, spec.to_string(), sweep, Status::Stopped)
        })
    }
}
