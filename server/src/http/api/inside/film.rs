//! The film of a run: its frames, what is in each, and the image that it follows.

use std::fs;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vivarium_models::classify::ClassScore;
use vivarium_models::data::Split;
use vivarium_models::inspect::film::{Folder, FrameMetadata, FrameName, TopClass, pin_name};
use vivarium_models::links;

use super::super::RunPath;
use super::query::VersionParams;
use super::{InspectRequest, JSON, json};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::http::App;
use crate::http::json::Body;
use crate::images::Images;
use crate::images::pins::version;
use crate::inspect::cache::InspectCache;
use crate::inspect::image::{ImageRef, ResolvedImage};
use crate::inspect::target::{InspectTarget, Snapshot};
use crate::run_dir::RunId;

/// The film of a run.
#[derive(Serialize, ToSchema)]
pub struct Film {
    /// The epochs that have a frame; 0 for the one before the first step.
    epochs: Vec<u64>,
    pinned: Pinned,
    /// What its files take.
    bytes: u64,
    /// In the order of training, with those within the first epoch.
    frames: Vec<FilmFrame>,
}

/// The image that a film is to follow.
#[derive(Serialize, ToSchema)]
pub struct Pinned {
    /// As requests name it.
    image: String,
    /// Whether the film is yet to follow it.
    pending: bool,
}

/// A frame of a film.
#[derive(Serialize, ToSchema)]
pub struct FilmFrame {
    /// As requests name it: the epoch, or within the first one a step such as `step-8`.
    name: String,
    /// Whole epochs done.
    epoch: u64,
    /// Steps done.
    step: u64,
    /// Other content, another version.
    version: String,
    /// On the validation split, where there is one.
    validation_accuracy: Option<f64>,
    /// The class of the image that scored best.
    top: Option<TopClass>,
    /// The image that it is of: `test:0` for a sample, `png:` and a hash for a pinned one.
    pinned: String,
    /// That image as requests name it: `pinned` for the one of now, `null` where it is not kept any more.
    image: Option<String>,
}

/// A frame of a film without its pictures.
#[derive(Serialize, ToSchema)]
pub struct FrameAbout {
    /// As requests name it.
    name: String,
    /// Whole epochs done.
    epoch: u64,
    /// Steps done.
    step: u64,
    /// Other content, another version.
    version: String,
    /// The split of the matrix.
    split: Split,
    /// A row for each true class, a column for each predicted one; `null` without a validation split, and before the end
    /// of the first epoch.
    confusion: Option<Vec<Vec<u64>>>,
    /// On the validation split, where there is one.
    validation_accuracy: Option<f64>,
    /// The image that it is of: `test:0` for a sample, `png:` and a hash for a pinned one.
    pinned: String,
    /// The classes of the image, the likeliest first.
    top: Vec<ClassScore>,
    layers: FrameLayers,
}

/// The layers of which a frame has pictures.
#[derive(Serialize, ToSchema)]
pub struct FrameLayers {
    /// Of their weights.
    filters: Vec<String>,
    /// Of their activations.
    features: Vec<String>,
}

/// The film: its frames and the image that it follows.
#[utoipa::path(
    get,
    path = "/runs/{id}/film",
    params(RunPath),
    responses((status = 200, description = "Frames by epoch, and the pinned image", body = Film))
)]
pub async fn film(request: InspectRequest) -> Result<Json<Film>> {
    let (target, app) = (Arc::clone(&request.target), request.app.clone());
    let told = blocking(move || tell(&target, &app.images)).await?;
    Ok(Json(told))
}

/// How often a film is read again whose worker took frames away meanwhile.
const LOOKS: usize = 5;

/// What a film has, frame by frame.
struct Frames {
    told: Vec<FilmFrame>,
    bytes: u64,
    /// The image that the newest one follows.
    follows: Option<String>,
    /// Whether none was taken away while they were read.
    whole: bool,
}

impl Frames {
    fn read(film: &Folder) -> Result<Self> {
        let mut all = Self {
            told: Vec::new(),
            bytes: 0,
            follows: None,
            whole: true,
        };
        for name in film.names()? {
            let path = film.frame(name);
            let Some(version) = version(&path) else {
                all.whole = false;
                continue;
            };
            // A damaged one is told of when it is requested.
            let Ok(about) = FrameMetadata::read(&path) else {
                continue;
            };
            let Some(about) = about else {
                all.whole = false;
                continue;
            };
            all.bytes += fs::metadata(&path).map_or(0, |of| of.len());
            all.follows = Some(about.pinned.clone());
            all.told.push(FilmFrame {
                name: name.to_string(),
                epoch: about.epoch,
                step: about.step,
                version,
                validation_accuracy: about.validation_accuracy,
                top: about.top,
                pinned: about.pinned,
                image: None,
            });
        }
        Ok(all)
    }
}

