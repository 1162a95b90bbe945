//! Sets that are kept as photos: what is stored, what is prepared of it, what training reads, and what is damaged.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde::Deserialize;
use serde_json::{Value, json};
use vivarium_models::classify::Preprocessing;
use vivarium_models::contract::{Event, Normalisation};
use vivarium_models::data::{self, Fit, Library, Photo, PhotoTransform, Splits};
use vivarium_models::form;
use vivarium_models::graph::Criterion;
use vivarium_models::spec::RunSpec;
use vivarium_models::train::train;

use crate::common::Recorder;
use crate::files::{Place, entry, photos, write_all, zip};

/// A photo of waves that depend on a number.
pub(crate) fn photo(width: u32, height: u32, number: u32) -> RgbImage {
    let number = f64::from(number);
    RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (
            f64::from(x) / f64::from(width),
            f64::from(y) / f64::from(height),
        );
        let wave = |phase: f64| {
            let along = (5.0 + number % 7.0) * x + number;
            let down = (4.0 + number % 5.0) * y * phase;
            (127.0 + 60.0 * along.sin() + 60.0 * (down + phase).cos()) as u8
        };
        Rgb([wave(1.0), wave(2.0), wave(3.0 + number)])
    })
}

pub(crate) fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Photos of two classes, none of them square.
pub(crate) fn files(count: u32) -> Vec<(String, Vec<u8>)> {
    (0..count)
        .map(|i| {
            let class = ["cats", "dogs"][i as usize % 2];
            let image = photo(30 + i % 5, 20 + i % 3, i);
            (format!("{class}/{i:03}.png"), png(&image))
        })
        .collect()
}

/// A library with the set `pets` of so many photos.
pub(crate) fn pets(count: u32) -> Place {
    let place = Place::new();
    let files = files(count);
    write_all(&place.path("pets"), &files);
    place.publish("pets", &place.path("pets"));
    place
}

/// The library, which reads all photos from the disk.
pub(crate) fn on_disk(place: &Place) -> Library {
    place.library.clone().with_photo_memory(0)
}

