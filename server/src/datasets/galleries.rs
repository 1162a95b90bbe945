//! Pictures of the samples of a set, rendered once and cached: galleries, and examples of photos that are not square.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use tokio::sync::Semaphore;
use vivarium_models::data::{FitExamples, Gallery, Library, State, fit_examples, gallery};

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

/// Examples of the photos of a set, and their picture.
#[derive(Debug)]
pub struct RenderedFits {
    /// Changes with the content of the set.
    pub version: String,
    /// The layout of the picture.
    pub examples: FitExamples,
    /// The picture.
    pub png: Vec<u8>,
}

/// A cache of pictures by set.
pub struct Galleries {
    library: Library,
    permit: Semaphore,
    cached: Cache<RenderedGallery>,
    fits: Cache<RenderedFits>,
}

/// Pictures by set.
type Cache<T> = Mutex<LruCache<String, Arc<T>>>;

/// A picture of a version of a set.
trait Versioned {
    fn version(&self) -> &str;
}

impl Versioned for RenderedGallery {
    fn version(&self) -> &str {
        &self.version
    }
}

impl Versioned for RenderedFits {
    fn version(&self) -> &str {
        &self.version
    }
}

impl Galleries {
    pub(super) fn new(library: Library) -> Self {
        Self {
            library,
            permit: Semaphore::new(MAX_CONCURRENT),
            cached: Mutex::new(LruCache::new(MAX_CACHED)),
            fits: Mutex::new(LruCache::new(MAX_CACHED)),
        }
    }

    /// The gallery of a set.
    ///
    /// # Errors
    /// [`Error::NotFound`] for sets that are missing or have no images.
    pub async fn of(&self, set: &str) -> Result<Arc<RenderedGallery>> {
        self.rendered(&self.cached, set, |library, set, version| {
            let gallery = gallery(set, library)?.ok_or_else(|| none(set))?;
            let png = gallery.png()?;
            Ok(RenderedGallery {
                version,
                gallery,
                png,
            })
        })
        .await
    }

    /// Photos of a set in all ways to make them square.
    ///
    /// # Errors
    /// [`Error::NotFound`] for sets that are missing, not kept as photos, or of square photos.
    pub async fn fits(&self, set: &str) -> Result<Arc<RenderedFits>> {
        self.rendered(&self.fits, set, |library, set, version| {
            let found = library.find(set).and_then(|set| set.metadata);
            let examples = match found {
                Some(_) => fit_examples(set, library)?,
                None => None,
            };
            let examples = examples.ok_or_else(|| none(set))?;
            let png = examples.png()?;
            Ok(RenderedFits {
                version,
                examples,
                png,
            })
        })
        .await
    }

    /// A picture of a set from the cache, or rendered.
    async fn rendered<T: Versioned + Send + Sync + 'static>(
        &self,
        cache: &Cache<T>,
        set: &str,
        render: impl FnOnce(&Library, &str, String) -> Result<T> + Send + 'static,
    ) -> Result<Arc<T>> {
        let (library, name) = (self.library.clone(), set.to_owned());
        let version = blocking(move || version(&library, &name)).await?;
        if let Some(made) = cached(cache, set, &version) {
            return Ok(made);
        }
        let _permit = self
            .permit
            .acquire()
            .await
            .map_err(|_| Error::Gone("the galleries"))?;
        // An earlier request may have rendered the same one.
        if let Some(made) = cached(cache, set, &version) {
            return Ok(made);
        }
        let (library, name) = (self.library.clone(), set.to_owned());
        let made = on_thread("gallery", move || {
            render(&library, &name, version).map(Arc::new)
        })
        .await?;
        let mut cached = cache.lock().unwrap_or_else(PoisonError::into_inner);
        cached.put(set.to_owned(), Arc::clone(&made));
        Ok(made)
    }
}

fn cached<T: Versioned>(cache: &Cache<T>, set: &str, version: &str) -> Option<Arc<T>> {
    let mut cached = cache.lock().unwrap_or_else(PoisonError::into_inner);
    let made = cached.get(set)?;
    (made.version() == version).then(|| Arc::clone(made))
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
