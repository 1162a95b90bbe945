//! Labels that may be wrong, by a sweep over the folds of a data set.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use vivarium_models::contract::Reason;
use vivarium_models::data::{Labels, SetPictures, Split};
use vivarium_models::evaluate::LabelQuality;
use vivarium_models::graph::Criterion;
use vivarium_models::networks;

use super::inside::params::Params;
use super::sweeps::{self, Sweep};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::evaluations::compute::Progress;
use crate::evaluations::label_issues::LabelIssue;
use crate::evaluations::{Outcome, Subject};
use crate::http::App;
use crate::http::query::Pairs;
use crate::index::runs::{Run, Status};
use crate::inspect::target::InspectTarget;

/// Issues of a page.
const PAGE: usize = 24;
/// Pairs of classes that are listed.
const MOST_PAIRS: usize = 50;
/// Typical samples of a class.
const MOST_TYPICAL: usize = 3;

/// How long a request waits for an evaluation.
const WAIT: Duration = Duration::from_secs(2);

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
    /// The pairs of classes of those, the most frequent first; at most 50.
    pairs: Vec<ClassPair>,
    /// For each class, the samples whose label the networks find likeliest, by their place in the set; at most three.
    typical: Vec<Vec<usize>>,
    /// A page of the samples that nobody has looked at: those that confident learning counts to another class, then the
    /// others, each the most suspicious first.
    issues: Vec<Issue>,
}

/// Two classes that networks and labels take for each other.
#[derive(Serialize, ToSchema)]
pub struct ClassPair {
    /// The class of the label.
    label: u32,
    /// The class that is likelier.
    suggested: u32,
    /// How many samples that confident learning counts to it nobody has looked at.
    open: usize,
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
    /// The class with which it was imported.
    imported: u32,
    /// The class that is likeliest.
    suggested: u32,
    /// Its probability.
    suggested_probability: f64,
    /// The mean probability of that class over the samples with that label; `null` without any.
    suggested_mean: Option<f64>,
    /// The mean probability of the label over the samples with it.
    label_mean: f64,
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
    /// So many of the first samples that nobody has looked at are left out.
    skip: Option<usize>,
    /// Only samples with this label, the place of a class among `classes`.
    label: Option<u32>,
    /// Only samples of which this class is the likeliest.
    suggested: Option<u32>,
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
    let skip = params.number("skip")?.unwrap_or(0);
    let (label, suggested) = (params.number("label")?, params.number("suggested")?);
    let sweep = sweeps::whole(&app, id).await?;
    let Some(folds) = Folds::of(&sweep.spec.base, &sweep.spec.grid) else {
        return Err(Error::Conflict(
            "The sweep does not go over the folds of a data set alone, and so says nothing of labels."
                .to_owned(),
        ));
    };
    let (data_sets, set) = (app.data_sets.clone(), folds.set.clone());
    blocking(move || data_sets.labels.stored(&set)).await?;
    let runs = folds.runs(&sweep);
    if runs.values().any(|run| learns_margins(&run.spec)) {
        return Err(Error::Conflict(
            "The scores of a perceptron are margins, not probabilities: they say nothing of labels. Search with another network."
                .to_owned(),
        ));
    }
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
        pairs: Vec::new(),
        typical: Vec::new(),
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
    answer.pairs = pairs(open());
    answer.typical = typical(&found.ranked, &labels, answer.classes.len());
    answer.open = open().filter(|issue| issue.suspect.confident).count();
    let is_asked_for = |issue: &&LabelIssue| {
        label.is_none_or(|class| issue.suspect.label as usize == class)
            && suggested.is_none_or(|class| issue.suspect.suggested as usize == class)
    };
    let shown = open().filter(is_asked_for).skip(skip).take(PAGE);
    answer.issues = shown
        .map(|issue| Issue::of(issue, &pictures, &labels))
        .collect();
    Ok(Json(answer).into_response())
}

/// The pairs of classes of suspects, the most frequent first.
fn pairs<'a>(issues: impl Iterator<Item = &'a LabelIssue>) -> Vec<ClassPair> {
    let mut counts = BTreeMap::<(u32, u32), usize>::new();
    for LabelIssue { suspect, .. } in issues.filter(|issue| issue.suspect.confident) {
        *counts
            .entry((suspect.label, suspect.suggested))
            .or_default() += 1;
    }
    let mut pairs: Vec<_> = counts
        .into_iter()
        .map(|((label, suggested), open)| ClassPair {
            label,
            suggested,
            open,
        })
        .collect();
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.open));
    pairs.truncate(MOST_PAIRS);
    pairs
}

/// For each class, the samples whose label is the likeliest: those at the end of the ranking, the last first.
fn typical(ranked: &[LabelIssue], labels: &Labels, classes: usize) -> Vec<Vec<usize>> {
    let mut typical = vec![Vec::new(); classes];
    let mut missing = classes * MOST_TYPICAL;
    for LabelIssue { suspect, .. } in ranked.iter().rev() {
        if missing == 0 || suspect.confident {
            break;
        }
        let of_class: &mut Vec<usize> = &mut typical[suspect.label as usize];
        let is_current = labels.class(suspect.index as u32) == Some(suspect.label);
        if is_current && of_class.len() < MOST_TYPICAL {
            of_class.push(suspect.index);
            missing -= 1;
        }
    }
    typical
}

impl Issue {
    fn of(issue: &LabelIssue, pictures: &SetPictures, labels: &Labels) -> Self {
        let suspect = issue.suspect;
        Self {
            sample: suspect.index,
            name: pictures.name(suspect.index).map(str::to_owned),
            is_test: issue.is_test,
            label: suspect.label,
            imported: labels
                .imported
                .get(suspect.index)
                .copied()
                .unwrap_or(suspect.label),
            suggested: suspect.suggested,
            suggested_probability: suspect.suggested_probability,
            suggested_mean: Some(suspect.suggested_mean).filter(|mean| mean.is_finite()),
            label_mean: suspect.label_mean,
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

/// Whether a run's network scores classes by margins.
fn learns_margins(spec: &Value) -> bool {
    let kind = spec["network"]["kind"].as_str().unwrap_or_default();
    networks::row(kind).is_some_and(|row| row.criterion == Criterion::Perceptron)
}

/// The best network of a fold on the samples that it did not learn from.
async fn subject(app: &App, run: &Run) -> Result<Subject> {
    let dir = app.supervisor.run_dir(run.id);
    let target = InspectTarget::of_any_data(&app.index, run.id, dir).await?;
    let split = match target.started.test_samples {
        0 => Split::Validation,
        // The scores of the validation split come with it.
        _ => Split::Test,
    };
    Subject::of_run(target, None, split).await
}

/// A sweep that trains a network on each fold of a set.
pub(super) struct Folds {
    pub(super) set: String,
    pub(super) count: usize,
}

impl Folds {
    /// `None` for a sweep over anything else.
    pub(super) fn of(base: &Value, grid: &serde_json::Map<String, Value>) -> Option<Self> {
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
