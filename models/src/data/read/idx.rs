//! The format of MNIST: four big-endian numbers, then a byte a pixel; two numbers, then a byte a label. Described at
//! <https://yann.lecun.com/exdb/mnist/>.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::{
    Import, Report, Target, counts, fault, labels_out_of_range, read_up_to, rest, wrong_length,
};
use crate::data::MOST_SIDE;
use crate::data::fault::{Fault, bytes, count};
use crate::error::{Error, Result};

/// Bytes of an unpacked file; MNIST has 47 million.
const MOST: u64 = 1 << 30;

/// The four files, images before labels, training before test.
const FILES: [(&str, Kind); 4] = [
    ("train-images", Kind::Images),
    ("train-labels", Kind::Labels),
    ("t10k-images", Kind::Images),
    ("t10k-labels", Kind::Labels),
];

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Images,
    Labels,
}

impl Kind {
    /// Bytes, in as many dimensions.
    fn magic(self) -> [u8; 4] {
        match self {
            Self::Images => [0, 0, 8, 3],
            Self::Labels => [0, 0, 8, 1],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Labels => "labels",
        }
    }

    /// The names under which a file is found.
    fn files(self, stem: &str) -> [String; 4] {
        let dimensions = self.magic()[3];
        [
            format!("{stem}-idx{dimensions}-ubyte.gz"),
            format!("{stem}-idx{dimensions}-ubyte"),
            format!("{stem}.idx{dimensions}-ubyte.gz"),
            format!("{stem}.idx{dimensions}-ubyte"),
        ]
    }
}

/// Whether any of the files is in a folder.
pub(super) fn is_here(folder: &Path) -> bool {
    FILES
        .iter()
        .any(|(stem, kind)| find(folder, stem, *kind).is_some())
}

fn find(folder: &Path, stem: &str, kind: Kind) -> Option<PathBuf> {
    kind.files(stem)
        .into_iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
}

/// What a file holds.
#[derive(Default)]
struct Idx {
    path: PathBuf,
    count: usize,
    /// Height and width of an image; 1 and 1 for labels.
    size: [usize; 2],
    bytes: Vec<u8>,
}

pub(super) fn read(folder: &Path, target: &Target<'_>) -> Result<Import> {
    let mut faults = Vec::new();
    let mut files = Vec::new();
    for (stem, kind) in FILES {
        let file = match find(folder, stem, kind) {
            Some(path) => open(&path, kind)?,
            None => Err(fault(
                &folder.join(&kind.files(stem)[0]),
                "is missing".to_owned(),
            )),
        };
        match file {
            Ok(file) => files.push(file),
            Err(fault) => faults.push(fault),
        }
    }
    let Ok([train, train_labels, test, test_labels]) = <[Idx; 4]>::try_from(files) else {
        return Err(Error::Refused(faults));
    };
    let sets = [(&train, &train_labels), (&test, &test_labels)];
    let most = |labels: &Idx| {
        labels
            .bytes
            .iter()
            .max()
            .map_or(0, |label| usize::from(*label) + 1)
    };
    let classes: Vec<String> = match target.known {
        Some(known) => known
            .classes
            .iter()
            .map(|class| (*class).to_owned())
            .collect(),
        None => (0..most(&train_labels).max(most(&test_labels)))
            .map(|class| class.to_string())
            .collect(),
    };
    let [height, width] = train.size;
    for (images, labels) in sets {
        faults.extend(labels_out_of_range(
            &labels.path,
            labels.bytes.iter().copied(),
            classes.len(),
        ));
        if images.count != labels.count {
            let message = format!(
                "has {} labels for {} images: does it belong to the other file?",
                count(labels.count as u64),
                count(images.count as u64)
            );
            faults.push(fault(&labels.path, message));
        }
        if images.size != train.size || height != width || height > MOST_SIDE {
            let [height, width] = images.size;
            let message = format!(
                "has images of {width}x{height}; they must be square, of one size, and at most {MOST_SIDE} wide"
            );
            faults.push(fault(&images.path, message));
        }
        if let Some(known) = target.known.filter(|known| images.size != [known.side; 2]) {
            let [height, width] = images.size;
            let message = format!(
                "has images of {width}x{height}, and must have {side}x{side}",
                side = known.side
            );
            faults.push(fault(&images.path, message));
        }
    }
    if train.count == 0 || test.count == 0 {
        faults.push(fault(
            folder,
            "holds no images for training, or none for the test".to_owned(),
        ));
    }
    faults.extend(target.complete(folder, train.count, test.count));
    if !faults.is_empty() {
        return Err(Error::Refused(faults));
    }
    let mut draft = target.library.draft()?;
    for (images, labels) in sets {
        draft.push(
            &images.bytes,
            labels.bytes.iter().map(|label| u16::from(*label)),
        )?;
    }
    let labels = || {
        sets.into_iter()
            .flat_map(|(_, labels)| labels.bytes.iter().map(|label| usize::from(*label)))
    };
    let report = Report {
        format: "IDX files".to_owned(),
        images: train.count + test.count,
        test: Some(test.count),
        classes: counts(&classes, labels()),
        channels: 1,
        side: width,
        sizes: [[width as u32; 2], [height as u32; 2]],
        unreadable: Vec::new(),
        ignored: Vec::new(),
    };
    let ready = draft.finish(target.about(classes, 1, width, Some(train.count)))?;
    Ok(Import { ready, report })
}

