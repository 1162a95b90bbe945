//! What a run came to on its test split.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::run_id;
use crate::error::Result;
use crate::http::App;
use crate::index::curves::{self, Mark};
use crate::index::runs as rows;

/// `GET /runs/{id}/test`: loss, accuracy and the confusion matrix, a row for each true class; `null`
/// until the run is tested.
pub async fn test(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>> {
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
    Ok(Json(json!({"test": test, "classes": classes})))
}
