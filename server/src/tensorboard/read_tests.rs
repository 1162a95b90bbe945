//! Tests of reading event files: order, repeated steps, damage and limits.

use prost::Message as _;

use super::event::{Event, Metadata, PluginData, Summary, Tensor, Value as Scalar};
use super::find::LogFile;
use super::read::{LONGEST_TAG, Scalars, read};
use super::record;
use crate::error::Result;

fn version() -> Event {
    Event {
        file_version: Some("brain.Event:2".into()),
        ..Event::default()
    }
}

fn scalar(tag: &str, step: i64, value: f32) -> Event {
    let value = Scalar {
        tag: tag.into(),
        simple_value: Some(value),
        ..Scalar::default()
    };
    Event {
        wall_time: 10.0 + step as f64,
        step,
        summary: Some(Summary { value: vec![value] }),
        ..Event::default()
    }
}

/// Reads files, given their tag prefixes and events.
fn read_events(files: &[(&str, Vec<Event>)]) -> Result<Scalars> {
    let folder = tempfile::tempdir().unwrap();
    let written = files.iter().enumerate().map(|(number, (prefix, events))| {
        let path = folder.path().join(number.to_string());
        let mut bytes = Vec::new();
        for event in std::iter::once(&version()).chain(events) {
            record::write(&mut bytes, &event.encode_to_vec()).unwrap();
        }
        std::fs::write(&path, bytes).unwrap();
        LogFile {
            path,
            name: number.to_string(),
            prefix: (*prefix).to_owned(),
        }
    });
    read(&written.collect::<Vec<_>>())
}

fn steps(scalars: &Scalars, tag: &str) -> Vec<(u64, f64)> {
    let points = scalars.tags[tag].iter();
    points.map(|point| (point.step, point.value)).collect()
}

#[test]
fn a_later_file_that_goes_back_replaces_what_it_has_again_and_no_other_tag() {
    let first = vec![
        scalar("a", 1, 1.0),
        scalar("a", 5, 5.0),
        scalar("b", 5, 5.0),
    ];
    let second = vec![scalar("a", 3, 30.0), scalar("c", 1, 1.0)];
    let scalars = read_events(&[("", first), ("", second)]).unwrap();
    assert_eq!(steps(&scalars, "a"), [(1, 1.0), (3, 30.0)]);
    assert_eq!(steps(&scalars, "b"), [(5, 5.0)]);
    assert!(scalars.remarks.is_empty());
}

#[test]
fn within_a_file_steps_are_put_in_order_and_the_last_of_each_counts() {
    let file = vec![
        scalar("a", 5, 1.0),
        scalar("a", 3, 2.0),
        scalar("a", 5, 3.0),
    ];
    let scalars = read_events(&[("", file)]).unwrap();
    assert_eq!(steps(&scalars, "a"), [(3, 2.0), (5, 3.0)]);
    assert_eq!(scalars.remarks.len(), 1);
}

#[test]
fn the_parts_of_a_run_keep_their_tags_apart() {
    let part = |value| vec![scalar("loss", 1, value)];
    let scalars = read_events(&[("train/", part(1.0)), ("validation/", part(2.0))]).unwrap();
    assert_eq!(steps(&scalars, "train/loss"), [(1, 1.0)]);
    assert_eq!(steps(&scalars, "validation/loss"), [(1, 2.0)]);
}

#[test]
fn a_damaged_record_costs_itself_and_its_place_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let events: Vec<_> = (1..=4).map(|step| scalar("a", step, step as f32)).collect();
    let (mut bytes, mut starts) = (Vec::new(), Vec::new());
    for event in std::iter::once(&version()).chain(&events) {
        starts.push(bytes.len());
        record::write(&mut bytes, &event.encode_to_vec()).unwrap();
    }
    let files = [LogFile {
        path: path.clone(),
        name: "log".into(),
        prefix: String::new(),
    }];
    for (hit, &start) in starts.iter().enumerate() {
        for within in [0, 9, 14] {
            let mut wrong = bytes.clone();
            wrong[start + within] ^= 8;
            std::fs::write(&path, wrong).unwrap();
            let scalars = read(&files).unwrap();
            let mut expected = vec![(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)];
            if hit > 0 {
                expected.remove(hit - 1);
            }
            assert_eq!(steps(&scalars, "a"), expected, "{hit} {within}");
            assert_eq!(scalars.remarks.len(), 1, "{:?}", scalars.remarks);
            let place = format!("from byte {start} on");
            assert!(scalars.remarks[0].contains(&place), "{:?}", scalars.remarks);
        }
    }
}

