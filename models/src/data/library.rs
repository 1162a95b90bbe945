//! The library: the folder of data sets, and the sets that can be fetched into it.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::fit;
use super::known::KnownDataSet;
use super::photos::{self, PhotoSetWriter, PhotosMetadata};
use super::scratch::{self, Scratch};
use super::stored::{DataSetMetadata, DataSetWriter, ReadyDataSet, StoredDataSet};
use super::table::{self, DATA_SETS, DataSetRow, Source, image_fields};
use super::versions::{self, LabelChange, Labels, VersionSummary};
use crate::error::{Error, Result};
use crate::spec::{self, Field};

/// The prefix of a set's folder while it is being replaced; the name follows.
const REPLACED: &str = ".replaced-";

/// The prefix of a set's folder while it is being removed; its name and a number follow.
const REMOVED: &str = ".removed-";

/// The data sets of the table, and those in a folder, each in a subfolder of its name.
#[derive(Clone, Debug)]
pub struct Library {
    folder: Option<PathBuf>,
    /// Photos of up to so many bytes, at the size of a run, are held in memory.
    pub(super) photo_memory: u64,
}

/// Photos are held in memory up to this size; larger sets are read from the disk, from which the system keeps in memory
/// what it has room for.
const PHOTO_MEMORY: u64 = 256 << 20;

/// A data set of the library.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = DataSetRow)]
pub struct DataSet {
    /// The name in a RunSpec.
    pub set: Cow<'static, str>,
    /// The name that users see.
    pub title: Cow<'static, str>,
    /// A description in one or two sentences.
    pub summary: Cow<'static, str>,
    /// Source and licence; empty if unknown.
    pub licence: &'static str,
    /// 2 for points, 3 for images.
    pub dimensions: usize,
    /// The default number of classes.
    pub classes: usize,
    /// Its options, as fields under `data.`.
    pub fields: Cow<'static, [Field]>,
    /// Defaults that differ from those of the fields, by path.
    pub defaults: Map<String, Value>,
    /// Whether it can be used.
    pub state: State,
    /// The metadata of a stored set.
    #[serde(rename = "about")]
    pub metadata: Option<DataSetMetadata>,
}

/// Whether a data set can be used.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = DataSetState)]
pub enum State {
    /// Part of this program.
    BuiltIn,
    /// In the library.
    Present,
    /// Known, but not in the library: it must be fetched or imported.
    Missing,
    /// In the library, but unreadable.
    Damaged {
        /// The fault.
        message: String,
    },
}

static OWN_FIELDS: &[Field] = &image_fields("32", "3");

/// Fields of sets that are kept as photos.
static PHOTO_FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
    [
        &image_fields("224", "3")[..1],
        &[fit::FIELD],
        &OWN_FIELDS[1..],
    ]
    .concat()
});

/// The fields of sets that are kept as photos.
pub(crate) fn photo_fields() -> &'static [Field] {
    &PHOTO_FIELDS
}

impl Library {
    /// A library without a folder, with the embedded data sets only.
    pub fn none() -> Self {
        Self {
            folder: None,
            photo_memory: PHOTO_MEMORY,
        }
    }

