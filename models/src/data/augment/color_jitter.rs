//! Colour jitter: random brightness, contrast, saturation and hue, in a random order. torchvision's `ColorJitter`, with
//! the formulas of its floats from 0 to 1.

use serde::Deserialize;

use crate::random::Generator;

/// The settings of colour jitter: how far each factor may be from 1, and the hue from its place, in turns.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(super) struct ColorJitter {
    brightness: f64,
    contrast: f64,
    saturation: f64,
    hue: f64,
}

/// A change of colours. Factors: 0 is black, the mean grey and grey; 1 changes nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Change {
    Brightness(f64),
    Contrast(f64),
    Saturation(f64),
    /// Turns of the colour circle.
    Hue(f64),
}

impl ColorJitter {
    /// Changes an image of `plane` pixels, with values from 0 to 1, in place.
    pub(super) fn apply(&self, generator: &mut Generator, plane: usize, image: &mut [f32]) {
        let factor =
            |generator: &mut Generator, by: f64| generator.uniform((1.0 - by).max(0.0), 1.0 + by);
        let mut changes = [
            Change::Brightness(factor(generator, self.brightness)),
            Change::Contrast(factor(generator, self.contrast)),
            Change::Saturation(factor(generator, self.saturation)),
            Change::Hue(generator.uniform(-self.hue, self.hue)),
        ];
        generator.shuffle(&mut changes);
        for change in changes {
            change.apply(plane, image);
        }
    }
}

impl Change {
    /// Changes an image of `plane` pixels in place. Grey images have no saturation and no hue.
    pub(super) fn apply(self, plane: usize, image: &mut [f32]) {
        match self {
            Self::Brightness(1.0)
            | Self::Contrast(1.0)
            | Self::Saturation(1.0)
            | Self::Hue(0.0) => {}
            Self::Brightness(factor) => {
                let factor = factor as f32;
                image
                    .iter_mut()
                    .for_each(|value| *value = (*value * factor).clamp(0.0, 1.0));
            }
            Self::Contrast(factor) => {
                let sum: f64 = match colours(plane, image) {
                    Some([r, g, b]) => (0..plane)
                        .map(|at| f64::from(grey(r[at], g[at], b[at])))
                        .sum(),
                    None => image.iter().map(|value| f64::from(*value)).sum(),
                };
                let rest = (1.0 - factor) * sum / plane.max(1) as f64;
                let (factor, rest) = (factor as f32, rest as f32);
                image
                    .iter_mut()
                    .for_each(|value| *value = (*value * factor + rest).clamp(0.0, 1.0));
            }
            Self::Saturation(factor) => {
                let (factor, rest) = (factor as f32, (1.0 - factor) as f32);
                let blend = |value: &mut f32, grey: f32| {
                    *value = (*value * factor + grey * rest).clamp(0.0, 1.0);
                };
                if let Some([r, g, b]) = colours(plane, image) {
                    for ((r, g), b) in r.iter_mut().zip(g).zip(b) {
                        let grey = grey(*r, *g, *b);
                        blend(r, grey);
                        blend(g, grey);
                        blend(b, grey);
                    }
                }
            }
            Self::Hue(turns) => {
                if let Some([r, g, b]) = colours(plane, image) {
                    for ((r, g), b) in r.iter_mut().zip(g).zip(b) {
                        [*r, *g, *b] = turned([*r, *g, *b], turns as f32);
                    }
                }
            }
        }
    }
}

/// The three channels of a colour image.
fn colours(plane: usize, image: &mut [f32]) -> Option<[&mut [f32]; 3]> {
    if image.len() != 3 * plane {
        return None;
    }
    let (r, rest) = image.split_at_mut(plane);
    let (g, b) = rest.split_at_mut(plane);
    Some([r, g, b])
}

/// The grey of a colour, with torchvision's weights.
fn grey(r: f32, g: f32, b: f32) -> f32 {
    r * 0.2989 + g * 0.587 + b * 0.114
}

/// A colour with its hue turned, by way of hue, saturation and value (Smith 1978).
fn turned([r, g, b]: [f32; 3], turns: f32) -> [f32; 3] {
    let most = r.max(g).max(b);
    let range = most - r.min(g).min(b);
    if range <= 0.0 {
        return [r, g, b];
    }
    let sixths = if most == r {
        (g - b) / range
    } else if most == g {
        2.0 + (b - r) / range
    } else {
        4.0 + (r - g) / range
    };
    // Comparisons, because the remainder of a division is slow.
    let around = |place: f32| match place {
        place if place < 0.0 => place + 6.0,
        place if place >= 6.0 => place - 6.0,
        place => place,
    };
    let hue = around(sixths + 6.0 * turns);
    // How far a channel is below the greatest: 0 within a sixth of its own hue, all of the range on the other side.
    let channel = |place: f32| {
        let away = around(place + hue);
        most - range * away.min(4.0 - away).clamp(0.0, 1.0)
    };
    [channel(5.0), channel(3.0), channel(1.0)]
}
