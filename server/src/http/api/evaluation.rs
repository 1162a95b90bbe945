//! What a run's predictions are worth. A network is evaluated when somebody asks; an answer with status 202 says how far
//! that is, and the same request is then sent again.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};
use vivarium_models::data::Split;
use vivarium_models::evaluate::ClassCurves;

use super::inside::params::Params;
use super::{RunPath, run_id};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::evaluations::cache::{Entry, Version};
use crate::evaluations::comparison::Comparison;
use crate::evaluations::compute::{Progress, RunEvaluation};
use crate::evaluations::{Outcome, Subject};
use crate::http::App;
use crate::http::etag::{Caching, ETag};
use crate::http::query::{Pairs, values};
use crate::inspect::target::InspectTarget;
use crate::run_dir::RunId;

/// How long a request waits by default and at most, in seconds; less than a request may take.
const WAIT: usize = 20;

/// Seconds after which a client asks again.
const RETRY_AFTER: &str = "1";

/// The most classes whose curves are told at once.
const MOST_CURVES: usize = 20;

/// The split and the checkpoint of an evaluation.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `Request` reads")]
pub struct EvaluationParams {
    /// The split; by default `test`.
    #[param(inline)]
    split: Option<Split>,
    /// `best` or `last`; by default the best, or the last where there is no best.
    checkpoint: Option<String>,
    /// That of an evaluation that was told: what belongs to it is told even if the run has written its next checkpoint
    /// since. By default, or where it is kept no longer, the newest.
    version: Option<Version>,
    /// How many seconds the request waits before it is answered with the progress.
    #[param(maximum = 20)]
    wait: Option<usize>,
}

/// What is asked of a run.
struct Request {
    split: Split,
    checkpoint: Option<String>,
    version: Option<Version>,
    wait: Duration,
}

impl Request {
    fn read(params: &Params) -> Result<Self> {
        let wait = params.number("wait")?.unwrap_or(WAIT);
        if wait > WAIT {
            let message = format!("must be at most {WAIT} seconds");
            return Err(Error::field("wait", wait, message));
        }
        Ok(Self {
            split: params.word("split")?.unwrap_or(Split::Test),
            checkpoint: params.text("checkpoint").map(str::to_owned),
            version: params
                .text("version")
                .map(|text| {
                    text.parse()
                        .map_err(|message: String| Error::field("version", text, message))
                })
                .transpose()?,
            wait: Duration::from_secs(wait as u64),
        })
    }

    /// The run's split at the checkpoint.
    async fn subject(&self, app: &App, id: RunId) -> Result<Subject> {
        let dir = app.supervisor.run_dir(id);
        let target = InspectTarget::of_any_data(&app.index, id, dir).await?;
        Subject::of_run(target, self.checkpoint.clone(), self.split).await
    }

    /// The evaluation of a subject.
    async fn evaluate(&self, app: &App, subject: &Subject) -> Result<Outcome<Entry>> {
        if let Some(version) = &self.version
            && let Some(kept) = app.evaluations.kept(subject, version).await?
        {
            return Ok(Outcome::Ready(kept));
        }
        app.evaluations.ask(subject, self.wait).await
    }
}

/// The progress of an evaluation that is not there yet.
#[derive(Serialize, ToSchema)]
pub struct PendingEvaluation {
    /// How far it is.
    progress: Progress,
}

fn pending(progress: Progress) -> Response {
    let retry = [
        (header::RETRY_AFTER, RETRY_AFTER),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (
        StatusCode::ACCEPTED,
        retry,
        Json(PendingEvaluation { progress }),
    )
        .into_response()
}

/// The evaluation of a split: figures with their 95 % intervals.
///
/// The first request of a checkpoint starts the evaluation. Where it takes longer than the request waits, the answer is its progress with status 202; ask again. An evaluation for which nobody asks any more is ended.
#[utoipa::path(
    get,
    path = "/runs/{id}/evaluation",
    params(RunPath, EvaluationParams),
    responses(
        (status = 200, description = "The figures", body = RunEvaluation),
        (status = 202, description = "The evaluation is not ready: its progress", body = PendingEvaluation)
    )
)]
pub async fn evaluation(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Pairs,
    headers: HeaderMap,
) -> Result<Response> {
    let request = Request::read(&Params::new(query))?;
    let subject = request.subject(&app, run_id(&id)?).await?;
    let entry = match request.evaluate(&app, &subject).await? {
        Outcome::Ready(entry) => entry,
        Outcome::Pending(progress) => return Ok(pending(progress)),
    };
    let hash = Sha256::digest(format!("{} {}", entry.name(), subject.split.name()));
    let etag = ETag::new(hex::encode(&hash[..16]), Caching::Revalidate);
    if let Some(response) = etag.not_modified(&headers) {
        return Ok(response);
    }
    let body = blocking(move || entry.evaluation(subject.split)).await?;
    Ok(etag.respond("application/json", body))
}

