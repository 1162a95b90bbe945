//! `measure`: runs a few training steps for the server. It is a process of its own, so that its memory use is the
//! run's, and so that the server can kill it when another request arrives.

use std::io;
use std::thread;
use std::time::Duration;

use serde_json::json;
use vivarium_models::train;

use super::print;
use crate::error::{Error, Result};
use crate::estimate::{MeasureRequest, TIMEOUT};
use crate::worker;

/// After this time the process exits in any case: the server that would kill it may be gone.
const LAST_MOMENT: Duration = TIMEOUT.saturating_add(Duration::from_secs(2));

pub(super) fn measure() -> Result<()> {
    worker::set_oom_score(1000);
    thread::spawn(|| {
        thread::sleep(LAST_MOMENT);
        std::process::exit(1);
    });
    let request: MeasureRequest = serde_json::from_reader(io::stdin().lock())
        .map_err(|e| Error::Usage(format!("the request cannot be read: {e}")))?;
    let measured = train::measure(
        request.graph,
        &request.training,
        request.batch,
        request.keeps_features,
    )?;
    print(&json!(measured).to_string())
}
