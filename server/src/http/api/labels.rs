//! Labels of data sets: their versions, corrections, and suspected mistakes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use vivarium_models::contract::Reason;
use vivarium_models::data::{LabelChange, Labels, SetPictures, Split};
use vivarium_models::evaluate::LabelQuality;

use super::inside::params::Params;
use super::sweeps::{self, Sweep};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::evaluations::compute::Progress;
use crate::evaluations::label_issues::LabelIssue;
use crate::evaluations::{Outcome, Subject};
use crate::http::App;
use crate::http::api::openapi::Binary;
use crate::http::etag::{Caching, ETag};
use crate::http::json::{Body, given};
use crate::http::query::Pairs;
use crate::index::runs::{self as rows, Run, Status};
use crate::inspect::target::InspectTarget;

/// The longest side of an image that is shown, in pixels.
const MOST_SIDE: usize = 1024;

/// Issues of a page.
const PAGE: usize = 60;

/// How long a request waits for an evaluation.
const WAIT: Duration = Duration::from_secs(2);

/// The labels of a data set.
#[derive(Serialize, ToSchema)]
pub struct SetLabels {
    /// The set's name.
    set: String,
    /// Its name for people.
    title: String,
    /// The names of the classes.
    classes: Vec<String>,
    /// Images in all.
    images: usize,
    /// The version that new runs take; `imported` for the labels that were imported.
    version: String,
    /// All versions: the imported labels, then the newest first.
    versions: Vec<LabelVersion>,
    /// What the version changes, by the place of the image in the set.
    corrections: Vec<LabelCorrection>,
    /// The sweeps over the folds of this set, the newest first.
    checks: Vec<LabelCheck>,
}

impl SetLabels {
    /// The set's name for people.
    pub(in crate::http) fn title(&self) -> &str {
        &self.title
    }
}

/// A version of a set's labels.
#[derive(Serialize, ToSchema)]
pub struct LabelVersion {
    /// Its name: the hash of the labels, or `imported`.
    version: String,
    /// When it was made first, RFC 3339; `null` for the labels that were imported.
    #[schema(format = DateTime)]
    created: Option<String>,
    /// Images of another class than they were imported with.
    relabelled: usize,
    /// Images that are in no split.
    excluded: usize,
    /// Runs that use it.
    runs: usize,
}

/// A label that differs from the one that was imported.
#[derive(Serialize, ToSchema)]
pub struct LabelCorrection {
    /// The place of the image in the set, from 0.
    sample: u32,
    /// The path of a photo in what was imported; `null` for images without one.
    name: Option<String>,
    /// The class with which it was imported.
    imported: u32,
    /// Its class; `null` where it is excluded.
    class: Option<u32>,
}

/// A sweep over the folds of a set.
#[derive(Serialize, ToSchema)]
pub struct LabelCheck {
    /// Its id.
    sweep: String,
    /// Its page.
    url: String,
    /// The name that its runs begin with.
    name: String,
    /// The number of folds.
    folds: usize,
}

/// Changes of labels.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelChanges {
    /// The version to start from; by default the current one.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    from: Option<String>,
    /// In this order.
    #[serde(default)]
    changes: Vec<LabelEdit>,
}

/// A change of the label of one image.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum LabelEdit {
    /// Gives it a class.
    Relabel {
        /// The place of the image in the set, from 0.
        sample: u32,
        /// The name of the class.
        class: String,
    },
    /// Takes it out of all splits.
    Exclude {
        /// The place of the image in the set, from 0.
        sample: u32,
    },
    /// Gives it back the class with which it was imported.
    Restore {
        /// The place of the image in the set, from 0.
        sample: u32,
    },
    /// Leaves it as it is, and takes it off the list of suspected mistakes.
    Keep {
        /// The place of the image in the set, from 0.
        sample: u32,
    },
}

/// The labels of a data set: versions, corrections, and the sweeps that look for mistakes.
#[utoipa::path(
    get,
    path = "/datasets/{set}/labels",
    params(("set" = String, Path, description = "The data set's name")),
    responses((status = 200, description = "The labels", body = SetLabels))
)]
pub async fn show(State(app): State<App>, Path(set): Path<String>) -> Result<Json<SetLabels>> {
    Ok(Json(of_set(&app, set).await?))
}

/// The labels of a set.
pub(in crate::http) async fn of_set(app: &App, set: String) -> Result<SetLabels> {
    let (data_sets, name) = (app.data_sets.clone(), set.clone());
    let labels = blocking(move || {
        data_sets.labels.stored(&name)?;
        Ok(data_sets.library.labels(&name)?)
    })
    .await?;
    told(app, set, labels).await
}

