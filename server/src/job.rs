//! The job of a run in a cluster's scheduler.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use vivarium_models::links;

/// The exit status of a worker that was asked by SIGUSR1 to leave its job: the run is not finished, and another job can
/// go on from the checkpoint.
pub const ASKS_FOR_ANOTHER_JOB: u8 = 85;

/// The job of a run, as its scheduler told last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    /// The scheduler: `slurm`.
    pub scheduler: String,
    /// The job's id, such as `1234_5`; `null` until the scheduler has accepted it.
    pub id: Option<String>,
    /// Whether it waits or runs.
    pub state: JobState,
    /// The machine on which it runs.
    pub host: Option<String>,
    /// Why it waits, in the scheduler's word, such as `Resources`.
    pub reason: Option<String>,
    /// The state in a sentence.
    pub text: String,
}

/// Whether a job waits or runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// In the scheduler's queue.
    Waiting,
    /// On a machine.
    Running,
}

/// Whether the file at `path`, the `job.json` of a run, tells of a job that has not ended, or cannot be read.
pub fn is_open(path: &Path) -> bool {
    let Ok(bytes) = links::read(path) else {
        return path.exists();
    };
    let told: Option<Value> = serde_json::from_slice(&bytes).ok();
    let ended = told.and_then(|job| job.get("ended")?.as_bool());
    ended != Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_open_until_its_file_says_that_it_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("job.json");
        assert!(!is_open(&path));
        for (text, open) in [
            (r#"{"job": "1_2", "ended": true}"#, false),
            (r#"{"job": "1_2", "ended": false}"#, true),
            (r#"{"job": "1_2", "en"#, true),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(is_open(&path), open, "{text}");
        }
    }
}
