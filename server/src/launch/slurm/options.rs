//! How jobs are submitted.

use std::path::PathBuf;

use clap::Args;

/// Options of `--launcher slurm`.
#[derive(Args, Clone, Debug, Default)]
pub struct SlurmOptions {
    /// Slurm: the partition of the jobs [default: the cluster's]
    #[arg(long = "slurm-partition", value_name = "NAME")]
    pub partition: Option<String>,
    /// Slurm: the account of the jobs
    #[arg(long = "slurm-account", value_name = "NAME")]
    pub account: Option<String>,
    /// Slurm: the quality of service of the jobs
    #[arg(long = "slurm-qos", value_name = "NAME")]
    pub qos: Option<String>,
    /// Slurm: a further argument of sbatch, such as --slurm-arg=--constraint=avx512; may be given several times
    #[arg(long = "slurm-arg", value_name = "ARG", allow_hyphen_values = true)]
    pub args: Vec<String>,
    /// Slurm: a line of shell that a job runs first, such as "module load apptainer"; may be given several times
    #[arg(long = "slurm-prologue", value_name = "LINE")]
    pub prologue: Vec<String>,
    /// Slurm: what starts Vivarium on a node, such as "apptainer exec /shared/vivarium.sif vivarium" [default: the path
    /// of this binary]
    #[arg(long = "slurm-command", value_name = "WORDS")]
    pub command: Option<String>,
    /// Slurm: how many seconds before its time limit a job is told to write a checkpoint
    #[arg(long = "slurm-notice", value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=65535))]
    pub notice: u32,
}

impl SlurmOptions {
    /// The arguments of `sbatch` that these options amount to, for jobs with this time limit in minutes.
    pub(super) fn arguments(&self, time: Option<u64>) -> Vec<String> {
        // The notice leaves most of the time for training.
        let notice = time.map_or(u64::MAX, |minutes| minutes * 60 / 4);
        let notice = notice.min(self.notice.into());
        let named = [
            ("partition", &self.partition),
            ("account", &self.account),
            ("qos", &self.qos),
        ];
        let given = named
            .into_iter()
            .filter_map(|(name, value)| Some(format!("--{name}={}", value.as_ref()?)));
        given
            .chain([format!("--signal=B:USR1@{notice}")])
            .chain(self.args.iter().cloned())
            .collect()
    }

    /// The words that start Vivarium on a node, for a shell.
    pub(super) fn command(&self) -> String {
        match &self.command {
            Some(words) => words.clone(),
            None => {
                let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("vivarium"));
                super::script::quoted(&program.to_string_lossy())
            }
        }
    }
}
