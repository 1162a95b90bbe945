//! Networks from files: the text, and beside it the weights that its runs may start from. An ONNX file describes its network;
//! a safetensors file has the tensors of one that is here already.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use vivarium_models::networks::{NETWORKS, Recognised, name_of, recognise};
use vivarium_models::onnx;

use super::{OwnNetworks, Precondition};
use crate::atomic_file::INCOMING;
use crate::error::{Error, Result};

/// The largest file: more than this Protobuf does not allow.
const MAX_BYTES: usize = i32::MAX as usize;

/// A network that was imported.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ImportedNetwork {
    /// Its name.
    pub name: String,
    /// The shape of a sample.
    pub input: Vec<usize>,
    /// The number of classes of its weights.
    pub classes: usize,
    /// The file of its weights.
    pub weights: String,
    /// What a user should know, in sentences.
    pub notes: Vec<String>,
}

/// A network that was read from a file, and is kept by [`Import::keep`] alone. Dropped before, it leaves nothing behind.
#[derive(Debug)]
pub struct Import<'a> {
    networks: &'a OwnNetworks,
    /// Its text, which names its weights.
    pub source: String,
    /// What is told of it.
    pub network: ImportedNetwork,
    /// The file of its weights.
    weights: PathBuf,
    is_kept: bool,
}

impl<'a> Import<'a> {
    /// Reads the file at `path`, ONNX or safetensors, which the user calls `title`; its weights go to the folder `weights`.
    ///
    /// # Errors
    /// [`Error::Field`] of `file`, when it is no network that can be read; the error names the node or the tensor.
    pub fn read(
        networks: &'a OwnNetworks,
        weights: &Path,
        path: &Path,
        title: &str,
    ) -> Result<Self> {
        let refuse = |message: String| Error::field("file", title, &message);
        let size = fs::metadata(path).map_err(|e| Error::file(path, e))?.len();
        if size > MAX_BYTES as u64 {
            return Err(refuse(format!("has {size} bytes, more than {MAX_BYTES}")));
        }
        fs::create_dir_all(weights).map_err(|e| Error::file(weights, e))?;
        let stem = title.rsplit_once('.').map_or(title, |(stem, _)| stem);
        let name = networks.free_name(&name_of(stem))?;
        let digest = digest(path)?;
        let file = format!("{name}-{digest}.safetensors");
        let partial = weights.join(format!("{INCOMING}{file}"));
        let read = match is_safetensors(path)? {
            true => read_safetensors(networks, path, stem, &partial)?,
            false => read_onnx(path, stem, &partial)?,
        };
        let read = read.map_err(refuse)?;
        let place = weights.join(&file);
        fs::rename(&partial, &place).map_err(|e| Error::file(&place, e))?;
        Ok(Self {
            networks,
            source: with_weights(&read.source, &file),
            network: ImportedNetwork {
                name,
                input: read.input,
                classes: read.classes,
                weights: file,
                notes: read.notes,
            },
            weights: place,
            is_kept: false,
        })
    }

    /// The file of its weights.
    pub fn weights(&self) -> &Path {
        &self.weights
    }

    /// Keeps the text and the weights.
    ///
    /// # Errors
    /// When the text cannot be saved.
    pub fn keep(mut self) -> Result<ImportedNetwork> {
        let name = &self.network.name;
        self.networks.save(name, &self.source, &Precondition::New)?;
        self.is_kept = true;
        Ok(self.network.clone())
    }
}

impl Drop for Import<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            // What cannot be removed is no network's, and is told nowhere.
            let _ = fs::remove_file(&self.weights);
        }
    }
}

/// What a file says of its network.
struct Read {
    source: String,
    input: Vec<usize>,
    classes: usize,
    notes: Vec<String>,
}

/// Reads an ONNX file; its weights go to `weights`. The inner error is what is wrong with the file.
fn read_onnx(
    path: &Path,
    title: &str,
    weights: &Path,
) -> Result<std::result::Result<Read, String>> {
    let bytes = fs::read(path).map_err(|e| Error::file(path, e))?;
    let imported = match onnx::import(bytes, title, MAX_BYTES) {
        Ok(imported) => imported,
        Err(error) => return Ok(Err(error.to_string())),
    };
    imported.save_state_dict(weights)?;
    Ok(Ok(Read {
        source: imported.source,
        input: imported.input,
        classes: imported.classes,
        notes: imported.notes,
    }))
}

/// Finds the network of a safetensors file, which is copied to `weights`. The inner error is what is wrong with the file.
fn read_safetensors(
    networks: &OwnNetworks,
    path: &Path,
    title: &str,
    weights: &Path,
) -> Result<std::result::Result<Read, String>> {
    let own = networks
        .list()?
        .into_iter()
        .filter_map(|own| own.row().ok());
    let candidates = NETWORKS.iter().cloned().chain(own.map(Arc::new));
    let found = match recognise(path, candidates) {
        Ok(found) => found,
        Err(vivarium_models::Error::Checkpoint { message, .. }) => return Ok(Err(message)),
        Err(error) => return Err(error.into()),
    };
    fs::copy(path, weights).map_err(|e| Error::file(weights, e))?;
    let mut notes = vec![format!(
        "Its tensors are those of the network {}.",
        found.row.kind
    )];
    if let [channels, size, _] = found.input[..] {
        let channels = match channels {
            1 => "1 channel".to_owned(),
            _ => format!("{channels} channels"),
        };
        notes.push(format!(
            "It takes images with {channels}, such as {size} by {size}."
        ));
    }
    Ok(Ok(Read {
        source: copy_of(&found, title),
        input: found.input,
        classes: found.classes,
        notes,
    }))
}

