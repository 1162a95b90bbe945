//! Networks that users wrote: one text each, `<data-dir>/networks/<name>.py`.
//!
//! A RunSpec names a network. Where the name is that of a user's text, [`OwnNetworks::complete`] adds the text, so that a
//! run depends on what the text was when the run was created.

mod import;

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde_json::{Map, Value};
use vivarium_models::links;
use vivarium_models::networks::text::MAX_SOURCE;
use vivarium_models::networks::{self, NetworkRow, NetworkText, TextError, revision};
use vivarium_models::spec::FieldError;

use crate::atomic_file::{remove_incoming, write_atomically};
use crate::error::{Error, Result};

pub use import::{ImportedNetwork, import};

/// The most networks whose names differ in their numbers alone.
const MAX_NUMBER: usize = 10_000;

/// Names that are pages and routes.
const RESERVED: [&str; 3] = ["new", "check", "import"];

/// The folder of the users' texts.
#[derive(Debug)]
pub struct OwnNetworks {
    folder: PathBuf,
    /// Comparing and writing must not be interrupted by another writer.
    writing: Mutex<()>,
}

/// A user's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnNetwork {
    /// Its name.
    pub name: String,
    /// The text.
    pub source: String,
    /// When it was saved last.
    pub changed: SystemTime,
}

/// What must hold for a text to be saved or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    None,
    /// There is no text of the name.
    New,
    /// The text is that of a revision.
    Revision(String),
}

impl OwnNetwork {
    /// The network, if the text has no mistake.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn row(&self) -> std::result::Result<NetworkRow, TextError> {
        Ok(NetworkRow::new(
            &self.name,
            NetworkText::read(&self.source)?,
        ))
    }
}

