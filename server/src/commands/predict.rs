//! `predict`: classifies photos with a run's network, and prints a row of CSV for each.
//!
//! Photos are read a chunk at a time, so that any number of them needs the memory of one chunk.

mod photos;

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use signal_hook::consts::{SIGINT, SIGTERM};
use vivarium_models::classify::{Classifier, in_parallel};
use vivarium_models::ops::{set_threads, threads};

use super::{find_run, nobody_reads};
use crate::atomic_file::OutFile;
use crate::cli::{Checkpoint, Predict};
use crate::console::notice;
use crate::error::{Error, Result};
use crate::images;
use crate::inspect::target::InspectTarget;
use crate::predictions::{PhotoPrediction, csv_header};
use photos::Photos;

/// Photos whose rows are computed before they are written.
const CHUNK: usize = 64;

/// The largest file of a photo, in bytes.
const MOST_BYTES: u64 = 1 << 30;

pub(super) fn predict(args: &Predict) -> Result<()> {
    let (id, dir, _) = find_run(&args.run, &args.data)?;
    let target = InspectTarget::from_dir(id, dir)?;
    let snapshot = target.snapshot(args.checkpoint.map(Checkpoint::word))?;
    // The pool has all threads, each of which takes a photo: operations of several threads sum in another order, and the
    // rows would not be those of the server.
    set_threads(threads::available())?;
    set_threads(1)?;
    let classifier = target.classifier(snapshot.weights()?)?;
    if !classifier.has_probabilities() {
        notice("The network is a perceptron: its scores have an order and are no probabilities.");
    }
    let top = usize::from(args.top).min(classifier.classes().len());
    // Signals are heard first: one that ends the process at once leaves a begun file behind.
    let stopped = stop_flag()?;
    let mut rows = Rows::create(args.csv.as_deref())?;
    let begun = Instant::now();
    let (mut good, mut bad) = (0u64, 0u64);
    rows.write(&csv_header(top, classifier.has_probabilities()))?;
    let mut photos = Photos::new(&args.paths);
    loop {
        let chunk: Vec<_> = photos.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            break;
        }
        for row in classify(&classifier, &chunk, top)? {
            match &row.error {
                None => good += 1,
                Some(error) => {
                    bad += 1;
                    notice(format_args!("{}: {error}", row.path));
                    continue;
                }
            }
            if !rows.write(&row.csv())? {
                // Whoever reads has seen enough.
                return Ok(());
            }
        }
        if stopped.load(Ordering::Relaxed) {
            let what = match args.csv {
                Some(_) => "nothing was written",
                None => "the rows so far are complete",
            };
            return Err(Error::Usage(format!(
                "interrupted after {good} photos; {what}"
            )));
        }
    }
    if good + bad == 0 {
        return Err(Error::Usage(
            "there are no photos in these folders".to_owned(),
        ));
    }
    rows.finish()?;
    let seconds = begun.elapsed().as_secs_f64();
    let speed = (good as f64 / seconds.max(1e-3)).round();
    notice(format_args!(
        "{good} photos in {seconds:.1} s, {speed} a second"
    ));
    match bad {
        0 => Ok(()),
        bad => Err(Error::Usage(format!(
            "{bad} of {} files were left out",
            good + bad
        ))),
    }
}

/// A row for each photo of a chunk.
fn classify(
    classifier: &Classifier,
    chunk: &[photos::Found],
    top: usize,
) -> Result<Vec<PhotoPrediction>> {
    let rows = in_parallel(chunk, |found| {
        let result = match input(classifier, found) {
            Ok(input) => classifier.classify(&input, top)?,
            Err(fault) => Err(fault),
        };
        Ok(PhotoPrediction::new(found.name.clone(), result))
    });
    rows.into_iter().collect()
}

/// The input for a photo, or what is wrong with it.
fn input(classifier: &Classifier, found: &photos::Found) -> std::result::Result<Vec<f32>, String> {
    let path = found.result.as_ref().map_err(String::clone)?;
    let bytes = read(path).map_err(|error| error.to_string())?;
    classifier.read(&bytes, images::MOST_PIXELS)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let about = fs::metadata(path)?;
    if about.len() > MOST_BYTES {
        let message = format!("has more than {} MiB", MOST_BYTES >> 20);
        return Err(io::Error::other(message));
    }
    let mut bytes = Vec::with_capacity(about.len() as usize);
    File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A flag that the first interruption sets; the second one ends the process.
fn stop_flag() -> Result<Arc<AtomicBool>> {
    let stopped = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        let second = signal_hook::flag::register_conditional_default(signal, Arc::clone(&stopped));
        second
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stopped)))
            .map_err(|e| Error::system("cannot listen to signals", e))?;
    }
    Ok(stopped)
}

/// Where the rows go.
enum Rows {
    File(BufWriter<OutFile>, std::path::PathBuf),
    Output(BufWriter<io::Stdout>),
}

impl Rows {
    fn create(path: Option<&Path>) -> Result<Self> {
        Ok(match path {
            Some(path) => Self::File(BufWriter::new(OutFile::create(path)?), path.to_owned()),
            None => Self::Output(BufWriter::new(io::stdout())),
        })
    }

    /// Writes a line; `false` if nobody reads any more.
    fn write(&mut self, line: &str) -> Result<bool> {
        match self {
            Self::File(file, path) => {
                let written = file.write_all(line.as_bytes());
                written.map_err(|e| Error::file(&*path, e))?;
            }
            Self::Output(out) => match out.write_all(line.as_bytes()) {
                Err(error) if nobody_reads(&error) => return Ok(false),
                written => {
                    written.map_err(|e| Error::system("cannot write to standard output", e))?;
                }
            },
        }
        Ok(true)
    }

    fn finish(self) -> Result<()> {
        match self {
            Self::File(file, path) => {
                let file = file.into_inner();
                file.map_err(|e| Error::file(&path, e.into_error()))?
                    .finish()
            }
            Self::Output(mut out) => match out.flush() {
                Err(error) if !nobody_reads(&error) => {
                    Err(Error::system("cannot write to standard output", error))
                }
                _ => Ok(()),
            },
        }
    }
}
