//! Versions of a set's labels: what was corrected since the set was imported.
//!
//! | file | content |
//! |---|---|
//! | `versions/NAME.json` | a version: [`Version`] |
//! | `versions/current` | the name of the version that new runs take; without it, the labels are as they were imported |
//! | `versions/reviewed.json` | the samples that somebody looked at and left as they are |
//!
//! Images and the labels that were imported never change. A version's name is the hash of its labels, so the same
//! corrections give the same version, in whatever order they were made. Which samples a split has does not depend on the
//! version, except that excluded samples are in none: runs on two versions are tested on the same images.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::fault::count;
use super::stored::StoredDataSet;
use crate::error::{Error, Result};
use crate::links;
use crate::spec::{Choice, DataSpec, Field, FieldKind, Topic};

/// The name of the labels that were imported.
pub const IMPORTED: &str = "imported";

/// The setting that names a version.
pub(super) const PATH: &str = "data.version";

const FOLDER: &str = "versions";
const CURRENT: &str = "current";
const REVIEWED: &str = "reviewed.json";

/// The prefix of files that are being written.
const INCOMING: &str = ".incoming-";

/// Hexadecimal digits of a version's name.
const NAME_LENGTH: usize = 12;

/// What is hashed as the class of a sample that is excluded.
const EXCLUDED: u16 = u16::MAX;

/// The samples whose labels differ from the imported ones: their class, or `None` where they are excluded.
pub type Corrections = BTreeMap<u32, Option<u32>>;

/// A version, as its file has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Version {
    /// When it was made first, in RFC 3339.
    created: String,
    corrections: Vec<Correction>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Correction {
    sample: u32,
    class: Option<u32>,
}

/// What a version changes, in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionSummary {
    /// Its name.
    pub name: String,
    /// When it was made first, in RFC 3339; `None` for the labels that were imported.
    pub created: Option<String>,
    /// Samples of another class than they were imported with.
    pub relabelled: usize,
    /// Samples that are in no split.
    pub excluded: usize,
}

/// The labels of a set, and what became of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// The class of each sample, as it was imported.
    pub imported: Vec<u32>,
    /// The name of the version.
    pub version: String,
    /// What the version changes.
    pub corrections: Corrections,
    /// Samples that somebody looked at and left as they are.
    pub reviewed: BTreeSet<u32>,
}

impl Labels {
    /// The class of a sample; `None` where it is excluded or there is no such sample.
    pub fn class(&self, sample: u32) -> Option<u32> {
        let imported = || self.imported.get(sample as usize).copied();
        match self.corrections.get(&sample) {
            Some(corrected) => *corrected,
            None => imported(),
        }
    }
}

/// A change of a sample's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelChange {
    /// Gives it a class.
    Relabel {
        /// The sample.
        sample: u32,
        /// Its class.
        class: u32,
    },
    /// Takes it out of all splits.
    Exclude {
        /// The sample.
        sample: u32,
    },
    /// Gives it back the class with which it was imported.
    Restore {
        /// The sample.
        sample: u32,
    },
    /// Leaves it as it is, and notes that somebody looked.
    Keep {
        /// The sample.
        sample: u32,
    },
}

impl LabelChange {
    fn sample(self) -> u32 {
        match self {
            Self::Relabel { sample, .. }
            | Self::Exclude { sample }
            | Self::Restore { sample }
            | Self::Keep { sample } => sample,
        }
    }
}

/// The version that a run's settings name; earlier runs and sets of this program have the labels as imported.
pub(super) fn named(spec: &DataSpec) -> &str {
    let version = spec.options.get("version").and_then(|name| name.as_str());
    version.unwrap_or(IMPORTED)
}

/// The labels with their corrections. Excluded samples keep the label that was imported.
pub(super) fn corrected(mut labels: Vec<u32>, corrections: &Corrections) -> Vec<u32> {
    for (sample, class) in corrections {
        if let (Some(label), Some(class)) = (labels.get_mut(*sample as usize), class) {
            *label = *class;
        }
    }
    labels
}

