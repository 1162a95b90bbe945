//! The weights that a run with `training.transfer` starts from, placed in its directory, so that the run that they come
//! from may be deleted.
//!
//! They are `checkpoints/start.safetensors`, and `start.json` beside `spec.json` records where they come from.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use vivarium_models::links;
use vivarium_models::spec::{RunSpec, Transfer};

use super::{RunDir, write_new};
use crate::error::{Error, Result};

/// Weights to start from.
#[derive(Clone, Debug)]
pub struct StartWeights {
    /// The file.
    pub weights: PathBuf,
    /// The name of the run that they are of, or of the file that was imported.
    pub name: String,
    /// Whether the last layer is not taken from them in any case.
    pub fresh_head: bool,
}

/// Where the weights of a run come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartRecord {
    /// The id of the run, or `imported`.
    pub from: String,
    /// The name of that run, or the file of the imported weights.
    pub name: String,
    /// SHA-256 of the file of weights, in hexadecimal.
    pub sha256: String,
    /// Whether the last layer is not taken from them in any case.
    pub fresh_head: bool,
}

impl StartRecord {
    /// The record of a run; `None` for one that does not start from such weights.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(dir: &RunDir) -> Result<Option<Self>> {
        let path = dir.start_record();
        match links::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|e| Error::file(&path, e.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file(&path, error)),
        }
    }

    /// Where the weights come from, as a sentence.
    pub fn in_words(&self) -> String {
        let Self {
            from, name, sha256, ..
        } = self;
        let start = &sha256[..sha256.len().min(16)];
        match from.as_str() {
            Transfer::IMPORTED => {
                format!("It starts from the imported weights {name}, SHA-256 {start}….")
            }
            _ => format!("It starts from the weights of the run “{name}”, SHA-256 {start}…."),
        }
    }
}

impl StartWeights {
    /// Places the weights in the directory of a new run. `hashes` remembers those of files, for many runs.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub(super) fn place(
        &self,
        dir: &RunDir,
        spec: &RunSpec,
        hashes: &mut HashMap<PathBuf, String>,
    ) -> Result<()> {
        let transfer = spec.training.transfer.as_ref();
        links::refuse(&self.weights).map_err(|e| Error::file(&self.weights, e))?;
        let place = dir.start();
        // Checkpoints are replaced and never changed, so another name for the file is as good as a copy.
        fs::hard_link(&self.weights, &place)
            .or_else(|_| {
                fs::copy(&self.weights, &place)?;
                File::open(&place)?.sync_all()
            })
            .map_err(|e| Error::file(&self.weights, e))?;
        let sha256 = match hashes.get(&self.weights) {
            Some(known) => known.clone(),
            None => {
                let sha256 = sha256(&place)?;
                hashes.insert(self.weights.clone(), sha256.clone());
                sha256
            }
        };
        let record = StartRecord {
            from: transfer.map_or_else(String::new, |transfer| transfer.from.clone()),
            name: self.name.clone(),
            sha256,
            fresh_head: self.fresh_head,
        };
        let path = dir.start_record();
        let json = serde_json::to_vec_pretty(&record).map_err(|e| Error::file(&path, e.into()))?;
        write_new(&path, &json)
    }
}

fn sha256(path: &Path) -> Result<String> {
    let mut hasher = Sha256::new();
    let failed = |e| Error::file(path, e);
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path).map_err(failed)?);
    loop {
        let part = reader.fill_buf().map_err(failed)?;
        if part.is_empty() {
            break;
        }
        hasher.update(part);
        let len = part.len();
        reader.consume(len);
    }
    Ok(hex::encode(hasher.finalize()))
}
