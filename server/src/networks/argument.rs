//! The network that a command line names.

use std::io::ErrorKind;
use std::path::Path;

use serde_json::{Map, Value};
use vivarium_models::networks;
use vivarium_models::spec::FieldError;

use super::file;
use crate::error::{Error, Result};

/// The network of a command line: a name, or the path of a text. A file in the current folder comes before a user's network,
/// and after a built-in one.
///
/// # Errors
/// When the text cannot be read.
pub fn of_argument(argument: &str) -> Result<Map<String, Value>> {
    let Some(path) = file_of_argument(argument) else {
        return Ok(Map::from_iter([("kind".to_owned(), Value::from(argument))]));
    };
    let missing = || Error::file(path, ErrorKind::NotFound.into());
    let file = file::read(path)?.ok_or_else(missing)?;
    let source = file
        .text
        .map_err(|fault| Error::Usage(format!("{}: {}", path.display(), fault.message)))?;
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

/// The file that a command line means: one that is there, or what is called as a text is.
fn file_of_argument(argument: &str) -> Option<&Path> {
    let path = Path::new(argument);
    let is_text = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("py"));
    (networks::row(argument).is_none() && (is_text || path.is_file())).then_some(path)
}

/// An error of a RunSpec at a command line: what is wrong with the text of a file is told by the file's name.
pub fn with_file(argument: Option<&str>, error: Error) -> Error {
    let Some(path) = argument.and_then(file_of_argument) else {
        return error;
    };
    let of_text = |error: &FieldError| error.path == "network.source";
    match error {
        Error::Spec(errors) if errors.iter().any(of_text) => {
            let messages = errors.iter().map(|error| match of_text(error) {
                true => format!("{}: {}", path.display(), error.message),
                false => error.to_string(),
            });
            Error::Usage(messages.collect::<Vec<_>>().join("; "))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::of_argument;
    use crate::networks::store::tests::TEXT;

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
        assert_eq!(named("OK.PY"), "ok");
        assert_eq!(named("my.txt"), "my");
        assert_eq!(named("plain"), "plain");
        assert_eq!(of_argument("vgg16").unwrap()["kind"], "vgg16");
        assert!(of_argument("missing.py").is_err());
    }
}
