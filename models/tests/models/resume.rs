//! Runs that are stopped or killed have the same events as uninterrupted runs.

use std::fs;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;
use vivarium_models::contract::Reason;
use vivarium_models::spec::RunSpec;

use crate::common::{Recorder, joined, run, small, spec, tensors};

pub(crate) const LAST: &str = "last.safetensors";
pub(crate) const LAST_STATE: &str = "last.state.safetensors";

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A run and its events without interruption.
pub(crate) fn undisturbed(spec: &RunSpec) -> (TempDir, Vec<String>, u64) {
    let folder = folder();
    let (reason, recorder) = run(spec, folder.path(), None);
    assert_eq!(reason, Reason::Completed);
    let steps = recorder.steps().len() as u64;
    (folder, recorder.facts(), steps)
}

pub(crate) fn same_files(a: &Path, b: &Path) {
    for name in [
        LAST,
        LAST_STATE,
        "best.safetensors",
        "best.state.safetensors",
    ] {
        assert_eq!(tensors(&a.join(name)), tensors(&b.join(name)), "{name}");
    }
    assert_eq!(names(a), names(b));
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_run_stopped_after_any_step_goes_on_bit_for_bit() {
    for optimizer in [
        json!({"kind": "adamw"}),
        json!({"kind": "sgd", "nesterov": true}),
    ] {
        let mut document = small();
        document["training"]["optimizer"] = optimizer;
        let spec = spec(document);
        let (whole, facts, steps) = undisturbed(&spec);
        // 39 training samples in batches of 9: the last of an epoch has 3.
        assert_eq!(steps, 15);
        for stop in 1..=steps {
            let folder = folder();
            let (reason, first) = run(&spec, folder.path(), Some(stop));
            assert_eq!(
                (reason, first.steps().len() as u64),
                (Reason::Stopped, stop)
            );
            let (reason, second) = run(&spec, folder.path(), None);
            assert_eq!((reason, second.resumed_from()), (Reason::Completed, stop));
            assert_eq!(second.notes(), [""; 0]);
            assert_eq!(joined(&[&first, &second]), facts, "stopped after {stop}");
            same_files(folder.path(), whole.path());
        }
    }
}

#[test]
fn schedules_clipping_and_smoothing_go_on_bit_for_bit() {
    let schedules = [
        json!({"kind": "constant", "warmup_epochs": 1.5}),
        json!({"kind": "step", "every_epochs": 1, "gamma": 0.5, "warmup_epochs": 0.6}),
        json!({"kind": "milestones", "milestones": [1, 2], "gamma": 0.3}),
        json!({"kind": "cosine", "min_lr": 1e-4, "warmup_epochs": 0.5}),
        json!({"kind": "one_cycle"}),
    ];
    for (i, schedule) in schedules.into_iter().enumerate() {
        let mut document = small();
        document["training"]["schedule"] = schedule;
        document["training"]["clip"] = json!(0.5);
        document["training"]["label_smoothing"] = json!(0.1);
        if i % 2 == 1 {
            document["training"]["optimizer"] = json!({"kind": "sgd", "weight_decay": 0.01});
        }
        let spec = spec(document);
        let (whole, facts, steps) = undisturbed(&spec);
        for stop in 1..=steps {
            let folder = folder();
            let (_, first) = run(&spec, folder.path(), Some(stop));
            let (_, second) = run(&spec, folder.path(), None);
            assert_eq!(second.resumed_from(), stop);
            assert_eq!(
                joined(&[&first, &second]),
                facts,
                "{:?} stopped after {stop}",
                spec.training.schedule
            );
            same_files(folder.path(), whole.path());
        }
    }
}

#[test]
fn a_run_stopped_after_every_step_goes_on_bit_for_bit() {
    let spec = spec(small());
    let (whole, facts, steps) = undisturbed(&spec);
    let folder = folder();
    let parts: Vec<_> = (1..=steps + 1)
        .map(|stop| run(&spec, folder.path(), Some(stop)).1)
        .collect();
    assert_eq!(joined(&parts.iter().collect::<Vec<_>>()), facts);
    same_files(folder.path(), whole.path());
}

#[test]
fn a_finished_run_trains_no_more_and_tells_its_end_again() {
    let spec = spec(small());
    let (folder, facts, steps) = undisturbed(&spec);
    let (reason, again) = run(&spec, folder.path(), None);
    assert_eq!(
        (reason, again.resumed_from(), again.steps().len()),
        (Reason::Completed, steps, 0)
    );
    assert_eq!(again.facts().last(), facts.last());
}

/// The files of checkpoints at two positions, `old` and `new`.
struct Moments {
    spec: RunSpec,
    facts: Vec<String>,
    old: TempDir,
    new: TempDir,
}

impl Moments {
    fn at(old_step: u64, new_step: u64) -> Self {
        let spec = spec(small());
        let (_, facts, _) = undisturbed(&spec);
        let (old, new) = (folder(), folder());
        run(&spec, old.path(), Some(old_step));
        run(&spec, new.path(), Some(new_step));
        Self {
            spec,
            facts,
            old,
            new,
        }
    }

    /// A folder with files of the two positions under other names.
    fn folder(&self, files: &[(char, &str, &str)]) -> TempDir {
        let folder = folder();
        for (moment, from, to) in files {
            let of = if *moment == 'o' { &self.old } else { &self.new };
            fs::copy(of.path().join(from), folder.path().join(to)).unwrap();
        }
        folder
    }

    /// Resumes in a folder from a step to the end, with one more stop.
    fn goes_on(&self, folder: &Path, from: u64) -> Recorder {
        let (_, recorder) = run(&self.spec, folder, Some(from + 2));
        assert_eq!(recorder.resumed_from(), from);
        let (reason, rest) = run(&self.spec, folder, None);
        assert_eq!((reason, rest.resumed_from()), (Reason::Completed, from + 2));
        let told = joined(&[&recorder, &rest]);
        assert!(
            self.facts.ends_with(&told),
            "{told:#?} is not the end of {:#?}",
            self.facts
        );
        recorder
    }
}

#[test]
fn a_process_killed_at_any_instant_of_a_checkpoint_loses_no_more_than_that_checkpoint() {
    let moments = Moments::at(4, 7);
    let (last, state) = ("previous.safetensors", "previous.state.safetensors");
    let old = [('o', LAST, LAST), ('o', LAST_STATE, LAST_STATE)];
    let new = [('n', LAST, LAST), ('n', LAST_STATE, LAST_STATE)];
    let kept = [('o', LAST, last), ('o', LAST_STATE, state)];
    let aside = [
        ('n', LAST, "last.safetensors.tmp"),
        ('n', LAST_STATE, "last.state.safetensors.tmp"),
    ];
    let instants: [(&str, Vec<_>, u64); 9] = [
        ("before anything is written", old.to_vec(), 4),
        (
            "after the weights are written aside",
            [&old[..], &aside[..1]].concat(),
            4,
        ),
        (
            "after both are written aside",
            [&old[..], &aside[..]].concat(),
            4,
        ),
        (
            "after the old weights have a second name",
            [&old[..], &aside[..], &kept[..1]].concat(),
            4,
        ),
        (
            "after the old state has one too",
            [&old[..], &aside[..], &kept[..]].concat(),
            4,
        ),
        (
            "between the renames",
            [&new[..1], &old[1..], &aside[1..], &kept[..]].concat(),
            4,
        ),
        ("after the renames", [&new[..], &kept[..]].concat(), 7),
        (
            "after the old weights are gone",
            [&new[..], &kept[1..]].concat(),
            7,
        ),
        ("after all", new.to_vec(), 7),
    ];
    for (instant, files, from) in instants {
        let folder = moments.folder(&files);
        let recorder = moments.goes_on(folder.path(), from);
        assert_eq!(recorder.notes(), [""; 0], "{instant}");
        assert!(
            names(folder.path())
                .iter()
                .all(|name| !name.contains("tmp") && !name.contains("previous")),
            "{instant}"
        );
    }
    // Without hard links, the old files are renamed.
    let without_links: [(&str, Vec<_>); 3] = [
        (
            "after the old weights are renamed",
            [&kept[..1], &old[1..], &aside[..]].concat(),
        ),
        (
            "after the old state is renamed",
            [&kept[..], &aside[..]].concat(),
        ),
        (
            "after the new weights have their name",
            [&new[..1], &kept[..], &aside[1..]].concat(),
        ),
    ];
    for (instant, files) in without_links {
        let folder = moments.folder(&files);
        assert_eq!(
            moments.goes_on(folder.path(), 4).notes(),
            [""; 0],
            "{instant}"
        );
    }
}

#[test]
fn a_process_killed_before_the_best_epoch_has_its_name_gives_it_later() {
    // After step 5 the first epoch is done, and it is the best one so far.
    let document = {
        let mut document = small();
        document["training"]["epochs"] = json!(1);
        document
    };
    let spec = spec(document);
    let (whole, ..) = undisturbed(&spec);
    let folder = folder();
    for name in [LAST, LAST_STATE] {
        fs::copy(whole.path().join(name), folder.path().join(name)).unwrap();
    }
    let (reason, recorder) = run(&spec, folder.path(), None);
    assert_eq!((reason, recorder.notes().len()), (Reason::Completed, 0));
    same_files(folder.path(), whole.path());
}
