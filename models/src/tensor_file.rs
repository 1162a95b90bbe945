//! Reads and writes safetensors files, with a checksum.
//!
//! Written files have a checksum of their content in the metadata, so that a changed bit is found. Files without one,
//! such as those of other programs, are read without that check.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use half::{bf16, f16};
use safetensors::tensor::{Dtype, SafeTensors, View};
use safetensors::{SafeTensorError, serialize, serialize_to_file};
use serde::{Deserialize, Deserializer, de};

use crate::error::{Error, Result};

#[cfg(target_endian = "big")]
compile_error!(
    "safetensors files are little-endian, and numbers are written as they lie in memory"
);

/// The name of the checksum among the metadata.
const CHECKSUM: &str = "vivarium.crc32c";

/// The longest header that is read, enough for several thousand tensors.
const LONGEST_HEADER: u64 = 1 << 20;

/// Bytes that are read before the progress is told again.
const PART: u64 = 8 << 20;

/// The values of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum TensorValues {
    /// Values of a parameter or a statistic.
    F32(Vec<f32>),
    /// Values of a counter.
    I64(Vec<i64>),
}

impl TensorValues {
    /// The number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::I64(values) => values.len(),
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn all_finite(&self) -> bool {
        match self {
            Self::F32(values) => all_finite(values),
            Self::I64(_) => true,
        }
    }
}

pub(crate) fn all_finite(values: &[f32]) -> bool {
    // Without an early return, so that the compiler vectorises it.
    values
        .chunks(4096)
        .all(|part| part.iter().fold(true, |all, v| all & v.is_finite()))
}

/// A tensor to be written.
pub(crate) struct TensorSlice<'a> {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Slice<'a>,
}

