//! `vivarium data`: sets come from mirrors and files, and what is wrong with them is said.

use std::fs;
use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use crate::mirror::{Manners, Mirror};
use crate::support::{FASHION, vivarium};

/// A data folder of one's own.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn data(&self, arguments: &[&str]) -> Output {
        let folder = self.0.path().to_string_lossy().into_owned();
        vivarium(&[&["data", "--data-dir", &folder], arguments].concat())
    }

    fn state(&self, set: &str) -> String {
        let output = text(&self.data(&["list"]).stdout);
        let line = output
            .lines()
            .find(|line| line.starts_with(set))
            .unwrap()
            .to_owned();
        line[set.len()..].trim()[..4].to_owned()
    }

    /// Folders of sets, begun ones among them.
    fn sets(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("datasets")).into_iter().flatten();
        entries
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn assert_fails(output: &Output, words: &str) {
    let said = text(&output.stderr);
    assert!(
        !output.status.success() && said.contains(words),
        "{words:?} is not in {said}"
    );
}

#[test]
fn fashion_mnist_is_fetched_from_a_mirror_and_trained_on() {
    let folder = Folder::new();
    let mirror = Mirror::of(&fashion(), Manners::default());
    let output = folder.data(&["fetch", "fashion-mnist", "--mirror", &mirror.url]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("70000 images, 10000 of them for the test, 28x28 grey"));
    assert_eq!(folder.state("fashion-mnist"), "here");
    assert!(
        text(&folder.data(&["check", "fashion-mnist"]).stdout)
            .contains("is whole: 70000 images of 10 classes")
    );
    assert_eq!(
        fs::read_dir(folder.path("fetching")).unwrap().count(),
        0,
        "what came is tidied away"
    );
    let data_dir = folder.0.path().to_string_lossy().into_owned();
    let trained = vivarium(&[
        "train",
        "--network",
        "mlp",
        "--data",
        "fashion-mnist",
        "--data-dir",
        &data_dir,
        "--set",
        "training.epochs=1",
        "--set",
        "data.limit=2000",
        "--set",
        "data.augment=flip-crop",
    ]);
    assert!(trained.status.success(), "{}", text(&trained.stderr));
    assert_fails(
        &folder.data(&["fetch", "fashion-mnist", "--mirror", &mirror.url]),
        "is here already",
    );
}

/// The real files, under the set's name in a folder of their own.
fn fashion() -> std::path::PathBuf {
    assert!(
        Path::new(FASHION).is_dir(),
        "install Debian's package dataset-fashion-mnist, as ./test does"
    );
    Path::new(FASHION).parent().unwrap().to_owned()
}

#[test]
fn a_fetch_that_breaks_off_goes_on_where_it_was() {
    let folder = Folder::new();
    // Large enough for the smaller files, so small that the large one breaks off more often than it is tried again.
    let manners = Manners {
        breaks_after: Some(6_000_000),
        ..Manners::default()
    };
    let mirror = Mirror::of(&fashion(), manners);
    let fetch = || folder.data(&["fetch", "fashion-mnist", "--mirror", &mirror.url]);
    assert_fails(&fetch(), "disconnected after");
    assert_eq!(folder.sets(), Vec::<String>::new());
    let part = folder.path("fetching/fashion-mnist/train-images-idx3-ubyte.gz.part");
    assert!(fs::metadata(part).unwrap().len() >= 18_000_000);
    let output = fetch();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let ranges: Vec<_> = mirror
        .asked()
        .into_iter()
        .filter(|asked| asked.contains(' '))
        .collect();
    assert!(
        ranges
            .iter()
            .any(|asked| asked.ends_with("ubyte.gz 18000000-")),
        "{ranges:?}"
    );
    assert_eq!(folder.state("fashion-mnist"), "here");
}

