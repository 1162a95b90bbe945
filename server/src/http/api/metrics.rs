//! Curves, for those who want numbers.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query as Axum, State};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::selections::{RunsParams, runs_of};
use super::{RunPath, run_id};
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::query::{Pairs, Query};
use crate::index::metrics::{self, Metrics, Wanted};
use crate::index::moving::MovingAverages;
use crate::index::statistics::{self, Statistics};
use crate::run_dir::RunId;

/// More points than any screen or any script should ask for at once.
const MOST_POINTS: usize = 1_000_000;

/// The curves of several runs.
#[derive(Serialize, ToSchema)]
pub struct MetricsOfRuns {
    /// By the run's id.
    #[schema(value_type = BTreeMap<String, Metrics>)]
    runs: BTreeMap<RunId, Metrics>,
}

/// The statistics of several runs.
#[derive(Serialize, ToSchema)]
pub struct StatisticsOfRuns {
    /// By the run's id.
    #[schema(value_type = BTreeMap<String, Statistics>)]
    runs: BTreeMap<RunId, Statistics>,
}

/// What curves can be drawn over.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "the index reads the word")]
enum Axis {
    Step,
    Samples,
    Epoch,
    Time,
}

/// Which curves, over what, how finely.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MetricsQuery {
    /// Names, joined by commas: train_loss, train_accuracy, lr, samples, time, epoch_train_loss, epoch_train_accuracy,
    /// validation_loss, validation_accuracy. Of an imported run also tag:TAG, where a tag has a chart of its own; a JSON
    /// list of names is taken too, since tags may have commas.
    #[serde(default = "losses")]
    series: String,
    /// What x counts. Of an imported run steps are known and seconds: over samples or epochs it lies at its steps.
    #[serde(default = "step")]
    #[param(value_type = Axis, inline)]
    x: String,
    /// Points of a series at most.
    #[serde(default = "thousand")]
    #[param(minimum = 2, maximum = 1_000_000)]
    points: usize,
    /// Only what lies at or after this position, and the point before it.
    from: Option<f64>,
    /// Only what lies at or before this position, and the point after it.
    to: Option<f64>,
    /// The weight of an exponential moving average over every point, which then comes beside train_loss and
    /// train_accuracy as `smoothed`. The first averages are over the last eighth of the points so far.
    #[param(minimum = 0, exclusive_maximum = 1)]
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

/// The curves of a run, downsampled so that the smallest and the largest values stay.
#[utoipa::path(
    get,
    path = "/runs/{id}/metrics",
    params(RunPath, MetricsQuery),
    responses((status = 200, description = "The series", body = Metrics))
)]
pub async fn metrics(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<MetricsQuery>,
) -> Result<Json<Metrics>> {
    let (id, wanted) = (run_id(&id)?, query.wanted()?);
    let read = move |c: &Connection, a: &MovingAverages| metrics::read(c, a, id, &wanted);
    Ok(Json(app.index.read_curves(read).await?))
}

/// The curves of several runs at once; a run that is gone is left out.
#[utoipa::path(
    get,
    path = "/metrics",
    params(RunsParams, MetricsQuery),
    responses(
        (status = 200, description = "By the run's id", body = MetricsOfRuns),
        (status = 404)
    )
)]
pub async fn of_runs(
    State(app): State<App>,
    Axum(query): Pairs,
    Query(curves): Query<MetricsQuery>,
) -> Result<Json<MetricsOfRuns>> {
    let (ids, wanted) = (runs_of(&app, &query).await?, curves.wanted()?);
    let read = move |c: &Connection, a: &MovingAverages, id| metrics::read(c, a, id, &wanted);
    let runs = of_each(&app, ids, read).await?;
    Ok(Json(MetricsOfRuns { runs }))
}

/// Mean and standard deviation of loss and accuracy over the epochs of runs; a run that is gone is left out.
#[utoipa::path(
    get,
    path = "/statistics",
    params(RunsParams),
    responses(
        (status = 200, description = "By the run's id", body = StatisticsOfRuns),
        (status = 404)
    )
)]
pub async fn statistics(
    State(app): State<App>,
    Axum(query): Pairs,
) -> Result<Json<StatisticsOfRuns>> {
    let ids = runs_of(&app, &query).await?;
    let read = |c: &Connection, _: &MovingAverages, id| statistics::read(c, id);
    let runs = of_each(&app, ids, read).await?;
    Ok(Json(StatisticsOfRuns { runs }))
}

async fn of_each<T: Send + 'static>(
    app: &App,
    ids: Vec<RunId>,
    read: impl Fn(&Connection, &MovingAverages, RunId) -> Result<T> + Send + 'static,
) -> Result<BTreeMap<RunId, T>> {
    let all = move |c: &Connection, averages: &MovingAverages| {
        let mut runs = BTreeMap::new();
        for id in ids {
            match read(c, averages, id) {
                Ok(found) => drop(runs.insert(id, found)),
                Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(runs)
    };
    app.index.read_curves(all).await
}
