//! A run that goes on computes with as many threads, and with the instructions, that it began with; or it says that it
//! cannot.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use vivarium_models::ops::Instructions;

use crate::support::{ENDLESS, signal, until};

/// A run of the command line, that stops and goes on in other surroundings.
struct Run {
    _folder: TempDir,
    dir: PathBuf,
}

impl Run {
    /// Begins a run with a value in its environment, and stops it after some steps.
    fn begun(variable: &str, value: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_vivarium"))
            .args(["train", "--network", "mlp", "--data", "moons", "--set"])
            .arg(format!("training.epochs={ENDLESS}"))
            .arg("--data-dir")
            .arg(folder.path())
            .env(variable, value)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let runs = folder.path().join("runs");
        let mut dir = None;
        until("it trains", || {
            let entries = std::fs::read_dir(&runs).into_iter().flatten().flatten();
            let visible = |path: &PathBuf| !path.to_string_lossy().contains("/.new-");
            dir = entries.map(|entry| entry.path()).find(visible);
            let Some(dir) = &dir else { return false };
            let text = std::fs::read_to_string(dir.join("events.ndjson"));
            text.is_ok_and(|text| text.contains(r#""kind":"steps""#))
        });
        signal(process.id(), "TERM");
        assert!(process.wait().unwrap().success());
        Self {
            _folder: folder,
            dir: dir.unwrap(),
        }
    }

    /// Goes on with another value, and gives the event that says so with the notes after it.
    fn goes_on(&self, variable: &str, value: &str) -> (Value, String) {
        let before = self.events().len();
        let mut process = Command::new(env!("CARGO_BIN_EXE_vivarium"))
            .arg("worker")
            .arg(&self.dir)
            .env(variable, value)
            .spawn()
            .unwrap();
        until("it goes on", || {
            let events = self.events();
            events[before..]
                .iter()
                .any(|event| event["kind"] == "steps")
        });
        signal(process.id(), "TERM");
        assert!(process.wait().unwrap().success());
        let events = self.events();
        let notes: Vec<_> = events[before..]
            .iter()
            .filter(|event| event["kind"] == "note")
            .map(|event| event["message"].as_str().unwrap().to_owned())
            .collect();
        (events[before].clone(), notes.join(" "))
    }

    fn events(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.dir.join("events.ndjson")).unwrap();
        text.lines()
            .map_while(|line| serde_json::from_str(line).ok())
            .collect()
    }
}

#[test]
fn threads_stay_as_many_as_a_run_began_with() {
    let run = Run::begun("VIVARIUM_THREADS", "3");
    assert_eq!(run.events()[0]["threads"], 3);
    let (started, notes) = run.goes_on("VIVARIUM_THREADS", "5");
    assert_eq!((&started["threads"], &notes[..]), (&Value::from(3), ""));
    let (started, notes) = run.goes_on("VIVARIUM_THREADS", "1");
    assert_eq!(started["threads"], 3);
    assert!(notes.contains("with 3 threads"), "{notes}");
}

#[test]
fn instructions_stay_those_that_a_run_began_with_where_the_machine_has_them() {
    let run = Run::begun("VIVARIUM_INSTRUCTIONS", "portable");
    assert_eq!(run.events()[0]["instructions"], "portable");
    let (started, notes) = run.goes_on("VIVARIUM_INSTRUCTIONS", "");
    assert_eq!(started["instructions"], "portable");
    let widest = Instructions::supported().last().unwrap();
    assert_eq!(
        notes.contains("stay exact"),
        widest != Instructions::Portable,
        "{notes}"
    );
}

#[test]
fn a_run_that_goes_on_with_other_instructions_says_so() {
    let run = Run::begun("VIVARIUM_INSTRUCTIONS", "");
    let widest = Instructions::supported().last().unwrap();
    assert_eq!(run.events()[0]["instructions"], widest.name());
    let (started, notes) = run.goes_on("VIVARIUM_INSTRUCTIONS", "portable");
    assert_eq!(started["instructions"], "portable");
    assert_eq!(
        notes.contains("may differ"),
        widest != Instructions::Portable,
        "{notes}"
    );
}
