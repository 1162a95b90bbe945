//! From the samples of the components to pixels, as libjpeg does by default: chrominance between two samples is
//! interpolated ("fancy upsampling", `jdsample.c`), and colours are converted in integers (`jdcolor.c`).

use super::{Component, Frame};

/// What a JPEG's components are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colours {
    Grey,
    Rgb,
    /// Luminance and two colour differences.
    Ycc,
    /// Inverted inks.
    Cmyk,
    /// Inverted inks, the first three as luminance and colour differences.
    Ycck,
}

/// Rows of a component at the size of the picture.
struct Upsampling<'a> {
    part: &'a Component,
    /// How many pixels a sample stands for, across and down.
    factor: [usize; 2],
    /// Samples across and down, without those that only fill blocks.
    size: [usize; 2],
    sums: Vec<i32>,
}

/// The pixels of a frame: grey or RGB, row by row.
///
/// # Errors
/// The fault, as a message.
pub(super) fn pixels(frame: &Frame, colours: Colours) -> Result<Vec<u8>, String> {
    let [width, height] = frame.size;
    let mut parts = Vec::new();
    for part in &frame.parts {
        parts.push(Upsampling::new(frame, part)?);
    }
    if colours == Colours::Grey {
        let rows = (0..height).flat_map(|y| frame.parts[0].row(y)[..width].iter().copied());
        return Ok(rows.collect());
    }
    let mut rows = vec![vec![0; width]; parts.len()];
    let mut rgb = vec![0; 3 * width * height];
    for (y, out) in rgb.chunks_exact_mut(3 * width).enumerate() {
        for (part, row) in parts.iter_mut().zip(&mut rows) {
            part.row(y, row);
        }
        convert(colours, &rows, out);
    }
    Ok(rgb)
}

impl<'a> Upsampling<'a> {
    fn new(frame: &Frame, part: &'a Component) -> Result<Self, String> {
        let most = frame.most_sampling();
        let whole = [0, 1].map(|axis| most[axis].is_multiple_of(part.sampling[axis]));
        if whole != [true, true] {
            return Err("has colours at a fraction of its size, which is not read".to_owned());
        }
        let factor = [0, 1].map(|axis| most[axis] / part.sampling[axis]);
        let size = [0, 1].map(|axis| frame.size[axis].div_ceil(factor[axis]));
        Ok(Self {
            part,
            factor,
            size,
            sums: Vec::new(),
        })
    }

    /// The samples for the row `y` of the picture.
    fn row(&mut self, y: usize, out: &mut [u8]) {
        let [width, height] = self.size;
        let near = y / self.factor[1];
        let samples = &self.part.row(near)[..width];
        // The row on the other side of the pixel; at an edge the row itself.
        let far = if y.is_multiple_of(2) {
            near.saturating_sub(1)
        } else {
            (near + 1).min(height - 1)
        };
        let far = &self.part.row(far)[..width];
        match self.factor {
            [1, 1] => out.copy_from_slice(&samples[..out.len()]),
            [2, 1] if width > 2 => between(samples, 2, [1, 2], out),
            [2, 2] if width > 2 => {
                let sums = samples.iter().zip(far);
                self.sums.clear();
                self.sums
                    .extend(sums.map(|(near, far)| 3 * i32::from(*near) + i32::from(*far)));
                between(&self.sums, 4, [8, 7], out);
            }
            [1, 2] => {
                let bias = if y.is_multiple_of(2) { 1 } else { 2 };
                for ((out, near), far) in out.iter_mut().zip(samples).zip(far) {
                    *out = ((3 * u32::from(*near) + u32::from(*far) + bias) >> 2) as u8;
                }
            }
            [across, _] => {
                for (out, sample) in out.chunks_mut(across).zip(samples) {
                    out.fill(*sample);
                }
            }
        }
    }
}

/// Two pixels for each value: a quarter of the way to the value before it, and to the one after it. At the edges the
/// value itself. Four times a value has so many fraction `bits`, and `round` is added to the left and to the right.
fn between<T: Copy + Into<i32>>(values: &[T], bits: i32, round: [i32; 2], out: &mut [u8]) {
    let value = |at: usize| -> i32 { values[at].into() };
    let last = values.len() - 1;
    for (at, out) in out.chunks_mut(2).enumerate() {
        let here = value(at);
        let before = if at == 0 { here } else { value(at - 1) };
        let after = if at == last { here } else { value(at + 1) };
        out[0] = ((3 * here + before + round[0]) >> bits) as u8;
        if let [_, right] = out {
            *right = ((3 * here + after + round[1]) >> bits) as u8;
        }
    }
}

/// Converts a row to RGB.
fn convert(colours: Colours, rows: &[Vec<u8>], out: &mut [u8]) {
    let out = out.chunks_exact_mut(3);
    match (colours, rows) {
        (Colours::Rgb, [red, green, blue, ..]) => {
            for (((out, red), green), blue) in out.zip(red).zip(green).zip(blue) {
                out.copy_from_slice(&[*red, *green, *blue]);
            }
        }
        (Colours::Ycc, [luma, blue, red, ..]) => {
            for (((out, y), cb), cr) in out.zip(luma).zip(blue).zip(red) {
                out.copy_from_slice(&rgb_of(*y, *cb, *cr));
            }
        }
        (Colours::Cmyk | Colours::Ycck, [first, second, third, black]) => {
            let inks = first.iter().zip(second).zip(third).zip(black);
            for (out, (((a, b), c), k)) in out.zip(inks) {
                let inverted = match colours {
                    Colours::Cmyk => [*a, *b, *c],
                    _ => rgb_of(*a, *b, *c).map(|value| 255 - value),
                };
                out.copy_from_slice(&inverted.map(|value| through_inks(value, *k)));
            }
        }
        _ => {}
    }
}

/// ITU-T T.871, with 16 fraction bits.
fn rgb_of(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    let red = y + ((91_881 * cr + HALF) >> 16);
    let green = y + ((-22_554 * cb - 46_802 * cr + HALF) >> 16);
    let blue = y + ((116_130 * cb + HALF) >> 16);
    [red, green, blue].map(|value| value.clamp(0, 255) as u8)
}

/// The light that an ink and black leave, both inverted, as browsers compute it. Pillow rounds to the nearest byte instead.
fn through_inks(ink: u8, black: u8) -> u8 {
    (u32::from(ink) * u32::from(black) / 255) as u8
}
