//! A run is a directory: the paths of its files, how it is created, and its lock.
//!
//! * [`RunId`]: the name of the directory, a UUIDv7, so that runs sort by creation.
//! * [`RunDir`]: the paths inside, and the creation of a run.
//! * [`imported`]: the description of an imported run, which has no specification.
//! * [`lock`]: the advisory lock that a worker holds during its life.
//! * [`log`]: the writer of `events.ndjson` (the worker's side); `scan` reads an existing log.
//! * [`staging`]: runs that a server is creating, possibly many at a time.
//! * [`start`]: the weights that a run starts from, where it does not start from random ones.
//! * [`tail`]: the reader that follows `events.ndjson` as it grows (the server's side).
//! * [`worker_log`]: the worker's own log, capped.
//!
//! Invariants: `spec.json` is complete before the directory gets its name; afterwards only the worker writes here, and
//! in an imported run nobody. The holder of the lock may remove the partial files of a dead worker.

pub mod imported;
pub mod lock;
pub mod log;
pub(crate) mod scan;
pub mod staging;
pub mod start;
pub mod tail;
pub mod worker_log;

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;
use vivarium_models::data::Library;
use vivarium_models::form;
use vivarium_models::inspect::film::Folder;
use vivarium_models::links;
use vivarium_models::spec::RunSpec;
use vivarium_models::train::remove_unfinished;

use crate::error::{Error, Result};
pub use crate::run_id::RunId;
use lock::Lock;
use start::StartWeights;

