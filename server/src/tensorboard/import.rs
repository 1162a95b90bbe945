//! Imports event files as runs: their scalars become the run's events, and the files are kept beside them.
//!
//! The events of such a run are `imported`, then for each tag `scalars` (up to some hundred values per line), then
//! `finished`. A tag that is drawn as a curve says which; the others are kept as well.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use utoipa::ToSchema;
use vivarium_models::contract::{self, Event, NotFinite, Reason, Record};
use vivarium_models::data::Fault;
use vivarium_models::data::scratch::{self, Scratch};

use super::describe::{describe, digest, is_percent, moments, no_scalars_message, run_name};
use super::find::{self, Found, LogFile, Logged};
use super::read::{self, Point, Scalars};
use super::relation::{Files, Relation, relation};
use super::tags::{self, Assigned};
use super::{refused, unpack};
use crate::atomic_file::INCOMING;
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::failpoint::failpoint;
use crate::index::metrics::OWN;
use crate::run_dir::imported::{ImportedRun, SourceFile};
use crate::run_dir::{self, RunDir, RunId, staging};
/// Values in a line of events.
const LINE: usize = 512;

/// The maximum number of runs of one import.
const MOST_RUNS: usize = 500;

/// The directory of a run in its scratch folder.
const STAGE: &str = "run";

/// Leftovers are removed after this time.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Imports runs into a data folder.
#[derive(Debug)]
pub struct Importer {
    runs: PathBuf,
    scratch: PathBuf,
    /// One import at a time: two of the same files must not both find them missing.
    turn: Mutex<()>,
}

/// The options of an import.
#[derive(Debug, Default)]
pub struct ImportOptions {
    /// The beginning of the runs' names.
    pub name: Option<String>,
    /// The name of a run at the top, where `name` is `None`.
    pub root: Option<String>,
    /// Whether the files may be moved instead of copied.
    pub ours: bool,
    /// Assignments of tags to curves.
    pub tags: Assigned,
}

/// The result of an import.
#[derive(Debug, Default)]
pub struct Outcome {
    /// New runs.
    pub imported: Vec<Imported>,
    /// Runs whose files have grown, and whose curves were replaced.
    pub replaced: Vec<Imported>,
    /// Existing runs of the same files.
    pub already: Vec<Imported>,
    /// Existing runs of files that begin with these and have more.
    pub newer: Vec<Imported>,
    /// What was left out, and why.
    pub skipped: Vec<Fault>,
}

/// A run of an import.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The run.
    pub id: RunId,
    /// Its description.
    pub imported: ImportedRun,
}

/// How the directory of a run is filled.
struct StageOptions {
    transfer: Transfer,
    assigned: Assigned,
    root: Option<String>,
    sha256: String,
}

/// How files get into the directory.
#[derive(Clone, Copy, PartialEq)]
enum Transfer {
    /// They are moved.
    Move,
    /// They are copied.
    Copy,
    /// They are linked: nobody writes to them any more.
    Link,
}

impl Importer {
    /// An importer for the runs of a data folder.
    pub fn new(data: &DataDir) -> Self {
        Self {
            runs: data.runs(),
            scratch: data.imports(),
            turn: Mutex::default(),
        }
    }

    /// A folder for incoming files, which is removed when the value is dropped.
    pub fn scratch(&self) -> Result<Scratch> {
        fs::create_dir_all(&self.scratch)
            .and_then(|()| Scratch::new_in(&self.scratch))
            .map_err(|e| Error::file(&self.scratch, e))
    }

