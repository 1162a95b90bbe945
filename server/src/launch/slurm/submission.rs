//! What one `sbatch` submits: an array of runs. It is a folder, named by a UUID that is also in the name of the job.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;
use vivarium_models::links;

use crate::atomic_file::write_atomically;
use crate::error::{Error, Result};

/// How the names of jobs begin.
const PREFIX: &str = "vivarium-";

/// Writing a submission takes milliseconds; one that is incomplete after this time never will be complete.
const ABANDONED: Duration = Duration::from_secs(600);

/// An array of runs.
#[derive(Clone, Debug)]
pub(super) struct Submission {
    pub id: Uuid,
    folder: PathBuf,
    /// The directories of the runs, in the order of the array.
    pub runs: Vec<PathBuf>,
}

impl Submission {
    /// Writes a submission to the disk.
    pub(super) fn create(parent: &Path, runs: Vec<PathBuf>) -> Result<Self> {
        let id = Uuid::now_v7();
        let this = Self {
            id,
            folder: parent.join(id.to_string()),
            runs,
        };
        links::refuse(parent)
            .and_then(|()| fs::create_dir_all(&this.folder))
            .map_err(|e| Error::file(&this.folder, e))?;
        let lines: Vec<_> = this.runs.iter().map(|run| run.to_string_lossy()).collect();
        write_atomically(&this.list(), (lines.join("\n") + "\n").as_bytes())?;
        Ok(this)
    }

    /// All submissions in a folder, oldest first. What is incomplete was never submitted, and is removed.
    pub(super) fn all(parent: &Path) -> Result<Vec<Self>> {
        let entries = match fs::read_dir(parent) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::file(parent, error)),
        };
        let mut found: Vec<_> = entries
            .flatten()
            .filter_map(|entry| {
                let id = entry.file_name().to_str()?.parse().ok()?;
                Some((id, entry.path()))
            })
            .collect();
        found.sort_unstable();
        Ok(found
            .into_iter()
            .filter_map(|(id, folder)| Self::read(id, folder))
            .collect())
    }

    fn read(id: Uuid, folder: PathBuf) -> Option<Self> {
        let mut this = Self {
            id,
            folder,
            runs: Vec::new(),
        };
        let Some(list) = this.read_list() else {
            // A command line may be writing it right now.
            if this.age().is_some_and(|age| age > ABANDONED) {
                this.remove();
            }
            return None;
        };
        this.runs = list.lines().map(PathBuf::from).collect();
        Some(this)
    }

    fn read_list(&self) -> Option<String> {
        String::from_utf8(links::read(&self.list()).ok()?).ok()
    }

    fn age(&self) -> Option<Duration> {
        let modified = fs::metadata(&self.folder).ok()?.modified().ok()?;
        modified.elapsed().ok()
    }

    /// The file that the jobs read.
    pub(super) fn list(&self) -> PathBuf {
        self.folder.join("runs")
    }

    /// The place of a run in the array.
    pub(super) fn index(&self, run: &Path) -> Option<usize> {
        self.runs.iter().position(|each| each == run)
    }

    /// The name of the job.
    pub(super) fn job_name(&self) -> String {
        format!("{PREFIX}{}", self.id)
    }

    /// The submission in the name of a job.
    pub(super) fn id_of_name(name: &str) -> Option<Uuid> {
        name.strip_prefix(PREFIX)?.parse().ok()
    }

    /// The pattern of the names of the jobs' own logs, for `sbatch --output`.
    pub(super) fn log_pattern(&self) -> String {
        // A percent sign in the path would be a pattern, too.
        let folder = self.folder.to_string_lossy().replace('%', "%%");
        format!("{folder}/%a.log")
    }

    /// The end of the log of a job: what Slurm and the script wrote.
    pub(super) fn log_of(&self, index: usize) -> String {
        let path = self.folder.join(format!("{index}.log"));
        crate::run_dir::worker_log::tail(&path, 4096).unwrap_or_default()
    }

    /// Gives the submission up: jobs of it that come late find no run.
    pub(super) fn remove(&self) {
        // First the list, so that a job cannot find it any more.
        let _ = fs::remove_file(self.list());
        if let Err(error) = fs::remove_dir_all(&self.folder)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(folder = %self.folder.display(), %error, "a submission could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn submissions_are_found_again_and_incomplete_ones_removed() {
        let parent = tempfile::tempdir().unwrap();
        let runs = vec![PathBuf::from("/data/a"), PathBuf::from("/data/b c")];
        let made = Submission::create(parent.path(), runs.clone()).unwrap();
        let [incomplete, fresh] = [0, 1].map(|_| parent.path().join(Uuid::now_v7().to_string()));
        for (path, age) in [(&incomplete, 2 * ABANDONED), (&fresh, Duration::ZERO)] {
            fs::create_dir(path).unwrap();
            let then = std::time::SystemTime::now() - age;
            fs::File::open(path).unwrap().set_modified(then).unwrap();
        }
        let found = Submission::all(parent.path()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].id, &found[0].runs), (made.id, &runs));
        assert_eq!(found[0].index(Path::new("/data/b c")), Some(1));
        assert_eq!(Submission::id_of_name(&made.job_name()), Some(made.id));
        assert!(!incomplete.exists() && fresh.exists());
        made.remove();
        assert!(Submission::all(parent.path()).unwrap().is_empty());
    }
}
