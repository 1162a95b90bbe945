//! The zip with everything: weights, network, programs and the run's figures.

use std::io::{self, Write};

use askama::Template;
use vivarium_models::classify::preprocessing::Scores;
use vivarium_models::links;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::Takeaway;
use crate::error::{Error, Result};
use crate::inspect::target::Checkpoint;

/// The programs, which read everything else from the files beside them.
const PROGRAMS: [(&str, &str); 3] = [
    (
        "predict.py",
        include_str!("../../../templates/takeaway/predict.py"),
    ),
    (
        "predict_onnx.py",
        include_str!("../../../templates/takeaway/predict_onnx.py"),
    ),
    (
        "classifier.py",
        include_str!("../../../templates/takeaway/classifier.py"),
    ),
];

/// The README of a zip.
#[derive(Template)]
#[template(path = "takeaway/README.md", escape = "none")]
struct Readme {
    name: String,
    version: &'static str,
    facts: Vec<(&'static str, String)>,
    has_probabilities: bool,
}

/// A zip that is ready to be written.
pub struct Archive {
    /// Files that are compressed, by their names.
    texts: Vec<(&'static str, String)>,
    onnx: Vec<u8>,
    weights: Checkpoint,
}

impl Archive {
    pub(super) fn of(run: &Takeaway, weights: Checkpoint) -> Result<Self> {
        let graph = run.target.graph()?;
        let preprocessing = run.preprocessing(&graph)?;
        let readme = Readme {
            name: one_line(&run.name),
            version: env!("CARGO_PKG_VERSION"),
            facts: facts(run, &weights),
            has_probabilities: preprocessing.scores == Scores::Logits,
        };
        let json = serde_json::to_string_pretty(&preprocessing)
            .map_err(|e| Error::json("the preprocessing", e))?;
        let mut texts = vec![
            (
                "README.md",
                readme.render().map_err(|_| Error::Gone("a template"))? + "\n",
            ),
            ("model.py", graph.pytorch()),
            ("preprocessing.json", json + "\n"),
            ("labels.txt", labels(&run.target.started.classes)),
        ];
        texts.extend(PROGRAMS.map(|(name, text)| (name, text.to_owned())));
        Ok(Self {
            texts,
            onnx: run.target.onnx(&weights)?,
            weights,
        })
    }

    pub(super) fn write(self, out: &mut impl Write) -> io::Result<()> {
        let mut zip = ZipWriter::new_stream(out);
        let options = SimpleFileOptions::default();
        for (name, text) in &self.texts {
            zip.start_file(*name, options)?;
            zip.write_all(text.as_bytes())?;
        }
        // Weights hardly become smaller by compression.
        let stored = options
            .compression_method(CompressionMethod::Stored)
            .large_file(true);
        zip.start_file("model.onnx", stored)?;
        zip.write_all(&self.onnx)?;
        zip.start_file("model.safetensors", stored)?;
        io::copy(&mut links::open(&self.weights.path)?, &mut zip)?;
        zip.finish()?;
        Ok(())
    }
}

/// A class a line.
fn labels(classes: &[String]) -> String {
    let lines = classes.iter().map(|name| one_line(name) + "\n");
    lines.collect()
}

/// A name without line breaks, which would become lines of a text.
fn one_line(name: &str) -> String {
    let plain = |sign: char| if sign.is_control() { ' ' } else { sign };
    name.chars().map(plain).collect()
}

/// What one must know of a run, for the table of its README.
fn facts(run: &Takeaway, weights: &Checkpoint) -> Vec<(&'static str, String)> {
    let (spec, started, summary) = (&run.target.spec, &run.target.started, &run.summary);
    let percent = |share: f64| format!("{:.1}%", 100.0 * share);
    let of_samples = |share: f64, samples: u64| format!("{} of {samples} samples", percent(share));
    let input: Vec<_> = started.input.iter().map(usize::to_string).collect();
    let moment = weights.moment();
    let epoch = moment.map_or_else(String::new, |moment| format!(", of epoch {}", moment.epoch));
    let mut facts = vec![
        ("Network", one_line(&spec.network.kind)),
        ("Parameters", started.parameters.to_string()),
        (
            "Data set",
            format!(
                "{} (SHA-256 of the data in use: {})",
                one_line(&spec.data.set),
                started.data_hash
            ),
        ),
        ("Classes", started.classes.len().to_string()),
        ("Training samples", started.train_samples.to_string()),
        ("Input", input.join("×")),
        (
            "Weights",
            format!("the checkpoint “{}”{epoch}", weights.name),
        ),
    ];
    if let Some(accuracy) = summary.best_validation_accuracy {
        let text = of_samples(accuracy, started.validation_samples);
        facts.push(("Best validation accuracy", text));
    }
    facts.push((
        "Test accuracy",
        match summary.test_accuracy {
            Some(accuracy) => of_samples(accuracy, started.test_samples),
            None => "not measured: the test split is evaluated when a run has finished".to_owned(),
        },
    ));
    let begun = humantime::format_rfc3339_seconds(run.target.id.created());
    facts.push(("Begun", begun.to_string()));
    facts.push(("Run", run.target.id.to_string()));
    facts
}
