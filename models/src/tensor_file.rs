//! A safetensors file: written in full before it has its name, read with suspicion.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, View};
use safetensors::{SafeTensorError, serialize_to_file};

use crate::error::{Error, Result};
use crate::networks::Values;

#[cfg(target_endian = "big")]
compile_error!(
    "safetensors files are little-endian, and numbers are written as they lie in memory"
);

/// The longest header that is read: names and shapes of several thousand tensors.
const LONGEST_HEADER: u64 = 1 << 20;

/// A tensor to be written.
pub(crate) struct Numbers<'a> {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Slice<'a>,
}

/// A tensor's numbers, borrowed.
#[derive(Clone, Copy)]
pub(crate) enum Slice<'a> {
    F32(&'a [f32]),
    I64(&'a [i64]),
}

impl Slice<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::F32(values) => bytemuck::cast_slice(values),
            Self::I64(values) => bytemuck::cast_slice(values),
        }
    }
}

impl View for Numbers<'_> {
    fn dtype(&self) -> Dtype {
        match self.values {
            Slice::F32(_) => Dtype::F32,
            Slice::I64(_) => Dtype::I64,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.values.bytes())
    }

    fn data_len(&self) -> usize {
        self.values.bytes().len()
    }
}

/// Writes a file and makes it durable. On an error no file is left.
pub(crate) fn write<'a>(
    path: &Path,
    tensors: impl IntoIterator<Item = (String, Numbers<'a>)>,
    metadata: HashMap<String, String>,
) -> Result<()> {
    let written = serialize_to_file(tensors, Some(metadata), path)
        .map_err(|error| match error {
            SafeTensorError::IoError(source) => Error::file(path, source),
            other => Error::checkpoint(path, other.to_string()),
        })
        .and_then(|()| {
            File::open(path)
                .and_then(|file| file.sync_all())
                .map_err(|e| Error::file(path, e))
        });
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// What a file holds.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) metadata: HashMap<String, String>,
    pub(crate) tensors: HashMap<String, (Vec<usize>, Values)>,
}

/// Reads a file; `None` when there is none.
///
/// # Errors
/// [`Error::Checkpoint`] for a file that is torn, has too long a header, or holds something else than numbers.
pub(crate) fn read(path: &Path) -> Result<Option<Content>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::file(path, error)),
    };
    let bytes = bytes(file).map_err(|e| Error::file(path, e))?;
    let bytes = bytes
        .ok_or_else(|| Error::checkpoint(path, "its header is longer than 1 MiB, or cut off"))?;
    content(&bytes)
        .map(Some)
        .map_err(|message| Error::checkpoint(path, message))
}

/// All bytes, unless the header is too long: then a file of any size could have been made to look like one.
fn bytes(mut file: File) -> io::Result<Option<Vec<u8>>> {
    let size = file.metadata()?.len();
    let mut start = [0; 8];
    if size < 8 {
        return Ok(None);
    }
    file.read_exact(&mut start)?;
    if u64::from_le_bytes(start) > LONGEST_HEADER.min(size - 8) {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    bytes.extend(start);
    file.read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

fn content(bytes: &[u8]) -> std::result::Result<Content, String> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| e.to_string())?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let file = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
    let mut tensors = HashMap::new();
    for (name, tensor) in file.iter() {
        // The file's numbers may lie at any address.
        let values = match tensor.dtype() {
            Dtype::F32 => Values::F32(
                tensor
                    .data()
                    .as_chunks()
                    .0
                    .iter()
                    .map(|number| f32::from_le_bytes(*number))
                    .collect(),
            ),
            Dtype::I64 => Values::I64(
                tensor
                    .data()
                    .as_chunks()
                    .0
                    .iter()
                    .map(|number| i64::from_le_bytes(*number))
                    .collect(),
            ),
            other => {
                return Err(format!(
                    "{name} is of the type {other:?}; F32 and I64 are taken"
                ));
            }
        };
        tensors.insert(name.to_owned(), (tensor.shape().to_vec(), values));
    }
    Ok(Content { metadata, tensors })
}
