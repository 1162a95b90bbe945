//! Sweeps: sets of runs from one form: all combinations of some values, or random combinations, each once or with
//! several seeds.
//!
//! * [`axis`]: the values of one setting.
//! * [`store`]: a sweep is a file that lists its runs, so that it outlives the index.
//! * `words`: the form's words in the names of its runs.

pub mod axis;
pub mod store;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use vivarium_models::data::Library;
use vivarium_models::form;
use vivarium_models::random::Key;
use vivarium_models::spec::{FieldError, RunSpec};

use crate::error::{Error, Result};
use crate::networks::{OwnNetworks, add_text};
use crate::settings::set_at;
use axis::Axis;
use words::Words;

/// The maximum number of runs of a sweep.
pub const MOST_RUNS: usize = 1000;

/// The setting that names a version of the labels.
const VERSION: &str = "data.version";

/// The definition of a sweep.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SweepSpec {
    /// The settings that all runs share.
    #[schema(value_type = RunSpec)]
    pub base: Value,
    /// The values of each setting, by its path: a list, or a range.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Axis>)]
    pub grid: Map<String, Value>,
    /// How combinations are chosen; by default all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// The number of runs per combination, each with the next seed.
    #[serde(default = "once")]
    #[schema(minimum = 1)]
    pub repeats: u64,
    /// The texts of networks by their names; a missing text is that of the server.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub networks: BTreeMap<String, String>,
}

/// How combinations are chosen when not all are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Values are drawn at random, independently of each other.
    pub kind: SearchKind,
    /// The number of combinations that are drawn.
    #[schema(minimum = 1, maximum = 1000)]
    pub trials: usize,
    /// The seed of the search.
    #[serde(default)]
    pub seed: u64,
}

/// The kinds of search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SearchKind {
    /// Random search (Bergstra and Bengio 2012).
    Random,
}

/// A request to grow a sweep.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GrowRequest {
    /// Further combinations, for a search.
    pub trials: usize,
    /// Further seeds for every combination.
    pub repeats: u64,
}

fn once() -> u64 {
    1
}

/// A combination: its settings and its label.
struct Combination {
    settings: Value,
    label: Vec<String>,
}

impl SweepSpec {
    /// Adds the texts of the networks that the sweep names, if those are a user's: later runs of the sweep have the same.
    ///
    /// # Errors
    /// When a text cannot be read.
    pub fn add_texts(&mut self, own: &OwnNetworks) -> Result<()> {
        let kinds = values(&self.grid, "network.kind").map(|kind| json!({"kind": kind}));
        let whole = values(&self.grid, "network").chain(self.base.get("network"));
        for network in whole.cloned().chain(kinds) {
            if let Some((name, source)) = own.missing_text(&network)? {
                self.networks.entry(name).or_insert(source);
            }
        }
        Ok(())
    }

    /// Names the version of the labels, if the sweep leaves it open: later runs of the sweep have the same.
    pub fn add_version(&mut self, library: &Library) {
        let is_swept = ["data", "data.set", VERSION]
            .iter()
            .any(|path| self.grid.contains_key(*path));
        let data = self.base.get("data");
        let set = data.and_then(|data| data["set"].as_str());
        let is_open = data.is_some_and(|data| data.get("version").is_none());
        if let Some(set) = set.filter(|_| is_open && !is_swept)
            && let Some(found) = library.find(set)
            && let Some(version) = found.defaults.get(VERSION)
        {
            set_at(&mut self.base, VERSION, version.clone());
        }
    }

    /// The checked specifications of all runs; those of a combination are adjacent.
    ///
    /// # Errors
    /// [`Error::Spec`] with every fault of every combination, each once.
    pub fn expand(&self, library: &Library) -> Result<Vec<RunSpec>> {
        let combinations = self.combinations(library)?;
        let repeats = usize::try_from(self.repeats).unwrap_or(usize::MAX);
        if repeats == 0 || combinations.len().saturating_mul(repeats) > MOST_RUNS {
            let allowed =
                format!("must be at least 1 and must not make more than {MOST_RUNS} runs");
            let fault = fault("repeats", &Value::from(self.repeats), &allowed);
            return Err(Error::Spec(vec![fault]));
        }
        let mut errors: Vec<FieldError> = Vec::new();
        let mut runs = Vec::new();
        for Combination {
            mut settings,
            label,
        } in combinations
        {
            add_text(&self.networks, &mut settings);
            match form::check(&settings, library) {
                Ok(run) => runs.extend(
                    (0..self.repeats)
                        .map(|repeat| named(run.clone(), &label, repeat, self.repeats)),
                ),
                Err(faults) => {
                    for fault in faults {
                        if !errors.contains(&fault) {
                            errors.push(fault);
                        }
                    }
                }
            }
        }
        if errors.is_empty() {
            Ok(runs)
        } else {
            Err(Error::Spec(errors))
        }
    }