/// The directory of one run.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// The directory at `path`, which need not exist yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The directory of run `id` in the folder of all runs.
    pub fn of(runs: &Path, id: RunId) -> Self {
        Self::at(runs.join(id.to_string()))
    }

    /// Creates a run whose lock the caller holds from the beginning, so that a server watching the folder sees a
    /// running run and not one to be started.
    pub fn create_locked(
        runs: &Path,
        spec: &RunSpec,
        start: Option<&StartWeights>,
    ) -> Result<(RunId, Self, Lock)> {
        links::refuse(runs)
            .and_then(|()| fs::create_dir_all(runs))
            .map_err(|e| Error::file(runs, e))?;
        let id = RunId::next();
        let fresh = Self::at(runs.join(format!(".new-{id}")));
        let made = fresh.fill(spec, start).and_then(|lock| {
            let dir = Self::of(runs, id);
            fs::rename(&fresh.path, &dir.path).map_err(|e| Error::file(&dir.path, e))?;
            sync_folder(runs)?;
            Ok((id, dir, lock))
        });
        if made.is_err() {
            // An incomplete run must not take up the space that was missing.
            let _ = fs::remove_dir_all(&fresh.path);
        }
        made
    }

    fn fill(&self, spec: &RunSpec, start: Option<&StartWeights>) -> Result<Lock> {
        let checkpoints = self.checkpoints();
        fs::create_dir_all(&checkpoints).map_err(|e| Error::file(&checkpoints, e))?;
        let lock = Lock::take(&self.lock_file())?;
        if let Some(start) = start {
            start.place(self, spec, &mut HashMap::new())?;
        }
        self.write_spec(spec)?;
        Ok(lock)
    }

    /// Writes the text of the network, then the specification.
    fn write_spec(&self, spec: &RunSpec) -> Result<()> {
        if let Some(source) = &spec.network.source {
            write_new(&self.network_file(), source.as_bytes())?;
        }
        let path = self.spec_file();
        let json = serde_json::to_vec_pretty(spec).map_err(|e| Error::file(&path, e.into()))?;
        write_new(&path, &json)
    }

    /// Reads the specification for training; it is checked again, because files can be edited and data sets removed.
    pub fn spec(&self, library: &Library) -> Result<RunSpec> {
        form::check(&self.document()?, library).map_err(Error::Spec)
    }

    /// Reads the specification for display, even if its data set is gone.
    pub fn recorded_spec(&self, library: &Library) -> Result<RunSpec> {
        let document = self.document()?;
        match serde_json::from_value(document.clone()) {
            Ok(spec) => Ok(spec),
            // Written by hand, so incomplete.
            Err(_) => form::check(&document, library).map_err(Error::Spec),
        }
    }

    /// The specification with the text of the network.
    fn document(&self) -> Result<Value> {
        self.has_more_than_curves()?;
        let path = self.spec_file();
        let bytes = links::read(&path).map_err(|e| Error::file(&path, e))?;
        let mut document: Value =
            serde_json::from_slice(&bytes).map_err(|e| Error::file(&path, e.into()))?;
        let network = document.get_mut("network").and_then(Value::as_object_mut);
        if let Some(network) = network
            && let Some(source) = self.network_source()?
        {
            network.insert("source".to_owned(), Value::from(source));
        }
        Ok(document)
    }

    /// The text of the run's network, unless it is built in.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn network_source(&self) -> Result<Option<String>> {
        let path = self.network_file();
        let failed = |e| Error::file(&path, e);
        match links::read(&path) {
            Ok(bytes) => String::from_utf8(bytes)
                .map(Some)
                .map_err(|e| failed(io::Error::new(io::ErrorKind::InvalidData, e))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Refuses a directory that is a link or contains one: it is not read, and nothing is written through it.
    ///
    /// # Errors
    /// [`Error::File`] names what is refused.
    pub fn refuse_links(&self) -> Result<()> {
        for folder in [self.path.clone(), self.checkpoints(), self.film()] {
            let entries = links::refuse(&folder).and_then(|()| fs::read_dir(&folder));
            let entries = match entries {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::file(folder, error)),
            };
            for path in entries.flatten().map(|entry| entry.path()) {
                links::refuse(&path).map_err(|e| Error::file(&path, e))?;
            }
        }
        Ok(())
    }

    /// Removes the partial files of a dead worker, such as half a checkpoint, unless a worker is running. Returns the
    /// number of checkpoint files.
    pub fn remove_unfinished(&self) -> Result<usize> {
        let Some(_alone) = lock::hold(&self.lock_file())? else {
            return Ok(0);
        };
        Folder::at(self.film()).sweep();
        Ok(remove_unfinished(&self.checkpoints())?)
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `events.ndjson`: the events, one JSON object per line.
    pub fn events_file(&self) -> PathBuf {
        self.path.join("events.ndjson")
    }

    /// `checkpoints/`: weights and state.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// The weights that training starts from, where they are not random.
    pub fn start(&self) -> PathBuf {
        self.checkpoints().join("start.safetensors")
    }

    /// `start.json`: where these weights come from, in a run with `training.transfer`.
    pub fn start_record(&self) -> PathBuf {
        self.path.join("start.json")
    }

    /// `film/`: a small file per epoch.
    pub fn film(&self) -> PathBuf {
        self.path.join("film")
    }

    /// `worker.log`: the worker's messages.
    pub fn worker_log(&self) -> PathBuf {
        self.path.join("worker.log")
    }

    /// `lock`: held by the worker.
    pub fn lock_file(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// `job.json`: the job of the run, where a scheduler has one.
    pub fn job_file(&self) -> PathBuf {
        self.path.join("job.json")
    }

    /// `network.py`: the text of the network, unless it is built in.
    pub fn network_file(&self) -> PathBuf {
        self.path.join("network.py")
    }

    /// `network.json`: the graph, from the first start on.
    pub fn graph_file(&self) -> PathBuf {
        self.path.join("network.json")
    }

    /// `spec.json`: the specification.
    pub fn spec_file(&self) -> PathBuf {
        self.path.join("spec.json")
    }
}

/// All runs in the folder, oldest first; none if the folder does not exist.
pub fn list(runs: &Path) -> Result<Vec<RunId>> {
    let entries = match fs::read_dir(runs) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::file(runs, error)),
    };
    let mut ids: Vec<RunId> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Writes a file that is complete on disk when this returns.
fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = fs::File::create_new(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|e| Error::file(path, e))
}

/// Makes a rename inside `folder` survive a power cut.
fn sync_folder(folder: &Path) -> Result<()> {
    fs::File::open(folder)
        .and_then(|f| f.sync_all())
        .map_err(|e| Error::file(folder, e))
}
