//! Sweeps: a set of runs from one form. A sweep is a file that names its runs, so that the
//! bond outlives the index.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;
use vivarium_models::data::Library;
use vivarium_models::spec::{self, FieldError, RunSpec};

use crate::error::{Error, Result};
use crate::files::replace;
use crate::run_dir::RunId;
use crate::settings::set_at;

/// The most runs that one sweep may have.
const MOST_RUNS: usize = 1000;

/// What a sweep is made from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepSpec {
    /// The settings that all runs share.
    pub base: Value,
    /// Values by the path of the setting; every combination becomes a run.
    #[serde(default)]
    pub grid: Map<String, Value>,
    /// How often each combination is run, each time with the next seed.
    #[serde(default = "once")]
    pub repeats: u64,
}

fn once() -> u64 {
    1
}

impl SweepSpec {
    /// The specification of every run, checked.
    ///
    /// # Errors
    /// [`Error::Spec`] with every fault of every combination, each once.
    pub fn expand(&self, library: &Library) -> Result<Vec<RunSpec>> {
        let mut errors = Vec::new();
        let mut combinations = vec![(self.base.clone(), Vec::new())];
        for (path, values) in &self.grid {
            let Some(values) = values.as_array().filter(|values| !values.is_empty()) else {
                errors.push(fault(
                    &format!("grid.{path}"),
                    values,
                    "must be a list with at least one value",
                ));
                continue;
            };
            if combinations.len().saturating_mul(values.len()) > MOST_RUNS {
                errors.push(fault(
                    "grid",
                    &Value::Null,
                    &format!("must not make more than {MOST_RUNS} runs"),
                ));
                break;
            }
            combinations = combinations
                .iter()
                .flat_map(|(base, label)| values.iter().map(move |value| (base, label, value)))
                .map(|(base, label, value)| {
                    let mut run = base.clone();
                    set_at(&mut run, path, value.clone());
                    let short = path.rsplit('.').next().unwrap_or(path).replace('_', " ");
                    let label = [&label[..], &[format!("{short} {}", plain(value))]].concat();
                    (run, label)
                })
                .collect();
        }
        let repeats = usize::try_from(self.repeats).unwrap_or(usize::MAX);
        if repeats == 0 || combinations.len().saturating_mul(repeats) > MOST_RUNS {
            let allowed =
                format!("must be at least 1 and must not make more than {MOST_RUNS} runs");
            errors.push(fault("repeats", &Value::from(self.repeats), &allowed));
        }
        if !errors.is_empty() {
            return Err(Error::Spec(errors));
        }
        let mut runs = Vec::new();
        for (json, label) in &combinations {
            match spec::check(json, library) {
                Ok(run) => {
                    for repeat in 0..self.repeats {
                        runs.push(named(run.clone(), label, repeat, self.repeats));
                    }
                }
                Err(faults) => {
                    errors.extend(
                        faults
                            .into_iter()
                            .filter(|fault| !errors.contains(fault))
                            .collect::<Vec<_>>(),
                    );
                }
            }
        }
        if errors.is_empty() {
            Ok(runs)
        } else {
            Err(Error::Spec(errors))
        }
    }
}

/// A run of a sweep says in its name what makes it differ.
fn named(mut run: RunSpec, label: &[String], repeat: u64, repeats: u64) -> RunSpec {
    run.training.seed += repeat;
    let mut parts = label.to_vec();
    if repeats > 1 {
        parts.push(format!("seed {}", run.training.seed));
    }
    if !parts.is_empty() {
        let name = format!("{} · {}", run.name, parts.join(", "));
        run.name = name.chars().take(200).collect();
    }
    run
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn fault(path: &str, value: &Value, message: &str) -> FieldError {
    FieldError {
        path: path.to_owned(),
        value: value.clone(),
        message: message.to_owned(),
    }
}

/// What a sweep's file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Sweep {
    #[serde(flatten)]
    spec: SweepSpec,
    runs: Vec<RunId>,
}

/// The folder of sweeps.
#[derive(Clone, Debug)]
pub struct Sweeps {
    folder: PathBuf,
}

impl Sweeps {
    /// The sweeps in `folder`.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// A new sweep's id.
    pub fn new_id() -> String {
        Uuid::now_v7().to_string()
    }

    /// Writes a sweep's file.
    pub async fn save(&self, id: String, spec: SweepSpec, runs: Vec<RunId>) -> Result<()> {
        let folder = self.folder.clone();
        blocking(move || {
            let text = serde_json::to_vec_pretty(&Sweep { spec, runs }).unwrap_or_default();
            Ok(replace(&folder.join(format!("{id}.json")), &text))
        })
        .await
        .map_err(|e| Error::file(&self.folder, e))?
    }

    /// The sweep that names a run; asked when the index is rebuilt.
    pub async fn of(&self, run: RunId) -> Result<Option<String>> {
        let folder = self.folder.clone();
        blocking(move || {
            if !folder.exists() {
                return Ok(None);
            }
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                let sweep = fs::read(&path)
                    .ok()
                    .and_then(|b| serde_json::from_slice::<Sweep>(&b).ok());
                if sweep.is_some_and(|sweep| sweep.runs.contains(&run)) {
                    return Ok(path
                        .file_stem()
                        .map(|stem| stem.to_string_lossy().into_owned()));
                }
            }
            Ok(None)
        })
        .await
        .map_err(|e| Error::file(&self.folder, e))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sweep(grid: Value, repeats: u64) -> SweepSpec {
        let base = json!({"name": "mlp", "data": {"set": "digits"}, "network": {"kind": "mlp"}});
        SweepSpec {
            base,
            grid: grid.as_object().unwrap().clone(),
            repeats,
        }
    }

    #[test]
    fn every_combination_becomes_a_run_with_a_name_of_its_own() {
        let grid = json!({"training.batch_size": [16, 32], "training.optimizer.lr": [0.1, 0.01]});
        let runs = sweep(grid, 2).expand(&Library::none()).unwrap();
        let names: Vec<_> = runs.iter().map(|run| run.name.as_str()).collect();
        assert_eq!(names.len(), 8);
        assert_eq!(names[0], "mlp · batch size 16, lr 0.1, seed 0");
        assert_eq!(names[7], "mlp · batch size 32, lr 0.01, seed 1");
        assert_eq!(runs[7].training.seed, 1);
    }

    #[test]
    fn a_bad_value_is_refused_by_its_path_and_nothing_is_made() {
        let Err(Error::Spec(faults)) =
            sweep(json!({"training.batch_size": [16, 0]}), 1).expand(&Library::none())
        else {
            panic!("a batch of 0 was taken");
        };
        assert_eq!(faults[0].path, "training.batch_size");
        for (grid, path) in [
            (json!({"training.epochs": 3}), "grid.training.epochs"),
            (json!({"training.epochs": []}), "grid.training.epochs"),
        ] {
            assert!(
                matches!(sweep(grid, 1).expand(&Library::none()), Err(Error::Spec(faults)) if faults[0].path == path)
            );
        }
        assert!(
            matches!(sweep(json!({}), 0).expand(&Library::none()), Err(Error::Spec(faults)) if faults[0].path == "repeats")
        );
        assert!(
            matches!(sweep(json!({}), u64::MAX).expand(&Library::none()), Err(Error::Spec(faults)) if faults[0].path == "repeats")
        );
    }
}
