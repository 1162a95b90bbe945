//! What a run came to on its test split.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use vivarium_models::contract::Test;

use super::{RunPath, run_id};
use crate::error::Result;
use crate::http::App;
use crate::index::curves::{self, Mark};
use crate::index::runs as rows;

/// The `test` event of a run.
#[derive(Serialize, ToSchema)]
struct TestEvent {
    #[schema(inline)]
    kind: TestKind,
    /// The number of its line in the log.
    seq: u64,
    /// When it was written, in RFC 3339.
    #[schema(format = DateTime)]
    time: String,
    #[serde(flatten)]
    test: Test,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes lines that are passed on as they stand")]
enum TestKind {
    Test,
}

/// The result of a run on its test split.
#[derive(Serialize, ToSchema)]
pub struct TestResult {
    /// Loss, accuracy and the confusion matrix; `null` until the run is tested.
    #[schema(value_type = Option<TestEvent>)]
    test: Value,
    /// The names of the classes.
    classes: Option<Vec<String>>,
}

/// The result of a run on its test split.
#[utoipa::path(
    get,
    path = "/runs/{id}/test",
    params(RunPath),
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
