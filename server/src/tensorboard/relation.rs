//! Compares files with those of an imported run: the same, grown, or older.
//!
//! Writers of event files only append, and create further files. So files have grown if the existing ones are their
//! beginnings. A file's name has a time and a host, but copies of a run that was continued share their beginnings: the
//! known folders must match, too.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::Path;

use super::find::{LogFile, Logged};

/// Bytes read at once of each file.
const PIECE: usize = 1 << 16;

/// The relation of files to those of an imported run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// They begin with the existing ones, and have more.
    Grown,
    /// The existing ones begin with them, and have more.
    Older,
    /// They have the same names and other content.
    Different,
    /// Nothing indicates that they belong to the same run.
    Unrelated,
}

/// The files of a run, and the folder that contained them.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The searched folder, if it is known.
    pub root: Option<&'a str>,
    /// The files below it.
    pub logged: &'a Logged,
}

/// The relation of the `new` files to the `old` ones.
///
/// # Errors
/// When a file cannot be read.
pub fn relation(old: Files<'_>, new: Files<'_>) -> io::Result<Relation> {
    let (mut same, mut longer, mut shorter) = (0, 0, 0);
    let mut left: BTreeMap<usize, &LogFile> = new.logged.files.iter().enumerate().collect();
    for file in &old.logged.files {
        let is_it = |other: &LogFile| {
            other.prefix == file.prefix && is_one_place(old.root, &file.name, new.root, &other.name)
        };
        let Some(at) = left
            .iter()
            .find(|(_, other)| is_it(other))
            .map(|(&at, _)| at)
        else {
            continue;
        };
        let Some(other) = left.remove(&at) else {
            continue;
        };
        match begin_alike(&file.path, &other.path)? {
            Lengths::Same => same += 1,
            Lengths::SecondIsLonger => longer += 1,
            Lengths::FirstIsLonger => shorter += 1,
            Lengths::Different => return Ok(Relation::Different),
        }
    }
    let met = same + longer + shorter;
    Ok(match () {
        () if met == 0 => Relation::Unrelated,
        // They contain all existing files.
        () if met == old.logged.files.len() && shorter == 0 => Relation::Grown,
        // The existing files contain all of them.
        () if left.is_empty() && longer == 0 => Relation::Older,
        () => Relation::Different,
    })
}

/// Whether two paths may be of the same file: their known parts agree, from the end.
fn is_one_place(root: Option<&str>, name: &str, other_root: Option<&str>, other: &str) -> bool {
    let parts = |root: Option<&str>, name: &str| {
        // The searched folder counts only for files directly in it: archives are downloaded under one name and contain
        // a folder of another.
        let root = root.filter(|_| !name.contains('/'));
        let parts = root.into_iter().chain(name.split('/'));
        parts.map(str::to_owned).rev().collect::<Vec<_>>()
    };
    let (one, two) = (parts(root, name), parts(other_root, other));
    one.iter().zip(&two).all(|(a, b)| a == b)
}

/// The lengths of two files with the same beginning.
enum Lengths {
    Same,
    FirstIsLonger,
    SecondIsLonger,
    Different,
}

/// Compares two files up to the end of the shorter one. Trailing zeros of the first are ignored: the data had not
/// reached the disk yet.
fn begin_alike(first: &Path, second: &Path) -> io::Result<Lengths> {
    let open = |path| File::open(path).map(|file| BufReader::with_capacity(PIECE, file));
    let (mut first, mut second) = (open(first)?, open(second)?);
    let (mut a, mut b) = (vec![0; PIECE], vec![0; PIECE]);
    loop {
        let (in_a, in_b) = (fill(&mut first, &mut a)?, fill(&mut second, &mut b)?);
        let both = in_a.min(in_b);
        if let Some(at) = a[..both].iter().zip(&b[..both]).position(|(a, b)| a != b) {
            let mut rest = a[at..in_a].to_vec();
            loop {
                if rest.iter().any(|&byte| byte != 0) {
                    return Ok(Lengths::Different);
                }
                rest.resize(PIECE, 0);
                match fill(&mut first, &mut rest)? {
                    0 => return Ok(Lengths::SecondIsLonger),
                    filled => rest.truncate(filled),
                }
            }
        }
        match in_a.cmp(&in_b) {
            std::cmp::Ordering::Less => return Ok(Lengths::SecondIsLonger),
            std::cmp::Ordering::Greater => return Ok(Lengths::FirstIsLonger),
            std::cmp::Ordering::Equal if in_a == 0 => return Ok(Lengths::Same),
            std::cmp::Ordering::Equal => {}
        }
    }
}

