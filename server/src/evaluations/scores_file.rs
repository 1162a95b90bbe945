//! The scores of a split in a file, of which some rows are in memory at a time.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use vivarium_models::Result as ModelsResult;
use vivarium_models::evaluate::{ScoreKind, Scores};
use vivarium_models::links;

use crate::error::{Error, Result};

/// The header: the kind of the scores and the number of classes.
const HEADER: usize = 8;

/// A file of scores, and its targets.
pub(super) struct ScoresFile {
    file: File,
    path: PathBuf,
    kind: ScoreKind,
    classes: usize,
    targets: Vec<u32>,
}

/// The header of a file.
pub(super) fn header(kind: ScoreKind, classes: usize) -> [u8; HEADER] {
    let kind: u32 = match kind {
        ScoreKind::Logits => 0,
        ScoreKind::Probabilities => 1,
        ScoreKind::Margins => 2,
    };
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&kind.to_le_bytes());
    header[4..].copy_from_slice(&(classes as u32).to_le_bytes());
    header
}

impl ScoresFile {
    /// Opens a file of scores.
    ///
    /// # Errors
    /// When it cannot be read, or is not as long as its targets say.
    pub(super) fn open(path: &Path, targets: &Path) -> Result<Self> {
        let failed = |e| Error::file(path, e);
        let bytes = links::read(targets).map_err(|e| Error::file(targets, e))?;
        let (targets, _) = bytes.as_chunks::<4>();
        let targets: Vec<u32> = targets.iter().map(|of| u32::from_le_bytes(*of)).collect();
        let file = links::open(path).map_err(failed)?;
        let mut header = [0; HEADER];
        file.read_exact_at(&mut header, 0).map_err(failed)?;
        let [kind, classes] =
            [0, 4].map(|at| u32::from_le_bytes([0, 1, 2, 3].map(|i| header[at + i])));
        let kind = match kind {
            0 => Some(ScoreKind::Logits),
            1 => Some(ScoreKind::Probabilities),
            2 => Some(ScoreKind::Margins),
            _ => None,
        };
        let length = file.metadata().map_err(failed)?.len();
        let expected = HEADER as u64 + targets.len() as u64 * u64::from(classes) * 4;
        match kind {
            Some(kind) if length == expected => Ok(Self {
                file,
                path: path.to_owned(),
                kind,
                classes: classes as usize,
                targets,
            }),
            _ => Err(failed(std::io::Error::other("is not a file of scores"))),
        }
    }

    /// The classes of the samples.
    pub(super) fn targets(&self) -> &[u32] {
        &self.targets
    }
}

impl Scores for ScoresFile {
    fn samples(&self) -> usize {
        self.targets.len()
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn kind(&self) -> ScoreKind {
        self.kind
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> ModelsResult<()> {
        let mut bytes = vec![0; into.len() * 4];
        let at = HEADER as u64 + (rows.start * self.classes * 4) as u64;
        self.file
            .read_exact_at(&mut bytes, at)
            .map_err(|source| vivarium_models::Error::File {
                path: self.path.clone(),
                source,
            })?;
        let (values, _) = bytes.as_chunks::<4>();
        for (into, value) in into.iter_mut().zip(values) {
            *into = f32::from_le_bytes(*value);
        }
        Ok(())
    }
}
