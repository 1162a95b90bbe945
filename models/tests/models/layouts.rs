//! Layouts of folders in practice: read by their content, whatever their names, or refused with a message that names
//! them.

use std::fs;

use vivarium_models::data::{Fault, Report};

use crate::files::{Place, assert_says, entry, jpeg, png, zip};

/// A folder of images of one colour: `name:count`.
fn of(folders: &[&str]) -> Vec<crate::files::Entry> {
    let mut entries = Vec::new();
    for (number, folder) in folders.iter().enumerate() {
        let (folder, count) = folder.split_once(':').unwrap_or((folder, "2"));
        for i in 0..count.parse().unwrap() {
            let colour = [number as u8 * 20, i as u8, 99];
            entries.push(entry(format!("{folder}/{i}.png"), png(16, 16, colour)));
        }
    }
    entries
}

fn read(entries: &[crate::files::Entry]) -> Report {
    let place = Place::new();
    fs::write(place.path("set.zip"), zip(entries)).unwrap();
    place
        .import("set", &place.path("set.zip"))
        .unwrap_or_else(|e| panic!("{e}"))
        .report
}

fn refused(entries: &[crate::files::Entry]) -> Vec<Fault> {
    let place = Place::new();
    fs::write(place.path("set.zip"), zip(entries)).unwrap();
    place.refusal("set", &place.path("set.zip"))
}

fn classes(report: &Report) -> Vec<(&str, usize)> {
    report
        .classes
        .iter()
        .map(|class| (class.name.as_str(), class.images))
        .collect()
}

#[test]
fn splits_are_seen_by_what_is_in_them_under_any_name() {
    for [train, test] in [
        ["train", "test"],
        ["seg_train", "seg_test"],
        ["seg_train/seg_train", "seg_test/seg_test"],
        ["training_set", "test_set"],
        ["Training", "Testing"],
        ["train_images", "valid"],
        ["archive/flowers/train", "archive/flowers/validation"],
        ["a/b/c/trainset/trainset", "a/b/c/testset"],
    ] {
        let folders = ["cats:3", "dogs:2"].map(|class| format!("{train}/{class}"));
        let tests = ["cats:1", "dogs:2"].map(|class| format!("{test}/{class}"));
        let all: Vec<_> = folders.iter().chain(&tests).map(String::as_str).collect();
        let report = read(&of(&all));
        assert_eq!(classes(&report), [("cats", 4), ("dogs", 4)], "{train}");
        assert_eq!(
            (report.test, &report.notes[..]),
            (Some(3), &[][..]),
            "{train}"
        );
    }
}

#[test]
fn splits_may_lie_in_the_class_folders() {
    let report = read(&of(&[
        "cats/train:3",
        "cats/test:1",
        "dogs/train:2",
        "dogs/test:2",
    ]));
    assert_eq!(classes(&report), [("cats", 4), ("dogs", 4)]);
    assert_eq!(report.test, Some(3));
    let faults = refused(&of(&["cats/train:3", "cats/test:1", "dogs/train:2"]));
    assert_says(&faults, "test", "lacks dogs");
}

#[test]
fn folders_beside_the_splits_that_have_no_classes_are_left_out_and_told() {
    for beside in [
        "seg_pred",
        "seg_pred/seg_pred",
        "pred/images",
        "test_unlabelled",
        "test/images",
    ] {
        let report = read(&of(&[
            "seg_train/cats",
            "seg_train/dogs",
            "valid/cats",
            "valid/dogs",
            &format!("{beside}:5"),
        ]));
        assert_eq!(classes(&report), [("cats", 4), ("dogs", 4)], "{beside}");
        assert_eq!(report.test, Some(4), "{beside}");
        assert!(
            report.notes[0].contains(beside) && report.notes[0].contains("5 of them"),
            "{:?}",
            report.notes
        );
    }
    // As on Kaggle: test images have no labels.
    let report = read(&of(&["train/cats", "train/dogs", "test:3"]));
    assert_eq!(
        (classes(&report), report.test),
        (vec![("cats", 2), ("dogs", 2)], None)
    );
    assert!(
        report.notes[0].contains("test was left out"),
        "{:?}",
        report.notes
    );
    // And files that are not images.
    let mut entries = of(&["train/cats", "train/dogs", "test/cats", "test/dogs"]);
    entries.push(entry("annotations/all.xml", "<x/>"));
    let report = read(&entries);
    assert_eq!(report.classes.len(), 2);
    assert!(
        report.notes[0].contains("annotations"),
        "{:?}",
        report.notes
    );
}