    /// The grown sweep, and the specifications of its additional runs.
    ///
    /// # Errors
    /// [`Error::Spec`] when the sweep cannot grow like that.
    pub fn grow(&self, more: GrowRequest, library: &Library) -> Result<(Self, Vec<RunSpec>)> {
        let mut grown = self.clone();
        match (&mut grown.search, more.trials) {
            (_, 0) => {}
            (Some(search), trials) => search.trials = search.trials.saturating_add(trials),
            (None, trials) => {
                let message = "is for a random search; a grid has all combinations already";
                let fault = fault("trials", &Value::from(trials), message);
                return Err(Error::Spec(vec![fault]));
            }
        }
        grown.repeats = grown.repeats.saturating_add(more.repeats);
        if more.trials == 0 && more.repeats == 0 {
            let fault = fault("repeats", &json!(0), "must be more than 0, or trials must");
            return Err(Error::Spec(vec![fault]));
        }
        // The runs of a combination are adjacent: the existing ones come first, and new combinations last.
        let (had, repeats) = (self.combinations(library)?.len(), self.repeats as usize);
        let all = grown.expand(library)?;
        let each = grown.repeats as usize;
        let fresh = all
            .into_iter()
            .enumerate()
            .filter(|(i, _)| i / each >= had || i % each >= repeats)
            .map(|(_, run)| run);
        Ok((grown, fresh.collect()))
    }

    fn combinations(&self, library: &Library) -> Result<Vec<Combination>> {
        let mut errors = Vec::new();
        let mut axes = Vec::new();
        let mut base = self.base.clone();
        add_text(&self.networks, &mut base);
        let base = form::check(&base, library).ok().map(|run| json!(run));
        for (path, json) in &self.grid {
            match Axis::read(json) {
                Ok(axis) => axes.push((path, axis, is_whole(base.as_ref(), path))),
                Err(message) => errors.push(fault(&format!("grid.{path}"), json, &message)),
            }
        }
        if !errors.is_empty() {
            return Err(Error::Spec(errors));
        }
        let words = Words::of(library);
        match self.search {
            None => self.every(&axes, &words),
            Some(search) => self.drawn(&axes, &words, search),
        }
    }

    fn every(&self, axes: &[(&String, Axis, bool)], words: &Words) -> Result<Vec<Combination>> {
        let mut combinations = vec![self.start()];
        for (path, axis, whole) in axes {
            let values = axis.values(*whole);
            if combinations.len().saturating_mul(values.len()) > MOST_RUNS {
                let allowed = format!("must not make more than {MOST_RUNS} runs");
                return Err(Error::Spec(vec![fault("grid", &Value::Null, &allowed)]));
            }
            combinations = combinations
                .iter()
                .flat_map(|made| {
                    values
                        .iter()
                        .map(move |value| made.with(path, value, words))
                })
                .collect();
        }
        Ok(combinations)
    }

    /// Each combination has its own random numbers, so that more of them do not change the first ones.
    fn drawn(
        &self,
        axes: &[(&String, Axis, bool)],
        words: &Words,
        search: Search,
    ) -> Result<Vec<Combination>> {
        if !(1..=MOST_RUNS).contains(&search.trials) {
            let allowed = format!("must be 1 to {MOST_RUNS}");
            let fault = fault("search.trials", &Value::from(search.trials), &allowed);
            return Err(Error::Spec(vec![fault]));
        }
        let key = Key::new(search.seed, "sweep");
        let draw = |trial: usize| {
            let mut random = key.stream(trial as u64);
            axes.iter().fold(self.start(), |made, (path, axis, whole)| {
                made.with(path, &axis.sample(&mut random, *whole), words)
            })
        };
        Ok((0..search.trials).map(draw).collect())
    }

    fn start(&self) -> Combination {
        Combination {
            settings: self.base.clone(),
            label: Vec::new(),
        }
    }
}

impl Combination {
    fn with(&self, path: &str, value: &Value, words: &Words) -> Self {
        let mut settings = self.settings.clone();
        set_at(&mut settings, path, value.clone());
        Self {
            settings,
            label: [&self.label[..], &[words.phrase(path, value)]].concat(),
        }
    }
}

/// The values of a setting, if a grid lists them.
fn values<'a>(grid: &'a Map<String, Value>, path: &str) -> impl Iterator<Item = &'a Value> {
    grid.get(path)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// Whether a setting is an integer, judged by its value in the base.
fn is_whole(base: Option<&Value>, path: &str) -> bool {
    let pointer = format!("/{}", path.replace('.', "/"));
    base.and_then(|base| base.pointer(&pointer))
        .is_some_and(|value| value.is_u64() || value.is_i64())
}

/// The name of a run says what distinguishes it in the sweep.
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