/// The network's text with another title, and with the file's options as defaults.
fn copy_of(found: &Recognised, title: &str) -> String {
    let mut source = found.row.source().to_owned();
    let title: String = title.chars().filter(|c| !matches!(c, '"' | '\\')).collect();
    if source.starts_with(&format!("\"\"\"{}", found.row.title)) {
        source.replace_range(3..3 + found.row.title.len(), &title);
    }
    let mut defaults = found.row.defaults.clone();
    if let [channels, size, _] = found.input[..] {
        defaults.insert("data.size".to_owned(), Value::from(size));
        defaults.insert("data.channels".to_owned(), Value::from(channels));
    }
    let options = found.options.iter();
    defaults.extend(options.map(|(name, value)| (format!("network.{name}"), value.clone())));
    let entries = defaults
        .iter()
        .map(|(path, value)| format!("{}: {}", Value::from(path.as_str()), python(value)));
    let line = format!("defaults = {{{}}}", entries.collect::<Vec<_>>().join(", "));
    let known = source
        .lines()
        .find(|line| line.starts_with("defaults = {"))
        .map(str::to_owned);
    match known {
        Some(known) => source.replacen(&known, &line, 1),
        None => before_functions(&source, &line),
    }
}

/// A value as Python writes it.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        value => value.to_string(),
    }
}

/// Whether a file begins as safetensors files do: with the length of its header, and the header.
fn is_safetensors(path: &Path) -> Result<bool> {
    let mut start = [0; 9];
    let file = fs::File::open(path).map_err(|e| Error::file(path, e))?;
    let read = file
        .take(9)
        .read(&mut start)
        .map_err(|e| Error::file(path, e))?;
    Ok(read == 9 && start[8] == b'{')
}

/// What tells a file from others.
fn digest(path: &Path) -> Result<String> {
    let mut hasher = Sha256::new();
    let mut file = fs::File::open(path).map_err(|e| Error::file(path, e))?;
    let mut piece = vec![0; 1 << 20];
    loop {
        match file.read(&mut piece).map_err(|e| Error::file(path, e))? {
            0 => break,
            read => hasher.update(&piece[..read]),
        }
    }
    let digest = hasher.finalize();
    Ok(digest[..4]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// The text with the variable that names its weights.
fn with_weights(source: &str, file: &str) -> String {
    before_functions(source, &format!("weights = \"{file}\""))
}

/// The text with a line before its first function.
fn before_functions(source: &str, line: &str) -> String {
    match source.find("\n\n\ndef ") {
        Some(at) => format!("{}\n{line}{}", &source[..at], &source[at..]),
        None => format!("{line}\n{source}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vivarium_models::data::Library;
    use vivarium_models::form;
    use vivarium_models::networks::{Model, NetworkText};

    use super::*;

    #[test]
    fn a_state_dict_is_recognised_with_its_options_and_becomes_a_text() {
        let folder = tempfile::tempdir().unwrap();
        let own = OwnNetworks::in_folder(folder.path().join("networks"));
        let weights = folder.path().join("weights");
        for (network, input, classes) in [
            (
                json!({"kind": "vgg16", "norm": "none", "head": "compact", "width": 1.0}),
                [1, 32, 32],
                7,
            ),
            (json!({"kind": "inception"}), [3, 32, 32], 5),
            (json!({"kind": "mlp", "norm": true}), [3, 9, 9], 4),
        ] {
            let document = json!({"data": {"set": "digits", "size": 32}, "network": network});
            let spec = form::check(&document, &Library::none()).unwrap();
            let model = Model::new(&spec.network, &input, classes, 0).unwrap();
            let path = folder.path().join("net.safetensors");
            model.save_state_dict(&path).unwrap();
            let read = Import::read(&own, &weights, &path, "My net.safetensors").unwrap();
            let imported = read.keep().unwrap();
            assert_eq!(
                (&imported.input[..], imported.classes),
                (&input[..], classes),
                "{network}"
            );
            let text = NetworkText::read(&own.get(&imported.name).unwrap().source).unwrap();
            assert_eq!(text.title, "My net");
            assert_eq!(text.weights.as_ref(), Some(&imported.weights));
            let graph = text
                .graph(&serde_json::Map::new(), &input, classes)
                .unwrap();
            assert_eq!(graph.state_dict(), model.graph().state_dict());
            Model::of_graph(graph, 1)
                .unwrap()
                .load_state_dict(&weights.join(&imported.weights))
                .unwrap();
        }
        let other = folder.path().join("other.safetensors");
        fs::write(&other, b"\x02\0\0\0\0\0\0\0{}").unwrap();
        let refused = Import::read(&own, &weights, &other, "x").map(|_| ());
        assert!(matches!(refused, Err(Error::Field(_))));
        // What is not kept leaves nothing behind.
        let count = || fs::read_dir(&weights).unwrap().count();
        let before = count();
        let path = folder.path().join("net.safetensors");
        let read = Import::read(&own, &weights, &path, "Other.safetensors").unwrap();
        assert_eq!(count(), before + 1);
        drop(read);
        assert_eq!((count(), own.list().unwrap().len()), (before, 3));
    }
}