impl StoredDataSet {
    /// What a version changes.
    ///
    /// # Errors
    /// [`Error::Setting`] for `data.version` when the set has no such version.
    pub(super) fn corrections(&self, version: &str) -> Result<Corrections> {
        if version == IMPORTED {
            return Ok(Corrections::new());
        }
        let path = self.version_file(version);
        let read = path.map_or_else(|| Err(io::ErrorKind::NotFound.into()), |path| read(&path));
        let version: Version = match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let message = format!(
                    "{version:?} is not a version of this set's labels; the page of its labels lists them"
                );
                return Err(Error::setting(PATH, message));
            }
            read => read.map_err(|e| Error::file(self.folder.join(FOLDER), e))?,
        };
        let (images, classes) = (self.metadata.images, self.metadata.classes.len());
        let is_sound = |correction: &&Correction| {
            let class = correction.class.unwrap_or_default();
            (correction.sample as usize) < images && (class as usize) < classes
        };
        let corrections = version.corrections.iter().filter(is_sound);
        Ok(corrections
            .map(|Correction { sample, class }| (*sample, *class))
            .collect())
    }

    /// The version that new runs take.
    pub(super) fn current_version(&self) -> String {
        let name = links::read(&self.folder.join(FOLDER).join(CURRENT));
        let name = name.ok().and_then(|name| String::from_utf8(name).ok());
        let name = name.filter(|name| self.version_file(name).is_some_and(|file| file.is_file()));
        name.unwrap_or_else(|| IMPORTED.to_owned())
    }

    /// All versions: the imported labels, then the newest first.
    pub(super) fn versions(&self) -> Vec<VersionSummary> {
        let entries = fs::read_dir(self.folder.join(FOLDER));
        let paths = entries.into_iter().flatten().flatten();
        let mut versions: Vec<VersionSummary> = paths
            .filter_map(|entry| {
                let path = entry.path();
                let name = path.file_stem()?.to_str()?.to_owned();
                self.version_file(&name).filter(|file| *file == path)?;
                let version: Version = read(&path).ok()?;
                let excluded = version.corrections.iter().filter(|c| c.class.is_none());
                let excluded = excluded.count();
                Some(VersionSummary {
                    name,
                    created: Some(version.created),
                    relabelled: version.corrections.len() - excluded,
                    excluded,
                })
            })
            .collect();
        versions.sort_by(|a, b| (&b.created, &b.name).cmp(&(&a.created, &a.name)));
        let imported = VersionSummary {
            name: IMPORTED.to_owned(),
            created: None,
            relabelled: 0,
            excluded: 0,
        };
        versions.insert(0, imported);
        versions
    }

    /// The field of a run's settings that names a version.
    pub(super) fn version_field(&self) -> Field {
        let option = |version: VersionSummary| Choice {
            label: Cow::Owned(words(&version)),
            value: Cow::Owned(version.name),
        };
        let options: Vec<Choice> = self.versions().into_iter().map(option).collect();
        Field::new(
            PATH,
            "Version of the labels",
            FieldKind::Choice {
                options: Cow::Owned(options),
            },
            "\"imported\"",
            "Which labels are learnt: those that were imported, or those of a correction. The split is the same for all.",
        )
        .under(Topic::Samples)
    }

    /// The labels of the current version.
    pub(super) fn current_labels(&self) -> Result<Labels> {
        let version = self.current_version();
        let reviewed = read::<BTreeSet<u32>>(&self.folder.join(FOLDER).join(REVIEWED));
        Ok(Labels {
            imported: self.labels()?,
            corrections: self.corrections(&version)?,
            reviewed: reviewed.unwrap_or_default(),
            version,
        })
    }

    /// Changes labels, starting from a version, and makes the result the current one.
    pub(super) fn change_labels(&self, from: &str, changes: &[LabelChange]) -> Result<Labels> {
        let imported = self.labels()?;
        let mut corrections = self.corrections(from)?;
        let mut reviewed = self.current_labels()?.reviewed;
        for change in changes {
            let sample = change.sample();
            let Some(label) = imported.get(sample as usize) else {
                let message = format!(
                    "{sample} is not a sample of this set; they are counted from 0 to {}",
                    self.metadata.images.saturating_sub(1)
                );
                return Err(Error::setting("sample", message));
            };
            match *change {
                LabelChange::Relabel { class, .. } => {
                    if class as usize >= self.metadata.classes.len() {
                        let message = format!(
                            "{class} is not a class; they are counted from 0 to {}",
                            self.metadata.classes.len().saturating_sub(1)
                        );
                        return Err(Error::setting("class", message));
                    }
                    match class == *label {
                        true => corrections.remove(&sample),
                        false => corrections.insert(sample, Some(class)),
                    };
                    reviewed.remove(&sample);
                }
                LabelChange::Exclude { .. } => {
                    corrections.insert(sample, None);
                    reviewed.remove(&sample);
                }
                LabelChange::Restore { .. } => {
                    corrections.remove(&sample);
                    reviewed.remove(&sample);
                }
                LabelChange::Keep { .. } => {
                    reviewed.insert(sample);
                }
            }
        }
        let folder = self.folder.join(FOLDER);
        links::refuse(&folder).map_err(|e| Error::file(&folder, e))?;
        fs::create_dir_all(&folder).map_err(|e| Error::file(&folder, e))?;
        let name = self.version_name(&corrections);
        if let Some(path) = self.version_file(&name).filter(|path| !path.exists()) {
            let corrections = corrections.iter();
            write(
                &path,
                &Version {
                    created: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
                    corrections: corrections
                        .map(|(sample, class)| Correction {
                            sample: *sample,
                            class: *class,
                        })
                        .collect(),
                },
            )?;
        }
        write(&folder.join(REVIEWED), &reviewed)?;
        // Last: until then, the version before is the current one.
        replace(&folder.join(CURRENT), name.as_bytes())?;
        Ok(Labels {
            imported,
            version: name,
            corrections,
            reviewed,
        })
    }

    /// The name of the version with these corrections.
    fn version_name(&self, corrections: &Corrections) -> String {
        if corrections.is_empty() {
            return IMPORTED.to_owned();
        }
        let mut hash = Sha256::new();
        hash.update(&self.metadata.sha256);
        for (sample, class) in corrections {
            let class = class.map_or(EXCLUDED, |class| class as u16);
            hash.update(sample.to_le_bytes());
            hash.update(class.to_le_bytes());
        }
        let mut name = hex::encode(hash.finalize());
        name.truncate(NAME_LENGTH);
        name
    }

    /// The file of a version; `None` for a name that none has.
    fn version_file(&self, name: &str) -> Option<PathBuf> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_name = name.len() == NAME_LENGTH && name.bytes().all(is_digit);
        is_name.then(|| self.folder.join(FOLDER).join(format!("{name}.json")))
    }
}

