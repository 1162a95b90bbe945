//! Class folders inside split folders: which images become the test split, and what is refused.

use std::fs;

use crate::files::{Entry, Place, assert_says, entry, png, zip};

/// A zip of a few images for each of these folders, each in its own grey, and of other entries.
fn of_folders(folders: &[(&str, u8, u32)], more: Vec<Entry>) -> Vec<u8> {
    let images = folders.iter().flat_map(|(folder, colour, images)| {
        let image = png(16, 16, [*colour; 3]);
        (0..*images).map(move |i| entry(format!("{folder}/{i}.png"), image.clone()))
    });
    zip(&images.chain(more).collect::<Vec<_>>())
}

#[test]
fn folders_for_training_and_test_are_the_sets_own_splits() {
    let place = Place::new();
    let both = [
        ("test/cats", 10, 2),
        ("test/dogs", 20, 1),
        ("train/cats", 110, 4),
        ("train/dogs", 120, 5),
    ];
    let validated = [("valid/cats", 210, 3), ("valid/dogs", 220, 2)];
    let inside = |outer: &str| {
        let folders = both.iter().chain(&validated);
        let folders: Vec<_> = folders
            .map(|(folder, colour, images)| (format!("{outer}{folder}"), *colour, *images))
            .collect();
        let folders = folders
            .iter()
            .map(|(folder, c, i)| (folder.as_str(), *c, *i));
        of_folders(&folders.collect::<Vec<_>>(), vec![])
    };
    for (name, zip, train, test) in [
        ("two", of_folders(&both, vec![]), 9, [10, 10, 20].as_slice()),
        ("three", inside(""), 14, &[10, 10, 20]),
        ("nested", inside("My Pets/"), 14, &[10, 10, 20]),
        // Held-out images stay held out.
        (
            "no-test",
            of_folders(
                &[
                    ("Train/cats", 110, 2),
                    ("Train/dogs", 120, 2),
                    ("val/cats", 210, 1),
                    ("val/dogs", 220, 3),
                ],
                vec![],
            ),
            4,
            &[210, 220, 220, 220],
        ),
    ] {
        fs::write(place.path("set.zip"), zip).unwrap();
        let report = place.publish(name, &place.path("set.zip"));
        assert_eq!(
            (report.images, report.test, report.unreadable),
            (train + test.len(), Some(test.len()), vec![]),
            "{name}"
        );
        let names: Vec<_> = report.classes.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["cats", "dogs"], "{name}");
        assert!(report.format.contains("in class folders in "), "{name}");
        assert_eq!(place.library.verify(name).unwrap().train, Some(train));
        // The last images are those of the test, in their grey except for the darker corner.
        let last: Vec<_> = place
            .pixels(name)
            .chunks(256)
            .map(|i| i[255])
            .skip(train)
            .collect();
        assert_eq!(last, test, "{name}");
    }
}

#[test]
fn splits_that_do_not_go_together_are_refused_with_their_names() {
    let refused = |folders: &[(&str, u8, u32)], more: Vec<Entry>| {
        let place = Place::new();
        fs::write(place.path("set.zip"), of_folders(folders, more)).unwrap();
        place.refusal("set", &place.path("set.zip"))
    };
    let (cats, dogs) = (("train/cats", 1, 1), ("train/dogs", 2, 1));
    let faults = refused(
        &[cats, dogs, ("test/cats", 1, 1), ("test/birds", 3, 1)],
        vec![],
    );
    assert_says(
        &faults,
        "test",
        "must have the same class folders as the others, and lacks dogs",
    );
    assert_says(
        &faults,
        "train",
        "must have the same class folders as the others, and lacks birds",
    );
    let faults = refused(&[("val/cats", 1, 1), ("test/cats", 1, 1)], vec![]);
    assert_says(
        &faults,
        "set.zip",
        "has the folders test and val, and none for train",
    );
    let faults = refused(&[("train/cats", 1, 1), ("test/cats", 1, 1)], vec![]);
    assert_says(&faults, "set.zip", "at least 2 classes, and has 1");
    let folder = Entry {
        mode: 0o040_755,
        ..entry("test/dogs/", "")
    };
    let faults = refused(&[cats, dogs, ("test/cats", 1, 1)], vec![folder]);
    assert_says(&faults, "test/dogs", "is a class without images");
    let broken = entry("test/dogs/1.png", "nothing");
    let faults = refused(&[cats, dogs, ("test/cats", 1, 1)], vec![broken]);
    assert_says(
        &faults,
        "dogs",
        "has no image for the test that can be read",
    );
    assert_says(
        &faults,
        "test/dogs/1.png",
        "is no PNG, JPEG, WebP, GIF, BMP or TIFF",
    );
}
