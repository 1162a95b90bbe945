//! Images that users upload to show to networks: decoded defensively, stored as PNG, the oldest removed. `pins`: the
//! image that a run's film follows.
//!
//! Invariant: no uploaded bytes are stored or served. Every stored image was decoded, rotated, scaled down and encoded
//! again by this program; its name is an id that this program generated.

pub mod pins;

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa::ToSchema;
use uuid::Uuid;
use vivarium_models::data::decode_image;
use vivarium_models::links;

use crate::atomic_file::{INCOMING, write_atomically};
use crate::base_path;
use crate::blocking::on_thread;
use crate::error::{Error, Result};
use crate::failpoint::failpoint;
use crate::memory;
use crate::priority::lower_priority;
use pins::Pins;

/// The maximum size of an upload.
pub const MOST_BYTES: usize = 20 << 20;

/// The maximum number of pixels, known before decoding.
pub(crate) const MOST_PIXELS: u64 = 64_000_000;

/// The longest side of a stored image.
const SIDE: usize = 1024;

/// The maximum number of stored images.
const MOST_KEPT: usize = 500;

/// Uploads in memory at a time.
const AT_ONCE: usize = 8;

/// How long an upload waits for a permit.
const PATIENCE: Duration = Duration::from_secs(10);

/// The images of a data folder.
pub struct Images {
    folder: PathBuf,
    /// The images that films follow.
    pub pins: Pins,
    places: Semaphore,
    /// A large image takes most of a gigabyte while it is decoded.
    turn: Semaphore,
    /// By id, which is by time.
    kept: Mutex<BTreeMap<Uuid, Size>>,
}

type Size = [u32; 2];

/// A stored image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = UploadedImage)]
pub struct Kept {
    /// Its name.
    pub id: Uuid,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Its URL.
    pub url: String,
    /// When it was uploaded, RFC 3339.
    #[schema(format = DateTime)]
    pub created: String,
}

impl Kept {
    fn new(id: Uuid, [width, height]: Size) -> Self {
        let (seconds, nanos) = id.get_timestamp().map_or((0, 0), |time| time.to_unix());
        let created = std::time::UNIX_EPOCH + Duration::new(seconds, nanos);
        Self {
            id,
            width,
            height,
            url: base_path::url(&format!("/api/v1/images/{id}.png")),
            created: humantime::format_rfc3339_millis(created).to_string(),
        }
    }
}

impl Images {
    /// The images in `folder`, and the pins in `pins`. Removes partial files of a process that died.
    ///
    /// # Errors
    /// When the folder cannot be created or read.
    pub fn open(folder: PathBuf, pins: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder).map_err(|e| Error::file(&folder, e))?;
        let mut kept = BTreeMap::new();
        for entry in fs::read_dir(&folder).map_err(|e| Error::file(&folder, e))? {
            let entry = entry.map_err(|e| Error::file(&folder, e))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(INCOMING) {
                let _ = fs::remove_file(entry.path());
            }
            let id = name.strip_suffix(".png").and_then(|id| id.parse().ok());
            if let (Some(id), Some(size)) = (id, size(&entry.path())) {
                kept.insert(id, size);
            }
        }
        Ok(Self {
            folder,
            pins: Pins::open(pins)?,
            places: Semaphore::new(AT_ONCE),
            turn: Semaphore::new(1),
            kept: Mutex::new(kept),
        })
    }

    /// Waits until one more upload fits in memory.
    ///
    /// # Errors
    /// [`Error::Busy`] when that takes too long.
    pub async fn place(&self) -> Result<SemaphorePermit<'_>> {
        match tokio::time::timeout(PATIENCE, self.places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) => Err(Error::Gone("the images")),
            Err(_) => Err(Error::Busy(format!(
                "{AT_ONCE} other requests with images are being answered; try again in a moment."
            ))),
        }
    }

    /// Decodes an upload and stores it as a PNG.
    ///
    /// # Errors
    /// What is wrong with the file, as an error of the field `image`.
    pub async fn add(&self, bytes: Vec<u8>) -> Result<Kept> {
        let folder = self.folder.clone();
        let work = move || {
            let written = write(&folder, &bytes);
            drop(bytes);
            memory::give_back();
            written
        };
        let (id, size) = self.in_turn(work).await?;
        let mut kept = self.kept();
        kept.insert(id, size);
        while kept.len() > MOST_KEPT
            && let Some((oldest, _)) = kept.pop_first()
        {
            let _ = fs::remove_file(self.path(oldest));
        }
        Ok(Kept::new(id, size))
    }

    /// Decodes on a thread of low priority, when nobody else does.
    ///
    /// # Errors
    /// Those of `work`.
    pub(crate) async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = self.turn.acquire().await;
        let _turn = turn.map_err(|_| Error::Gone("the images"))?;
        on_thread("image", move || {
            lower_priority();
            work()
        })
        .await
    }

    /// All images, newest first.
    pub fn list(&self) -> Vec<Kept> {
        let kept = self.kept();
        let newest = kept.iter().rev();
        newest.map(|(id, size)| Kept::new(*id, *size)).collect()
    }

    /// The file of an image.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such image.
    pub fn file(&self, id: Uuid) -> Result<PathBuf> {
        if self.kept().contains_key(&id) {
            Ok(self.path(id))
        } else {
            Err(Error::NotFound(format!("image {id}")))
        }
    }

    /// Removes an image. Films keep their pins, which are files of their own.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such image.
    pub fn remove(&self, id: Uuid) -> Result<()> {
        let path = self.file(id)?;
        match fs::remove_file(&path) {
            // Removed by somebody else at the same moment.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            removed => removed.map_err(|e| Error::file(&path, e))?,
        }
        let _ = failpoint("image.removed");
        self.kept().remove(&id);
        Ok(())
    }

    fn path(&self, id: Uuid) -> PathBuf {
        self.folder.join(format!("{id}.png"))
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<Uuid, Size>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes an upload as a PNG under a new id.
fn write(folder: &Path, bytes: &[u8]) -> Result<(Uuid, Size)> {
    let picture = decode_image(bytes, MOST_PIXELS)
        .map_err(|message| refused(&message))?
        .within(SIDE);
    let (id, png) = (Uuid::now_v7(), picture.png()?);
    write_atomically(&folder.join(format!("{id}.png")), &png)?;
    let _ = failpoint("image.written");
    Ok((id, [picture.width as u32, picture.height as u32]))
}

fn refused(message: &str) -> Error {
    vivarium_models::Error::Setting {
        path: "image".to_owned(),
        message: message.to_owned(),
    }
    .into()
}

/// Width and height of a PNG that this program wrote, from its first bytes.
fn size(path: &Path) -> Option<Size> {
    let mut head = [0; 24];
    links::open(path).ok()?.read_exact(&mut head).ok()?;
    let number = |at: usize| Some(u32::from_be_bytes(head[at..at + 4].try_into().ok()?));
    head.starts_with(b"\x89PNG\r\n\x1a\n")
        .then_some([number(16)?, number(20)?])
}
