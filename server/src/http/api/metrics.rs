//! Curves, for those who want numbers.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query, State};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::run_id;
use super::selections::runs_of;
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::query::Pairs;
use crate::index::metrics::{self, Metrics, Wanted};
use crate::index::moving::MovingAverages;
use crate::index::statistics::{self, Statistics};
use crate::run_dir::RunId;

/// More points than any screen or any script should ask for at once.
const MOST_POINTS: usize = 1_000_000;

/// What belongs to each of several runs.
#[derive(Serialize)]
pub struct OfRuns<T> {
    runs: BTreeMap<RunId, T>,
}

/// Which curves, over what, how finely.
#[derive(Deserialize)]
pub struct MetricsQuery {
    #[serde(default = "losses")]
    series: String,
    #[serde(default = "step")]
    x: String,
    #[serde(default = "thousand")]
    points: usize,
    from: Option<f64>,
    to: Option<f64>,
    smooth: Option<f64>,
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

impl MetricsQuery {
    fn wanted(self) -> Result<Wanted> {
        if !(2..=MOST_POINTS).contains(&self.points) {
            return Err(Error::BadRequest(format!(
                "points: must be between 2 and {MOST_POINTS}"
            )));
        }
        let wanted = Wanted {
            series: names(&self.series)?,
            x: self.x,
            points: self.points,
            from: self.from,
            to: self.to,
            smooth: self.smooth,
        };
        wanted.check()?;
        Ok(wanted)
    }
}

/// Names with commas between them, or a JSON list of them: tags of imported runs may have commas.
fn names(text: &str) -> Result<Vec<String>> {
    if !text.starts_with('[') {
        let names = text.split(',').map(|name| name.trim().to_owned());
        return Ok(names.collect());
    }
    serde_json::from_str(text)
        .map_err(|_| Error::BadRequest("series: is no JSON list of names".to_owned()))
}

/// `GET /runs/{id}/metrics`
pub async fn metrics(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<MetricsQuery>,
) -> Result<Json<Metrics>> {
    let (id, wanted) = (run_id(&id)?, query.wanted()?);
    let read = move |c: &Connection, a: &MovingAverages| metrics::read(c, a, id, &wanted);
    Ok(Json(app.index.read_curves(read).await?))
}

/// `GET /metrics?run=…&run=…`, `?selection=…` or `?sweep=…`: the curves of several runs. A run that is gone is left out.
pub async fn of_runs(
    State(app): State<App>,
    Query(query): Pairs,
    Query(curves): Query<MetricsQuery>,
) -> Result<Json<OfRuns<Metrics>>> {
    let (ids, wanted) = (runs_of(&app, &query).await?, curves.wanted()?);
    let read = move |c: &Connection, a: &MovingAverages, id| metrics::read(c, a, id, &wanted);
    Ok(Json(of_each(&app, ids, read).await?))
}

/// `GET /statistics?run=…&run=…`, `?selection=…` or `?sweep=…`: mean and deviation over epochs. A run that is gone is left out.
pub async fn statistics(
    State(app): State<App>,
    Query(query): Pairs,
) -> Result<Json<OfRuns<Statistics>>> {
    let ids = runs_of(&app, &query).await?;
    let read = |c: &Connection, _: &MovingAverages, id| statistics::read(c, id);
    Ok(Json(of_each(&app, ids, read).await?))
}

async fn of_each<T: Send + 'static>(
    app: &App,
    ids: Vec<RunId>,
    read: impl Fn(&Connection, &MovingAverages, RunId) -> Result<T> + Send + 'static,
) -> Result<OfRuns<T>> {
    let all = move |c: &Connection, averages: &MovingAverages| {
        let mut runs = BTreeMap::new();
        for id in ids {
            match read(c, averages, id) {
                Ok(found) => drop(runs.insert(id, found)),
                Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(OfRuns { runs })
    };
    app.index.read_curves(all).await
}
