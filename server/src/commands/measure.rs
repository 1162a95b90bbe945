//! `measure`: a few training steps of a run, for the server, which starts this as a process of its own: then what the
//! system says of the process's memory is the run's, and a server that is asked for something else can end it.

use std::io;
use std::thread;
use std::time::Duration;

use serde_json::json;
use vivarium_models::train;

use super::print;
use crate::error::{Error, Result};
use crate::estimate::{MeasureRequest, TIMEOUT};
use crate::worker;

/// After this time the process ends whatever it is at, in case the server is gone that would end it.
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
        &request.spec,
        &request.input,
        request.classes,
        request.batch,
    )?;
    print(&json!(measured).to_string())
}
