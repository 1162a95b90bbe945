//! The film of a run: the content of its frames, and that it does not affect training.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use vivarium_models::contract::{Event, Normalisation, Reason};
use vivarium_models::data::Library;
use vivarium_models::inspect::film::{
    self, Extract, Folder, Frame, FrameName, MOST_FRAMES, Predictions,
};
use vivarium_models::inspect::{Inspector, Recording, SheetQuery, Tiles, ValueSource};
use vivarium_models::networks::Model;
use vivarium_models::spec::RunSpec;
use vivarium_models::train::{RunPaths, train};

use crate::common::{Recorder, THREADS, load, run, spec};

/// Two epochs of a small convolutional network.
fn conv() -> Value {
    json!({
        "data": {"set": "digits", "size": 32, "channels": 3, "limit": 80, "validation": 0.1},
        "network": {"kind": "residual-small", "plan": [4, 6], "depth": [2], "hidden": 8},
        "training": {"epochs": 2, "batch_size": 32, "threads": 1}
    })
}

/// A small multilayer perceptron, for many epochs.
fn quick(epochs: u64) -> RunSpec {
    spec(json!({
        "data": {"set": "digits", "limit": 32, "validation": 0.02},
        "network": {"kind": "mlp", "hidden": [4]},
        "training": {"epochs": epochs, "batch_size": 16, "threads": 1}
    }))
}

/// The folder of a run.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn film(&self) -> Folder {
        Folder::at(self.path("film"))
    }

    fn places(&self) -> RunPaths {
        RunPaths {
            graph: None,
            record: None,
            start: None,
            fresh_head: false,
            start_note: None,
            checkpoints: self.path("checkpoints"),
            film: Some(self.path("film")),
            pinned: Some(self.path("pin.png")),
        }
    }

    fn run(&self, spec: &RunSpec, stop_after: Option<u64>) -> (Reason, Recorder) {
        let mut recorder = Recorder {
            stop_after,
            ..Recorder::default()
        };
        let reason = train(spec, &Library::none(), self.places(), &mut recorder).unwrap();
        (reason, recorder)
    }

    fn frame(&self, name: impl Into<FrameName>) -> Frame {
        Frame::read(&self.film().frame(name)).unwrap().unwrap()
    }

    /// All frames of the film.
    fn frames(&self) -> Vec<Frame> {
        let names = self.film().names().unwrap();
        names.iter().map(|name| self.frame(*name)).collect()
    }
}

fn normalisation(recorder: &Recorder) -> Normalisation {
    match &recorder.events[0] {
        Event::Started(started) => started.normalisation.clone(),
        other => panic!("the first event is {other:?}"),
    }
}

/// The network of the last checkpoint.
fn inspector(place: &Place, spec: &RunSpec, recorder: &Recorder) -> Inspector {
    let data = load(&spec.data);
    let weights = place.path("checkpoints/last.safetensors");
    let normalisation = normalisation(recorder);
    let graph = spec.network.graph(&data.input, data.classes.len()).unwrap();
    Inspector::open(graph, data.classes, normalisation, &weights).unwrap()
}

/// Compares all feature maps of a frame with those of a network on its image.
fn features_are_of(frame: &Frame, network: &Inspector, recording: &Recording) {
    for layer in network.layers() {
        let name = &*layer.name;
        let own = network.features(recording, name).unwrap();
        alike(&frame.features(name).unwrap(), &own, name);
    }
}

/// Compares the values of a frame with those of the network, to half a quantisation step.
fn alike(kept: &Tiles<'_>, own: &Tiles<'_>, layer: &str) {
    for (tile, expected) in kept.summaries.iter().zip(own.summaries.iter()) {
        assert_eq!(tile, expected, "{layer}");
        let half = (tile.max - tile.min) / 255.0 / 2.0 + 1e-6;
        let (values, own) = (kept.values(tile.index), own.values(tile.index));
        assert_eq!(values.len(), own.len(), "{layer}");
        for (value, own) in values.iter().zip(&own) {
            let both_empty = value.is_nan() && own.is_nan();
            assert!(
                both_empty || (value - own).abs() <= half,
                "{layer}: {value} for {own}"
            );
        }
    }
}

