//! The folder of a run's frames. Short runs keep a frame of each epoch; long runs keep that of every second, fourth or
//! eighth, and always the newest. The frames before the end of the first epoch are few, and stay.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Frame, FrameName, Predictions};
use crate::error::{Error, Result};

/// The most frames of epochs.
pub const MOST_FRAMES: u64 = 100;

/// The most frames within the first epoch.
pub const MOST_EARLY_FRAMES: u32 = 16;

/// The folder of a film.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at `path`, which may not exist yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The path of a frame, by its name or by its epoch.
    pub fn frame(&self, name: impl Into<FrameName>) -> PathBuf {
        self.0.join(match name.into() {
            FrameName::Epoch(epoch) => format!("epoch-{epoch:06}.safetensors"),
            FrameName::Step(step) => format!("step-{step:06}.safetensors"),
        })
    }

    /// The path of the best epoch's predictions on the test split.
    pub fn test(&self) -> PathBuf {
        self.0.join("test.safetensors")
    }

    /// The frames in the order of training; none if the folder is missing.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn names(&self) -> Result<Vec<FrameName>> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::file(&self.0, error)),
        };
        let of_entry = |entry: fs::DirEntry| {
            let file = entry.file_name();
            let file = file.to_str()?;
            let (kind, number) = file.strip_suffix(".safetensors")?.split_once('-')?;
            let number = number.parse().ok()?;
            let name = match kind {
                "epoch" => FrameName::Epoch(number),
                "step" => FrameName::Step(number),
                _ => return None,
            };
            // Each frame has exactly one valid name.
            (self.frame(name).file_name()?.to_str()? == file).then_some(name)
        };
        let mut names: Vec<_> = entries.filter_map(|entry| of_entry(entry.ok()?)).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// The epochs that have a frame, in order; 0 for that before the first step.
    ///
    /// # Errors
    /// As [`Folder::names`].
    pub fn epochs(&self) -> Result<Vec<u64>> {
        let epoch = |name| match name {
            FrameName::Epoch(epoch) => Some(epoch),
            FrameName::Step(_) => None,
        };
        Ok(self.names()?.into_iter().filter_map(epoch).collect())
    }

    /// Adds or replaces a frame, and removes frames that a film of this length does not keep.
    ///
    /// # Errors
    /// When it cannot be written; the film is then unchanged.
    pub fn add(&self, frame: &Frame) -> Result<()> {
        let newest = frame.metadata.epoch;
        fs::create_dir_all(&self.0).map_err(|e| Error::file(&self.0, e))?;
        frame.write(&self.frame(frame.name()), &self.temporary())?;
        for epoch in self.epochs()? {
            if epoch < newest && !stays(epoch, newest) {
                let path = self.frame(epoch);
                fs::remove_file(&path).map_err(|e| Error::file(&path, e))?;
            }
        }
        Ok(())
    }

    /// Saves the best epoch's predictions on the test split.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn add_test(&self, predictions: &Predictions) -> Result<()> {
        fs::create_dir_all(&self.0).map_err(|e| Error::file(&self.0, e))?;
        predictions.write(&self.test(), &self.temporary())
    }

    /// Removes temporary files of a process that died while writing.
    pub fn sweep(&self) {
        let _ = fs::remove_file(self.temporary());
    }

    fn temporary(&self) -> PathBuf {
        self.0.join("frame.tmp")
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// Whether a frame stays in a film that has reached another epoch: its epoch must be a multiple of the smallest power
/// of two that makes the film short enough.
fn stays(epoch: u64, newest: u64) -> bool {
    epoch.is_multiple_of(stride(newest))
}

/// Whether a frame is wanted after so many steps of the first epoch: after 1, 2, 4 and so on.
pub(crate) fn is_early_frame(step: u64) -> bool {
    step.is_power_of_two() && step.trailing_zeros() < MOST_EARLY_FRAMES
}

/// The number of epochs between frames in a film of this length.
pub(crate) fn stride(newest: u64) -> u64 {
    newest.div_ceil(MOST_FRAMES).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_has_a_hundred_frames_at_most_and_no_fewer_than_half_of_that() {
        let mut film: Vec<u64> = Vec::new();
        for epoch in 1..=2500u64 {
            film.retain(|old| stays(*old, epoch));
            film.push(epoch);
            let count = film.len() as u64;
            assert!(
                count <= MOST_FRAMES && count >= epoch.min(50),
                "{count} at {epoch}"
            );
        }
        let steps: Vec<_> = film.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(steps[..steps.len() - 1].iter().all(|step| *step == 32));
        assert_eq!(film.last(), Some(&2500));
    }

    #[test]
    fn the_first_epoch_has_few_frames_however_long_it_is() {
        let steps: Vec<_> = (1..1 << 20).filter(|step| is_early_frame(*step)).collect();
        assert_eq!(steps[..5], [1, 2, 4, 8, 16]);
        assert_eq!(steps.len(), MOST_EARLY_FRAMES as usize);
    }

    #[test]
    fn only_names_of_frames_are_frames() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "epoch-000002.safetensors",
            "epoch-000010.safetensors",
            "epoch-1000000.safetensors",
            "epoch-3.safetensors",
            "epoch-0000004.safetensors",
            "epoch-000005.tmp",
            "test.safetensors",
            "frame.tmp",
            "step-000008.safetensors",
            "step-000001.safetensors",
            "step-4.safetensors",
            "epoch-000000.safetensors",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let film = Folder::at(folder.path());
        assert_eq!(film.epochs().unwrap(), [0, 2, 10, 1_000_000]);
        let names: Vec<_> = film
            .names()
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(names, ["0", "step-1", "step-8", "2", "10", "1000000"]);
        assert!(
            Folder::at(folder.path().join("none"))
                .epochs()
                .unwrap()
                .is_empty()
        );
    }
}