fn fill(from: &mut impl io::Read, piece: &mut [u8]) -> io::Result<usize> {
    let wanted = piece.len() as u64;
    let mut filled = 0;
    let mut rest = from.take(wanted);
    while filled < piece.len() {
        match rest.read(&mut piece[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_same_as_far_as_it_is_known() {
        for (root, name, other_root, other, same) in [
            (None, "e", None, "e", true),
            (None, "e", None, "f", false),
            (Some("logs"), "a/e", Some("b"), "logs/a/e", true),
            (Some("logs"), "a/e", Some("a"), "e", true),
            (Some("a"), "e", Some("b"), "e", false),
            (Some("a"), "e", None, "e", true),
            (Some("logs"), "a/e", Some("logs"), "b/e", false),
            (Some("logs (1)"), "a/e", Some("logs"), "a/e", true),
            (Some("logs"), "a/e", Some("b"), "e", false),
        ] {
            assert_eq!(
                is_one_place(root, name, other_root, other),
                same,
                "{root:?} {name} {other_root:?} {other}"
            );
        }
    }

    #[test]
    fn files_that_only_grew_are_told_from_older_and_from_other_ones() {
        let folder = tempfile::tempdir().unwrap();
        let logged = |of: &str, files: &[(&str, &[u8])]| {
            let files = files.iter().map(|(name, bytes)| {
                let path = folder
                    .path()
                    .join(format!("{of}-{}", name.replace('/', "-")));
                std::fs::write(&path, bytes).unwrap();
                LogFile {
                    path,
                    name: (*name).to_owned(),
                    prefix: String::new(),
                }
            });
            Logged {
                name: String::new(),
                files: files.collect(),
            }
        };
        let long = vec![7; 3 * PIECE];
        let longer = [&long[..], &[8]].concat();
        let holed = [&long[..], &[0; 2 * PIECE + 9]].concat();
        let one = |bytes: &'static [u8]| vec![("r/1", bytes)];
        for (old, new, expected) in [
            (one(b"ab"), one(b"abc"), Relation::Grown),
            (one(b"abc"), one(b"ab"), Relation::Older),
            (one(b"ab"), one(b"ac"), Relation::Different),
            (one(b"ab"), vec![("q/1", &b"abc"[..])], Relation::Unrelated),
            (
                vec![("r/1", &long[..])],
                vec![("r/1", &longer[..])],
                Relation::Grown,
            ),
            (
                vec![("r/1", &holed[..])],
                vec![("r/1", &longer[..])],
                Relation::Grown,
            ),
            // One more file.
            (
                one(b"ab"),
                vec![("r/1", b"ab"), ("r/2", b"c")],
                Relation::Grown,
            ),
            (
                vec![("r/1", b"ab"), ("r/2", b"c")],
                one(b"ab"),
                Relation::Older,
            ),
            // Each has something that the other lacks.
            (
                vec![("r/1", b"ab"), ("r/2", b"c")],
                one(b"abc"),
                Relation::Different,
            ),
        ] {
            let (was, is) = (logged("old", &old), logged("new", &new));
            let files = |logged| Files { root: None, logged };
            let found = relation(files(&was), files(&is)).unwrap();
            assert_eq!(found, expected, "{} and {} files", old.len(), new.len());
        }
    }
}
