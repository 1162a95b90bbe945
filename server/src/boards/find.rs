//! Which event files of a folder belong to one run.
//!
//! As in TensorBoard a folder with event files is a run, named by its path. But a folder that is a
//! part of a run is taken for that: `train` and `validation` of Keras, those that PyTorch makes for
//! `add_scalars`, and the one, named by a time, that its `add_hparams` makes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{refused, tags};
use crate::error::{Error, Result};

/// Folders within folders that are looked into.
const DEEPEST: usize = 32;

/// Files that are looked at.
const MOST_FILES: usize = 10_000;

/// What every event file has in its name; TensorBoard looks for the same.
pub const MARK: &str = "tfevents";

/// The event files of a run.
#[derive(Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its folder below the one that was looked through, parts joined by `/`; empty for that itself.
    pub name: String,
    /// In the order in which they count.
    pub files: Vec<LogFile>,
}

/// An event file.
#[derive(Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its path below the folder that was looked through.
    pub name: String,
    /// What goes before its tags, and a slash: the folder that is a part of the run; mostly nothing.
    pub prefix: String,
}

/// Finds the runs in a folder, by the files that are called like event files, or the run that is one file.
///
/// # Errors
/// When there is nothing, no event file, or far too much.
pub fn find(path: &Path) -> Result<Vec<Logged>> {
    let about = fs::metadata(path).map_err(|e| Error::file(path, e))?;
    if about.is_file() {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        return Ok(vec![Logged {
            name: String::new(),
            files: vec![LogFile {
                path: path.to_owned(),
                name,
                prefix: String::new(),
            }],
        }]);
    }
    let files = walk(path, &|name| name.contains(MARK))?;
    if files.is_empty() {
        let message = format!("holds no event files, which have “{MARK}” in their names");
        return Err(refused(path.display().to_string(), message));
    }
    Ok(group(files))
}

/// Finds the runs in a folder in which every file is meant to be an event file.
///
/// # Errors
/// When there is far too much.
pub fn find_all(folder: &Path) -> Result<Vec<Logged>> {
    Ok(group(walk(folder, &|_| true)?))
}

/// A file, and the names of the folders in which it lies.
type Found = (Vec<String>, PathBuf);

fn walk(folder: &Path, is_one: &dyn Fn(&str) -> bool) -> Result<Vec<Found>> {
    let mut files = Vec::new();
    descend(folder, is_one, &mut Vec::new(), &mut files)?;
    Ok(files)
}

fn descend(
    folder: &Path,
    is_one: &dyn Fn(&str) -> bool,
    parts: &mut Vec<String>,
    files: &mut Vec<Found>,
) -> Result<()> {
    let failed = |e| Error::file(folder, e);
    let mut entries = fs::read_dir(folder)
        .map_err(failed)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Folders that are links are not followed: they may lead in a circle.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if parts.len() < DEEPEST {
                parts.push(name);
                descend(&entry.path(), is_one, parts, files)?;
                parts.pop();
            }
        } else if is_one(&name) && entry.path().is_file() {
            if files.len() == MOST_FILES {
                let message =
                    format!("has more than {MOST_FILES} event files; import a folder in it");
                return Err(refused(folder.display().to_string(), message));
            }
            files.push((parts.clone(), entry.path()));
        }
    }
    Ok(())
}

/// Files in the order of their names are in the order of their times, which the names begin with.
fn group(files: Vec<Found>) -> Vec<Logged> {
    let folders: std::collections::HashSet<Vec<String>> =
        files.iter().map(|(parts, _)| parts.clone()).collect();
    let mut runs: BTreeMap<String, Vec<LogFile>> = BTreeMap::new();
    for (parts, path) in files {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let name = parts
            .iter()
            .map(String::as_str)
            .chain([&*file])
            .collect::<Vec<_>>()
            .join("/");
        let (run, prefix) = match parts.split_last() {
            Some((last, run)) if tags::is_part(last) => (run, format!("{last}/")),
            Some((last, run)) if is_time(last) && folders.contains(run) => {
                (run, format!("{last}/"))
            }
            _ => (&parts[..], String::new()),
        };
        runs.entry(run.join("/"))
            .or_default()
            .push(LogFile { path, name, prefix });
    }
    runs.into_iter()
        .map(|(name, files)| Logged { name, files })
        .collect()
}

/// Whether a folder is named as PyTorch names that of `add_hparams`: seconds since 1970.
fn is_time(folder: &str) -> bool {
    folder.contains('.') && folder.parse::<f64>().is_ok_and(|time| time > 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(paths: &[&str]) -> Vec<(String, Vec<String>)> {
        let root = tempfile::tempdir().unwrap();
        for path in paths {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = find(root.path()).unwrap();
        found
            .into_iter()
            .map(|run| {
                (
                    run.name,
                    run.files
                        .into_iter()
                        .map(|file| format!("{}:{}", file.prefix, file.name))
                        .collect(),
                )
            })
            .collect()
    }

    #[test]
    fn a_folder_is_a_run_and_a_split_is_a_part_of_one() {
        let found = runs(&[
            "a/events.out.tfevents.2.host",
            "a/events.out.tfevents.1.host",
            "a/model.pt",
            "keras/train/events.out.tfevents.1.v2",
            "keras/validation/events.out.tfevents.2.v2",
            "b/events.out.tfevents.1",
            "b/1700000000.5/events.out.tfevents.2",
            "1700000000.5/events.out.tfevents.3",
        ]);
        let expected: [(&str, &[&str]); 4] = [
            ("1700000000.5", &[":1700000000.5/events.out.tfevents.3"]),
            (
                "a",
                &[
                    ":a/events.out.tfevents.1.host",
                    ":a/events.out.tfevents.2.host",
                ],
            ),
            (
                "b",
                &[
                    "1700000000.5/:b/1700000000.5/events.out.tfevents.2",
                    ":b/events.out.tfevents.1",
                ],
            ),
            (
                "keras",
                &[
                    "train/:keras/train/events.out.tfevents.1.v2",
                    "validation/:keras/validation/events.out.tfevents.2.v2",
                ],
            ),
        ];
        assert_eq!(found.len(), expected.len());
        for ((name, files), (run, of)) in found.iter().zip(expected) {
            assert_eq!(
                (
                    name.as_str(),
                    files.iter().map(String::as_str).collect::<Vec<_>>()
                ),
                (run, of.to_vec())
            );
        }
    }

    #[test]
    fn splits_at_the_top_are_one_run_without_a_name() {
        let found = runs(&[
            "train/events.out.tfevents.1",
            "validation/events.out.tfevents.1",
        ]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "");
    }

    #[test]
    fn a_folder_without_event_files_is_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("notes.txt"), "").unwrap();
        let error = find(root.path()).unwrap_err().to_string();
        assert!(error.contains("holds no event files"), "{error}");
    }
}
