//! Uploads: read once, reported, then accepted or discarded. Undecided ones expire.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use uuid::Uuid;
use vivarium_models::data::scratch::Scratch;
use vivarium_models::data::{
    self, Import, ImportLimits, Library, ReadyDataSet, Report, known, name_of,
};

use crate::blocking::on_thread;
use crate::error::{Error, Result};
use crate::failpoint::failpoint;

/// Uploads that are received or read at a time.
const AT_ONCE: usize = 2;

/// Uploads that may await a decision.
const MOST_WAITING: usize = 8;

/// Accepted uploads that are remembered.
const MOST_ACCEPTED: usize = 100;

/// How long an upload awaits a decision.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// Uploads.
pub struct Drafts {
    library: Library,
    places: Semaphore,
    /// Images of one upload are decoded at a time, by all threads.
    turn: Semaphore,
    waiting: Mutex<HashMap<Uuid, Waiting>>,
    /// The set names of the last accepted uploads, so that a repeated request, because the answer was lost, gets the
    /// same answer. Held while one is accepted.
    accepted: Mutex<VecDeque<(Uuid, String)>>,
}

struct Waiting {
    draft: Draft,
    ready: Option<ReadyDataSet>,
    since: Instant,
}

/// An upload that awaits a decision.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Draft {
    /// Its id.
    pub id: Uuid,
    /// The file that was uploaded.
    pub file: String,
    /// A free name for the set.
    pub suggestion: String,
    /// What the files contain.
    pub report: Report,
}

/// An upload that is being received.
pub struct Incoming<'a> {
    folder: Scratch,
    _place: SemaphorePermit<'a>,
}

impl Incoming<'_> {
    /// The file for the uploaded bytes.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("upload")
    }
}

impl Drafts {
    pub(super) fn new(library: Library) -> Self {
        Self {
            library,
            places: Semaphore::new(AT_ONCE),
            turn: Semaphore::new(1),
            waiting: Mutex::default(),
            accepted: Mutex::default(),
        }
    }

