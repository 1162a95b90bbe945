//! A folder on disk. Links are followed, including those to folders, because users build folders of links to images
//! elsewhere. In archives links are never followed.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::names::RawName;
use super::{Listed, Listing, Place, fault, in_tree, special, too_many};
use crate::data::read::ImportLimits;
use crate::error::{Error, Result};

/// A folder that is not listed yet.
struct Open {
    path: PathBuf,
    /// Its name in the tree.
    name: Vec<u8>,
    /// Its ancestors and itself, with links resolved.
    chain: Vec<PathBuf>,
}

/// Everything in a folder and below it.
///
/// # Errors
/// When a folder cannot be listed, or there is too much in them.
pub(super) fn list(root: &Path, limits: &ImportLimits) -> Result<Listing> {
    let mut listing = Listing::default();
    let real = |path: &Path| fs::canonicalize(path).map_err(|e| Error::file(path, e));
    let mut open = vec![Open {
        path: root.to_owned(),
        name: Vec::new(),
        chain: vec![real(root)?],
    }];
    while let Some(Open { path, name, chain }) = open.pop() {
        for entry in fs::read_dir(&path).map_err(|e| Error::file(&path, e))? {
            let entry = entry.map_err(|e| Error::file(&path, e))?;
            if listing.entries.len() >= limits.files {
                return Err(too_many(root, limits));
            }
            let path = entry.path();
            let own = entry.file_name();
            let mut name = name.clone();
            if !name.is_empty() {
                name.push(b'/');
            }
            name.extend(own.as_encoded_bytes());
            let in_words = || String::from_utf8_lossy(&name).into_owned();
            let is_link = entry
                .file_type()
                .map_err(|e| Error::file(&path, e))?
                .is_symlink();
            let about = match fs::metadata(&path) {
                Ok(about) => about,
                Err(error) if is_link => {
                    let to = fs::read_link(&path).unwrap_or_default();
                    let what = if error.kind() == ErrorKind::NotFound {
                        format!("is a link to {}, where nothing is", to.display())
                    } else {
                        format!(
                            "is a link to {}, which cannot be followed: {error}",
                            to.display()
                        )
                    };
                    listing.unreadable.push(in_tree(in_words(), &what));
                    continue;
                }
                Err(error) => return Err(Error::file(&path, error)),
            };
            let place = if about.is_dir() {
                let mut chain = chain.clone();
                if is_link {
                    let to = real(&path)?;
                    if chain.contains(&to) {
                        let what =
                            format!("is a link to {}, a folder that it lies in", to.display());
                        listing.unreadable.push(in_tree(in_words(), &what));
                        continue;
                    }
                    chain.push(to);
                } else {
                    let here = chain.last().map(|last| last.join(&own));
                    chain.extend(here);
                }
                open.push(Open {
                    path,
                    name: name.clone(),
                    chain,
                });
                Place::None
            } else if about.is_file() {
                Place::File(path)
            } else {
                listing.faults.push(fault(&path, special(false).to_owned()));
                continue;
            };
            listing.entries.push(Listed {
                is_folder: matches!(place, Place::None),
                name: RawName::of_unknown(name),
                place,
            });
        }
    }
    Ok(listing)
}

/// A single file.
pub(super) fn of_one(path: &Path) -> Listing {
    let name = path
        .file_name()
        .unwrap_or_default()
        .as_encoded_bytes()
        .to_vec();
    Listing {
        entries: vec![Listed {
            name: RawName::of_unknown(name),
            is_folder: false,
            place: Place::File(path.to_owned()),
        }],
        ..Listing::default()
    }
}
