//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::base_path::BasePath;
use crate::http::hosts::Authority;
use crate::launch::slurm::SlurmOptions;
use crate::predictions;
use crate::takeaway::Format;

/// Trains image classifiers from the browser and shows them from the inside while they learn.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// The command; `serve` by default.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options of `serve`, when no command is given.
    #[command(flatten)]
    pub serve: Serve,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the pages and supervise the runs (the default)
    Serve(Serve),
    /// Train without a server; the run appears in the pages nevertheless
    Train(Train),
    /// Train or resume the run in a directory (the server starts these)
    Worker {
        /// The run's directory
        run_dir: PathBuf,
        /// Other machines read the directory: keep what they see at most a second old
        #[arg(long)]
        shared: bool,
        /// Train in a session of its own, after everything else on the machine
        #[arg(long)]
        background: bool,
    },
    /// List, download, import and check data sets
    Data(Data),
    /// Make a run from weights that another program trained
    Import(ImportWeights),
    /// Import TensorBoard's event files as runs to compare with
    ImportEvents(ImportEvents),
    /// Classify photos with a run's network; prints a CSV
    Predict(Predict),
    /// Take a run's network away, or the curves of runs as TensorBoard's event files
    Export(Export),
    /// Write filters and feature maps of a run's network as PNG files
    Inspect(Inspect),
    /// Measure training steps on random data
    Bench(Bench),
    /// Measure a few steps of the settings on standard input (the server starts this)
    #[command(hide = true)]
    Measure,
    /// Look for a learning rate for the settings on standard input (the server starts this)
    #[command(hide = true)]
    FindLr,
    /// Evaluate the checkpoint that standard input names (the server starts this)
    #[command(hide = true)]
    Evaluate,
}

/// The location of the data folder.
#[derive(Args, Clone, Debug)]
pub struct DataFolder {
    /// The folder for runs and their index [default: the platform's folder for user data]
    #[arg(long, env = crate::data_dir::VARIABLE, value_name = "DIR", global = true)]
    pub data_dir: Option<PathBuf>,
}

/// What starts workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LauncherKind {
    /// Processes of this machine
    Local,
    /// Jobs of a Slurm cluster (docs/cluster.md)
    Slurm,
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
    /// The number of runs that train at a time, or that are submitted to a cluster [default: 1, or 1000]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=10_000), value_name = "N")]
    pub jobs: Option<u16>,
    /// What starts the workers
    #[arg(long, value_enum, default_value_t = LauncherKind::Local)]
    pub launcher: LauncherKind,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would print it")]
    pub slurm: SlurmOptions,
    /// The maximum size of an upload in MiB
    #[arg(long, default_value_t = 2048, value_name = "MIB")]
    pub max_upload_mib: usize,
    /// The maximum memory in MiB for networks that are looked into
    #[arg(long, default_value_t = 2048, value_name = "MIB")]
    pub inspect_memory_mib: u32,
    /// A URL whose folder is used instead of the known mirrors, as SET/FILE or FILE
    #[arg(long, env = crate::fetch::VARIABLE, value_name = "URL")]
    pub mirror: Option<String>,
    /// Another name under which this server is reached, with its port unless that is 80 or 443; may be given several
    /// times
    #[arg(long, value_name = "NAME[:PORT]")]
    pub allow_host: Vec<Authority>,
    /// The path below which a proxy serves the pages, such as /vivarium
    #[arg(long, value_name = "PATH", default_value = "")]
    pub base_path: BasePath,
    /// Trust the headers Forwarded, X-Forwarded-Host and X-Forwarded-Proto: a proxy in front sets them (docs/proxy.md)
    #[arg(long)]
    pub trust_proxy: bool,
    /// Require this token of every client; at least 22 letters and digits
    #[arg(long, env = "VIVARIUM_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

/// `train`
#[derive(Args, Clone, Debug)]
pub struct Train {
    /// The network, as in `network.kind`, or the file of a text, such as my.py
    #[arg(long, value_name = "KIND|FILE", required_unless_present = "spec")]
    pub network: Option<String>,
    /// The data set, as in `data.set`
    #[arg(long = "data", value_name = "SET", required_unless_present = "spec")]
    pub data_set: Option<String>,
    /// A RunSpec as JSON; the other options take precedence
    #[arg(long, value_name = "FILE")]
    pub spec: Option<PathBuf>,
    /// A setting by its path, such as training.epochs=3; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Where it trains: in this process, or as a job that is submitted and followed
    #[arg(long, value_enum, default_value_t = LauncherKind::Local)]
    pub launcher: LauncherKind,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would print it")]
    pub slurm: SlurmOptions,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would print it")]
    pub data: DataFolder,
}

/// `data`
#[derive(Args, Debug)]
pub struct Data {
    /// The command
    #[command(subcommand)]
    pub command: DataCommand,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would print it")]
    pub data: DataFolder,
}

/// The commands for data sets.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// List the data sets
    List,
    /// Download a known data set; resumes an interrupted download
    Fetch {
        /// Its name, such as fashion-mnist
        name: String,
        /// A URL whose folder is tried first, for SET/FILE and for FILE
        #[arg(long, env = crate::fetch::VARIABLE, value_name = "URL")]
        mirror: Option<String>,
        /// Replace an existing set
        #[arg(long)]
        replace: bool,
    },
    /// Import a data set from files: the four IDX files, the binary files of CIFAR, or one folder of images (PNG, JPEG,
    /// WebP, GIF, BMP, TIFF) per class; in a folder, a zip, or a tar, which may be compressed with gzip, bzip2 or xz
    Import(Import),
    /// Report what is wrong with a data set, or with files before they are imported
    Check {
        /// The data set's name, or the path of files
        #[arg(value_name = "NAME|PATH")]
        what: String,
        /// The known data set that the files should be, such as mnist
        #[arg(long = "as", value_name = "NAME")]
        set: Option<String>,
    },
    /// Remove a data set that was downloaded or imported
    Remove {
        /// Its name
        name: String,
    },
}

