//! The API under `/api/v1`, one file a subject; and what stands beside it for machines.

pub mod catalog;
pub mod datasets;
pub mod evaluation;
pub mod events;
pub mod export;
pub mod health;
pub mod images;
pub mod inside;
pub mod label_issues;
pub mod labels;
pub mod metrics;
pub mod networks;
pub mod openapi;
pub mod points;
pub mod predict;
pub mod reports;
pub mod runs;
pub mod selections;
pub mod specs;
pub mod sweeps;
pub mod tensorboard;
pub mod test;
pub mod updates;

use utoipa::IntoParams;

use crate::error::{Error, Result};
use crate::run_dir::RunId;

/// The run in a path. [`run_id`] reads it.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes what `run_id` reads")]
struct RunPath {
    /// The run.
    id: RunId,
}

/// Reads a run's id from a request.
fn run_id(text: &str) -> Result<RunId> {
    text.parse()
        .map_err(|_| Error::NotFound(format!("run “{text}”")))
}
