//! Weights that another program trained, under PyTorch's names: torchvision's VGG16, for one.

use std::io;
use std::path::Path;

use super::Model;
use crate::error::{Error, Result};
use crate::tensor_file;

/// What a file of weights tells of the network that it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Whether there are running statistics, as batch normalisation keeps them.
    pub batch_norm: bool,
}

/// Looks into a file of weights.
///
/// # Errors
/// When it cannot be read, or holds something else than numbers.
pub fn foreign(path: &Path) -> Result<Foreign> {
    let content = tensor_file::read_foreign(path)?.ok_or_else(|| missing(path))?;
    let mut names = content.tensors.keys();
    Ok(Foreign {
        batch_norm: names.any(|name| name.ends_with(".running_mean")),
    })
}

fn missing(path: &Path) -> Error {
    Error::file(path, io::ErrorKind::NotFound.into())
}

impl Model {
    /// Puts the numbers of a file in the place of the network's own. Counters of batches may be missing: old files have
    /// none. With `fresh_head` the layer that gives the scores stays as it was initialised, and what the file has in its
    /// place is left out: then the classes may be other ones.
    ///
    /// # Errors
    /// When the file cannot be read, or does not hold the network's tensors and no other, each with its shape and
    /// finite; the error names the tensor. Then nothing changed.
    pub fn adopt(&self, path: &Path, fresh_head: bool) -> Result<()> {
        let content = tensor_file::read_foreign(path)?.ok_or_else(|| missing(path))?;
        let mut tensors = content.tensors;
        let head = self.head();
        for (name, shape, own) in self.weights()? {
            let counter = name.ends_with(".num_batches_tracked") && !tensors.contains_key(&name);
            if counter || (fresh_head && name.starts_with(&head)) {
                tensors.insert(name, (shape, own));
            }
        }
        let weights = self.in_order(path, tensors).map_err(|error| match error {
            Error::Checkpoint { path, message } if message.starts_with(&head) && !fresh_head => {
                let message = format!(
                    "{message}; if only the classes are other ones, a fresh head takes its place"
                );
                Error::Checkpoint { path, message }
            }
            other => other,
        })?;
        self.set_weights(&weights)
    }

    /// How the names of the layer that gives the scores begin: it is the last.
    fn head(&self) -> String {
        let last = self.store().parameters().last();
        let layer = last.and_then(|(name, _)| name.rsplit_once('.'));
        layer.map_or_else(String::new, |(layer, _)| format!("{layer}."))
    }
}
