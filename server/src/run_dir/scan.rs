//! Reads an existing log when a worker resumes the run.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::{Error, Result};

/// The contents of an event log, so that resuming does not repeat them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logged {
    /// `seq` of the last event, 0 when there is none.
    pub seq: u64,
    /// The last step written.
    pub step: u64,
    /// The last epoch with an `epoch` event.
    pub epoch: u64,
    /// The last epoch with a `boundary` event.
    pub boundary: Option<u64>,
    /// Whether there is a `test` event.
    pub test: bool,
    /// The environment in which the run began; `None` before its first step.
    pub began: Option<Began>,
}

/// The environment in which a run began, from its `started` event; earlier versions recorded less.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Began {
    /// Threads.
    pub threads: Option<usize>,
    /// Vector instructions.
    pub instructions: Option<String>,
    /// SHA-256 of the data.
    pub data_hash: Option<String>,
}

/// Reads an existing log: its contents, and the length of its complete lines.
pub(super) fn scan_log(path: &Path, file: &File) -> Result<(Logged, u64)> {
    #[derive(Deserialize)]
    struct Line {
        kind: String,
        seq: u64,
        first_step: Option<u64>,
        loss: Option<Losses>,
        epoch: Option<u64>,
        threads: Option<usize>,
        instructions: Option<String>,
        data_hash: Option<String>,
    }
    /// `loss` is a list in `steps` and a number in `test`.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Losses {
        Many(Vec<IgnoredAny>),
        One(IgnoredAny),
    }
    let mut logged = Logged::default();
    let mut len = 0;
    let mut bytes = Vec::new();
    let mut reader = BufReader::new(file);
    loop {
        bytes.clear();
        let read = reader
            .read_until(b'\n', &mut bytes)
            .map_err(|e| Error::file(path, e))?;
        if bytes.last() != Some(&b'\n') {
            return Ok((logged, len));
        }
        let number = logged.seq + 1;
        let line = serde_json::from_slice::<Line>(&bytes)
            .ok()
            .filter(|line| line.seq == number)
            .ok_or_else(|| Error::EventLog {
                path: path.to_owned(),
                line: number,
            })?;
        len += read as u64;
        logged.seq = number;
        match (line.kind.as_str(), line.epoch) {
            // Before its first step a run may begin again in another environment.
            ("started", _) if logged.step == 0 => {
                logged.began = Some(Began {
                    threads: line.threads,
                    instructions: line.instructions,
                    data_hash: line.data_hash,
                });
            }
            ("steps", _) => {
                let count = match line.loss {
                    Some(Losses::Many(list)) => list.len() as u64,
                    Some(Losses::One(IgnoredAny)) | None => 0,
                };
                logged.step = (line.first_step.unwrap_or(1) + count).saturating_sub(1);
            }
            ("epoch", Some(epoch)) => logged.epoch = epoch,
            ("boundary", epoch) => logged.boundary = epoch,
            ("test", _) => logged.test = true,
            _ => {}
        }
    }
}
