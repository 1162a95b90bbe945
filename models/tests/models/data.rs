//! The data sets are deterministic, and their splits are disjoint.

use std::collections::HashSet;

use serde_json::{Value, json};
use vivarium_models::data::{Library, Split, Splits, points, shape};
use vivarium_models::spec::DataSpec;

use crate::common::{built_in, load, spec};

fn data(data: Value) -> DataSpec {
    spec(json!({"data": data, "network": {"kind": "mlp"}})).data
}

fn loaded(document: Value) -> Splits {
    load(&data(document))
}

#[test]
fn every_set_loads_as_its_row_says_and_the_same_twice() {
    for row in built_in() {
        let spec = data(json!({"set": row.set}));
        let splits = load(&spec);
        let (input, classes) = shape(&spec, &Library::none()).unwrap();
        assert_eq!(
            (&splits.input, splits.classes.len()),
            (&input, classes),
            "{}",
            row.set
        );
        assert_eq!(classes, row.classes, "{}", row.set);
        assert_eq!(
            input.len(),
            if row.dimensions == 2 { 1 } else { 3 },
            "{}",
            row.set
        );
        assert_eq!(splits, load(&spec), "{}", row.set);
        assert_eq!(splits.hash.len(), 64);
        for samples in [&splits.train, &splits.validation, &splits.test] {
            assert!(!samples.is_empty(), "{}", row.set);
            assert!(
                samples
                    .labels()
                    .iter()
                    .all(|label| (*label as usize) < classes)
            );
            assert!(
                (0..samples.len()).all(|i| samples
                    .values(i)
                    .unwrap()
                    .iter()
                    .all(|v| v.is_finite()))
            );
        }
        for class in 0..classes as u32 {
            assert!(
                splits.test.labels().contains(&class),
                "{} has no test sample of {class}",
                row.set
            );
        }
        assert!(!row.licence.is_empty() && !row.summary.is_empty() && !row.title.is_empty());
    }
}

#[test]
fn digits_are_the_1797_images_with_a_fifth_for_the_test() {
    let splits = loaded(json!({"set": "digits"}));
    let sizes = [&splits.train, &splits.validation, &splits.test].map(|s| s.len());
    assert_eq!(sizes, [1294, 144, 359]);
    assert_eq!(
        splits.classes,
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
    );
    let mut counts = [0; 10];
    for samples in [&splits.train, &splits.validation, &splits.test] {
        samples
            .labels()
            .iter()
            .for_each(|label| counts[*label as usize] += 1);
    }
    // The values of scikit-learn's load_digits.
    assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    let each = (0..10).map(|class| {
        splits
            .test
            .labels()
            .iter()
            .filter(|label| **label == class)
            .count()
    });
    assert!(
        each.clone().all(|n| (35..=37).contains(&n)),
        "{:?}",
        each.collect::<Vec<_>>()
    );
}

#[test]
fn the_training_split_has_mean_0_and_deviation_1() {
    for set in ["digits", "moons"] {
        let splits = loaded(json!({"set": set}));
        let channels = splits.input[0];
        let values: Vec<Vec<f32>> = (0..splits.train.len())
            .map(|i| splits.train.values(i).unwrap())
            .collect();
        let plane = values[0].len() / channels;
        for c in 0..channels {
            let of: Vec<f64> = values
                .iter()
                .flat_map(|v| &v[c * plane..(c + 1) * plane])
                .map(|v| f64::from(*v))
                .collect();
            let mean = of.iter().sum::<f64>() / of.len() as f64;
            let variance = of.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / of.len() as f64;
            assert!(
                mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-4,
                "{set}: {mean} {variance}"
            );
        }
    }
}

