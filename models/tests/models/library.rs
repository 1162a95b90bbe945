//! Stored sets: found, refused when damaged, trained on, replaced, removed; and the real Fashion-MNIST.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use vivarium_models::contract::Reason;
use vivarium_models::data::{self, Library, Splits, State};
use vivarium_models::error::Error;
use vivarium_models::form;
use vivarium_models::spec::RunSpec;
use vivarium_models::train::{prepare, train};

use crate::common::Recorder;
use crate::files::{Place, cifar, idx, photos, write_all};

/// The folder of Debian's package dataset-fashion-mnist.
const FASHION: &str = "/usr/share/datasets/fashion-mnist";

fn run_on(library: &Library, data: Value) -> RunSpec {
    let document = json!({
        "data": data, "network": {"kind": "mlp", "hidden": [8]},
        "training": {"epochs": 2, "batch_size": 16, "threads": 1}
    });
    form::check(&document, library).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn loaded(library: &Library, data: Value) -> Splits {
    data::load(&run_on(library, data).data, library).unwrap()
}

fn refusal(library: &Library, set: &str) -> String {
    let document = json!({"data": {"set": set}, "network": {"kind": "mlp"}});
    let errors = form::check(&document, library).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].path, "data.set");
    errors[0].message.clone()
}

#[test]
fn a_known_set_that_is_not_here_is_refused_with_the_way_to_get_it() {
    let place = Place::new();
    for set in ["mnist", "fashion-mnist", "cifar-10", "cifar-100"] {
        for library in [&place.library, &Library::none()] {
            assert_eq!(library.find(set).unwrap().state, State::Missing);
            let message = refusal(library, set);
            assert!(
                message.contains(&format!("vivarium data fetch {set}")),
                "{message}"
            );
        }
    }
    let message = refusal(&place.library, "cats");
    assert!(
        message.starts_with("must be one of digits, blobs"),
        "{message}"
    );
    assert!(refusal(&place.library, "../datasets").starts_with("must be one of"));
}

#[test]
fn a_set_of_ones_own_is_in_the_check_the_form_and_the_plan() {
    let place = Place::new();
    write_all(&place.path("pets"), &photos());
    place.publish("pets", &place.path("pets"));
    let run = run_on(&place.library, json!({"set": "pets"}));
    assert_eq!(
        Value::Object(run.data.options.clone()),
        json!({
            "size": 20, "fit": "crop", "channels": 3, "augment": "none", "test_time_flip": false,
            "normalisation": "measured", "version": "imported"
        })
    );
    assert_eq!(run.name, "mlp on pets");
    let form = serde_json::to_value(form::table(&place.library)).unwrap();
    let row = form["data_sets"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["set"] == "pets")
        .unwrap()
        .clone();
    assert_eq!(
        (
            &row["classes"],
            &row["state"]["kind"],
            &row["defaults"]["data.size"]
        ),
        (&json!(2), &json!("present"), &json!(20))
    );
    let plan = prepare(&run, &place.library).unwrap();
    assert_eq!(
        (
            plan.train_samples,
            plan.validation_samples,
            plan.test_samples
        ),
        (14, 2, 4)
    );
    assert_eq!(
        (plan.classes, plan.input),
        (vec!["cats".to_owned(), "dogs".to_owned()], vec![3, 20, 20])
    );
    let full = serde_json::to_value(&run).unwrap();
    assert_eq!(form::check(&full, &place.library).unwrap(), run);
}

#[test]
fn the_plan_of_a_set_is_what_is_loaded() {
    let place = Place::new();
    write_all(&place.path("small"), &idx(200, 50));
    place.publish("small", &place.path("small"));
    for data in [
        json!({"set": "small"}),
        json!({"set": "small", "validation": 0.25, "limit": 70}),
    ] {
        let run = run_on(&place.library, data);
        let outline = data::summary(&run.data, &place.library).unwrap();
        assert_eq!(
            outline,
            data::load(&run.data, &place.library).unwrap().summary()
        );
        assert_eq!(outline.test, 50);
    }
    // Few images are kept as floats, many as bytes, and in grey for grey inputs.
    write_all(&place.path("many"), &cifar(false, 200));
    place.publish("many", &place.path("many"));
    for (data, bytes) in [
        (json!({"set": "small", "size": 8}), 250 * (4 * 64 + 8)),
        (json!({"set": "many"}), 1200 * (3072 + 8)),
        (
            json!({"set": "many", "channels": 1, "size": 48}),
            1200 * (1024 + 8),
        ),
        (
            json!({"set": "many", "limit": 10, "size": 8}),
            1200 * 4 * 192 + 8 * 310,
        ),
    ] {
        let run = run_on(&place.library, data);
        let outline = data::summary(&run.data, &place.library).unwrap();
        let loaded = data::load(&run.data, &place.library).unwrap();
        assert_eq!((&outline, outline.bytes), (&loaded.summary(), bytes));
    }
}

