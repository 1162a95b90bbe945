//! Two-dimensional data: its points, and the decision boundary after each epoch.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use vivarium_models::data;
use vivarium_models::spec::RunSpec;

use super::run_id;
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::http::App;
use crate::index::curves::{self, Mark};
use crate::index::runs as rows;

/// `GET /runs/{id}/points`
pub async fn points(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>> {
    let id = run_id(&id)?;
    let run = app.index.read(move |c| rows::get(c, id)).await?;
    run.is_own("there are no points to draw")?;
    let spec: RunSpec =
        serde_json::from_value(run.spec).map_err(|e| Error::json("the run's settings", e))?;
    let points = blocking(move || Ok(data::points(&spec.data)?)).await?;
    match points {
        Some(points) => Ok(Json(
            json!({"points": points, "classes": run.summary.classes}),
        )),
        None => Err(Error::NotFound(
            "plane to draw on: the data of this run is not two-dimensional".to_owned(),
        )),
    }
}

/// Which boundary.
#[derive(Deserialize)]
pub struct BoundaryQuery {
    #[serde(default = "latest")]
    epoch: String,
}

fn latest() -> String {
    "latest".to_owned()
}

/// `GET /runs/{id}/boundaries`: the epochs that have one, and the one asked for.
pub async fn boundaries(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(which): Query<BoundaryQuery>,
) -> Result<Json<Value>> {
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
    Ok(Json(json!({"epochs": epochs, "boundary": boundary})))
}
