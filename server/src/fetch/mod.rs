//! Downloads known data sets. URLs and checksums are constants of this program, so a request can only name a set and
//! never a URL.
//!
//! * [`sources`]: where the sets are published, and their checksums.
//! * `download`: one file over HTTP, resumable.

mod download;
pub mod sources;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use vivarium_models::data::{self, ImportLimits, Library, Report, row};

use crate::error::{Error, Result};
use crate::run_dir::lock::Lock;
use sources::{SOURCES, Source};

/// The environment variable that names a mirror.
pub const VARIABLE: &str = "VIVARIUM_MIRROR";

/// How long a server may send nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// A download of a known set into the library.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// The library that receives the set.
    pub library: Library,
    /// The folder of partial files. They stay when a download is interrupted, and the next one resumes them.
    pub folder: PathBuf,
    /// Tried first: files are requested at `MIRROR/SET/FILE`, then at `MIRROR/FILE`.
    pub mirror: Option<String>,
    /// Whether an existing set is replaced.
    pub replace: bool,
}

/// The progress of a download.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The current file.
    pub file: &'static str,
    /// Bytes received of all files.
    pub done: u64,
    /// Bytes of all files.
    pub of: u64,
}

impl Fetch {
    /// Downloads a set. `told` receives the progress and returns whether to continue.
    ///
    /// # Errors
    /// When the set is unknown or exists already, or no address has its files.
    pub fn run(&self, set: &str, told: &mut dyn FnMut(Progress) -> bool) -> Result<Report> {
        let source = source(set)?;
        self.library.check_name(set, self.replace)?;
        let folder = self.folder.join(source.set);
        fs::create_dir_all(&folder).map_err(|e| Error::file(&folder, e))?;
        // Two downloads must not write to the same files.
        let _only = Lock::take(&folder.join("lock"))?;
        let agent = download::agent(PATIENCE);
        let of: u64 = source.files.iter().map(|file| file.bytes).sum();
        let mut before = 0;
        let mut last = PathBuf::new();
        for file in source.files {
            let addresses = self.addresses(source, file.name);
            let mut hear = |done: u64, _| {
                told(Progress {
                    file: file.name,
                    done: before + done.min(file.bytes),
                    of,
                })
            };
            last = download::fetch(&agent, &addresses, file, &folder, &mut hear)?;
            before += file.bytes;
        }
        // A single file is an archive, several are a folder of files.
        let path = if source.files.len() == 1 {
            &last
        } else {
            &folder
        };
        let title = row(set).map_or(set, |row| row.title);
        let import = data::import(
            &self.library,
            set,
            title,
            path,
            &ImportLimits::default(),
            &|_, _| true,
        )?;
        self.library.publish(import.ready, set, self.replace)?;
        fs::remove_dir_all(&folder).map_err(|e| Error::file(&folder, e))?;
        Ok(import.report)
    }

    fn addresses(&self, source: &Source, file: &str) -> Vec<String> {
        let own = self
            .mirror
            .as_ref()
            .map(|mirror| mirror.trim_end_matches('/'));
        let own = own.map(|mirror| {
            [
                format!("{mirror}/{}/{file}", source.set),
                format!("{mirror}/{file}"),
            ]
        });
        let others = source
            .mirrors
            .iter()
            .map(|mirror| format!("{mirror}{file}"));
        own.into_iter().flatten().chain(others).collect()
    }
}

fn source(set: &str) -> Result<&'static Source> {
    SOURCES
        .iter()
        .find(|source| source.set == set)
        .ok_or_else(|| {
            let names: Vec<_> = SOURCES.iter().map(|source| source.set).collect();
            Error::Usage(format!(
                "{set} cannot be downloaded; these can: {}",
                names.join(", ")
            ))
        })
}