impl OwnNetworks {
    /// The texts in `folder`.
    pub fn in_folder(folder: PathBuf) -> Self {
        remove_incoming(&folder);
        Self {
            folder,
            writing: Mutex::new(()),
        }
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no text of this name.
    pub fn get(&self, name: &str) -> Result<OwnNetwork> {
        self.find(name)?.ok_or_else(|| missing(name))
    }

    /// All texts, by name.
    ///
    /// # Errors
    /// [`Error::File`] when the folder cannot be read.
    pub fn list(&self) -> Result<Vec<OwnNetwork>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::file(&self.folder, error)),
        };
        let mut found: Vec<_> = entries
            .flatten()
            .filter_map(|entry| {
                let file = entry.file_name();
                let name = file.to_str()?.strip_suffix(".py")?;
                self.find(name).ok()?
            })
            .collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Saves a text. Returns whether it is new.
    ///
    /// # Errors
    /// [`Error::Spec`] when the name is not allowed or the text has a mistake; [`Error::PreconditionFailed`].
    pub fn save(&self, name: &str, source: &str, condition: &Precondition) -> Result<bool> {
        if let Err(message) = check_name(name) {
            return Err(Error::field("name", Value::from(name), &message));
        }
        if let Err(error) = NetworkText::read(source) {
            return Err(Error::Spec(vec![FieldError::of_text(
                "source", source, &error,
            )]));
        }
        let _writing = self.writing();
        let before = self.find(name)?;
        self.check(condition, before.as_ref())?;
        if before.as_ref().is_none_or(|before| before.source != source) {
            write_atomically(&self.file(name), source.as_bytes())?;
        }
        Ok(before.is_none())
    }

    /// Removes a text. Runs that were made with it keep it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none; [`Error::PreconditionFailed`].
    pub fn remove(&self, name: &str, condition: &Precondition) -> Result<()> {
        let _writing = self.writing();
        let before = self.get(name)?;
        self.check(condition, Some(&before))?;
        let path = self.file(name);
        fs::remove_file(&path).map_err(|e| Error::file(&path, e))
    }

    /// Adds to a RunSpec the text of the network that it names, if that is a user's.
    ///
    /// # Errors
    /// When the text cannot be read.
    pub fn complete(&self, document: &mut Value) -> Result<()> {
        let Some(network) = document.get_mut("network") else {
            return Ok(());
        };
        if let Some(name) = missing_text(network)
            && let Some(own) = self.find(name)?
        {
            set_source(network, own.source);
        }
        Ok(())
    }

    /// The name, or the name with a number, that no network has.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there are too many.
    pub fn free_name(&self, name: &str) -> Result<String> {
        // With the longest number it is no longer than a name may be.
        let short: String = name.chars().take(56).collect();
        let numbered = (2..MAX_NUMBER).map(|number| format!("{short}-{number}"));
        for name in std::iter::once(name.to_owned()).chain(numbered) {
            if check_name(&name).is_ok() && self.find(&name)?.is_none() {
                return Ok(name);
            }
        }
        let message = format!("There are too many networks named {name}.");
        Err(Error::Conflict(message))
    }

    /// The text of a name, if it is a user's.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn find(&self, name: &str) -> Result<Option<OwnNetwork>> {
        if check_name(name).is_err() {
            return Ok(None);
        }
        let path = self.file(name);
        let read = || {
            let file = links::open(&path)?;
            let changed = file.metadata()?.modified()?;
            let mut bytes = Vec::new();
            // A longer text is refused where it is read as a network.
            file.take(MAX_SOURCE as u64 + 1).read_to_end(&mut bytes)?;
            Ok((bytes, changed))
        };
        match read() {
            Ok((bytes, changed)) => Ok(Some(OwnNetwork {
                name: name.to_owned(),
                source: String::from_utf8_lossy(&bytes).into_owned(),
                changed,
            })),
            Err(error) if std::io::Error::kind(&error) == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file(&path, error)),
        }
    }

    fn check(&self, condition: &Precondition, before: Option<&OwnNetwork>) -> Result<()> {
        let holds = match condition {
            Precondition::None => true,
            Precondition::New => before.is_none(),
            Precondition::Revision(expected) => {
                before.is_some_and(|before| revision(&before.source) == *expected)
            }
        };
        if holds {
            return Ok(());
        }
        let message = match (condition, before) {
            (Precondition::New, _) => {
                "There is a network of this name already; nothing was overwritten."
            }
            (_, None) => "The network was deleted elsewhere since it was opened here.",
            _ => {
                "The network was saved elsewhere since it was opened here; nothing was overwritten."
            }
        };
        Err(Error::PreconditionFailed(message.to_owned()))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.py"))
    }

    fn writing(&self) -> MutexGuard<'_, ()> {
        // The lock protects no data of its own.
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks the name of a user's network.
///
/// # Errors
/// What is allowed instead.
pub fn check_name(name: &str) -> std::result::Result<(), String> {
    if RESERVED.contains(&name) {
        return Err(format!("must not be one of {}", RESERVED.join(", ")));
    }
    networks::check_name(name)
}

/// Adds texts by name to a RunSpec that names one of them.
pub fn add_text(texts: &BTreeMap<String, String>, document: &mut Value) {
    let Some(network) = document.get_mut("network") else {
        return;
    };
    if let Some(text) = missing_text(network).and_then(|name| texts.get(name)) {
        set_source(network, text.clone());
    }
}

/// The network of a command line: a name, or the path of a text.
///
/// # Errors
/// When the text cannot be read.
pub fn of_argument(argument: &str) -> Result<Map<String, Value>> {
    let path = Path::new(argument);
    if path.extension().is_none_or(|extension| extension != "py") {
        return Ok(Map::from_iter([("kind".to_owned(), Value::from(argument))]));
    }
    let source = fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = networks::name_of(&stem);
    // A copy of a built-in text may have kept its name.
    let name = match networks::row(&name) {
        Some(_) => format!("{name}-copy"),
        None => name,
    };
    Ok(Map::from_iter([
        ("kind".to_owned(), Value::from(name)),
        ("source".to_owned(), Value::from(source)),
    ]))
}

/// The name of a network that is not built in and lacks its text.
pub fn missing_text(network: &Value) -> Option<&str> {
    let network = network.as_object()?;
    let has_text = network
        .get("source")
        .is_some_and(|source| !source.is_null());
    let name = network.get("kind")?.as_str()?;
    (!has_text && networks::row(name).is_none()).then_some(name)
}

