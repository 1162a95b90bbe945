//! What changed in a layer between two moments of training: the values of one less those of the other.

use std::sync::Arc;

use axum::response::Response;
use vivarium_models::inspect::film::Frame;
use vivarium_models::inspect::{Difference, Inspector, Recording, SheetQuery, Tiles};

use super::sheets::Part;
use super::{InspectRequest, View, json};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::http::etag::Caching;
use crate::inspect::cache::InspectCache;
use crate::inspect::image::ResolvedImage;
use crate::inspect::target::{InspectTarget, Snapshot};

/// The picture of a layer.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Picture {
    Filters,
    Features,
}

/// What a picture is made of, in memory.
enum Source {
    Frame(Arc<Frame>),
    Network(Arc<Inspector>, Option<Arc<Recording>>),
}

/// Answers with a page of what changed since `before`, a checkpoint or a frame.
pub(super) async fn answer(
    request: InspectRequest,
    picture: Picture,
    part: Part,
    before: String,
) -> Result<Response> {
    let (layer, query) = (request.layer(), request.params.sheet()?);
    let view = request.view().await?;
    let target = Arc::clone(&request.target);
    let named = before.clone();
    let before = blocking(move || {
        target.snapshot(Some(&named)).map_err(|error| match error {
            Error::Field(field) => Error::field("minus", named, field.message),
            other => other,
        })
    })
    .await?;
    let is_frame = |snapshot: &Snapshot| matches!(snapshot, Snapshot::Frame(_));
    if picture == Picture::Features && is_frame(&view.snapshot) != is_frame(&before) {
        let message = "must be of the same kind as “checkpoint”, both frames of the film or both “best” or “last”: a film has maps of its own image";
        return Err(Error::field("minus", before.name().to_string(), message));
    }
    let version = [
        view.snapshot.name().to_string(),
        view.snapshot.version().to_owned(),
        before.version().to_owned(),
        view.image.key(),
    ];
    let version: Vec<_> = version.iter().map(String::as_str).collect();
    let work = move |cache: &mut InspectCache, target: &InspectTarget| {
        let View {
            snapshot, image, ..
        } = view;
        let mut source =
            |snapshot: &Snapshot| Source::find(cache, target, snapshot, picture, &image);
        let (now, then) = (source(&snapshot)?, source(&before)?);
        refuse_other_image(picture, &now, &then, &before)?;
        let page = difference(&now, &then, picture, &layer, &query)?;
        match part {
            Part::Picture => Ok(page.sheet.png()?),
            Part::Numbers => json(&page),
        }
    };
    request
        .answer(part.kind(), &version, Caching::Revalidate, work)
        .await
}

fn difference(
    now: &Source,
    before: &Source,
    picture: Picture,
    layer: &str,
    query: &SheetQuery,
) -> Result<Difference> {
    let now = now.tiles(picture, layer, query.filter)?;
    let before = before.tiles(picture, layer, query.filter)?;
    Ok(now.minus(&before)?.difference_sheet(query)?)
}

/// Maps of two images differ by more than training.
fn refuse_other_image(
    picture: Picture,
    now: &Source,
    then: &Source,
    named: &Snapshot,
) -> Result<()> {
    match (picture, now, then) {
        (Picture::Features, Source::Frame(now), Source::Frame(then))
            if now.metadata.pinned != then.metadata.pinned =>
        {
            let message = "shows another image, which was pinned at the time";
            Err(Error::field("minus", named.name().to_string(), message))
        }
        _ => Ok(()),
    }
}

impl Source {
    fn find(
        cache: &mut InspectCache,
        target: &InspectTarget,
        snapshot: &Snapshot,
        picture: Picture,
        image: &ResolvedImage,
    ) -> Result<Self> {
        Ok(match (snapshot, picture) {
            (Snapshot::Frame(frame), _) => Self::Frame(cache.frame(target, frame)?),
            (Snapshot::Network(checkpoint), Picture::Filters) => {
                Self::Network(cache.network(target, checkpoint)?, None)
            }
            (Snapshot::Network(checkpoint), Picture::Features) => {
                let (network, recording) = cache.recording(target, checkpoint, image)?;
                Self::Network(network, Some(recording))
            }
        })
    }

    fn tiles(&self, picture: Picture, layer: &str, filter: Option<usize>) -> Result<Tiles<'_>> {
        Ok(match (self, picture, filter) {
            (Self::Frame(_), _, Some(filter)) => {
                let message =
                    "single kernels are not in a film; the checkpoints best and last have them";
                return Err(Error::field("filter", filter, message));
            }
            (Self::Frame(frame), Picture::Filters, None) => frame.filters(layer)?,
            (Self::Frame(frame), Picture::Features, None) => frame.features(layer)?,
            (Self::Network(network, _), Picture::Filters, Some(filter)) => {
                network.kernels(layer, filter)?
            }
            (Self::Network(network, Some(recording)), Picture::Features, _) => {
                network.features(recording, layer)?
            }
            (Self::Network(network, _), ..) => network.filters(layer)?,
        })
    }
}
