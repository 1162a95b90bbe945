//! `evaluate`: evaluates a checkpoint for the server. It is a process of its own, so that the memory of the network and
//! of its data is given back whole, and so that the server can kill it when nobody waits any more.

use std::io;

use serde_json::json;

use super::told;
use crate::error::{Error, Result};
use crate::evaluations::compute::{Line, compute};
use crate::priority::lower_priority;
use crate::worker;

pub(super) fn evaluate() -> Result<()> {
    worker::set_oom_score(1000);
    // Somebody waits for it: it goes before training. Threads that are started later inherit it.
    lower_priority();
    let request = serde_json::from_reader(io::stdin().lock())
        .map_err(|e| Error::Usage(format!("the request cannot be read: {e}")))?;
    // A server that died reads nothing more.
    let tell = |line: Line| {
        told(&json!(line).to_string()).map_err(|e| Error::system("the server has ended", e))
    };
    let version = compute(request, &|progress| tell(Line::Progress(*progress)))?;
    tell(Line::Evaluated(version))
}
