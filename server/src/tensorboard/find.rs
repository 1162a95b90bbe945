//! Groups the event files of a folder by run.
//!
//! As in TensorBoard, a folder with event files is a run, named by its path. But subfolders that are part of a run are
//! recognised: `train` and `validation` of Keras, those that PyTorch creates for `add_scalars`, and the one, named by a
//! time, of its `add_hparams`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use vivarium_models::data::Fault;

use super::{refused, tags};
use crate::error::{Error, Result};

/// The maximum depth of folders.
const DEEPEST: usize = 32;

/// The maximum number of files.
const MOST_FILES: usize = 10_000;

/// The mark in the names of event files that TensorBoard looks for, too.
pub const MARK: &str = "tfevents";

/// The event files of a run.
#[derive(Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its folder below the searched one, joined by `/`; empty for the searched folder itself.
    pub name: String,
    /// In the order in which they take effect.
    pub files: Vec<LogFile>,
}

/// The result of a search.
#[derive(Debug, Default)]
pub struct Found {
    /// The runs.
    pub runs: Vec<Logged>,
    /// Files and folders that were left out, and why.
    pub skipped: Vec<Fault>,
}

/// An event file.
#[derive(Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Its path.
    pub path: PathBuf,
    /// Its path below the searched folder.
    pub name: String,
    /// The prefix of its tags: the subfolder that is part of the run, usually empty.
    pub prefix: String,
}

/// Finds the runs in a folder by files that are named like event files, or the run of a single file.
///
/// # Errors
/// When there is nothing, no event file, or far too much.
pub fn find(path: &Path) -> Result<Found> {
    let about = fs::metadata(path).map_err(|e| Error::file(path, e))?;
    if about.is_file() {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let run = Logged {
            name: String::new(),
            files: vec![LogFile {
                path: path.to_owned(),
                name,
                prefix: String::new(),
            }],
        };
        return Ok(Found {
            runs: vec![run],
            skipped: Vec::new(),
        });
    }
    let found = walk(path, &|name| name.contains(MARK))?;
    if found.runs.is_empty() && found.skipped.is_empty() {
        let message = format!("holds no event files, which have “{MARK}” in their names");
        return Err(refused(path.display().to_string(), message));
    }
    Ok(found)
}

/// Finds the runs in a folder whose files are all taken for event files.
///
/// # Errors
/// When there is far too much.
pub fn find_all(folder: &Path) -> Result<Found> {
    walk(folder, &|_| true)
}

/// The folders of a file, and its path.
type Placed = (Vec<String>, PathBuf);

fn walk(folder: &Path, is_one: &dyn Fn(&str) -> bool) -> Result<Found> {
    let entries = fs::read_dir(folder).map_err(|e| Error::file(folder, e))?;
    let mut walk = Walk {
        root: folder,
        is_one,
        parts: Vec::new(),
        files: Vec::new(),
        skipped: Vec::new(),
    };
    walk.descend(entries)?;
    Ok(Found {
        runs: group(walk.files),
        skipped: walk.skipped,
    })
}

struct Walk<'a> {
    root: &'a Path,
    is_one: &'a dyn Fn(&str) -> bool,
    /// The folders leading to the current one.
    parts: Vec<String>,
    files: Vec<Placed>,
    skipped: Vec<Fault>,
}

impl Walk<'_> {
    fn descend(&mut self, entries: fs::ReadDir) -> Result<()> {
        let mut found = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => found.push(entry),
                Err(error) => self.skip(None, format!("cannot be read to its end: {error}")),
            }
        }
        found.sort_by_key(fs::DirEntry::file_name);
        for entry in found {
            let name = entry.file_name().to_string_lossy().into_owned();
            // Linked folders are not followed: they may form a circle.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if self.parts.len() == DEEPEST {
                    self.skip(Some(&name), "is nested too deeply".to_owned());
                    continue;
                }
                match fs::read_dir(entry.path()) {
                    Ok(entries) => {
                        self.parts.push(name);
                        self.descend(entries)?;
                        self.parts.pop();
                    }
                    Err(error) => self.skip(Some(&name), format!("cannot be read: {error}")),
                }
                continue;
            }
            if !(self.is_one)(&name) {
                continue;
            }
            match fs::metadata(entry.path()) {
                Ok(about) if about.is_file() => {}
                Ok(about) => {
                    let what = if about.is_dir() {
                        "a link to a folder"
                    } else {
                        "not a file"
                    };
                    self.skip(Some(&name), format!("is {what}"));
                    continue;
                }
                Err(error) => {
                    self.skip(Some(&name), format!("cannot be read: {error}"));
                    continue;
                }
            }
            if self.files.len() == MOST_FILES {
                let message =
                    format!("has more than {MOST_FILES} event files; import a folder in it");
                return Err(refused(self.root.display().to_string(), message));
            }
            self.files.push((self.parts.clone(), entry.path()));
        }
        Ok(())
    }

    /// Records a file of the current folder that is left out.
    fn skip(&mut self, name: Option<&str>, message: String) {
        let parts = self.parts.iter().map(String::as_str).chain(name);
        let file = parts.collect::<Vec<_>>().join("/");
        self.skipped.push(Fault { file, message });
    }
}

/// The names begin with times, so their order is that of time.
fn group(files: Vec<Placed>) -> Vec<Logged> {
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

/// Whether a folder is named as by PyTorch's `add_hparams`: seconds since 1970.
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
            .runs
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

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_looked_at_is_named_and_the_rest_is_found() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("a")).unwrap();
        fs::write(root.path().join("a/events.out.tfevents.1"), "").unwrap();
        let link = root.path().join("a/events.out.tfevents.2");
        std::os::unix::fs::symlink(root.path().join("nowhere"), link).unwrap();
        let found = find(root.path()).unwrap();
        assert_eq!(found.runs.len(), 1);
        let told = found.skipped[0].to_string();
        assert!(
            told.starts_with("a/events.out.tfevents.2: cannot be read"),
            "{told}"
        );
    }

    #[test]
    fn a_folder_without_event_files_is_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("notes.txt"), "").unwrap();
        let error = find(root.path()).unwrap_err().to_string();
        assert!(error.contains("holds no event files"), "{error}");
    }
}
