//! Selections of runs: a short name for more runs than an address holds. Whatever takes runs takes
//! selections and sweeps too.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

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
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSelection {
    #[schema(min_items = 1, max_items = 10_000)]
    runs: Vec<RunId>,
}

/// A selection of runs.
#[derive(Serialize, ToSchema)]
pub struct Selection {
    /// Its name.
    id: String,
    /// The page that compares its runs.
    url: String,
    /// In the order in which they were named.
    runs: Vec<RunId>,
    /// How many of its runs are gone.
    missing: usize,
}

/// A selection that was made.
#[derive(Serialize, ToSchema)]
pub struct CreatedSelection {
    /// Its name.
    id: String,
    /// The page that compares its runs.
    url: String,
}

/// Several runs, in the words after the question mark. At least one of them must be there where runs are downloaded.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "the words are read one by one: each may be there several times"
)]
pub(super) struct RunsParams {
    /// Once for each run.
    #[param(required = false)]
    run: Vec<RunId>,
    /// A selection, for its runs; may be given several times.
    #[param(pattern = "^[0-9a-f]{32}$")]
    selection: Option<String>,
    /// A sweep, for its runs; may be given several times.
    sweep: Option<Uuid>,
}

/// Give some runs a short name.
///
/// It is the same for the same runs; whatever takes several runs takes it as `selection=ID`.
#[utoipa::path(
    post,
    path = "/selections",
    request_body = NewSelection,
    responses((status = 201, description = "The name, and the page that compares the runs", body = CreatedSelection))
)]
pub async fn create(
    State(app): State<App>,
    Body(selection): Body<NewSelection>,
) -> Result<(StatusCode, Json<CreatedSelection>)> {
    let selections = Arc::clone(&app.selections);
    let id = blocking(move || selections.save(&selection.runs)).await?;
    let url = base_path::url(&format!("/compare?selection={id}"));
    Ok((StatusCode::CREATED, Json(CreatedSelection { id, url })))
}

/// The runs of a selection; those that are gone are counted.
#[utoipa::path(
    get,
    path = "/selections/{id}",
    params(("id" = String, Path, description = "Its name")),
    responses((status = 200, description = "The selection", body = Selection))
)]
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Selection>> {
    let runs = of_selection(&app, id.clone()).await?;
    let asked = runs.len();
    let runs = app
        .index
        .read(move |c| {
            let mut known = Vec::new();
            for id in runs {
                if rows::exists(c, id)? {
                    known.push(id);
                }
            }
            Ok(known)
        })
        .await?;
    let missing = asked - runs.len();
    let url = base_path::url(&format!("/compare?selection={id}"));
    Ok(Json(Selection {
        id,
        url,
        runs,
        missing,
    }))
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
                let mine = app.index.read(move |c| rows::ids_of_sweep(c, &id)).await?;
                runs.extend(mine);
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
