//! Changes of status, and the queue.

use rusqlite::params;

use super::{Status, get};
use crate::error::{Error, Result};
use crate::index::Writing;
use crate::job::Job;
use crate::run_dir::RunId;

/// Appends a run to the queue and clears the reason of its last end.
pub fn enqueue(writing: &Writing<'_>, id: RunId) -> Result<()> {
    writing
        .prepare_cached(
            "UPDATE runs SET status = 'queued', stopping = 0, reason = NULL, message = '', job = NULL, changed = ?2,
             queued = 1 + (SELECT coalesce(max(queued), 0) FROM runs) WHERE id = ?1",
        )?
        .execute(params![id.to_string(), writing.change()])?;
    Ok(())
}

/// Sets the status and message of a run, and removes it from the queue: those behind it move up.
pub fn set_status(writing: &Writing<'_>, id: RunId, status: Status, message: &str) -> Result<()> {
    move_others_up(writing, id)?;
    writing
        .prepare_cached(
            "UPDATE runs SET status = ?3, message = ?4, queued = NULL, stopping = 0, job = NULL, changed = ?2 WHERE id = ?1",
        )?
        .execute(params![id.to_string(), writing.change(), status.name(), message])?;
    Ok(())
}

/// Records that a worker trains the run, and clears the reason of its last end.
pub fn set_running(writing: &Writing<'_>, id: RunId) -> Result<()> {
    set_status(writing, id, Status::Running, "")?;
    writing
        .prepare_cached("UPDATE runs SET reason = NULL WHERE id = ?1")?
        .execute([id.to_string()])?;
    Ok(())
}

/// Records that the job of a run waits in a scheduler's queue, or is about to be submitted.
pub fn set_waiting(writing: &Writing<'_>, id: RunId, job: Option<&Job>) -> Result<()> {
    set_job(writing, id, Status::Queued, job)
}

/// Records that a worker trains the run, as the given job of a scheduler if it is one.
pub fn set_training(writing: &Writing<'_>, id: RunId, job: Option<&Job>) -> Result<()> {
    set_job(writing, id, Status::Running, job)
}

/// Writes nothing if nothing is new. A request to stop stays.
///
/// So does the end that the log tells: a scheduler may tell late that the job runs, even after its last line was read.
/// Only another attempt makes the last one's end void.
fn set_job(writing: &Writing<'_>, id: RunId, status: Status, job: Option<&Job>) -> Result<()> {
    let run = get(writing, id)?;
    if run.status == status && run.job.as_ref() == job && run.position.is_none() {
        return Ok(());
    }
    let is_another_attempt =
        status == Status::Queued && (job.is_none() || run.status == Status::Running);
    let (reason, message) = match run.reason {
        Some(reason) if !(is_another_attempt && Status::of_reason(&reason) == Status::Stopped) => {
            (Some(reason), run.message)
        }
        _ => (None, String::new()),
    };
    move_others_up(writing, id)?;
    let text = job
        .map(serde_json::to_string)
        .transpose()
        .map_err(|e| Error::json("the job of a run", e))?;
    writing
        .prepare_cached(
            "UPDATE runs SET status = ?3, job = ?4, reason = ?5, message = ?6, queued = NULL, changed = ?2 WHERE id = ?1",
        )?
        .execute(params![
            id.to_string(),
            writing.change(),
            status.name(),
            text,
            reason,
            message
        ])?;
    Ok(())
}

/// Records that a run was asked to stop.
pub fn set_stopping(writing: &Writing<'_>, id: RunId) -> Result<()> {
    writing
        .prepare_cached("UPDATE runs SET stopping = 1, changed = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), writing.change()])?;
    Ok(())
}

/// Marks the runs that are in the queue behind one as changed, because it leaves the queue.
fn move_others_up(writing: &Writing<'_>, id: RunId) -> Result<()> {
    writing
        .prepare_cached(
            "UPDATE runs SET changed = ?2 WHERE queued > (SELECT queued FROM runs WHERE id = ?1)",
        )?
        .execute(params![id.to_string(), writing.change()])?;
    Ok(())
}
