//! Reports: texts that users write about their runs. A report is a Markdown file that names runs and metrics; the
//! browser draws them, so the file holds no results.
//!
//! A deleted report stays in a folder beside the others for some days and can be restored.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;
use vivarium_models::links;

use crate::atomic_file::{remove_incoming, write_atomically};
use crate::base_path;
use crate::error::{Error, Result};
use crate::failpoint::failpoint;
use crate::trash::KEPT;

/// The maximum length of a text: a long book.
pub const MOST_BYTES: usize = 1024 * 1024;

/// The title of a report without a heading.
const UNTITLED: &str = "Untitled report";

/// A report without its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReportAbout)]
pub struct ReportInfo {
    /// Its id.
    pub id: Uuid,
    /// The URL of its page.
    pub url: String,
    /// Its first heading.
    pub title: String,
    /// Identifies the text: whoever saves names the revision that was edited.
    pub revision: String,
    /// When it was created, RFC 3339.
    #[schema(format = DateTime)]
    pub created: String,
    /// When it was saved last, RFC 3339.
    #[schema(format = DateTime)]
    pub changed: String,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Report {
    /// Everything but the text.
    #[serde(flatten)]
    pub about: ReportInfo,
    /// Markdown.
    pub text: String,
}

/// The folder of reports.
#[derive(Debug)]
pub struct Reports {
    folder: PathBuf,
    /// Comparing and writing must not be interrupted by another writer.
    writing: Mutex<()>,
}

impl Reports {
    /// The reports in `folder`; expired deleted reports are removed.
    pub fn in_folder(folder: PathBuf) -> Self {
        let reports = Self {
            folder,
            writing: Mutex::new(()),
        };
        remove_incoming(&reports.folder);
        // Created while there is space: users often delete because there is none.
        let _ = fs::create_dir_all(reports.deleted());
        reports.sweep(SystemTime::now());
        reports
    }

    /// Creates a report.
    ///
    /// # Errors
    /// [`Error::Field`] when the text is too long.
    pub fn create(&self, text: &str) -> Result<ReportInfo> {
        let id = Uuid::now_v7();
        self.write(id, text)?;
        Ok(self.get(id)?.about)
    }

    /// Reads a report.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no report with this id.
    pub fn get(&self, id: Uuid) -> Result<Report> {
        let path = self.file(id);
        let text = read(&path, id)?;
        let changed = fs::metadata(&path).and_then(|about| about.modified());
        let changed = changed.map_err(|e| Error::file(&path, e))?;
        Ok(Report {
            about: ReportInfo {
                id,
                url: base_path::url(&format!("/reports/{id}")),
                title: title(&text),
                revision: revision(&text),
                created: rfc3339(begun(id).unwrap_or(changed)),
                changed: rfc3339(changed),
            },
            text,
        })
    }

    /// All readable reports, the most recently saved first.
    ///
    /// # Errors
    /// [`Error::File`] when the folder cannot be read.
    pub fn list(&self) -> Result<Vec<ReportInfo>> {
        let mut found: Vec<ReportInfo> = ids(&self.folder)?
            .into_iter()
            .filter_map(|id| Some(self.get(id).ok()?.about))
            .collect();
        found.sort_by(|a, b| (&b.changed, b.id).cmp(&(&a.changed, a.id)));
        Ok(found)
    }

    /// Saves a report whose revision was `changed_from` when the user began to edit.
    ///
    /// # Errors
    /// [`Error::Conflict`] when its revision is another one now, so that nobody's text is lost.
    pub fn save(&self, id: Uuid, text: &str, changed_from: &str) -> Result<ReportInfo> {
        let _writing = self.writing();
        let now = read(&self.file(id), id)?;
        if now != text && revision(&now) != changed_from {
            return Err(Error::Conflict(
                "The report was saved elsewhere since it was opened here; nothing was overwritten."
                    .into(),
            ));
        }
        if now != text {
            self.write(id, text)?;
        }
        Ok(self.get(id)?.about)
    }

