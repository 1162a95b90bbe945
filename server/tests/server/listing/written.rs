//! Runs that are written instead of trained, and a server that has them.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Server, until};

/// A run that is over.
pub(super) struct Written {
    pub(super) name: &'static str,
    pub(super) network: Value,
    pub(super) set: &'static str,
    pub(super) lr: Value,
    /// The accuracy after its only epoch, with which it ends; `None`: it ends before that.
    pub(super) accuracy: Option<f64>,
    pub(super) reason: &'static str,
    pub(super) seconds: f64,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            name: "mlp on digits",
            network: json!({"kind": "mlp"}),
            set: "digits",
            lr: json!(0.01),
            accuracy: Some(0.5),
            reason: "completed",
            seconds: 1.0,
        }
    }
}

impl Written {
    pub(super) fn to(&self, runs: &Path, number: u64) -> String {
        let id = format!("0199d3a0-{number:04x}-7000-8000-000000000000");
        let folder = runs.join(&id);
        fs::create_dir_all(&folder).unwrap();
        // Complete: what is written by hand is checked, and the data set must be there.
        let spec = json!({
            "name": self.name,
            "data": {"set": self.set, "validation": 0.1, "limit": null, "size": 8, "channels": 1, "augment": "none",
                     "normalisation": "measured"},
            "network": self.network,
            "training": {
                "epochs": 1, "batch_size": 32,
                "optimizer": {"kind": "sgd", "lr": self.lr, "momentum": 0.9, "weight_decay": 0.0, "nesterov": false},
                "schedule": {"kind": "constant", "warmup_epochs": 0.0}, "label_smoothing": 0.0, "clip": null,
                "early_stopping": null, "seed": 0, "threads": null,
            },
            "device": "cpu",
        });
        fs::write(folder.join("spec.json"), spec.to_string()).unwrap();
        let mut lines = vec![json!({
            "kind": "started", "parameters": 100 + number, "classes": ["0", "1"], "train_samples": 8,
            "steps_per_epoch": 2, "total_steps": 2,
        })];
        if let Some(accuracy) = self.accuracy {
            let score = json!({"loss": 1.0 - accuracy, "accuracy": accuracy});
            lines.push(json!({
                "kind": "steps", "first_step": 1, "epoch": 1, "samples_seen": 8, "seconds": self.seconds,
                "loss": [0.9, 0.8], "accuracy": [0.5, 0.5], "lr": [0.1, 0.1], "images_per_s": 12,
            }));
            lines.push(json!({
                "kind": "epoch", "epoch": 1, "step": 2, "samples_seen": 8, "train": score, "validation": score,
                "seconds": self.seconds, "elapsed": self.seconds, "peak_memory_bytes": 1000 - number,
            }));
        }
        lines.push(json!({"kind": "finished", "reason": self.reason, "message": ""}));
        let text = lines.iter_mut().enumerate().map(|(at, line)| {
            line["seq"] = json!(at + 1);
            line["time"] = json!("2026-01-01T00:00:00Z");
            format!("{line}\n")
        });
        fs::write(folder.join("events.ndjson"), text.collect::<String>()).unwrap();
        id
    }
}

/// A server with these runs, from the oldest to the newest, and their ids.
pub(super) fn server_with(written: &[Written]) -> (Server, Vec<String>) {
    let folder = TempDir::new().unwrap();
    let runs = folder.path().join("runs");
    let ids = written
        .iter()
        .zip(0..)
        .map(|(run, at)| run.to(&runs, at))
        .collect();
    let server = Server::start_on(folder);
    await_runs(&server, written.len());
    (server, ids)
}

pub(super) fn await_runs(server: &Server, count: usize) {
    until("every run is indexed", || {
        let list = server.get("/api/v1/runs?limit=1").json();
        let statuses = list["statuses"].as_object().unwrap().values();
        let over = ["running", "queued"]
            .iter()
            .all(|of| list["statuses"][of] == 0);
        over && statuses.map(|count| count.as_u64().unwrap()).sum::<u64>() as usize == count
    });
}

pub(super) fn plain(count: usize) -> (Server, Vec<String>) {
    let runs: Vec<_> = (0..count).map(|_| Written::default()).collect();
    server_with(&runs)
}

pub(super) fn fruit() -> Vec<Written> {
    vec![
        Written {
            name: "apple",
            accuracy: Some(0.95),
            ..Written::default()
        },
        Written {
            name: "Banana",
            network: json!({"kind": "vgg16", "head": "compact"}),
            set: "fashion-mnist",
            lr: json!(0.001),
            accuracy: Some(0.8),
            seconds: 700.0,
            ..Written::default()
        },
        Written {
            name: "cherry pie",
            accuracy: None,
            reason: "stopped",
            ..Written::default()
        },
    ]
}
