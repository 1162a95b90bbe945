//! Reads an existing log when a worker resumes the run.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use vivarium_models::contract::{Event, Record};

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
        let record = std::str::from_utf8(&bytes).ok();
        let record = record
            .and_then(|text| Record::parse(text).ok())
            .filter(|record| record.seq == number)
            .ok_or_else(|| Error::EventLog {
                path: path.to_owned(),
                line: number,
            })?;
        len += read as u64;
        logged.seq = number;
        match record.event {
            // Before its first step a run may begin again in another environment.
            Event::Started(started) if logged.step == 0 => {
                let known = |text: String| Some(text).filter(|text| !text.is_empty());
                logged.began = Some(Began {
                    threads: Some(started.threads).filter(|&threads| threads > 0),
                    instructions: known(started.instructions),
                    data_hash: known(started.data_hash),
                });
            }
            Event::Steps(steps) => logged.step = steps.last_step(),
            Event::Epoch(end) => logged.epoch = end.epoch,
            Event::Boundary(boundary) => logged.boundary = Some(boundary.epoch),
            Event::Test(_) => logged.test = true,
            _ => {}
        }
    }
}
