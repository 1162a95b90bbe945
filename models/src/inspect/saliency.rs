//! Saliency maps: the regions of an image that matter for a class.
//!
//! Grad-CAM (Selvaraju and others 2017): the sum of a layer's feature maps, each weighted by the mean of the score's
//! gradient over it; negative values speak against the class and are set to 0. The gradient of the input (Simonyan and
//! others 2014): the largest absolute gradient of the score over the channels of each pixel.

use png::ColorType;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Inspector;
use super::colours::{HEAT, encode, interpolate};
use super::layers::LayerKind;
use super::recording::{Recording, read};
use crate::data::Resize;
use crate::error::{Error, Result};

/// The method of a saliency map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SaliencyMethod {
    /// Grad-CAM.
    #[default]
    GradCam,
    /// The gradient of the input.
    Gradient,
}

/// The approximate side of the picture, in pixels.
const SIDE: usize = 224;

/// The opacity of the highest heat.
const COVER: f32 = 0.75;

/// A saliency map with its image.
#[derive(Clone, Debug)]
pub struct SaliencyMap {
    /// The class.
    pub class: usize,
    /// The layer, for Grad-CAM.
    pub layer: Option<String>,
    /// The side of the heat map, in values.
    pub side: usize,
    /// The heat map `[side, side]`, as computed.
    pub heat: Vec<f32>,
    /// The image `[channels, height, width]`, from 0 to 1.
    image: Vec<f32>,
    /// Its shape.
    shape: [usize; 3],
}

impl Inspector {
    /// The saliency map of a class, by default the predicted one. Grad-CAM uses a layer, by default the last with more
    /// than one pixel.
    ///
    /// # Errors
    /// [`Error::Setting`] when the class or the layer does not exist, no layer suits Grad-CAM, or samples are not images.
    pub fn saliency(
        &self,
        recording: &Recording,
        class: Option<usize>,
        method: SaliencyMethod,
        layer: Option<&str>,
    ) -> Result<SaliencyMap> {
        let class = self.class(recording, class)?;
        let [channels, height, width] = *self.input() else {
            let message = "shows where in an image a class is seen, and samples are points";
            return Err(Error::setting("method", message));
        };
        let (layer, side, heat) = match method {
            SaliencyMethod::Gradient => {
                let back = self.backward(recording, class, None)?;
                let heat = read(&back.input, |gradient| {
                    let pixels = height * width;
                    let at = |pixel: usize| {
                        let sizes = (0..channels).map(|c| gradient[c * pixels + pixel].abs());
                        sizes.fold(0.0, f32::max)
                    };
                    (0..pixels).map(at).collect::<Vec<_>>()
                })?;
                (None, width, heat)
            }
            SaliencyMethod::GradCam => {
                let place = self.grad_cam_layer(layer)?;
                let (side, heat) = self.grad_cam(recording, class, place)?;
                (Some(self.layers()[place].name.clone()), side, heat)
            }
        };
        Ok(SaliencyMap {
            class,
            layer,
            side,
            heat,
            image: self.picture(recording),
            shape: [channels, height, width],
        })
    }

    /// The layer for Grad-CAM.
    fn grad_cam_layer(&self, layer: Option<&str>) -> Result<usize> {
        let sees = |place: &usize| {
            let layer = &self.layers()[*place];
            let image = matches!(layer.shape[..], [_, height, width] if height * width > 1);
            image && !matches!(layer.kind, LayerKind::Input | LayerKind::Dropout)
        };
        match layer {
            Some(name) => {
                let place = self.place(name)?;
                let refused = || {
                    let message = format!("{name:?} has no maps of more than one pixel");
                    Error::setting("layer", message)
                };
                Some(place).filter(sees).ok_or_else(refused)
            }
            None => {
                let convolved = self.layers().iter().any(|layer| layer.kind.convolves());
                let pools = |place: &usize| self.layers()[*place].kind == LayerKind::Pool;
                let mut places = (0..self.layers().len()).rev().filter(|_| convolved);
                let last = places.find(|place| sees(place) && !pools(place));
                last.ok_or_else(|| {
                    let message = "\"grad-cam\" needs a convolution; take \"gradient\"";
                    Error::setting("method", message)
                })
            }
        }
    }

    fn grad_cam(
        &self,
        recording: &Recording,
        class: usize,
        place: usize,
    ) -> Result<(usize, Vec<f32>)> {
        let back = self.backward(recording, class, Some(place))?;
        let Some((maps, gradient)) = &back.layer else {
            return Err(Error::setting("layer", "is not part of the pass"));
        };
        let dims = maps.dims();
        let (side, channels) = (dims[2], dims[3]);
        let mut weights = vec![0.0f64; channels];
        read(gradient, |gradient| {
            let pixels = (gradient.len() / channels) as f64;
            for pixel in gradient.chunks_exact(channels) {
                for (weight, value) in weights.iter_mut().zip(pixel) {
                    *weight += f64::from(*value) / pixels;
                }
            }
        })?;
        let heat = read(maps, |maps| {
            let at = |pixel: &[f32]| {
                let both = pixel.iter().zip(&weights);
                let sum: f64 = both.map(|(value, weight)| f64::from(*value) * weight).sum();
                sum.max(0.0) as f32
            };
            maps.chunks_exact(channels).map(at).collect()
        })?;
        Ok((side, heat))
    }
}

impl SaliencyMap {
    /// The image overlaid with the heat map, enlarged by an integer to about 224 pixels.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn png(&self) -> Result<Vec<u8>> {
        let [channels, height, width] = self.shape;
        let zoom = (SIDE / width.max(height)).max(1);
        let side = width * zoom;
        let mut heat = vec![0.0; side * side];
        Resize::new(self.side, side).channel(&self.heat, &mut Vec::new(), &mut heat);
        // Otherwise a few pixels with huge gradients would leave all others black.
        let most = percentile(&heat, 0.99);
        let pixels = height * width;
        let mut bytes = Vec::with_capacity(3 * side * side);
        for y in 0..height * zoom {
            for x in 0..side {
                let share = if most > 0.0 {
                    (heat[y * side + x] / most).clamp(0.0, 1.0)
                } else {
                    0.0
                };
                let hot = interpolate(&HEAT, share);
                for (c, hot) in hot.into_iter().enumerate() {
                    let at = c.min(channels - 1) * pixels + y / zoom * width + x / zoom;
                    let cold = self.image[at].clamp(0.0, 1.0) * 255.0;
                    let cover = COVER * share;
                    bytes.push((cold * (1.0 - cover) + f32::from(hot) * cover).round() as u8);
                }
            }
        }
        encode(side, height * zoom, ColorType::Rgb, None, &bytes)
    }
}

/// A quantile; the maximum, if the quantile is 0.
fn percentile(values: &[f32], share: f64) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let last = sorted.len().saturating_sub(1);
    let at = |place: usize| sorted.get(place).copied().unwrap_or(0.0);
    match at((last as f64 * share) as usize) {
        value if value > 0.0 => value,
        _ => at(last),
    }
}
