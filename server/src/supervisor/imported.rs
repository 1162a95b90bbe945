//! Imported runs whose directory was replaced, in this process or from the command line: because their files grew, or
//! because tags were assigned to other curves.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::SystemTime;

use super::Supervisor;
use crate::blocking::blocking;
use crate::error::Result;
use crate::index::Writing;
use crate::index::events;
use crate::index::runs::{self, Status};
use crate::run_dir::tail::{self, Following};
use crate::run_dir::{self, RunDir, RunId};

/// Distinguishes versions of a `board.json` without reading it.
pub(super) type Stamp = (SystemTime, u64);

impl Supervisor {
    /// Reindexes the imported runs whose directories were replaced since the last call.
    pub(super) async fn reindex_replaced(&self) -> Result<()> {
        let folder = self.0.runs.clone();
        let before = self.stamps().clone();
        let changed = blocking(move || Ok(changed(&folder, &before))).await?;
        for (id, stamp) in changed {
            let _lock = self.0.lifecycle.write().await;
            match self.reindex_imported_locked(id).await {
                Ok(()) => drop(self.stamps().insert(id, stamp)),
                Err(error) => tracing::error!(run = %id, %error, "the run could not be indexed"),
            }
        }
        Ok(())
    }

    /// Reindexes an imported run if its directory differs from the index. One transaction: readers see either the old
    /// curves or the new ones. Ignores runs that the index does not know.
    pub async fn reindex_imported(&self, id: RunId) -> Result<()> {
        let _lock = self.0.lifecycle.write().await;
        self.reindex_imported_locked(id).await
    }

    /// Like [`Supervisor::reindex_imported`], for callers that hold the lifecycle lock.
    pub(super) async fn reindex_imported_locked(&self, id: RunId) -> Result<()> {
        let (dir, library) = (self.run_dir(id), self.0.library.clone());
        let (_, spec) = blocking({
            let dir = dir.clone();
            move || dir.name_and_spec(&library)
        })
        .await?;
        let spec = spec.to_string();
        let path = dir.events_file();
        let read = move |c: &rusqlite::Connection| {
            let spec = runs::recorded_spec(c, id)?;
            spec.map(|spec| Ok((spec, events::place(c, id)?)))
                .transpose()
        };
        let Some((recorded, place)) = self.0.index.read(read).await? else {
            return Ok(());
        };
        let is_the_same = blocking({
            let path = path.clone();
            move || Ok(tail::len(&path)? == place.offset && tail::is_continued(&path, place)?)
        })
        .await?;
        if recorded != spec || !is_the_same {
            self.reindex_from_start(id, spec, path).await?;
        }
        let run = self.run(id).await?;
        let status = run.reason.as_deref().map(Status::of_reason);
        match status.filter(|&status| status != run.status) {
            Some(status) => self.set_status(id, status, run.message).await,
            None => Ok(()),
        }
    }

    async fn reindex_from_start(&self, id: RunId, spec: String, path: PathBuf) -> Result<()> {
        let read = move |w: &Writing<'_>| {
            runs::set_spec(w, id, &spec)?;
            events::begin_again(w, id)?;
            loop {
                let from = events::place(w, id)?;
                match tail::read_on(&path, from)? {
                    Following::Lines(lines, to) if !lines.is_empty() => {
                        events::append(w, id, from, &lines, to)?;
                    }
                    // It was replaced again just now; the next call finds that.
                    Following::Another | Following::Lines(..) => return Ok(()),
                }
            }
        };
        self.0.index.write_with_retries(read).await
    }

    fn stamps(&self) -> std::sync::MutexGuard<'_, HashMap<RunId, Stamp>> {
        self.0.stamps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The imported runs whose `board.json` has changed.
fn changed(runs: &Path, before: &HashMap<RunId, Stamp>) -> Vec<(RunId, Stamp)> {
    let ids = run_dir::list(runs).unwrap_or_default().into_iter();
    let stamped = ids.filter_map(|id| {
        let about = fs::metadata(RunDir::of(runs, id).imported_file()).ok()?;
        Some((id, stamp(&about)?))
    });
    stamped
        .filter(|(id, stamp)| before.get(id) != Some(stamp))
        .collect()
}

fn stamp(about: &fs::Metadata) -> Option<Stamp> {
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(about);
    #[cfg(not(unix))]
    let number = about.len();
    Some((about.modified().ok()?, number))
}
