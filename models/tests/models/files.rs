//! Generated files of data sets, valid and invalid.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::json;
use tempfile::TempDir;
use vivarium_models::data::{self, Fault, Import, ImportLimits, Library};
use vivarium_models::error::Error;
use vivarium_models::form;

/// A library and a folder for files, both removed after the test.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) library: Library,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            library: Library::in_folder(folder.path().join("datasets")),
            folder,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn import_with(
        &self,
        set: &str,
        path: &Path,
        limits: &ImportLimits,
    ) -> Result<Import, Error> {
        data::import(&self.library, set, set, path, limits, &|_, _| true)
    }

    pub(crate) fn import(&self, set: &str, path: &Path) -> Result<Import, Error> {
        self.import_with(set, path, &ImportLimits::default())
    }

    /// Imports valid files under a name.
    pub(crate) fn publish(&self, set: &str, path: &Path) -> data::Report {
        let Import { ready, report } = self.import(set, path).unwrap();
        self.library.publish(ready, set, false).unwrap();
        report
    }

    /// The message for refused files; checks that nothing is left of them.
    pub(crate) fn refusal(&self, set: &str, path: &Path) -> Vec<Fault> {
        self.refusal_with(set, path, &ImportLimits::default())
    }

    pub(crate) fn refusal_with(&self, set: &str, path: &Path, limits: &ImportLimits) -> Vec<Fault> {
        let faults = match self.import_with(set, path, limits) {
            Err(Error::Refused(faults)) => faults,
            other => panic!("{} was not refused: {other:?}", path.display()),
        };
        assert_eq!(self.left(), Vec::<PathBuf>::new());
        faults
    }

    /// The entries of the library's folder.
    pub(crate) fn left(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("datasets")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// The bytes of a published set's images; of photos, at the size that runs take unless told otherwise.
    pub(crate) fn pixels(&self, set: &str) -> Vec<u8> {
        let folder = self.path("datasets").join(set);
        let about = self.library.find(set).unwrap().metadata.unwrap();
        if about.photos.is_none() {
            return fs::read(folder.join("pixels.u8")).unwrap();
        }
        let document = json!({"data": {"set": set}, "network": {"kind": "mlp"}});
        let run = form::check(&document, &self.library).unwrap();
        assert!(data::prepare(&run.data, &self.library, &mut |_| true).unwrap());
        let prepared = format!("prepared/{}-{}-crop.u8", about.side, about.channels);
        let bytes = fs::read(folder.join(prepared)).unwrap();
        let values = about.images * about.channels * about.side * about.side;
        bytes[64..64 + values].to_vec()
    }
}