fn tell(target: &InspectTarget, images: &Images) -> Result<Film> {
    let pin = images.pins.of(target.id);
    let film = target.film();
    let mut all = Frames::read(&film)?;
    for _ in 1..LOOKS {
        if all.whole {
            break;
        }
        all = Frames::read(&film)?;
    }
    let Frames {
        told: mut frames,
        bytes,
        follows,
        ..
    } = all;
    let is_of_epoch = |frame: &&FilmFrame| frame.epoch > 0 || frame.step == 0;
    let epochs: Vec<_> = (frames.iter().filter(is_of_epoch).map(|frame| frame.epoch)).collect();
    // Without a pin the film follows a sample; which one, its frames say.
    let of_sample = follows.clone().filter(|name| !name.starts_with("png:"));
    let (image, now, followed) = match pin {
        Some(pin) => {
            let file = links::read(&pin.path).map_err(|e| Error::file(&pin.path, e))?;
            let name = pin_name(&file);
            let followed = follows.as_ref() == Some(&name);
            (pin.image, name, followed)
        }
        None => {
            let followed = follows.is_none() || of_sample.is_some();
            let sample = of_sample.unwrap_or("test:0".to_owned());
            (sample.clone(), sample, followed)
        }
    };
    for frame in &mut frames {
        frame.image = named(&frame.pinned, &now, target.id, images);
    }
    Ok(Film {
        epochs,
        pinned: Pinned {
            image,
            pending: target.active && !followed,
        },
        bytes,
        frames,
    })
}

/// How the image of a frame is requested: `pinned` where it is the one of now, `None` where it is not kept any more.
fn named(of: &str, now: &str, run: RunId, images: &Images) -> Option<String> {
    if of == now {
        return Some("pinned".to_owned());
    }
    if !of.starts_with("png:") {
        return Some(of.to_owned());
    }
    let image = images.pins.earlier(run, of)?;
    let found = ImageRef::parse(&image).ok()?.find(images, run);
    found.is_ok().then_some(image)
}

/// A frame without its pictures: confusion matrix and prediction.
#[utoipa::path(
    get,
    path = "/runs/{id}/film/{epoch}",
    params(
        RunPath,
        ("epoch" = String, Path, description = "Whole epochs done, or within the first a step such as `step-8`"),
        VersionParams
    ),
    responses((status = 200, description = "The frame", body = FrameAbout))
)]
pub async fn frame(request: InspectRequest) -> Result<Response> {
    let word = request.path.get("epoch").cloned().unwrap_or_default();
    let target = Arc::clone(&request.target);
    let name = word.parse::<FrameName>().ok();
    let missing = Error::NotFound(format!("epoch {word} in the film"));
    let snapshot = blocking(move || match name {
        None => Err(missing),
        Some(_) => target.snapshot(Some(&word)).map_err(|error| match error {
            Error::Field(_) => missing,
            other => other,
        }),
    })
    .await?;
    let Snapshot::Frame(file) = snapshot else {
        return Err(Error::Gone("the film"));
    };
    let version = file.version.clone();
    let caching = request.caching_of_frame(&version);
    let work = move |cache: &mut InspectCache, target: &InspectTarget| {
        let frame = cache.frame(target, &file)?;
        let about = &frame.metadata;
        let names = |layers: &mut dyn Iterator<Item = &str>| layers.map(str::to_owned).collect();
        json(&FrameAbout {
            name: file.name.to_string(),
            epoch: about.epoch,
            step: about.step,
            version: file.version,
            split: Split::Validation,
            confusion: frame.confusion.clone(),
            validation_accuracy: about.validation_accuracy,
            pinned: about.pinned.clone(),
            top: frame.top(&target.started.classes),
            layers: FrameLayers {
                filters: names(&mut frame.filter_layers()),
                features: names(&mut frame.feature_layers()),
            },
        })
    };
    request.answer(JSON, &[&version], caching, work).await
}

/// The image that a film is to follow.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PinRequest {
    /// As requests name it; `null` for the first sample.
    image: Option<String>,
}

/// Set the image that the film follows from the next epoch on; `null` for the first sample.
#[utoipa::path(
    put,
    path = "/runs/{id}/pinned",
    params(RunPath),
    request_body = PinRequest,
    responses((status = 200, description = "The image, and whether the film is yet to follow it", body = Pinned))
)]
pub async fn pin(
    State(app): State<App>,
    Path(id): Path<String>,
    Body(request): Body<PinRequest>,
) -> Result<Json<Pinned>> {
    let id = super::run_id(&id)?;
    let target = InspectTarget::load(&app.index, id, app.supervisor.run_dir(id)).await?;
    let Some(named) = request.image else {
        let images = Arc::clone(&app.images);
        return blocking(move || {
            images.pins.unset(id)?;
            Ok(Json(tell(&target, &images)?.pinned))
        })
        .await;
    };
    let image = ImageRef::parse(&named)?;
    if image == ImageRef::Pinned {
        let message = "must be the id of an uploaded image or a sample such as “test:0”";
        return Err(Error::field("image", named, message));
    }
    let images = Arc::clone(&app.images);
    let image = blocking(move || image.find(&images, id)).await?;
    let (told, target) = (target.clone(), target);
    let png = app
        .inspector
        .run(move |cache| match image {
            ResolvedImage::File(path, _) => links::read(&path).map_err(|e| Error::file(&path, e)),
            sample => Ok(cache.picture(&target, &sample, 1)?.png()?),
        })
        .await?;
    blocking(move || {
        app.images.pins.set(id, &named, &png)?;
        Ok(Json(tell(&told, &app.images)?.pinned))
    })
    .await
}
