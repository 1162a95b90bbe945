//! The updates of a perceptron, epoch by epoch.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use vivarium_models::contract::Boundary;
use vivarium_models::train::{self, EpochUpdates, RecordedWeights};

use super::{RunPath, run_id};
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::query::Query;
use crate::index::Index;
use crate::index::curves::{self, Mark};
use crate::index::runs as rows;
use crate::inspect::target::InspectTarget;
use crate::run_dir::RunId;

/// The most updates of an answer.
const MOST_UPDATES: usize = 500;

/// Which updates.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UpdatesQuery {
    /// The epoch, from 1.
    #[serde(default = "first")]
    #[param(minimum = 1)]
    epoch: u64,
    /// How many updates of the epoch are left out before the first that is told.
    #[serde(default)]
    skip: usize,
}

fn first() -> u64 {
    1
}

/// The updates of a perceptron in an epoch.
#[derive(Serialize, ToSchema)]
pub struct UpdatesOfEpoch {
    /// The last epoch that can be asked for.
    epochs: u64,
    /// Updates of the epoch in all; an answer tells at most 500, from `skip` on.
    total: usize,
    /// How many are left out before the first that is told.
    skip: usize,
    /// Whether the weights at the end are bit for bit those that the run recorded; `null` where it recorded none then.
    exact: Option<bool>,
    #[serde(flatten)]
    updates: EpochUpdates,
}

/// The updates of a perceptron on points in the plane in one epoch: each step with a mistake, and the weights before and
/// after it. They are computed again from recorded weights, in the order that the run's seed gives.
#[utoipa::path(
    get,
    path = "/runs/{id}/updates",
    params(RunPath, UpdatesQuery),
    responses((status = 200, description = "The epoch, and its updates in order", body = UpdatesOfEpoch))
)]
pub async fn updates(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(UpdatesQuery { epoch, skip }): Query<UpdatesQuery>,
) -> Result<Json<UpdatesOfEpoch>> {
    let id = run_id(&id)?;
    let target = InspectTarget::of_any_data(&app.index, id, app.supervisor.run_dir(id)).await?;
    let from_first_step = train::needs_start_of_run(&target.spec);
    let Recorded { epochs, start, end } = recorded(&app.index, id, epoch, from_first_step).await?;
    let updates = app
        .inspector
        .run(move |cache| {
            let (data, graph) = (cache.data(&target)?, target.graph()?);
            Ok(train::epoch_updates(
                &target.spec,
                &data,
                graph,
                &start,
                epoch,
            )?)
        })
        .await?;
    let exact = end.map(|rows| is_same(&rows, &updates.after));
    Ok(Json(UpdatesOfEpoch {
        epochs,
        total: updates.updates.len(),
        skip,
        exact,
        updates: EpochUpdates {
            updates: (updates.updates.into_iter().skip(skip).take(MOST_UPDATES)).collect(),
            ..updates
        },
    }))
}

/// Whether two sets of weights have the same bits.
fn is_same(one: &[[f32; 3]], other: &[[f32; 3]]) -> bool {
    let bits = |rows: &[[f32; 3]]| -> Vec<u32> {
        rows.as_flattened()
            .iter()
            .map(|value| value.to_bits())
            .collect()
    };
    bits(one) == bits(other)
}

/// What the log has of an epoch's weights.
struct Recorded {
    /// The last epoch with recorded weights.
    epochs: u64,
    /// The weights that the steps are repeated from.
    start: RecordedWeights,
    /// The weights after the epoch.
    end: Option<Vec<[f32; 3]>>,
}

async fn recorded(index: &Index, id: RunId, epoch: u64, from_first_step: bool) -> Result<Recorded> {
    let (epochs, [start, end]) = index
        .read(move |c| {
            let key = rows::key(c, id)?;
            let epochs = curves::marked_epochs(c, key, Mark::Boundary)?;
            let before = epochs.iter().copied().filter(|of| *of < epoch);
            let start = match from_first_step {
                true => before.min(),
                false => before.max(),
            };
            let boundary = |of: Option<u64>| -> Result<Option<Boundary>> {
                let Some(of) = of else {
                    return Ok(None);
                };
                let event = curves::marked(c, key, Mark::Boundary, Some(of))?;
                Ok(event.and_then(|event| serde_json::from_str(&event).ok()))
            };
            Ok((
                epochs.into_iter().max(),
                [boundary(start)?, boundary(Some(epoch))?],
            ))
        })
        .await?;
    let Some(epochs) = epochs.filter(|epochs| *epochs > 0) else {
        return Err(Error::Conflict(
            "There is nothing to show yet: the updates of an epoch are told when it has ended, and only of a perceptron on points in the plane."
                .to_owned(),
        ));
    };
    if !(1..=epochs).contains(&epoch) {
        let message = format!("must be from 1 to {epochs}, the last epoch that has ended");
        return Err(Error::field("epoch", epoch, message));
    }
    let weights = |boundary: Boundary| Some((boundary.epoch, boundary.linear?));
    let Some((epoch, weights)) = start.and_then(weights) else {
        return Err(Error::Conflict(
            "The run did not record its weights: it is no perceptron on points in the plane, or an earlier version trained it."
                .to_owned(),
        ));
    };
    Ok(Recorded {
        epochs,
        start: RecordedWeights { epoch, weights },
        end: end.and_then(|boundary| Some(boundary.linear?.rows)),
    })
}