/// The four files of a small set of 4x4 pixels: by name, in their right order.
pub(crate) fn idx(train: u32, test: u32) -> [(&'static str, Vec<u8>); 4] {
    [
        ("train-images-idx3-ubyte", idx_images(train, 4, 1)),
        ("train-labels-idx1-ubyte", idx_labels(train)),
        ("t10k-images-idx3-ubyte", idx_images(test, 4, 2)),
        ("t10k-labels-idx1-ubyte", idx_labels(test)),
    ]
}

pub(crate) fn idx_images(count: u32, side: u32, seed: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in [0x803, count, side, side] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend(
        (0..count * side * side)
            .map(|i| (i.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 13) as u8),
    );
    bytes
}

/// Labels 0, 1, 2, 0, 1, 2, …
pub(crate) fn idx_labels(count: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in [0x801, count] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend((0..count).map(|i| (i % 3) as u8));
    bytes
}

pub(crate) fn write_all(folder: &Path, files: &[(impl AsRef<Path>, Vec<u8>)]) {
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

pub(crate) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The files of CIFAR-10, or of CIFAR-100, with so many images each.
pub(crate) fn cifar(hundred: bool, each: usize) -> Vec<(&'static str, Vec<u8>)> {
    let names: &[&str] = if hundred {
        &["train.bin", "test.bin"]
    } else {
        &[
            "data_batch_1.bin",
            "data_batch_2.bin",
            "data_batch_3.bin",
            "data_batch_4.bin",
            "data_batch_5.bin",
            "test_batch.bin",
        ]
    };
    let file = |file: usize| {
        let image = |i: usize| {
            let label = if hundred {
                vec![(i % 20) as u8, (i % 100) as u8]
            } else {
                vec![(i % 10) as u8]
            };
            let pixels = (0..3072).map(move |p| (p / 1024 * 80 + i * 7 + file) as u8);
            label.into_iter().chain(pixels)
        };
        (0..each).flat_map(image).collect()
    };
    names
        .iter()
        .enumerate()
        .map(|(i, name)| (*name, file(i)))
        .collect()
}

pub(crate) fn tar_gz(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let named = files
        .iter()
        .map(|(name, bytes)| (format!("cifar/{name}"), bytes.clone()));
    gz(&tar(&named.collect::<Vec<_>>()))
}

pub(crate) fn tar(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    archive.into_inner().unwrap()
}

/// A small JPEG.
pub(crate) fn jpeg() -> Vec<u8> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/photos/rgb.jpg");
    fs::read(golden).unwrap()
}

/// A PNG of one colour with a darker corner.
pub(crate) fn png(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    let image = RgbImage::from_fn(width, height, |x, y| {
        Rgb(if x < width / 2 && y < height / 2 {
            colour.map(|c| c / 2)
        } else {
            colour
        })
    });
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Two folders of a few images each.
pub(crate) fn photos() -> Vec<(String, Vec<u8>)> {
    let one = |i: u32| {
        let class = if i.is_multiple_of(2) { "cats" } else { "dogs" };
        let colour = if i.is_multiple_of(2) {
            [200, 40, 20]
        } else {
            [20, 40, 200]
        };
        (format!("{class}/{i}.png"), png(16 + i, 20, colour))
    };
    (0..20).map(one).collect()
}

/// An entry of a zip, with freely chosen fields for malicious archives.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// The Unix mode: file type and permissions.
    pub(crate) mode: u32,
    /// Its name as bytes, without the UTF-8 flag.
    pub(crate) raw: Option<Vec<u8>>,
    /// Shares the bytes of this entry.
    pub(crate) shares: Option<usize>,
}

pub(crate) fn entry(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Entry {
    Entry {
        name: name.into(),
        bytes: bytes.into(),
        mode: 0o100_644,
        raw: None,
        shares: None,
    }
}

/// A zip in which nothing is compressed.
pub(crate) fn zip(entries: &[Entry]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut directory = Vec::new();
    let mut offsets: Vec<usize> = Vec::new();
    for entry in entries {
        let source = entry.shares.map_or(entry, |shared| &entries[shared]);
        let mut crc = flate2::Crc::new();
        crc.update(&source.bytes);
        let size = source.bytes.len() as u32;
        let mut common = Vec::new();
        // Version, flags, stored, time, date.
        let name = entry.raw.as_deref().unwrap_or(entry.name.as_bytes());
        let flags = if entry.raw.is_some() { 0 } else { 0x800 };
        for number in [20u16, flags, 0, 0, 0x21] {
            common.extend(number.to_le_bytes());
        }
        for number in [crc.sum(), size, size] {
            common.extend(number.to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        let offset = entry.shares.map_or(file.len(), |shared| offsets[shared]);
        offsets.push(offset);
        if entry.shares.is_none() {
            file.extend(b"PK\x03\x04");
            file.extend(&common);
            file.extend(name);
            file.extend(&entry.bytes);
        }
        directory.extend(b"PK\x01\x02");
        // Made on Unix.
        directory.extend([20, 3]);
        directory.extend(&common);
        // Comment, disk, attributes inside.
        directory.extend([0; 6]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend((offset as u32).to_le_bytes());
        directory.extend(name);
    }
    let start = file.len() as u32;
    file.extend(&directory);
    file.extend(b"PK\x05\x06");
    file.extend([0; 4]);
    for _ in 0..2 {
        file.extend((entries.len() as u16).to_le_bytes());
    }
    file.extend((directory.len() as u32).to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0; 2]);
    file
}

/// The faults of a file, by the end of its name.
pub(crate) fn of<'a>(faults: &'a [Fault], file: &str) -> Vec<&'a str> {
    faults
        .iter()
        .filter(|f| f.file.ends_with(file))
        .map(|f| f.message.as_str())
        .collect()
}

pub(crate) fn assert_says(faults: &[Fault], file: &str, words: &str) {
    assert!(
        of(faults, file)
            .iter()
            .any(|message| message.contains(words)),
        "{file}: {words:?} is not in {faults:?}"
    );
}
