//! What a job asks for.

use vivarium_models::spec::Resources;
use vivarium_models::train;

use crate::data_dir;
use crate::error::Result;
use crate::run_dir::RunDir;

/// Memory of a worker besides its network and its data.
const BASE_MIB: u64 = 256;

/// What the job of a run asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// What the run's specification asks for. Cores are those of its threads, if it asks for none.
    pub asked: Resources,
    /// The memory in MiB that the network is estimated to need; `None` if the run asks for some.
    pub estimated_mib: Option<u64>,
}

impl Needs {
    /// What the run in `dir` needs.
    ///
    /// # Errors
    /// When its specification is not valid, or its data set is not there.
    pub(super) fn of(dir: &RunDir) -> Result<Self> {
        let library = data_dir::library_of_run(dir.path());
        let spec = dir.spec(&library)?;
        let mut asked = spec.resources.clone();
        asked.cpus = asked.cpus.or(spec.training.threads);
        let estimated_mib = match asked.memory {
            Some(_) => None,
            None => {
                let plan = train::prepare(&spec, &library)?;
                Some(BASE_MIB + (plan.memory_bound(&spec) >> 20))
            }
        };
        Ok(Self {
            asked,
            estimated_mib,
        })
    }

    /// Whether both can be in one array: estimates may differ, the greatest counts.
    pub(super) fn fits(&self, other: &Self) -> bool {
        self.asked == other.asked
    }

    /// The arguments of `sbatch` for an array of jobs that fit together.
    pub(super) fn arguments<'a>(all: impl Iterator<Item = &'a Self> + Clone) -> Vec<String> {
        let asked = all.clone().next().map(|first| first.asked.clone());
        let Resources {
            cpus,
            memory,
            gpus,
            time,
        } = asked.unwrap_or_default();
        let estimated = all.filter_map(|each| each.estimated_mib).max();
        let each = [
            ("--cpus-per-task", cpus, ""),
            ("--mem", memory.or(estimated), "M"),
            ("--gpus", gpus, ""),
            ("--time", time, ""),
        ];
        each.into_iter()
            .filter_map(|(name, value, unit)| Some(format!("{name}={}{unit}", value?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_estimate_of_an_array_counts() {
        let asked = Resources {
            cpus: Some(2),
            time: Some(60),
            ..Resources::default()
        };
        let needs = [300, 900, 400].map(|mib| Needs {
            asked: asked.clone(),
            estimated_mib: Some(mib),
        });
        assert!(needs[0].fits(&needs[1]));
        assert_eq!(
            Needs::arguments(needs.iter()),
            ["--cpus-per-task=2", "--mem=900M", "--time=60"]
        );
    }
}
