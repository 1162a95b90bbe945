//! Import of IDX and CIFAR files, and the messages for invalid ones.

use std::fs;

use vivarium_models::data::Fault;

use crate::files::{
    Place, assert_says, cifar, gz, idx, idx_images, idx_labels, tar_gz, write_all, zip,
};

#[test]
fn idx_files_become_a_set_whether_compressed_or_not() {
    let place = Place::new();
    let files = idx(30, 12);
    write_all(&place.path("plain"), &files);
    write_all(
        &place.path("packed"),
        &files
            .clone()
            .map(|(name, bytes)| (name, gz(&bytes)))
            .map(|(name, bytes)| (leak(format!("{name}.gz")), bytes)),
    );
    for name in ["plain", "packed"] {
        let report = place.publish(name, &place.path(name));
        assert_eq!(
            (report.images, report.test, report.channels, report.side),
            (42, Some(12), 1, 4)
        );
        let counts: Vec<_> = report
            .classes
            .iter()
            .map(|class| (class.name.as_str(), class.images))
            .collect();
        assert_eq!(counts, [("0", 14), ("1", 14), ("2", 14)]);
        let expected = [&files[0].1[16..], &files[2].1[16..]].concat();
        assert_eq!(place.pixels(name), expected);
    }
    let [plain, packed] = ["plain", "packed"].map(|set| place.library.verify(set).unwrap());
    assert_eq!(plain.sha256, packed.sha256);
}

fn leak(text: String) -> &'static str {
    text.leak()
}

/// The faults of the four files when one of them has other bytes.
fn with_other(file: usize, bytes: Vec<u8>) -> Vec<Fault> {
    let place = Place::new();
    let mut files = idx(30, 12);
    files[file].1 = bytes;
    write_all(&place.path("set"), &files);
    place.refusal("set", &place.path("set"))
}

#[test]
fn idx_files_that_are_cut_off_or_too_long_are_refused_with_their_bytes() {
    let files = idx(30, 12);
    let cut = with_other(0, files[0].1[..400].to_vec());
    assert_says(
        &cut,
        "train-images-idx3-ubyte",
        "is cut off: it must have 496 bytes, and has 400; it says it holds 30 images of 4x4",
    );
    let head = with_other(3, vec![0, 0, 8, 1, 0]);
    assert_says(
        &head,
        "t10k-labels-idx1-ubyte",
        "is cut off in its first 2 numbers: it has 5 bytes",
    );
    let long = with_other(1, [&files[1].1[..], &[1, 2, 3]].concat());
    assert_says(
        &long,
        "train-labels-idx1-ubyte",
        "is too long: it must have 38 bytes, and has 3 more",
    );
    let packed = gz(&files[2].1);
    let broken = with_other(2, packed[..packed.len() - 20].to_vec());
    assert_says(&broken, "t10k-images-idx3-ubyte", "cannot be read past");
}

#[test]
fn idx_files_that_lie_about_their_size_are_not_believed() {
    let mut bytes = idx_images(30, 4, 0);
    bytes[4..16].copy_from_slice(&[0xff; 12]);
    assert_says(
        &with_other(0, bytes),
        "train-images-idx3-ubyte",
        "is not read",
    );
    // A megabyte of zeros from a few bytes is counted, not kept.
    let bomb = gz(&[&idx_labels(30)[..], &vec![0; 1 << 20]].concat());
    assert_says(
        &with_other(1, bomb),
        "train-labels-idx1-ubyte",
        "1,048,576 more",
    );
}

#[test]
fn swapped_idx_files_are_seen() {
    let files = idx(30, 12);
    let labels_for_images = with_other(0, files[1].1.clone());
    assert_says(
        &labels_for_images,
        "train-images-idx3-ubyte",
        "holds labels, and must hold images: are the files swapped?",
    );
    let of_the_test = with_other(1, files[3].1.clone());
    assert_says(
        &of_the_test,
        "train-labels-idx1-ubyte",
        "has 12 labels for 30 images",
    );
    assert_says(
        &with_other(1, b"PNG and more".to_vec()),
        "train-labels-idx1-ubyte",
        "is no IDX file of labels: it begins with 504e4720",
    );
}

#[test]
fn a_known_set_must_hold_what_it_is_known_for() {
    let place = Place::new();
    write_all(&place.path("set"), &idx(30, 12));
    let faults = place.refusal("mnist", &place.path("set"));
    assert_says(
        &faults,
        "set",
        "must hold 60,000 images for training and 10,000 for the test, and holds 30 and 12",
    );
    assert_says(
        &faults,
        "train-images-idx3-ubyte",
        "has images of 4x4, and must have 28x28",
    );
    assert_says(
        &place.refusal("cifar-10", &place.path("set")),
        "set",
        "cifar-10 is made of the binary files of CIFAR-10",
    );
    write_all(&place.path("hundred"), &cifar(true, 20));
    assert_says(
        &place.refusal("cifar-10", &place.path("hundred")),
        "hundred",
        "files of another CIFAR",
    );
    assert_says(
        &place.refusal("cifar-100", &place.path("hundred")),
        "hundred",
        "must hold 50,000",
    );
    fs::write(place.path("photos.zip"), zip(&[])).unwrap();
    assert_says(
        &place.refusal("mnist", &place.path("photos.zip")),
        "photos.zip",
        "these are a zip",
    );
}

