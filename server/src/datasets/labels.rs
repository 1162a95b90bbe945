//! Labels of stored sets: their versions, and the images that people look at to correct them.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use tokio::sync::Semaphore;
use vivarium_models::data::{LabelChange, Labels, Library, SetPictures, State};

use crate::blocking::{blocking, on_thread};
use crate::error::{Error, Result};

/// Sets whose images are held open.
const MAX_OPEN: NonZeroUsize = NonZeroUsize::new(4).unwrap();

/// Images that are decoded at a time.
const MAX_CONCURRENT: usize = 2;

/// The labels of the sets.
pub struct LabelStore {
    library: Library,
    /// Held while labels are changed.
    change: Mutex<()>,
    permits: Semaphore,
    open: Mutex<LruCache<String, Arc<SetPictures>>>,
}

impl LabelStore {
    pub(super) fn new(library: Library) -> Self {
        Self {
            library,
            change: Mutex::default(),
            permits: Semaphore::new(MAX_CONCURRENT),
            open: Mutex::new(LruCache::new(MAX_OPEN)),
        }
    }

    /// Changes labels, starting from a version or from the current one.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such set; [`Error::Conflict`] for one of this program; a fault of the field
    /// when a change cannot be made; [`Error::PreconditionFailed`] when the set's hash and its version are not those that
    /// are expected. Nothing is changed then.
    pub fn change(
        &self,
        set: &str,
        from: Option<&str>,
        changes: &[LabelChange],
        is_expected: impl FnOnce(&str, &str) -> bool,
    ) -> Result<Labels> {
        let _alone = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.content(set)?;
        let changed_elsewhere = || {
            Error::PreconditionFailed(
                "The labels were changed elsewhere, or the set was replaced.".to_owned(),
            )
        };
        if !is_expected(&before, &self.library.labels(set)?.version) {
            return Err(changed_elsewhere());
        }
        self.library
            .change_labels(set, from, changes)
            .map_err(|error| match self.content(set) {
                // The files vanished because the set did.
                Ok(after) if after != before => changed_elsewhere(),
                Err(gone) => gone,
                Ok(_) => error.into(),
            })
    }

    /// The hash of a stored set's images and imported labels.
    fn content(&self, set: &str) -> Result<String> {
        self.stored(set)?;
        let metadata = self.library.find(set).and_then(|found| found.metadata);
        let gone = || Error::NotFound(format!("data set “{set}”"));
        Ok(metadata.ok_or_else(gone)?.sha256)
    }

    /// Checks that a set is stored: the labels of others cannot be corrected.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such set, [`Error::Conflict`] for one of this program.
    pub fn stored(&self, set: &str) -> Result<()> {
        match self.library.find(set).map(|found| found.state) {
            Some(State::Present) => Ok(()),
            Some(State::BuiltIn) => Err(Error::Conflict(
                "This set is part of the program: its labels are as they are.".to_owned(),
            )),
            Some(State::Damaged { message }) => Err(Error::Conflict(message)),
            Some(State::Missing) | None => Err(Error::NotFound(format!("data set “{set}”"))),
        }
    }

    /// The images of a set. They are opened again when the set was replaced.
    ///
    /// # Errors
    /// As [`stored`](Self::stored), and when they cannot be read.
    pub async fn pictures(self: &Arc<Self>, set: &str) -> Result<Arc<SetPictures>> {
        let (this, set) = (Arc::clone(self), set.to_owned());
        blocking(move || {
            this.stored(&set)?;
            let found = this.library.find(&set).and_then(|found| found.metadata);
            let is_same = |open: &&Arc<SetPictures>| {
                found.as_ref().is_some_and(|now| now.sha256 == open.sha256)
            };
            let open = || this.open.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(pictures) = open().get(&set).filter(is_same) {
                return Ok(Arc::clone(pictures));
            }
            let pictures = Arc::new(SetPictures::open(&set, &this.library)?);
            open().put(set, Arc::clone(&pictures));
            Ok(pictures)
        })
        .await
    }

    /// An image of a set as a PNG, with a longer side of at most so many pixels.
    ///
    /// # Errors
    /// When there is no such image, or it cannot be read.
    pub async fn png(
        &self,
        pictures: Arc<SetPictures>,
        sample: usize,
        side: usize,
    ) -> Result<Vec<u8>> {
        let permit = self.permits.acquire().await;
        let _permit = permit.map_err(|_| Error::Gone("the images of data sets"))?;
        on_thread("sample", move || {
            Ok(pictures.picture(sample)?.within(side).png()?)
        })
        .await
    }
}
