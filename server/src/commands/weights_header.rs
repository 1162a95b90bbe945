//! The header of a safetensors file: enough to refuse one that is far too large without reading it.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Result};

/// The maximum length of a header.
const LONGEST: u64 = 1 << 20;

/// Bytes per number of the largest type.
const WIDEST: u64 = 8;

/// A file may hold a network several times: as it is, as an average, and with an optimizer's state.
const COPIES: u64 = 6;

/// Allowance for a last layer of other classes, and for metadata.
const HEAD: u64 = 1 << 30;
const MORE: u64 = 64 << 20;

/// The header of a file.
pub(super) struct Header {
    names: Vec<String>,
    size: u64,
}

impl Header {
    /// Reads the header; `None` if the file has none that is consistent with its size.
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        #[derive(Deserialize)]
        struct Tensor {
            data_offsets: [u64; 2],
        }
        let failed = |e| Error::file(path, e);
        let mut file = File::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        let mut start = [0; 8];
        if size < 8 {
            return Ok(None);
        }
        file.read_exact(&mut start).map_err(failed)?;
        let length = u64::from_le_bytes(start);
        if length > LONGEST.min(size - 8) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes).map_err(failed)?;
        let Ok(entries) = serde_json::from_slice::<HashMap<String, Value>>(&bytes) else {
            return Ok(None);
        };
        let mut names = Vec::new();
        let mut end = 0;
        for (name, entry) in entries {
            if name == "__metadata__" {
                continue;
            }
            let Ok(tensor) = serde_json::from_value::<Tensor>(entry) else {
                return Ok(None);
            };
            end = end.max(tensor.data_offsets[1]);
            names.push(name);
        }
        Ok((end == size - 8 - length).then_some(Self { names, size }))
    }

    /// Whether there are running statistics, as batch normalisation keeps them.
    pub(super) fn has_statistics(&self) -> bool {
        self.names
            .iter()
            .any(|name| name.ends_with(".running_mean"))
    }

    /// Refuses a file that is far larger than a network of so many numbers.
    pub(super) fn check(&self, path: &Path, numbers: u64, fresh_head: bool) -> Result<()> {
        let head = if fresh_head { HEAD } else { 0 };
        let most = numbers * WIDEST * COPIES + head + MORE;
        if self.size <= most {
            return Ok(());
        }
        let mib = |bytes: u64| bytes >> 20;
        Err(Error::Usage(format!(
            "{}: has {} MiB, and the network {numbers} numbers: at most {} MiB are read. Is it another network's file?",
            path.display(),
            mib(self.size),
            mib(most),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, size: u64) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        std::fs::write(file.path(), &bytes).unwrap();
        // A hole: it takes no room on the disk.
        file.as_file().set_len(bytes.len() as u64 + size).unwrap();
        file
    }

    #[test]
    fn a_file_that_is_far_too_large_is_refused_by_its_header() {
        let size: u64 = 64 << 30;
        let header = format!(
            r#"{{"a.running_mean": {{"dtype": "F32", "shape": [{}], "data_offsets": [0, {size}]}}}}"#,
            size / 4
        );
        let large = file(&header, size);
        let header = Header::read(large.path()).unwrap().unwrap();
        assert!(header.has_statistics());
        let told = header
            .check(large.path(), 1000, true)
            .unwrap_err()
            .to_string();
        assert!(
            told.contains("65536 MiB") && told.contains("1000 numbers"),
            "{told}"
        );
        assert!(header.check(large.path(), size / 4, false).is_ok());
    }

    #[test]
    fn what_is_no_safetensors_file_has_no_header() {
        for (header, size) in [("{", 0), ("[]", 0), (r#"{"a": 1}"#, 0), ("{}", 7)] {
            let file = file(header, size);
            assert!(Header::read(file.path()).unwrap().is_none(), "{header}");
        }
    }
}
