//! The status of a run.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The status of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = RunStatus)]
pub enum Status {
    /// In the queue.
    Queued,
    /// A worker is training it.
    Running,
    /// Training ended by itself: completed, stopped early, or diverged.
    Finished,
    /// Stopped by a user; it can be resumed.
    Stopped,
    /// The worker failed or died; it can be resumed from its last checkpoint.
    Failed,
    /// The server was stopped, or found no worker; it can be resumed.
    Interrupted,
}

impl Status {
    /// All statuses, in the order of a run's life.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Running,
        Self::Finished,
        Self::Stopped,
        Self::Failed,
        Self::Interrupted,
    ];

    /// Its name in the API and in the index.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }

    /// The status that follows from the reason of a `finished` event.
    pub fn of_reason(reason: &str) -> Self {
        match reason {
            "completed" | "early_stopped" | "diverged" => Self::Finished,
            "stopped" => Self::Stopped,
            _ => Self::Failed,
        }
    }

    /// Whether the run is queued or has a worker.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }

    /// The status of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    pub(in crate::index) fn parse(name: &str) -> Self {
        Self::named(name).unwrap_or(Self::Interrupted)
    }
}