fn fault(path: &str, value: &Value, message: &str) -> FieldError {
    FieldError::new(path, value, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::Precondition;
    use serde_json::json;

    fn sweep(grid: Value, repeats: u64) -> SweepSpec {
        let base = json!({"name": "mlp", "data": {"set": "digits"}, "network": {"kind": "mlp"}});
        SweepSpec {
            base,
            grid: grid.as_object().unwrap().clone(),
            search: None,
            repeats,
            networks: BTreeMap::new(),
        }
    }

    #[test]
    fn every_combination_becomes_a_run_with_a_name_of_its_own() {
        let grid = json!({"training.batch_size": [16, 32], "training.optimizer.lr": [0.1, 0.01]});
        let runs = sweep(grid, 2).expand(&Library::none()).unwrap();
        let names: Vec<_> = runs.iter().map(|run| run.name.as_str()).collect();
        assert_eq!(names.len(), 8);
        assert_eq!(names[0], "mlp · batch size 16, learning rate 0.1, seed 0");
        assert_eq!(names[7], "mlp · batch size 32, learning rate 0.01, seed 1");
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

    fn random(trials: usize) -> SweepSpec {
        let grid = json!({"training.optimizer.lr": {"from": 0.0001, "to": 0.1, "scale": "log"}, "training.batch_size": {"from": 8, "to": 64}, "network.activation": ["relu", "tanh"]});
        SweepSpec {
            search: Some(Search {
                kind: SearchKind::Random,
                trials,
                seed: 3,
            }),
            ..sweep(grid, 1)
        }
    }

    #[test]
    fn a_search_draws_the_same_combinations_again_and_more_leave_the_first_as_they_were() {
        let library = Library::none();
        let five = random(5).expand(&library).unwrap();
        assert_eq!(five, random(5).expand(&library).unwrap());
        assert_eq!(five, random(8).expand(&library).unwrap()[..5]);
        let rates: std::collections::BTreeSet<_> = five.iter().map(|run| &run.name).collect();
        assert_eq!(rates.len(), 5);
        let more = GrowRequest {
            trials: 3,
            repeats: 0,
        };
        let (grown, fresh) = random(5).grow(more, &library).unwrap();
        assert_eq!(grown.search.unwrap().trials, 8);
        assert_eq!(fresh, random(8).expand(&library).unwrap()[5..]);
    }

    #[test]
    fn a_sweep_that_grows_gets_exactly_the_runs_that_it_lacks() {
        let library = Library::none();
        let grid = sweep(json!({"training.batch_size": [16, 32]}), 2);
        let more = GrowRequest {
            trials: 0,
            repeats: 1,
        };
        let (grown, fresh) = grid.grow(more, &library).unwrap();
        let seeds: Vec<_> = fresh
            .iter()
            .map(|run| (run.training.batch_size, run.training.seed))
            .collect();
        assert_eq!(seeds, [(16, 2), (32, 2)]);
        assert_eq!(grown.repeats, 3);
        for more in [
            GrowRequest::default(),
            GrowRequest {
                trials: 1,
                repeats: 0,
            },
        ] {
            assert!(grid.grow(more, &library).is_err());
        }
        let both = GrowRequest {
            trials: 1,
            repeats: 1,
        };
        assert_eq!(random(2).grow(both, &library).unwrap().1.len(), 4);
    }

    #[test]
    fn whole_networks_can_be_compared_and_are_called_by_their_kind() {
        let grid = json!({"network": [{"kind": "mlp", "hidden": [8]}, {"kind": "inception"}], "data.size": [32]});
        let runs = sweep(grid, 1).expand(&Library::none()).unwrap();
        let names: Vec<_> = runs.iter().map(|run| run.name.as_str()).collect();
        assert_eq!(
            names,
            ["mlp · mlp, image size 32", "mlp · inception, image size 32"]
        );
    }

    #[test]
    fn a_sweep_keeps_the_texts_of_the_networks_that_it_names() {
        const TEXT: &str = "def net(classes, width=4):\n    return Sequential(Flatten(), Linear(width), Linear(classes))\n";
        let folder = tempfile::tempdir().unwrap();
        let own = OwnNetworks::in_folder(folder.path().to_owned());
        for name in ["first", "second"] {
            own.save(name, TEXT, &Precondition::None).unwrap();
        }
        let mut spec = sweep(
            json!({"network": [{"kind": "first"}, {"kind": "second"}], "network.width": [2, 8]}),
            1,
        );
        spec.add_texts(&own).unwrap();
        own.remove("first", &Precondition::None).unwrap();
        let runs = spec.expand(&Library::none()).unwrap();
        let names: Vec<_> = runs.iter().map(|run| run.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "mlp · first, width 2",
                "mlp · first, width 8",
                "mlp · second, width 2",
                "mlp · second, width 8"
            ]
        );
        assert!(
            runs.iter()
                .all(|run| run.network.source.as_deref() == Some(TEXT))
        );
    }

    #[test]
    fn ranges_of_whole_settings_are_whole() {
        let grid =
            json!({"training.batch_size": {"from": 16, "to": 64, "count": 3, "scale": "log"}});
        let runs = sweep(grid, 1).expand(&Library::none()).unwrap();
        let sizes: Vec<_> = runs.iter().map(|run| run.training.batch_size).collect();
        assert_eq!(sizes, [16, 32, 64]);
    }
}