    /// Removes the leftovers of processes that died.
    pub fn sweep(&self) {
        scratch::sweep(&self.scratch);
        // Earlier versions of this program did not lock their folders.
        let entries = fs::read_dir(&self.scratch).into_iter().flatten().flatten();
        for entry in entries {
            let modified = entry.metadata().and_then(|about| about.modified());
            if entry.file_name().to_string_lossy().starts_with(INCOMING)
                && modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > ABANDONED))
            {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    /// Makes a run of each of `found` that has a scalar. Files that have grown since they were imported replace those
    /// of their run. Unreadable files are left out and named.
    ///
    /// # Errors
    /// Everything that is wrong with the files, when none of them has a scalar. No run is made then.
    pub fn import(&self, found: Found, options: &ImportOptions) -> Result<Outcome> {
        self.import_with(found, options, |filled| {
            RunDir::publish(&self.runs, filled).map(|(id, _)| id)
        })
    }

    /// Stages a run for each of `found`; they get their names when they are in the index.
    ///
    /// # Errors
    /// Those of [`Importer::import`]. Nothing is left then.
    pub fn stage_all(&self, found: Found, options: &ImportOptions) -> Result<Outcome> {
        let mut staged = Vec::new();
        let outcome = self.import_with(found, options, |filled| {
            failpoint("tensorboard.stage")?;
            let id = RunId::next();
            staging::adopt(&self.runs, id, filled)?;
            staged.push(id);
            Ok(id)
        });
        if outcome.is_err() {
            staging::remove(&self.runs, &staged);
        }
        outcome
    }

    fn import_with(
        &self,
        found: Found,
        options: &ImportOptions,
        mut place: impl FnMut(&Path) -> Result<RunId>,
    ) -> Result<Outcome> {
        tags::check(&options.tags)?;
        let _alone = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if found.runs.len() > MOST_RUNS {
            return Err(Error::BadRequest(format!(
                "These are {} runs; at most {MOST_RUNS} are imported at once.",
                found.runs.len()
            )));
        }
        let mut known = self.known()?;
        let mut outcome = Outcome {
            skipped: found.skipped,
            ..Outcome::default()
        };
        let mut staged = Vec::new();
        for logged in found.runs {
            let sha256 = digest(&logged.files);
            if let Some(at) = known.iter().position(|run| run.imported.sha256 == sha256) {
                outcome.already.push(known.swap_remove(at));
                continue;
            }
            let related = self.related(&logged, options.root.as_deref(), &known);
            if let Some((at, Relation::Older)) = related {
                outcome.newer.push(known[at].clone());
                continue;
            }
            let grown = match related {
                Some((at, Relation::Grown)) => Some(known.swap_remove(at)),
                _ => None,
            };
            let other = related.filter(|(_, relation)| *relation == Relation::Different);
            let beside = other.map(|(at, _)| &known[at]);
            let mut assigned = grown
                .as_ref()
                .map_or_else(Assigned::new, |run| run.imported.assigned.clone());
            assigned.extend(options.tags.clone());
            let how = StageOptions {
                transfer: if options.ours {
                    Transfer::Move
                } else {
                    Transfer::Copy
                },
                assigned,
                root: options.root.clone(),
                sha256,
            };
            let name = |began: Option<&str>| match &grown {
                Some(run) => run.imported.name.clone(),
                None => {
                    let (name, root) = (options.name.as_deref(), options.root.as_deref());
                    run_name(&logged.name, name, root, began)
                }
            };
            match self.stage(&logged, how, name, beside, &mut outcome.skipped) {
                Ok(Some((filled, imported))) => {
                    staged.push((filled, imported, grown.map(|run| run.id)))
                }
                Ok(None) => {}
                Err(Error::Models(vivarium_models::Error::Refused(faults))) => {
                    outcome.skipped.extend(faults);
                }
                Err(error) => return Err(error),
            }
        }
        if staged.is_empty() && outcome.already.is_empty() && outcome.newer.is_empty() {
            return Err(vivarium_models::Error::Refused(outcome.skipped).into());
        }
        for (filled, imported, grown) in staged {
            let stage = filled.path().join(STAGE);
            if let Some(id) = grown {
                RunDir::of(&self.runs, id).swap_with(&stage)?;
                outcome.replaced.push(Imported { id, imported });
            } else {
                let id = place(&stage)?;
                outcome.imported.push(Imported { id, imported });
            }
        }
        Ok(outcome)
    }

    /// Replaces the assignments of a run's tags to curves. The run's directory is rebuilt from its files and exchanged
    /// with the current one.
    ///
    /// # Errors
    /// [`Error::Conflict`] for a run that was not imported; when there is no such curve or tag.
    pub fn assign(&self, id: RunId, assigned: &Assigned) -> Result<()> {
        tags::check(assigned)?;
        let _alone = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let (imported, logged) = self.load_imported(id)?;
        let scalars = read::read(&logged.files)?;
        if let Some(tag) = assigned.keys().find(|tag| !scalars.tags.contains_key(*tag)) {
            let message = "is not a tag of this run's scalars";
            return Err(Error::field(&format!("tags.{tag}"), tag.as_str(), message));
        }
        let how = StageOptions {
            transfer: Transfer::Link,
            assigned: assigned.clone(),
            root: imported.root.clone(),
            sha256: imported.sha256.clone(),
        };
        let staged = self.stage(
            &logged,
            how,
            |_| imported.name.clone(),
            None,
            &mut Vec::new(),
        )?;
        let (filled, _) = staged.ok_or_else(|| refused(&imported.name, "no longer has scalars"))?;
        RunDir::of(&self.runs, id).swap_with(&filled.path().join(STAGE))
    }

    /// The tags of an imported run.
    ///
    /// # Errors
    /// [`Error::Conflict`] for a run that was not imported.
    pub fn tags(&self, id: RunId) -> Result<Vec<Tag>> {
        let (imported, logged) = self.load_imported(id)?;
        let scalars = read::read(&logged.files)?;
        let tags = scalars.tags.into_iter().map(|(tag, points)| {
            let curve = imported.curve_of(&tag).map(str::to_owned);
            let assigned = imported.assigned.contains_key(&tag);
            let last = points.last().map(|point| point.value);
            Tag {
                tag,
                values: points.len(),
                last: last.filter(|value| value.is_finite()),
                curve,
                assigned,
            }
        });
        Ok(tags.collect())
    }

    /// The description of an imported run, and its files in the run's directory.
    fn load_imported(&self, id: RunId) -> Result<(ImportedRun, Logged)> {
        let dir = RunDir::of(&self.runs, id);
        let imported = dir.imported()?.ok_or_else(|| {
            Error::Conflict(
                "The run was trained here: only imported runs have tags to choose from.".to_owned(),
            )
        })?;
        let mut found = find::find_all(&dir.imported_event_files())?.runs;
        match (found.pop(), found.is_empty()) {
            (Some(logged), true) => Ok((imported, logged)),
            _ => Err(refused(
                &imported.name,
                "its files are no longer those that were imported",
            )),
        }
    }

    /// All imported runs.
    fn known(&self) -> Result<Vec<Imported>> {
        let mut known = Vec::new();
        for id in run_dir::list(&self.runs)? {
            if let Some(imported) = RunDir::of(&self.runs, id).imported()? {
                known.push(Imported { id, imported });
            }
        }
        Ok(known)
    }

    /// The existing run that these files belong to, and their relation to it. Of several runs the closest one: those
    /// that have grown first, and among them the largest.
    fn related(
        &self,
        logged: &Logged,
        root: Option<&str>,
        known: &[Imported],
    ) -> Option<(usize, Relation)> {
        let file_name = |name: &str| name.rsplit('/').next().map(str::to_owned);
        let names: HashSet<_> = logged
            .files
            .iter()
            .map(|file| file_name(&file.name))
            .collect();
        let new = Files { root, logged };
        let related = known.iter().enumerate().filter_map(|(at, run)| {
            let files = &run.imported.source.files;
            if !files
                .iter()
                .any(|file| names.contains(&file_name(&file.name)))
            {
                return None;
            }
            let here =
                find::find_all(&RunDir::of(&self.runs, run.id).imported_event_files()).ok()?;
            let [there] = &here.runs[..] else {
                return None;
            };
            let old = Files {
                root: run.imported.root.as_deref(),
                logged: there,
            };
            let relation = relation(old, new).ok()?;
            let rank = match relation {
                Relation::Grown => 2,
                Relation::Older => 1,
                Relation::Different => 0,
                Relation::Unrelated => return None,
            };
            let bytes: u64 = files.iter().map(|file| file.bytes).sum();
            Some((rank, bytes, at, relation))
        });
        let closest = related.max_by_key(|&(rank, bytes, at, _)| (rank, bytes, at));
        closest.map(|(_, _, at, relation)| (at, relation))
    }

    /// Fills a directory with everything of a run; `None` for files without scalars. Adds what is left out to
    /// `skipped`.
    fn stage(
        &self,
        logged: &Logged,
        how: StageOptions,
        name: impl Fn(Option<&str>) -> String,
        beside: Option<&Imported>,
        skipped: &mut Vec<Fault>,
    ) -> Result<Option<(Scratch, ImportedRun)>> {
        let scalars = read::read(&logged.files)?;
        skipped.extend(scalars.unread.iter().cloned());
        if scalars.tags.is_empty() {
            let read = logged.files.iter().map(|file| file.name.as_str());
            let read = read.filter(|name| !scalars.unread.iter().any(|fault| fault.file == *name));
            let read: Vec<_> = read.collect();
            if !read.is_empty() {
                skipped.push(Fault {
                    file: read.join(", "),
                    message: no_scalars_message(&scalars),
                });
            }
            return Ok(None);
        }
        let filled = self.scratch()?;
        // A temporary folder is accessible to its owner alone, which a run's directory need not be.
        let dir = RunDir::at(filled.path().join(STAGE));
        let mut files = Vec::new();
        for LogFile { path, name, .. } in &logged.files {
            if how.transfer != Transfer::Move && File::open(path).is_err() {
                // Named as unreadable already.
                continue;
            }
            let into = dir.imported_event_files().join(unpack::relative(name)?);
            let bytes = transfer(path, &into, how.transfer)?;
            files.push(SourceFile {
                name: name.clone(),
                bytes,
            });
        }
        let mut imported = describe(&scalars, files, how.sha256, how.root, how.assigned, name);
        if let Some(Imported {
            id,
            imported: other,
        }) = beside
        {
            imported.source.remarks.push(format!(
                "“{}” ({id}) was imported earlier from files with the same names and other content: there are two runs now.",
                other.name
            ));
        }
        let path = dir.events_file();
        write_events(&path, &scalars, &imported).map_err(|e| Error::file(&path, e))?;
        let path = dir.imported_file();
        write_whole(&path, &imported).map_err(|e| Error::file(&path, e))?;
        Ok(Some((filled, imported)))
    }
}

/// A tag of an imported run.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Tag {
    /// Its name in the files.
    pub tag: String,
    /// The number of values.
    pub values: usize,
    /// The last value, if it is finite.
    pub last: Option<f64>,
    /// The curve that it is drawn as, or `own`; `null` if it is not drawn.
    pub curve: Option<String>,
    /// Whether a user assigned it.
    pub assigned: bool,
}