#[test]
fn the_test_split_of_a_set_stays_its_own() {
    let place = Place::new();
    write_all(&place.path("small"), &idx(200, 50));
    place.publish("small", &place.path("small"));
    let splits = loaded(&place.library, json!({"set": "small"}));
    let sizes = [&splits.train, &splits.validation, &splits.test].map(|of| of.len());
    assert_eq!(sizes, [180, 20, 50]);
    // Normalisation uses the mean of the first 200 images, without test images.
    let splits = loaded(&place.library, json!({"set": "small", "validation": 0}));
    let pixels = &place.pixels("small")[..200 * 16];
    let mean = pixels.iter().map(|b| f64::from(*b)).sum::<f64>() / (200.0 * 16.0 * 255.0);
    assert!((splits.normalisation.mean[0] - mean).abs() < 1e-12);
}

#[test]
fn colours_become_grey_and_grey_becomes_colours() {
    let place = Place::new();
    write_all(&place.path("small"), &cifar(false, 20));
    place.publish("small", &place.path("small"));
    let colour = loaded(&place.library, json!({"set": "small"}));
    assert_eq!(
        (colour.input.clone(), colour.normalisation.mean.len()),
        (vec![3, 32, 32], 3)
    );
    let grey = loaded(&place.library, json!({"set": "small", "channels": 1}));
    assert_eq!(
        (grey.input.clone(), grey.normalisation.mean.len()),
        (vec![1, 32, 32], 1)
    );
    assert_ne!(colour.hash, grey.hash);
    let [raw_grey, raw_colour] = [&grey, &colour].map(|splits| {
        let values = splits.test.values(3).unwrap();
        let plane = |c: usize| {
            f64::from(values[c * 1024]) * splits.normalisation.deviation[c]
                + splits.normalisation.mean[c]
        };
        (0..splits.input[0]).map(plane).collect::<Vec<_>>()
    });
    let luma = 0.299 * raw_colour[0] + 0.587 * raw_colour[1] + 0.114 * raw_colour[2];
    assert!(
        (raw_grey[0] - luma).abs() < 0.003,
        "{raw_grey:?} {raw_colour:?}"
    );
}

#[test]
fn images_grow_and_shrink_with_a_run() {
    let place = Place::new();
    write_all(&place.path("small"), &cifar(false, 20));
    place.publish("small", &place.path("small"));
    let own = loaded(&place.library, json!({"set": "small"}));
    for size in [8, 20, 48] {
        let other = loaded(&place.library, json!({"set": "small", "size": size}));
        assert_eq!(other.input, [3, size, size]);
        assert_eq!(other.normalisation, own.normalisation);
        // Each channel is constant, so it is at every size.
        let (own, other) = (own.train.values(5).unwrap(), other.train.values(5).unwrap());
        for channel in 0..3 {
            let right = own[channel * 1024];
            assert!(
                other[channel * size * size..(channel + 1) * size * size]
                    .iter()
                    .all(|v| (v - right).abs() < 1e-4)
            );
        }
    }
}

#[test]
fn damage_to_a_set_is_found_before_it_is_learnt_from() {
    let place = Place::new();
    write_all(&place.path("small"), &idx(200, 50));
    place.publish("small", &place.path("small"));
    let run = run_on(&place.library, json!({"set": "small"}));
    let pixels = place.path("datasets/small/pixels.u8");
    let whole = fs::read(&pixels).unwrap();
    let told = |library: &Library| {
        let error = data::load(&run.data, library).unwrap_err();
        assert!(matches!(error, Error::Refused(_)), "{error:?}");
        assert_eq!(
            library.verify("small").unwrap_err().to_string(),
            error.to_string()
        );
        error.to_string()
    };
    fs::write(&pixels, &whole[..whole.len() - 7]).unwrap();
    assert!(told(&place.library).contains("must have 4,000 bytes, and has 3,993 bytes"));
    let mut flipped = whole.clone();
    flipped[1234] ^= 1;
    fs::write(&pixels, &flipped).unwrap();
    assert!(told(&place.library).contains("is damaged: its SHA-256 is"));
    fs::write(&pixels, &whole).unwrap();
    let labels = place.path("datasets/small/labels.u16");
    let mut wrong = fs::read(&labels).unwrap();
    wrong[10] = 9;
    fs::write(&labels, &wrong).unwrap();
    assert!(told(&place.library).contains("image 6 has a class that does not exist"));
    fs::write(place.path("datasets/small/set.json"), "{}").unwrap();
    assert!(matches!(
        place.library.find("small").unwrap().state,
        State::Damaged { .. }
    ));
    assert!(refusal(&place.library, "small").starts_with("cannot be read"));
}

