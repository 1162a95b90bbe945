//! Archives: tars compressed or not, zips by every method, and unsupported ones, which the message names.

use std::fs;
use std::io::Write as _;

use vivarium_models::data::{Fault, ImportLimits};
use zip::CompressionMethod as Method;

use crate::files::{Entry, Place, assert_says, cifar, entry, gz, idx, photos, png, tar, zip};

fn images() -> Vec<(String, Vec<u8>)> {
    photos()
        .into_iter()
        .map(|(name, bytes)| (format!("pets/{name}"), bytes))
        .collect()
}

fn refused(bytes: &[u8]) -> Vec<Fault> {
    let place = Place::new();
    fs::write(place.path("pets.archive"), bytes).unwrap();
    place.refusal("pets", &place.path("pets.archive"))
}

#[test]
fn the_same_images_make_the_same_set_from_every_archive() {
    let place = Place::new();
    let whole = tar(&images());
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(&whole).unwrap();
    let mut xz =
        lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(0)).unwrap();
    xz.write_all(&whole).unwrap();
    let zipped = |method: Method| {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        for (name, bytes) in images() {
            writer.start_file(name, options).unwrap();
            writer.write_all(&bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    };
    let archives = [
        ("zip", zipped(Method::Stored)),
        ("deflate", zipped(Method::Deflated)),
        ("bzip2", zipped(Method::Bzip2)),
        ("tgz", gz(&whole)),
        ("bz2", bzip2.finish().unwrap()),
        ("xz", xz.finish().unwrap()),
        ("tar", whole),
    ];
    let mut found = Vec::new();
    for (name, bytes) in archives {
        // The names do not matter.
        let path = place.path(&format!("pets-{name}.dat"));
        fs::write(&path, bytes).unwrap();
        let report = place.publish(name, &path);
        assert_eq!(report.images, 20, "{name}");
        found.push(place.library.verify(name).unwrap().sha256);
    }
    assert!(found.iter().all(|hash| *hash == found[0]));
    assert_eq!(
        place.left().len(),
        found.len(),
        "nothing is left of what was unpacked"
    );
}

#[test]
fn archives_that_are_not_read_are_called_by_their_names_once() {
    for (bytes, words) in [
        (&b"Rar!\x1a\x07\x01\0"[..], "is a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "is a 7z archive"),
        (b"\x28\xb5\x2f\xfd....", "is packed with Zstandard"),
        (
            b"PK\x07\x08PK\x03\x04",
            "is one part of a zip that was split",
        ),
        (b"\x93NUMPY\x01\0", "but a NumPy array"),
        (&png(8, 8, [1, 2, 3]), "but one image"),
        (&gz(b"just words"), "holds one packed file, which is no tar"),
    ] {
        let faults = refused(bytes);
        assert_says(&faults, "pets.archive", words);
        assert_eq!(faults.len(), 1);
    }
    // A split zip says so in its end record.
    let entries: Vec<_> = images()
        .into_iter()
        .map(|(name, bytes)| entry(name, bytes))
        .collect();
    let mut split = zip(&entries);
    let end = split.len() - 22;
    split[end + 4] = 2;
    assert_says(
        &refused(&split),
        "pets.archive",
        "is one part of a zip that was split",
    );
    // An unsupported method is reported once, not for each image.
    let mut ppmd = zip(&entries);
    let mut at = 0;
    while let Some(found) = ppmd[at..]
        .windows(4)
        .position(|window| window == b"PK\x01\x02")
    {
        ppmd[at + found + 10] = 98;
        at += found + 4;
    }
    let faults = refused(&ppmd);
    assert_says(
        &faults,
        "pets.archive",
        "is compressed with PPMd, which is not read (pets/cats/0.png and 19 more)",
    );
    assert_eq!(faults.len(), 1);
}

#[test]
fn the_version_of_cifar_for_python_is_named_with_the_one_to_take() {
    let files: Vec<_> = ["data_batch_1", "batches.meta"]
        .map(|name| (format!("cifar-10-batches-py/{name}"), vec![0x80, 2]))
        .into();
    assert_says(
        &refused(&gz(&tar(&files))),
        "pets.archive",
        "vivarium data fetch cifar-10",
    );
    let files = vec![("cifar-100-python/train".to_owned(), vec![0x80, 2])];
    assert_says(
        &refused(&gz(&tar(&files))),
        "pets.archive",
        "cifar-100-binary.tar.gz",
    );
}

#[test]
fn the_same_path_twice_is_told() {
    let again = [
        images(),
        vec![("pets/cats/0.png".to_owned(), png(9, 9, [7, 7, 7]))],
    ]
    .concat();
    assert_says(&refused(&tar(&again)), "pets/cats/0.png", "is there twice");
    let entries: Vec<_> = again
        .iter()
        .map(|(name, bytes)| entry(name.clone(), bytes.clone()))
        .collect();
    assert_says(
        &refused(&zip(&entries)),
        "pets/cats/0.png",
        "is there twice",
    );
    let slashes = [
        images(),
        vec![("pets//cats/./0.png".to_owned(), png(9, 9, [7, 7, 7]))],
    ]
    .concat();
    let entries: Vec<_> = slashes
        .into_iter()
        .map(|(name, bytes)| entry(name, bytes))
        .collect();
    assert_says(
        &refused(&zip(&entries)),
        "pets/cats/0.png",
        "is there twice",
    );
}

/// A tar with an entry of a given kind and name besides the images.
fn with(kind: tar::EntryType, name: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(0);
    if kind == tar::EntryType::Symlink || kind == tar::EntryType::Link {
        header.set_link_name("/etc/passwd").unwrap();
    }
    header.set_cksum();
    [header.as_bytes().to_vec(), tar(&images())].concat()
}

#[test]
fn tars_that_reach_out_of_themselves_are_refused() {
    use tar::EntryType;
    for (kind, name, words) in [
        (
            EntryType::Regular,
            &b"../evil.png"[..],
            "leads out of the archive",
        ),
        (
            EntryType::Regular,
            b"pets/cats/../../../evil.png",
            "leads out of the archive",
        ),
        (EntryType::Regular, b"/tmp/evil.png", "has an absolute path"),
        (EntryType::Symlink, b"pets/cats/evil.png", "is a link"),
        (EntryType::Link, b"pets/cats/evil.png", "is a link"),
        (
            EntryType::Block,
            b"pets/cats/evil.png",
            "is a device or a pipe",
        ),
        (
            EntryType::Fifo,
            b"pets/cats/evil.png",
            "is a device or a pipe",
        ),
    ] {
        for bytes in [with(kind, name), gz(&with(kind, name))] {
            assert_says(&refused(&bytes), "evil.png", words);
        }
    }
}

#[test]
fn tars_that_unpack_to_too_much_or_are_cut_off_are_refused() {
    let place = Place::new();
    let mut files = images();
    files.push(("pets/cats/zeros.png".to_owned(), vec![0; 8 << 20]));
    let bomb = gz(&tar(&files));
    assert!(bomb.len() < 200_000);
    fs::write(place.path("bomb.tgz"), bomb).unwrap();
    let little = ImportLimits {
        all_bytes: 4 << 20,
        ..ImportLimits::default()
    };
    assert_says(
        &place.refusal_with("pets", &place.path("bomb.tgz"), &little),
        "bomb.tgz",
        "unpacks to more than 4,194,304 bytes",
    );
    let few = ImportLimits {
        files: 7,
        ..ImportLimits::default()
    };
    assert_says(
        &place.refusal_with("pets", &place.path("bomb.tgz"), &few),
        "bomb.tgz",
        "has more than 7 files",
    );
    let whole = tar(&images());
    for length in [whole.len() / 2, 700] {
        let faults = refused(&whole[..length]);
        let [cut, broken] = ["is cut off", "cannot be read as a tar"]
            .map(|words| faults[0].message.contains(words));
        assert!(cut || broken, "{faults:?}");
        assert!(!refused(&gz(&whole)[..length / 8]).is_empty());
    }
}

#[test]
fn names_in_the_encoding_of_another_system_are_read_for_the_archive_as_a_whole() {
    // Shift-JIS, in which the second byte of the first character is a backslash.
    let raw = |name: &[u8], i: u8| -> Entry {
        Entry {
            raw: Some([name, b"/", &[b'0' + i], b".png"].concat()),
            ..entry("", png(16, 16, [i, 50, name[1]]))
        }
    };
    let place = Place::new();
    let entries: Vec<_> = (0..3)
        .flat_map(|i| {
            [
                raw(b"\x95\x5c", i),
                raw(b"\x97\xa0", i),
                raw(b"\x94\x4c", i),
            ]
        })
        .collect();
    fs::write(place.path("set.zip"), zip(&entries)).unwrap();
    let report = place.import("set", &place.path("set.zip")).unwrap().report;
    let names: Vec<_> = report
        .classes
        .iter()
        .map(|class| class.name.as_str())
        .collect();
    assert_eq!(names, ["猫", "表", "裏"]);
    assert!(report.notes[0].contains("Shift_JIS"), "{:?}", report.notes);
    // In a tar, and in a folder that was unpacked without decoding names.
    let names = [
        &b"caf\x82/1.png"[..],
        b"caf\x82/2.png",
        b"th\x82/1.png",
        b"th\x82/2.png",
    ];
    let mut bytes = Vec::new();
    let mut builder = tar::Builder::new(&mut bytes);
    for (i, name) in names.iter().enumerate() {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        let image = png(16, 16, [i as u8, 1, 1]);
        header.set_size(image.len() as u64);
        header.set_cksum();
        builder.append(&header, &image[..]).unwrap();
    }
    builder.finish().unwrap();
    drop(builder);
    fs::write(place.path("set.tar"), &bytes).unwrap();
    let report = place.import("set", &place.path("set.tar")).unwrap().report;
    assert_eq!(
        report
            .classes
            .iter()
            .map(|class| class.name.as_str())
            .collect::<Vec<_>>(),
        ["café", "thé"]
    );
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        for (i, name) in names.iter().enumerate() {
            let path = place
                .path("unpacked")
                .join(std::ffi::OsStr::from_bytes(name));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, png(16, 16, [i as u8, 1, 1])).unwrap();
        }
        assert_eq!(
            place.publish("unpacked", &place.path("unpacked")).classes,
            report.classes
        );
    }
}