#[test]
fn swapped_splits_of_a_known_set_are_seen() {
    let place = Place::new();
    write_all(&place.path("set"), &idx(10_000, 60_000));
    assert_says(
        &place.refusal("mnist", &place.path("set")),
        "set",
        "must hold 60,000 images for training and 10,000 for the test, and holds 10,000 and 60,000: are they swapped?",
    );
}

#[test]
fn labels_out_of_range_are_refused_with_the_image() {
    let place = Place::new();
    let mut digits = idx(30, 12);
    digits[3].1[8 + 4] = 10;
    write_all(&place.path("digits"), &digits);
    assert_says(
        &place.refusal("mnist", &place.path("digits")),
        "t10k-labels-idx1-ubyte",
        "image 5 has the label 10, and labels go from 0 to 9",
    );
    let mut files = cifar(false, 12);
    files[2].1[3 * 3073] = 10;
    files[2].1[5 * 3073] = 255;
    write_all(&place.path("set"), &files);
    let faults = place.refusal("set", &place.path("set"));
    assert_says(
        &faults,
        "data_batch_3.bin",
        "image 4 has the label 10, and labels go from 0 to 9, and 1 more are wrong",
    );
    assert_eq!(faults.len(), 1);
}

#[test]
fn cifar_becomes_a_set_from_a_folder_and_from_an_archive() {
    for hundred in [false, true] {
        let place = Place::new();
        let files = cifar(hundred, 20);
        write_all(&place.path("folder"), &files);
        fs::write(place.path("archive.tar.gz"), tar_gz(&files)).unwrap();
        let report = place.publish("folder", &place.path("folder"));
        assert_eq!(
            report,
            place.publish("archive", &place.path("archive.tar.gz"))
        );
        let (images, classes) = if hundred { (40, 100) } else { (120, 10) };
        assert_eq!(
            (report.images, report.test, report.classes.len()),
            (images, Some(20), classes)
        );
        let [folder, archive] = ["folder", "archive"].map(|set| place.library.verify(set).unwrap());
        assert_eq!(folder.sha256, archive.sha256);
        // The pixels of the first image, without the header.
        let start = if hundred { 2 } else { 1 };
        assert_eq!(
            place.pixels("folder")[..3072],
            files[0].1[start..start + 3072]
        );
    }
}

#[test]
fn cifar_files_that_are_damaged_are_refused_with_their_bytes() {
    let place = Place::new();
    let mut files = cifar(false, 12);
    files[1].1.truncate(3073 * 3 + 100);
    files.remove(3);
    write_all(&place.path("set"), &files);
    let faults = place.refusal("set", &place.path("set"));
    assert_says(
        &faults,
        "data_batch_2.bin",
        "must have 3,073 bytes for each image, and has 9,319 bytes: 3 images and 100 bytes",
    );
    assert_says(&faults, "data_batch_4.bin", "is missing");
    let packed = tar_gz(&cifar(false, 12));
    fs::write(place.path("a.tar.gz"), &packed[..packed.len() / 2]).unwrap();
    assert!(!place.refusal("set", &place.path("a.tar.gz")).is_empty());
    let twice = [cifar(false, 2), cifar(false, 2)].concat();
    fs::write(place.path("b.tar.gz"), tar_gz(&twice)).unwrap();
    assert_says(
        &place.refusal("set", &place.path("b.tar.gz")),
        "data_batch_1.bin",
        "is there twice",
    );
    fs::write(place.path("c.tar.gz"), tar_gz(&[("readme", vec![1])])).unwrap();
    assert_says(
        &place.refusal("set", &place.path("c.tar.gz")),
        "cifar",
        "is a class without images, and holds cifar/readme",
    );
    fs::write(place.path("d.bin"), [1, 2, 3, 4, 5]).unwrap();
    assert_says(
        &place.refusal("set", &place.path("d.bin")),
        "d.bin",
        "is no zip, no tar and no folder",
    );
}

#[test]
fn an_archive_of_cifar_is_unpacked_no_further_than_its_files_may_be_and_its_links_are_not_followed()
{
    let place = Place::new();
    let bomb = tar_gz(&[("data_batch_1.bin", vec![0; 40 << 20])]);
    assert!(bomb.len() < 1 << 20);
    fs::write(place.path("bomb.tar.gz"), bomb).unwrap();
    assert_says(
        &place.refusal("set", &place.path("bomb.tar.gz")),
        "data_batch_1.bin",
        "has more than 30,730,000 bytes",
    );
    let outside = place.path("outside.bin");
    fs::write(&outside, &cifar(false, 12)[5].1).unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in &cifar(false, 12)[..5] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        archive.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    for kind in [tar::EntryType::Symlink, tar::EntryType::Link] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        archive
            .append_link(&mut header, "test_batch.bin", &outside)
            .unwrap();
    }
    fs::write(
        place.path("links.tar.gz"),
        gz(&archive.into_inner().unwrap()),
    )
    .unwrap();
    assert_says(
        &place.refusal("set", &place.path("links.tar.gz")),
        "test_batch.bin",
        "is a link",
    );
}
