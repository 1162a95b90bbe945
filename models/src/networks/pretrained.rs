//! Loads weights that another program trained, under PyTorch's names, such as torchvision's VGG16.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::Path;

use super::{Model, TensorValues, file_kind, prefixes};
use crate::error::{Error, Result};
use crate::tensor_file::{self, Content};

/// What a file of weights says about its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightsInfo {
    /// Whether it has running statistics of batch normalisation.
    pub batch_norm: bool,
}

/// Reads what a file of weights says about its network.
///
/// # Errors
/// When the file cannot be read or is not safetensors; the error says what it is.
pub fn weights_info(path: &Path) -> Result<WeightsInfo> {
    let content = read(path)?;
    let mut names = content.tensors.keys();
    Ok(WeightsInfo {
        batch_norm: names.any(|name| name.ends_with(".running_mean")),
    })
}

pub(super) fn read(path: &Path) -> Result<Content> {
    file_kind::check(path)?;
    let missing = || Error::file(path, io::ErrorKind::NotFound.into());
    tensor_file::read_foreign(path)?.ok_or_else(missing)
}

impl Model {
    /// Loads the network's tensors from a file. Prefixes of wrappers (`module.`, `_orig_mod.` and others) are removed,
    /// and tensors that belong to no network, such as an optimizer's state, are skipped. Returns notes on both, as
    /// sentences. Counters of batches may be missing, because old files have none. With `fresh_head` the last layer
    /// keeps its initialisation and that of the file is skipped, so that the classes may differ.
    ///
    /// # Errors
    /// When the file cannot be read, or does not contain exactly the network's tensors, with their shapes and finite
    /// values; the error names the tensor. The network is then unchanged.
    pub fn load_pretrained(&self, path: &Path, fresh_head: bool) -> Result<Vec<String>> {
        let own = self.weights()?;
        let names: HashSet<_> = own.iter().map(|(name, ..)| name.as_str()).collect();
        let Content {
            tensors,
            mut unsupported,
            ..
        } = read(path)?;
        let renamed = Renamed::of(tensors.keys().chain(unsupported.keys()), &names)
            .map_err(|message| Error::checkpoint(path, message))?;
        let notes = renamed.notes();
        let head = self.head_prefix();
        let mut found = HashMap::new();
        for (name, tensor) in tensors {
            if let Some(name) = renamed.name_of(name) {
                found.insert(name, tensor);
            }
        }
        unsupported.retain(|name, _| renamed.name_of(name.clone()).is_some());
        for (name, shape, values) in own {
            if fresh_head && name.starts_with(&head) {
                unsupported
                    .retain(|theirs, _| renamed.name_of(theirs.clone()).as_ref() != Some(&name));
                found.insert(name, (shape, values));
            } else if name.ends_with(".num_batches_tracked") {
                // Old files have no counter; some programs save it as a float.
                let counter = found.get(&name).and_then(|(_, theirs)| whole(theirs));
                found.insert(name, (shape, counter.unwrap_or(values)));
            }
        }
        if let Some(message) = unsupported.values().min() {
            return Err(Error::checkpoint(path, message));
        }
        let weights = self.match_state_dict(path, found).map_err(|error| match error {
            Error::Checkpoint { path, message } if message.starts_with(&head) && !fresh_head => {
                let message = format!(
                    "{message}; if only the classes are other ones, a fresh head takes its place"
                );
                Error::Checkpoint { path, message }
            }
            other => other,
        })?;
        self.set_weights(&weights)?;
        Ok(notes)
    }

    /// Loads the network's tensors as [`Model::load_pretrained`] does; where only the last layer does not fit, because the
    /// classes are others, it keeps its initialisation. With `fresh_head` it does in any case.
    ///
    /// # Errors
    /// As [`Model::load_pretrained`].
    pub fn load_for_fine_tuning(&self, path: &Path, fresh_head: bool) -> Result<Vec<String>> {
        if fresh_head {
            let mut notes = self.load_pretrained(path, true)?;
            notes.push("The last layer starts anew.".to_owned());
            return Ok(notes);
        }
        self.load_pretrained(path, false).or_else(|error| {
            let mut notes = self.load_pretrained(path, true).map_err(|_| error)?;
            notes.push("The last layer starts anew: its classes are others.".to_owned());
            Ok(notes)
        })
    }

    /// The name of the last layer with parameters; empty where the module is the whole network.
    pub fn head(&self) -> &str {
        self.graph().head()
    }

    /// What the names of its tensors begin with.
    fn head_prefix(&self) -> String {
        match self.head() {
            "" => String::new(),
            layer => format!("{layer}."),
        }
    }
}

/// A counter, from an integer or a float.
fn whole(values: &TensorValues) -> Option<TensorValues> {
    match values {
        TensorValues::I64(values) if values.len() == 1 => Some(TensorValues::I64(values.clone())),
        TensorValues::F32(values) if values.len() == 1 && values[0].fract() == 0.0 => {
            Some(TensorValues::I64(vec![values[0] as i64]))
        }
        _ => None,
    }
}

/// The names in a file, mapped to those of the network.
struct Renamed {
    /// Names that differ from the file.
    names: HashMap<String, String>,
    /// The removed prefixes, and the number of names of each.
    stripped: BTreeMap<String, usize>,
    /// Names that belong to no network.
    left_out: Vec<String>,
}

impl Renamed {
    fn of<'a>(
        theirs: impl Iterator<Item = &'a String> + Clone,
        own: &HashSet<&str>,
    ) -> std::result::Result<Self, String> {
        let mut renamed = Self {
            names: HashMap::new(),
            stripped: BTreeMap::new(),
            left_out: Vec::new(),
        };
        let mut from: HashMap<String, &str> = HashMap::new();
        let mut sorted: Vec<_> = theirs.collect();
        sorted.sort();
        for &name in &sorted {
            let Some(unwrapped) = prefixes::strip(name, own) else {
                if prefixes::is_foreign(name) {
                    renamed.left_out.push(name.clone());
                }
                continue;
            };
            if let Some(other) = from.insert(unwrapped.name.clone(), name) {
                let name_of = &unwrapped.name;
                return Err(format!(
                    "{name_of} is there twice, as {other} and as {name}: which of them is meant? Save one of them alone"
                ));
            }
            if !unwrapped.stripped.is_empty() {
                *renamed.stripped.entry(unwrapped.stripped).or_default() += 1;
                renamed.names.insert(name.clone(), unwrapped.name);
            }
        }
        let unknown = sorted.iter().find(|name| !renamed.left_out.contains(name));
        if let (true, Some(first), Some(wanted)) = (from.is_empty(), unknown, own.iter().min()) {
            return Err(format!(
                "it has none of the network's tensors: its names are such as {first}, and the network's such as {wanted}"
            ));
        }
        Ok(renamed)
    }

    /// The name of a tensor of the file in the network; `None` if it is skipped.
    fn name_of(&self, name: String) -> Option<String> {
        match self.names.get(&name) {
            Some(own) => Some(own.clone()),
            None => (!self.left_out.contains(&name)).then_some(name),
        }
    }

    fn notes(&self) -> Vec<String> {
        let stripped = self
            .stripped
            .iter()
            .map(|(what, count)| format!("{what} was taken off {count} names of tensors."));
        let left_out = self
            .left_out
            .first()
            .map(|first| match self.left_out.len() {
                1 => format!("{first} is no part of the network, and was left out."),
                count => {
                    let more = count - 1;
                    format!(
                        "{first} and {more} more are no part of the network, and were left out."
                    )
                }
            });
        stripped.chain(left_out).collect()
    }
}
