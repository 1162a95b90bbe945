//! What a run came to on its test split.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::run_id;
use crate::error::Result;
use crate::http::App;
use crate::index::curves::{self, Mark};
use crate::index::runs as rows;
use crate::run_dir::RunId;
use crate::schemas;

/// What a run came to on its test split.
#[derive(Serialize, ToSchema)]
pub struct TestResult {
    /// Loss, accuracy and the confusion matrix; `null` until the run is tested.
    #[schema(value_type = Option<schemas::TestEvent>)]
    test: Value,
    /// The names of the classes.
    classes: Option<Vec<String>>,
}

/// What a run came to on its test split.
#[utoipa::path(
    get,
    path = "/runs/{id}/test",
    params(("id" = RunId, Path, description = "The run")),
    responses((status = 200, description = "The result", body = TestResult))
)]
pub async fn test(State(app): State<App>, Path(id): Path<String>) -> Result<Json<TestResult>> {
    let id = run_id(&id)?;
    let (run, test) = app
        .index
        .read(move |c| {
            let run = rows::get(c, id)?;
            let event = curves::marked(c, run.number, Mark::Test, None)?;
            let test = event.and_then(|event| serde_json::from_str(&event).ok());
            let test: Value = test.unwrap_or_default();
            Ok((run, test))
        })
        .await?;
    let classes = run.summary.classes;
    Ok(Json(TestResult { test, classes }))
}