#[test]
fn what_is_left_of_a_fetch_is_not_trusted() {
    let folder = Folder::new();
    let left = folder.path("fetching/fashion-mnist");
    fs::create_dir_all(&left).unwrap();
    // Whole by its name, a part by its name, and more than there is.
    fs::write(left.join("t10k-labels-idx1-ubyte.gz"), "nothing").unwrap();
    fs::write(left.join("train-labels-idx1-ubyte.gz.part"), vec![7; 1000]).unwrap();
    fs::write(
        left.join("t10k-images-idx3-ubyte.gz.part"),
        vec![7; 5_000_000],
    )
    .unwrap();
    let mirror = Mirror::of(&fashion(), Manners::default());
    let output = folder.data(&["fetch", "fashion-mnist", "--mirror", &mirror.url]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(folder.data(&["check", "fashion-mnist"]).status.success());
}

#[test]
fn mirrors_without_ranges_begin_again() {
    let folder = Folder::new();
    let left = folder.path("fetching/fashion-mnist");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("train-labels-idx1-ubyte.gz.part"), vec![7; 1000]).unwrap();
    let mirror = Mirror::of(
        &fashion(),
        Manners {
            ignores_ranges: true,
            ..Manners::default()
        },
    );
    let output = folder.data(&["fetch", "fashion-mnist", "--mirror", &mirror.url]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn files_that_are_others_are_refused_by_their_checksum() {
    let folder = Folder::new();
    let files = folder.path("mirror");
    fs::create_dir_all(&files).unwrap();
    for name in [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    ] {
        fs::write(files.join(name), "something else").unwrap();
    }
    let mirror = Mirror::of(&files, Manners::default());
    for set in ["mnist", "fashion-mnist"] {
        let output = folder.data(&["fetch", set, "--mirror", &mirror.url]);
        assert_fails(&output, "has a wrong SHA-256");
        assert_fails(&output, "answers 404");
    }
    fs::write(
        files.join("train-images-idx3-ubyte.gz"),
        vec![0; 20_000_000],
    )
    .unwrap();
    assert_fails(
        &folder.data(&["fetch", "mnist", "--mirror", &mirror.url]),
        "sends more than 19824844 bytes",
    );
    assert_fails(
        &folder.data(&["fetch", "imagenet"]),
        "imagenet cannot be downloaded; these can: mnist",
    );
    assert_eq!(folder.sets(), Vec::<String>::new());
}

#[test]
fn import_and_check_say_everything_that_is_wrong() {
    let folder = Folder::new();
    let files = folder.path("files");
    fs::create_dir_all(&files).unwrap();
    for entry in fs::read_dir(FASHION).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), files.join(entry.file_name())).unwrap();
    }
    let cut = fs::read(files.join("t10k-images-idx3-ubyte.gz")).unwrap();
    fs::write(files.join("t10k-images-idx3-ubyte.gz"), &cut[..1_000_000]).unwrap();
    fs::copy(
        files.join("t10k-labels-idx1-ubyte.gz"),
        files.join("train-labels-idx1-ubyte.gz"),
    )
    .unwrap();
    fs::remove_file(files.join("t10k-labels-idx1-ubyte.gz")).unwrap();
    let path = files.to_string_lossy().into_owned();
    for arguments in [
        ["import", "fashion-mnist", &path].as_slice(),
        &["check", &path],
    ] {
        let output = folder.data(arguments);
        assert_fails(&output, "t10k-images-idx3-ubyte.gz: cannot be read past");
        assert_fails(&output, "t10k-labels-idx1-ubyte.gz: is missing");
        assert_fails(&output, "2 faults");
        assert_eq!(folder.sets(), Vec::<String>::new());
    }
    fs::copy(
        Path::new(FASHION).join("t10k-images-idx3-ubyte.gz"),
        files.join("t10k-images-idx3-ubyte.gz"),
    )
    .unwrap();
    fs::copy(
        files.join("train-labels-idx1-ubyte.gz"),
        files.join("t10k-labels-idx1-ubyte.gz"),
    )
    .unwrap();
    assert_fails(
        &folder.data(&["check", &path, "--as", "fashion-mnist"]),
        "has 10,000 labels for 60,000 images",
    );
    assert_fails(
        &folder.data(&["check", "mnist"]),
        "get it with `vivarium data fetch mnist`",
    );
    assert!(text(&folder.data(&["check", "digits"]).stdout).contains("is part of this program"));
}

#[test]
fn sets_are_imported_from_files_replaced_and_removed() {
    let folder = Folder::new();
    fashion();
    assert!(
        folder
            .data(&["import", "fashion-mnist", FASHION])
            .status
            .success()
    );
    assert_fails(
        &folder.data(&["import", "fashion-mnist", FASHION]),
        "is here already",
    );
    assert!(
        folder
            .data(&["import", "fashion-mnist", FASHION, "--replace"])
            .status
            .success()
    );
    assert_fails(
        &folder.data(&["import", "digits", FASHION]),
        "is the name of a data set of this program",
    );
    assert_fails(
        &folder.data(&["import", "My Set", FASHION]),
        "must be 1 to 40",
    );
    assert_fails(&folder.data(&["import", "other", "/nowhere"]), "/nowhere");
    assert!(folder.data(&["remove", "fashion-mnist"]).status.success());
    assert_eq!(
        (folder.state("fashion-mnist").as_str(), folder.sets()),
        ("fetc", vec![])
    );
    assert_fails(
        &folder.data(&["remove", "fashion-mnist"]),
        "is not in the library",
    );
}

#[test]
fn archives_of_folders_are_imported_and_what_is_to_be_said_of_them_is_printed() {
    let folder = Folder::new();
    let photo = fs::read(crate::support::photos().join("rgb.jpg")).unwrap();
    let mut archive = tar_of(&photo);
    fs::write(folder.path("flowers.tgz"), &archive).unwrap();
    let path = folder.path("flowers.tgz").to_string_lossy().into_owned();
    for arguments in [["check", &path].as_slice(), &["import", "flowers", &path]] {
        let output = folder.data(arguments);
        let said = text(&output.stdout);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(
            said.contains("4 daisy") && said.contains("4 rose"),
            "{said}"
        );
        assert!(
            said.contains("identical to an image of another class"),
            "{said}"
        );
    }
    archive.truncate(archive.len() / 2);
    fs::write(folder.path("half.tgz"), &archive).unwrap();
    let half = folder.path("half.tgz").to_string_lossy().into_owned();
    assert_fails(&folder.data(&["check", &half]), "cannot be unpacked past");
}

/// A packed tar of two classes of four images each, written by hand: one head and its bytes for each.
fn tar_of(photo: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut bytes = Vec::new();
    for i in 0..8 {
        let mut head = [0u8; 512];
        let name = format!(
            "flowers/{}/{i}.jfif",
            if i % 2 == 0 { "daisy" } else { "rose" }
        );
        head[..name.len()].copy_from_slice(name.as_bytes());
        head[100..107].copy_from_slice(b"0000644");
        head[124..135].copy_from_slice(format!("{:011o}", photo.len()).as_bytes());
        head[156] = b'0';
        head[257..263].copy_from_slice(b"ustar\0");
        head[148..156].fill(b' ');
        let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
        head[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
        bytes.extend(head);
        bytes.extend(photo);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.extend([0; 1024]);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&bytes).unwrap();
    packed.finish().unwrap()
}
