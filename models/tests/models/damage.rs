//! Runs whose checkpoints are damaged or cannot be written: losses are reported, and nothing more is lost than
//! necessary.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;
use vivarium_models::contract::{Event, Reason};
use vivarium_models::data::Library;
use vivarium_models::error::Error;
use vivarium_models::train::{Control, Observer, Record, RunPaths, remove_unfinished, train};

use crate::common::{Recorder, joined, run, small, spec, tensors};
use crate::resume::{LAST, LAST_STATE, folder, names, undisturbed};

type Damage = fn(&Path);

fn damages() -> [(&'static str, Damage); 11] {
    fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(path).unwrap();
        change(&mut bytes);
        fs::write(path, bytes).unwrap();
    }
    fn header(bytes: &[u8]) -> usize {
        8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize
    }
    [
        ("cut in half", |path| {
            edit(path, |bytes| bytes.truncate(bytes.len() / 2))
        }),
        ("cut by a byte", |path| {
            edit(path, |bytes| bytes.truncate(bytes.len() - 1))
        }),
        ("empty", |path| edit(path, Vec::clear)),
        ("garbage", |path| edit(path, |bytes| bytes.fill(0x5a))),
        ("a header of 2 MiB", |path| {
            edit(path, |bytes| {
                *bytes = [&(2u64 << 20).to_le_bytes()[..], &vec![b' '; 3 << 20]].concat();
            });
        }),
        ("a header of 2^63 bytes", |path| {
            edit(path, |bytes| {
                bytes[..8].copy_from_slice(&(1u64 << 63).to_le_bytes())
            })
        }),
        ("a value that is not finite", |path| {
            edit(path, |bytes| {
                let start = header(bytes);
                let end = bytes.len();
                assert!(end - start >= 4);
                bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
            });
        }),
        ("a flipped bit", |path| {
            edit(path, |bytes| {
                let middle = (header(bytes) + bytes.len()) / 2;
                // The lowest bit of a value, so that the value stays plausible.
                bytes[middle / 4 * 4] ^= 1;
            });
        }),
        ("a flipped bit in what it says of itself", |path| {
            edit(path, |bytes| {
                let name = b"\"vivarium.epoch\":\"";
                let place = bytes.windows(name.len()).position(|some| some == name);
                bytes[place.unwrap() + name.len()] ^= 1;
            });
        }),
        ("other shapes", |path| {
            let other = spec(json!({
                "data": {"set": "moons", "samples": 60, "validation": 0.2},
                "network": {"kind": "mlp", "hidden": [6, 4], "norm": true, "dropout": 0.3},
                "training": {"epochs": 1, "batch_size": 9, "threads": 1, "optimizer": {"kind": "adamw"}}
            }));
            let folder = tempfile::tempdir().unwrap();
            run(&other, folder.path(), None);
            for name in [LAST, LAST_STATE] {
                fs::copy(folder.path().join(name), path.with_file_name(name)).unwrap();
            }
        }),
        ("gone", |path| fs::remove_file(path).unwrap()),
    ]
}

#[test]
fn a_damaged_checkpoint_falls_back_to_the_best_one_and_says_so() {
    let spec = spec(small());
    let (_, facts, _) = undisturbed(&spec);
    for (damage, apply) in damages() {
        for file in [LAST, LAST_STATE] {
            let folder = folder();
            // Stopped in the third epoch; the best is the first or the second.
            let (_, first) = run(&spec, folder.path(), Some(12));
            apply(&folder.path().join(file));
            let (reason, second) = run(&spec, folder.path(), None);
            assert_eq!(reason, Reason::Completed, "{file} {damage}");
            let notes = second.notes();
            assert_eq!(notes.len(), 1, "{file} {damage}: {notes:?}");
            // A slow machine also writes the previous one.
            assert!(
                notes[0].contains("last.")
                    && (notes[0].contains("best checkpoint") || notes[0].contains("before it")),
                "{file} {damage}: {notes:?}"
            );
            assert!([5, 10].contains(&second.resumed_from()), "{file} {damage}");
            assert_eq!(joined(&[&first, &second]), facts, "{file} {damage}");
        }
    }
}

