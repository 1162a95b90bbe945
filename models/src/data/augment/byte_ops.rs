//! Operations on images of bytes, with torchvision's formulas for tensors of `uint8`: `transforms.v2.functional`.
//!
//! An image is channel after channel of `size`×`size` bytes, one or three channels.

/// An operation of RandAugment with its magnitude.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operation {
    Identity,
    /// Pixels to the side for each pixel down.
    ShearX(f64),
    /// Pixels down for each pixel to the side.
    ShearY(f64),
    /// Pixels to the right.
    TranslateX(i64),
    /// Pixels down.
    TranslateY(i64),
    /// Degrees against the clock.
    Rotate(f64),
    /// Factors: 0 is black, grey, the mean grey and blurred; 1 changes nothing.
    Brightness(f64),
    Color(f64),
    Contrast(f64),
    Sharpness(f64),
    /// Bits of each value that stay.
    Posterize(u32),
    /// Inverts values from this one on.
    Solarize(f64),
    /// Stretches each channel to all values.
    AutoContrast,
    /// Evens out how often each value of a channel occurs.
    Equalize,
}

impl Operation {
    /// Changes an image of `size` pixels along a side in place.
    pub(super) fn apply(self, size: usize, image: &mut [u8]) {
        let plane = size * size;
        // Pixel centres, from the middle of the image or from its corner.
        let middle = size as f64 / 2.0;
        match self {
            Self::Identity => {}
            Self::ShearX(by) => warp(size, image, |x, y| (x + by * y, y)),
            Self::ShearY(by) => warp(size, image, |x, y| (x, y + by * x)),
            Self::TranslateX(by) => warp(size, image, |x, y| (x - by as f64, y)),
            Self::TranslateY(by) => warp(size, image, |x, y| (x, y - by as f64)),
            Self::Rotate(degrees) => {
                let (sin, cos) = degrees.to_radians().sin_cos();
                warp(size, image, |x, y| {
                    let (x, y) = (x - middle, y - middle);
                    (cos * x - sin * y + middle, sin * x + cos * y + middle)
                });
            }
            Self::Brightness(factor) => {
                let table = table(|value| clamp(value * factor as f32));
                image
                    .iter_mut()
                    .for_each(|value| *value = table[usize::from(*value)]);
            }
            Self::Color(factor) => {
                if let Some([r, g, b]) = colours(plane, image) {
                    for ((r, g), b) in r.iter_mut().zip(g).zip(b) {
                        let grey = grey(*r, *g, *b);
                        for channel in [r, g, b] {
                            *channel = blend(f32::from(*channel), grey, factor);
                        }
                    }
                }
            }
            Self::Contrast(factor) => {
                let sum: f64 = match colours(plane, image) {
                    Some([r, g, b]) => (0..plane)
                        .map(|at| f64::from(grey(r[at], g[at], b[at])))
                        .sum(),
                    None => image.iter().map(|value| f64::from(*value)).sum(),
                };
                let mean = (sum / plane.max(1) as f64) as f32;
                let table = table(|value| blend(value, mean, factor));
                image
                    .iter_mut()
                    .for_each(|value| *value = table[usize::from(*value)]);
            }
            Self::Sharpness(factor) => {
                for channel in image.chunks_exact_mut(plane) {
                    sharpen(size, channel, factor);
                }
            }
            Self::Posterize(bits) => {
                let kept = !(0xff_u8.checked_shr(bits).unwrap_or(0));
                image.iter_mut().for_each(|value| *value &= kept);
            }
            Self::Solarize(from) => {
                let table = table(|value| {
                    if f64::from(value) >= from {
                        255 - value as u8
                    } else {
                        value as u8
                    }
                });
                image
                    .iter_mut()
                    .for_each(|value| *value = table[usize::from(*value)]);
            }
            Self::AutoContrast => image.chunks_exact_mut(plane).for_each(auto_contrast),
            Self::Equalize => image.chunks_exact_mut(plane).for_each(equalize),
        }
    }
}

/// The result for each byte.
fn table(result: impl Fn(f32) -> u8) -> [u8; 256] {
    std::array::from_fn(|value| result(value as f32))
}

/// A value as a byte, rounded down.
fn clamp(value: f32) -> u8 {
    value.clamp(0.0, 255.0) as u8
}