/// Reads a file; the inner error is what is wrong with it.
fn open(path: &Path, kind: Kind) -> Result<std::result::Result<Idx, Fault>> {
    let mut file = File::open(path).map_err(|e| Error::file(path, e))?;
    let (start, _) = read_up_to(&mut file, 2);
    file.rewind().map_err(|e| Error::file(path, e))?;
    let file = BufReader::new(file);
    let parsed = if start == [0x1f, 0x8b] {
        parse(&mut MultiGzDecoder::new(file), kind)
    } else {
        parse(&mut { file }, kind)
    };
    Ok(parsed
        .map(|idx| Idx {
            path: path.to_owned(),
            ..idx
        })
        .map_err(|message| fault(path, message)))
}

fn parse(from: &mut dyn Read, kind: Kind) -> std::result::Result<Idx, String> {
    let fields = match kind {
        Kind::Images => 4,
        Kind::Labels => 2,
    };
    let (head, result) = read_up_to(from, 4 * fields);
    let broken =
        |read: u64, error: std::io::Error| format!("cannot be read past {}: {error}", bytes(read));
    result.map_err(|e| broken(head.len() as u64, e))?;
    let other = if kind == Kind::Images {
        Kind::Labels
    } else {
        Kind::Images
    };
    if head.len() >= 4 && head[..4] == other.magic() {
        return Err(format!(
            "holds {}, and must hold {}: are the files swapped?",
            other.name(),
            kind.name()
        ));
    }
    if head.len() >= 4 && head[..4] != kind.magic() {
        let magic = |magic: &[u8]| {
            magic
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        return Err(format!(
            "is no IDX file of {}: it begins with {}, not {}",
            kind.name(),
            magic(&head[..4]),
            magic(&kind.magic())
        ));
    }
    let mut numbers = head
        .chunks_exact(4)
        .map(|n| u64::from(u32::from_be_bytes([n[0], n[1], n[2], n[3]])))
        .skip(1);
    if head.len() < 4 * fields as usize {
        return Err(format!(
            "is cut off in its first {fields} numbers: it has {}",
            bytes(head.len() as u64)
        ));
    }
    let samples = numbers.next().unwrap_or(0);
    let [height, width] = [0, 1].map(|_| numbers.next().unwrap_or(1));
    let body = u128::from(samples) * u128::from(height) * u128::from(width);
    let says = match kind {
        Kind::Images => format!(
            "it says it holds {} images of {width}x{height}",
            count(samples)
        ),
        Kind::Labels => format!("it says it holds {} labels", count(samples)),
    };
    let Some(body) = u64::try_from(body).ok().filter(|body| *body <= MOST) else {
        return Err(format!(
            "is not read: {says}, which is more than {}",
            bytes(MOST)
        ));
    };
    let (pixels, result) = read_up_to(from, body);
    let read = (head.len() + pixels.len()) as u64;
    result.map_err(|e| broken(read, e))?;
    let more = rest(from).map_err(|e| broken(read, e))?;
    if read + more != head.len() as u64 + body {
        return Err(format!(
            "{}; {says}",
            wrong_length(head.len() as u64 + body, read + more)
        ));
    }
    Ok(Idx {
        path: PathBuf::new(),
        count: samples as usize,
        size: [height as usize, width as usize],
        bytes: pixels,
    })
}
