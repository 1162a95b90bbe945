//! What a run's network makes of photos that a client sends.
//!
//! Photos are decoded as they arrive, one at a time for all clients, and the network sees a batch at a time on the thread
//! that looks into networks. So a request holds one encoded photo and one batch, however many photos it has.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::multipart::Field;
use axum::extract::{Multipart, Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use vivarium_models::classify::Classifier;
use vivarium_models::data::PhotoTransform;
use vivarium_models::spec::FieldError;

use super::{RunPath, run_id};
use crate::blocking::blocking;
use crate::error::Error;
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::upload::{Form, within};
use crate::images;
use crate::inspect::target::InspectTarget;
use crate::predictions::{MOST_TOP, PhotoPrediction, TOP};

/// The field of the form that holds a photo.
const FIELD: &str = "image";

/// The most photos of a request.
pub(crate) const MOST_PHOTOS: usize = 100;

/// The most bytes of a request.
pub(in crate::http) const MOST_BYTES: usize = 256 << 20;

/// The longest name of a photo, in characters.
const LONGEST_NAME: usize = 1000;

/// Everything is received and answered in this time.
const DEADLINE: Duration = Duration::from_secs(10 * 60);

/// The query of a prediction.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PredictParams {
    /// The number of classes for each photo, from 1 to 100.
    #[param(default = 5, minimum = 1, maximum = 100)]
    top: Option<usize>,
    /// The checkpoint of the weights: `best` or `last`; by default `best`, or `last` while there is no `best`.
    checkpoint: Option<String>,
}

/// A form with photos.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form is read piece by piece")]
struct PhotosForm {
    /// PNG, JPEG, WebP, GIF, BMP or TIFF, whatever they are called; at most 100 of at most 20 MiB, 256 MiB in all.
    #[schema(value_type = Vec<String>, format = Binary)]
    image: Vec<String>,
}

/// What a network makes of photos.
#[derive(Serialize, ToSchema)]
pub struct PhotoPredictions {
    /// The checkpoint: `best` or `last`.
    checkpoint: &'static str,
    /// Whether there are probabilities; otherwise scores that only have an order.
    probabilities: bool,
    /// A row for each photo, in the order of the form.
    images: Vec<PhotoPrediction>,
}

/// Classify photos.
///
/// They are decoded and scaled as in training, and nothing of them is kept. A photo that cannot be read, or for which the
/// network gives no numbers, has an `error` in its row. `vivarium predict` prints the same rows.
#[utoipa::path(
    post,
    path = "/runs/{id}/predict",
    params(RunPath, PredictParams),
    request_body(content = PhotosForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "A row for each photo", body = PhotoPredictions))
)]
pub async fn predict(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<PredictParams>,
    Form(mut form): Form,
) -> Result<Json<PhotoPredictions>, Problem> {
    let top = query.top.unwrap_or(TOP);
    if !(1..=MOST_TOP).contains(&top) {
        let message = format!("must be between 1 and {MOST_TOP}");
        return Err(Error::field("top", top, message).into());
    }
    let id = run_id(&id)?;
    let target = InspectTarget::load(&app.index, id, app.supervisor.run_dir(id)).await?;
    let (target, snapshot) = blocking(move || {
        let snapshot = target.snapshot(query.checkpoint.as_deref())?;
        Ok((target, snapshot))
    })
    .await?;
    let checkpoint = snapshot.weights()?.clone();
    let name = checkpoint.name;
    let classifier = app
        .inspector
        .run(move |cache| {
            let transform = PhotoTransform::of(&target.spec.data)?;
            let network = cache.network(&target, &checkpoint)?;
            Ok(network.classifier(transform)?)
        })
        .await?;
    let mut batch = Batch {
        app: &app,
        classifier: Arc::new(classifier),
        top,
        rows: Vec::new(),
        inputs: Vec::new(),
    };
    let _place = app.images.place().await?;
    match tokio::time::timeout(DEADLINE, batch.receive(&mut form)).await {
        Ok(received) => received?,
        Err(_) => {
            let detail = format!("The request took more than {} s.", DEADLINE.as_secs());
            let status = StatusCode::REQUEST_TIMEOUT;
            return Err(Problem::new(status, "Too slow", detail));
        }
    }
    if batch.rows.is_empty() {
        let message = "is needed: fields of the form with photos";
        let error = FieldError::new(FIELD, &Value::Null, message);
        return Err(Problem::of_fields("No photos", vec![error]));
    }
    Ok(Json(PhotoPredictions {
        checkpoint: name,
        probabilities: batch.classifier.has_probabilities(),
        images: batch.rows,
    }))
}

