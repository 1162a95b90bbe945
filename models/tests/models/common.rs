//! Helpers of the tests: short run specifications, and an observer that records events.

use std::path::Path;
use std::sync::RwLock;

use serde_json::{Value, json};
use vivarium_models::contract::{Event, Reason, Score};
use vivarium_models::data::{self, DATA_SETS, DataSetRow, Library, Splits};
use vivarium_models::form;
use vivarium_models::spec::{DataSpec, FieldError, RunSpec};
use vivarium_models::train::{Control, Observer, train};

/// The number of threads is global to the process. Tests that change it take the write lock; tests that need
/// reproducible sums, whose order depends on it, take the read lock.
pub(crate) static THREADS: RwLock<()> = RwLock::new(());

/// The check, with the embedded data sets only.
pub(crate) fn check(document: &Value) -> Result<RunSpec, Vec<FieldError>> {
    form::check(document, &Library::none())
}

/// The embedded data sets.
pub(crate) fn built_in() -> impl Iterator<Item = &'static DataSetRow> {
    DATA_SETS.iter().filter(|row| row.is_built_in())
}

/// An embedded data set.
pub(crate) fn load(spec: &DataSpec) -> Splits {
    data::load(spec, &Library::none()).unwrap()
}

/// The run of a valid document.
pub(crate) fn spec(document: Value) -> RunSpec {
    check(&document).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// A short run with everything that makes resuming hard: dropout, normalisation, momentum, a short last batch.
pub(crate) fn small() -> Value {
    json!({
        "data": {"set": "moons", "samples": 60, "validation": 0.2},
        "network": {"kind": "mlp", "hidden": [6, 5], "norm": true, "dropout": 0.3},
        "training": {"epochs": 3, "batch_size": 9, "threads": 1, "optimizer": {"kind": "adamw"}}
    })
}

/// One step of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) step: u64,
    pub(crate) epoch: u64,
    pub(crate) samples_seen: u64,
    pub(crate) loss: f64,
    pub(crate) accuracy: f64,
    pub(crate) lr: f64,
    pub(crate) seconds: f64,
    pub(crate) images_per_s: f64,
}

/// Records all events, and stops a run after a step.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) events: Vec<Event>,
    pub(crate) stop_after: Option<u64>,
    pub(crate) synced: usize,
}

impl Observer for Recorder {
    fn observe(
        &mut self,
        event: &Event,
    ) -> Result<Control, Box<dyn std::error::Error + Send + Sync>> {
        self.events.push(event.clone());
        let stop = matches!(event, Event::Steps(step) if Some(step.first_step) == self.stop_after);
        Ok(if stop {
            Control::Stop
        } else {
            Control::Continue
        })
    }

    fn sync(&mut self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.synced = self.events.len();
        Ok(())
    }
}

impl Recorder {
    pub(crate) fn steps(&self) -> Vec<Step> {
        self.events
            .iter()
            .filter_map(|e| match e {
                Event::Steps(steps) => Some(Step {
                    step: steps.first_step,
                    epoch: steps.epoch,
                    samples_seen: steps.samples_seen,
                    loss: steps.loss[0],
                    accuracy: steps.accuracy[0],
                    lr: steps.lr[0],
                    seconds: steps.seconds,
                    images_per_s: steps.images_per_s.unwrap(),
                }),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn notes(&self) -> Vec<&str> {
        let note = |e: &'_ Event| matches!(e, Event::Note { .. });
        let notes = self.events.iter().filter(|e| note(e));
        notes
            .map(|e| {
                if let Event::Note { message } = e {
                    message.as_str()
                } else {
                    ""
                }
            })
            .collect()
    }

    pub(crate) fn resumed_from(&self) -> u64 {
        match &self.events[0] {
            Event::Started(started) => started.resumed_from_step,
            other => panic!("the first event is {other:?}"),
        }
    }

    /// The reproducible part of the log: steps, epochs and the test without times, by their exact bits.
    pub(crate) fn facts(&self) -> Vec<String> {
        let fact = |event: &Event| match event {
            Event::Steps(s) => Some(format!(
                "step {} epoch {} seen {} loss {:x} accuracy {:x} lr {:x}",
                s.first_step,
                s.epoch,
                s.samples_seen,
                s.loss[0].to_bits(),
                s.accuracy[0].to_bits(),
                s.lr[0].to_bits()
            )),
            Event::Epoch(e) => {
                let bits = |score: Score| (score.loss.to_bits(), score.accuracy.to_bits());
                Some(format!(
                    "epoch {} step {} {:?} {:?}",
                    e.epoch,
                    e.step,
                    bits(e.train),
                    e.validation.map(bits)
                ))
            }
            Event::Boundary(b) => Some(format!(
                "boundary {} {} {:?} {:?} {}",
                b.epoch, b.step, b.x, b.y, b.cells
            )),
            Event::Test(t) => Some(format!(
                "test {:x} {:x} {:?}",
                t.score.loss.to_bits(),
                t.score.accuracy.to_bits(),
                t.confusion
            )),
            _ => None,
        };
        self.events.iter().filter_map(fact).collect()
    }
}

/// Trains to the end, or until after a step.
pub(crate) fn run(spec: &RunSpec, folder: &Path, stop_after: Option<u64>) -> (Reason, Recorder) {
    let mut recorder = Recorder {
        stop_after,
        ..Recorder::default()
    };
    let reason = train(spec, &Library::none(), folder, &mut recorder).unwrap();
    (reason, recorder)
}

/// Joins the events of two parts of a run, without repeated ones.
pub(crate) fn joined(parts: &[&Recorder]) -> Vec<String> {
    let mut log: Vec<String> = Vec::new();
    for part in parts {
        for fact in part.facts() {
            if !log.contains(&fact) {
                log.push(fact);
            }
        }
    }
    log
}

/// The tensors of a safetensors file by name, as shape and bytes.
pub(crate) fn tensors(path: &Path) -> std::collections::BTreeMap<String, (Vec<usize>, Vec<u8>)> {
    let bytes = std::fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    file.iter()
        .map(|(name, t)| (name.to_owned(), (t.shape().to_vec(), t.data().to_vec())))
        .collect()
}