/// `data import`
#[derive(Args, Debug)]
pub struct Import {
    /// The data set's name: that of a known set, or a new one of lowercase letters, digits and hyphens
    pub name: String,
    /// The file or folder
    pub path: PathBuf,
    /// The title of the set
    #[arg(long)]
    pub title: Option<String>,
    /// Leave out images that cannot be read
    #[arg(long)]
    pub skip_unreadable: bool,
    /// Replace an existing set
    #[arg(long)]
    pub replace: bool,
}

/// `import`
#[derive(Args, Debug)]
pub struct ImportWeights {
    /// A safetensors file with PyTorch's names, such as torchvision's VGG16, or an ONNX file, which describes its network
    /// itself
    pub weights: PathBuf,
    /// The network, as in `network.kind`, or the file of a text, such as my.py
    #[arg(long, value_name = "KIND|FILE", default_value = "vgg16")]
    pub network: String,
    /// The data set with the classes of the weights, on which training can continue, as in `data.set`
    #[arg(long = "data", value_name = "SET")]
    pub data_set: String,
    /// Initialise the last layer anew: the file has other classes
    #[arg(long)]
    pub fresh_head: bool,
    /// A setting by its path, such as data.size=224; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would print it")]
    pub data: DataFolder,
}

/// `import-events`
#[derive(Args, Debug)]
pub struct ImportEvents {
    /// Event files and log directories; in a directory, each folder with event files is a run
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The run's name; the beginning of the names if there are several [default: the folder's name]
    #[arg(long)]
    pub name: Option<String>,
    /// The curve that a tag is drawn as, if its name does not tell: train_loss, train_accuracy, validation_loss,
    /// validation_accuracy, lr, own (a chart of its own) or none; may be given several times
    #[arg(long = "tag", value_name = "TAG=CURVE")]
    pub tags: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would print it")]
    pub data: DataFolder,
}

/// `predict`
#[derive(Args, Debug)]
pub struct Predict {
    /// The run: its id, the beginning of the id, or its directory
    pub run: String,
    /// Photos, and folders of photos
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The file for the CSV, which is written completely or not at all [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// The number of classes for each photo, the likeliest first
    #[arg(long, value_name = "N", default_value_t = predictions::TOP as u16,
          value_parser = clap::value_parser!(u16).range(1..=predictions::MOST_TOP as i64))]
    pub top: u16,
    /// The checkpoint [default: best, or last if there is no best]
    #[arg(long, value_enum)]
    pub checkpoint: Option<Checkpoint>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would print it")]
    pub data: DataFolder,
}

/// `export`
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct Export {
    /// The runs: the id of each, the beginning of the id, or its directory
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<String>,
    /// What is taken away of one run
    #[arg(long, value_enum, group = "what", requires = "out")]
    pub format: Option<Format>,
    /// The file for it
    #[arg(long, value_name = "FILE", requires = "format")]
    pub out: Option<PathBuf>,
    /// The checkpoint [default: best, or last if there is no best]
    #[arg(long, value_enum, requires = "format")]
    pub checkpoint: Option<Checkpoint>,
    /// The folder for the event files, one per run: a log directory
    #[arg(long, value_name = "DIR", group = "what")]
    pub tensorboard: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would print it")]
    pub data: DataFolder,
}

/// `inspect`
#[derive(Args, Debug)]
pub struct Inspect {
    /// The run: its id, the beginning of the id, or its directory
    pub run: String,
    /// An image file, or a sample such as test:0; without it there are no feature maps
    #[arg(long, value_name = "FILE|SAMPLE")]
    pub image: Option<String>,
    /// The folder for the pictures
    #[arg(long, value_name = "DIR", required_unless_present = "list")]
    pub out: Option<PathBuf>,
    /// A layer; may be given several times [default: the first and the last convolution]
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    pub layer: Vec<String>,
    /// All layers
    #[arg(long)]
    pub all: bool,
    /// List the layers
    #[arg(long)]
    pub list: bool,
    /// The checkpoint [default: best, or last if there is no best]
    #[arg(long, value_enum)]
    pub checkpoint: Option<Checkpoint>,
    /// The range of the colour scale
    #[arg(long, value_enum, default_value_t = Scale::Tile)]
    pub scale: Scale,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would print it")]
    pub data: DataFolder,
}

/// The checkpoints of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Checkpoint {
    /// The epoch with the best validation result
    Best,
    /// The newest
    Last,
}

impl Checkpoint {
    /// Its name in requests.
    pub fn word(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Last => "last",
        }
    }
}

/// The ranges of a colour scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scale {
    /// One scale per tile
    Tile,
    /// One scale per layer
    Layer,
    /// One scale for the whole network
    Network,
}

impl From<Scale> for vivarium_models::inspect::Scale {
    fn from(scale: Scale) -> Self {
        match scale {
            Scale::Tile => Self::Tile,
            Scale::Layer => Self::Layer,
            Scale::Network => Self::Network,
        }
    }
}

/// `bench`
#[derive(Args, Clone, Debug)]
pub struct Bench {
    /// The network, as in `network.kind`, or the file of a text, such as my.py
    #[arg(long, value_name = "KIND|FILE")]
    pub network: String,
    /// A setting of the network, such as network.dropout=0.2; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Samples per step
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
    /// The number of threads
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
