//! Images in class folders, zipped or not: their import, and which are refused.

use std::fs;
use std::path::Path;

use serde_json::Value;
use vivarium_models::data::{Fault, ImportLimits, Report};

use crate::files::{Entry, Place, assert_says, entry, of, photos, png, write_all, zip};

/// What the import of a zip with these entries says.
fn report_of(place: &Place, entries: &[Entry]) -> Report {
    let path = place.path("pets.zip");
    fs::write(&path, zip(entries)).unwrap();
    place.import("pets", &path).unwrap().report
}

#[test]
fn class_folders_become_a_set_from_a_zip_and_from_a_folder() {
    let place = Place::new();
    let mut files = photos();
    files.push(("readme.txt".to_owned(), b"words".to_vec()));
    files.push(("__MACOSX/cats/._0.png".to_owned(), b"litter".to_vec()));
    files.push(("dogs/.DS_Store".to_owned(), b"litter".to_vec()));
    let entries: Vec<_> = files
        .iter()
        .map(|(name, bytes)| entry(format!("my pets/{name}"), bytes.clone()))
        .collect();
    fs::write(place.path("pets.zip"), zip(&entries)).unwrap();
    write_all(&place.path("pets"), &files);
    for (set, path) in [("zipped", "pets.zip"), ("plain", "pets")] {
        let report = place.publish(set, &place.path(path));
        let counts: Vec<_> = report
            .classes
            .iter()
            .map(|class| (class.name.as_str(), class.images))
            .collect();
        assert_eq!(counts, [("cats", 10), ("dogs", 10)]);
        assert_eq!(
            (report.images, report.test, report.channels, report.side),
            (20, None, 3, 20)
        );
        assert_eq!(report.sizes, [[16, 35], [20, 20]]);
        assert_eq!(report.ignored.len(), 3, "{:?}", report.ignored);
        assert_eq!(report.unreadable, []);
        // The first cat is red, with a darker top left corner of the cropped square.
        let first = &place.pixels(set)[..400];
        assert_eq!([first[0], first[399]], [100, 200]);
    }
    let [zipped, plain] = ["zipped", "plain"].map(|set| place.library.verify(set).unwrap().sha256);
    assert_eq!(zipped, plain);
}

#[test]
fn an_image_beside_class_folders_is_named_also_within_a_folder_around_them() {
    let place = Place::new();
    let mut files = photos();
    files.push(("loose.png".to_owned(), png(20, 20, [1, 2, 3])));
    for around in ["", "my pets/"] {
        let entries: Vec<_> = files
            .iter()
            .map(|(name, bytes)| entry(format!("{around}{name}"), bytes.clone()))
            .collect();
        let report = report_of(&place, &entries);
        assert_eq!(report.images, 20);
        let loose = format!("{around}loose.png");
        assert_says(&report.unreadable, &loose, "lies in no class folder");
    }
}

#[test]
fn images_that_cannot_be_read_are_named_and_left_out() {
    let place = Place::new();
    let whole = png(20, 20, [1, 2, 3]);
    let jpeg = fs::read(golden().join("rgb.jpg")).unwrap();
    let entries: Vec<_> = photos()
        .into_iter()
        .map(|(name, bytes)| entry(name, bytes))
        .chain([
            entry("cats/empty.png", ""),
            entry("cats/words.png", "not a picture"),
            entry("cats/cut.png", &whole[..whole.len() / 2]),
            entry("cats/cut.jpg", &jpeg[..jpeg.len() - 2]),
            entry(
                "dogs/cmyk.jpg",
                fs::read(golden().join("cmyk-unmarked.jpg")).unwrap(),
            ),
            entry("dogs/old.gif", "GIF88a"),
            entry("stray.png", whole.clone()),
        ])
        .collect();
    let report = report_of(&place, &entries);
    assert_eq!(report.images, 20);
    assert_says(&report.unreadable, "cats/empty.png", "is empty");
    assert_says(
        &report.unreadable,
        "cats/words.png",
        "is no PNG, JPEG, WebP, GIF, BMP or TIFF",
    );
    assert_says(&report.unreadable, "cats/cut.png", "cannot be decoded");
    assert_says(&report.unreadable, "cats/cut.jpg", "is cut off");
    assert_says(&report.unreadable, "dogs/cmyk.jpg", "is in CMYK");
    assert_says(
        &report.unreadable,
        "dogs/old.gif",
        "is no PNG, JPEG, WebP, GIF, BMP or TIFF",
    );
    assert_says(&report.unreadable, "stray.png", "lies in no class folder");
    assert_eq!(report.unreadable.len(), 7);
    assert_eq!(
        place.left(),
        Vec::<std::path::PathBuf>::new(),
        "what is not published is gone"
    );
}