/// The borrowed values of a tensor.
#[derive(Clone, Copy)]
pub(crate) enum Slice<'a> {
    U8(&'a [u8]),
    U16(&'a [u16]),
    U32(&'a [u32]),
    F32(&'a [f32]),
    I64(&'a [i64]),
}

impl Slice<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::U8(values) => values,
            Self::U16(values) => bytemuck::cast_slice(values),
            Self::U32(values) => bytemuck::cast_slice(values),
            Self::F32(values) => bytemuck::cast_slice(values),
            Self::I64(values) => bytemuck::cast_slice(values),
        }
    }
}

impl View for TensorSlice<'_> {
    fn dtype(&self) -> Dtype {
        match self.values {
            Slice::U8(_) => Dtype::U8,
            Slice::U16(_) => Dtype::U16,
            Slice::U32(_) => Dtype::U32,
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
    tensors: impl IntoIterator<Item = (String, TensorSlice<'a>)>,
    metadata: HashMap<String, String>,
) -> Result<()> {
    let (tensors, metadata) = with_checksum(tensors, metadata);
    let written = serialize_to_file(tensors, Some(metadata), path)
        .map_err(|error| wrong(path, error))
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

/// Writes a small file as `temporary` and renames it to `path`, so that readers always see a whole file. It need not
/// survive a power cut. On an error no file is left.
pub(crate) fn replace<'a>(
    path: &Path,
    temporary: &Path,
    tensors: impl IntoIterator<Item = (String, TensorSlice<'a>)>,
    metadata: HashMap<String, String>,
) -> Result<()> {
    let (tensors, metadata) = with_checksum(tensors, metadata);
    let bytes = serialize(tensors, Some(metadata)).map_err(|error| wrong(path, error))?;
    let written = fs::write(temporary, bytes).and_then(|()| fs::rename(temporary, path));
    written.map_err(|e| {
        let _ = fs::remove_file(temporary);
        Error::file(path, e)
    })
}

fn with_checksum<'a>(
    tensors: impl IntoIterator<Item = (String, TensorSlice<'a>)>,
    mut metadata: HashMap<String, String>,
) -> (Vec<(String, TensorSlice<'a>)>, HashMap<String, String>) {
    let tensors: Vec<_> = tensors.into_iter().collect();
    let facts = tensors.iter().map(|(name, numbers)| Facts {
        name,
        dtype: numbers.dtype(),
        shape: &numbers.shape,
        bytes: numbers.values.bytes(),
    });
    let sum = checksum(&metadata, facts.collect());
    metadata.insert(CHECKSUM.to_owned(), sum);
    (tensors, metadata)
}

/// What the checksum covers of a tensor.
struct Facts<'a> {
    name: &'a str,
    dtype: Dtype,
    shape: &'a [usize],
    bytes: &'a [u8],
}

/// The checksum of a file. It does not depend on the order of entries.
fn checksum(metadata: &HashMap<String, String>, mut tensors: Vec<Facts<'_>>) -> String {
    let mut sum = 0;
    // With its length, so that the boundaries between parts count.
    let mut add = |part: &[u8]| {
        sum = crc32c::crc32c_append(sum, &(part.len() as u64).to_le_bytes());
        sum = crc32c::crc32c_append(sum, part);
    };
    let metadata: BTreeMap<_, _> = metadata
        .iter()
        .filter(|(name, _)| *name != CHECKSUM)
        .collect();
    for (name, value) in metadata {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    tensors.sort_by_key(|tensor| tensor.name);
    for tensor in tensors {
        add(tensor.name.as_bytes());
        add(format!("{:?} {:?}", tensor.dtype, tensor.shape).as_bytes());
        add(tensor.bytes);
    }
    format!("{sum:08x}")
}

/// Verifies the checksum of a file that has one.
fn intact(
    metadata: &HashMap<String, String>,
    file: &SafeTensors<'_>,
) -> std::result::Result<(), String> {
    let Some(written) = metadata.get(CHECKSUM) else {
        return Ok(());
    };
    let tensors: Vec<_> = file.iter().collect();
    let facts = tensors.iter().map(|(name, tensor)| Facts {
        name,
        dtype: tensor.dtype(),
        shape: tensor.shape(),
        bytes: tensor.data(),
    });
    if checksum(metadata, facts.collect()) == *written {
        Ok(())
    } else {
        Err("it is damaged: its checksum is not that of its content".to_owned())
    }
}

fn wrong(path: &Path, error: SafeTensorError) -> Error {
    match error {
        SafeTensorError::IoError(source) => Error::file(path, source),
        other => Error::checkpoint(path, other.to_string()),
    }
}

/// The content of a file.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) metadata: HashMap<String, String>,
    pub(crate) tensors: HashMap<String, (Vec<usize>, TensorValues)>,
    /// Tensors of unsupported types, each with a message.
    pub(crate) unsupported: HashMap<String, String>,
}

/// Reads a file that this program wrote; `None` if there is no file.
///
/// # Errors
/// [`Error::Checkpoint`] for a file that is truncated or damaged, has too long a header, or holds an unsupported type.
pub(crate) fn read(path: &Path) -> Result<Option<Content>> {
    read_watched(path, &mut |_, _| {})
}

/// As [`read`], and tells how many bytes of how many are read.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_watched(path: &Path, watch: &mut Watch<'_>) -> Result<Option<Content>> {
    let content = read_with(path, intact, watch)?;
    match content.as_ref().and_then(|c| c.unsupported.values().min()) {
        Some(message) => Err(Error::checkpoint(path, message)),
        None => Ok(content),
    }
}

/// Reads a file of a user; `None` if there is no file. Another program may have changed the values and kept the
/// metadata, so the checksum is not verified. A tensor of an unsupported type is no error yet, because the caller may
/// not need it.
///
/// # Errors
/// [`Error::Checkpoint`] for a file that is truncated, has too long a header, or names a tensor twice.
pub(crate) fn read_foreign(path: &Path) -> Result<Option<Content>> {
    read_with(path, |_, _| Ok(()), &mut |_, _| {})
}

/// Called with the bytes that are read, and those of the file.
pub(crate) type Watch<'a> = dyn FnMut(u64, u64) + 'a;

type Check = fn(&HashMap<String, String>, &SafeTensors<'_>) -> std::result::Result<(), String>;

fn read_with(path: &Path, check: Check, watch: &mut Watch<'_>) -> Result<Option<Content>> {
    let Some(mut file) = Opened::at(path)? else {
        return Ok(None);
    };
    let bytes = file.bytes(file.size, watch)?;
    content(&bytes, check)
        .map(Some)
        .map_err(|message| Error::checkpoint(path, message))
}

/// Reads the metadata of a file without its tensors; `None` if there is no file.
///
/// # Errors
/// As [`read`].
pub(crate) fn metadata(path: &Path) -> Result<Option<HashMap<String, String>>> {
    let Some(mut file) = Opened::at(path)? else {
        return Ok(None);
    };
    /// The header without its tensors.
    #[derive(Deserialize)]
    struct Head {
        #[serde(rename = "__metadata__", default)]
        metadata: HashMap<String, String>,
    }
    let bytes = file.bytes(8 + file.header, &mut |_, _| {})?;
    serde_json::from_slice(&bytes[8..])
        .map(|Head { metadata }| Some(metadata))
        .map_err(|e| Error::checkpoint(path, e.to_string()))
}

/// The bytes of a file of at most `most` bytes; `None` if there is no file.
///
/// # Errors
/// [`Error::Checkpoint`] for a file that is truncated, damaged or too long, or has too long a header.
pub(crate) fn bytes_of(path: &Path, most: u64) -> Result<Option<Vec<u8>>> {
    let Some(mut file) = Opened::at(path)? else {
        return Ok(None);
    };
    if file.size > most {
        let message = format!("it is longer than {most} bytes");
        return Err(Error::checkpoint(path, message));
    }
    let bytes = file.bytes(file.size, &mut |_, _| {})?;
    opened(&bytes, intact).map_err(|message| Error::checkpoint(path, message))?;
    Ok(Some(bytes))
}

/// A verified file, and its metadata.
fn opened(
    bytes: &[u8],
    check: Check,
) -> std::result::Result<(SafeTensors<'_>, HashMap<String, String>), String> {
    let header = bytes
        .split_first_chunk::<8>()
        .and_then(|(length, rest)| rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?));
    if let Some(name) = header.and_then(repeated_name) {
        return Err(format!("{name} is there twice in its header"));
    }
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(in_words)?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let file = SafeTensors::deserialize(bytes).map_err(in_words)?;
    check(&metadata, &file)?;
    Ok((file, metadata))
}

/// An open file whose header has a plausible length.
struct Opened<'a> {
    path: &'a Path,
    file: File,
    size: u64,
    header: u64,
    start: [u8; 8],
}

impl<'a> Opened<'a> {
    fn at(path: &'a Path) -> Result<Option<Self>> {
        let failed = |e| Error::file(path, e);
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let size = file.metadata().map_err(failed)?.len();
        let mut start = [0; 8];
        if size >= 8 {
            file.read_exact(&mut start).map_err(failed)?;
        }
        let header = u64::from_le_bytes(start);
        if size < 8 || header > LONGEST_HEADER.min(size - 8) {
            let message = "its header is longer than 1 MiB, or cut off";
            return Err(Error::checkpoint(path, message));
        }
        Ok(Some(Self {
            path,
            file,
            size,
            header,
            start,
        }))
    }

    /// The first bytes of the file.
    fn bytes(&mut self, count: u64, watch: &mut Watch<'_>) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
        bytes.extend(self.start);
        while (bytes.len() as u64) < count {
            watch(bytes.len() as u64, count);
            let part = PART.min(count - bytes.len() as u64);
            let read = (&mut self.file).take(part).read_to_end(&mut bytes);
            // The file is shorter than it was; its content shows that.
            if read.map_err(|e| Error::file(self.path, e))? == 0 {
                break;
            }
        }
        watch(bytes.len() as u64, count);
        Ok(bytes)
    }
}

/// The message of an error, in terms of what a user sees.
fn in_words(error: SafeTensorError) -> String {
    match error {
        SafeTensorError::MetadataIncompleteBuffer => {
            "its tensors do not end where the file does: it is cut off, or has something at its end"
                .to_owned()
        }
        SafeTensorError::InvalidOffset(name) => {
            format!("the place of {name} does not fit those of the tensors beside it")
        }
        SafeTensorError::TensorInvalidInfo => {
            "a tensor in its header has another number of bytes than its shape needs".to_owned()
        }
        other => other.to_string(),
    }
}

fn content(bytes: &[u8], check: Check) -> std::result::Result<Content, String> {
    let (file, metadata) = opened(bytes, check)?;
    let (mut tensors, mut unsupported) = (HashMap::new(), HashMap::new());
    for (name, tensor) in file.iter() {
        // The values may have any alignment.
        let values = match tensor.dtype() {
            Dtype::F32 => TensorValues::F32(numbers(tensor.data(), f32::from_le_bytes)),
            Dtype::F16 => {
                TensorValues::F32(numbers(tensor.data(), |b| f16::from_le_bytes(b).to_f32()))
            }
            Dtype::BF16 => {
                TensorValues::F32(numbers(tensor.data(), |b| bf16::from_le_bytes(b).to_f32()))
            }
            Dtype::F64 => {
                TensorValues::F32(numbers(tensor.data(), |b| f64::from_le_bytes(b) as f32))
            }
            Dtype::I64 => TensorValues::I64(numbers(tensor.data(), i64::from_le_bytes)),
            Dtype::I32 => {
                TensorValues::I64(numbers(tensor.data(), |b| i32::from_le_bytes(b).into()))
            }
            other => {
                let message = format!(
                    "{name} is of the type {other:?}; F16, BF16, F32, F64, I32 and I64 are taken"
                );
                unsupported.insert(name.to_owned(), message);
                continue;
            }
        };
        tensors.insert(name.to_owned(), (tensor.shape().to_vec(), values));
    }
    Ok(Content {
        metadata,
        tensors,
        unsupported,
    })
}

/// A name that is twice in a header. JSON parsers silently take the last.
fn repeated_name(header: &[u8]) -> Option<String> {
    /// Reads only the names.
    struct Names(Option<String>);
    impl<'de> Deserialize<'de> for Names {
        fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
            struct Visitor;
            impl<'de> de::Visitor<'de> for Visitor {
                type Value = Names;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a map")
                }

                fn visit_map<A: de::MapAccess<'de>>(
                    self,
                    mut map: A,
                ) -> std::result::Result<Names, A::Error> {
                    let (mut seen, mut repeated) = (HashSet::new(), None);
                    while let Some((name, _)) = map.next_entry::<String, de::IgnoredAny>()? {
                        if !seen.insert(name.clone()) {
                            repeated.get_or_insert(name);
                        }
                    }
                    Ok(Names(repeated))
                }
            }
            from.deserialize_map(Visitor)
        }
    }
    serde_json::from_slice::<Names>(header).ok()?.0
}

fn numbers<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    let each = bytes.as_chunks().0.iter();
    each.map(|bytes| number(*bytes)).collect()
}
