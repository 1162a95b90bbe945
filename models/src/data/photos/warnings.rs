//! What a user should know of a set before training on it.

use serde::Serialize;
use utoipa::ToSchema;

use super::super::fault::count;
use super::super::read::ClassCount;
use super::originals::Photo;

/// The most files that a warning names.
pub(in crate::data) const MOST_NAMED: usize = 200;

/// The largest class has so many times the images of the smallest before that is told.
const IMBALANCE: usize = 5;

/// Fewer images of a class are hardly enough to learn from and to judge by.
const TINY: usize = 20;

/// A crop that cuts off more than two fifths of a photo.
const LONG: f64 = 5.0 / 3.0;

/// Something that a user should know of a set.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = DataSetWarning)]
pub struct Warning {
    /// What it is, and what it means.
    pub message: String,
    /// The images or classes that it is about; of very many, the first.
    pub files: Vec<String>,
}

impl Warning {
    /// A warning about so many files, of which the first are named.
    pub(in crate::data) fn new(message: String, files: impl Iterator<Item = String>) -> Self {
        Self {
            message,
            files: files.take(MOST_NAMED).collect(),
        }
    }
}

/// Warnings about the sizes of classes.
pub(in crate::data) fn of_classes(classes: &[ClassCount]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let named = |class: &ClassCount| format!("{} ({})", class.name, count(class.images as u64));
    let all: usize = classes.iter().map(|class| class.images).sum();
    let least = classes.iter().min_by_key(|class| class.images);
    let most = classes.iter().max_by_key(|class| class.images);
    let (Some(least), Some(most)) = (least, most) else {
        return warnings;
    };
    if most.images >= IMBALANCE * least.images.max(1) {
        let times = most.images / least.images.max(1);
        // Of n samples drawn at random, none is of a class with the share p with probability (1 - p)^n, which is below
        // 5 % from about 3 / p on.
        let enough = (3 * all).div_ceil(least.images.max(1));
        let limit = if enough < all / 2 {
            format!(
                " A limit below about {} training samples may leave {} without any.",
                count(enough as u64),
                least.name
            )
        } else {
            String::new()
        };
        let message = format!(
            "The classes are uneven: {} has {} times the images of {}, so that a network may do well by preferring it. \
             Look at the recall of each class, not at accuracy alone.{limit}",
            most.name,
            count(times as u64),
            least.name
        );
        let mut by_size: Vec<_> = classes.iter().collect();
        by_size.sort_by_key(|class| class.images);
        warnings.push(Warning::new(message, by_size.into_iter().map(named)));
    }
    let tiny: Vec<_> = classes.iter().filter(|class| class.images < TINY).collect();
    if !tiny.is_empty() {
        let (classes, have) = match tiny.len() {
            1 => ("1 class".to_owned(), "has"),
            n => (format!("{} classes", count(n as u64)), "have"),
        };
        let message = format!(
            "{classes} {have} fewer than {TINY} images: few to learn from, and one or two more right in validation and \
             test are chance."
        );
        warnings.push(Warning::new(message, tiny.into_iter().map(named)));
    }
    warnings
}

/// Warnings about the sizes and shapes of photos, which runs take at `side` pixels unless told otherwise.
pub(in crate::data) fn of_shapes(
    photos: &[Photo],
    side: usize,
    name: &dyn Fn(usize) -> String,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let named = |(index, photo): (usize, &Photo)| {
        format!("{} ({}×{})", name(index), photo.width, photo.height)
    };
    let such = |wanted: &dyn Fn(&Photo) -> bool| -> Vec<_> {
        photos
            .iter()
            .enumerate()
            .filter(|(_, photo)| wanted(photo))
            .collect()
    };
    let of_all = |some: usize| {
        format!(
            "{} of {} images",
            count(some as u64),
            count(photos.len() as u64)
        )
    };
    let small = such(&|photo| (photo.width.min(photo.height) as usize) < side);
    if let [(_, first), ..] = &small[..] {
        let least = small
            .iter()
            .map(|(_, photo)| photo.width.min(photo.height))
            .min();
        let message = format!(
            "{} {} a side of less than {side} pixels, the smallest of {}, and {} enlarged at this size: that adds pixels, \
             but nothing to see.",
            of_all(small.len()),
            if small.len() == 1 { "has" } else { "have" },
            least.unwrap_or(first.width),
            if small.len() == 1 { "is" } else { "are" },
        );
        warnings.push(Warning::new(message, small.iter().copied().map(named)));
    }
    let ratio = |photo: &Photo| {
        let (width, height) = (f64::from(photo.width), f64::from(photo.height));
        width.max(height) / width.min(height)
    };
    let long = such(&|photo| ratio(photo) > LONG);
    if !long.is_empty() {
        let most = long
            .iter()
            .map(|(_, photo)| ratio(photo))
            .fold(0.0, f64::max);
        let cut = (100.0 * (1.0 - 1.0 / most)).round();
        let message = format!(
            "{} {} much longer than wide: crop, which runs do unless told otherwise, cuts off up to {cut} % of them. Pad \
             and stretch keep all (the setting “Photos that are not square”).",
            of_all(long.len()),
            if long.len() == 1 { "is" } else { "are" },
        );
        warnings.push(Warning::new(message, long.iter().copied().map(named)));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(name: &str, images: usize) -> ClassCount {
        ClassCount {
            name: name.to_owned(),
            images,
        }
    }

    #[test]
    fn uneven_and_tiny_classes_are_named() {
        let warnings = of_classes(&[class("cats", 900), class("dogs", 30), class("owls", 4)]);
        let [uneven, tiny] = &warnings[..] else {
            panic!("{warnings:?}");
        };
        assert!(
            uneven
                .message
                .contains("cats has 225 times the images of owls")
        );
        assert_eq!(uneven.files, ["owls (4)", "dogs (30)", "cats (900)"]);
        assert!(!uneven.message.contains("limit"), "{}", uneven.message);
        assert!(tiny.message.starts_with("1 class has fewer than 20 images"));
        assert_eq!(tiny.files, ["owls (4)"]);
        let [uneven] = &of_classes(&[class("cats", 9000), class("dogs", 60)])[..] else {
            panic!();
        };
        assert!(
            uneven
                .message
                .ends_with("A limit below about 453 training samples may leave dogs without any.")
        );
        assert_eq!(of_classes(&[class("cats", 99), class("dogs", 20)]), []);
    }

    #[test]
    fn small_and_long_photos_are_named_with_their_sizes() {
        let photo = |width, height| Photo {
            name: String::new(),
            offset: 0,
            bytes: 0,
            width,
            height,
            sha256: String::new(),
            looks: String::new(),
        };
        let name = |index: usize| format!("{index}.jpg");
        let photos = [
            photo(300, 300),
            photo(100, 224),
            photo(1000, 400),
            photo(400, 300),
        ];
        let warnings = of_shapes(&photos, 224, &name);
        let [small, long] = &warnings[..] else {
            panic!("{warnings:?}");
        };
        assert!(
            small.message.starts_with(
                "1 of 4 images has a side of less than 224 pixels, the smallest of 100"
            )
        );
        assert_eq!(small.files, ["1.jpg (100×224)"]);
        assert!(
            long.message
                .starts_with("2 of 4 images are much longer than wide")
        );
        assert!(long.message.contains("up to 60 % of them"));
        assert_eq!(long.files, ["1.jpg (100×224)", "2.jpg (1000×400)"]);
        assert_eq!(of_shapes(&photos[..1], 224, &name), []);
    }
}