pub(crate) fn run_on(library: &Library, data: Value) -> RunSpec {
    let document = json!({
        "data": data, "network": {"kind": "mlp", "hidden": [8]},
        "training": {"epochs": 2, "batch_size": 7, "threads": 1}
    });
    form::check(&document, library).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn loaded(library: &Library, data: Value) -> Splits {
    data::load(&run_on(library, data).data, library).unwrap()
}

/// All values of all splits.
pub(crate) fn values(splits: &Splits) -> Vec<Vec<f32>> {
    [&splits.train, &splits.validation, &splits.test]
        .into_iter()
        .flat_map(|samples| (0..samples.len()).map(|i| samples.values(i).unwrap()))
        .collect()
}

pub(crate) fn prepared(place: &Place) -> Vec<PathBuf> {
    let entries = fs::read_dir(place.path("datasets/pets/prepared"));
    let mut files: Vec<_> = entries
        .into_iter()
        .flatten()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn photos_are_kept_byte_for_byte_with_their_names() {
    let place = pets(12);
    let folder = place.path("datasets/pets");
    let all = fs::read(folder.join("photos.bin")).unwrap();
    let index = fs::read_to_string(folder.join("photos.ndjson")).unwrap();
    let index: Vec<Photo> = index
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut expected = files(12);
    expected.sort();
    assert_eq!(index.len(), expected.len());
    for (photo, (name, bytes)) in index.iter().zip(&expected) {
        assert_eq!(&photo.name, name);
        let from = photo.offset as usize;
        assert_eq!(&all[from..from + photo.bytes as usize], bytes);
        let number: u32 = name[5..8].parse().unwrap();
        assert_eq!(
            (photo.width, photo.height),
            (30 + number % 5, 20 + number % 3)
        );
    }
    let about = place.library.verify("pets").unwrap();
    assert_eq!((about.format, about.images, about.side), (2, 12, 21));
    let photos = about.photos.unwrap();
    assert_eq!((photos.width, photos.height), ([30, 32, 34], [20, 21, 22]));
    assert_eq!((photos.bytes, photos.square), (all.len() as u64, false));
}

#[test]
fn photos_keep_their_size_however_many_there_are() {
    let place = Place::new();
    let image = png(&photo(700, 600, 1));
    let many: Vec<_> = (0..40)
        .map(|i| entry(format!("{}/{i}.png", i % 2), image.clone()))
        .collect();
    fs::write(place.path("many.zip"), zip(&many)).unwrap();
    let report = place.publish("many", &place.path("many.zip"));
    assert_eq!((report.side, report.sizes), (224, [[700; 2], [600; 2]]));
    let splits = loaded(&place.library, json!({"set": "many", "size": 512}));
    assert_eq!(splits.input, [3, 512, 512]);
}

#[test]
fn training_reads_the_same_from_memory_and_from_the_disk() {
    let place = pets(60);
    // As floats, as bytes and from the disk.
    for data in [
        json!({"set": "pets"}),
        json!({"set": "pets", "size": 96}),
        json!({"set": "pets", "size": 96, "channels": 1, "fit": "pad"}),
        json!({"set": "pets", "size": 90, "normalisation": "imagenet", "fit": "stretch"}),
    ] {
        let memory = loaded(&place.library, data.clone());
        let disk = loaded(&on_disk(&place), data.clone());
        assert_eq!(values(&memory), values(&disk), "{data}");
        assert_eq!(
            (&memory.hash, &memory.normalisation, memory.transform),
            (&disk.hash, &disk.normalisation, disk.transform)
        );
        assert_eq!(
            memory.train.slice(3..40).unwrap(),
            disk.train.slice(3..40).unwrap()
        );
        assert_eq!(
            memory.train.gather(&[5, 1, 5], None).unwrap(),
            disk.train.gather(&[5, 1, 5], None).unwrap()
        );
        for (library, splits) in [(&place.library, &memory), (&on_disk(&place), &disk)] {
            let spec = run_on(library, data.clone()).data;
            assert_eq!(data::summary(&spec, library).unwrap(), splits.summary());
        }
        assert!(disk.summary().bytes < 60 * 100 && memory.summary().bytes > 60 * 1000);
    }
    // The statistics are those of the training split's values.
    let splits = loaded(&on_disk(&place), json!({"set": "pets", "size": 96}));
    for channel in 0..3 {
        let plane = channel * 96 * 96..(channel + 1) * 96 * 96;
        let all: Vec<f64> = (0..splits.train.len())
            .flat_map(|i| splits.train.values(i).unwrap()[plane.clone()].to_vec())
            .map(f64::from)
            .collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let variance = all.iter().map(|v| v * v).sum::<f64>() / all.len() as f64;
        assert!(
            mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-5,
            "{mean} {variance}"
        );
    }
}

#[test]
fn a_set_of_grey_photos_is_prepared_in_grey() {
    let place = Place::new();
    let grey = |number| {
        let image = DynamicImage::from(photo(40, 30, number)).to_luma8();
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    };
    let files = [
        ("a/1.png", grey(1)),
        ("a/2.png", grey(2)),
        ("b/1.png", grey(3)),
    ];
    write_all(&place.path("pets"), &files);
    assert_eq!(place.publish("pets", &place.path("pets")).channels, 1);
    let colour = loaded(
        &on_disk(&place),
        json!({"set": "pets", "size": 20, "channels": 3}),
    );
    let grey = loaded(&on_disk(&place), json!({"set": "pets", "size": 20}));
    assert_eq!(
        (&colour.input, &grey.input),
        (&vec![3, 20, 20], &vec![1, 20, 20])
    );
    assert_eq!(
        prepared(&place),
        [place.path("datasets/pets/prepared/20-1-crop.u8")]
    );
    let (colour, grey) = (values(&colour), values(&grey));
    assert!(
        colour
            .iter()
            .zip(&grey)
            .all(|(c, g)| c[..400] == g[..] && c[400..800] == g[..])
    );
}

#[test]
fn a_photo_that_is_predicted_is_seen_as_in_training_to_the_bit() {
    let place = pets(12);
    let libraries = [place.library.clone(), on_disk(&place)];
    for (fit, channels) in Fit::ALL.into_iter().flat_map(|fit| [(fit, 1), (fit, 3)]) {
        let data = json!({"set": "pets", "size": 16, "fit": fit, "channels": channels});
        let run = run_on(&place.library, data);
        let transform = PhotoTransform::of(&run.data).unwrap();
        assert_eq!(transform, PhotoTransform { fit, round: true });
        for library in &libraries {
            let splits = data::load(&run.data, library).unwrap();
            let preprocessing = Preprocessing::new(
                &splits.input,
                splits.transform,
                &splits.normalisation,
                Criterion::CrossEntropy,
            );
            let preprocessing = preprocessing.unwrap();
            let bits =
                |values: Vec<f32>| -> Vec<u32> { values.into_iter().map(f32::to_bits).collect() };
            let mut inputs: Vec<_> = files(12)
                .iter()
                .map(|(_, bytes)| {
                    let picture = data::decode_image(bytes, 1 << 20).unwrap();
                    bits(preprocessing.apply(&picture).unwrap())
                })
                .collect();
            let mut samples: Vec<_> = values(&splits).into_iter().map(bits).collect();
            inputs.sort();
            samples.sort();
            assert_eq!(inputs, samples, "{fit:?} {channels}");
        }
    }
}

#[test]
fn photos_before_a_network_of_pixels_are_not_rounded() {
    let spec = run_on(&Library::none(), json!({"set": "digits", "channels": 1})).data;
    let transform = PhotoTransform::of(&spec).unwrap();
    assert_eq!(transform, PhotoTransform::default());
    let digits = data::load(&spec, &Library::none()).unwrap();
    let picture = data::decode_image(&png(&photo(90, 70, 3)), 1 << 20).unwrap();
    let raw = data::network_input(&digits.input, &picture, transform).unwrap();
    assert!(raw.iter().any(|value| (value * 255.0).fract() > 0.1));
    let Normalisation { mean, deviation } = &digits.normalisation;
    let expected: Vec<f32> = raw
        .iter()
        .map(|value| ((f64::from(*value) - mean[0]) / deviation[0]) as f32)
        .collect();
    let criterion = Criterion::CrossEntropy;
    let preprocessing =
        Preprocessing::new(&digits.input, transform, &digits.normalisation, criterion).unwrap();
    assert_eq!(preprocessing.apply(&picture).unwrap(), expected);
}

#[derive(Deserialize)]
struct FitCase {
    file: String,
    fit: Fit,
    size: usize,
    values: Vec<f32>,
}

#[test]
fn every_fit_is_as_in_pytorch() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fits");
    let cases: Vec<FitCase> =
        serde_json::from_slice(&fs::read(folder.join("expected.json")).unwrap()).unwrap();
    assert_eq!(cases.len(), 18);
    for case in cases {
        let bytes = fs::read(folder.join(&case.file)).unwrap();
        let picture = data::decode_image(&bytes, 1 << 20).unwrap();
        let input = [3, case.size, case.size];
        let transform = PhotoTransform {
            fit: case.fit,
            round: false,
        };
        let found = data::network_input(&input, &picture, transform).unwrap();
        assert_eq!(found.len(), case.values.len());
        for (found, expected) in found.iter().zip(&case.values) {
            assert!(
                (255.0 * found - expected).abs() < 2e-3,
                "{} {:?} {}: {} and {expected}",
                case.file,
                case.fit,
                case.size,
                255.0 * found
            );
        }
    }
}

#[test]
fn a_run_on_photos_of_the_disk_goes_on_bit_for_bit_from_any_step() {
    let place = pets(60);
    let library = on_disk(&place);
    // One makes its batches on the calling thread, the other in the background.
    for size in [16, 40] {
        let data = json!({"set": "pets", "size": size, "augment": "flip-crop", "fit": "pad"});
        let run = run_on(&library, data);
        let go = |library: &Library, folder: &Path, stop_after: Option<u64>| {
            let mut recorder = Recorder {
                stop_after,
                ..Recorder::default()
            };
            train(&run, library, folder, &mut recorder).unwrap();
            recorder
                .events
                .retain(|event| !matches!(event, Event::Preparing { .. }));
            recorder
        };
        let folder = tempfile::tempdir().unwrap();
        let whole = go(&library, folder.path(), None);
        let steps = whole.steps().len() as u64;
        for stop in [1, steps / 2, steps - 1] {
            let folder = tempfile::tempdir().unwrap();
            let first = go(&library, folder.path(), Some(stop));
            // The second half prepares the photos again.
            fs::remove_dir_all(place.path("datasets/pets/prepared")).unwrap();
            let second = go(&library, folder.path(), None);
            assert_eq!(
                crate::common::joined(&[&first, &second]),
                whole.facts(),
                "stopped after step {stop}"
            );
        }
        // Nor does it matter whether the photos are in memory.
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            go(&place.library, folder.path(), None).facts(),
            whole.facts()
        );
    }
}

