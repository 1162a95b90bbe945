//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::base_path::BasePath;
use crate::http::hosts::Authority;

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
    /// Look at the data sets, fetch and import them
    Data(Data),
    /// Make a run of weights that another program trained
    Import(ImportWeights),
    /// Make runs to compare with of TensorBoard's event files
    ImportEvents(ImportEvents),
    /// Write the curves of runs as event files of TensorBoard
    Export(Export),
    /// Write filters and feature maps of a run's network as PNG files
    Inspect(Inspect),
    /// Measure training steps on random data
    Bench(Bench),
    /// Measure a few steps of the settings on standard input (the server starts this)
    #[command(hide = true)]
    Measure,
}

/// Where the data folder is.
#[derive(Args, Clone, Debug)]
pub struct DataFolder {
    /// The folder for runs and their index [default: the platform's folder for users' data]
    #[arg(long, env = crate::data_dir::VARIABLE, value_name = "DIR", global = true)]
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
    /// The most mebibytes of an upload
    #[arg(long, default_value_t = 2048, value_name = "MIB")]
    pub max_upload_mib: usize,
    /// The most mebibytes of memory for networks that are looked into
    #[arg(long, default_value_t = 2048, value_name = "MIB")]
    pub inspect_memory_mib: u32,
    /// A folder on the web from which data sets are fetched instead, as SET/FILE or FILE
    #[arg(long, env = crate::fetch::VARIABLE, value_name = "URL")]
    pub mirror: Option<String>,
    /// A further name under which this server is reached, with its port where that is not 80 or 443; may be given
    /// several times
    #[arg(long, value_name = "NAME[:PORT]")]
    pub allow_host: Vec<Authority>,
    /// The path below which a proxy serves the pages, such as /vivarium
    #[arg(long, value_name = "PATH", default_value = "")]
    pub base_path: BasePath,
    /// Believe the headers Forwarded, X-Forwarded-Host and X-Forwarded-Proto: a proxy in front sets them (docs/proxy.md)
    #[arg(long)]
    pub trust_proxy: bool,
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
#[derive(Args, Debug)]
pub struct Data {
    /// What to do
    #[command(subcommand)]
    pub command: DataCommand,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would print it")]
    pub data: DataFolder,
}

/// What is done with data sets.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// List the data sets
    List,
    /// Fetch a known data set from the web; one that broke off goes on
    Fetch {
        /// Its name, such as fashion-mnist
        name: String,
        /// A folder on the web that is asked first, for SET/FILE and for FILE
        #[arg(long, env = crate::fetch::VARIABLE, value_name = "URL")]
        mirror: Option<String>,
        /// Replace the set if it is here
        #[arg(long)]
        replace: bool,
    },
    /// Import a data set from files: the four IDX files, the binary files of CIFAR, or a folder of images (PNG, JPEG,
    /// WebP, GIF, BMP, TIFF) for each class; in a folder, a zip, or a tar that may be packed by gzip, bzip2 or xz
    Import(Import),
    /// Say what is wrong with a data set, or with files before they are imported
    Check {
        /// The data set's name, or the path of files
        #[arg(value_name = "NAME|PATH")]
        what: String,
        /// The known data set that the files should be, such as mnist
        #[arg(long = "as", value_name = "NAME")]
        set: Option<String>,
    },
    /// Remove a data set that was fetched or imported
    Remove {
        /// Its name
        name: String,
    },
}

/// `data import`
#[derive(Args, Debug)]
pub struct Import {
    /// The data set's name: that of a known set, or a new one of small letters, digits and hyphens
    pub name: String,
    /// The file or folder
    pub path: PathBuf,
    /// Its name for people
    #[arg(long)]
    pub title: Option<String>,
    /// Leave out images that cannot be read
    #[arg(long)]
    pub skip_unreadable: bool,
    /// Replace the set if it is here
    #[arg(long)]
    pub replace: bool,
}

/// `import`
#[derive(Args, Debug)]
pub struct ImportWeights {
    /// A safetensors file under PyTorch's names, such as torchvision's VGG16
    pub weights: PathBuf,
    /// The network, as in `network.kind`
    #[arg(long, value_name = "KIND", default_value = "vgg16")]
    pub network: String,
    /// The data set that its classes are of, and that it can be trained further on, as in `data.set`
    #[arg(long = "data", value_name = "SET")]
    pub data_set: String,
    /// Start the layer that gives the scores afresh: the file's classes are other ones
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
    /// Event files and log directories; in these, each folder with event files is a run
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The run's name; where there are several, what their names begin with [default: the folder's]
    #[arg(long)]
    pub name: Option<String>,
    /// What a tag is drawn as, where its name does not tell: train_loss, train_accuracy, validation_loss,
    /// validation_accuracy, lr, own (a chart of its own) or none; may be given several times
    #[arg(long = "tag", value_name = "TAG=CURVE")]
    pub tags: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would print it")]
    pub data: DataFolder,
}

/// `export`
#[derive(Args, Debug)]
pub struct Export {
    /// The runs: the id of each, the beginning of it, or its directory
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<String>,
    /// The folder for the event files, in which each run gets one: a log directory
    #[arg(long, value_name = "DIR")]
    pub tensorboard: PathBuf,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would print it")]
    pub data: DataFolder,
}

/// `inspect`
#[derive(Args, Debug)]
pub struct Inspect {
    /// The run: its id, the beginning of it, or its directory
    pub run: String,
    /// An image's file, or a sample such as test:0; without it there are no feature maps
    #[arg(long, value_name = "FILE|SAMPLE")]
    pub image: Option<String>,
    /// The folder for the pictures
    #[arg(long, value_name = "DIR", required_unless_present = "list")]
    pub out: Option<PathBuf>,
    /// A layer; may be given several times [default: the first and the last convolution]
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    pub layer: Vec<String>,
    /// Every layer
    #[arg(long)]
    pub all: bool,
    /// List the layers
    #[arg(long)]
    pub list: bool,
    /// The checkpoint [default: the best, or the last where there is no best]
    #[arg(long, value_enum)]
    pub checkpoint: Option<Checkpoint>,
    /// What colours are scaled by
    #[arg(long, value_enum, default_value_t = Scale::Tile)]
    pub scale: Scale,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would print it")]
    pub data: DataFolder,
}

/// The checkpoints that a run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Checkpoint {
    /// Of the epoch that was best on validation
    Best,
    /// The newest
    Last,
}

impl Checkpoint {
    /// As requests name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Last => "last",
        }
    }
}

/// What the colours of a picture are scaled by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scale {
    /// Each tile by itself
    Tile,
    /// One scale for a layer
    Layer,
    /// One scale for all layers
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
