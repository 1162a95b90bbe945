//! Selections of runs: a short name for more runs than an address holds. Whatever takes runs takes
//! selections and sweeps too.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::run_id;
use crate::base_path;
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::json::Body;
use crate::index::runs as rows;
use crate::run_dir::RunId;
use crate::selections::MOST_RUNS;

/// A selection as it is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSelection {
    runs: Vec<RunId>,
}

/// `POST /selections`: a name for some runs.
pub async fn create(
    State(app): State<App>,
    Body(selection): Body<NewSelection>,
) -> Result<(StatusCode, Json<Value>)> {
    let selections = Arc::clone(&app.selections);
    let id = blocking(move || selections.save(&selection.runs)).await?;
    let url = base_path::url(&format!("/compare?selection={id}"));
    Ok((StatusCode::CREATED, Json(json!({"id": id, "url": url}))))
}

/// `GET /selections/{id}`: the runs of a selection, and how many of them are gone.
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>> {
    let runs = of_selection(&app, id.clone()).await?;
    let asked = runs.len();
    let here = app
        .index
        .read(move |c| {
            let known: HashSet<_> = rows::list(c)?.0.into_iter().map(|run| run.id).collect();
            Ok(runs
                .into_iter()
                .filter(|id| known.contains(id))
                .collect::<Vec<_>>())
        })
        .await?;
    let missing = asked - here.len();
    Ok(Json(
        json!({"id": id, "url": base_path::url(&format!("/compare?selection={id}")), "runs": here, "missing": missing}),
    ))
}

/// The runs of a selection.
pub(in crate::http) async fn of_selection(app: &App, name: String) -> Result<Vec<RunId>> {
    let selections = Arc::clone(&app.selections);
    blocking(move || selections.get(&name)).await
}

/// The runs that a query names, each once: `run=ID`, `selection=ID` and `sweep=ID`, any of them
/// several times.
pub(super) async fn runs_of(app: &App, query: &[(String, String)]) -> Result<Vec<RunId>> {
    let mut runs = Vec::new();
    for (name, value) in query {
        match name.as_str() {
            "run" => runs.push(run_id(value)?),
            "selection" => runs.extend(of_selection(app, value.clone()).await?),
            "sweep" => {
                let id = value.clone();
                // Whoever names a sweep that is not there is told so.
                app.supervisor.sweep(id.clone()).await?;
                let all = app.index.list().await?;
                let mut mine: Vec<_> = all
                    .into_iter()
                    .filter(|run| run.sweep.as_ref() == Some(&id))
                    .collect();
                mine.sort_by_key(|run| run.number);
                runs.extend(mine.into_iter().map(|run| run.id));
            }
            _ => {}
        }
    }
    let mut seen = HashSet::new();
    runs.retain(|id| seen.insert(*id));
    if runs.len() > MOST_RUNS {
        return Err(Error::BadRequest(format!(
            "run: {} are more than the {MOST_RUNS} that are answered at once",
            runs.len()
        )));
    }
    Ok(runs)
}