    /// Moves a report to the deleted ones.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no report with this id.
    pub fn delete(&self, id: Uuid) -> Result<()> {
        let _writing = self.writing();
        self.sweep(SystemTime::now());
        fs::create_dir_all(self.deleted()).map_err(|e| Error::file(self.deleted(), e))?;
        // The modification time becomes the time of the deletion.
        let file = links::refuse(&self.file(id))
            .and_then(|()| fs::File::options().append(true).open(self.file(id)));
        let file = file.map_err(|e| missing_or(e, &self.file(id), id))?;
        let failed = |e| Error::file(self.file(id), e);
        file.set_modified(SystemTime::now()).map_err(failed)?;
        failpoint("report.dated")?;
        fs::rename(self.file(id), self.deleted_file(id)).map_err(failed)
    }

    /// Restores a deleted report.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it was not deleted, or too long ago.
    pub fn restore(&self, id: Uuid) -> Result<ReportInfo> {
        let _writing = self.writing();
        let from = self.deleted_file(id);
        fs::rename(&from, self.file(id)).map_err(|e| missing_or(e, &from, id))?;
        Ok(self.get(id)?.about)
    }

    fn write(&self, id: Uuid, text: &str) -> Result<()> {
        if text.len() > MOST_BYTES {
            let message = format!("must not be longer than {MOST_BYTES} bytes");
            return Err(Error::field("text", Value::from(text.len()), &message));
        }
        write_atomically(&self.file(id), text.as_bytes())
    }

    /// Removes deleted reports that have expired.
    fn sweep(&self, now: SystemTime) {
        for id in ids(&self.deleted()).unwrap_or_default() {
            let file = self.deleted_file(id);
            let deleted = fs::metadata(&file).and_then(|about| about.modified());
            if deleted.is_ok_and(|deleted| deleted + KEPT < now)
                && let Err(error) = fs::remove_file(&file)
            {
                tracing::warn!(%error, file = %file.display(), "a deleted report could not be removed");
            }
        }
    }

    fn writing(&self) -> std::sync::MutexGuard<'_, ()> {
        // The lock protects no data of its own.
        self.writing
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn file(&self, id: Uuid) -> PathBuf {
        self.folder.join(format!("{id}.md"))
    }

    fn deleted(&self) -> PathBuf {
        self.folder.join("deleted")
    }

    fn deleted_file(&self, id: Uuid) -> PathBuf {
        self.deleted().join(format!("{id}.md"))
    }
}

/// The reports whose files lie in a folder; other files are ignored.
fn ids(folder: &Path) -> Result<Vec<Uuid>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::file(folder, error)),
    };
    let names = entries.flatten().map(|entry| entry.path());
    Ok(names
        .filter(|path| path.extension().is_some_and(|kind| kind == "md"))
        .filter_map(|path| path.file_stem()?.to_str()?.parse().ok())
        .collect())
}

/// The text of a file. Another program may have changed it: bytes that are not UTF-8 are replaced.
fn read(path: &Path, id: Uuid) -> Result<String> {
    let bytes = links::read(path).map_err(|e| missing_or(e, path, id))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn missing_or(error: std::io::Error, path: &Path, id: Uuid) -> Error {
    if error.kind() == ErrorKind::NotFound {
        Error::NotFound(format!("report “{id}”"))
    } else {
        Error::file(path, error)
    }
}

/// The text of the first heading, without Markdown syntax.
fn title(text: &str) -> String {
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let heading = line.trim_start_matches('#');
        let depth = line.len() - heading.len();
        if fenced || !(1..=6).contains(&depth) || !heading.starts_with([' ', '\t']) {
            continue;
        }
        let plain: String = heading.chars().filter(|c| !"*_`".contains(*c)).collect();
        let plain = plain.trim().trim_end_matches('#').trim_end();
        if !plain.is_empty() {
            return plain.chars().take(200).collect();
        }
    }
    UNTITLED.to_owned()
}

/// The revision of a text.
fn revision(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hex::encode(&hash[..8])
}