/// The classes whose curves are asked for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the handler reads")]
pub struct CurvesParams {
    /// Classes by their numbers, at most 20.
    class: Vec<usize>,
}

/// The curves of some classes.
#[derive(Serialize, ToSchema)]
pub struct EvaluationCurves {
    /// In the order of the request.
    curves: Vec<ClassCurves>,
}

/// ROC and precision-recall curves of some classes against the rest.
#[utoipa::path(
    get,
    path = "/runs/{id}/evaluation/curves",
    params(RunPath, EvaluationParams, CurvesParams),
    responses(
        (status = 200, description = "The curves, thinned for drawing", body = EvaluationCurves),
        (status = 202, description = "The evaluation is not ready: its progress", body = PendingEvaluation)
    )
)]
pub async fn class_curves(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Pairs,
) -> Result<Response> {
    let classes = classes(&query)?;
    let request = Request::read(&Params::new(query))?;
    let subject = request.subject(&app, run_id(&id)?).await?;
    let most = subject.target.started.classes.len();
    if let Some(class) = classes.iter().find(|class| **class >= most) {
        return Err(Error::field(
            "class",
            *class,
            format!("must be below {most}"),
        ));
    }
    match request.evaluate(&app, &subject).await? {
        Outcome::Pending(progress) => Ok(pending(progress)),
        Outcome::Ready(entry) => {
            let curves = app.evaluations.curves(entry, subject.split, classes);
            Ok(Json(EvaluationCurves {
                curves: curves.await?,
            })
            .into_response())
        }
    }
}

fn classes(query: &[(String, String)]) -> Result<Vec<usize>> {
    let parse = |text: &str| {
        let one = Params::new(vec![("class".to_owned(), text.to_owned())]);
        one.needed("class")
    };
    let classes: Vec<usize> = values(query, "class").map(parse).collect::<Result<_>>()?;
    if classes.is_empty() || classes.len() > MOST_CURVES {
        let message = format!("must be one to {MOST_CURVES} classes");
        return Err(Error::field("class", classes.len(), message));
    }
    Ok(classes)
}

/// The other run.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the handler reads")]
pub struct ComparisonParams {
    /// The run to compare with.
    with: RunId,
}

/// Two runs on the same samples: McNemar's test.
///
/// The second run is evaluated at its best checkpoint too. Runs that were not evaluated on the same samples are refused.
#[utoipa::path(
    get,
    path = "/runs/{id}/evaluation/comparison",
    params(RunPath, EvaluationParams, ComparisonParams),
    responses(
        (status = 200, description = "The test, on all samples and on those of each class", body = Comparison),
        (status = 202, description = "An evaluation is not ready: its progress", body = PendingEvaluation)
    )
)]
pub async fn comparison(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Pairs,
) -> Result<Response> {
    let params = Params::new(query);
    let mut request = Request::read(&params)?;
    // Each of the two evaluations may take half of the time.
    request.wait /= 2;
    let with = params.text("with");
    let other: RunId = with
        .and_then(|with| with.parse().ok())
        .ok_or_else(|| Error::field("with", with, "must be the id of a run"))?;
    let first = request.subject(&app, run_id(&id)?).await?;
    let second = request.subject(&app, other).await?;
    let ready = async |subject: &Subject| request.evaluate(&app, subject).await;
    let [a, b]: [Entry; 2] = match (ready(&first).await?, ready(&second).await?) {
        (Outcome::Ready(a), Outcome::Ready(b)) => [a, b],
        (Outcome::Pending(progress), _) | (_, Outcome::Pending(progress)) => {
            return Ok(pending(progress));
        }
    };
    let compared = app.evaluations.compare((&first, a), (&second, b)).await?;
    Ok(Json(compared).into_response())
}
