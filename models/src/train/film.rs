//! The film of a run: a frame before the first step, a few within the first epoch, and one after each epoch, within a
//! time budget. It must neither make training fail nor slow it down noticeably.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::learner::{Evaluation, Learner};
use super::progress::Progress;
use crate::data::{self, PhotoTransform, Splits};
use crate::error::{Error, Result};
use crate::inspect::film::{
    Folder, Frame, FramePosition, Validation, is_early_frame, pin_name, stride,
};
use crate::inspect::{Inspector, Recording};
use crate::links;
use crate::ops::threads;

/// The share of training time for frames.
const SHARE: f64 = 0.02;

/// The budget at the start, for runs of a few seconds.
const GRACE: Duration = Duration::from_secs(1);

/// The largest file of a pinned image. The server writes it from a decoded image.
const MOST_PIXELS: u64 = 4 << 20;
const MOST_BYTES: u64 = 32 << 20;

/// The film of a running run.
#[derive(Debug)]
pub(super) struct Film {
    folder: Folder,
    pin: Option<Pin>,
    /// Time spent on frames, time of the last frame, and start of the film.
    spent: Duration,
    cost: Duration,
    began: Instant,
    /// Whether a fault has been reported.
    reported: bool,
}

/// The file of a pinned image, and its content when last read.
#[derive(Debug)]
struct Pin {
    path: PathBuf,
    read: Option<(SystemTime, u64, Image)>,
}

/// The image that frames show.
#[derive(Clone, Debug)]
struct Image {
    name: String,
    /// `[channels, height, width]`, from 0 to 1.
    values: Vec<f32>,
}

impl Film {
    /// Opens the film in `folder`. It shows the image in the file `pinned`, if that exists.
    pub(super) fn in_folder(folder: &Path, pinned: Option<&Path>) -> Self {
        let folder = Folder::at(folder);
        folder.sweep();
        Self {
            folder,
            pin: pinned.map(|path| Pin {
                path: path.to_owned(),
                read: None,
            }),
            spent: Duration::ZERO,
            cost: Duration::ZERO,
            began: Instant::now(),
            reported: false,
        }
    }

    /// Adds a frame after an epoch if the budget allows; the last one is always added. The first fault is returned as a
    /// message; training goes on.
    pub(super) fn add(
        &mut self,
        learner: &Learner,
        data: &Splits,
        progress: &Progress,
        validation: Option<&Evaluation>,
        last: bool,
    ) -> Option<String> {
        if !last && !self.affordable(progress.epoch) {
            return None;
        }
        self.write(learner, data, progress, validation)
    }

    /// Adds a frame before the end of the first epoch, if one is wanted there and the budget allows; the one before the
    /// first step is always added.
    pub(super) fn add_early(
        &mut self,
        learner: &Learner,
        data: &Splits,
        progress: &Progress,
    ) -> Option<String> {
        let is_wanted = progress.step == 0 || (is_early_frame(progress.step) && self.affordable(0));
        is_wanted
            .then(|| self.write(learner, data, progress, None))
            .flatten()
    }

    fn write(
        &mut self,
        learner: &Learner,
        data: &Splits,
        progress: &Progress,
        validation: Option<&Evaluation>,
    ) -> Option<String> {
        let began = Instant::now();
        let added = self
            .frame(learner, data, progress, validation)
            .and_then(|frame| self.folder.add(&frame));
        self.cost = began.elapsed();
        self.spent += self.cost;
        self.words(added)
    }

    /// Saves the predictions on the test split.
    pub(super) fn add_test(&mut self, test: &Evaluation) -> Option<String> {
        let added = self.folder.add_test(&test.predictions);
        self.words(added)
    }

    /// Whether the budget allows another frame. In a long film most frames are replaced by the next one, so they give
    /// way to those that stay.
    fn affordable(&self, epoch: u64) -> bool {
        let share = if epoch.is_multiple_of(stride(epoch)) {
            SHARE
        } else {
            SHARE / 2.0
        };
        self.spent + self.cost <= GRACE + self.began.elapsed().mul_f64(share)
    }

    fn frame(
        &mut self,
        learner: &Learner,
        data: &Splits,
        progress: &Progress,
        validation: Option<&Evaluation>,
    ) -> Result<Frame> {
        let classes = data.classes.clone();
        threads::in_pool(usize::MAX, || {
            let network =
                Inspector::new(learner.shared_model(), classes, data.normalisation.clone())?;
            let (pinned, recording) = self.recording(&network, data)?;
            let moment = FramePosition {
                epoch: progress.epoch,
                step: progress.step,
                pinned: &pinned,
                validation_samples: data.validation.len(),
            };
            let validation = validation.map(|of| Validation {
                accuracy: of.score.accuracy,
                predictions: &of.predictions,
                confusion: &of.confusion,
            });
            Frame::new(&network, &recording, moment, validation)
        })
    }

    /// The pinned image, or the first sample of the test split.
    fn recording(&mut self, network: &Inspector, data: &Splits) -> Result<(String, Recording)> {
        if let Some(pin) = &mut self.pin
            && let Some(image) = pin.image(&data.input, data.transform)?
        {
            return Ok((image.name.clone(), network.record(&image.values)?));
        }
        let splits = [
            ("test:0", &data.test),
            ("validation:0", &data.validation),
            ("train:0", &data.train),
        ];
        let Some((name, samples)) = splits.into_iter().find(|(_, samples)| !samples.is_empty())
        else {
            return Err(Error::setting("data.set", "has no sample"));
        };
        let recording = network.record_normalised(samples.values(0)?)?;
        Ok((name.to_owned(), recording))
    }

    fn words(&mut self, result: Result<()>) -> Option<String> {
        let error = result.err()?;
        let first = !std::mem::replace(&mut self.reported, true);
        first.then(|| format!("The film has a gap: {error}. Training goes on."))
    }
}

impl Pin {
    /// The current image; `None` if none is pinned.
    fn image(&mut self, input: &[usize], transform: PhotoTransform) -> Result<Option<&Image>> {
        let Ok(about) = fs::metadata(&self.path) else {
            return Ok(None);
        };
        let failed = |e| Error::file(&self.path, e);
        links::refuse(&self.path).map_err(failed)?;
        let version = (about.modified().map_err(failed)?, about.len());
        let known = matches!(&self.read, Some((time, len, _)) if (*time, *len) == version);
        if !known {
            let wrong = |message| Error::Setting {
                path: self.path.display().to_string(),
                message,
            };
            if about.len() > MOST_BYTES {
                return Err(wrong(format!("is longer than {MOST_BYTES} bytes")));
            }
            let bytes = fs::read(&self.path).map_err(failed)?;
            let picture = data::decode_image(&bytes, MOST_PIXELS).map_err(wrong)?;
            let image = Image {
                name: pin_name(&bytes),
                values: data::network_input(input, &picture, transform)?,
            };
            self.read = Some((version.0, version.1, image));
        }
        Ok(self.read.as_ref().map(|(.., image)| image))
    }
}