#[test]
fn a_frame_holds_what_the_network_is_and_makes_of_the_image() {
    let spec = spec(conv());
    let place = Place::new();
    let (_, recorder) = place.run(&spec, None);
    let frame = place.frame(2);
    assert_eq!(
        (frame.metadata.epoch, &*frame.metadata.pinned),
        (2, "test:0")
    );
    let about = film::FrameMetadata::read(&place.film().frame(2)).unwrap();
    assert_eq!(about, Some(frame.metadata.clone()), "without the pictures");
    let last =
        vivarium_models::train::checkpoint_position(&place.path("checkpoints/last.safetensors"));
    assert_eq!(last.unwrap().map(|of| (of.epoch, of.step)), Some((2, 6)));
    let network = inspector(&place, &spec, &recorder);
    let data = load(&spec.data);
    let recording = network
        .record_normalised(data.test.values(0).unwrap())
        .unwrap();
    features_are_of(&frame, &network, &recording);
    for layer in network.layers() {
        let name = &*layer.name;
        let sheet = frame.feature_sheet(name, &SheetQuery::default()).unwrap();
        let own = network.statistics(&recording, name).unwrap();
        assert_eq!(sheet.statistics.histogram.counts, own.histogram.counts);
        assert!((sheet.statistics.mean - own.mean).abs() < 1e-5, "{name}");
        assert_eq!(sheet.film.reduced, None, "{name}");
        // Matrices of up to 64 along a side are kept completely.
        if layer.has_filters {
            let own = network.filters(name).unwrap();
            alike(&frame.filters(name).unwrap(), &own, name);
        }
    }
    let first = network.layers().iter().find(|layer| layer.has_filters);
    let first = &*first.unwrap().name;
    let (kept, own) = (
        frame.filters(first).unwrap(),
        network.filters(first).unwrap(),
    );
    assert!(
        (0..4).all(|i| kept.values(i) == own.values(i)),
        "the first layer is kept exactly"
    );
    let (top, own) = (frame.top(&data.classes), network.predict(&recording));
    assert_eq!(top.len(), 10);
    for (top, own) in top.iter().zip(&own) {
        assert_eq!(
            (top.class, &top.name, top.score),
            (own.class, &own.name, own.score)
        );
        assert!((top.probability.unwrap() - own.probability.unwrap()).abs() < 1e-7);
    }
}

#[test]
fn a_frame_holds_what_became_of_the_validation_split() {
    let spec = spec(conv());
    let place = Place::new();
    let (_, recorder) = place.run(&spec, None);
    let (frame, data) = (place.frame(2), load(&spec.data));
    let network = inspector(&place, &spec, &recorder);
    let best_of = |samples: &vivarium_models::data::Samples, index: usize| {
        let recording = network
            .record_normalised(samples.values(index).unwrap())
            .unwrap();
        network.predict(&recording).swap_remove(0)
    };
    let predictions = frame.predictions.as_ref().unwrap();
    assert_eq!(predictions.len(), data.validation.len());
    let mut confusion = vec![vec![0; 10]; 10];
    for (index, target) in data.validation.labels().iter().enumerate() {
        let best = best_of(&data.validation, index);
        assert_eq!(usize::from(predictions.predicted[index]), best.class);
        let byte = f64::from(best.probability.unwrap()) * 255.0;
        assert!((f64::from(predictions.confidence[index]) - byte).abs() <= 0.51);
        confusion[*target as usize][best.class] += 1;
    }
    assert_eq!(frame.confusion, Some(confusion));
    let told = recorder.events.iter().rev().find_map(|event| match event {
        Event::Epoch(end) => end.validation,
        _ => None,
    });
    assert_eq!(
        frame.metadata.validation_accuracy,
        told.map(|score| score.accuracy)
    );
    // The test is of the best epoch, and its confusion matrix is reported.
    let test = Predictions::read(&place.film().test()).unwrap().unwrap();
    let mut confusion = vec![vec![0u64; 10]; 10];
    for (predicted, target) in test.predicted.iter().zip(data.test.labels()) {
        confusion[*target as usize][usize::from(*predicted)] += 1;
    }
    let told = recorder.events.iter().find_map(|event| match event {
        Event::Test(test) => Some(&test.confusion),
        _ => None,
    });
    assert_eq!(Some(&confusion), told);
}