#[test]
fn a_folder_for_training_alone_is_a_set_without_a_test_of_its_own() {
    for folders in [
        ["train/cats", "train/dogs"],
        ["x/train/train/cats", "x/train/train/dogs"],
    ] {
        let report = read(&of(&folders));
        assert_eq!(
            (classes(&report), report.test),
            (vec![("cats", 2), ("dogs", 2)], None)
        );
    }
}

#[test]
fn folders_that_could_be_anything_are_refused_by_name() {
    for (folders, file, words) in [
        (
            &["train", "test"][..],
            "set.zip",
            "images lie directly in the folders test, train",
        ),
        (
            &["train/cats", "train/dogs", "extra/cats", "extra/dogs"],
            "extra",
            "does not say whether extra is for train, val or test",
        ),
        (
            &["a/cats", "a/dogs", "b/cats", "b/dogs"],
            "set.zip",
            "have the same folders in them (cats, dogs)",
        ),
        (
            &["images/cats", "images/dogs", "masks"],
            "set.zip",
            "images has no images in it but folders of images (cats, dogs), and masks has images",
        ),
        (
            &["val/cats", "val/dogs", "test/cats", "test/dogs"],
            "set.zip",
            "none for train",
        ),
    ] {
        assert_says(&refused(&of(folders)), file, words);
    }
    let loose: Vec<_> = (0..3)
        .map(|i| entry(format!("{i}.png"), png(16, 16, [i, 2, 3])))
        .collect();
    assert_says(
        &refused(&loose),
        "set.zip",
        "has 0; 3 images lie in no folder",
    );
}

#[test]
fn folders_within_a_class_are_told() {
    let report = read(&of(&[
        "animals/cat",
        "animals/dog",
        "vehicles/car",
        "vehicles/bus",
    ]));
    assert_eq!(classes(&report), [("animals", 4), ("vehicles", 4)]);
    assert!(
        report.notes[0].contains("animals is one class: the images in its folders cat, dog"),
        "{:?}",
        report.notes
    );
    // A folder around the images of each class needs no note.
    let report = read(&of(&["cats/images", "dogs/images"]));
    assert_eq!(
        (classes(&report), report.notes.clone()),
        (vec![("cats", 2), ("dogs", 2)], vec![])
    );
}

#[test]
fn what_systems_leave_behind_is_no_class_and_no_file_is_a_folder_without_a_slash() {
    let mut entries = of(&["pets/cats", "pets/dogs"]);
    for name in [
        "__MACOSX/pets/cats/._0.png",
        "pets/.DS_Store",
        "pets/cats/Thumbs.db",
        "pets/THUMBS.DB",
        "pets/@eaDir/0.png",
    ] {
        entries.push(entry(name, "litter"));
    }
    // Directory entries of some programs, and an empty one.
    entries.push(entry("pets", ""));
    entries.push(entry("pets/cats", ""));
    let report = read(&entries);
    assert_eq!(classes(&report), [("cats", 2), ("dogs", 2)]);
    assert_eq!((report.ignored.len(), report.unreadable), (5, vec![]));
}