/// Moves, links or copies a file; returns its length.
fn transfer(from: &Path, into: &Path, how: Transfer) -> Result<u64> {
    let failed = |e| Error::file(into, e);
    if let Some(folder) = into.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let there = match how {
        Transfer::Move => {
            fs::rename(from, into).map_err(failed)?;
            true
        }
        Transfer::Link => fs::hard_link(from, into).is_ok(),
        Transfer::Copy => false,
    };
    if there {
        return Ok(fs::metadata(into).map_err(failed)?.len());
    }
    fs::copy(from, into).map_err(failed)
}

/// Writes the events of an imported run.
fn write_events(path: &Path, scalars: &Scalars, imported: &ImportedRun) -> io::Result<()> {
    let file = File::create_new(path)?;
    let mut lines = Lines {
        out: BufWriter::with_capacity(1 << 18, file),
        seq: 0,
        time: String::new(),
    };
    let (first, last) = moments(scalars.tags.values().flatten());
    lines.at(first);
    // Exact, so that what goes out again has the moments that came in.
    lines.write(Event::Imported {
        from: imported.source.kind.clone(),
        wall_time: first,
    })?;
    for (tag, points) in &scalars.tags {
        let curve = imported.curve_of(tag);
        let own = (curve == Some(tags::OWN)).then(|| format!("{OWN}{tag}"));
        let series = own.as_deref().or(curve);
        let percent = is_percent(series.unwrap_or(""), points);
        for points in pieces(points) {
            lines.at(points.last().map_or(first, |point| point.wall_time));
            lines.write(Event::Scalars(values(tag, series, percent, points, first)))?;
        }
    }
    lines.at(last);
    lines.write(Event::Finished {
        reason: Reason::Completed,
        message: String::new(),
    })?;
    let file = lines
        .out
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    file.sync_all()
}