#[test]
fn files_of_known_formats_are_read_from_any_archive() {
    let place = Place::new();
    let named = |files: Vec<(&'static str, Vec<u8>)>| -> Vec<(String, Vec<u8>)> {
        files
            .into_iter()
            .map(|(name, bytes)| (format!("deep/er/{name}"), bytes))
            .collect()
    };
    for (name, files, images) in [
        ("idx", named(idx(30, 12).to_vec()), 42),
        ("cifar", named(cifar(false, 12)), 72),
        ("hundred", named(cifar(true, 12)), 24),
    ] {
        let entries: Vec<_> = files
            .iter()
            .map(|(name, bytes)| entry(name.clone(), bytes.clone()))
            .collect();
        let packed: Vec<_> = files
            .iter()
            .map(|(name, bytes)| {
                (
                    name.clone(),
                    if name.contains("idx") {
                        gz(bytes)
                    } else {
                        bytes.clone()
                    },
                )
            })
            .collect();
        for (i, archive) in [zip(&entries), tar(&files), gz(&tar(&packed))]
            .into_iter()
            .enumerate()
        {
            fs::write(place.path("archive"), archive).unwrap();
            assert_eq!(
                place
                    .publish(&format!("{name}-{i}"), &place.path("archive"))
                    .images,
                images,
                "{name} {i}"
            );
        }
    }
    // One of four files is declared as UTF-8.
    fs::write(
        place.path("train-images-idx3-ubyte.gz"),
        gz(&idx(30, 12)[0].1),
    )
    .unwrap();
    let before = place.left();
    let error = place
        .import("one", &place.path("train-images-idx3-ubyte.gz"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("train-images-idx3-ubyte.gz: is one of four files"),
        "{error}"
    );
    assert_eq!(place.left(), before);
}

#[cfg(unix)]
#[test]
fn links_in_a_folder_that_was_named_are_followed_and_those_that_lead_nowhere_are_named() {
    use std::os::unix::fs::symlink;
    let place = Place::new();
    crate::files::write_all(&place.path("pool"), &photos());
    fs::create_dir_all(place.path("set/cats")).unwrap();
    for i in (0..20).step_by(2) {
        symlink(
            place.path(&format!("pool/cats/{i}.png")),
            place.path(&format!("set/cats/{i}.png")),
        )
        .unwrap();
    }
    symlink("../pool/dogs", place.path("set/dogs")).unwrap();
    let report = place.publish("links", &place.path("set"));
    assert_eq!((report.images, report.unreadable), (20, vec![]));
    let plain = place.publish("plain", &place.path("pool"));
    assert_eq!(plain.classes, report.classes);
    // The folder itself may be a link.
    symlink(place.path("set"), place.path("again")).unwrap();
    assert_eq!(place.publish("again", &place.path("again")).images, 20);
    symlink(place.path("gone.png"), place.path("set/cats/gone.png")).unwrap();
    symlink(place.path("set"), place.path("set/cats/round")).unwrap();
    symlink("round.png", place.path("set/cats/round.png")).unwrap();
    symlink("/etc/passwd", place.path("set/cats/words.png")).unwrap();
    let report = place.import("more", &place.path("set")).unwrap().report;
    assert_eq!(
        (report.images, report.unreadable.len()),
        (20, 4),
        "{:?}",
        report.unreadable
    );
    assert_says(&report.unreadable, "cats/gone.png", "where nothing is");
    assert_says(&report.unreadable, "cats/round", "a folder that it lies in");
    assert_says(&report.unreadable, "cats/round.png", "cannot be followed");
    assert_says(&report.unreadable, "cats/words.png", "is no PNG");
}

#[test]
fn class_names_survive_every_encoding_that_archives_have() {
    let of = |encoding: &'static encoding_rs::Encoding, classes: &[&str]| {
        let mut archive = tar::Builder::new(Vec::new());
        for (number, class) in classes.iter().enumerate() {
            for i in 0..3u8 {
                let name = [&encoding.encode(class).0[..], &[b'/', b'0' + i], b".png"].concat();
                let mut header = tar::Header::new_ustar();
                header.as_mut_bytes()[..name.len()].copy_from_slice(&name);
                let image = png(16, 16, [number as u8, i, 1]);
                header.set_size(image.len() as u64);
                header.set_cksum();
                archive.append(&header, &image[..]).unwrap();
            }
        }
        let place = Place::new();
        fs::write(place.path("set.tar"), archive.into_inner().unwrap()).unwrap();
        let report = place.import("set", &place.path("set.tar")).unwrap().report;
        let mut expected = classes.to_vec();
        expected.sort_unstable();
        let found: Vec<_> = report
            .classes
            .iter()
            .map(|class| class.name.as_str())
            .collect();
        assert_eq!(found, expected, "{}: {:?}", encoding.name(), report.notes);
    };
    of(encoding_rs::SHIFT_JIS, &["犬", "猫"]);
    of(encoding_rs::SHIFT_JIS, &["表", "ソファ", "予定"]);
    of(encoding_rs::GBK, &["猫", "狗"]);
    of(encoding_rs::GBK, &["苹果", "香蕉", "橙子"]);
    of(encoding_rs::BIG5, &["蘋果", "香蕉", "橘子"]);
    of(encoding_rs::EUC_KR, &["고양이", "강아지"]);
    of(encoding_rs::IBM866, &["кошки", "собаки"]);
    of(encoding_rs::WINDOWS_1251, &["кошки", "собаки"]);
    of(encoding_rs::WINDOWS_1252, &["café", "thé", "crème"]);
    of(encoding_rs::UTF_8, &["café", "猫"]);
}
