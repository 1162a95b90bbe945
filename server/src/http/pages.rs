//! The pages. Each is a template with data as JSON; modules of `frontend/pages` show the data and update it live.

use std::collections::HashSet;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vivarium_models::form;

use super::App;
use super::query::{self, Pairs};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::index::runs as rows;
use crate::presets;
use crate::run_dir::RunId;

/// Declares pages by their templates. Each has a title, and data as JSON for its module.
macro_rules! pages {
    ($($page:ident: $template:tt,)*) => {$(
        #[derive(Template)]
        #[template(path = $template)]
        struct $page {
            title: String,
            version: &'static str,
            data: String,
        }

        impl $page {
            fn respond(title: impl Into<String>, data: &impl Serialize) -> Result<Response> {
                let page = Self {
                    title: title.into(),
                    version: VERSION,
                    data: embed(data)?,
                };
                let html = page.render().map_err(|_| Error::Gone("a template"))?;
                Ok(Html(html).into_response())
            }
        }
    )*};
}

pages! {
    RunsPage: "runs.html",
    NewPage: "new.html",
    RunPage: "run.html",
    ComparePage: "compare.html",
    SweepPage: "sweep.html",
    InsidePage: "inside.html",
    DataPage: "data.html",
    ReportsPage: "reports.html",
    ReportPage: "report.html",
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `/`: all runs, and presets to start.
pub async fn runs(State(app): State<App>) -> Result<Response> {
    let runs = app.index.list().await?;
    let data_sets = app.data_sets.clone();
    let offers = blocking(move || Ok(presets::offers(&data_sets.library))).await?;
    let data = json!({
        "runs": runs,
        "unreadable": app.index.unreadable(),
        "presets": offers,
        "upload_limit": app.upload_limit,
    });
    RunsPage::respond("Runs", &data)
}

/// The query of `/new`.
#[derive(Deserialize)]
pub struct NewPageQuery {
    copy: Option<RunId>,
}

/// `/new`: the form.
pub async fn new(State(app): State<App>, Query(from): Query<NewPageQuery>) -> Result<Response> {
    let copy = match from.copy {
        Some(id) => {
            let run = app.index.read(move |c| rows::get(c, id)).await?;
            run.is_own("there are no settings to copy")?;
            named(run.spec, run.name)
        }
        None => Value::Null,
    };
    let (form, offers) = blocking(move || {
        let library = &app.data_sets.library;
        Ok((form::table(library), presets::offers(library)))
    })
    .await?;
    let data = json!({"form": form, "presets": offers, "copy": copy});
    NewPage::respond("New run", &data)
}

/// `/runs/{id}`: one run, live.
pub async fn run(State(app): State<App>, Path(id): Path<String>) -> Result<Response> {
    let id: RunId = id
        .parse()
        .map_err(|_| Error::NotFound(format!("run “{id}”")))?;
    let run = app.index.read(move |c| rows::get(c, id)).await?;
    RunPage::respond(&run.name, &run)
}

/// `/runs/{id}/inside`: inside a run's network.
pub async fn inside(State(app): State<App>, Path(id): Path<String>) -> Result<Response> {
    let id: RunId = id
        .parse()
        .map_err(|_| Error::NotFound(format!("run “{id}”")))?;
    let run = app.index.read(move |c| rows::get(c, id)).await?;
    run.is_own("there is no network to look into")?;
    InsidePage::respond(format!("Inside {}", run.name), &json!({ "run": run }))
}

/// `/compare?run=…&run=…`: several runs in common charts; `?selection=ID` those of a selection, `?sweep=ID` those of a
/// sweep, `?tag=WORD` those with a tag. Deleted runs are counted.
pub async fn compare(State(app): State<App>, Query(query): Pairs) -> Result<Response> {
    let of = |name| {
        let values = query::values(&query, name);
        values.map(str::to_owned).collect::<Vec<_>>()
    };
    let (named, sweeps, tags) = (of("run"), of("sweep"), of("tag"));
    let title = match (&sweeps[..], &tags[..]) {
        (_, [tag]) => format!("Runs tagged “{tag}”"),
        ([_], _) => "Comparison of a sweep".to_owned(),
        _ => "Comparison".to_owned(),
    };
    let mut named: HashSet<String> = named.into_iter().collect();
    for name in of("selection") {
        let runs = super::api::selections::of_selection(&app, name).await?;
        named.extend(runs.iter().map(ToString::to_string));
    }
    let asked = named.len();
    let mut runs = app.index.list().await?;
    runs.retain(|run| {
        named.contains(&run.id.to_string())
            || run.sweep.as_ref().is_some_and(|id| sweeps.contains(id))
            || run.tags.iter().any(|tag| tags.contains(tag))
    });
    let found = runs
        .iter()
        .filter(|run| named.contains(&run.id.to_string()));
    let missing = asked.saturating_sub(found.count());
    let data = json!({"runs": runs, "title": title, "missing": missing});
    ComparePage::respond(title, &data)
}

/// `/sweeps/{id}`: the runs of a sweep, live.
pub async fn sweep(State(app): State<App>, Path(id): Path<String>) -> Result<Response> {
    let sweep = super::api::sweeps::whole(&app, id).await?;
    let name = sweep.spec.base["name"].as_str().unwrap_or("Sweep");
    let data = json!({
        "runs": sweep.runs,
        "title": name,
        "missing": 0,
        "sweep": {"id": sweep.id, "spec": sweep.spec},
    });
    SweepPage::respond(name, &data)
}

/// `/reports`: all reports, and the runs and sweeps to write about.
pub async fn reports(State(app): State<App>) -> Result<Response> {
    let runs = app.index.list().await?;
    let sweeps = app.supervisor.sweeps().await?;
    let sweeps: Vec<_> = sweeps
        .iter()
        .map(|(id, sweep)| json!({"id": id, "spec": sweep.spec}))
        .collect();
    let (reports, offers) = blocking(move || {
        let reports = app.reports.list()?;
        Ok((reports, presets::offers(&app.data_sets.library)))
    })
    .await?;
    let data = json!({"reports": reports, "runs": runs, "sweeps": sweeps, "presets": offers});
    ReportsPage::respond("Reports", &data)
}

/// `/reports/{id}`: a report, to edit and read.
pub async fn report(State(app): State<App>, Path(id): Path<String>) -> Result<Response> {
    let report = super::api::reports::whole(&app, &id).await?;
    let runs = app.index.list().await?;
    let data = json!({"report": report, "runs": runs, "version": VERSION});
    ReportPage::respond(&report.about.title, &data)
}

/// `/data`: the data sets.
pub async fn data(State(app): State<App>) -> Result<Response> {
    let sets = super::api::datasets::all(&app).await?;
    let data = json!({
        "datasets": sets,
        "upload_limit": app.upload_limit,
        // For the commands on the page: without it they would use another folder.
        "data_dir": app.data_dir.display().to_string(),
    });
    DataPage::respond("Data", &data)
}

/// A copy gets the current name of the run.
fn named(mut spec: Value, name: String) -> Value {
    if let Some(field) = spec.get_mut("name") {
        *field = Value::String(name);
    }
    spec
}

/// JSON that is safe inside a `script` element: no text in it can close the element.
fn embed(data: &impl Serialize) -> Result<String> {
    let json = serde_json::to_string(data).map_err(|e| Error::json("the data of a page", e))?;
    Ok(json
        .replace('<', "\\u003c")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_closes_the_element_that_holds_it() {
        let text = embed(&json!({"name": "</script><script>alert(1)</script><!--"})).unwrap();
        assert!(!text.contains('<'));
        let back: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back["name"], "</script><script>alert(1)</script><!--");
    }
}