/// The faults of the photos with more entries in the zip.
fn with_more(more: impl IntoIterator<Item = crate::files::Entry>) -> Vec<Fault> {
    let place = Place::new();
    let entries: Vec<_> = photos()
        .into_iter()
        .map(|(name, bytes)| entry(name, bytes))
        .chain(more)
        .collect();
    fs::write(place.path("pets.zip"), zip(&entries)).unwrap();
    let faults = place.refusal("pets", &place.path("pets.zip"));
    let around: Vec<_> = fs::read_dir(place.folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert!(
        around
            .iter()
            .all(|name| name == "pets.zip" || name == "datasets"),
        "{around:?}"
    );
    faults
}

#[test]
fn zips_that_reach_out_of_themselves_are_refused() {
    let image = png(16, 16, [9, 9, 9]);
    for name in [
        "../evil.png",
        "cats/../../evil.png",
        "cats\\..\\..\\evil.png",
    ] {
        assert_says(
            &with_more([entry(name, image.clone())]),
            name,
            "has a path that leads out of the archive",
        );
    }
    for name in ["/tmp/evil.png", "C:\\evil.png", "\\evil.png"] {
        assert_says(
            &with_more([entry(name, image.clone())]),
            name,
            "has an absolute path",
        );
    }
    assert_says(
        &with_more([entry("cats/a\nb.png", image.clone())]),
        "cats/a\nb.png",
        "control characters",
    );
    for (mode, words) in [
        (0o120_777, "is a link"),
        (0o060_644, "is a device or a pipe"),
        (0o010_644, "is a device or a pipe"),
    ] {
        let special = crate::files::Entry {
            mode,
            ..entry("cats/special.png", "/etc/passwd")
        };
        assert_says(&with_more([special]), "cats/special.png", words);
    }
    assert_says(
        &with_more([entry("cats//0.png", image)]),
        "cats/0.png",
        "is there twice",
    );
}

#[test]
fn zips_that_are_damaged_or_locked_are_refused_or_their_images_named() {
    let place = Place::new();
    let entries: Vec<_> = photos()
        .into_iter()
        .map(|(name, bytes)| entry(name, bytes))
        .collect();
    let whole = zip(&entries);
    let path = place.path("pets.zip");
    // Without its end record the content is unknown.
    for length in [whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let faults = place.refusal("pets", &path);
        assert_says(&faults, "pets.zip", "cannot be read as a zip");
    }
    let of_name = |signature: &[u8], before: usize| {
        let name = entries[0].name.as_bytes();
        let starts = whole.windows(name.len()).enumerate();
        let mut heads = starts.filter_map(|(at, window)| Some((window, at.checked_sub(before)?)));
        let head =
            heads.find(|(window, head)| *window == name && whole[*head..].starts_with(signature));
        head.unwrap().1
    };
    let (local, central) = (of_name(b"PK\x03\x04", 30), of_name(b"PK\x01\x02", 46));
    let mut locked = whole.clone();
    locked[local + 6] |= 1;
    locked[central + 8] |= 1;
    fs::write(&path, locked).unwrap();
    let faults = place.refusal("pets", &path);
    assert_says(&faults, "pets.zip", "is encrypted (cats/0.png)");
    assert_eq!(faults.len(), 1);
    // A byte that does not match the checksum.
    let mut flipped = whole.clone();
    flipped[local + 30 + entries[0].name.len() + 60] ^= 1;
    fs::write(&path, flipped).unwrap();
    let report = place.import("pets", &path).unwrap().report;
    assert_eq!((report.images, report.unreadable.len()), (19, 1));
    assert_says(
        &report.unreadable,
        &entries[0].name,
        "cannot be unpacked past",
    );
    assert_eq!(place.left(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn zip_bombs_are_refused() {
    let shared = |i: usize| crate::files::Entry {
        shares: Some(0),
        ..entry(format!("cats/again-{i}.png"), "")
    };
    assert_says(&with_more((0..5).map(shared)), "pets.zip", "share bytes");

    let place = Place::new();
    let mut writer = zip::ZipWriter::new(fs::File::create(place.path("bomb.zip")).unwrap());
    for class in ["a", "b"] {
        for i in 0..4 {
            writer
                .start_file(
                    format!("{class}/{i}.png"),
                    zip::write::SimpleFileOptions::default(),
                )
                .unwrap();
            std::io::Write::write_all(
                &mut writer,
                &if i == 0 {
                    png(16, 16, [1, 2, 3])
                } else {
                    vec![0; 3 << 20]
                },
            )
            .unwrap();
        }
    }
    writer.finish().unwrap();
    let bomb = place.path("bomb.zip");
    assert!(fs::metadata(&bomb).unwrap().len() < 100_000);
    let small_files = ImportLimits {
        file_bytes: 1 << 20,
        ..ImportLimits::default()
    };
    let report = place
        .import_with("bomb", &bomb, &small_files)
        .unwrap()
        .report;
    assert_eq!(
        of(&report.unreadable, "a/1.png"),
        ["has more than 1,048,576 bytes"]
    );
    let small_whole = ImportLimits {
        all_bytes: 5 << 20,
        ..ImportLimits::default()
    };
    assert_says(
        &place.refusal_with("bomb", &bomb, &small_whole),
        "a/2.png",
        "all together unpack to more than 5,242,880 bytes",
    );
    let few = ImportLimits {
        files: 7,
        ..ImportLimits::default()
    };
    assert_says(
        &place.refusal_with("bomb", &bomb, &few),
        "bomb.zip",
        "has more than 7 files",
    );
}

#[test]
fn images_with_too_many_pixels_are_not_decoded() {
    let place = Place::new();
    let mut huge = png(16, 16, [1, 2, 3]);
    // A header for 60,000 x 60,000 pixels, with the right checksum.
    huge[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let mut crc = flate2::Crc::new();
    crc.update(&huge[12..29]);
    huge[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    let entries: Vec<_> = photos()
        .into_iter()
        .map(|(name, bytes)| entry(name, bytes))
        .chain([entry("cats/huge.png", huge)])
        .collect();
    let report = report_of(&place, &entries);
    assert_says(
        &report.unreadable,
        "huge.png",
        "has 60000x60000 pixels, more than 64,000,000",
    );
    let few = ImportLimits {
        all_pixels: 5000,
        ..ImportLimits::default()
    };
    assert_says(
        &place.refusal_with("pets", &place.path("pets.zip"), &few),
        "pets.zip",
        "more than 5,000 pixels together",
    );
}

#[test]
fn classes_without_images_are_refused() {
    let folder = crate::files::Entry {
        mode: 0o040_755,
        ..entry("birds/", "")
    };
    assert_says(&with_more([folder]), "birds", "is a class without images");
    assert_says(
        &with_more([entry("birds/1.png", "nothing")]),
        "birds",
        "has no image that can be read",
    );
    let place = Place::new();
    fs::write(place.path("none.zip"), zip(&[])).unwrap();
    assert_says(
        &place.refusal("none", &place.path("none.zip")),
        "none.zip",
        "at least 2 classes, and has 0",
    );
    fs::write(
        place.path("one.zip"),
        zip(&[entry("cats/1.png", png(16, 16, [1, 1, 1]))]),
    )
    .unwrap();
    assert_says(
        &place.refusal("one", &place.path("one.zip")),
        "one.zip",
        "at least 2 classes, and has 1",
    );
    fs::write(place.path("no.zip"), b"PK\x03\x04 and no more").unwrap();
    assert_says(
        &place.refusal("no", &place.path("no.zip")),
        "no.zip",
        "cannot be read as a zip",
    );
}

fn golden() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/photos")
}

#[test]
fn every_kind_of_picture_has_the_right_colours() {
    let expected: Value =
        serde_json::from_slice(&fs::read(golden().join("expected.json")).unwrap()).unwrap();
    for (name, colours) in expected.as_object().unwrap() {
        let place = Place::new();
        let bytes = fs::read(golden().join(name)).unwrap();
        write_all(
            &place.path("set"),
            &[
                (&*format!("a/{name}"), bytes),
                ("b/colour.png", png(16, 16, [1, 2, 3])),
            ],
        );
        let report = place.publish("set", &place.path("set"));
        assert_eq!(
            (report.images, report.side, report.channels),
            (2, 16, 3),
            "{name}"
        );
        let pixels = place.pixels("set");
        let tolerance =
            if name.ends_with(".png") || !name.contains("lossy") && name.ends_with(".webp") {
                0
            } else {
                4
            };
        for (quarter, (x, y)) in [(4, 4), (12, 4), (4, 12), (12, 12)].into_iter().enumerate() {
            for channel in 0..3 {
                let found = i64::from(pixels[channel * 256 + y * 16 + x]);
                let right = colours[quarter][channel].as_i64().unwrap();
                assert!(
                    (found - right).abs() <= tolerance,
                    "{name}, quarter {quarter}, channel {channel}: {found}, not {right}"
                );
            }
        }
    }
}

#[test]
fn grey_pictures_make_a_grey_set() {
    let place = Place::new();
    let grey = fs::read(golden().join("grey.png")).unwrap();
    write_all(
        &place.path("set"),
        &[("a/1.png", grey.clone()), ("b/1.png", grey)],
    );
    assert_eq!(place.publish("grey", &place.path("set")).channels, 1);
    assert_eq!(place.pixels("grey").len(), 2 * 256);
}

#[test]
fn classes_that_are_numbers_stand_in_their_order() {
    let place = Place::new();
    let names = ["10/1.png", "2/1.png", "1/1.png"];
    write_all(
        &place.path("set"),
        &names.map(|name| (name, png(16, 16, [5, 6, 7]))),
    );
    let classes = place.publish("set", &place.path("set")).classes;
    assert_eq!(
        classes
            .into_iter()
            .map(|class| class.name)
            .collect::<Vec<_>>(),
        ["1", "2", "10"]
    );
}
