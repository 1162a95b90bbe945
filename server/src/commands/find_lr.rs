//! `find-lr`: looks for a learning rate for the server. It is a process of its own, so that its memory use is no concern
//! of the server, which kills it when its client leaves.

use std::io::{self, Write as _};
use std::thread;
use std::time::Duration;

use serde_json::json;
use vivarium_models::data::Library;
use vivarium_models::train;

use crate::error::{Error, Result};
use crate::lr_finder::{FindLrRequest, LrFinderLine, TIMEOUT};
use crate::worker;

/// After this time the process exits in any case: the server that would kill it may be gone.
const LAST_MOMENT: Duration = TIMEOUT.saturating_add(Duration::from_secs(2));

pub(super) fn find_lr() -> Result<()> {
    worker::set_oom_score(1000);
    thread::spawn(|| {
        thread::sleep(LAST_MOMENT);
        std::process::exit(1);
    });
    let request: FindLrRequest = serde_json::from_reader(io::stdin().lock())
        .map_err(|e| Error::Usage(format!("the request cannot be read: {e}")))?;
    let library = Library::in_folder(request.data_sets);
    let found = train::find_lr(&request.spec, request.graph, &library, &mut |step| {
        tell(&LrFinderLine::Step(step.clone()));
    })?;
    tell(&LrFinderLine::Result(found));
    Ok(())
}

/// Writes a line at once. Without a reader there is nothing more to do.
fn tell(line: &LrFinderLine) {
    let mut out = io::stdout().lock();
    if writeln!(out, "{}", json!(line))
        .and_then(|()| out.flush())
        .is_err()
    {
        std::process::exit(1);
    }
}
