//! The IDX format of MNIST: four big-endian integers, then a byte per pixel; two integers, then a byte per label.
//! Described at <https://yann.lecun.com/exdb/mnist/>.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::folders::is_system_file;
use super::tree::{Node, Tree};
use super::{
    Import, Report, Target, counts, fault, labels_out_of_range, notes, read_up_to, rest,
    wrong_length,
};
use crate::data::fault::{bytes, count};
use crate::data::known::FileLayout;
use crate::data::photos::of_classes;
use crate::data::{MOST_SIDE, known};
use crate::error::Fault;
use crate::error::{Error, Result};

/// The most bytes of an unpacked file; MNIST has 47 million.
const MOST: u64 = 1 << 30;

/// The first bytes of gzip files.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The four files: images before labels, training before test.
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
    /// The header of bytes in a number of dimensions.
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

    /// The original name of a file.
    fn file(self, stem: &str) -> String {
        format!("{stem}-idx{}-ubyte.gz", self.magic()[3])
    }
}

/// Whether bytes begin like a file of images or labels.
pub(super) fn is_idx(head: &[u8]) -> bool {
    [Kind::Images, Kind::Labels]
        .iter()
        .any(|kind| head.starts_with(&kind.magic()))
}

/// The index of a name among the four files.
fn slot(name: &str, head: &[u8]) -> Option<usize> {
    let name = name.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let starts = |kind: Kind| head.starts_with(&kind.magic());
    let kind = if says(&["images", "idx3"]) || starts(Kind::Images) {
        0
    } else if says(&["labels", "idx1"]) || starts(Kind::Labels) {
        1
    } else {
        return None;
    };
    if says(&["t10k", "test"]) {
        Some(2 + kind)
    } else if says(&["train"]) {
        Some(kind)
    } else {
        None
    }
}

/// Whether a name is that of a file of this format.
fn has_idx_name(node: &Node) -> bool {
    node.parts.last().is_some_and(|name| {
        let name = name.to_lowercase();
        ["ubyte", "idx3", "idx1"]
            .iter()
            .any(|word| name.contains(word))
    })
}

/// The most files of a tree of this format.
const MOST_FILES: usize = 64;

/// Whether a tree contains any of the files.
pub(super) fn found_in(tree: &mut Tree) -> bool {
    !nodes(tree).is_empty()
}

/// The files of this format, and their first bytes.
fn nodes(tree: &mut Tree) -> Vec<(Node, Vec<u8>)> {
    let files: Vec<_> = tree
        .nodes()
        .iter()
        .filter(|node| !node.is_folder && !is_system_file(node))
        .cloned()
        .collect();
    if files.len() > MOST_FILES {
        return Vec::new();
    }
    let with_head = files.into_iter().map(|node| {
        let head = tree.head(&node);
        let unpacked = if head.starts_with(&GZIP) {
            read_up_to(&mut MultiGzDecoder::new(&head[..]), 16).0
        } else {
            head
        };
        (node, unpacked)
    });
    with_head
        .filter(|(node, head)| is_idx(head) || has_idx_name(node))
        .collect()
}

/// The content of a file.
#[derive(Default)]
struct Idx {
    path: PathBuf,
    count: usize,
    /// Height and width of an image; 1 and 1 for labels.
    size: [usize; 2],
    bytes: Vec<u8>,
}

pub(super) fn read(folder: &Path, tree: &mut Tree, target: &Target<'_>) -> Result<Import> {
    if tree.is_one_file() {
        let names = FILES.map(|(stem, kind)| kind.file(stem)).join(", ");
        let message = format!(
            "is one of four files that make a data set together ({names}); give all four, in a folder or an archive"
        );
        return Err(Error::Refused(vec![fault(folder, message)]));
    }
    let mut faults = Vec::new();
    let mut files = Vec::new();
    let mut slots: [Vec<Node>; 4] = Default::default();
    for (node, head) in nodes(tree) {
        let place = node.parts.last().and_then(|name| slot(name, &head));
        // Some archives have a folder of that name.
        match place.or_else(|| slot(&node.name(), &head)) {
            Some(place) => slots[place].push(node),
            None => {
                let message =
                    "is an IDX file, and its name says neither train nor t10k, the test; rename it";
                faults.push(fault(&folder.join(node.name()), message.to_owned()));
            }
        }
    }
    for ((stem, kind), mut nodes) in FILES.into_iter().zip(slots) {
        // A file that exists both packed and unpacked counts once; of several, the one least deep is used.
        nodes.sort_by_key(|node| (node.parts.len(), !node.name().ends_with(".gz")));
        let file = match &nodes[..] {
            [] => Err(fault(
                &folder.join(kind.file(stem)),
                "is missing".to_owned(),
            )),
            [first, second, ..] if others(first, second) => {
                let message = format!(
                    "is there twice, as {} too; give one data set at a time",
                    second.name()
                );
                Err(fault(&folder.join(first.name()), message))
            }
            [node, ..] => open(folder, tree, node, kind),
        };
        match file {
            Ok(file) => files.push(file),
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(Error::Refused(faults));
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
    let labels = train_labels.bytes.iter().copied();
    let recognised = target.recognised(FileLayout::Idx, train.count, test.count, labels);
    let classes: Vec<String> = match target.known.or(recognised.and_then(|row| known(row.set))) {
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
    let class_counts = counts(&classes, labels());
    let report = Report {
        format: "IDX files".to_owned(),
        known: recognised.map(|row| row.set.to_owned()),
        images: train.count + test.count,
        test: Some(test.count),
        warnings: of_classes(&class_counts),
        classes: class_counts,
        channels: 1,
        side: width,
        photos: None,
        sizes: [[width as u32; 2], [height as u32; 2]],
        unreadable: Vec::new(),
        ignored: Vec::new(),
        notes: notes(&draft, &classes, Some(train.count)),
    };
    let ready = draft.finish(target.metadata(classes, 1, width, Some(train.count)))?;
    Ok(Import { ready, report })
}

/// Whether two files are in the same folder and are not the packed and unpacked form of one file.
fn others(first: &Node, second: &Node) -> bool {
    let stem = |node: &Node| node.name().trim_end_matches(".gz").to_owned();
    first.parts.len() == second.parts.len() && stem(first) != stem(second)
}

/// Reads a file of a tree.
fn open(
    folder: &Path,
    tree: &mut Tree,
    node: &Node,
    kind: Kind,
) -> std::result::Result<Idx, Fault> {
    let path = folder.join(node.name());
    let is_packed = tree.head(node).starts_with(&GZIP);
    let parsed = tree.file(node).and_then(|mut file| {
        if is_packed {
            parse(&mut MultiGzDecoder::new(BufReader::new(file)), kind)
        } else {
            parse(&mut file, kind)
        }
    });
    match parsed {
        Ok(idx) => Ok(Idx { path, ..idx }),
        Err(message) => Err(fault(&path, message)),
    }
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
        return Err(format!(
            "is no IDX file of {}: it begins with {}, not {}",
            kind.name(),
            hex::encode(&head[..4]),
            hex::encode(kind.magic())
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