#[test]
fn a_class_of_which_nothing_can_be_read_is_named() {
    let with = |name: &str, bytes: &[u8]| {
        let mut entries = of(&["cats", "dogs"]);
        entries.extend((0..2).map(|i| entry(format!("birds/{i}.{name}"), bytes)));
        refused(&entries)
    };
    let faults = with("heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic");
    assert_says(&faults, "birds", "has no image that can be read");
    assert_says(&faults, "birds/0.heic", "convert it to JPEG or PNG");
    let faults = with("avif", b"\0\0\0\x1cftypavif\0\0\0\0mif1avifmiaf");
    assert_says(&faults, "birds/1.avif", "is an AVIF image");
    // Also under a name that does not tell.
    let faults = with("bin", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic");
    assert_says(&faults, "birds/0.bin", "is a HEIC image");
    let faults = with("txt", b"words");
    assert_says(
        &faults,
        "birds",
        "is a class without images, and holds birds/0.txt and 1 more",
    );
}

#[test]
fn files_are_what_their_bytes_say_under_every_name() {
    let grey = jpeg();
    let mut entries = of(&["cats", "dogs"]);
    for name in ["1.jfif", "2.jpe", "3.JPG_large", "4.png", "5", "6.dat"] {
        entries.push(entry(format!("birds/{name}"), grey.clone()));
    }
    let report = read(&entries);
    assert_eq!(classes(&report), [("birds", 6), ("cats", 2), ("dogs", 2)]);
    assert_eq!(report.unreadable, []);
}

#[test]
fn gif_bmp_and_tiff_have_the_right_colours() {
    use image::{ImageFormat, Rgb, RgbImage};
    for format in [ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::Tiff] {
        let place = Place::new();
        let image = |colour: [u8; 3]| {
            let mut bytes = std::io::Cursor::new(Vec::new());
            RgbImage::from_pixel(16, 16, Rgb(colour))
                .write_to(&mut bytes, format)
                .unwrap();
            bytes.into_inner()
        };
        let entries = [
            entry("a/1", image([200, 10, 30])),
            entry("b/1", image([0, 90, 255])),
        ];
        fs::write(place.path("set.zip"), zip(&entries)).unwrap();
        place.publish("set", &place.path("set.zip"));
        let pixels = place.pixels("set");
        let found: Vec<_> = (0..6).map(|plane| pixels[plane * 256 + 100]).collect();
        assert_eq!(found, [200, 10, 30, 0, 90, 255], "{format:?}");
    }
}

#[test]
fn names_composed_and_decomposed_are_one_class() {
    let report = read(&of(&[
        "train/caf\u{e9}",
        "train/th\u{e9}",
        "test/cafe\u{301}:1",
        "test/the\u{301}:1",
    ]));
    assert_eq!(classes(&report), [("caf\u{e9}", 3), ("th\u{e9}", 3)]);
    // Both forms in one split: the images of both, under one name.
    let report = read(&of(&["u\u{308}ber", "\u{fc}ber:3", "unter"]));
    assert_eq!(classes(&report), [("unter", 2), ("\u{fc}ber", 5)]);
    let report = read(&of(&["\u{1100}\u{1161}", "\u{ac00}", "b"]));
    assert_eq!(classes(&report), [("b", 2), ("\u{ac00}", 4)]);
}

/// The messages of a report's warnings.
fn warnings(report: &Report) -> Vec<String> {
    let messages = report.warnings.iter().map(|warning| &warning.message);
    messages.cloned().collect()
}

#[test]
fn images_in_two_splits_or_two_classes_are_counted() {
    let same = png(16, 16, [1, 2, 3]);
    let mut entries = of(&["train/cats", "train/dogs", "test/cats", "test/dogs"]);
    entries.push(entry("train/cats/same.png", same.clone()));
    entries.push(entry("test/cats/again.png", same.clone()));
    let told = warnings(&read(&entries));
    assert!(told[0].starts_with("1 of 5 images for the test is identical to images to learn from, such as test/cats/again.png and train/cats/same.png"), "{told:?}");
    let mut entries = of(&["cats", "dogs"]);
    entries.push(entry("cats/same.png", same.clone()));
    entries.push(entry("dogs/same.png", same.clone()));
    let told = warnings(&read(&entries));
    assert!(told[0].contains("1 image is identical to an image of another class, such as dogs/same.png and cats/same.png"), "{told:?}");
    let mut entries = of(&["cats", "dogs"]);
    entries.extend((0..3).map(|i| entry(format!("cats/copy-{i}.png"), same.clone())));
    let told = warnings(&read(&entries));
    assert!(
        told[0].contains("2 images are identical to another of the same class"),
        "{told:?}"
    );
    assert_eq!(read(&of(&["cats", "dogs"])).notes, Vec::<String>::new());
}

#[test]
fn classes_that_nobody_would_learn_are_named() {
    let names: Vec<_> = (b'a'..=b'j')
        .map(|c| format!("{}:1", char::from(c)))
        .collect();
    let report = read(&of(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    let untrained = |report: &Report| {
        let says = |warning: &String| warning.contains("no sample to learn from");
        warnings(report).into_iter().find(says)
    };
    let warning = untrained(&report).unwrap();
    assert!(
        warning.starts_with("3 of 10 classes have no sample to learn from"),
        "{warning}"
    );
    let report = read(&of(&["a:20", "b:1"]));
    assert_eq!(
        untrained(&report),
        None,
        "a class with one image keeps it where others have more to give"
    );
    // A class in the test split only is refused: each must be in all splits.
    let report = read(&of(&["train/a:1", "train/b:1", "test/a:1", "test/b:1"]));
    let warnings = warnings(&report);
    assert!(
        warnings
            .iter()
            .any(|warning| warning.starts_with("1 of 2 classes has no sample")),
        "{warnings:?}"
    );
}