#[test]
fn with_no_usable_checkpoint_a_run_starts_again_and_says_so() {
    let spec = spec(small());
    let (_, facts, _) = undisturbed(&spec);
    for (damage, apply) in damages() {
        let folder = folder();
        // In the first epoch there is no best epoch yet.
        run(&spec, folder.path(), Some(3));
        apply(&folder.path().join(LAST));
        let (_, recorder) = run(&spec, folder.path(), None);
        assert_eq!(recorder.resumed_from(), 0);
        assert_eq!(recorder.facts(), facts, "{damage}");
        assert!(
            recorder.notes()[0].contains("from its beginning"),
            "{damage}: {:?}",
            recorder.notes()
        );
    }
}

#[test]
fn a_damaged_best_checkpoint_leaves_the_last_epoch_to_test_and_says_so() {
    let spec = spec(small());
    let (folder, ..) = undisturbed(&spec);
    let best = folder.path().join("best.safetensors");
    let differs = tensors(&best) != tensors(&folder.path().join(LAST));
    // Replaced by a copy, because the two names may be links to one file.
    fs::remove_file(&best).unwrap();
    fs::write(&best, b"not a checkpoint").unwrap();
    let (reason, recorder) = run(&spec, folder.path(), None);
    assert_eq!(reason, Reason::Completed);
    // If the last epoch is the best, its files are linked again, and nothing is lost.
    assert_eq!(recorder.notes().len(), usize::from(differs));
    assert!(recorder.facts().iter().any(|fact| fact.starts_with("test")));
}

/// Checks the order of writes and events.
struct Watcher {
    folder: PathBuf,
    recorder: Recorder,
    fail_at: Option<u64>,
    fail_sync: bool,
}

impl Observer for Watcher {
    fn observe(
        &mut self,
        event: &Event,
    ) -> Result<Control, Box<dyn std::error::Error + Send + Sync>> {
        if let Event::Steps(step) = event
            && Some(step.first_step) == self.fail_at
        {
            return Err("the disk is full".into());
        }
        if matches!(event, Event::Checkpoint { .. }) {
            let unsynced = &self.recorder.events[self.recorder.synced..];
            assert!(
                unsynced
                    .iter()
                    .all(|event| matches!(event, Event::Checkpoint { .. })),
                "{unsynced:?}"
            );
        }
        self.recorder.observe(event)
    }

    fn sync(&mut self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        assert!(!self.folder.join(LAST).exists());
        if self.fail_sync {
            return Err("the disk is full".into());
        }
        self.recorder.sync()
    }
}

#[test]
fn no_checkpoint_is_ahead_of_the_record_and_a_record_that_fails_ends_the_run() {
    let watcher = |folder: &TempDir, stop_after| Watcher {
        folder: folder.path().to_owned(),
        recorder: Recorder {
            stop_after,
            ..Recorder::default()
        },
        fail_at: None,
        fail_sync: false,
    };
    let spec = spec(small());
    let run_folder = folder();
    let mut observer = watcher(&run_folder, Some(7));
    assert_eq!(
        train(&spec, &Library::none(), run_folder.path(), &mut observer).unwrap(),
        Reason::Stopped
    );
    assert!(run_folder.path().join(LAST).exists());

    let run_folder = folder();
    let mut observer = Watcher {
        fail_sync: true,
        ..watcher(&run_folder, Some(7))
    };
    assert!(matches!(
        train(&spec, &Library::none(), run_folder.path(), &mut observer),
        Err(Error::Observer(_))
    ));
    assert_eq!(names(run_folder.path()), [""; 0]);

    let run_folder = folder();
    let mut observer = Watcher {
        fail_at: Some(3),
        ..watcher(&run_folder, None)
    };
    let error = train(&spec, &Library::none(), run_folder.path(), &mut observer).unwrap_err();
    assert!(error.to_string().contains("the disk is full"), "{error}");
}

