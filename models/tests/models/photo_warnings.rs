//! What the report on a set of photos warns of.

use image::imageops::FilterType;
use vivarium_models::data::{Report, Warning};

use crate::files::{Place, write_all};
use crate::kept_photos::{photo, png};

/// The warning with these words.
fn about<'a>(report: &'a Report, words: &str) -> &'a Warning {
    let warning = report.warnings.iter().find(|w| w.message.contains(words));
    warning.unwrap_or_else(|| panic!("{words:?} is not in {:?}", report.warnings))
}

#[test]
fn pictures_that_look_alike_are_told_by_name() {
    let place = Place::new();
    let mut all: Vec<(String, Vec<u8>)> = (0..40)
        .map(|i| {
            let part = if i < 28 { "train" } else { "test" };
            let class = ["cats", "dogs"][i as usize % 2];
            (
                format!("{part}/{class}/{i}.png"),
                png(&photo(90, 60, 3 * i)),
            )
        })
        .collect();
    let smaller = image::imageops::resize(&photo(90, 60, 0), 60, 40, FilterType::Triangle);
    all.push(("test/cats/small.png".to_owned(), png(&smaller)));
    let mut brighter = photo(90, 60, 6);
    for value in brighter.iter_mut() {
        *value = value.saturating_add(3);
    }
    all.push(("train/dogs/brighter.png".to_owned(), png(&brighter)));
    all.push(("train/dogs/copy.png".to_owned(), png(&photo(90, 60, 3))));
    write_all(&place.path("pets"), &all);
    let report = place.publish("pets", &place.path("pets"));
    let leaked = about(
        &report,
        "1 of 13 images for the test is nearly identical to images to learn from",
    );
    assert_eq!(leaked.files, ["test/cats/small.png and train/cats/0.png"]);
    let confused = about(
        &report,
        "1 image is nearly identical to an image of another class",
    );
    assert_eq!(
        confused.files,
        ["train/dogs/brighter.png and train/cats/2.png"]
    );
    let copies = about(&report, "1 image is identical to another of the same class");
    assert_eq!(copies.files, ["train/dogs/copy.png and train/dogs/1.png"]);
}

#[test]
fn a_report_tells_of_classes_and_shapes() {
    let place = Place::new();
    let mut all: Vec<(String, Vec<u8>)> = (0..60)
        .map(|i| (format!("cats/{i}.png"), png(&photo(40, 40, i))))
        .collect();
    all.push(("dogs/1.png".to_owned(), png(&photo(90, 30, 70))));
    all.push(("dogs/2.png".to_owned(), png(&photo(40, 40, 71))));
    write_all(&place.path("pets"), &all);
    let report = place.publish("pets", &place.path("pets"));
    assert_eq!(
        about(&report, "cats has 30 times the images of dogs").files[0],
        "dogs (2)"
    );
    assert_eq!(
        about(&report, "1 class has fewer than 20 images").files,
        ["dogs (2)"]
    );
    assert_eq!(
        about(&report, "1 of 62 images is much longer than wide").files,
        ["dogs/1.png (90×30)"]
    );
    assert_eq!(
        about(&report, "a side of less than 40 pixels").files,
        ["dogs/1.png (90×30)"]
    );
}
