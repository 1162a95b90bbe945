//! The memory of the thread that looks into networks.

use std::fs;
use std::sync::Arc;

use serde_json::json;
use vivarium_models::Error as Fault;
use vivarium_models::data::{
    self, Library, PhotoTransform, Picture, Splits, decode_image, network_input,
};
use vivarium_models::inspect::film::Frame;
use vivarium_models::inspect::{Inspector, Recording};
use vivarium_models::links;

use super::bounded::BoundedCache;
use super::image::ResolvedImage;
use super::progress::Progress;
use super::target::{Checkpoint, FrameFile, InspectTarget};
use crate::error::{Error, Result};
use crate::memory;
use crate::run_dir::RunId;

/// The maximum number of networks.
const NETWORKS: usize = 4;

/// The limits for recordings.
const RECORDINGS: usize = 16;
const RECORDINGS_BYTES: u64 = 256 << 20;

/// The limits for frames of films.
const FRAMES: usize = 128;
const FRAMES_BYTES: u64 = 64 << 20;

/// The limits for data sets.
const DATA: usize = 2;
const DATA_BYTES: u64 = 2 << 30;

/// The maximum number of pixels of an image that this server has written.
const MOST_PIXELS: u64 = 4 << 20;

/// Cached networks, recordings, frames and data sets.
pub struct InspectCache {
    library: Library,
    most_bytes: u64,
    progress: Progress,
    networks: BoundedCache<Arc<Inspector>>,
    recordings: BoundedCache<Arc<Recording>>,
    frames: BoundedCache<Arc<Frame>>,
    data: BoundedCache<Arc<Splits>>,
}

impl InspectCache {
    /// An empty cache. Networks take at most `most_bytes`.
    pub(crate) fn new(library: Library, most_bytes: u64, progress: Progress) -> Self {
        Self {
            library,
            most_bytes,
            progress,
            networks: BoundedCache::new(NETWORKS, most_bytes),
            recordings: BoundedCache::new(RECORDINGS, RECORDINGS_BYTES),
            frames: BoundedCache::new(FRAMES, FRAMES_BYTES),
            data: BoundedCache::new(DATA, DATA_BYTES),
        }
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.networks.clear();
        self.recordings.clear();
        self.frames.clear();
        self.data.clear();
    }

    /// Removes everything of a run.
    pub fn forget(&mut self, run: RunId) {
        let of_run = format!("{run} ");
        self.networks.remove(&of_run);
        self.recordings.remove(&of_run);
        self.frames.remove(&of_run);
        memory::give_back();
    }

    /// The network of a run at a checkpoint.
    ///
    /// # Errors
    /// [`Error::Conflict`] for an unusable checkpoint, and for a network larger than the cache.
    pub fn network(
        &mut self,
        target: &InspectTarget,
        checkpoint: &Checkpoint,
    ) -> Result<Arc<Inspector>> {
        let place = format!("{} {} ", target.id, checkpoint.name);
        let name = format!("{place}{}", checkpoint.version);
        if let Some(network) = self.networks.get(&name) {
            return Ok(network);
        }
        // The checkpoint was overwritten; the old one is not requested again.
        self.networks.remove(&place);
        self.recordings.remove(&place);
        let (graph, started) = (target.graph()?, &target.started);
        let bytes = graph.parameters() * size_of::<f32>() as u64;
        if bytes > self.most_bytes {
            return Err(Error::Conflict(format!(
                "The network takes {} MiB of memory, more than the limit of {} MiB; see --inspect-memory-mib.",
                bytes >> 20,
                self.most_bytes >> 20
            )));
        }
        self.networks.make_room(bytes);
        let reading = self.progress.read(target.id);
        let network = Inspector::open_watched(
            graph,
            started.classes.clone(),
            started.normalisation.clone(),
            &checkpoint.path,
            &mut |done, of| reading.tell(done, of),
        )
        .map_err(|error| unusable(checkpoint.name, error))?;
        // Until here the weights are in memory twice.
        memory::give_back();
        let network = Arc::new(network);
        self.networks.put(name, Arc::clone(&network), bytes);
        Ok(network)
    }

    /// The network's activations for an image.
    ///
    /// # Errors
    /// Those of [`InspectCache::network`]; and when there is no such image.
    pub fn recording(
        &mut self,
        target: &InspectTarget,
        checkpoint: &Checkpoint,
        image: &ResolvedImage,
    ) -> Result<(Arc<Inspector>, Arc<Recording>)> {
        let network = self.network(target, checkpoint)?;
        let name = format!(
            "{} {} {} {}",
            target.id,
            checkpoint.name,
            checkpoint.version,
            image.key()
        );
        if let Some(recording) = self.recordings.get(&name) {
            return Ok((network, recording));
        }
        let recording = match image {
            ResolvedImage::File(..) => network.record(&self.raw(target, image)?)?,
            _ => network.record_normalised(self.sample(target, image)?)?,
        };
        let bytes = recording.bytes();
        let recording = Arc::new(recording);
        self.recordings.put(name, Arc::clone(&recording), bytes);
        Ok((network, recording))
    }