    /// The library in a folder, which may not exist yet.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: Some(folder.into()),
            ..Self::none()
        }
    }

    /// The same library, which holds sets of photos in memory only if they have at most so many bytes at the size of a
    /// run. The samples are the same either way.
    #[must_use]
    pub fn with_photo_memory(mut self, bytes: u64) -> Self {
        self.photo_memory = bytes;
        self
    }

    /// All data sets: those of the table in its order, then the others by name.
    pub fn sets(&self) -> Vec<DataSet> {
        let known = DATA_SETS.iter().map(|row| self.of_row(row));
        let own = self
            .names()
            .into_iter()
            .filter(|name| table::row(name).is_none());
        known
            .chain(own.filter_map(|name| self.own(&name)))
            .collect()
    }

    /// The data set of a name.
    pub fn find(&self, set: &str) -> Option<DataSet> {
        match table::row(set) {
            Some(row) => Some(self.of_row(row)),
            None => self.own(set),
        }
    }

    fn of_row(&self, row: &'static DataSetRow) -> DataSet {
        let (state, stored) = match row.source {
            Source::BuiltIn { .. } => (State::BuiltIn, None),
            Source::Known(_) => self.state(row.set).unwrap_or((State::Missing, None)),
        };
        let mut defaults = spec::literals(row.defaults);
        let fields = with_version(row.fields, stored.as_ref(), &mut defaults);
        DataSet {
            set: row.set.into(),
            title: row.title.into(),
            summary: row.summary.into(),
            licence: row.licence,
            dimensions: row.dimensions,
            classes: row.classes,
            fields,
            defaults,
            state,
            metadata: stored.map(|stored| stored.metadata),
        }
    }

    fn own(&self, set: &str) -> Option<DataSet> {
        let (state, stored) = self.state(set)?;
        let metadata = stored.as_ref().map(|stored| &stored.metadata);
        let mut defaults = Map::new();
        let mut summary = String::new();
        let photos = metadata.is_some_and(|metadata| metadata.photos.is_some());
        if let Some(metadata) = metadata {
            let colours = if metadata.channels == 1 {
                "grey"
            } else {
                "colour"
            };
            let side = metadata.side;
            let (images, sizes) = match &metadata.photos {
                None => ("images", format!("{side}x{side} {colours} pixels")),
                Some(PhotosMetadata { width, height, .. }) => (
                    "photos",
                    match (width, height) {
                        ([w, _, most_w], [h, _, most_h]) if w == most_w && h == most_h => {
                            format!("{w}x{h} {colours} pixels")
                        }
                        ([w, _, most_w], [h, _, most_h]) => {
                            format!(
                                "from {w}x{h} to {most_w}x{most_h} {colours} pixels, kept as they are"
                            )
                        }
                    },
                ),
            };
            summary = format!(
                "{} {images} of {} classes, {sizes}; from {}.",
                super::fault::count(metadata.images as u64),
                metadata.classes.len(),
                metadata.source,
            );
            let size = metadata.side.clamp(super::LEAST_SIDE, super::MOST_SIDE);
            defaults.insert("data.size".to_owned(), size.into());
            defaults.insert("data.channels".to_owned(), metadata.channels.into());
        }
        let own = if photos {
            &PHOTO_FIELDS[..]
        } else {
            OWN_FIELDS
        };
        let fields = with_version(own, stored.as_ref(), &mut defaults);
        Some(DataSet {
            title: metadata
                .map_or(set, |metadata| &metadata.title)
                .to_owned()
                .into(),
            set: set.to_owned().into(),
            summary: summary.into(),
            licence: "",
            dimensions: 3,
            classes: metadata.map_or(0, |metadata| metadata.classes.len()),
            fields,
            defaults,
            state,
            metadata: stored.map(|stored| stored.metadata),
        })
    }

    /// The stored set of a name; `None` if there is none.
    fn state(&self, set: &str) -> Option<(State, Option<StoredDataSet>)> {
        let folder = self.place(set).filter(|folder| folder.is_dir())?;
        Some(match StoredDataSet::open(&folder) {
            Ok(stored) => (State::Present, Some(stored)),
            Err(error) => {
                let message = error.to_string();
                (State::Damaged { message }, None)
            }
        })
    }

    fn names(&self) -> Vec<String> {
        let entries = self
            .folder
            .as_ref()
            .and_then(|folder| fs::read_dir(folder).ok());
        let names = entries
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<_> = names.filter(|name| is_name(name)).collect();
        names.sort_unstable();
        names
    }

    /// The folder of a set, whether it exists or not.
    fn place(&self, set: &str) -> Option<PathBuf> {
        let folder = self.folder.as_ref().filter(|_| is_name(set))?;
        Some(folder.join(set))
    }

    /// Opens a stored set.
    ///
    /// # Errors
    /// [`Error::Setting`] for `data.set` when it is not in the library; the message says how to get it.
    pub(super) fn open(&self, set: &str) -> Result<StoredDataSet> {
        match self.place(set).filter(|folder| folder.is_dir()) {
            Some(folder) => StoredDataSet::open(&folder),
            None => Err(Error::setting("data.set", self.missing(set))),
        }
    }

    /// The message for a known set that is not in the library, with the command that fetches it into this data folder.
    pub(crate) fn missing(&self, set: &str) -> String {
        if known(set).is_none() {
            return format!("there is no data set {set:?}; `vivarium data list` shows them");
        }
        let folder = self.folder.as_ref().and_then(|folder| folder.parent());
        let folder = folder.map_or(String::new(), |folder| {
            let path = folder.display().to_string();
            let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:~".contains(c);
            if path.chars().all(plain) {
                format!(" --data-dir {path}")
            } else {
                format!(" --data-dir '{}'", path.replace('\'', r"'\''"))
            }
        });
        format!(
            "is not on this machine yet; get it with `vivarium data fetch {set}{folder}`, or on the page /data"
        )
    }

    /// Reads a stored set completely and checks its hash.
    ///
    /// # Errors
    /// The fault.
    pub fn verify(&self, set: &str) -> Result<DataSetMetadata> {
        let stored = self.open(set)?;
        stored.verify()?;
        Ok(stored.metadata)
    }

    /// The labels of a stored set, in the version that new runs take.
    ///
    /// # Errors
    /// [`Error::Setting`] for `data.set` when it is not in the library; when it cannot be read.
    pub fn labels(&self, set: &str) -> Result<Labels> {
        self.open(set)?.current_labels()
    }

    /// The versions of a stored set's labels: those that were imported, then the newest first.
    ///
    /// # Errors
    /// [`Error::Setting`] for `data.set` when it is not in the library; when it cannot be read.
    pub fn label_versions(&self, set: &str) -> Result<Vec<VersionSummary>> {
        Ok(self.open(set)?.versions())
    }

    /// Changes labels of a stored set, starting from a version, or from the current one. The result is a version of its
    /// own, which new runs take. Calls for one set must not overlap.
    ///
    /// # Errors
    /// [`Error::Setting`] for what is not there: `data.set`, `data.version`, `sample`, `class`; when it cannot be read or
    /// written. The labels are then as before.
    pub fn change_labels(
        &self,
        set: &str,
        from: Option<&str>,
        changes: &[LabelChange],
    ) -> Result<Labels> {
        let stored = self.open(set)?;
        let current = stored.current_version();
        stored.change_labels(from.unwrap_or(&current), changes)
    }

    /// Starts writing a data set.
    pub(super) fn draft(&self) -> Result<DataSetWriter> {
        DataSetWriter::new(self.scratch()?)
    }

    /// Starts writing a set of photos.
    pub(super) fn photo_draft(&self) -> Result<PhotoSetWriter> {
        PhotoSetWriter::new(self.scratch()?)
    }

    /// A scratch folder beside the sets. It is removed when the value is dropped or, if this process dies before, by
    /// the next [`sweep`](Self::sweep).
    ///
    /// # Errors
    /// When the library has no folder, or it cannot be written.
    pub fn scratch(&self) -> Result<Scratch> {
        let folder = self
            .folder
            .as_ref()
            .ok_or_else(|| Error::setting("data.set", "there is no folder for data sets"))?;
        fs::create_dir_all(folder).map_err(|e| Error::file(folder, e))?;
        Scratch::new_in(folder).map_err(|e| Error::file(folder, e))
    }

    /// Publishes a data set under a name, atomically. An existing set of the name is replaced if `replace` is set; its
    /// labels' versions stay where the images are the same.
    ///
    /// # Errors
    /// [`Error::Setting`] for `data.set` when the name cannot be used or is taken.
    pub fn publish(&self, ready: ReadyDataSet, set: &str, replace: bool) -> Result<()> {
        self.name(&ready, set, replace)?;
        // It is published, so there is nothing to remove.
        ready.folder.keep();
        Ok(())
    }

    /// As [`publish`](Self::publish), for a set that can be retried under another name.
    ///
    /// # Errors
    /// As [`publish`](Self::publish); the set is then still `Some`.
    pub fn publish_from(&self, ready: &mut Option<ReadyDataSet>, set: &str) -> Result<()> {
        if let Some(it) = ready {
            self.name(it, set, false)?;
        }
        if let Some(it) = ready.take() {
            it.folder.keep();
        }
        Ok(())
    }

    fn name(&self, ready: &ReadyDataSet, set: &str, replace: bool) -> Result<()> {
        self.check_name(set, replace)?;
        let (Some(folder), Some(place)) = (&self.folder, self.place(set)) else {
            return Err(Error::setting("data.set", NAME));
        };
        let moved = folder.join(format!("{REPLACED}{set}"));
        let replaces = place.exists();
        // Corrections are of images: the same images keep them.
        let before = StoredDataSet::open(&place).ok();
        let is_same = before.is_some_and(|set| set.metadata.sha256 == ready.metadata.sha256);
        if replaces {
            fs::rename(&place, &moved).map_err(|e| Error::file(&place, e))?;
        }
        if let Err(error) = fs::rename(ready.folder.path(), &place) {
            if replaces {
                let _ = fs::rename(&moved, &place);
            }
            return Err(Error::file(&place, error));
        }
        if is_same {
            versions::carry(&moved, &place).map_err(|e| Error::file(&place, e))?;
        }
        if replaces {
            let _ = fs::remove_dir_all(&moved);
        }
        sync(folder)
    }

    /// Checks a name for a new set.
    ///
    /// # Errors
    /// [`Error::Setting`] for `data.set` when the name is not allowed.
    pub fn check_name(&self, set: &str, replace: bool) -> Result<()> {
        let refuse = |message: &str| Err(Error::setting("data.set", message));
        match self.place(set) {
            None => refuse(NAME),
            Some(_) if table::row(set).is_some_and(DataSetRow::is_built_in) => {
                refuse("is the name of a data set of this program")
            }
            Some(place) if place.exists() && !replace => refuse("is here already"),
            Some(_) => Ok(()),
        }
    }

    /// Removes a stored set.
    ///
    /// # Errors
    /// [`Error::Setting`] for `data.set` when it is not in the library.
    pub fn remove(&self, set: &str) -> Result<()> {
        let (Some(folder), Some(place)) =
            (&self.folder, self.place(set).filter(|place| place.exists()))
        else {
            return Err(Error::setting("data.set", "is not in the library"));
        };
        // The rename makes the removal atomic; it needs no new folder, for which a full disk has no space.
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let moved = folder.join(format!("{REMOVED}{set}-{}-{count}", std::process::id()));
        fs::rename(&place, &moved).map_err(|e| Error::file(&place, e))?;
        fs::remove_dir_all(&moved).map_err(|e| Error::file(&place, e))
    }

    /// Removes leftovers of processes that died, and restores a set whose replacement was not completed.
    pub fn sweep(&self) {
        let Some(folder) = &self.folder else {
            return;
        };
        scratch::sweep(folder);
        photos::sweep(folder);
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let replaced = name.strip_prefix(REPLACED).and_then(|set| self.place(set));
            match replaced {
                Some(place) if !place.exists() => {
                    let _ = fs::rename(entry.path(), place);
                }
                Some(_) => {
                    let _ = fs::remove_dir_all(entry.path());
                }
                None if name.starts_with(REMOVED) => {
                    let _ = fs::remove_dir_all(entry.path());
                }
                None => versions::sweep(&entry.path()),
            }
        }
    }
}