#[test]
fn a_film_changes_nothing_that_a_run_tells() {
    let _steady = THREADS.read().unwrap();
    let spec = spec(conv());
    let place = Place::new();
    let (_, with) = place.run(&spec, None);
    let folder = tempfile::tempdir().unwrap();
    let (_, without) = run(&spec, folder.path(), None);
    assert_eq!(with.facts(), without.facts());
    assert_eq!(place.film().epochs().unwrap(), [0, 1, 2]);
    assert_eq!(with.notes(), [""; 0]);
}

#[test]
fn a_run_that_is_stopped_anywhere_has_the_same_film_in_the_end() {
    let _steady = THREADS.read().unwrap();
    let spec = spec(conv());
    let whole = Place::new();
    let (_, recorder) = whole.run(&spec, None);
    let frames = whole.frames();
    let of_steps: Vec<_> = frames.iter().map(|frame| frame.metadata.step).collect();
    // Three steps an epoch.
    assert_eq!(of_steps, [0, 1, 2, 3, 6]);
    let steps = recorder.steps().len() as u64;
    for stop in 1..steps {
        let place = Place::new();
        place.run(&spec, Some(stop));
        // An epoch ends, and has its frame, after the stop.
        let is_there = |step: &&u64| **step < stop || (**step == stop && !step.is_multiple_of(3));
        let so_far = of_steps.iter().filter(is_there).count();
        assert_eq!(place.frames(), frames[..so_far], "stopped after {stop}");
        place.run(&spec, None);
        assert!(place.frames() == frames, "stopped after {stop}");
    }
}

#[test]
fn a_film_begins_with_the_network_before_its_first_step() {
    let _steady = THREADS.read().unwrap();
    let spec = spec(conv());
    let place = Place::new();
    place.run(&spec, None);
    let names: Vec<_> = place.film().names().unwrap();
    let names: Vec<_> = names.iter().map(FrameName::to_string).collect();
    assert_eq!(names, ["0", "step-1", "step-2", "1", "2"]);
    let (first, data) = (place.frame(0), load(&spec.data));
    assert_eq!((first.metadata.epoch, first.metadata.step), (0, 0));
    assert!(first.predictions.is_none() && first.confusion.is_none());
    let graph = spec.network.graph(&data.input, data.classes.len()).unwrap();
    let model = Model::of_graph(graph, spec.training.seed).unwrap();
    let network = Inspector::new(model, data.classes.clone(), data.normalisation.clone()).unwrap();
    let recording = network
        .record_normalised(data.test.values(0).unwrap())
        .unwrap();
    features_are_of(&first, &network, &recording);
    for layer in network.layers() {
        let name = &*layer.name;
        if layer.has_filters {
            let own = network.filters(name).unwrap();
            alike(&first.filters(name).unwrap(), &own, name);
        }
    }
    let step = place.frame(FrameName::Step(2));
    assert_eq!((step.metadata.epoch, step.metadata.step), (0, 2));
}

