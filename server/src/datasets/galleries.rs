//! Galleries: pictures of the samples of a set, rendered once and cached.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use tokio::sync::Semaphore;
use vivarium_models::data::{Gallery, Library, State, gallery};

use crate::blocking::{blocking, on_thread};
use crate::error::{Error, Result};

/// The maximum number of cached galleries; each is a picture of a few hundred kilobytes.
const MAX_CACHED: NonZeroUsize = NonZeroUsize::new(12).unwrap();

/// Galleries that are rendered at a time.
const MAX_CONCURRENT: usize = 1;

/// A gallery and its picture.
#[derive(Debug)]
pub struct RenderedGallery {
    /// Changes with the content of the set.
    pub version: String,
    /// The layout of the picture.
    pub gallery: Gallery,
    /// The picture.
    pub png: Vec<u8>,
}

/// A cache of galleries by set.
pub struct Galleries {
    library: Library,
    permit: Semaphore,
    cached: Mutex<LruCache<String, Arc<RenderedGallery>>>,
}

impl Galleries {
    pub(super) fn new(library: Library) -> Self {
        Self {
            library,
            permit: Semaphore::new(MAX_CONCURRENT),
            cached: Mutex::new(LruCache::new(MAX_CACHED)),
        }
    }

    /// The gallery of a set.
    ///
    /// # Errors
    /// [`Error::NotFound`] for sets that are missing or have no images.
    pub async fn of(&self, set: &str) -> Result<Arc<RenderedGallery>> {
        let (library, name) = (self.library.clone(), set.to_owned());
        let version = blocking(move || version(&library, &name)).await?;
        if let Some(made) = self.cached(set, &version) {
            return Ok(made);
        }
        let _permit = self
            .permit
            .acquire()
            .await
            .map_err(|_| Error::Gone("the galleries"))?;
        // An earlier request may have rendered the same one.
        if let Some(made) = self.cached(set, &version) {
            return Ok(made);
        }
        let (library, name) = (self.library.clone(), set.to_owned());
        let made = on_thread("gallery", move || {
            let gallery = gallery(&name, &library)?.ok_or_else(|| none(&name))?;
            let png = gallery.png()?;
            Ok(Arc::new(RenderedGallery {
                version,
                gallery,
                png,
            }))
        })
        .await?;
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        cached.put(set.to_owned(), Arc::clone(&made));
        Ok(made)
    }

    fn cached(&self, set: &str, version: &str) -> Option<Arc<RenderedGallery>> {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let made = cached.get(set)?;
        (made.version == version).then(|| Arc::clone(made))
    }
}

/// The current version of a set.
fn version(library: &Library, set: &str) -> Result<String> {
    let found = library
        .find(set)
        .filter(|found| found.dimensions == 3)
        .ok_or_else(|| none(set))?;
    match (found.state, found.metadata) {
        (State::BuiltIn, _) => Ok(env!("CARGO_PKG_VERSION").to_owned()),
        (State::Present, Some(about)) => Ok(about.sha256),
        _ => Err(none(set)),
    }
}

fn none(set: &str) -> Error {
    Error::NotFound(format!("picture of a data set “{set}”"))
}
