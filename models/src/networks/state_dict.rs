//! State dicts: safetensors files under PyTorch's names. PyTorch loads them by `load_state_dict` with `strict=True`,
//! and files that PyTorch saved are loaded here.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use candle_core::{CpuStorage, Storage};

use super::{Model, TensorValues};
use crate::error::{Error, Result};
use crate::tensor_file::{self, Slice, TensorSlice};

impl Model {
    /// Loads all tensors of the network, including running statistics, from a safetensors file.
    ///
    /// # Errors
    /// When the file cannot be read, or does not contain exactly the network's tensors, with their shapes and finite
    /// values; the error names the tensor. The network is then unchanged.
    pub fn load_state_dict(&self, path: &Path) -> Result<()> {
        self.load_state_dict_watched(path, &mut |_, _| {})
    }

    /// As [`Model::load_state_dict`], and calls `watch` with the bytes that are read, and those of the file.
    ///
    /// # Errors
    /// As [`Model::load_state_dict`].
    pub fn load_state_dict_watched(
        &self,
        path: &Path,
        watch: &mut dyn FnMut(u64, u64),
    ) -> Result<()> {
        let content = tensor_file::read_watched(path, watch)?
            .ok_or_else(|| Error::file(path, io::ErrorKind::NotFound.into()))?;
        self.set_weights(&self.match_state_dict(path, content.tensors)?)
    }

    /// Writes all tensors of the network, including running statistics, to a safetensors file.
    ///
    /// # Errors
    /// When the file cannot be written; then no file is left.
    pub fn save_state_dict(&self, path: &Path) -> Result<()> {
        self.write_state_dict(
            path,
            HashMap::from([("format".to_owned(), "pt".to_owned())]),
        )
    }

    /// As [`Model::save_state_dict`], with other metadata. The tensors are not copied.
    pub(crate) fn write_state_dict(
        &self,
        path: &Path,
        metadata: HashMap<String, String>,
    ) -> Result<()> {
        let held: Vec<_> = self
            .store()
            .tensors()
            .map(|(name, tensor)| (name, tensor.dims(), tensor.storage_and_layout().0))
            .collect();
        let mut weights = Vec::with_capacity(held.len());
        for (name, shape, storage) in &held {
            let values = match &**storage {
                Storage::Cpu(CpuStorage::F32(values)) => Slice::F32(values),
                Storage::Cpu(CpuStorage::I64(values)) => Slice::I64(values),
                _ => {
                    return Err(Error::checkpoint(
                        path,
                        format!("{name} is of a type that is not kept"),
                    ));
                }
            };
            weights.push((
                (*name).to_owned(),
                TensorSlice {
                    shape: shape.to_vec(),
                    values,
                },
            ));
        }
        tensor_file::write(path, weights, metadata)
    }

    /// Sorts the tensors of a file into the network's order and checks them.
    pub(crate) fn match_state_dict(
        &self,
        path: &Path,
        mut tensors: HashMap<String, (Vec<usize>, TensorValues)>,
    ) -> Result<Vec<(String, Vec<usize>, TensorValues)>> {
        let mut weights = Vec::new();
        for (name, tensor) in self.store().tensors() {
            let Some((shape, values)) = tensors.remove(name) else {
                return Err(Error::checkpoint(path, format!("{name} is missing")));
            };
            if shape != tensor.dims() {
                let mut message = format!(
                    "{name} has the shape {shape:?} instead of {:?}",
                    tensor.dims()
                );
                if is_transposed(&shape, tensor.dims()) {
                    message += ": it is transposed, as TensorFlow and Flax keep weights";
                }
                return Err(Error::checkpoint(path, message));
            }
            if !values.all_finite() {
                let message = format!("{name} has values that are not finite");
                return Err(Error::checkpoint(path, message));
            }
            weights.push((name.to_owned(), shape, values));
        }
        match tensors.keys().min() {
            None => Ok(weights),
            Some(name) => {
                let message = format!("{name} is none of the network's tensors");
                Err(Error::checkpoint(path, message))
            }
        }
    }
}

/// Whether a shape is a permutation of another.
fn is_transposed(shape: &[usize], own: &[usize]) -> bool {
    let sorted = |shape: &[usize]| {
        let mut sides = shape.to_vec();
        sides.sort_unstable();
        sides
    };
    shape != own && sorted(shape) == sorted(own)
}
