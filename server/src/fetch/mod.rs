//! Brings known data sets from the web: addresses and checksums stand in this program, so nobody who may give an
//! address can make it ask for anything else.
//!
//! * [`sources`]: where the sets are, and what their files must be.
//! * `download`: one file over HTTP, which may break off and go on.

mod download;
pub mod sources;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use vivarium_models::data::{self, Library, Limits, Report, row};

use crate::error::{Error, Result};
use crate::run_dir::lock::Lock;
use sources::{SOURCES, Source};

/// The variable that names a mirror.
pub const VARIABLE: &str = "VIVARIUM_MIRROR";

/// How long a server may send nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// Fetches a known set into the library.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// Where the set goes.
    pub library: Library,
    /// Where files lie while they come. They stay when a fetch breaks off, and the next one goes on with them.
    pub folder: PathBuf,
    /// Asked before all others: files are looked for at `MIRROR/SET/FILE`, then at `MIRROR/FILE`.
    pub mirror: Option<String>,
    /// Whether a set that is here is replaced.
    pub replace: bool,
}

/// How far a fetch is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The file that comes.
    pub file: &'static str,
    /// Bytes of all files that are here.
    pub done: u64,
    /// Bytes of all files.
    pub of: u64,
}

impl Fetch {
    /// Fetches a set. `told` hears how far it is, and says whether to go on.
    ///
    /// # Errors
    /// When the set is not known, is here already, or no address has its files.
    pub fn run(&self, set: &str, told: &mut dyn FnMut(Progress) -> bool) -> Result<Report> {
        let source = source(set)?;
        self.library.may_be_named(set, self.replace)?;
        let folder = self.folder.join(source.set);
        fs::create_dir_all(&folder).map_err(|e| Error::file(&folder, e))?;
        // Two fetches into one file would be one too many.
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
        // One file is an archive, several are a folder of files.
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
            &Limits::default(),
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
                "{set} cannot be fetched; what can is {}",
                names.join(", ")
            ))
        })
}