#[test]
fn a_file_of_which_nothing_can_be_read_is_named_and_the_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        LogFile {
            path,
            name: name.to_owned(),
            prefix: String::new(),
        }
    };
    let mut good = Vec::new();
    for event in [version(), scalar("a", 1, 1.0)] {
        record::write(&mut good, &event.encode_to_vec()).unwrap();
    }
    let mut gone = file("gone", b"");
    gone.path = folder.path().join("nowhere");
    let files = [
        file("empty", b""),
        file("zeros", &[0; 5000]),
        file("text", b"something that somebody wrote"),
        file("good", &good),
        gone,
    ];
    let scalars = read(&files).unwrap();
    assert_eq!(steps(&scalars, "a"), [(1, 1.0)]);
    let told: Vec<_> = scalars.unread.iter().map(ToString::to_string).collect();
    let told = told.join("\n");
    for expected in [
        "empty: is empty",
        "zeros: holds nothing but zeros",
        "text: is not an event file",
        "gone: cannot be read",
    ] {
        assert!(told.contains(expected), "{expected} in {told}");
    }
    assert_eq!(scalars.remarks.len(), 4, "{:?}", scalars.remarks);
}

#[test]
fn a_tag_that_is_too_long_costs_itself() {
    let file = vec![
        scalar(&"x".repeat(LONGEST_TAG + 1), 1, 1.0),
        scalar("a", 1, 1.0),
    ];
    let scalars = read_events(&[("", file)]).unwrap();
    assert_eq!(scalars.tags.keys().collect::<Vec<_>>(), ["a"]);
    assert!(scalars.remarks[0].starts_with("1 values whose tags"));
}

#[test]
fn moments_that_make_no_sense_are_those_before() {
    let at = |wall_time, step| Event {
        wall_time,
        ..scalar("a", step, 1.0)
    };
    let odd = [f64::NAN, f64::INFINITY, -1.0, 1e300, 0.0];
    let events = std::iter::once(at(7.0, 0))
        .chain(odd.into_iter().zip(1..).map(|(time, step)| at(time, step)));
    let scalars = read_events(&[("", events.collect())]).unwrap();
    assert!(scalars.tags["a"].iter().all(|point| point.wall_time == 7.0));
}

#[test]
fn steps_that_cannot_be_are_left_out_and_told() {
    let file = vec![
        scalar("a", -1, 1.0),
        scalar("a", i64::MAX, 1.0),
        scalar("a", 0, 1.0),
    ];
    let scalars = read_events(&[("", file)]).unwrap();
    assert_eq!(steps(&scalars, "a"), [(0, 1.0)]);
    assert!(
        scalars.remarks[0].starts_with("2 values"),
        "{:?}",
        scalars.remarks
    );
}

#[test]
fn a_tensor_is_a_scalar_where_its_tag_is_one() {
    let of = |plugin: &str, tag: &str| {
        let plugin_data = PluginData {
            plugin_name: plugin.into(),
            content: Vec::new(),
        };
        let value = Scalar {
            tag: tag.into(),
            metadata: (!plugin.is_empty()).then_some(Metadata {
                plugin_data: Some(plugin_data),
            }),
            tensor: Some(Tensor::one(0.5)),
            ..Scalar::default()
        };
        Event {
            step: 1,
            summary: Some(Summary { value: vec![value] }),
            ..Event::default()
        }
    };
    let scalars = read_events(&[(
        "",
        vec![of("scalars", "a"), of("", "b"), of("pr_curves", "c")],
    )])
    .unwrap();
    assert_eq!(scalars.tags.keys().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(scalars.other["pr_curves"].len(), 1);
}