#[test]
fn a_checkpoint_that_cannot_be_written_ends_the_run_and_leaves_the_one_before() {
    let spec = spec(small());
    let run_folder = folder();
    run(&spec, run_folder.path(), Some(4));
    let before = tensors(&run_folder.path().join(LAST));

    /// Creates a folder at the path of the file, and stops.
    struct InTheWay(PathBuf);
    impl Observer for InTheWay {
        fn observe(
            &mut self,
            event: &Event,
        ) -> Result<Control, Box<dyn std::error::Error + Send + Sync>> {
            if matches!(event, Event::Steps(step) if step.first_step == 6) {
                fs::create_dir(&self.0)?;
                return Ok(Control::Stop);
            }
            Ok(Control::Continue)
        }
        fn sync(&mut self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            Ok(())
        }
    }
    let in_the_way = run_folder.path().join("last.state.safetensors.tmp");
    let error = train(
        &spec,
        &Library::none(),
        run_folder.path(),
        &mut InTheWay(in_the_way.clone()),
    )
    .unwrap_err();
    assert!(
        matches!(&error, Error::File { path, .. } if *path == in_the_way),
        "{error}"
    );
    assert_eq!(tensors(&run_folder.path().join(LAST)), before);
    fs::remove_dir(in_the_way).unwrap();
    let (_, recorder) = run(&spec, run_folder.path(), None);
    assert_eq!((recorder.resumed_from(), recorder.notes().len()), (4, 0));
}

/// Flips a bit of a file.
fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let name = b"vivarium.crc32c";
    let place = bytes.windows(name.len()).position(|some| some == name);
    let place = place.unwrap();
    // With the checksum renamed, the file looks like one of an earlier version, which had none.
    let at = match at % bytes.len() {
        at if (place..place + name.len()).contains(&at) => place + name.len() + 4,
        at => at,
    };
    bytes[at] ^= 1 << (at % 8);
    fs::write(path, bytes).unwrap();
}

#[test]
fn the_checkpoint_before_is_kept_for_when_the_last_one_is_damaged() {
    let spec = spec(small());
    let (_, facts, _) = undisturbed(&spec);
    for file in [LAST, LAST_STATE] {
        // Anywhere in the file, including the header.
        for at in (0..4000).step_by(97) {
            let folder = folder();
            let (_, first) = run(&spec, folder.path(), Some(2));
            let (_, second) = run(&spec, folder.path(), Some(4));
            flip(&folder.path().join(file), at);
            let (reason, last) = run(&spec, folder.path(), None);
            assert_eq!((reason, last.resumed_from()), (Reason::Completed, 2));
            let notes = last.notes();
            assert!(
                notes.len() == 1 && notes[0].contains(file) && notes[0].contains("before it"),
                "{file} {at}: {notes:?}"
            );
            assert_eq!(joined(&[&first, &second, &last]), facts, "{file} {at}");
            let names = names(folder.path());
            assert!(
                !names.iter().any(|name| name.contains("previous")),
                "a run that is through needs none: {names:?}"
            );
        }
    }
}

#[test]
fn checkpoints_of_versions_without_checksums_are_read() {
    let spec = spec(small());
    let (_, facts, _) = undisturbed(&spec);
    let folder = folder();
    let (_, first) = run(&spec, folder.path(), Some(7));
    for file in [LAST, LAST_STATE] {
        let path = folder.path().join(file);
        let bytes = fs::read(&path).unwrap();
        let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        let mut metadata = header.metadata().clone().unwrap();
        assert!(metadata.remove("vivarium.crc32c").is_some());
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let old = safetensors::serialize(tensors.iter(), Some(metadata)).unwrap();
        fs::write(&path, old).unwrap();
    }
    let (_, second) = run(&spec, folder.path(), None);
    assert_eq!((second.resumed_from(), second.notes().len()), (7, 0));
    assert_eq!(joined(&[&first, &second]), facts);
}

