//! Runs whose checkpoints are damaged, or cannot be written: what is lost is said, and no more is lost than must be.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;
use vivarium_models::data::Library;
use vivarium_models::error::Error;
use vivarium_models::train::{Control, Event, Observer, Reason, train};

use crate::common::{Recorder, joined, run, small, spec, tensors};
use crate::resume::{LAST, LAST_STATE, folder, names, undisturbed};

type Damage = fn(&Path);

fn damages() -> [(&'static str, Damage); 9] {
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
            assert!(
                notes[0].contains("last.") && notes[0].contains("best checkpoint"),
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
        // In the first epoch there is no best one yet.
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
    // A file of its own: the two names may be of one.
    fs::remove_file(&best).unwrap();
    fs::write(&best, b"not a checkpoint").unwrap();
    let (reason, recorder) = run(&spec, folder.path(), None);
    assert_eq!(reason, Reason::Completed);
    // Where the last epoch is itself the best, its files are given that name again, and nothing is lost.
    assert_eq!(recorder.notes().len(), usize::from(differs));
    assert!(recorder.facts().iter().any(|fact| fact.starts_with("test")));
}

/// Checks the order of things from inside.
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
        if let Event::Step(step) = event
            && Some(step.step) == self.fail_at
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

    /// Puts a folder where the file is to be written, and stops.
    struct InTheWay(PathBuf);
    impl Observer for InTheWay {
        fn observe(
            &mut self,
            event: &Event,
        ) -> Result<Control, Box<dyn std::error::Error + Send + Sync>> {
            if matches!(event, Event::Step(step) if step.step == 6) {
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
