//! The film of a run: its epochs, what is in each, and the image that it follows.

use std::fs;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json as object};
use vivarium_models::inspect::film::{Folder, FrameMetadata, pin_name};
use vivarium_models::links;

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

/// `GET /runs/{id}/film`
pub async fn film(request: InspectRequest) -> Result<Json<Value>> {
    let (target, app) = (Arc::clone(&request.target), request.app.clone());
    let told = blocking(move || tell(&target, &app.images)).await?;
    Ok(Json(told))
}

/// How often a film is read again whose worker took frames away meanwhile.
const LOOKS: usize = 5;

/// What a film has, frame by frame.
struct Frames {
    told: Vec<Value>,
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
        for epoch in film.epochs()? {
            let path = film.frame(epoch);
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
            all.told.push(object!({
                "epoch": about.epoch,
                "step": about.step,
                "version": version,
                "validation_accuracy": about.validation_accuracy,
                "top": about.top,
                "pinned": about.pinned,
            }));
            all.follows = Some(about.pinned);
        }
        Ok(all)
    }
}

fn tell(target: &InspectTarget, images: &Images) -> Result<Value> {
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
    let epochs: Vec<_> = frames.iter().map(|frame| frame["epoch"].clone()).collect();
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
        let of = frame["pinned"].as_str().unwrap_or_default();
        frame["image"] = object!(named(of, &now, target.id, images));
    }
    Ok(object!({
        "epochs": epochs,
        "pinned": {"image": image, "pending": target.active && !followed},
        "bytes": bytes,
        "frames": frames,
    }))
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

/// `GET /runs/{id}/film/{epoch}`
pub async fn frame(request: InspectRequest) -> Result<Response> {
    let word = request.path.get("epoch").cloned().unwrap_or_default();
    let target = Arc::clone(&request.target);
    let number = word.parse::<u64>().ok();
    let missing = Error::NotFound(format!("epoch {word} in the film"));
    let snapshot = blocking(move || match number {
        None => Err(missing),
        Some(_) => target.snapshot(Some(&word)).map_err(|error| match error {
            Error::Field(_) => missing,
            other => other,
        }),
    })
    .await?;
    let Snapshot::Frame(epoch) = snapshot else {
        return Err(Error::Gone("the film"));
    };
    let version = epoch.version.clone();
    let caching = request.caching_of_frame(&version);
    let work = move |cache: &mut InspectCache, target: &InspectTarget| {
        let frame = cache.frame(target, &epoch)?;
        let about = &frame.metadata;
        json(&object!({
            "epoch": about.epoch,
            "step": about.step,
            "version": epoch.version,
            "split": "validation",
            "confusion": frame.confusion,
            "validation_accuracy": about.validation_accuracy,
            "pinned": about.pinned,
            "top": frame.top(&target.started.classes),
            "layers": {
                "filters": frame.filter_layers().collect::<Vec<_>>(),
                "features": frame.feature_layers().collect::<Vec<_>>(),
            },
        }))
    };
    request.answer(JSON, &[&version], caching, work).await
}

/// The image that a film is to follow.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinRequest {
    /// As requests name it; `None` for the first sample again.
    image: Option<String>,
}

/// `PUT /runs/{id}/pinned`: from the next epoch on the film follows this image.
pub async fn pin(
    State(app): State<App>,
    Path(id): Path<String>,
    Body(request): Body<PinRequest>,
) -> Result<Json<Value>> {
    let id = super::run_id(&id)?;
    let target = InspectTarget::load(&app.index, id, app.supervisor.run_dir(id)).await?;
    let Some(named) = request.image else {
        let images = Arc::clone(&app.images);
        return blocking(move || {
            images.pins.unset(id)?;
            Ok(Json(tell(&target, &images)?["pinned"].take()))
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
        Ok(Json(tell(&told, &app.images)?["pinned"].take()))
    })
    .await
}