/// Values for a line each: not too many, and what is not finite in one is all of one kind.
fn pieces(points: &[Point]) -> Vec<&[Point]> {
    let mut pieces = Vec::new();
    let mut rest = points;
    while !rest.is_empty() {
        let most = &rest[..rest.len().min(LINE)];
        let first = most.iter().find_map(|point| NotFinite::of(point.value));
        let is_other =
            |point: &Point| NotFinite::of(point.value).is_some_and(|kind| Some(kind) != first);
        let (piece, more) = rest.split_at(most.iter().position(is_other).unwrap_or(most.len()));
        pieces.push(piece);
        rest = more;
    }
    pieces
}

fn values(
    tag: &str,
    series: Option<&str>,
    percent: bool,
    points: &[Point],
    first: f64,
) -> contract::Scalars {
    // Microseconds are as exact as moments are written.
    let since = |time: f64| ((time - first).max(0.0) * 1e6).round() / 1e6;
    contract::Scalars {
        tag: tag.to_owned(),
        series: series.map(str::to_owned),
        percent,
        step: points.iter().map(|point| point.step).collect(),
        seconds: points.iter().map(|point| since(point.wall_time)).collect(),
        value: points.iter().map(|point| point.value).collect(),
        not_finite: points.iter().find_map(|point| NotFinite::of(point.value)),
    }
}

/// Writes numbered events.
struct Lines<W> {
    out: W,
    seq: u64,
    time: String,
}

impl<W: Write> Lines<W> {
    fn at(&mut self, seconds: f64) {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds.max(0.0));
        self.time = humantime::format_rfc3339_millis(time).to_string();
    }

    fn write(&mut self, event: Event) -> io::Result<()> {
        self.seq += 1;
        let record = Record {
            seq: self.seq,
            time: self.time.clone(),
            event,
        };
        writeln!(self.out, "{}", record.to_line()?)
    }
}

fn write_whole(path: &Path, imported: &ImportedRun) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(&serde_json::to_vec_pretty(imported)?)?;
    file.sync_all()
}
