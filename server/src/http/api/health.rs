//! For those who watch over the server: is it alive, and what does it do.

use std::fmt::Write as _;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;

use super::events::open_streams;
use crate::error::Result;
use crate::http::App;
use crate::index::runs::{self as rows, Status};
use crate::panics::panic_count;

/// That the server is alive.
#[derive(Serialize)]
pub struct Health {
    status: &'static str,
    version: &'static str,
}

/// `GET /healthz`
pub async fn healthz() -> Json<Health> {
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// `GET /metrics`: Prometheus' text format.
pub async fn metrics(State(app): State<App>) -> Result<impl IntoResponse> {
    let counts = app
        .index
        .read(|c| {
            Status::ALL
                .map(|status| Ok((status, rows::count(c, status)?)))
                .into_iter()
                .collect::<Result<Vec<_>>>()
        })
        .await?;
    let mut text =
        String::from("# HELP vivarium_runs Runs by status.\n# TYPE vivarium_runs gauge\n");
    for (status, count) in counts {
        let _ = writeln!(
            text,
            "vivarium_runs{{status=\"{}\"}} {count}",
            status.name()
        );
    }
    let _ = write!(
        text,
        "# HELP vivarium_event_streams Open event streams.\n# TYPE vivarium_event_streams gauge\nvivarium_event_streams {}\n\
         # HELP vivarium_index_changes_total Changes written to the index.\n# TYPE vivarium_index_changes_total counter\nvivarium_index_changes_total {}\n\
         # HELP vivarium_changes_total Requests that change something, begun since the start.\n# TYPE vivarium_changes_total counter\nvivarium_changes_total {}\n\
         # HELP vivarium_changes_in_progress Requests that change something, not yet carried through.\n# TYPE vivarium_changes_in_progress gauge\nvivarium_changes_in_progress {}\n\
         # HELP vivarium_uptime_seconds Time since the server started.\n# TYPE vivarium_uptime_seconds gauge\nvivarium_uptime_seconds {:.1}\n\
         # HELP vivarium_panics_total Defects: panics that were caught.\n# TYPE vivarium_panics_total counter\nvivarium_panics_total {}\n",
        open_streams(),
        *app.index.changes().borrow(),
        app.changes.begun(),
        app.changes.in_progress(),
        app.started.elapsed().as_secs_f64(),
        panic_count(),
    );
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text))
}
