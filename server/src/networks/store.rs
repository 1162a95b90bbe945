//! The folder of the users' texts.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde_json::Value;
use vivarium_models::form;
use vivarium_models::networks::{self, NetworkRow, NetworkText, TextError, revision};
use vivarium_models::spec::FieldError;

use super::file::{self, TextFile};
use crate::atomic_file::{remove_incoming, write_atomically};
use crate::error::{Error, Result};

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
    /// The text; empty where the file has none.
    pub source: String,
    /// Why the file has no text: it is not UTF-8, too long, or a folder.
    pub fault: Option<TextError>,
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
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
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
    /// [`Error::NotFound`] when there is no text of this name; [`Error::Conflict`] when its file has none.
    pub fn get(&self, name: &str) -> Result<OwnNetwork> {
        let own = self.find(name)?.ok_or_else(|| missing(name))?;
        match &own.fault {
            None => Ok(own),
            Some(fault) => {
                let message = format!("networks/{name}.py {}.", fault.message);
                Err(Error::Conflict(message))
            }
        }
    }

    /// All texts, by name. A file whose name is not that of a network is listed with this fault.
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
                let file = file.to_string_lossy();
                let name = file
                    .strip_suffix(".py")
                    .filter(|_| !file.starts_with('.'))?;
                let found = match check_name(name) {
                    Ok(()) => self.find(name).map_err(|error| error.to_string()),
                    Err(message) => Err(format!(
                        "the name of networks/{name}.py {message}: rename the file"
                    )),
                };
                found.unwrap_or_else(|message| Some(faulty(name, message)))
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
        if let Err(error) = NetworkText::read(source).and_then(|text| form::check_defaults(&text)) {
            return Err(Error::Spec(vec![FieldError::of_text(
                "source", source, &error,
            )]));
        }
        let _writing = self.writing();
        let before = self.find(name)?;
        self.check(condition, before.as_ref())?;
        if before
            .as_ref()
            .is_none_or(|before| before.source != source || before.fault.is_some())
        {
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
        let before = self.find(name)?.ok_or_else(|| missing(name))?;
        self.check(condition, Some(&before))?;
        let path = self.file(name);
        fs::remove_file(&path).map_err(|e| Error::file(&path, e))
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
        let Some(TextFile { text, changed }) = file::read(&path)? else {
            return Ok(None);
        };
        let (source, fault) = match text {
            Ok(source) => (source, None),
            Err(fault) => (String::new(), Some(fault)),
        };
        Ok(Some(OwnNetwork {
            name: name.to_owned(),
            source,
            fault,
            changed,
        }))
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

/// A network whose file cannot be read, or has a name that no network can have.
fn faulty(name: &str, message: String) -> OwnNetwork {
    OwnNetwork {
        name: name.to_owned(),
        source: String::new(),
        fault: Some(TextError::at(1, 1, message)),
        changed: SystemTime::UNIX_EPOCH,
    }
}

fn missing(name: &str) -> Error {
    Error::NotFound(format!("network “{name}”"))
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;
    use vivarium_models::networks::text::MAX_SOURCE;

    use super::*;

    pub(in crate::networks) const TEXT: &str =
        "def net(classes):\n    return Sequential(Flatten(), Linear(classes))\n";

    pub(in crate::networks) fn own() -> (tempfile::TempDir, OwnNetworks) {
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
    fn a_file_without_a_text_is_listed_with_the_reason_and_refused_by_name() {
        let (folder, own) = own();
        own.save("mine", TEXT, &Precondition::None).unwrap();
        let networks = folder.path().join("networks");
        fs::write(networks.join("latin.py"), b"x = 1\n# caf\xe9\n").unwrap();
        fs::write(networks.join("long.py"), "#".repeat(MAX_SOURCE + 1)).unwrap();
        fs::create_dir(networks.join("folder.py")).unwrap();
        fs::write(networks.join("My Net.py"), TEXT).unwrap();
        let listed = own.list().unwrap();
        let faults = listed.iter().map(|own| {
            let fault = own.row().err();
            (&*own.name, fault.map(|fault| (fault.line, fault.message)))
        });
        let faults: Vec<_> = faults.collect();
        assert_eq!(faults.len(), 5);
        for (name, line, words) in [
            ("My Net", 1, "rename the file"),
            ("folder", 1, "is a folder"),
            ("latin", 2, "is not UTF-8"),
            ("long", 1, "more than 1048576"),
        ] {
            let (_, fault) = faults.iter().find(|(known, _)| *known == name).unwrap();
            let (at, message) = fault.as_ref().unwrap();
            assert!(*at == line && message.contains(words), "{name}: {message}");
        }
        for name in ["latin", "long", "folder"] {
            let Err(Error::Conflict(message)) = own.get(name) else {
                panic!("{name} was read");
            };
            assert!(
                message.contains(&format!("networks/{name}.py")),
                "{message}"
            );
            let mut document = json!({"network": {"kind": name}});
            assert!(own.complete(&mut document).is_err());
            let refused = own.save(name, TEXT, &Precondition::New);
            assert!(matches!(refused, Err(Error::PreconditionFailed(_))));
        }
        own.remove("latin", &Precondition::None).unwrap();
        own.save("long", TEXT, &Precondition::None).unwrap();
        assert_eq!(own.get("long").unwrap().source, TEXT);
    }
}