fn set_source(network: &mut Value, source: String) {
    if let Some(network) = network.as_object_mut() {
        network.insert("source".to_owned(), Value::from(source));
    }
}

fn missing(name: &str) -> Error {
    Error::NotFound(format!("network “{name}”"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = "def net(classes):\n    return Sequential(Flatten(), Linear(classes))\n";

    fn own() -> (tempfile::TempDir, OwnNetworks) {
        let folder = tempfile::tempdir().unwrap();
        let own = OwnNetworks::in_folder(folder.path().join("networks"));
        (folder, own)
    }

    #[test]
    fn a_text_is_saved_changed_and_removed_and_nobody_s_work_is_overwritten() {
        let (_folder, own) = own();
        assert_eq!(own.list().unwrap(), []);
        assert!(own.save("mine", TEXT, &Precondition::New).unwrap());
        let saved = own.get("mine").unwrap();
        assert_eq!(saved.source, TEXT);
        let first = Precondition::Revision(revision(TEXT));
        let changed = format!("{TEXT}# more\n");
        assert!(!own.save("mine", &changed, &first).unwrap());
        for condition in [&first, &Precondition::New] {
            let refused = own.save("mine", TEXT, condition);
            assert!(matches!(refused, Err(Error::PreconditionFailed(_))));
        }
        assert!(matches!(
            own.remove("mine", &first),
            Err(Error::PreconditionFailed(_))
        ));
        assert_eq!(own.get("mine").unwrap().source, changed);
        own.remove("mine", &Precondition::None).unwrap();
        assert!(matches!(own.get("mine"), Err(Error::NotFound(_))));
    }

    #[test]
    fn names_that_are_no_file_names_and_texts_with_mistakes_are_refused() {
        let (folder, own) = own();
        for name in [
            "",
            "..",
            "../x",
            "a/b",
            "A",
            "1a",
            "vgg16",
            "new",
            "a.py",
            "a\0",
            &"a".repeat(65),
        ] {
            let refused = own.save(name, TEXT, &Precondition::None);
            assert!(
                matches!(&refused, Err(Error::Field(error)) if error.path == "name"),
                "{name}"
            );
            assert!(matches!(own.get(name), Err(Error::NotFound(_))));
        }
        let Err(Error::Spec(errors)) = own.save(
            "a",
            "def net(classes):\n    return 3 +\n",
            &Precondition::None,
        ) else {
            panic!("a mistake was saved");
        };
        assert_eq!(errors[0].line, Some(2));
        assert!(!folder.path().join("networks").exists());
    }

    #[test]
    fn a_run_gets_the_text_that_it_names() {
        let (_folder, own) = own();
        own.save("mine", TEXT, &Precondition::None).unwrap();
        let mut document = json!({"network": {"kind": "mine"}});
        own.complete(&mut document).unwrap();
        assert_eq!(document["network"]["source"], TEXT);
        for document in [
            json!({"network": {"kind": "vgg16"}}),
            json!({"network": {"kind": "mine", "source": "x"}}),
            json!({"network": {"kind": "../mine"}}),
            json!({"network": 3}),
            json!(null),
        ] {
            let mut completed = document.clone();
            own.complete(&mut completed).unwrap();
            assert_eq!(completed, document);
        }
    }

    #[test]
    fn a_command_line_names_a_network_or_the_file_of_a_text() {
        let folder = tempfile::tempdir().unwrap();
        let named = |file: &str| {
            let path = folder.path().join(file);
            fs::write(&path, TEXT).unwrap();
            of_argument(path.to_str().unwrap()).unwrap()["kind"].clone()
        };
        assert_eq!(named("My Net.py"), "my-net");
        assert_eq!(named("vgg16.py"), "vgg16-copy");
        assert_eq!(named("7.py"), "network");
        assert_eq!(of_argument("vgg16").unwrap()["kind"], "vgg16");
        assert!(of_argument("missing.py").is_err());
    }
}