#[test]
fn frames_within_an_epoch_and_after_it_can_be_subtracted() {
    let _steady = THREADS.read().unwrap();
    let mut document = conv();
    // More predictions than a frame has room for beside whole layers.
    document["data"]["limit"] = json!(1500);
    document["data"]["validation"] = json!(0.5);
    document["network"]["plan"] = json!([96, 256, 384]);
    let spec = spec(document);
    let place = Place::new();
    place.run(&spec, None);
    let frames = place.frames();
    let last = frames.last().unwrap();
    assert!(last.predictions.is_some());
    // The colours are those of a frame's own values.
    let parts = |of: &[Extract]| -> Vec<_> {
        of.iter()
            .map(|of| (of.layer.clone(), of.tile, of.kept, of.len))
            .collect()
    };
    for frame in &frames {
        assert_eq!(
            parts(&frame.metadata.filters),
            parts(&last.metadata.filters)
        );
        assert_eq!(
            parts(&frame.metadata.features),
            parts(&last.metadata.features)
        );
        for layer in frame.filter_layers() {
            let (now, before) = (last.filters(layer).unwrap(), frame.filters(layer).unwrap());
            let change = now.minus(&before).unwrap();
            let page = change.difference_sheet(&SheetQuery::default()).unwrap();
            assert_eq!(
                page.change.rms > 0.0,
                frame.metadata.step < last.metadata.step,
                "{layer}"
            );
        }
    }
}

#[test]
fn an_epoch_that_is_trained_again_has_its_frame_written_again() {
    let _steady = THREADS.read().unwrap();
    let spec = spec(conv());
    let place = Place::new();
    place.run(&spec, None);
    let frames = place.frames();
    // As if the process had died before its first checkpoint while writing a frame.
    fs::remove_dir_all(place.path("checkpoints")).unwrap();
    fs::write(place.film().frame(1), "no frame").unwrap();
    fs::write(place.path("film/frame.tmp"), "half a fra").unwrap();
    place.run(&spec, None);
    assert!(place.frames() == frames, "other frames");
    assert!(!place.path("film/frame.tmp").exists());
}

#[test]
fn a_film_that_cannot_be_written_is_told_of_once_and_training_goes_on() {
    let _steady = THREADS.read().unwrap();
    let spec = quick(5);
    let place = Place::new();
    fs::write(place.path("film"), "no folder").unwrap();
    let (reason, recorder) = place.run(&spec, None);
    assert_eq!(reason, Reason::Completed);
    let notes = recorder.notes();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("The film has a gap: "), "{notes:?}");
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(recorder.facts(), run(&spec, folder.path(), None).1.facts());
}

#[test]
fn a_disk_that_is_full_leaves_whole_frames() {
    // Every write to this device fails as on a full disk.
    let full = Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let place = Place::new();
    let spec = quick(4);
    place.run(&spec, Some(5));
    assert_eq!(place.film().epochs().unwrap(), [0, 1, 2]);
    let frames = place.frames();
    let aside = place.path("film/frame.tmp");
    std::os::unix::fs::symlink(full, &aside).unwrap();
    let frame = place.frame(2);
    assert!(place.film().add(&frame).is_err());
    assert!(
        fs::symlink_metadata(&aside).is_err(),
        "nothing half written stays"
    );
    assert!(place.frames() == frames, "other frames");
    let (reason, recorder) = place.run(&spec, None);
    assert_eq!((reason, recorder.notes()), (Reason::Completed, vec![]));
    assert_eq!(place.film().epochs().unwrap(), [0, 1, 2, 3, 4]);
}

#[test]
fn a_long_film_is_thinned_and_keeps_its_newest_frame() {
    let place = Place::new();
    let spec = quick(231);
    place.run(&spec, Some(2 * 150));
    place.run(&spec, None);
    let epochs = place.film().epochs().unwrap();
    assert_eq!(epochs[0], 0, "the frame before the first step stays");
    assert!(epochs.len() as u64 - 1 <= MOST_FRAMES, "{epochs:?}");
    assert_eq!(epochs.last(), Some(&231));
    let kept = &epochs[..epochs.len() - 1];
    assert!(kept.iter().all(|epoch| epoch % 4 == 0), "{epochs:?}");
    assert!(kept.len() >= 50, "{epochs:?}");
}

