//! What a user takes away of a run: its network in the forms that other programs read, and programs that use it.
//!
//! * here: the formats, and the files of one part.
//! * `archive`: the zip with everything.
//! * `page`: one HTML file that classifies photos by itself.
//!
//! Everything is checked and prepared before the first byte is written, so that what cannot be taken away is refused and not
//! cut off.

mod archive;
mod page;

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Deserialize;
use utoipa::ToSchema;
use vivarium_models::classify::Preprocessing;
use vivarium_models::contract::Record;
use vivarium_models::data::PhotoTransform;
use vivarium_models::graph::Graph;
use vivarium_models::links;

use crate::error::{Error, Result};
use crate::index::summary::Summary;
use crate::inspect::target::{Checkpoint, InspectTarget};

/// What is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Everything in a zip: weights, ONNX, PyTorch source, programs that classify photos, and the run's figures.
    Zip,
    /// One HTML file that classifies photos and the webcam in a browser, without a server and without a network.
    Html,
    /// The network with its weights, for other programs.
    Onnx,
    /// The weights and running statistics.
    Safetensors,
    /// The network as PyTorch source, `model.py`. The names of its state dict are those of the weights.
    Pytorch,
}

impl Format {
    /// The name of the file.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Zip => "classifier.zip",
            Self::Html => "classifier.html",
            Self::Onnx => "model.onnx",
            Self::Safetensors => "model.safetensors",
            Self::Pytorch => "model.py",
        }
    }

    /// The type of the file.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Zip => "application/zip",
            // A browser must not show it below this server's address.
            Self::Html | Self::Onnx | Self::Safetensors => "application/octet-stream",
            Self::Pytorch => "text/x-python; charset=utf-8",
        }
    }

    /// Whether it has weights.
    pub fn has_weights(self) -> bool {
        self != Self::Pytorch
    }
}

/// A run to take away.
pub struct Takeaway {
    target: InspectTarget,
    /// The run's name, which users may have changed.
    name: String,
    /// Its figures.
    summary: Summary,
}

/// A file that is ready to be written.
pub enum Prepared {
    /// Bytes.
    Bytes(Vec<u8>),
    /// A checkpoint.
    Weights(Checkpoint),
    /// A zip.
    Archive(Box<archive::Archive>),
    /// A page.
    Page(Box<page::Page>),
}

impl Takeaway {
    /// A run with its name and figures.
    pub fn new(target: InspectTarget, name: String, summary: Summary) -> Self {
        Self {
            target,
            name,
            summary,
        }
    }

    /// Prepares a file. `checkpoint` is needed where it has weights.
    ///
    /// # Errors
    /// When the network cannot be read, is too large for the format, or takes no images where the format is about
    /// photos.
    pub fn prepare(&self, format: Format, checkpoint: Option<Checkpoint>) -> Result<Prepared> {
        let weights = || {
            let message = "The run has no weights yet.".to_owned();
            checkpoint.clone().ok_or(Error::Conflict(message))
        };
        Ok(match format {
            Format::Pytorch => Prepared::Bytes(self.target.graph()?.pytorch().into_bytes()),
            Format::Safetensors => Prepared::Weights(weights()?),
            Format::Onnx => Prepared::Bytes(self.target.onnx(&weights()?)?),
            Format::Zip => Prepared::Archive(Box::new(archive::Archive::of(self, weights()?)?)),
            Format::Html => Prepared::Page(Box::new(page::Page::of(self, weights()?)?)),
        })
    }

    /// How photos become inputs.
    fn preprocessing(&self, graph: &Graph) -> Result<Preprocessing> {
        let started = &self.target.started;
        if started.input.len() != 3 {
            return Err(Error::Conflict(
                "The data of this run are points in the plane, not photos. Its network can be taken away as ONNX, \
                 safetensors or PyTorch source."
                    .to_owned(),
            ));
        }
        let preprocessing = Preprocessing::new(
            &started.input,
            PhotoTransform::of(&self.target.spec.data)?,
            &started.normalisation,
            graph.criterion,
        );
        Ok(preprocessing?)
    }
}

impl Prepared {
    /// Writes the file.
    ///
    /// # Errors
    /// Those of `out`, and when a checkpoint cannot be read.
    pub fn write(self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Bytes(bytes) => out.write_all(&bytes),
            Self::Weights(checkpoint) => {
                io::copy(&mut links::open(&checkpoint.path)?, out)?;
                Ok(())
            }
            Self::Archive(archive) => archive.write(out),
            Self::Page(page) => page.write(out),
        }
    }
}

/// The figures of a run from the lines of its log.
pub fn summary_of<'a>(lines: impl Iterator<Item = &'a str>, summary: &mut Summary) {
    for record in lines.filter_map(|line| Record::parse(line).ok()) {
        summary.apply(&record.event);
    }
}
