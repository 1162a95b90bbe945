//! The folders of a tree, with the images and other files in them.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::read::tree::Node;

/// A folder with its content.
#[derive(Default)]
pub(super) struct Folder {
    /// Its path.
    pub(super) path: String,
    pub(super) folders: BTreeMap<String, Folder>,
    /// Images directly in it.
    pub(super) images: Vec<Node>,
    /// Other files directly in it.
    pub(super) others: Vec<String>,
}

impl Folder {
    pub(super) fn new(nodes: Vec<(Node, bool)>) -> Self {
        let mut root = Self::default();
        for (node, _) in &nodes {
            let folder = if node.is_folder {
                &node.parts[..]
            } else {
                &node.parts[..node.parts.len() - 1]
            };
            root.entry(folder);
        }
        for (node, is_image) in nodes {
            let Some((name, folder)) = node.parts.split_last() else {
                continue;
            };
            let folder = root.entry(folder);
            // Some programs write folders as empty files.
            if node.is_folder || folder.folders.contains_key(name) && !is_image {
                continue;
            }
            if is_image {
                folder.images.push(node);
            } else {
                folder.others.push(node.name());
            }
        }
        root
    }

    pub(super) fn entry(&mut self, parts: &[String]) -> &mut Self {
        let mut folder = self;
        for part in parts {
            let path = if folder.path.is_empty() {
                part.clone()
            } else {
                format!("{}/{part}", folder.path)
            };
            folder = folder.folders.entry(part.clone()).or_insert_with(|| Self {
                path,
                ..Self::default()
            });
        }
        folder
    }

    pub(super) fn has_images(&self) -> bool {
        !self.images.is_empty() || self.folders.values().any(Self::has_images)
    }

    pub(super) fn count(&self) -> usize {
        self.images.len() + self.folders.values().map(Self::count).sum::<usize>()
    }

    /// The subfolders with images.
    pub(super) fn with_images(&self) -> impl Iterator<Item = (&String, &Self)> {
        self.folders
            .iter()
            .filter(|(_, folder)| folder.has_images())
    }

    /// The subfolder with images, if there is exactly one.
    pub(super) fn only(&self) -> Option<&String> {
        let mut with_images = self.with_images();
        let (name, _) = with_images.next()?;
        with_images.next().is_none().then_some(name)
    }

    pub(super) fn names(&self) -> BTreeSet<&String> {
        self.with_images().map(|(name, _)| name).collect()
    }

    /// All files in it that are not images.
    pub(super) fn all_others(&self) -> Vec<String> {
        let below = self.folders.values().flat_map(Self::all_others);
        self.others.iter().cloned().chain(below).collect()
    }

    pub(super) fn into_images(self) -> Vec<Node> {
        let mut images = self.images;
        images.extend(self.folders.into_values().flat_map(Self::into_images));
        images.sort_by(|a, b| a.parts.cmp(&b.parts));
        images
    }

    /// Skips folders that contain only one other, as in `train/train/cats`. An inner folder with images, as in
    /// `cats/1.png`, is a class of its own unless both have the same name, as in `pred/pred/1.png`.
    pub(super) fn skip_single_folders(mut self, name: &str) -> Self {
        loop {
            let next = self.only().filter(|_| self.images.is_empty()).cloned();
            let is_same = |next: &String| next.to_lowercase() == name.to_lowercase();
            let Some(next) =
                next.filter(|next| self.folders[next].images.is_empty() || is_same(next))
            else {
                return self;
            };
            let outer = std::mem::take(&mut self.others);
            let Some(inner) = self.folders.remove(&next) else {
                return self;
            };
            self = inner;
            self.others.extend(outer);
        }
    }
}
