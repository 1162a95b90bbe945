//! The preparation of photos for a run: damage, leftovers, several runs at once, and one that is stopped.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use vivarium_models::contract::{Event, Reason};
use vivarium_models::data::{self, Preparing};
use vivarium_models::error::Error;
use vivarium_models::train::{Control, Observer, train};

use crate::common::Recorder;
use crate::files::write_all;
use crate::kept_photos::{files, on_disk, pets, prepared, run_on, values};

#[test]
fn damage_to_the_photos_is_found() {
    let place = pets(12);
    let run = run_on(&place.library, json!({"set": "pets"}));
    let path = |name: &str| place.path("datasets/pets").join(name);
    let told = |words: &str| {
        let error = data::load(&run.data, &place.library).unwrap_err();
        assert!(matches!(error, Error::Refused(_)), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(
            place
                .library
                .verify("pets")
                .unwrap_err()
                .to_string()
                .contains(words)
        );
        assert_eq!(prepared(&place), Vec::<PathBuf>::new());
    };
    let files = path("photos.bin");
    let whole = fs::read(&files).unwrap();
    fs::write(&files, &whole[..whole.len() - 3]).unwrap();
    told("must have");
    let mut flipped = whole.clone();
    flipped[100] ^= 1;
    fs::write(&files, flipped).unwrap();
    told("is damaged: cats/000.png is not what was imported");
    fs::write(&files, &whole).unwrap();
    let index = path("photos.ndjson");
    let lines = fs::read_to_string(&index).unwrap();
    fs::write(&index, lines.replace("cats/000", "dogs/000")).unwrap();
    told("is damaged: its SHA-256 is");
    fs::write(&index, &lines).unwrap();
    let labels = path("labels.u16");
    let right = fs::read(&labels).unwrap();
    let mut wrong = right.clone();
    wrong[0] = 1;
    fs::write(&labels, wrong).unwrap();
    told("is damaged: its SHA-256 is");
    fs::write(&labels, right).unwrap();
    data::load(&run.data, &place.library).unwrap();
    place.library.verify("pets").unwrap();
}

#[test]
fn what_is_half_made_or_of_other_photos_is_made_anew() {
    let place = pets(12);
    let run = run_on(&place.library, json!({"set": "pets"}));
    let load = || values(&data::load(&run.data, &on_disk(&place)).unwrap());
    let expected = load();
    let there = prepared(&place);
    let [path] = &there[..] else {
        panic!("one file is prepared");
    };
    let whole = fs::read(path).unwrap();
    let mut changed = Vec::new();
    // A byte of the header, one of the table, and lengths that are not right.
    for at in [3, 12, 30, 53, 56, 57, whole.len() - 1, whole.len() - 300] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        changed.push(bytes);
    }
    for length in [0, 10, 64, whole.len() / 2, whole.len() - 1] {
        changed.push(whole[..length].to_vec());
    }
    changed.push([&whole[..], b"x"].concat());
    for bytes in changed {
        fs::write(path, bytes).unwrap();
        assert!(!data::is_prepared(&run.data, &place.library).unwrap());
        assert_eq!(load(), expected);
        assert_eq!(fs::read(path).unwrap(), whole);
        assert!(data::is_prepared(&run.data, &place.library).unwrap());
    }
    // Other photos under the same name.
    let other: Vec<_> = files(14).split_off(2);
    write_all(&place.path("other"), &other);
    let import = place.import("pets", &place.path("other")).unwrap();
    place.library.publish(import.ready, "pets", true).unwrap();
    assert_eq!(prepared(&place), Vec::<PathBuf>::new());
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(path, &whole).unwrap();
    assert_ne!(load(), expected);
}

#[test]
fn a_sample_that_is_damaged_ends_the_run_and_the_next_one_prepares_it_anew() {
    let place = pets(12);
    let run = run_on(&place.library, json!({"set": "pets"}));
    let library = on_disk(&place);
    let splits = data::load(&run.data, &library).unwrap();
    let expected = values(&splits);
    let there = prepared(&place);
    let [path] = &there[..] else {
        panic!("one file is prepared");
    };
    let mut bytes = fs::read(path).unwrap();
    bytes[64 + 10] ^= 1;
    // In place, as the file is open.
    fs::write(path, &bytes).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = train(&run, &library, folder.path(), &mut Recorder::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("photo 1 is damaged; the file is removed"),
        "{error}"
    );
    assert!(!path.exists());
    assert_eq!(values(&data::load(&run.data, &library).unwrap()), expected);
    let mut recorder = Recorder::default();
    assert_eq!(
        train(&run, &library, folder.path(), &mut recorder).unwrap(),
        Reason::Completed
    );
    // A file that is cut off while it is read is an error too, and no signal.
    let splits = data::load(&run.data, &library).unwrap();
    fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(64)
        .unwrap();
    assert!(splits.train.slice(0..4).is_err());
}

#[test]
fn several_runs_prepare_the_same_photos_once() {
    let place = pets(80);
    let run = run_on(&place.library, json!({"set": "pets", "size": 64}));
    let began = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let told = &mut |Preparing { done, .. }| {
                    if done == Some(0) {
                        began.fetch_add(1, Ordering::Relaxed);
                    }
                    true
                };
                assert!(data::prepare(&run.data, &place.library, told).unwrap());
            });
        }
    });
    assert_eq!(began.load(Ordering::Relaxed), 1);
    assert_eq!(prepared(&place).len(), 1);
}

#[test]
fn a_preparation_that_is_stopped_leaves_nothing_and_the_run_ends_before_it_starts() {
    let place = pets(150);
    let run = run_on(&place.library, json!({"set": "pets"}));
    let mut told = Vec::new();
    let whole = data::prepare(&run.data, &place.library, &mut |progress| {
        told.push(progress);
        progress.done < Some(64)
    });
    assert!(!whole.unwrap());
    let of = |done| Preparing {
        done: Some(done),
        of: 150,
    };
    assert_eq!(told, [of(0), of(64)]);
    assert_eq!(prepared(&place), Vec::<PathBuf>::new());

    /// Stops at the first word.
    #[derive(Default)]
    struct Impatient(Vec<Event>);
    impl Observer for Impatient {
        fn observe(
            &mut self,
            event: &Event,
        ) -> Result<Control, Box<dyn std::error::Error + Send + Sync>> {
            self.0.push(event.clone());
            Ok(Control::Stop)
        }

        fn sync(&mut self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            Ok(())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let mut impatient = Impatient::default();
    let reason = train(&run, &place.library, folder.path(), &mut impatient).unwrap();
    assert_eq!(reason, Reason::Stopped);
    assert!(matches!(
        &impatient.0[..],
        [
            Event::Preparing {
                done: Some(0),
                of: 150
            },
            Event::Finished {
                reason: Reason::Stopped,
                ..
            }
        ]
    ));
    let mut recorder = Recorder::default();
    let reason = train(&run, &place.library, folder.path(), &mut recorder).unwrap();
    assert_eq!(reason, Reason::Completed);
    let preparing = |event: &&Event| matches!(event, Event::Preparing { .. });
    assert!(recorder.events.iter().take_while(preparing).count() >= 2);
    assert!(matches!(
        recorder.events.iter().find(|event| !preparing(event)),
        Some(Event::Started(_))
    ));
}
