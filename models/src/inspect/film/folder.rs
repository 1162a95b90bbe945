//! The frames of a run. They stay close together while there are few; of a long run every second, fourth, eighth is
//! kept, and always the newest.

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
    /// The folder at `path`, which need not be there yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The frame of an epoch.
    pub fn frame(&self, epoch: u64) -> PathBuf {
        self.0.join(format!("epoch-{epoch:06}.safetensors"))
    }

    /// What the best epoch made of the test split.
    pub fn test(&self) -> PathBuf {
        self.0.join("test.safetensors")
    }

    /// The epochs that have a frame, in order; none where there is no folder.
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
            // One epoch has one name.
            (self.frame(epoch).file_name()?.to_str()? == name).then_some(epoch)
        };
        let mut epochs: Vec<_> = entries.filter_map(|entry| number(entry.ok()?)).collect();
        epochs.sort_unstable();
        Ok(epochs)
    }

    /// Adds the frame of an epoch, or puts it in the place of one, and removes those that the film has grown out of.
    ///
    /// # Errors
    /// When it cannot be written; then the film is as it was.
    pub fn add(&self, frame: &Frame) -> Result<()> {
        let newest = frame.metadata.epoch;
        fs::create_dir_all(&self.0).map_err(|e| Error::file(&self.0, e))?;
        frame.write(&self.frame(newest), &self.aside())?;
        for epoch in self.epochs()? {
            if epoch < newest && !stays(epoch, newest) {
                let path = self.frame(epoch);
                fs::remove_file(&path).map_err(|e| Error::file(&path, e))?;
            }
        }
        Ok(())
    }

    /// Keeps what the best epoch made of the test split.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn add_test(&self, predictions: &Predictions) -> Result<()> {
        fs::create_dir_all(&self.0).map_err(|e| Error::file(&self.0, e))?;
        predictions.write(&self.test(), &self.aside())
    }

    /// Removes what a process left behind that died while it wrote.
    pub fn sweep(&self) {
        let _ = fs::remove_file(self.aside());
    }

    fn aside(&self) -> PathBuf {
        self.0.join("frame.tmp")
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// Whether the frame of an epoch stays in a film that has come to another: it stays where its number can be divided by
/// the least power of two by which the film is short enough.
fn stays(epoch: u64, newest: u64) -> bool {
    epoch.is_multiple_of(stride(newest))
}

/// Epochs from frame to frame in a film that has come so far.
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
