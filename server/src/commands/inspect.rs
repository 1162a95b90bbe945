//! `inspect`: writes the pictures of the page “Inside” as files.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use vivarium_models::data::{PhotoTransform, decode_image, network_input};
use vivarium_models::inspect::{Inspector, Layer, Recording, SaliencyMethod, SheetQuery};

use super::{find_run, print};
use crate::cli::{Checkpoint, Inspect};
use crate::error::{Error, Result};
use crate::images;
use crate::inspect::cache::InspectCache;
use crate::inspect::image::{ImageRef, ResolvedImage};
use crate::inspect::progress::Progress;
use crate::inspect::target::InspectTarget;

/// No limit: a network may take all memory.
const MOST_BYTES: u64 = u64::MAX;

pub(super) fn inspect(args: Inspect) -> Result<()> {
    let (id, dir, library) = find_run(&args.run, &args.data)?;
    let target = InspectTarget::from_dir(id, dir)?;
    let snapshot = target.snapshot(args.checkpoint.map(Checkpoint::word))?;
    let mut cache = InspectCache::new(library, MOST_BYTES, Progress::default());
    let network = cache.network(&target, snapshot.weights()?)?;
    if args.list {
        for layer in network.layers() {
            print(&describe(layer))?;
        }
        return Ok(());
    }
    let recording = match &args.image {
        None => None,
        Some(image) => Some(record(&mut cache, &target, &network, image)?),
    };
    let out = args.out.as_deref().ok_or_else(|| {
        Error::Usage("--out DIR is needed: the folder for the pictures".to_owned())
    })?;
    fs::create_dir_all(out).map_err(|e| Error::file(out, e))?;
    let pictures = Pictures {
        network: &network,
        recording: recording.as_ref(),
        query: SheetQuery {
            scale: args.scale.into(),
            ..SheetQuery::default()
        },
        out,
    };
    for layer in layers(&network, &args)? {
        pictures.of(layer)?;
    }
    pictures.of_image()
}

/// The activations for a file, or for a sample such as `test:3`.
fn record(
    cache: &mut InspectCache,
    target: &InspectTarget,
    network: &Inspector,
    image: &str,
) -> Result<Recording> {
    if !Path::new(image).exists()
        && let Ok(ImageRef::Sample(split, index)) = ImageRef::parse(image)
    {
        let values = cache.sample(target, &ResolvedImage::Sample(split, index))?;
        return Ok(network.record_normalised(values)?);
    }
    let bytes = fs::read(image).map_err(|e| Error::file(Path::new(image), e))?;
    let picture = decode_image(&bytes, images::MOST_PIXELS)
        .map_err(|message| Error::Usage(format!("{image}: {message}")))?;
    let transform = PhotoTransform::of(&target.spec.data)?;
    let input = network_input(network.input(), &picture, transform)?;
    Ok(network.record(&input)?)
}

/// The requested layers; by default the first and the last convolution, or all layers with weights if there is none.
fn layers<'a>(network: &'a Inspector, args: &Inspect) -> Result<Vec<&'a Layer>> {
    if args.all {
        return Ok(network.layers().iter().collect());
    }
    if !args.layer.is_empty() {
        let named = args.layer.iter().map(|name| Ok(network.layer(name)?));
        return named.collect();
    }
    let convolutions: Vec<_> = network
        .layers()
        .iter()
        .filter(|layer| layer.kind.convolves())
        .collect();
    Ok(match convolutions[..] {
        [] => network
            .layers()
            .iter()
            .filter(|layer| layer.has_filters)
            .collect(),
        [only] => vec![only],
        [first, .., last] => vec![first, last],
    })
}

fn describe(layer: &Layer) -> String {
    let sizes = |sizes: &[usize]| {
        let sizes: Vec<_> = sizes.iter().map(usize::to_string).collect();
        sizes.join("×")
    };
    format!(
        "{:34} {:11} {:>14}  {:>9} parameters",
        layer.name,
        json!(layer.kind).as_str().unwrap_or_default(),
        sizes(&layer.shape),
        layer.parameters
    )
}

/// Writes pictures and prints their names.
struct Pictures<'a> {
    network: &'a Inspector,
    recording: Option<&'a Recording>,
    query: SheetQuery,
    out: &'a Path,
}

impl Pictures<'_> {
    fn of(&self, layer: &Layer) -> Result<()> {
        let name = &layer.name;
        if layer.has_filters {
            self.pages(&format!("{name}.filters"), |query| {
                let sheet = self.network.filter_sheet(name, query, self.recording)?;
                Ok((sheet.png()?, sheet.pages))
            })?;
        }
        if let Some(recording) = self.recording.filter(|_| layer.has_features) {
            self.pages(&format!("{name}.features"), |query| {
                let features = self.network.feature_sheet(recording, name, query)?;
                Ok((features.sheet.png()?, features.sheet.pages))
            })?;
        }
        Ok(())
    }

    /// Writes all pages of a picture.
    fn pages(
        &self,
        name: &str,
        page: impl Fn(&SheetQuery) -> Result<(Vec<u8>, usize)>,
    ) -> Result<()> {
        let mut number = 0;
        loop {
            let (png, pages) = page(&SheetQuery {
                page: number,
                ..self.query
            })?;
            let file = match pages {
                0 | 1 => format!("{name}.png"),
                _ => format!("{name}.{:03}-of-{pages:03}.png", number + 1),
            };
            self.write(&file, &png)?;
            number += 1;
            if number >= pages {
                return Ok(());
            }
        }
    }

    /// Writes the image, its predictions and the attention.
    fn of_image(&self) -> Result<()> {
        let Some(recording) = self.recording else {
            return Ok(());
        };
        let top = self.network.predict(recording);
        for method in [SaliencyMethod::GradCam, SaliencyMethod::Gradient] {
            let name = match method {
                SaliencyMethod::GradCam => "grad-cam.png",
                SaliencyMethod::Gradient => "gradient.png",
            };
            // A network without a convolution has no Grad-CAM.
            if let Ok(attention) = self.network.saliency(recording, None, method, None) {
                self.write(name, &attention.png()?)?;
            }
        }
        let text = serde_json::to_vec_pretty(&json!({ "top": top }));
        let text = text.map_err(|e| Error::file(self.out, e.into()))?;
        self.write("prediction.json", &text)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path: PathBuf = self.out.join(name);
        fs::write(&path, bytes).map_err(|e| Error::file(&path, e))?;
        print(&path.display().to_string())
    }
}