/// `sum + value·weight`, rounded once, as PyTorch adds with a factor. Bytes are rounded down, so that a last digit may
/// decide. The product of two f32 is exact in f64, and the processor may lack a fused multiply-add.
fn add(sum: f32, value: f32, weight: f32) -> f32 {
    (f64::from(sum) + f64::from(value) * f64::from(weight)) as f32
}

/// `ratio` of one value and the rest of another.
fn blend(value: f32, other: f32, ratio: f64) -> u8 {
    clamp(add(value * ratio as f32, other, (1.0 - ratio) as f32))
}

/// The grey of a colour, with torchvision's weights, rounded down.
fn grey(r: u8, g: u8, b: u8) -> f32 {
    let red = f32::from(r) * 0.2989;
    add(add(red, f32::from(g), 0.587), f32::from(b), 0.114).floor()
}

/// The three channels of a colour image.
fn colours(plane: usize, image: &mut [u8]) -> Option<[&mut [u8]; 3]> {
    if image.len() != 3 * plane {
        return None;
    }
    let (r, rest) = image.split_at_mut(plane);
    let (g, b) = rest.split_at_mut(plane);
    Some([r, g, b])
}

/// Takes each pixel from the nearest to where `source` says, which takes and gives the places of centres from the
/// upper left corner; black from outside.
fn warp(size: usize, image: &mut [u8], source: impl Fn(f64, f64) -> (f64, f64)) {
    let sources: Vec<Option<usize>> = (0..size * size)
        .map(|at| {
            let (x, y) = source((at % size) as f64 + 0.5, (at / size) as f64 + 0.5);
            let inside = |place: f64| {
                let place = rounded(place - 0.5);
                (place >= 0.0 && place < size as f64).then_some(place as usize)
            };
            Some(inside(y)? * size + inside(x)?)
        })
        .collect();
    let mut old = Vec::with_capacity(size * size);
    for channel in image.chunks_exact_mut(size * size) {
        old.clear();
        old.extend_from_slice(channel);
        for (value, source) in channel.iter_mut().zip(&sources) {
            *value = source.map_or(0, |at| old[at]);
        }
    }
}

/// The nearest whole number, the even one of two; for numbers up to 2^51. A number of that size has no digits left for
/// fractions, so that adding it rounds; `round_ties_even` is a call on machines without SSE 4.1.
fn rounded(value: f64) -> f64 {
    const LARGE: f64 = 1.5 * (1u64 << 52) as f64;
    (value + LARGE) - LARGE
}

/// Blends a channel with its mean over 3×3 pixels, of which the middle counts five times. The border stays.
fn sharpen(size: usize, channel: &mut [u8], factor: f64) {
    if size <= 2 {
        return;
    }
    let old = channel.to_vec();
    for row in 1..size - 1 {
        for column in 1..size - 1 {
            let at = row * size + column;
            let sum = |from: usize| (0..3).map(|i| u32::from(old[from + i])).sum::<u32>();
            let around = sum(at - size - 1) + sum(at - 1) + sum(at + size - 1);
            let blurred = ((around + 4 * u32::from(old[at])) as f32 / 13.0).round_ties_even();
            let value = f32::from(old[at]);
            channel[at] = clamp(add(value, blurred - value, (1.0 - factor) as f32));
        }
    }
}

fn auto_contrast(channel: &mut [u8]) {
    let (Some(least), Some(most)) = (channel.iter().min(), channel.iter().max()) else {
        return;
    };
    let (least, most) = (f32::from(*least), f32::from(*most));
    if least == most {
        return;
    }
    let scale = (most - least) * (1.0 / 255.0);
    let table = table(|value| clamp((value - least) / scale));
    channel
        .iter_mut()
        .for_each(|value| *value = table[usize::from(*value)]);
}

/// Pillow's `ImageOps.equalize`.
fn equalize(channel: &mut [u8]) {
    let mut counts = [0usize; 256];
    channel
        .iter()
        .for_each(|value| counts[usize::from(*value)] += 1);
    let last = counts.iter().rev().find(|count| **count > 0);
    let step = (channel.len() - last.copied().unwrap_or(0)) / 255;
    if step == 0 {
        return;
    }
    let mut below = 0;
    let table = counts.map(|count| {
        let value = (below + step / 2) / step;
        below += count;
        value.min(255) as u8
    });
    channel
        .iter_mut()
        .for_each(|value| *value = table[usize::from(*value)]);
}