#[test]
fn sets_are_published_once_replaced_on_demand_and_removed() {
    let place = Place::new();
    write_all(&place.path("one"), &idx(200, 50));
    write_all(&place.path("two"), &idx(100, 50));
    place.publish("set", &place.path("one"));
    let ready = || place.import("set", &place.path("two")).unwrap().ready;
    for (set, words) in [
        ("set", "is here already"),
        ("digits", "is the name of a data set of this program"),
        ("../a", "must be 1 to 40"),
        ("", "must be"),
    ] {
        let error = place
            .library
            .publish(ready(), set, false)
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{set}: {error}");
    }
    assert_eq!(place.library.verify("set").unwrap().images, 250);
    place.library.publish(ready(), "set", true).unwrap();
    assert_eq!(place.library.verify("set").unwrap().images, 150);
    assert_eq!(place.left().len(), 1, "{:?}", place.left());
    place.library.remove("set").unwrap();
    assert!(place.left().is_empty());
    for set in ["set", "digits", "..", ""] {
        assert!(place.library.remove(set).is_err(), "{set}");
    }
}

#[test]
fn a_run_on_varied_images_goes_on_bit_for_bit_from_any_step() {
    let place = Place::new();
    write_all(&place.path("pets"), &photos());
    write_all(&place.path("small"), &cifar(false, 20));
    place.publish("pets", &place.path("pets"));
    place.publish("small", &place.path("small"));
    // One makes its batches on the calling thread, the other in the background.
    for data in [
        json!({"set": "pets", "size": 16}),
        json!({"set": "small", "size": 36}),
    ] {
        let mut data = data;
        data["augment"] = json!("flip-crop-cutout");
        let run = run_on(&place.library, data);
        let go = |folder: &Path, stop_after: Option<u64>| {
            let mut recorder = Recorder {
                stop_after,
                ..Recorder::default()
            };
            let reason = train(&run, &place.library, folder, &mut recorder).unwrap();
            (reason, recorder)
        };
        let folder = tempfile::tempdir().unwrap();
        let (reason, whole) = go(folder.path(), None);
        assert_eq!(reason, Reason::Completed);
        let steps = whole.steps().len() as u64;
        for stop in [1, 2, steps / 2, steps / 2 + 1, steps - 1] {
            let folder = tempfile::tempdir().unwrap();
            let (reason, first) = go(folder.path(), Some(stop));
            assert_eq!(reason, Reason::Stopped);
            let (_, second) = go(folder.path(), None);
            assert_eq!(
                crate::common::joined(&[&first, &second]),
                whole.facts(),
                "stopped after step {stop}"
            );
        }
    }
}

#[test]
fn variations_change_what_is_learnt_from_and_nothing_else() {
    let place = Place::new();
    write_all(&place.path("small"), &cifar(false, 20));
    place.publish("small", &place.path("small"));
    let plain = loaded(&place.library, json!({"set": "small"}));
    let varied = loaded(&place.library, json!({"set": "small", "augment": "cutout"}));
    assert_eq!(
        (&plain.hash, &plain.normalisation, &plain.test),
        (&varied.hash, &varied.normalisation, &varied.test)
    );
    let variety = varied.augmentation.in_epoch(0, 1);
    let indices: Vec<u32> = (0..20).collect();
    let (values, labels) = varied.train.gather(&indices, Some(&variety)).unwrap();
    let (untouched, same_labels) = plain.train.gather(&indices, None).unwrap();
    assert_eq!(labels, same_labels);
    assert_ne!(values, untouched);
    // The augmentation of a sample does not depend on the rest of the batch.
    let (alone, _) = varied.train.gather(&[7], Some(&variety)).unwrap();
    assert_eq!(alone, values[7 * 3072..8 * 3072]);
}

#[test]
fn the_real_fashion_mnist_has_the_statistics_that_everyone_publishes() {
    let place = Place::new();
    let folder = Path::new(FASHION);
    assert!(
        folder.is_dir(),
        "install Debian's package dataset-fashion-mnist, as ./test does"
    );
    let report = place.publish("fashion-mnist", folder);
    assert_eq!(
        (report.images, report.test, report.side),
        (70_000, Some(10_000), 28)
    );
    assert!(report.classes.iter().all(|class| class.images == 7000));
    assert_eq!(report.classes[9].name, "Ankle boot");
    let splits = loaded(
        &place.library,
        json!({"set": "fashion-mnist", "validation": 0}),
    );
    assert_eq!([splits.train.len(), splits.test.len()], [60_000, 10_000]);
    let published = [0.2860, 0.3530];
    let found = [
        splits.normalisation.mean[0],
        splits.normalisation.deviation[0],
    ];
    assert!(
        found
            .iter()
            .zip(published)
            .all(|(f, p)| (f - p).abs() < 5e-5),
        "{found:?}"
    );
}
