//! Two-dimensional data: its points, and the decision boundary after each epoch.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use vivarium_models::contract::Boundary;
use vivarium_models::data::{self, Point};
use vivarium_models::spec::RunSpec;

use super::{RunPath, run_id};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::query::Query;
use crate::index::curves::{self, Mark};
use crate::index::runs as rows;

/// Two-dimensional data.
#[derive(Serialize, ToSchema)]
pub struct Points {
    /// In raw coordinates.
    points: Vec<Point>,
    /// The names of the classes.
    classes: Option<Vec<String>>,
}

/// The points of two-dimensional data.
#[utoipa::path(
    get,
    path = "/runs/{id}/points",
    params(RunPath),
    responses((status = 200, description = "The points", body = Points))
)]
pub async fn points(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Points>> {
    let id = run_id(&id)?;
    let run = app.index.read(move |c| rows::get(c, id)).await?;
    run.is_own("there are no points to draw")?;
    let spec: RunSpec =
        serde_json::from_value(run.spec).map_err(|e| Error::json("the run's settings", e))?;
    let points = blocking(move || Ok(data::points(&spec.data)?)).await?;
    match points {
        Some(points) => Ok(Json(Points {
            points,
            classes: run.summary.classes,
        })),
        None => Err(Error::NotFound(
            "plane to draw on: the data of this run is not two-dimensional".to_owned(),
        )),
    }
}

/// Which boundary.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BoundaryQuery {
    /// A number, or `latest`.
    #[serde(default = "latest")]
    epoch: String,
}

fn latest() -> String {
    "latest".to_owned()
}

/// The `boundary` event of a run.
#[derive(Serialize, ToSchema)]
struct BoundaryEvent {
    #[schema(inline)]
    kind: BoundaryKind,
    /// The number of its line in the log.
    seq: u64,
    /// When it was written, in RFC 3339.
    #[schema(format = DateTime)]
    time: String,
    #[serde(flatten)]
    boundary: Boundary,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes lines that are passed on as they stand")]
enum BoundaryKind {
    Boundary,
}

/// The decision boundaries of a run.
#[derive(Serialize, ToSchema)]
pub struct Boundaries {
    /// The epochs that have one.
    epochs: Vec<u64>,
    /// The one asked for; `null` where there is none yet.
    #[schema(value_type = Option<BoundaryEvent>)]
    boundary: Value,
}

/// The decision boundary after an epoch, for two-dimensional data.
#[utoipa::path(
    get,
    path = "/runs/{id}/boundaries",
    params(RunPath, BoundaryQuery),
    responses((status = 200, description = "The epochs that have one, and the boundary", body = Boundaries))
)]
pub async fn boundaries(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(which): Query<BoundaryQuery>,
) -> Result<Json<Boundaries>> {
    let id = run_id(&id)?;
    let wanted = match which.epoch.as_str() {
        "latest" => None,
        number => Some(number.parse::<u64>().map_err(|_| {
            Error::BadRequest(format!(
                "epoch: must be “latest” or a number, not “{number}”"
            ))
        })?),
    };
    let (epochs, boundary) = app
        .index
        .read(move |c| {
            let key = rows::key(c, id)?;
            let epochs = curves::marked_epochs(c, key, Mark::Boundary)?;
            let event = curves::marked(c, key, Mark::Boundary, wanted)?;
            let boundary = event.and_then(|event| serde_json::from_str(&event).ok());
            let boundary: Value = boundary.unwrap_or_default();
            Ok((epochs, boundary))
        })
        .await?;
    if boundary.is_null() && wanted.is_some() {
        return Err(Error::NotFound(format!(
            "boundary of epoch {}",
            which.epoch
        )));
    }
    Ok(Json(Boundaries { epochs, boundary }))
}