#[test]
fn what_a_process_left_that_was_killed_while_it_wrote_is_removed() {
    let spec = spec(small());
    let folder = folder();
    run(&spec, folder.path(), Some(4));
    let before = names(folder.path());
    // Temporary names of the library and of this program.
    for name in [
        ".tmpA1b2C3",
        "last.safetensors.tmp",
        "best.state.safetensors.tmp",
    ] {
        fs::write(folder.path().join(name), vec![0; 1000]).unwrap();
    }
    assert_eq!(remove_unfinished(folder.path()).unwrap(), 3);
    assert_eq!(names(folder.path()), before);
    fs::write(folder.path().join(".tmpA1b2C3"), vec![0; 1000]).unwrap();
    run(&spec, folder.path(), None);
    let left = names(folder.path());
    assert!(!left.iter().any(|name| name.contains("tmp")), "{left:?}");
}

#[test]
fn a_record_that_lost_its_end_is_continued_without_a_hole_where_that_is_possible() {
    let spec = spec(small());
    let (_, facts, _) = undisturbed(&spec);
    let goes_on = |step, epoch| {
        let folder = folder();
        let (_, first) = run(&spec, folder.path(), Some(4));
        let (_, second) = run(&spec, folder.path(), Some(7));
        let record = Record {
            step,
            epoch,
            ..Record::default()
        };
        let places = RunPaths {
            record: Some(record),
            ..folder.path().into()
        };
        let mut last = Recorder::default();
        train(&spec, &Library::none(), places, &mut last).unwrap();
        (joined(&[&first, &second, &last]), last)
    };
    // Everything was recorded, including steps after the checkpoint.
    for (step, epoch) in [(7, 1), (9, 1)] {
        let (told, last) = goes_on(step, epoch);
        assert_eq!((last.resumed_from(), last.notes().len()), (7, 0));
        assert_eq!(told, facts);
    }
    // Steps, or the end of the epoch, are missing: the checkpoint before is not ahead.
    for (step, epoch) in [(5, 0), (6, 1), (7, 0)] {
        let (told, last) = goes_on(step, epoch);
        assert_eq!((last.resumed_from(), last.notes().len()), (4, 1));
        assert!(
            last.notes()[0].contains("the record of the run ends at"),
            "{:?}",
            last.notes()
        );
        assert_eq!(told, facts);
    }
    // Every checkpoint is ahead: the training is kept.
    let (_, last) = goes_on(2, 0);
    assert_eq!((last.resumed_from(), last.notes().len()), (7, 1));
    assert!(last.notes()[0].contains("is lost"), "{:?}", last.notes());
}

#[test]
fn other_surroundings_than_a_run_began_with_are_told() {
    let spec = spec(small());
    let begun = || {
        let folder = folder();
        let (_, first) = run(&spec, folder.path(), Some(4));
        let Event::Started(started) = &first.events[0] else {
            panic!("{:?}", first.events[0]);
        };
        let record = Record {
            step: 4,
            threads: Some(started.threads),
            instructions: Some(started.instructions.clone()),
            data_hash: Some(started.data_hash.clone()),
            epoch: 0,
        };
        (folder, record)
    };
    let told = |folder: &TempDir, record| {
        let places = RunPaths {
            record: Some(record),
            ..folder.path().into()
        };
        let mut last = Recorder::default();
        train(&spec, &Library::none(), places, &mut last).unwrap();
        last.notes().join(" ")
    };
    let (folder, same) = begun();
    assert_eq!(told(&folder, same), "");
    let (folder, record) = begun();
    let instructions = Some("avx1024".to_owned());
    let notes = told(
        &folder,
        Record {
            instructions,
            ..record
        },
    );
    assert!(notes.contains("avx1024"), "{notes}");
    let (folder, record) = begun();
    let data_hash = Some("0".repeat(64));
    let notes = told(
        &folder,
        Record {
            data_hash,
            ..record
        },
    );
    assert!(notes.contains("data set"), "{notes}");
}