    /// A frame of a run's film.
    ///
    /// # Errors
    /// [`Error::Conflict`] for an unusable file, [`Error::Field`] when the frame was removed meanwhile.
    pub fn frame(&mut self, target: &InspectTarget, frame: &FrameFile) -> Result<Arc<Frame>> {
        let name = format!("{} {} {}", target.id, frame.name, frame.version);
        if let Some(frame) = self.frames.get(&name) {
            return Ok(frame);
        }
        let read = Frame::read(&frame.path).map_err(|error| unusable("film", error))?;
        let gone = || {
            Error::field(
                "checkpoint",
                frame.name.to_string(),
                "is not in the film any more",
            )
        };
        let read = Arc::new(read.ok_or_else(gone)?);
        let bytes = fs::metadata(&frame.path).map_or(0, |about| about.len());
        self.frames.put(name, Arc::clone(&read), bytes);
        Ok(read)
    }

    /// The data that a run is trained on.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the data has changed since the run began, or is too large.
    pub fn data(&mut self, target: &InspectTarget) -> Result<Arc<Splits>> {
        let spec = &target.spec.data;
        let name = format!("{} {}", json!(spec), target.started.data_hash);
        if let Some(data) = self.data.get(&name) {
            return Ok(data);
        }
        let outline = data::summary(spec, &self.library)?;
        if outline.bytes > DATA_BYTES {
            return Err(Error::Conflict(format!(
                "The data set takes {} MiB of memory, too much to show its samples.",
                outline.bytes >> 20
            )));
        }
        if !data::is_prepared(spec, &self.library)? {
            return Err(Error::Conflict(
                "The photos are not kept at the size of this run any more; a run with the same settings prepares them \
                 again."
                    .to_owned(),
            ));
        }
        self.data.make_room(outline.bytes);
        let data = Arc::new(data::load(spec, &self.library)?);
        memory::give_back();
        if data.hash != target.started.data_hash {
            return Err(Error::Conflict(
                "The data set has changed since the run began: its samples are no longer the same."
                    .to_owned(),
            ));
        }
        self.data.put(name, Arc::clone(&data), outline.bytes);
        Ok(data)
    }

    /// The values of a sample, normalised as for the network.
    ///
    /// # Errors
    /// When there is no such sample.
    pub fn sample(&mut self, target: &InspectTarget, image: &ResolvedImage) -> Result<Vec<f32>> {
        let data = self.data(target)?;
        match image.sample(&data)? {
            Some((samples, index)) => Ok(samples.values(index)?),
            None => Err(Error::field("image", image.key(), "is no sample")),
        }
    }

    /// An image `[channels, height, width]` of the network's input size, with values from 0 to 1.
    ///
    /// # Errors
    /// When there is no such image.
    pub fn raw(&mut self, target: &InspectTarget, image: &ResolvedImage) -> Result<Vec<f32>> {
        let input = &target.started.input;
        let ResolvedImage::File(path, _) = image else {
            let mut values = self.sample(target, image)?;
            let plane = input[1..].iter().product::<usize>().max(1);
            let of = &target.started.normalisation;
            let channels = of.mean.iter().zip(&of.deviation);
            for (values, (mean, deviation)) in values.chunks_exact_mut(plane).zip(channels) {
                let back = |value: &mut f32| *value = (f64::from(*value) * deviation + mean) as f32;
                values.iter_mut().for_each(back);
            }
            return Ok(values);
        };
        let bytes = links::read(path).map_err(|e| Error::file(path, e))?;
        let picture = decode_image(&bytes, MOST_PIXELS)
            .map_err(|message| Error::field("image", image.key(), message))?;
        let transform = PhotoTransform::of(&target.spec.data)?;
        Ok(network_input(input, &picture, transform)?)
    }

    /// An image as a picture, with a square of `zoom` pixels per value.
    ///
    /// # Errors
    /// Those of [`InspectCache::raw`].
    pub fn picture(
        &mut self,
        target: &InspectTarget,
        image: &ResolvedImage,
        zoom: usize,
    ) -> Result<Picture> {
        let values = self.raw(target, image)?;
        let [channels, height, width] = target.started.input[..] else {
            return Err(Error::field("image", image.key(), "is no image"));
        };
        let mut rgb = Vec::with_capacity(3 * height * width * zoom * zoom);
        for row in 0..height * zoom {
            for column in 0..width * zoom {
                for channel in 0..3usize {
                    let plane = channel.min(channels - 1) * height * width;
                    let value = values[plane + row / zoom * width + column / zoom];
                    rgb.push((value * 255.0).round() as u8);
                }
            }
        }
        Ok(Picture {
            width: width * zoom,
            height: height * zoom,
            rgb,
        })
    }
}

/// The error for a file that is damaged or belongs to another network, which is not the server's fault.
fn unusable(name: &str, error: Fault) -> Error {
    match error {
        Fault::Checkpoint { message, .. } => {
            Error::Conflict(format!("The file “{name}” cannot be used: {message}."))
        }
        other => other.into(),
    }
}