#[test]
fn a_set_of_photos_has_a_gallery_and_examples() {
    let place = Place::new();
    let named: Vec<_> = photos();
    write_all(&place.path("pets"), &named);
    place.publish("pets", &place.path("pets"));
    let gallery = data::gallery("pets", &place.library).unwrap().unwrap();
    assert_eq!((gallery.rows, gallery.columns, gallery.cell), (2, 10, 96));
    let shown = image::load_from_memory(&gallery.png().unwrap())
        .unwrap()
        .to_rgba8();
    // The first cat is red, with a darker top left corner.
    let [corner, middle] = [shown.get_pixel(96 + 10, 10), shown.get_pixel(96 + 80, 80)];
    assert!(corner[0].abs_diff(100) <= 2 && middle[0].abs_diff(200) <= 2 && middle[3] == 255);
    let examples = data::fit_examples("pets", &place.library).unwrap().unwrap();
    let sizes: Vec<_> = examples
        .photos
        .iter()
        .map(|photo| (photo.width, photo.height))
        .collect();
    assert_eq!(
        (sizes[0], sizes[2], &examples.fits),
        ((35, 20), (16, 20), &Fit::ALL.to_vec())
    );
    let shown = image::load_from_memory(&examples.png().unwrap())
        .unwrap()
        .to_rgb8();
    assert_eq!((shown.width(), shown.height()), (3 * 128, 3 * 128));
    // The padded one of the widest has a black bar on top, and the cropped one has none.
    assert_eq!(
        (
            shown.get_pixel(128 + 64, 2).0,
            shown.get_pixel(100, 2).0 == [0; 3]
        ),
        ([0; 3], false)
    );
    assert!(data::fit_examples("pets", &Library::none()).is_err());
}
