//! TensorBoard's event files: curves out, and curves in.

use std::io;
use std::path::Path as FilePath;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use vivarium_models::data::Fault;

use super::openapi::Binary;
use super::selections::{RunsParams, runs_of};
use super::{RunPath, run_id};
use crate::base_path;
use crate::blocking::on_thread;
use crate::error::{Error, Result};
use crate::failpoint::failpoint;
use crate::http::App;
use crate::http::change::Client;
use crate::http::json::Body;
use crate::http::problem::Problem;
use crate::http::query::Pairs;
use crate::http::streamed::{attachment, streamed};
use crate::http::upload::{Form, receive, within};
use crate::index::runs::{self as rows, Run};
use crate::index::{Index, events};
use crate::run_dir::RunId;
use crate::tensorboard::import::{ImportOptions, Imported, Importer, Outcome, Tag};
use crate::tensorboard::tags::{self, Assigned};
use crate::tensorboard::write::RunInfo;
use crate::tensorboard::{export, find, unpack};

/// Lines that are read of a run at once, and their bytes.
const LINES: usize = 256;
const BYTES: usize = 1 << 20;

/// Uploads that come in at a time.
static UPLOADS: Semaphore = Semaphore::const_new(2);

/// Uploads that become runs at a time.
static IMPORTS: Semaphore = Semaphore::const_new(1);

/// The most files of a form.
const MOST_FILES: usize = 10_000;

/// The longest name of a run, in bytes.
const LONGEST_NAME: usize = 800;

/// The curves of a run as a TensorBoard event file.
#[utoipa::path(
    get,
    path = "/runs/{id}/tensorboard",
    params(RunPath),
    responses((status = 200, description = "The file; docs/tensorboard.md has its tags", body = inline(Binary), content_type = "application/octet-stream"))
)]
pub async fn of_run(State(app): State<App>, Path(id): Path<String>) -> Result<Response> {
    let id = run_id(&id)?;
    let run = app.index.read(move |c| rows::get(c, id)).await?;
    let about = about(run);
    let name = about.file_name();
    let index = app.index.clone();
    let body = streamed(move |mut out| export::file(&mut out, &about, &mut lines_of(index)))?;
    Ok(attachment("application/octet-stream", &name, body))
}

/// The curves of several runs as a TensorBoard log directory.
///
/// It is a zip with a folder for each run, named as the run is. A run that is gone is left out.
#[utoipa::path(
    get,
    path = "/tensorboard",
    params(RunsParams),
    responses(
        (status = 200, description = "The zip", body = inline(Binary), content_type = "application/zip"),
        (status = 404)
    )
)]
pub async fn of_runs(State(app): State<App>, Query(query): Pairs) -> Result<Response> {
    let ids = runs_of(&app, &query).await?;
    if ids.is_empty() {
        return Err(Error::BadRequest(
            "run: is needed, once for each run; or a selection or a sweep".to_owned(),
        ));
    }
    let read = move |c: &rusqlite::Connection| {
        ids.iter()
            .filter_map(|&id| rows::find(c, id).transpose())
            .collect::<Result<Vec<_>>>()
    };
    let runs: Vec<_> = app.index.read(read).await?.into_iter().map(about).collect();
    if runs.is_empty() {
        return Err(Error::NotFound("run of these".to_owned()));
    }
    let index = app.index.clone();
    let body = streamed(move |out| export::zip(out, &runs, &mut lines_of(index)))?;
    Ok(attachment("application/zip", "tensorboard.zip", body))
}

fn about(run: Run) -> RunInfo {
    RunInfo::of(run.id, run.name, run.spec)
}

/// A run's lines, read from the index piece by piece, on a thread that is not async.
fn lines_of(index: Index) -> impl FnMut(&RunInfo) -> io::Result<Vec<String>> {
    let handle = Handle::current();
    let mut place: Option<(RunId, u64)> = None;
    move |about| {
        let id = about.id;
        let after = place
            .filter(|(run, _)| *run == id)
            .map_or(0, |(_, seq)| seq);
        let batch = handle.block_on(index.read(move |c| events::after(c, id, after, LINES, BYTES)));
        let batch = batch.map_err(io::Error::other)?;
        place = Some((id, batch.last().map_or(after, |event| event.seq)));
        Ok(batch.into_iter().map(|event| event.body).collect())
    }
}

/// A form with files.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form is read piece by piece")]
struct FilesForm {
    /// What the runs are called; where there are several, what their names begin with.
    #[schema(nullable = false)]
    name: Option<String>,
    /// Event files, whose file names may be paths in a log directory, and zips of log directories.
    #[schema(value_type = Vec<String>, format = Binary)]
    file: Vec<String>,
    /// A JSON object: what tags are drawn as, where their names do not tell (see `PUT /runs/{id}/tags`).
    #[schema(nullable = false)]
    tags: Option<String>,
}

