//! The photos that a command line names: files, and everything in folders, in the order of their names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use vivarium_models::data::is_system_name;

/// A file that was found, or a path that could not be followed.
pub(super) struct Found {
    /// The path, for users.
    pub(super) name: String,
    /// The path, or what is wrong with it.
    pub(super) result: Result<PathBuf, String>,
}

/// Finds photos one by one. It holds the names of the folders that it is in.
pub(super) struct Photos {
    /// What is still to be looked at, the next one last.
    open: Vec<Open>,
}

struct Open {
    path: PathBuf,
    /// The folders in which it lies, with links resolved.
    chain: Vec<PathBuf>,
}

impl Photos {
    pub(super) fn new(paths: &[PathBuf]) -> Self {
        let open = |path: &PathBuf| Open {
            path: path.clone(),
            chain: Vec::new(),
        };
        Self {
            open: paths.iter().rev().map(open).collect(),
        }
    }

    /// Puts the content of a folder next.
    fn enter(&mut self, path: &Path, mut chain: Vec<PathBuf>) -> io::Result<()> {
        let real = fs::canonicalize(path)?;
        if chain.contains(&real) {
            return Err(io::Error::other("is a link to a folder that it lies in"));
        }
        chain.push(real);
        let names = fs::read_dir(path)?.map(|entry| Ok(entry?.file_name()));
        let mut names = names.collect::<io::Result<Vec<_>>>()?;
        names.retain(|name| !is_system_name(&name.to_string_lossy()));
        names.sort_unstable_by(|a, b| b.cmp(a));
        self.open.extend(names.into_iter().map(|name| Open {
            path: path.join(name),
            chain: chain.clone(),
        }));
        Ok(())
    }
}

impl Iterator for Photos {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            let Open { path, chain } = self.open.pop()?;
            let result = match fs::metadata(&path) {
                Ok(about) if about.is_dir() => match self.enter(&path, chain) {
                    Ok(()) => continue,
                    Err(error) => Err(error.to_string()),
                },
                Ok(about) if about.is_file() => Ok(path.clone()),
                Ok(_) => Err("is neither a file nor a folder".to_owned()),
                Err(error) => Err(error.to_string()),
            };
            return Some(Found {
                name: path.to_string_lossy().into_owned(),
                result,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_walked_by_name_and_circles_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("b/inner")).unwrap();
        for name in [
            "c.png",
            "a.png",
            "b/2.png",
            "b/1.png",
            ".hidden",
            "Thumbs.db",
            "b/inner/x",
        ] {
            fs::write(root.join(name), name).unwrap();
        }
        std::os::unix::fs::symlink(root, root.join("b/inner/loop")).unwrap();
        let paths = [root.to_owned(), root.join("missing"), root.join(".hidden")];
        let found: Vec<_> = Photos::new(&paths)
            .map(|found| {
                let short = found.name.replace(&*root.to_string_lossy(), "");
                (short, found.result.is_ok())
            })
            .collect();
        let expected = [
            ("/a.png", true),
            ("/b/1.png", true),
            ("/b/2.png", true),
            ("/b/inner/loop", false),
            ("/b/inner/x", true),
            ("/c.png", true),
            ("/missing", false),
            ("/.hidden", true),
        ];
        assert_eq!(found, expected.map(|(name, ok)| (name.to_owned(), ok)));
    }
}
