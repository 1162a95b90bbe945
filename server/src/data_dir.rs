//! The data folder: all files of a user.

use std::fs;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use vivarium_models::data::Library;

use crate::error::{Error, Result};
use crate::run_dir::lock::Lock;

/// The folder of data sets.
const DATA_SETS: &str = "datasets";

/// The folder of uploaded images.
const IMAGES: &str = "images";

/// The folder of pinned images: the image that a run's film follows, where a user chose one.
const PINS: &str = "pins";

/// The folder of weights that came with networks.
const WEIGHTS: &str = "weights";

/// The environment variable that names the data folder.
pub const VARIABLE: &str = "VIVARIUM_DATA_DIR";

/// The data sets for the run in a directory: those beside the folder that contains it, or those of the folder that the
/// environment names.
pub fn library_of_run(run: &Path) -> Library {
    let own = run
        .canonicalize()
        .ok()
        .and_then(|run| Some(run.parent()?.parent()?.join(DATA_SETS)));
    let named = std::env::var_os(VARIABLE).map(|folder| Path::new(&folder).join(DATA_SETS));
    match (own, named) {
        (Some(own), Some(named)) if !own.is_dir() => Library::in_folder(named),
        (Some(folder), _) | (None, Some(folder)) => Library::in_folder(folder),
        (None, None) => Library::none(),
    }
}

/// The pinned image of the run in a directory, if a user chose one; it lies beside the folder that contains the run.
pub fn pin_of_run(run: &Path) -> Option<PathBuf> {
    let run = run.canonicalize().ok()?;
    let root = run.parent()?.parent()?;
    let name = format!("{}.png", run.file_name()?.to_str()?);
    Some(root.join(PINS).join(name))
}

/// A file of weights that networks' texts name, for the run in a directory; it lies beside the folder that contains the
/// run.
pub fn weights_of_run(run: &Path, file: &str) -> Option<PathBuf> {
    let run = run.canonicalize().ok()?;
    Some(run.parent()?.parent()?.join(WEIGHTS).join(file))
}

/// As [`weights_of_run`], for the folder of all runs.
pub fn weights_beside(runs: &Path, file: &str) -> Option<PathBuf> {
    Some(runs.parent()?.join(WEIGHTS).join(file))
}

/// The data folder and the paths inside.
#[derive(Clone, Debug)]
pub struct DataDir {
    root: PathBuf,
}

impl DataDir {
    /// The folder at `path`, or the platform's folder for user data; created if it is missing.
    pub fn open(path: Option<PathBuf>) -> Result<Self> {
        let root = match path {
            Some(path) => path,
            None => ProjectDirs::from("", "", "vivarium")
                .map(|dirs| dirs.data_dir().to_owned())
                .ok_or_else(|| {
                    Error::Usage(
                        "There is no home folder to keep data in; name one with --data-dir.".into(),
                    )
                })?,
        };
        fs::create_dir_all(&root).map_err(|e| Error::file(&root, e))?;
        // Workers are given paths, which must not depend on where the server was started.
        let root = root.canonicalize().map_err(|e| Error::file(&root, e))?;
        Ok(Self { root })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// One folder for each run.
    pub fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// TensorBoard's files during an import. Earlier versions gave the folder this name.
    pub fn imports(&self) -> PathBuf {
        self.root.join("boards")
    }

    /// One file for each sweep.
    pub fn sweeps(&self) -> PathBuf {
        self.root.join("sweeps")
    }

    /// The texts of users' networks.
    pub fn networks(&self) -> PathBuf {
        self.root.join("networks")
    }

    /// Weights that came with networks.
    pub fn weights(&self) -> PathBuf {
        self.root.join(WEIGHTS)
    }

    /// One file for each report.
    pub fn reports(&self) -> PathBuf {
        self.root.join("reports")
    }

    /// One file for each selection of runs.
    pub fn selections(&self) -> PathBuf {
        self.root.join("selections")
    }

    /// Deleted runs that can be restored.
    pub fn trash(&self) -> PathBuf {
        self.root.join("trash")
    }

    /// What was submitted to Slurm.
    pub fn slurm(&self) -> PathBuf {
        self.root.join("slurm")
    }

    /// Disk space that is freed when the disk is full.
    pub fn reserve(&self) -> PathBuf {
        self.root.join("reserve")
    }

    /// The data sets that were downloaded, imported or uploaded.
    pub fn library(&self) -> Library {
        Library::in_folder(self.data_sets())
    }

    /// The folder of data sets.
    pub fn data_sets(&self) -> PathBuf {
        self.root.join(DATA_SETS)
    }

    /// Uploaded images.
    pub fn images(&self) -> PathBuf {
        self.root.join(IMAGES)
    }

    /// Evaluations of runs, which can be computed again.
    pub fn evaluations(&self) -> PathBuf {
        self.root.join("evaluations")
    }

    /// Pinned images.
    pub fn pins(&self) -> PathBuf {
        self.root.join(PINS)
    }

    /// Files of data sets during a download.
    pub fn fetching(&self) -> PathBuf {
        self.root.join("fetching")
    }

    /// The index.
    pub fn index(&self) -> PathBuf {
        self.root.join("index.sqlite3")
    }

    /// Locks the folder for a server.
    ///
    /// # Errors
    /// [`Error::DataDirInUse`] when another server holds the lock: both would start workers.
    pub fn take_for_server(&self) -> Result<Lock> {
        let path = self.root.join("server.lock");
        Lock::take(&path).map_err(|error| match error {
            Error::Locked { holder, .. } => Error::DataDirInUse {
                path: self.root.clone(),
                holder,
            },
            other => other,
        })
    }
}