/// Change the labels of a data set. The result is a version of its own, which new runs take.
///
/// The same labels have the same version, in whatever order they were changed. Runs on other versions keep them, and the
/// split is the same for all.
#[utoipa::path(
    patch,
    path = "/datasets/{set}/labels",
    params(("set" = String, Path, description = "The data set's name")),
    request_body = LabelChanges,
    responses((status = 200, description = "The labels", body = SetLabels))
)]
pub async fn change(
    State(app): State<App>,
    Path(set): Path<String>,
    Body(asked): Body<LabelChanges>,
) -> Result<Json<SetLabels>> {
    let (data_sets, name) = (app.data_sets.clone(), set.clone());
    let labels = blocking(move || {
        data_sets.labels.stored(&name)?;
        let found = data_sets.library.find(&name).and_then(|set| set.metadata);
        let classes = found.map(|metadata| metadata.classes).unwrap_or_default();
        let changes: Vec<LabelChange> = asked
            .changes
            .into_iter()
            .enumerate()
            .map(|(at, edit)| edit.read(at, &classes))
            .collect::<Result<_>>()?;
        let changed = data_sets
            .labels
            .change(&name, asked.from.as_deref(), &changes);
        changed.map_err(|error| match error {
            Error::Models(vivarium_models::Error::Setting { path, message }) => {
                let path = if path == "data.version" {
                    "from"
                } else {
                    "changes"
                };
                Error::field(path, json!(asked.from), message)
            }
            error => error,
        })
    })
    .await?;
    Ok(Json(told(&app, set, labels).await?))
}

impl LabelEdit {
    /// The change; `at` is its place in the request.
    fn read(self, at: usize, classes: &[String]) -> Result<LabelChange> {
        Ok(match self {
            Self::Relabel { sample, class } => {
                let Some(found) = classes.iter().position(|of| *of == class) else {
                    let message =
                        format!("must be one of the set's classes: {}", classes.join(", "));
                    return Err(Error::field(&format!("changes.{at}.class"), class, message));
                };
                LabelChange::Relabel {
                    sample,
                    class: found as u32,
                }
            }
            Self::Exclude { sample } => LabelChange::Exclude { sample },
            Self::Restore { sample } => LabelChange::Restore { sample },
            Self::Keep { sample } => LabelChange::Keep { sample },
        })
    }
}

/// What is said of a set's labels.
async fn told(app: &App, set: String, labels: Labels) -> Result<SetLabels> {
    let pictures = app.data_sets.labels.pictures(&set).await?;
    let of = set.clone();
    let runs = app
        .index
        .read(move |c| rows::count_by_version(c, &of))
        .await?;
    let checks = app.supervisor.sweeps().await?;
    let checks = checks.iter().filter_map(|(id, sweep)| {
        let folds = Folds::of(&sweep.spec.base, &sweep.spec.grid)?;
        (folds.set == set).then(|| LabelCheck {
            sweep: id.clone(),
            url: sweeps::url(id),
            name: sweep.spec.base["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            folds: folds.count,
        })
    });
    let checks = checks.collect();
    let data_sets = app.data_sets.clone();
    blocking(move || {
        let found = data_sets.library.find(&set);
        let metadata = found.as_ref().and_then(|set| set.metadata.clone());
        let versions = data_sets.library.label_versions(&set)?;
        let corrections = labels
            .corrections
            .iter()
            .map(|(sample, class)| LabelCorrection {
                sample: *sample,
                name: pictures.name(*sample as usize).map(str::to_owned),
                imported: labels.imported[*sample as usize],
                class: *class,
            });
        Ok(SetLabels {
            title: found.map_or_else(|| set.clone(), |set| set.title.into_owned()),
            classes: metadata
                .map(|metadata| metadata.classes)
                .unwrap_or_default(),
            images: labels.imported.len(),
            corrections: corrections.collect(),
            version: labels.version,
            versions: versions
                .into_iter()
                .map(|version| LabelVersion {
                    runs: runs.get(&version.name).copied().unwrap_or_default(),
                    version: version.name,
                    created: version.created,
                    relabelled: version.relabelled,
                    excluded: version.excluded,
                })
                .collect(),
            checks,
            set,
        })
    })
    .await
}

/// The size of a picture.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the handler reads")]
pub struct PictureParams {
    /// The most pixels of its longer side; 256 by default.
    #[param(minimum = 1, maximum = 1024)]
    size: Option<usize>,
}

/// An image of a data set, as it was imported.
#[utoipa::path(
    get,
    path = "/datasets/{set}/samples/{file}",
    params(
        ("set" = String, Path, description = "The data set's name"),
        ("file" = String, Path, description = "The place of the image in the set, from 0, with `.png` behind"),
        PictureParams
    ),
    responses((status = 200, description = "The picture", body = inline(Binary), content_type = "image/png"))
)]
pub async fn picture(
    State(app): State<App>,
    Path((set, file)): Path<(String, String)>,
    Query(query): Pairs,
    headers: HeaderMap,
) -> Result<Response> {
    let size = Params::new(query).number("size")?.unwrap_or(256);
    if !(1..=MOST_SIDE).contains(&size) {
        let message = format!("must be between 1 and {MOST_SIDE}");
        return Err(Error::field("size", size, message));
    }
    let none = || Error::NotFound(format!("image “{file}” of this set"));
    let sample = file
        .strip_suffix(".png")
        .and_then(|place| place.parse().ok());
    let sample: usize = sample.ok_or_else(none)?;
    let pictures = app.data_sets.labels.pictures(&set).await?;
    if sample >= pictures.len() {
        return Err(none());
    }
    let etag = ETag::new(
        format!("{}-{sample}-{size}", &pictures.sha256[..16]),
        Caching::Revalidate,
    );
    if let Some(response) = etag.not_modified(&headers) {
        return Ok(response);
    }
    let png = app.data_sets.labels.png(pictures, sample, size).await?;
    Ok(etag.respond("image/png", png))
}