    /// Reserves a place for an upload, which is freed when the value is dropped.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many uploads are being received.
    pub async fn begin(&self) -> Result<Incoming<'_>> {
        let place = self.places.try_acquire().map_err(|_| {
            Error::Busy(format!(
                "{AT_ONCE} uploads are in progress already; try again when one is complete."
            ))
        })?;
        let library = self.library.clone();
        let folder = on_thread("upload", move || Ok(library.scratch()?)).await?;
        Ok(Incoming {
            folder,
            _place: place,
        })
    }

    /// Reads an upload. Stops when `left` is cancelled because the client has left.
    ///
    /// # Errors
    /// Everything that is wrong with the files, [`Error::Conflict`] when the client has left. The files are removed
    /// then.
    pub async fn read(
        &self,
        incoming: Incoming<'_>,
        file: String,
        left: CancellationToken,
    ) -> Result<Draft> {
        let turn = left.run_until_cancelled(self.turn.acquire()).await;
        let _turn = turn
            .ok_or_else(abandoned)?
            .map_err(|_| Error::Gone("the readers of uploads"))?;
        let title = match stem(&file) {
            stem if stem.trim().is_empty() => "Images",
            stem => stem,
        };
        let (title, name) = (title.to_owned(), title.to_owned());
        let (library, path, source, goes_on) = (
            self.library.clone(),
            incoming.path(),
            file.clone(),
            left.clone(),
        );
        let Import { ready, report } = on_thread("upload", move || {
            let told = |_, _| !goes_on.is_cancelled();
            failpoint("upload.received")?;
            let import = data::import(
                &library,
                "",
                &title,
                &path,
                &ImportLimits::of_uploads(),
                &told,
            )?;
            failpoint("upload.read")?;
            Ok(Import {
                ready: import.ready.described(&title, &source)?,
                report: import.report,
            })
        })
        .await
        .map_err(|error| name_the_upload(error, &incoming.path(), &file))?;
        drop(incoming);
        // Nobody would learn the id of the draft.
        if left.is_cancelled() {
            return Err(abandoned());
        }
        // A set that exists already gets another name.
        let known = report
            .known
            .clone()
            .filter(|set| self.library.check_name(set, false).is_ok());
        let suggestion = known.unwrap_or_else(|| self.free_name(&name));
        let draft = Draft {
            id: Uuid::new_v4(),
            file,
            suggestion,
            report,
        };
        let mut waiting = self.waiting();
        waiting.retain(|_, draft| draft.since.elapsed() < PATIENCE);
        if waiting.len() >= MOST_WAITING
            && let Some(oldest) = waiting
                .iter()
                .min_by_key(|(_, draft)| draft.since)
                .map(|(id, _)| *id)
        {
            waiting.remove(&oldest);
        }
        let since = Instant::now();
        waiting.insert(
            draft.id,
            Waiting {
                draft: draft.clone(),
                ready: Some(ready),
                since,
            },
        );
        Ok(draft)
    }

    /// Makes a draft a set. Accepting it again under the same name succeeds.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it has expired, [`Error::Conflict`] when it is another set already, or has unreadable
    /// images and they may not be skipped; an error of `data.set` when the name cannot be used. The draft remains.
    pub fn accept(
        &self,
        id: Uuid,
        set: &str,
        title: Option<&str>,
        skip_unreadable: bool,
    ) -> Result<()> {
        let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, now)) = accepted.iter().find(|(of, _)| *of == id) {
            return match now == set {
                true if self.library.find(set).is_some() => Ok(()),
                true => Err(gone(id)),
                false => Err(Error::Conflict(format!(
                    "The upload was accepted as “{now}” already."
                ))),
            };
        }
        let mut taken = self.take(id, skip_unreadable)?;
        let published = self.publish(&mut taken, set, title);
        if published.is_err() {
            self.waiting().insert(id, taken);
            return published;
        }
        accepted.push_front((id, set.to_owned()));
        accepted.truncate(MOST_ACCEPTED);
        Ok(())
    }

    /// Removes a draft that may be accepted from the list.
    fn take(&self, id: Uuid, skip_unreadable: bool) -> Result<Waiting> {
        let mut waiting = self.waiting();
        let draft = &waiting.get(&id).ok_or_else(|| gone(id))?.draft;
        let unreadable = draft.report.unreadable.len();
        if unreadable > 0 && !skip_unreadable {
            return Err(Error::Conflict(format!(
                "{unreadable} images cannot be read. Accept the set without them, or repair the file."
            )));
        }
        waiting.remove(&id).ok_or_else(|| gone(id))
    }

    fn publish(&self, taken: &mut Waiting, set: &str, title: Option<&str>) -> Result<()> {
        if known(set).is_some() && taken.draft.report.known.as_deref() != Some(set) {
            let message = "is the name of a known data set, which this is not";
            return Err(vivarium_models::Error::Setting {
                path: "data.set".into(),
                message: message.into(),
            }
            .into());
        }
        self.library.check_name(set, false)?;
        if let (Some(title), Some(ready)) = (title, &mut taken.ready) {
            ready.describe(title, &taken.draft.file)?;
        }
        failpoint("draft.described")?;
        self.library.publish_from(&mut taken.ready, set)?;
        let _ = failpoint("draft.published");
        Ok(())
    }

    /// Discards a draft with its files.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such draft.
    pub fn discard(&self, id: Uuid) -> Result<()> {
        // Waits while it is being accepted.
        let _accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        let gone_now = self.waiting().remove(&id);
        gone_now.map(drop).ok_or_else(|| gone(id))
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Uuid, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A free name that resembles the file's.
    fn free_name(&self, stem: &str) -> String {
        let base = match name_of(stem) {
            name if name.is_empty() => "images".to_owned(),
            name => name[..name.len().min(36)].trim_end_matches('-').to_owned(),
        };
        let numbered = (2..1000).map(|n| format!("{base}-{n}"));
        let mut names = std::iter::once(base.clone()).chain(numbered);
        let free =
            |name: &String| known(name).is_none() && self.library.check_name(name, false).is_ok();
        names.find(free).unwrap_or(base)
    }
}

/// The name of a file without its extension, `.tar.gz` and the like as a whole.
fn stem(file: &str) -> &str {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    stem.strip_suffix(".tar").unwrap_or(stem)
}

fn gone(id: Uuid) -> Error {
    Error::NotFound(format!(
        "upload {id}; it was accepted or discarded, or has expired"
    ))
}

/// Errors name the file as the user knows it, not by its temporary path.
fn name_the_upload(error: Error, path: &std::path::Path, file: &str) -> Error {
    match error {
        Error::Models(vivarium_models::Error::Refused(mut faults)) => {
            let path = path.display().to_string();
            for fault in &mut faults {
                if let Some(rest) = fault.file.strip_prefix(&path) {
                    fault.file = format!("{file}{rest}");
                }
            }
            vivarium_models::Error::Refused(faults).into()
        }
        other => other,
    }
}

fn abandoned() -> Error {
    Error::Conflict("The client left before the upload was read.".to_owned())
}