/// The fields of a set, with that of its version where it is stored; the current one is the default.
fn with_version(
    fields: &'static [Field],
    stored: Option<&StoredDataSet>,
    defaults: &mut Map<String, Value>,
) -> Cow<'static, [Field]> {
    let Some(stored) = stored else {
        return Cow::Borrowed(fields);
    };
    defaults.insert(versions::PATH.to_owned(), stored.current_version().into());
    Cow::Owned([fields, &[stored.version_field()]].concat())
}

const NAME: &str =
    "must be 1 to 40 small letters, digits and hyphens, beginning with a letter or a digit";

/// Whether a text is a valid name of a stored set, which is also the name of its folder.
pub(super) fn is_name(text: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    (1..=40).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-')
}

/// A name made from a title: `My cats.zip` is `my-cats-zip`.
pub fn name_of(title: &str) -> String {
    let mut name = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(40);
    name.trim_end_matches('-').to_owned()
}

/// The known set of a name; `None` for other names.
pub fn known(set: &str) -> Option<&'static KnownDataSet> {
    match table::row(set)?.source {
        Source::Known(known) => Some(known),
        Source::BuiltIn { .. } => None,
    }
}

/// Fsyncs a folder, to make renames in it durable.
fn sync(folder: &Path) -> Result<()> {
    let sync = || -> io::Result<()> { File::open(folder)?.sync_all() };
    sync().map_err(|e| Error::file(folder, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_words_name_a_set() {
        for name in ["cats", "cats-and-dogs", "3"] {
            assert!(is_name(name), "{name}");
        }
        let long = "a".repeat(41);
        for name in [
            "",
            "-a",
            "..",
            "a/b",
            "a.b",
            "A",
            "ä",
            ".draft-x",
            "a b",
            long.as_str(),
        ] {
            assert!(!is_name(name), "{name}");
        }
        assert_eq!(name_of("My Cats & Dogs (2).zip"), "my-cats-dogs-2-zip");
        assert_eq!(name_of("../../etc"), "etc");
    }
}