/// The creation time that an id contains.
fn begun(id: Uuid) -> Option<SystemTime> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    SystemTime::UNIX_EPOCH.checked_add(std::time::Duration::new(seconds, nanos))
}

fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reports() -> (tempfile::TempDir, Reports) {
        let folder = tempfile::tempdir().unwrap();
        let reports = Reports::in_folder(folder.path().join("reports"));
        (folder, reports)
    }

    #[test]
    fn a_report_is_a_file_with_its_title_in_it() {
        let (folder, reports) = reports();
        assert_eq!(reports.list().unwrap(), []);
        let made = reports
            .create("\n# The *noise* of batches #\n\nText.")
            .unwrap();
        assert_eq!(made.title, "The noise of batches");
        let file = folder.path().join(format!("reports/{}.md", made.id));
        assert_eq!(
            fs::read_to_string(file).unwrap(),
            "\n# The *noise* of batches #\n\nText."
        );
        assert_eq!(reports.list().unwrap(), std::slice::from_ref(&made));
        assert_eq!(reports.get(made.id).unwrap().about, made);
        assert!(matches!(
            reports.get(Uuid::now_v7()),
            Err(Error::NotFound(_))
        ));
    }

    #[test]
    fn titles_are_the_first_heading() {
        assert_eq!(title(""), UNTITLED);
        assert_eq!(title("text\n## Second\n# First"), "Second");
        assert_eq!(title("```\n# code\n```\n# After"), "After");
        assert_eq!(title("#no\n####### no\n#  \n# `yes`"), "yes");
    }

    #[test]
    fn what_was_saved_elsewhere_is_not_overwritten() {
        let (_folder, reports) = reports();
        let first = reports.create("# One").unwrap();
        let second = reports.save(first.id, "# Two", &first.revision).unwrap();
        assert_ne!(second.revision, first.revision);
        let refused = reports.save(first.id, "# Three", &first.revision);
        assert!(matches!(refused, Err(Error::Conflict(_))));
        assert_eq!(reports.get(first.id).unwrap().text, "# Two");
        // Saving the same text again, because the answer was lost, is not refused.
        let again = reports.save(first.id, "# Two", &first.revision).unwrap();
        assert_eq!(again, second);
    }

    #[test]
    fn a_text_has_an_end() {
        let (_folder, reports) = reports();
        let long = "a".repeat(MOST_BYTES + 1);
        assert!(matches!(reports.create(&long), Err(Error::Field(_))));
        let made = reports.create(&long[..MOST_BYTES]).unwrap();
        let refused = reports.save(made.id, &long, &made.revision);
        assert!(matches!(refused, Err(Error::Field(_))));
        assert_eq!(reports.get(made.id).unwrap().text.len(), MOST_BYTES);
    }

    #[test]
    fn a_deleted_report_comes_back_for_some_days() {
        let (_folder, reports) = reports();
        let made = reports.create("# Kept").unwrap();
        reports.delete(made.id).unwrap();
        assert_eq!(reports.list().unwrap(), []);
        assert!(matches!(reports.delete(made.id), Err(Error::NotFound(_))));
        assert!(matches!(reports.get(made.id), Err(Error::NotFound(_))));
        reports.sweep(SystemTime::now());
        assert_eq!(reports.restore(made.id).unwrap().title, "Kept");
        assert!(matches!(reports.restore(made.id), Err(Error::NotFound(_))));
        reports.delete(made.id).unwrap();
        reports.sweep(SystemTime::now() + KEPT * 2);
        assert!(matches!(reports.restore(made.id), Err(Error::NotFound(_))));
    }

    #[test]
    fn files_of_others_are_left_alone() {
        let (folder, reports) = reports();
        reports.create("# Mine").unwrap();
        let other = folder.path().join("reports/notes.md");
        fs::write(&other, b"\xff\xfe").unwrap();
        assert_eq!(reports.list().unwrap().len(), 1);
        assert!(other.exists());
    }
}
