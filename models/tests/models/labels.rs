//! Versions of a set's labels: what training sees of them, their names, and what is refused.

use std::fs;

use serde_json::{Value, json};
use vivarium_models::data::{self, LabelChange, Library, Split, Splits, split_samples};
use vivarium_models::error::Error;
use vivarium_models::form;
use vivarium_models::spec::RunSpec;

use crate::files::{Place, idx, write_all};
use crate::kept_photos::{photo, png};

const SETS: [&str; 2] = ["drawings", "pets"];

/// A library with a set of pixels that has a test split of its own, and one of photos.
fn place() -> Place {
    let place = Place::new();
    write_all(&place.path("idx"), &idx(40, 20));
    place.publish("drawings", &place.path("idx"));
    let files: Vec<(String, Vec<u8>)> = (0..40)
        .map(|i| {
            let class = ["cats", "dogs"][i as usize % 2];
            (format!("{class}/{i:03}.png"), png(&photo(20, 16, i)))
        })
        .collect();
    write_all(&place.path("folders"), &files);
    place.publish("pets", &place.path("folders"));
    place
}

fn run(library: &Library, set: &str, version: Option<&str>) -> RunSpec {
    let mut document = json!({
        "data": {"set": set, "size": 8, "channels": 1},
        "network": {"kind": "mlp", "hidden": [4]}
    });
    if let Some(version) = version {
        document["data"]["version"] = Value::from(version);
    }
    form::check(&document, library).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn loaded(library: &Library, set: &str, version: Option<&str>) -> Splits {
    data::load(&run(library, set, version).data, library).unwrap()
}

/// The class of every sample of every split, by its place in the set.
fn classes(library: &Library, set: &str, version: Option<&str>) -> Vec<(Split, Vec<(u32, u32)>)> {
    let (spec, splits) = (run(library, set, version), loaded(library, set, version));
    [
        (Split::Train, &splits.train),
        (Split::Validation, &splits.validation),
        (Split::Test, &splits.test),
    ]
    .map(|(split, samples)| {
        let places = split_samples(&spec.data, library, split).unwrap();
        assert_eq!(places.len(), samples.len());
        (
            split,
            places
                .into_iter()
                .zip(samples.labels().iter().copied())
                .collect(),
        )
    })
    .to_vec()
}

#[test]
fn corrections_change_labels_and_neither_images_nor_the_split() {
    let place = place();
    let library = &place.library;
    for set in SETS {
        let before = classes(library, set, None);
        let [relabelled, excluded] = [before[0].1[0], before[2].1[0]].map(|(sample, _)| sample);
        let class = u32::from(before[0].1[0].1 == 0);
        let changes = [
            LabelChange::Relabel {
                sample: relabelled,
                class,
            },
            LabelChange::Exclude { sample: excluded },
        ];
        let labels = library.change_labels(set, None, &changes).unwrap();
        assert_eq!(labels.class(relabelled), Some(class));
        assert_eq!(labels.class(excluded), None);

        // New runs take the corrected labels.
        let version = labels.version.as_str();
        assert_eq!(run(library, set, None).data.options["version"], version);
        let mut expected = before.clone();
        expected[0].1[0].1 = class;
        expected[2].1.retain(|(sample, _)| *sample != excluded);
        assert_eq!(classes(library, set, None), expected);
        assert_eq!(classes(library, set, Some("imported")), before);
        let [old, new] = [Some("imported"), None].map(|version| loaded(library, set, version));
        assert_ne!(old.hash, new.hash);
        // The sample that was relabelled is the same image; normalisation is that of the same training split.
        assert_eq!(old.train.values(0).unwrap(), new.train.values(0).unwrap());
        let spec = run(library, set, None);
        let summary = data::summary(&spec.data, library).unwrap();
        assert_eq!(
            (summary.train, summary.test),
            (new.train.len(), new.test.len())
        );
        assert_eq!(new.test.len(), old.test.len() - 1);
    }
}

#[test]
fn the_same_images_keep_their_versions_when_a_set_is_replaced_and_others_do_not() {
    let place = place();
    let changes = [LabelChange::Relabel {
        sample: 4,
        class: 1,
    }];
    let version = place
        .library
        .change_labels("pets", None, &changes)
        .unwrap()
        .version;
    let replace = |path: &str| {
        let import = place.import("pets", &place.path(path)).unwrap();
        place.library.publish(import.ready, "pets", true).unwrap();
        place.library.labels("pets").unwrap().version
    };
    assert_eq!(replace("folders"), version);
    assert_eq!(replace("idx"), "imported");
    assert_eq!(place.library.label_versions("pets").unwrap().len(), 1);
}

#[test]
fn what_a_process_left_that_was_killed_while_it_changed_labels_is_removed() {
    let place = place();
    let exclude = [LabelChange::Exclude { sample: 1 }];
    place.library.change_labels("pets", None, &exclude).unwrap();
    let left = place.path("datasets").join("pets/versions/.incoming-x");
    fs::write(&left, "half").unwrap();
    place.library.sweep();
    assert!(!left.exists());
    assert_ne!(place.library.labels("pets").unwrap().version, "imported");
}

#[test]
fn a_version_without_a_sample_to_learn_from_is_refused() {
    let place = place();
    let exclude = |sample| LabelChange::Exclude { sample };
    let all: Vec<_> = (0..40).map(exclude).collect();
    place.library.change_labels("pets", None, &all).unwrap();
    let spec = run(&place.library, "pets", None);
    let error = data::summary(&spec.data, &place.library).unwrap_err();
    assert!(
        matches!(&error, Error::Setting { path, message } if path == "data.version" && message.contains("excludes every")),
        "{error}"
    );
}

#[test]
fn a_version_is_named_by_its_labels() {
    let place = place();
    let library = &place.library;
    let change = |from: Option<&str>, changes: &[LabelChange]| {
        library.change_labels("pets", from, changes).unwrap()
    };
    let [a, b] = [
        LabelChange::Relabel {
            sample: 4,
            class: 1,
        },
        LabelChange::Exclude { sample: 9 },
    ];
    let first = change(None, &[a]).version;
    let both = change(None, &[b]).version;
    assert!(first.len() == 12 && both.len() == 12 && first != both);
    // In any order, and from any start.
    assert_eq!(change(Some("imported"), &[b, a]).version, both);
    let restored = change(None, &[LabelChange::Restore { sample: 9 }]).version;
    assert_eq!(restored, first);
    // The class with which it was imported is no correction.
    let back = change(
        None,
        &[LabelChange::Relabel {
            sample: 4,
            class: 0,
        }],
    );
    assert_eq!(
        (back.version.as_str(), back.corrections.len()),
        ("imported", 0)
    );
    assert_eq!(change(Some(&both), &[]).corrections.len(), 2);

    let versions = library.label_versions("pets").unwrap();
    let told = |name: &str| {
        let of = versions
            .iter()
            .find(|version| version.name == name)
            .unwrap();
        (of.relabelled, of.excluded, of.created.is_some())
    };
    assert_eq!(versions[0].name, "imported");
    assert_eq!(told("imported"), (0, 0, false));
    assert_eq!(told(&first), (1, 0, true));
    assert_eq!(told(&both), (1, 1, true));
    // Another set with the same corrections has another name for them.
    assert_ne!(
        library
            .change_labels("drawings", None, &[a])
            .unwrap()
            .version,
        first
    );

    // What was looked at is told, and is no version.
    let kept = change(None, &[LabelChange::Keep { sample: 7 }]);
    assert_eq!(
        (kept.version.as_str(), kept.reviewed.contains(&7)),
        (both.as_str(), true)
    );
    assert!(
        change(None, &[LabelChange::Restore { sample: 7 }])
            .reviewed
            .is_empty()
    );
    // Giving a sample the label that it has takes back that somebody looked, and keeps its correction.
    assert!(
        change(None, &[LabelChange::Keep { sample: 4 }])
            .reviewed
            .contains(&4)
    );
    let undone = change(
        None,
        &[LabelChange::Relabel {
            sample: 4,
            class: 1,
        }],
    );
    assert_eq!(undone.version, both);
    assert!(undone.reviewed.is_empty());
}

#[test]
fn what_is_not_there_is_refused_and_changes_nothing() {
    let place = place();
    let library = &place.library;
    let good = LabelChange::Exclude { sample: 0 };
    let cases = [
        (None, LabelChange::Exclude { sample: 40 }, "sample"),
        (
            None,
            LabelChange::Relabel {
                sample: 1,
                class: 2,
            },
            "class",
        ),
        (Some("0123456789ab"), good, "data.version"),
        (Some("../../../set"), good, "data.version"),
    ];
    for (from, bad, expected) in cases {
        let error = library
            .change_labels("pets", from, &[good, bad])
            .unwrap_err();
        let Error::Setting { path, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(path, expected);
        assert_eq!(library.labels("pets").unwrap().version, "imported");
    }
    assert!(library.change_labels("digits", None, &[good]).is_err());
    let document = json!({
        "data": {"set": "pets", "version": "0123456789ab"}, "network": {"kind": "mlp"}
    });
    let errors = form::check(&document, library).unwrap_err();
    assert_eq!(errors[0].path, "data.version");

    // A version whose file is gone is not trained on as if it were another.
    let version = library
        .change_labels("pets", None, &[good])
        .unwrap()
        .version;
    let spec = run(library, "pets", None);
    let folder = place.path("datasets/pets/versions");
    fs::remove_file(folder.join(format!("{version}.json"))).unwrap();
    let error = data::load(&spec.data, library).unwrap_err().to_string();
    assert!(
        error.contains("is not a version of this set's labels"),
        "{error}"
    );
    assert_eq!(library.labels("pets").unwrap().version, "imported");
    // Damaged files are told or passed over, and never panic.
    fs::write(folder.join(format!("{version}.json")), b"{\"corrections\":").unwrap();
    assert!(data::load(&spec.data, library).is_err());
    assert_eq!(library.label_versions("pets").unwrap().len(), 1);
    let strange = r#"{"created":"2026-01-01T00:00:00Z","corrections":[{"sample":999,"class":0},{"sample":1,"class":9}]}"#;
    fs::write(folder.join(format!("{version}.json")), strange).unwrap();
    assert_eq!(
        loaded(library, "pets", Some(&version)),
        loaded(library, "pets", Some("imported"))
    );
}
