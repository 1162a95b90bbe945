//! A run as the API returns it.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use vivarium_models::contract::Reason;

use super::Status;
use crate::error::{Error, Result};
use crate::index::summary::Summary;
use crate::job::Job;
use crate::labels::RunLabels;
use crate::run_dir::RunId;
use crate::run_dir::imported::{Settings, Source};

/// A run as the API returns it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Numbers the runs in the order in which they came to this index; it determines the colour of their lines.
    pub number: i64,
    /// The URL of its page.
    pub url: String,
    /// Its name; never a path.
    pub name: String,
    /// Its status.
    pub status: Status,
    /// Its position in the queue, from 1.
    pub position: Option<u64>,
    /// Why it ended: `completed`, `stopped`, `early_stopped`, `diverged`, `failed`.
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<String>,
    /// The reason in words.
    pub message: String,
    /// When it was created, RFC 3339.
    #[schema(format = DateTime)]
    pub created: String,
    /// Whether it was asked to stop and has not stopped yet.
    pub stopping: bool,
    /// Its job, if it is queued or running on a cluster.
    pub job: Option<Job>,
    /// The RunSpec; of an imported run its name and the hyperparameters in its files.
    #[schema(value_type = Settings)]
    pub spec: Value,
    /// The source of the curves of an imported run, which has nothing but curves.
    pub source: Option<Source>,
    /// Labels.
    pub tags: Vec<String>,
    /// Its notes.
    pub notes: String,
    /// The sweep it belongs to.
    pub sweep: Option<String>,
    /// Its metrics.
    pub summary: Summary,
    /// The number of its last change: of two states of a run, the one with the greater number is the newer.
    pub changed: i64,
    /// The last indexed event.
    #[serde(skip)]
    pub seq: u64,
    /// The last event in the curves. Differs from the last indexed event only while an earlier version's curves are
    /// rebuilt.
    #[serde(skip)]
    pub curves: u64,
    /// The number of the change that last altered its curves other than by appending.
    #[serde(skip)]
    pub made: i64,
}

impl Run {
    /// Its labels.
    pub fn labels(&self) -> RunLabels {
        RunLabels {
            name: self.name.clone(),
            tags: self.tags.clone(),
            notes: self.notes.clone(),
        }
    }

    /// Refuses an imported run, which has only curves.
    ///
    /// # Errors
    /// [`Error::Conflict`] for an imported run; the message says that `what` is not possible.
    pub fn is_own(&self, what: &str) -> Result<()> {
        match &self.source {
            None => Ok(()),
            Some(_) => Err(Error::Conflict(format!(
                "The run was imported from TensorBoard files, which have only its curves: {what}."
            ))),
        }
    }
}