/// What a sweep over folds says of labels.
#[derive(Serialize, ToSchema)]
pub struct LabelIssues {
    /// The data set.
    set: String,
    /// The version of the labels that the folds learnt.
    version: String,
    /// The names of the classes.
    classes: Vec<String>,
    /// The runs of the sweep.
    folds: Vec<Fold>,
    /// How far the folds' predictions are; `null` while folds are trained, and once all is there.
    progress: Option<FoldProgress>,
    /// Samples that a finished fold did not learn from; 0 until all is there.
    samples: usize,
    /// How many of them confident learning counts to another class than their label.
    likely: usize,
    /// How many of those nobody has looked at.
    open: usize,
    /// A page of the samples that nobody has looked at, the most suspicious first.
    issues: Vec<Issue>,
}

/// A fold of a sweep.
#[derive(Serialize, ToSchema)]
pub struct Fold {
    /// The fold, from 0.
    fold: u64,
    /// The page of its run.
    url: String,
    /// How its run stands.
    status: Status,
    /// Why it ended.
    #[schema(value_type = Option<Reason>)]
    reason: Option<String>,
    /// The share of its run's steps that is done, 0 to 1.
    share: f64,
}

/// How far the predictions of the folds are.
#[derive(Serialize, ToSchema)]
pub struct FoldProgress {
    /// The fold whose samples are predicted.
    fold: u64,
    /// How far that is.
    #[serde(flatten)]
    progress: Progress,
}

/// A sample whose label may be wrong.
#[derive(Serialize, ToSchema)]
pub struct Issue {
    /// The place of the image in the set, from 0.
    sample: usize,
    /// The path of a photo in what was imported; `null` for images without one.
    name: Option<String>,
    /// Whether it is of the test split.
    is_test: bool,
    /// The class that the folds were given.
    label: u32,
    /// The class that is likeliest.
    suggested: u32,
    /// How likely the label is right, 0 to 1.
    quality: f64,
    /// Whether confident learning counts it to another class.
    is_likely: bool,
}

/// What is asked of a sweep over folds.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the handler reads")]
pub struct IssuesParams {
    /// How samples are ranked; by default by the probability of their label.
    #[param(inline)]
    quality: Option<LabelQuality>,
    /// The page, from 0.
    page: Option<usize>,
}

