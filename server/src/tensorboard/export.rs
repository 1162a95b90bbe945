//! Exports runs as event files: one as a file, several as a zip or a folder with a folder for each.

use std::collections::HashSet;
use std::io::{self, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::write::{EventFile, RunInfo};

/// Yields the lines of a run's log in batches that fit into memory; an empty batch at the end.
pub type Lines<'a> = dyn FnMut(&RunInfo) -> io::Result<Vec<String>> + 'a;

/// The maximum length of a folder's name, in characters.
const LONGEST: usize = 100;

/// More compression hardly shrinks numbers that rarely repeat.
const FASTEST: i64 = 1;

/// Writes a run as an event file.
///
/// # Errors
/// Those of `out`, and of `lines`.
pub fn file(out: &mut impl Write, about: &RunInfo, lines: &mut Lines<'_>) -> io::Result<()> {
    let mut file = EventFile::begin(out, about)?;
    loop {
        let lines = lines(about)?;
        if lines.is_empty() {
            return Ok(());
        }
        for line in lines {
            file.line(&line)?;
        }
    }
}

/// Streams runs as a zip with a folder for each.
///
/// # Errors
/// Those of [`file()`].
pub fn zip(out: impl Write, runs: &[RunInfo], lines: &mut Lines<'_>) -> io::Result<()> {
    let mut zip = ZipWriter::new_stream(out);
    // A run of millions of steps has more than four gigabytes before compression.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(FASTEST))
        .large_file(true);
    for (about, folder) in runs.iter().zip(folders(runs)) {
        zip.start_file(format!("{folder}/{}", about.file_name()), options)?;
        file(&mut zip, about, lines)?;
    }
    zip.finish()?;
    Ok(())
}

/// A folder name for each run, made from its name: TensorBoard names runs by their folders.
pub fn folders(runs: &[RunInfo]) -> Vec<String> {
    let mut taken = HashSet::new();
    runs.iter()
        .map(|about| {
            let plain = folder(&about.name);
            let numbered = (2..).map(|number| format!("{plain} ({number})"));
            let mut names = std::iter::once(plain.clone()).chain(numbered);
            // Some file systems are case-insensitive.
            names
                .find(|name| taken.insert(name.to_lowercase()))
                .unwrap_or(plain)
        })
        .collect()
}

/// A name that every file system accepts.
fn folder(name: &str) -> String {
    let safe = name.chars().take(LONGEST).map(|sign| match sign {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '-',
        sign if sign.is_control() => '-',
        sign => sign,
    });
    let safe: String = safe.collect();
    match safe.trim_matches(['.', ' ']) {
        "" => "run".to_owned(),
        safe => safe.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_dir::RunId;

    #[test]
    fn folders_are_named_as_runs_are_and_none_is_there_twice() {
        let runs: Vec<_> = [
            "mlp, lr 0.1",
            "MLP, lr 0.1",
            "../../etc",
            "a/b",
            "..",
            "",
            "mlp, lr 0.1",
        ]
        .map(|name| RunInfo::of(RunId::next(), name.into(), serde_json::Value::Null))
        .into();
        let expected = [
            "mlp, lr 0.1",
            "MLP, lr 0.1 (2)",
            "-..-etc",
            "a-b",
            "run",
            "run (2)",
            "mlp, lr 0.1 (3)",
        ];
        assert_eq!(folders(&runs), expected);
    }
}
