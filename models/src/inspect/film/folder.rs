//! The folder of a run's frames. Short runs keep all frames; long runs keep every second, fourth or eighth, and always
//! the newest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Frame, Predictions};
use crate::error::{Error, Result};

/// The most frames of a film.
pub const MOST_FRAMES: u64 = 100;

/// The folder of a film.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at `path`, which may not exist yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The path of an epoch's frame.
    pub fn frame(&self, epoch: u64) -> PathBuf {
        self.0.join(format!("epoch-{epoch:06}.safetensors"))
    }

    /// The path of the best epoch's predictions on the test split.
    pub fn test(&self) -> PathBuf {
        self.0.join("test.safetensors")
    }

    /// The epochs that have a frame, in order; none if the folder is missing.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn epochs(&self) -> Result<Vec<u64>> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::file(&self.0, error)),
        };
        let number = |entry: fs::DirEntry| {
            let name = entry.file_name();
            let name = name.to_str()?;
            let number = name.strip_prefix("epoch-")?.strip_suffix(".safetensors")?;
            let epoch = number.parse().ok()?;
            // Each epoch has exactly one valid name.
            (self.frame(epoch).file_name()?.to_str()? == name).then_some(epoch)
        };
        let mut epochs: Vec<_> = entries.filter_map(|entry| number(entry.ok()?)).collect();
        epochs.sort_unstable();
        Ok(epochs)
    }

    /// Adds or replaces the frame of an epoch, and removes frames that a film of this length does not keep.
    ///
    /// # Errors
    /// When it cannot be written; the film is then unchanged.
    pub fn add(&self, frame: &Frame) -> Result<()> {
        let newest = frame.metadata.epoch;
        fs::create_dir_all(&self.0).map_err(|e| Error::file(&self.0, e))?;
        frame.write(&self.frame(newest), &self.temporary())?;
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
    fn only_names_of_frames_are_epochs() {
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
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let film = Folder::at(folder.path());
        assert_eq!(film.epochs().unwrap(), [2, 10, 1_000_000]);
        assert!(
            Folder::at(folder.path().join("none"))
                .epochs()
                .unwrap()
                .is_empty()
        );
    }
}
