//! Finds duplicate images of a data set, by their stored bytes.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};

use super::fault::count;

/// A detector of duplicates, which sees the images in order.
#[derive(Debug, Default)]
pub(super) struct Duplicates {
    images: u32,
    /// The first image of each hash.
    first: HashMap<u64, u32>,
    /// Duplicates, each with the first such image.
    again: Vec<[u32; 2]>,
}

impl Duplicates {
    /// Adds the next image.
    pub(super) fn see(&mut self, image: &[u8]) {
        let mut hasher = DefaultHasher::new();
        hasher.write(image);
        let first = *self.first.entry(hasher.finish()).or_insert(self.images);
        if first != self.images {
            self.again.push([self.images, first]);
        }
        self.images += 1;
    }

    /// Notes on duplicates, with the images' names. With `train`, all but the first `train` images are for the test.
    pub(super) fn notes(
        &self,
        labels: &[u8],
        train: Option<usize>,
        name: &dyn Fn(usize) -> String,
    ) -> Vec<String> {
        let label = |image: u32| labels.chunks_exact(2).nth(image as usize);
        let is_test = |image: u32| train.is_some_and(|train| image as usize >= train);
        let across_splits = |[image, first]: &[u32; 2]| is_test(*image) && !is_test(*first);
        let across_classes = |[image, first]: &[u32; 2]| label(*image) != label(*first);
        let such = |pair: &[u32; 2]| {
            format!(
                "such as {} and {}",
                name(pair[0] as usize),
                name(pair[1] as usize)
            )
        };
        let mut notes = Vec::new();
        let (leaked, others): (Vec<_>, Vec<_>) =
            self.again.iter().partition(|pair| across_splits(pair));
        if let Some(first) = leaked.first() {
            let test = self.images as usize - train.unwrap_or_default();
            notes.push(format!(
                "{} of {} images for the test {} identical to images to learn from, {}: the test will say too much.",
                count(leaked.len() as u64),
                count(test as u64),
                are(leaked.len()),
                such(first)
            ));
        }
        let confused: Vec<_> = self
            .again
            .iter()
            .filter(|pair| across_classes(pair))
            .collect();
        if let Some(first) = confused.first() {
            notes.push(format!(
                "{} {} identical to an image of another class, {}.",
                images(confused.len()),
                are(confused.len()),
                such(first)
            ));
        }
        let plain: Vec<_> = others
            .into_iter()
            .filter(|pair| !across_classes(pair))
            .collect();
        if let Some(first) = plain.first() {
            let why = if train.is_none() {
                ": one may be learnt from and the other tested on"
            } else {
                ""
            };
            notes.push(format!(
                "{} {} identical to another of the same class, {}{why}.",
                images(plain.len()),
                are(plain.len()),
                such(first)
            ));
        }
        notes
    }
}

fn are(images: usize) -> &'static str {
    if images == 1 { "is" } else { "are" }
}

fn images(n: usize) -> String {
    format!(
        "{} {}",
        count(n as u64),
        if n == 1 { "image" } else { "images" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_repeated_image_is_counted_by_itself() {
        let mut repeats = Duplicates::default();
        // Classes 0 0 1 1 for training, 0 1 for the test.
        for image in [b"a", b"a", b"b", b"a", b"b", b"c"] {
            repeats.see(image);
        }
        let labels: Vec<u8> = [0u16, 0, 1, 1, 1, 0]
            .iter()
            .flat_map(|label| label.to_le_bytes())
            .collect();
        let name = |image: usize| format!("image {image}");
        assert_eq!(
            repeats.notes(&labels, Some(4), &name),
            [
                "1 of 2 images for the test is identical to images to learn from, such as image 4 and image 2: the test will say too much.",
                "1 image is identical to an image of another class, such as image 3 and image 0.",
                "1 image is identical to another of the same class, such as image 1 and image 0.",
            ]
        );
        assert_eq!(
            Duplicates::default().notes(&[], None, &name),
            Vec::<String>::new()
        );
    }
}