#[test]
fn no_point_is_in_two_splits_and_none_is_lost() {
    for set in ["blobs", "moons", "circles", "spiral", "xor"] {
        let all = points(&data(
            json!({"set": set, "samples": 250, "validation": 0.3}),
        ))
        .unwrap()
        .unwrap();
        let distinct: HashSet<_> = all.iter().map(|p| (p.x.to_bits(), p.y.to_bits())).collect();
        assert_eq!((all.len(), distinct.len()), (250, 250), "{set}");
        let count = |split| all.iter().filter(|p| p.split == split).count();
        assert_eq!(
            [
                count(Split::Train),
                count(Split::Validation),
                count(Split::Test)
            ],
            [140, 60, 50],
            "{set}"
        );
    }
}

#[test]
fn points_are_the_loaded_samples_in_raw_coordinates() {
    let spec = data(json!({"set": "spiral", "classes": 3}));
    let splits = load(&spec);
    let all = points(&spec).unwrap().unwrap();
    let train: Vec<_> = all.iter().filter(|p| p.split == Split::Train).collect();
    assert_eq!(train.len(), splits.train.len());
    for (i, point) in train.iter().enumerate() {
        let normal = |v: f64, axis: usize| {
            ((v - splits.normalisation.mean[axis]) / splits.normalisation.deviation[axis]) as f32
        };
        assert_eq!(
            splits.train.values(i).unwrap(),
            [normal(point.x, 0), normal(point.y, 1)]
        );
        assert_eq!(splits.train.labels()[i] as usize, point.class);
    }
    let [[left, right], _] = splits.range.unwrap();
    assert!(all.iter().all(|p| (left..=right).contains(&p.x)));
    assert_eq!(points(&data(json!({"set": "digits"}))).unwrap(), None);
}

#[test]
fn the_test_split_does_not_depend_on_validation_and_limit() {
    let raw_test = |document: Value| {
        let all = points(&data(document)).unwrap().unwrap();
        all.into_iter()
            .filter(|p| p.split == Split::Test)
            .collect::<Vec<_>>()
    };
    let test = raw_test(json!({"set": "moons"}));
    assert_eq!(test, raw_test(json!({"set": "moons", "validation": 0.0})));
    assert_eq!(
        test,
        raw_test(json!({"set": "moons", "validation": 0.5, "limit": 7}))
    );
}

#[test]
fn a_limit_caps_the_training_samples_alone() {
    let all = loaded(json!({"set": "digits"}));
    let few = loaded(json!({"set": "digits", "limit": 100}));
    assert_eq!(
        (few.train.len(), few.validation.len(), few.test.len()),
        (100, all.validation.len(), all.test.len())
    );
    assert_eq!(few.train.labels(), &all.train.labels()[..100]);
    assert_eq!(loaded(json!({"set": "digits", "limit": 1})).train.len(), 1);
    assert_eq!(
        loaded(json!({"set": "digits", "limit": 1_000_000}))
            .train
            .len(),
        all.train.len()
    );
}

#[test]
fn validation_is_empty_only_where_none_is_asked_for() {
    assert!(
        loaded(json!({"set": "xor", "validation": 0}))
            .validation
            .is_empty()
    );
    assert_eq!(
        loaded(json!({"set": "xor", "samples": 40, "validation": 1e-9}))
            .validation
            .len(),
        1
    );
}

#[test]
fn images_can_be_larger_and_in_colour_and_the_hash_tells_data_apart() {
    let grey = loaded(json!({"set": "digits"}));
    let large = loaded(json!({"set": "digits", "size": 16, "channels": 3}));
    assert_eq!(large.input, [3, 16, 16]);
    let image = large.train.values(0).unwrap();
    assert_eq!(image.len(), 3 * 256);
    assert_eq!(image[..256], image[256..512]);
    assert_ne!(grey.hash, large.hash);
    assert_ne!(
        grey.hash,
        loaded(json!({"set": "digits", "validation": 0.2})).hash
    );
}

#[test]
fn blobs_can_be_divided_by_a_line_as_they_come() {
    let all = points(&data(json!({"set": "blobs"}))).unwrap().unwrap();
    let (sin, cos) = std::f64::consts::FRAC_PI_6.sin_cos();
    assert!(
        all.iter()
            .all(|p| ((p.x * cos + p.y * sin) > 0.0) == (p.class == 0))
    );
}