/// Moves the versions of a set to another folder with the same images.
pub(super) fn carry(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from.join(FOLDER), to.join(FOLDER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        moved => moved,
    }
}

/// Removes what a process left in a set's folder that was killed while it changed labels.
pub(super) fn sweep(set: &Path) {
    for entry in fs::read_dir(set.join(FOLDER))
        .into_iter()
        .flatten()
        .flatten()
    {
        if entry.file_name().to_string_lossy().starts_with(INCOMING) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A version, for a list.
fn words(version: &VersionSummary) -> String {
    let Some(created) = &version.created else {
        return "As imported".to_owned();
    };
    let parts = [
        (version.relabelled, "relabelled"),
        (version.excluded, "excluded"),
    ];
    let parts = parts.iter().filter(|(samples, _)| *samples > 0);
    let parts: Vec<_> = parts
        .map(|(samples, what)| format!("{} {what}", count(*samples as u64)))
        .collect();
    let day = created.get(..10).unwrap_or(created);
    format!("{}: {}, {day}", version.name, parts.join(", "))
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> io::Result<T> {
    let text = links::read(path)?;
    Ok(serde_json::from_slice(&text)?)
}

fn write(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec(value).map_err(|e| Error::file(path, e.into()))?;
    replace(path, &text)
}

/// Replaces a file: after a power cut it has the old content or the new one.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    let replace = || -> io::Result<()> {
        let mut file = NamedTempFile::with_prefix_in(INCOMING, folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        fs::File::open(folder)?.sync_all()
    };
    replace().map_err(|e| Error::file(path, e))
}