/// Labels that may be wrong, by a sweep over the folds of a data set.
///
/// Each sample is judged by the network that did not learn from it; those of the test split by all. The answer has status
/// 202 until the folds are trained and their predictions are there; ask again.
#[utoipa::path(
    get,
    path = "/sweeps/{id}/label-issues",
    params(("id" = Uuid, Path, description = "The sweep"), IssuesParams),
    responses(
        (status = 200, description = "A page of samples", body = LabelIssues),
        (status = 202, description = "The folds are not ready: how they stand", body = LabelIssues)
    )
)]
pub async fn issues(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Pairs,
) -> Result<Response> {
    let params = Params::new(query);
    let quality = params
        .word("quality")?
        .unwrap_or(LabelQuality::SelfConfidence);
    let page = params.number("page")?.unwrap_or(0);
    let sweep = sweeps::whole(&app, id).await?;
    let Some(folds) = Folds::of(&sweep.spec.base, &sweep.spec.grid) else {
        return Err(Error::Conflict(
            "The sweep does not go over the folds of a data set alone, and so says nothing of labels."
                .to_owned(),
        ));
    };
    let runs = folds.runs(&sweep);
    let mut answer = LabelIssues {
        set: folds.set.clone(),
        version: runs.values().next().map_or_else(String::new, |run| {
            run.spec["data"]["version"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        }),
        classes: Vec::new(),
        folds: runs
            .iter()
            .map(|(fold, run)| Fold::of(*fold, run))
            .collect(),
        progress: None,
        samples: 0,
        likely: 0,
        open: 0,
        issues: Vec::new(),
    };
    let waiting = |answer: LabelIssues| Ok((StatusCode::ACCEPTED, Json(answer)).into_response());
    if runs.values().any(|run| run.status.is_active()) {
        return waiting(answer);
    }
    let mut ready = Vec::new();
    for (fold, run) in &runs {
        if run.status != Status::Finished {
            continue;
        }
        let subject = subject(&app, run).await?;
        match app.evaluations.ask(&subject, WAIT).await? {
            Outcome::Ready(entry) => ready.push((subject, entry)),
            Outcome::Pending(progress) => {
                let fold = *fold;
                answer.progress = Some(FoldProgress { fold, progress });
                return waiting(answer);
            }
        }
    }
    let Some((first, _)) = ready.first() else {
        return Err(Error::Conflict(
            "No fold was trained to its end; resume or repeat them.".to_owned(),
        ));
    };
    answer.classes.clone_from(&first.target.started.classes);
    let found = app.evaluations.label_issues(ready, quality).await?;
    let pictures = app.data_sets.labels.pictures(&folds.set).await?;
    let (data_sets, set) = (app.data_sets.clone(), folds.set);
    let labels = blocking(move || Ok(data_sets.library.labels(&set)?)).await?;
    let is_open = |issue: &&LabelIssue| {
        let sample = issue.suspect.index as u32;
        labels.class(sample) == Some(issue.suspect.label) && !labels.reviewed.contains(&sample)
    };
    let open = || found.ranked.iter().filter(is_open);
    answer.samples = found.ranked.len();
    answer.likely = found.likely;
    answer.open = open().filter(|issue| issue.suspect.confident).count();
    let shown = open().skip(page.saturating_mul(PAGE)).take(PAGE);
    answer.issues = shown.map(|issue| Issue::of(issue, &pictures)).collect();
    Ok(Json(answer).into_response())
}

impl Issue {
    fn of(issue: &LabelIssue, pictures: &SetPictures) -> Self {
        let suspect = issue.suspect;
        Self {
            sample: suspect.index,
            name: pictures.name(suspect.index).map(str::to_owned),
            is_test: issue.is_test,
            label: suspect.label,
            suggested: suspect.suggested,
            quality: suspect.quality,
            is_likely: suspect.confident,
        }
    }
}

impl Fold {
    fn of(fold: u64, run: &Run) -> Self {
        let (done, of) = (
            run.summary.step.unwrap_or(0),
            run.summary.steps.unwrap_or(0),
        );
        Self {
            fold,
            url: run.url.clone(),
            status: run.status,
            reason: run.reason.clone(),
            share: if of > 0 { done as f64 / of as f64 } else { 0.0 },
        }
    }
}

/// The best network of a fold on the samples that it did not learn from.
async fn subject(app: &App, run: &Run) -> Result<Subject> {
    let dir = app.supervisor.run_dir(run.id);
    let target = Arc::new(InspectTarget::of_any_data(&app.index, run.id, dir).await?);
    let of = Arc::clone(&target);
    let checkpoint = blocking(move || Ok(of.snapshot(None)?.weights()?.clone())).await?;
    let split = match target.started.test_samples {
        0 => Split::Validation,
        // The scores of the validation split come with it.
        _ => Split::Test,
    };
    Ok(Subject {
        target,
        checkpoint,
        split,
    })
}

/// A sweep that trains a network on each fold of a set.
struct Folds {
    set: String,
    count: usize,
}

impl Folds {
    /// `None` for a sweep over anything else.
    fn of(base: &Value, grid: &serde_json::Map<String, Value>) -> Option<Self> {
        let set = base["data"]["set"].as_str()?;
        let count = base["data"]["folds"].as_u64()?;
        let folds = grid.get("data.fold")?.as_array()?;
        let all = (0..count).map(Value::from);
        let is_of_folds = grid.len() == 1 && all.eq(folds.iter().cloned());
        is_of_folds.then(|| Self {
            set: set.to_owned(),
            count: folds.len(),
        })
    }

    /// For each fold, the run that was finished, or the newest.
    fn runs<'a>(&self, sweep: &'a Sweep) -> BTreeMap<u64, &'a Run> {
        let mut runs: BTreeMap<u64, &Run> = BTreeMap::new();
        for run in &sweep.runs {
            let Some(fold) = run.spec["data"]["fold"].as_u64() else {
                continue;
            };
            let kept = runs.entry(fold).or_insert(run);
            if kept.status != Status::Finished {
                *kept = run;
            }
        }
        runs
    }
}