/// Photos that are decoded before the network sees them.
const CHUNK: usize = 16;

/// Photos on their way to rows.
struct Batch<'a> {
    app: &'a App,
    classifier: Arc<Classifier>,
    top: usize,
    rows: Vec<PhotoPrediction>,
    /// The inputs that the network has not seen, with the places of their rows.
    inputs: Vec<(usize, Vec<f32>)>,
}

impl Batch<'_> {
    async fn receive(&mut self, form: &mut Multipart) -> Result<(), Problem> {
        while let Some(field) = within(form.next_field()).await? {
            if field.name() != Some(FIELD) {
                continue;
            }
            if self.rows.len() == MOST_PHOTOS {
                let message = format!("must be at most {MOST_PHOTOS} in a request");
                let error = FieldError::new(FIELD, &Value::Null, &message);
                return Err(Problem::of_fields("Too many photos", vec![error]));
            }
            let name = field.file_name().unwrap_or_default();
            let name = name.chars().take(LONGEST_NAME).collect();
            let result = match bytes(field).await? {
                Some(bytes) => self.decode(bytes).await?,
                None => Err(format!("has more than {} MiB", images::MOST_BYTES >> 20)),
            };
            let place = self.rows.len();
            let result = result.map(|input| self.inputs.push((place, input)));
            let row = PhotoPrediction::new(name, result.map(|()| Vec::new()));
            self.rows.push(row);
            if self.inputs.len() == CHUNK {
                self.classify().await?;
            }
        }
        self.classify().await
    }

    /// The input for a photo, or what is wrong with it.
    async fn decode(&self, bytes: Vec<u8>) -> Result<Result<Vec<f32>, String>, Problem> {
        let classifier = Arc::clone(&self.classifier);
        let work = move || Ok(classifier.read(&bytes, images::MOST_PIXELS));
        Ok(self.app.images.in_turn(work).await?)
    }

    /// Fills the rows of the photos that the network has not seen.
    async fn classify(&mut self) -> Result<(), Problem> {
        let (places, inputs): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.inputs).into_iter().unzip();
        if inputs.is_empty() {
            return Ok(());
        }
        let (classifier, top) = (Arc::clone(&self.classifier), self.top);
        let work = move |_: &mut _| {
            let rows = inputs.iter().map(|input| classifier.classify(input, top));
            Ok(rows.collect::<vivarium_models::Result<Vec<_>>>()?)
        };
        let tops = self.app.inspector.run(work).await?;
        for (place, top) in places.into_iter().zip(tops) {
            let row = &mut self.rows[place];
            *row = PhotoPrediction::new(std::mem::take(&mut row.path), top);
        }
        Ok(())
    }
}

/// The bytes of a photo; `None` if there are too many, which are skipped.
async fn bytes(mut field: Field<'_>) -> Result<Option<Vec<u8>>, Problem> {
    let mut bytes = Some(Vec::new());
    while let Some(piece) = within(field.chunk()).await? {
        bytes = bytes.filter(|bytes| bytes.len() + piece.len() <= images::MOST_BYTES);
        if let Some(bytes) = &mut bytes {
            bytes.extend_from_slice(&piece);
        }
    }
    Ok(bytes)
}
