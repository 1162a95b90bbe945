//! The pages. Each is a template with data as JSON; modules of `frontend/pages` show the data and update it live.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};

use askama::Template;
use axum::extract::{Path, Query as Axum, State};
use axum::response::{Html, IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vivarium_models::data::Split;
use vivarium_models::form::{FormNetwork, FormTable};
use vivarium_models::networks::text::LANGUAGE;
use vivarium_models::networks::{NetworkRow, NetworkText};

use super::App;
use super::api;
use super::api::inside::params::Params;
use super::api::networks::NetworkSource;
use super::query::{self, Pairs, Query};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::index::listing::{self, Filter, Wanted};
use crate::index::runs::{self as rows, Status};
use crate::presets;
use crate::run_dir::RunId;
use crate::run_dir::start::StartRecord;

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
    NetworksPage: "networks.html",
    NetworkPage: "network.html",
    PlaygroundPage: "playground.html",
    RunPage: "run.html",
    ComparePage: "compare.html",
    SweepPage: "sweep.html",
    InsidePage: "inside.html",
    EvaluationPage: "evaluation.html",
    PredictPage: "predict.html",
    DataPage: "data.html",
    LabelsPage: "labels.html",
    ReportsPage: "reports.html",
    ReportPage: "report.html",
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The runs that the first page has with it.
const FIRST_RUNS: usize = 100;

/// `/`: the first runs, and presets to start.
pub async fn runs(State(app): State<App>, Axum(query): Pairs) -> Result<Response> {
    let changes = place(&app);
    let of_page = |name| query::values(&query, name).last().map(str::to_owned);
    let wanted = Wanted {
        filter: Filter {
            sweep: of_page("sweep"),
            ..Filter::default()
        },
        limit: FIRST_RUNS,
        ..Wanted::default()
    };
    // Another question is asked by the page itself, which shows what is wrong with it.
    let is_plain = ["q", "sort", "group"]
        .map(of_page)
        .iter()
        .all(Option::is_none);
    let first = match is_plain {
        true => Some(api::runs::page(&app, wanted).await?),
        false => None,
    };
    let data_sets = app.data_sets.clone();
    let offers = blocking(move || Ok(presets::offers(&data_sets.library))).await?;
    let data = json!({
        "first": first,
        "changes": changes,
        "unreadable": app.index.unreadable(),
        "presets": offers,
        "upload_limit": app.upload_limit,
    });
    RunsPage::respond("Runs", &data)
}

/// Where a stream begins that tells what changes after a page was read.
fn place(app: &App) -> String {
    format!("{}.{}", app.index.id(), *app.index.changes().borrow())
}

/// The query of `/new`.
#[derive(Deserialize)]
pub struct NewPageQuery {
    /// The run whose settings are copied.
    copy: Option<RunId>,
    /// The run whose settings are copied and whose weights the new run starts from.
    transfer: Option<RunId>,
}

/// The finished runs that the form offers to start from.
const SOURCES: usize = 50;

/// A run that another may start from.
#[derive(Serialize)]
struct SourceOption {
    id: RunId,
    name: String,
    network: Value,
    data: Value,
}

/// The last finished runs with weights.
async fn sources(app: &App) -> Result<Vec<SourceOption>> {
    let wanted = Wanted {
        filter: Filter {
            statuses: vec![Status::Finished],
            ..Filter::default()
        },
        limit: SOURCES,
        ..Wanted::default()
    };
    let page = app.index.read(move |c| listing::page(c, &wanted)).await?;
    let own = page.runs.into_iter().filter(|run| run.source.is_none());
    let option = |run: rows::Run| SourceOption {
        id: run.id,
        name: run.name,
        network: run.spec["network"]["kind"].clone(),
        data: run.spec["data"]["set"].clone(),
    };
    Ok(own.map(option).collect())
}

/// `/new`: the form.
pub async fn new(State(app): State<App>, Query(from): Query<NewPageQuery>) -> Result<Response> {
    let copy = match from.copy.or(from.transfer) {
        Some(id) => {
            let run = app.index.read(move |c| rows::get(c, id)).await?;
            run.is_own("there are no settings to copy")?;
            let dir = app.supervisor.run_dir(id);
            let source = blocking(move || dir.network_source()).await?;
            let mut spec = named(run.spec, run.name);
            if let (Some(source), Some(network)) = (source, spec["network"].as_object_mut()) {
                network.insert("source".to_owned(), Value::from(source));
            }
            if from.transfer.is_some() {
                spec["training"]["transfer"] = json!({"from": id});
            }
            spec
        }
        None => Value::Null,
    };
    let sources = sources(&app).await?;
    let (form, offers, copy) = blocking(move || {
        let mut form = api::catalog::form_table(&app)?;
        let copy = with_network_of_copy(copy, &mut form);
        Ok((form, presets::offers(&app.data_sets.library), copy))
    })
    .await?;
    let data = json!({
        "form": form,
        "presets": offers,
        "copy": copy,
        "sources": sources,
        "transfers": from.transfer.is_some(),
    });
    NewPage::respond("New run", &data)
}

/// Settings to copy whose network is a text: the form must offer the text as it was, if it changed since.
fn with_network_of_copy(mut copy: Value, form: &mut FormTable) -> Value {
    let Some(network) = copy.get_mut("network").and_then(Value::as_object_mut) else {
        return copy;
    };
    let Some(source) = network.remove("source") else {
        return copy;
    };
    let source = source.as_str().unwrap_or_default();
    let kind = network
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if let Ok(text) = NetworkText::read(source) {
        let row = NetworkRow::new(kind, text);
        form.networks.retain(|known| known.kind != kind);
        form.networks.push(FormNetwork {
            source: Some(source.to_owned()),
            ..FormNetwork::of(&row)
        });
    }
    copy
}

/// The query of `/networks/new`.
#[derive(Deserialize)]
pub struct NewNetworkQuery {
    copy: Option<String>,
    run: Option<RunId>,
}

/// `/networks`: the networks.
pub async fn networks(State(app): State<App>) -> Result<Response> {
    let networks = blocking(move || api::networks::overview::overview(&app.networks)).await?;
    NetworksPage::respond("Networks", &json!({ "networks": networks }))
}

/// `/playground`: a small network learns points in the plane, in the browser alone.
pub async fn playground() -> Result<Response> {
    PlaygroundPage::respond("Playground", &json!({}))
}

/// `/networks/{name}`: the text of a network; `/networks/new?copy=NAME` and `/networks/new?run=ID` a copy of one.
pub async fn network(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(from): Query<NewNetworkQuery>,
) -> Result<Response> {
    let is_new = name == "new";
    let shown = match (is_new, from) {
        (false, _) => api::networks::find(&app, name).await?,
        (true, NewNetworkQuery { run: Some(id), .. }) => {
            api::networks::text_of_run(&app, id).await?
        }
        (
            true,
            NewNetworkQuery {
                copy: Some(name), ..
            },
        ) => api::networks::find(&app, name).await?,
        (true, _) => NetworkSource::blank(),
    };
    let title = match is_new {
        true => "New network".to_owned(),
        false => shown.title.clone(),
    };
    let data = blocking(move || {
        let text = NetworkText::read(&shown.source).ok();
        let defaults = text.as_ref().map(|text| text.defaults.clone());
        let dimensions = text.map_or(Vec::new(), |text| text.dimensions);
        let shown = match is_new && !shown.name.is_empty() {
            true => shown.into_copy(&app.networks)?,
            false => shown,
        };
        // The data for which it is checked at first.
        let set = match dimensions[..] {
            [2] => "blobs",
            [3] => "cifar-10",
            _ => "digits",
        };
        let mut network = json!(shown);
        network["data_set"] = Value::from(set);
        Ok(json!({
            "network": network,
            "networks": api::networks::overview::overview(&app.networks)?,
            "language": LANGUAGE,
            "data_sets": api::networks::overview::shapes(&app.data_sets.library, &defaults.unwrap_or_default()),
        }))
    })
    .await?;
    NetworkPage::respond(title, &data)
}

/// `/runs/{id}`: one run, live.
pub async fn run(State(app): State<App>, Path(id): Path<String>) -> Result<Response> {
    let id: RunId = id
        .parse()
        .map_err(|_| Error::NotFound(format!("run “{id}”")))?;
    let run = app.index.read(move |c| rows::get(c, id)).await?;
    let dir = app.supervisor.run_dir(id);
    // A record that cannot be read is no reason to show nothing.
    let start = blocking(move || Ok(StartRecord::read(&dir).ok().flatten())).await?;
    let (library, spec) = (app.data_sets.library.clone(), run.spec.clone());
    let experiment = blocking(move || Ok(presets::of_run(&spec, &library))).await?;
    let data = json!({"run": run, "start": start, "experiment": experiment});
    RunPage::respond(&run.name, &data)
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

/// `/runs/{id}/evaluation`: what a run's predictions are worth, on the split `?split=NAME`; `?with=ID` beside those of
/// another run.
pub async fn evaluation(
    State(app): State<App>,
    Path(id): Path<String>,
    Axum(query): Pairs,
) -> Result<Response> {
    Params::new(query).word::<Split>("split")?;
    let id: RunId = id
        .parse()
        .map_err(|_| Error::NotFound(format!("run “{id}”")))?;
    let run = app.index.read(move |c| rows::get(c, id)).await?;
    run.is_own("there is no network to evaluate")?;
    EvaluationPage::respond(
        format!("Evaluation of {}", run.name),
        &json!({ "run": run }),
    )
}

/// `/runs/{id}/predict`: photos for a run's network.
pub async fn predict(State(app): State<App>, Path(id): Path<String>) -> Result<Response> {
    let id: RunId = id
        .parse()
        .map_err(|_| Error::NotFound(format!("run “{id}”")))?;
    let run = app.index.read(move |c| rows::get(c, id)).await?;
    run.is_own("there is no network that could classify photos")?;
    let title = format!("Predict with {}", run.name);
    PredictPage::respond(
        title,
        &json!({ "run": run, "most_photos": api::predict::MOST_PHOTOS }),
    )
}

/// `/compare?run=…&run=…`: several runs in common charts; `?selection=ID` those of a selection, `?sweep=ID` those of a
/// sweep, `?tag=WORD` those with a tag. Deleted runs are counted.
pub async fn compare(State(app): State<App>, Axum(query): Pairs) -> Result<Response> {
    let of = |name| {
        let values = query::values(&query, name);
        values.map(str::to_owned).collect::<Vec<_>>()
    };
    let (named, sweeps, tags) = (of("run"), of("sweep"), of("tag"));
    // The page itself names a sweep, by its runs.
    let title = match &tags[..] {
        [tag] => format!("Runs tagged “{tag}”"),
        _ => "Comparison".to_owned(),
    };
    let mut named: HashSet<String> = named.into_iter().collect();
    for name in of("selection") {
        let runs = super::api::selections::of_selection(&app, name).await?;
        named.extend(runs.iter().map(ToString::to_string));
    }
    let asked = named.len();
    let changes = place(&app);
    let ids: Vec<RunId> = named.iter().filter_map(|id| id.parse().ok()).collect();
    let (runs, found) = app
        .index
        .read(move |c| {
            let (mut runs, mut bad) = rows::named(c, &ids)?;
            let found = runs.len();
            let mut add = |more: rows::Read| {
                runs.extend(more.0);
                bad.extend(more.1);
            };
            for sweep in &sweeps {
                add(rows::of_sweep(c, sweep)?);
            }
            if !tags.is_empty() {
                add(listing::with_tags(c, &tags)?);
            }
            runs.sort_by_key(|run| Reverse(run.id));
            runs.dedup_by_key(|run| run.id);
            Ok(((runs, bad), found))
        })
        .await?;
    let (runs, bad) = runs;
    app.index.note_unreadable(bad);
    let missing = asked.saturating_sub(found);
    let data = json!({"runs": runs, "title": title, "missing": missing, "changes": changes});
    ComparePage::respond(title, &data)
}

/// `/sweeps/{id}`: the runs of a sweep, live.
pub async fn sweep(State(app): State<App>, Path(id): Path<String>) -> Result<Response> {
    let changes = place(&app);
    let sweep = super::api::sweeps::whole(&app, id).await?;
    let name = sweep.spec.base["name"].as_str().unwrap_or("Sweep");
    let (library, spec) = (app.data_sets.library.clone(), sweep.spec.clone());
    let experiment = blocking(move || Ok(presets::of_sweep(&spec, &library))).await?;
    let data = json!({
        "runs": sweep.runs,
        "title": name,
        "missing": 0,
        "changes": changes,
        "sweep": {"id": sweep.id, "spec": sweep.spec},
        "experiment": experiment,
    });
    SweepPage::respond(name, &data)
}

/// `/reports`: all reports, and the runs and sweeps of experiments to write about.
pub async fn reports(State(app): State<App>) -> Result<Response> {
    // The sweeps that vary what an experiment varies.
    let varied: Vec<_> = presets::PRESETS
        .iter()
        .map(|preset| preset.grid.keys().collect::<BTreeSet<_>>())
        .filter(|paths| !paths.is_empty())
        .collect();
    let mut sweeps = app.supervisor.sweeps().await?;
    sweeps.retain(|(_, sweep)| varied.contains(&sweep.spec.grid.keys().collect()));
    let ids: Vec<_> = sweeps.iter().map(|(id, _)| id.clone()).collect();
    let runs = app
        .index
        .runs(move |c| {
            let kinds = presets::PRESETS
                .iter()
                .filter(|preset| preset.grid.is_empty())
                .filter_map(|preset| preset.base["network"]["kind"].as_str());
            let (mut runs, mut bad) = listing::newest_of_networks(c, &kinds.collect::<Vec<_>>())?;
            for id in &ids {
                let (more, faulty) = rows::of_sweep(c, id)?;
                runs.extend(more);
                bad.extend(faulty);
            }
            runs.sort_by_key(|run| Reverse(run.id));
            runs.dedup_by_key(|run| run.id);
            Ok((runs, bad))
        })
        .await?;
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
    let data = json!({"report": report, "version": VERSION});
    ReportPage::respond(&report.about.title, &data)
}

/// `/data`: the data sets.
pub async fn data(State(app): State<App>) -> Result<Response> {
    data_page(&app, None).await
}

/// `/data/{set}`: the data sets, with the card of one open.
pub async fn data_set(State(app): State<App>, Path(set): Path<String>) -> Result<Response> {
    data_page(&app, Some(set)).await
}

async fn data_page(app: &App, open: Option<String>) -> Result<Response> {
    let sets = api::datasets::all(app).await?;
    let title = match &open {
        None => "Data".to_owned(),
        Some(name) => {
            let found = sets.iter().find(|known| known.set.set == name.as_str());
            let found = found.ok_or_else(|| Error::NotFound(format!("data set “{name}”")))?;
            found.set.title.to_string()
        }
    };
    let data = json!({
        "datasets": sets,
        "open": open,
        "upload_limit": app.upload_limit,
        // For the commands on the page: without it they would use another folder.
        "data_dir": app.data_dir.display().to_string(),
    });
    DataPage::respond(title, &data)
}

/// `/data/{set}/labels`: the labels of a set, and the search for mistakes in them.
pub async fn labels(State(app): State<App>, Path(set): Path<String>) -> Result<Response> {
    let labels = api::labels::of_set(&app, set).await?;
    let title = format!("Labels of {}", labels.title());
    LabelsPage::respond(title, &json!({ "etag": labels.etag(), "labels": labels }))
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
