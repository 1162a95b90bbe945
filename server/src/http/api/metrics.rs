//! Curves, for those who want numbers.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;

use super::run_id;
use crate::error::{Error, Result};
use crate::http::App;
use crate::index::metrics::{self, Metrics};

/// More points than any screen or any script should ask for at once.
const MOST_POINTS: usize = 1_000_000;

/// Which curves, over what, how finely.
#[derive(Deserialize)]
pub struct Wanted {
    #[serde(default = "losses")]
    series: String,
    #[serde(default = "step")]
    x: String,
    #[serde(default = "thousand")]
    points: usize,
}

fn losses() -> String {
    "train_loss,validation_loss".to_owned()
}

fn step() -> String {
    "step".to_owned()
}

fn thousand() -> usize {
    1000
}

/// `GET /runs/{id}/metrics`
pub async fn metrics(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Metrics>> {
    let id = run_id(&id)?;
    if !(2..=MOST_POINTS).contains(&wanted.points) {
        return Err(Error::BadRequest(format!(
            "points: must be between 2 and {MOST_POINTS}"
        )));
    }
    let read = move |c: &rusqlite::Connection| {
        let names: Vec<_> = wanted.series.split(',').map(str::trim).collect();
        metrics::read(c, id, &names, &wanted.x, wanted.points)
    };
    Ok(Json(app.index.read(read).await?))
}