#[test]
fn the_film_follows_the_image_that_is_pinned_from_the_next_epoch_on() {
    let spec = spec(conv());
    let place = Place::new();
    place.run(&spec, Some(4));
    assert_eq!(place.frame(1).metadata.pinned, "test:0");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/photos/rgb.png");
    fs::copy(&golden, place.path("pin.png")).unwrap();
    let (_, recorder) = place.run(&spec, None);
    let frame = place.frame(2);
    let bytes = fs::read(&golden).unwrap();
    assert_eq!(frame.metadata.pinned, film::pin_name(&bytes));
    let network = inspector(&place, &spec, &recorder);
    let picture = vivarium_models::data::decode_image(&bytes, 1 << 20).unwrap();
    let image = vivarium_models::data::network_input(
        network.input(),
        &picture,
        vivarium_models::data::PhotoTransform::default(),
    )
    .unwrap();
    let recording = network.record(&image).unwrap();
    let kept = frame.features("input").unwrap();
    alike(
        &kept,
        &network.features(&recording, "input").unwrap(),
        "input",
    );
    assert_eq!(
        frame.top(network.classes())[0].class,
        network.predict(&recording)[0].class
    );
}

#[test]
fn a_pin_that_is_no_image_is_told_of_and_training_goes_on() {
    let place = Place::new();
    fs::write(place.path("pin.png"), "no image").unwrap();
    let (reason, recorder) = place.run(&quick(3), None);
    assert_eq!((reason, recorder.notes().len()), (Reason::Completed, 1));
    assert!(
        recorder.notes()[0].contains("pin.png"),
        "{:?}",
        recorder.notes()
    );
}

#[test]
fn points_have_no_film() {
    let place = Place::new();
    place.run(&spec(crate::common::small()), None);
    assert!(!place.path("film").exists());
}

#[test]
fn what_a_film_does_not_have_is_refused_by_name() {
    let place = Place::new();
    place.run(&spec(conv()), None);
    let frame = place.frame(2);
    let query = SheetQuery::default();
    let kernels = SheetQuery {
        filter: Some(0),
        ..query
    };
    let page = SheetQuery { page: 9, ..query };
    for (refused, path) in [
        (frame.filter_sheet("none", &query).unwrap_err(), "layer"),
        (frame.feature_sheet("none", &query).unwrap_err(), "layer"),
        (
            frame.filter_sheet("stem.0", &kernels).unwrap_err(),
            "filter",
        ),
        (frame.filter_sheet("stem.0", &page).unwrap_err(), "page"),
        (
            frame.values("stem.0", ValueSource::Kernel, 0).unwrap_err(),
            "of",
        ),
        (
            frame.values("stem.0", ValueSource::Feature, 4).unwrap_err(),
            "index",
        ),
    ] {
        let found =
            matches!(&refused, vivarium_models::Error::Setting { path: of, .. } if of == path);
        assert!(found, "{refused}");
    }
}

#[test]
fn a_damaged_frame_is_refused_and_nothing_panics() {
    let place = Place::new();
    place.run(&quick(1), None);
    let path = place.film().frame(1);
    let bytes = fs::read(&path).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    for len in (0..bytes.len()).step_by(bytes.len() / 61) {
        fs::write(&path, &bytes[..len]).unwrap();
        assert!(Frame::read(&path).is_err(), "cut off after {len}");
    }
    // Changes any digit or letter of the header: a name, a shape, an offset.
    for at in 8..8 + header {
        let mut damaged = bytes.clone();
        damaged[at] = if damaged[at].is_ascii_digit() {
            b'9'
        } else {
            b'1'
        };
        fs::write(&path, &damaged).unwrap();
        let _ = film::FrameMetadata::read(&path);
        if let Ok(Some(frame)) = Frame::read(&path) {
            for layer in frame.feature_layers() {
                let _ = frame.feature_sheet(layer, &SheetQuery::default());
            }
        }
    }
    assert!(Frame::read(&place.film().frame(7)).unwrap().is_none());
}