/// Import TensorBoard event files as runs.
///
/// Each folder with event files is a run; the same files are not taken twice, and files that have grown replace the curves
/// of their run. Of a damaged file the readable part is imported; the answer names it.
#[utoipa::path(
    post,
    path = "/tensorboard",
    request_body(content = FilesForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "Nothing is new: runs whose curves were replaced, and those that have these files already", body = ImportOutcome),
        (status = 201, description = "The runs", body = ImportOutcome)
    )
)]
pub(in crate::http) async fn upload(
    State(app): State<App>,
    Extension(client): Extension<Client>,
    Form(mut form): Form,
) -> Result<Response, Problem> {
    let _place = UPLOADS.try_acquire().map_err(|_| {
        Error::Busy(
            "Two uploads are in progress already; try again when one is complete.".to_owned(),
        )
    })?;
    let importer = Arc::clone(&app.importer);
    let folder = on_thread("upload", {
        let importer = Arc::clone(&importer);
        move || importer.scratch()
    })
    .await?;
    let tree = folder.path().join("tree");
    let most = app.upload_limit as u64;
    let mut options = ImportOptions {
        ours: true,
        ..ImportOptions::default()
    };
    let (mut files, mut damaged) = (0, Vec::new());
    while let Some(field) = within(form.next_field()).await? {
        let Some(name) = field.file_name().map(str::to_owned) else {
            match field.name() {
                Some("name") => options.name = checked(within(field.text()).await?)?,
                Some("tags") => options.tags = assigned(&within(field.text()).await?)?,
                _ => {}
            }
            continue;
        };
        files += 1;
        if files > MOST_FILES {
            return Err(
                Error::BadRequest(format!("The form has more than {MOST_FILES} files.")).into(),
            );
        }
        let incoming = folder.path().join("upload");
        receive(field, &incoming).await?;
        let tree = tree.clone();
        let sorted = on_thread("upload", move || sort_in(&incoming, &name, &tree, most)).await?;
        options.root = options.root.or(sorted.stem);
        damaged.extend(sorted.damaged);
    }
    if files == 0 {
        let detail = "The form holds no file.";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "No file", detail));
    }
    if client.has_left() {
        return Err(Error::Conflict("The client left before its files were read.".into()).into());
    }
    // Until its runs are in the index, the same files must not be imported once more.
    let turn = IMPORTS.acquire().await;
    let _turn = turn.map_err(|_| Error::Gone("the imports"))?;
    let outcome = on_thread("upload", move || {
        let outcome = failpoint("tensorboard.received")
            .and_then(|()| take(&importer, &tree, &options, damaged));
        drop(folder);
        outcome
    })
    .await?;
    let imported = outcome.imported.iter();
    let imported = imported.map(|run| (run.id, run.imported.clone())).collect();
    app.supervisor.add_imported(imported).await?;
    for run in &outcome.replaced {
        app.supervisor.reindex_imported(run.id).await?;
    }
    answer(&app, outcome).await
}

/// What tags are to be drawn as, of a field of JSON.
fn assigned(text: &str) -> Result<Assigned> {
    let wrong = |_| Error::field("tags", text, "must be a JSON object of tags and curves");
    let assigned: Assigned = serde_json::from_str(text).map_err(wrong)?;
    tags::check(&assigned)?;
    Ok(assigned)
}

/// What tags are to be drawn as.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignedTags {
    /// By tag: a curve, `own` (a chart of its own, under the name tag:TAG) or `none`. A curve is of one tag.
    #[schema(schema_with = assigned_tags)]
    tags: Assigned,
}

fn assigned_tags() -> Object {
    let words = tags::CURVES.into_iter().chain([tags::OWN, tags::NONE]);
    let word = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(Schema::Object(word.build())))
        .build()
}

