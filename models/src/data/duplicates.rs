//! Finds duplicate images of a data set, by their stored bytes, and tells what they mean.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};

use super::fault::count;
use super::photos::Warning;

/// A detector of duplicates, which sees the images in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Duplicates {
    images: u32,
    /// The first image of each hash.
    first: HashMap<u64, u32>,
    /// Duplicates, each with the first such image.
    again: Vec<[u32; 2]>,
}

impl Duplicates {
    /// Adds the next image, and returns whether it is the first of its kind.
    pub(super) fn see(&mut self, image: &[u8]) -> bool {
        let mut hasher = DefaultHasher::new();
        hasher.write(image);
        let first = *self.first.entry(hasher.finish()).or_insert(self.images);
        if first != self.images {
            self.again.push([self.images, first]);
        }
        self.images += 1;
        first == self.images - 1
    }

    /// Warnings about duplicates, with the images' names. With `train`, all but the first `train` images are for the
    /// test.
    pub(super) fn warnings(
        &self,
        labels: &[u16],
        train: Option<usize>,
        name: &dyn Fn(usize) -> String,
    ) -> Vec<Warning> {
        warnings("identical", &self.again, labels, train, name)
    }
}

/// Whether an image is for the test. With `train`, all but the first `train` images are.
pub(super) fn is_test(image: u32, train: Option<usize>) -> bool {
    train.is_some_and(|train| image as usize >= train)
}

/// Warnings about pairs of images that are `alike` ("identical"), with the images' names.
pub(super) fn warnings(
    alike: &str,
    pairs: &[[u32; 2]],
    labels: &[u16],
    train: Option<usize>,
    name: &dyn Fn(usize) -> String,
) -> Vec<Warning> {
    let label = |image: u32| labels.get(image as usize);
    let across_splits =
        |[image, first]: &[u32; 2]| is_test(*image, train) && !is_test(*first, train);
    let across_classes = |[image, first]: &[u32; 2]| label(*image) != label(*first);
    let named = |[image, first]: &[u32; 2]| {
        format!("{} and {}", name(*image as usize), name(*first as usize))
    };
    let mut warnings = Vec::new();
    let mut warn = |pairs: &[[u32; 2]], message: String| {
        warnings.push(Warning::new(message, pairs.iter().map(named)));
    };
    let (leaked, others): (Vec<_>, Vec<_>) = pairs.iter().copied().partition(across_splits);
    if let Some(first) = leaked.first() {
        let test = labels.len() - train.unwrap_or_default();
        let message = format!(
            "{} of {} images for the test {} {alike} to images to learn from, such as {}: the test will say too much.",
            count(leaked.len() as u64),
            count(test as u64),
            are(leaked.len()),
            named(first)
        );
        warn(&leaked, message);
    }
    let confused: Vec<_> = pairs.iter().copied().filter(across_classes).collect();
    if let Some(first) = confused.first() {
        let message = format!(
            "{} {} {alike} to an image of another class, such as {}.",
            images(confused.len()),
            are(confused.len()),
            named(first)
        );
        warn(&confused, message);
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
        let message = format!(
            "{} {} {alike} to another of the same class, such as {}{why}.",
            images(plain.len()),
            are(plain.len()),
            named(first)
        );
        warn(&plain, message);
    }
    warnings
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
        assert!(repeats.clone().see(b"d") && !repeats.clone().see(b"c"));
        let name = |image: usize| format!("image {image}");
        let warnings = repeats.warnings(&[0, 0, 1, 1, 1, 0], Some(4), &name);
        assert_eq!(warnings[0].files, ["image 4 and image 2"]);
        assert_eq!(
            warnings
                .iter()
                .map(|warning| warning.message.as_str())
                .collect::<Vec<_>>(),
            [
                "1 of 2 images for the test is identical to images to learn from, such as image 4 and image 2: the test will say too much.",
                "1 image is identical to an image of another class, such as image 3 and image 0.",
                "1 image is identical to another of the same class, such as image 1 and image 0.",
            ]
        );
        assert_eq!(Duplicates::default().warnings(&[], None, &name), []);
    }
}
