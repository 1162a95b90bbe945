//! Chooses what the reconciliation looks at. Each look costs a call of the system for each file, and on a network file
//! system an exchange with another machine; ten thousand logs every two seconds are too many.
//!
//! A run that appears, or whose directory is replaced, changes the folder of runs, whose time of modification tells
//! that. A log that grows changes no folder: the logs of runs that can be resumed are looked at each time, and the
//! others in turn.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::Supervisor;
use crate::blocking::blocking;
use crate::error::Result;
use crate::index::runs;
use crate::run_dir::tail::Place;
use crate::run_dir::{self, RunDir, RunId};

/// Logs of runs that are over and are looked at each time.
const IN_TURN: usize = 2000;

/// The folder is searched after as many looks even if its time of modification is the same: some file systems tell it
/// late.
const SEARCH_EVERY: u32 = 15;

/// A folder may change again within the same tick of a file system's clock.
const COARSEST_CLOCK: Duration = Duration::from_secs(3);

/// What the last looks found.
#[derive(Default)]
pub(super) struct Looks {
    /// When the folder was modified, as far as it was searched.
    folder: Option<SystemTime>,
    /// Looks since then.
    since: u32,
    /// The last run whose log was looked at in turn.
    turn: Option<RunId>,
}

impl Looks {
    /// Whether the folder must be searched, which was modified then; supposes that it is.
    fn must_search(&mut self, modified: Option<SystemTime>) -> bool {
        let is_recent = |at: SystemTime| at.elapsed().is_ok_and(|age| age < COARSEST_CLOCK);
        let must = modified.is_none()
            || modified != self.folder
            || modified.is_some_and(is_recent)
            || self.since >= SEARCH_EVERY;
        self.folder = modified;
        self.since = if must { 0 } else { self.since + 1 };
        must
    }
}

impl Supervisor {
    /// Whether the folder of runs must be searched; supposes that it is.
    pub(super) async fn must_search(&self, looks: &mut Looks) -> Result<bool> {
        let folder = self.0.runs.clone();
        let modified = move || Ok(fs::metadata(folder).and_then(|about| about.modified()).ok());
        Ok(looks.must_search(blocking(modified).await?))
    }

    /// Runs that the index does not know or whose logs changed without this server: of all runs, if every log is
    /// searched or the folder changed, or of those whose turn it is and of `given_up`.
    pub(super) async fn find_changed(
        &self,
        looks: &mut Looks,
        changed: fn(&Path, Place) -> bool,
        search: bool,
        given_up: Vec<RunId>,
    ) -> Result<HashSet<RunId>> {
        let folder = self.0.runs.clone();
        let new = if search {
            let known = self.0.index.read(runs::all_ids).await?;
            let folder = folder.clone();
            blocking(move || {
                let mut found = run_dir::list(&folder)?;
                found.retain(|id| !known.contains(id));
                Ok(found)
            })
            .await?
        } else {
            let known = given_up.clone();
            let known = self.0.index.read(move |c| {
                let each = known.into_iter().map(|id| Ok((id, runs::is_known(c, id)?)));
                each.collect::<Result<Vec<_>>>()
            });
            let unknown = known.await?.into_iter().filter(|(_, known)| !known);
            unknown.map(|(id, _)| id).collect()
        };
        let after = looks.turn;
        let (turn, mut places) = self
            .0
            .index
            .read(move |c| {
                let mut places = runs::places_after(c, after, IN_TURN)?;
                let turn = places
                    .last()
                    .map(|(id, _)| *id)
                    .filter(|_| places.len() == IN_TURN);
                places.extend(runs::places_to_resume(c)?);
                for id in given_up {
                    places.extend(runs::place_of_run(c, id)?);
                }
                Ok((turn, places))
            })
            .await?;
        looks.turn = turn;
        blocking(move || {
            places.retain(|(id, place)| changed(&log_of(&folder, *id), *place));
            Ok(places.into_iter().map(|(id, _)| id).chain(new).collect())
        })
        .await
    }

    /// The same of every run, at the start.
    pub(super) async fn find_all_changed(
        &self,
        changed: fn(&Path, Place) -> bool,
    ) -> Result<HashSet<RunId>> {
        let places = self.0.index.read(runs::places).await?;
        let folder = self.0.runs.clone();
        blocking(move || {
            let found = run_dir::list(&folder)?;
            let mut known = std::collections::HashMap::new();
            known.extend(places);
            let is_changed = |id: &RunId| {
                let place = known.get(id);
                place.is_none_or(|&place| changed(&log_of(&folder, *id), place))
            };
            Ok(found.into_iter().filter(is_changed).collect())
        })
        .await
    }
}

fn log_of(folder: &Path, id: RunId) -> PathBuf {
    RunDir::of(folder, id).events_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_searched_when_something_came_or_went_and_now_and_then() {
        let now = SystemTime::now();
        let long_ago = Some(now - Duration::from_secs(3600));
        let mut looks = Looks::default();
        assert!(looks.must_search(long_ago), "for the first time");
        let idle = (0..SEARCH_EVERY).filter(|_| looks.must_search(long_ago));
        assert_eq!(idle.count(), 0);
        assert!(looks.must_search(long_ago), "after a while");
        assert!(!looks.must_search(long_ago));
        assert!(looks.must_search(Some(now)), "something came");
        assert!(
            looks.must_search(Some(now)),
            "within the same tick of the clock"
        );
        let earlier = Some(now - Duration::from_secs(7200));
        assert!(
            looks.must_search(earlier),
            "another time, though an earlier one"
        );
        assert!(!looks.must_search(earlier));
        assert!(looks.must_search(None), "a time that is not told");
    }
}