/// The tags of an imported run.
#[derive(Serialize, ToSchema)]
pub struct Tags {
    tags: Vec<Tag>,
    /// Curves that a tag can be drawn as.
    curves: [&'static str; 5],
}

/// The tags of an imported run, and what each is drawn as.
#[utoipa::path(
    get,
    path = "/runs/{id}/tags",
    params(RunPath),
    responses((status = 200, description = "The tags", body = Tags))
)]
pub async fn tags(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Tags>> {
    let id = run_id(&id)?;
    app.index.read(move |c| rows::get(c, id)).await?;
    let importer = Arc::clone(&app.importer);
    let tags = on_thread("tags", move || importer.tags(id)).await?;
    Ok(Json(Tags {
        tags,
        curves: tags::CURVES,
    }))
}

/// Assign the tags of an imported run to curves.
///
/// Its curves are replaced at once; of tags that are not named, their names decide again.
#[utoipa::path(
    put,
    path = "/runs/{id}/tags",
    params(RunPath),
    request_body = AssignedTags,
    responses((status = 200, description = "The run", body = Run))
)]
pub async fn assign(
    State(app): State<App>,
    Path(id): Path<String>,
    Body(wanted): Body<AssignedTags>,
) -> Result<Json<Run>> {
    let id = run_id(&id)?;
    app.index.read(move |c| rows::get(c, id)).await?;
    let importer = Arc::clone(&app.importer);
    on_thread("tags", move || importer.assign(id, &wanted.tags)).await?;
    app.supervisor.reindex_imported(id).await?;
    Ok(Json(app.index.read(move |c| rows::get(c, id)).await?))
}

/// The name that runs are to have; `None` where it is empty.
fn checked(text: String) -> Result<Option<String>> {
    let text = text.trim();
    if text.len() > LONGEST_NAME || text.chars().any(char::is_control) {
        return Err(Error::field(
            "name",
            text,
            "must have at most 200 characters, none of them a control character",
        ));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// What became of a file of a form.
#[derive(Default)]
struct Sorted {
    /// What a zip is called, which is a name for the run at its top.
    stem: Option<String>,
    /// What is damaged in it.
    damaged: Vec<Fault>,
}

/// Puts a file that came where its name says, a zip's files where they lie in it.
fn sort_in(incoming: &FilePath, name: &str, tree: &FilePath, most: u64) -> Result<Sorted> {
    if unpack::is_zip(incoming)? {
        let damaged = unpack::unpack(incoming, name, tree, most)?;
        let stem = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = stem.strip_suffix(".zip").unwrap_or(stem);
        let stem = Some(stem.to_owned()).filter(|stem| !stem.is_empty());
        return Ok(Sorted { stem, damaged });
    }
    let path = tree.join(unpack::relative(name)?);
    // Made and replaced, so that the same name does not come twice.
    drop(unpack::create(&path, name)?);
    std::fs::rename(incoming, &path).map_err(|e| Error::file(&path, e))?;
    Ok(Sorted::default())
}

fn take(
    importer: &Importer,
    tree: &FilePath,
    options: &ImportOptions,
    damaged: Vec<Fault>,
) -> Result<Outcome> {
    let mut found = if tree.exists() {
        find::find_all(tree)?
    } else {
        // Of an archive of which nothing could be unpacked.
        find::Found::default()
    };
    found.skipped.splice(0..0, damaged);
    importer.stage_all(found, options)
}

/// What became of an import.
#[derive(Serialize, ToSchema)]
pub struct ImportOutcome {
    /// The runs that are new.
    runs: Vec<ImportedRun>,
    /// Runs whose files have grown, and whose curves were replaced; names, tags and notes stay.
    replaced: Vec<ImportedRun>,
    /// Runs that were here already, of the same files.
    already: Vec<ImportedRun>,
    /// Runs that were here already, of files that begin with these and have more.
    newer: Vec<ImportedRun>,
    /// What was left out, and why: files that are empty or damaged, folders that cannot be read, runs without a scalar.
    skipped: Vec<Fault>,
}

/// A run of an import, as it is called now.
#[derive(Serialize, ToSchema)]
pub struct ImportedRun {
    id: RunId,
    /// Its page.
    url: String,
    /// Its label.
    name: String,
    /// What is to be known of its files, each a sentence: damaged places, values in percent.
    remarks: Vec<String>,
}

async fn answer(app: &App, outcome: Outcome) -> Result<Response, Problem> {
    let Outcome {
        imported,
        replaced,
        already,
        newer,
        skipped,
    } = outcome;
    let status = if imported.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let told = ImportOutcome {
        runs: tell(app, imported).await?,
        replaced: tell(app, replaced).await?,
        already: tell(app, already).await?,
        newer: tell(app, newer).await?,
        skipped,
    };
    Ok((status, Json(told)).into_response())
}

/// Runs as they are called now.
async fn tell(app: &App, of: Vec<Imported>) -> Result<Vec<ImportedRun>> {
    let read = move |c: &rusqlite::Connection| {
        let told = of.into_iter().map(|Imported { id, imported }| {
            let name = rows::find(c, id)?.map_or(imported.name, |run| run.name);
            Ok(ImportedRun {
                id,
                url: base_path::url(&format!("/runs/{id}")),
                name,
                remarks: imported.source.remarks,
            })
        });
        told.collect()
    };
    app.index.read(read).await
}
