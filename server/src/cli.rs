//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Trains image classifiers from the browser and shows them from the inside while they learn.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; without a word, `serve`.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// For `serve`, when it is not said.
    #[command(flatten)]
    pub serve: Serve,
}

/// What Vivarium does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the pages and supervise the runs (the default)
    Serve(Serve),
    /// Train without a server; the run appears in the pages all the same
    Train(Train),
    /// Train or resume the run in a directory (the server starts these)
    Worker {
        /// The run's directory
        run_dir: PathBuf,
    },
    /// Look at the data sets
    Data {
        /// What to do
        #[command(subcommand)]
        command: Data,
    },
    /// Measure training steps on random data
    Bench(Bench),
}

/// Where the data folder is.
#[derive(Args, Clone, Debug)]
pub struct DataFolder {
    /// The folder for runs and their index [default: the platform's folder for users' data]
    #[arg(long, env = crate::data_dir::VARIABLE, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// `serve`
#[derive(Args, Clone, Debug)]
pub struct Serve {
    /// The address to listen on; one that others can reach needs --token
    #[arg(long, default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 7878)]
    pub port: u16,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would print it")]
    pub data: DataFolder,
    /// How many runs train at a time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256), value_name = "N")]
    pub jobs: u16,
    /// A further name under which this server is reached; may be given several times
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
    /// Only who has this token may ask; at least 22 letters and digits
    #[arg(long, env = "VIVARIUM_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

/// `train`
#[derive(Args, Clone, Debug)]
pub struct Train {
    /// The network, as in `network.kind`
    #[arg(long, value_name = "KIND", required_unless_present = "spec")]
    pub network: Option<String>,
    /// The data set, as in `data.set`
    #[arg(long = "data", value_name = "SET", required_unless_present = "spec")]
    pub data_set: Option<String>,
    /// A RunSpec as JSON; what else is said here goes over it
    #[arg(long, value_name = "FILE")]
    pub spec: Option<PathBuf>,
    /// A setting by its path, such as training.epochs=3; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would print it")]
    pub data: DataFolder,
}

/// `data`
#[derive(Debug, Subcommand)]
pub enum Data {
    /// List the data sets
    List,
}

/// `bench`
#[derive(Args, Clone, Debug)]
pub struct Bench {
    /// The network, as in `network.kind`
    #[arg(long, value_name = "KIND")]
    pub network: String,
    /// A setting of the network, such as network.dropout=0.2; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Samples in a step
    #[arg(long, default_value_t = 64)]
    pub batch: usize,
    /// Width and height of the images
    #[arg(long, default_value_t = 32)]
    pub size: usize,
    /// Channels of the images
    #[arg(long, default_value_t = 3)]
    pub channels: usize,
    /// The optimizer
    #[arg(long, value_enum, default_value_t = Optimizer::Sgd)]
    pub opt: Optimizer,
    /// Steps to measure
    #[arg(long, default_value_t = 10)]
    pub steps: usize,
    /// Threads to compute with
    #[arg(long, default_value_t = 2)]
    pub threads: usize,
    /// Print one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// The optimizers that can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Optimizer {
    /// Gradient descent with momentum
    Sgd,
    /// Adam with decoupled weight decay
    Adamw,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn serving_is_the_default() {
        let cli = Cli::parse_from(["vivarium", "--port", "0"]);
        assert!(cli.command.is_none());
        assert_eq!(cli.serve.port, 0);
    }
}
