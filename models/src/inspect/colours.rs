//! Colour maps and PNG encoding.

use std::io::Cursor;

use png::{BitDepth, ColorType, Compression, Encoder, Filter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Error, Result};

/// A colour map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColourMap {
    /// Dark to light: matplotlib's viridis.
    Sequential,
    /// Blue below 0, white at 0, red above: ColorBrewer's `RdBu`.
    Diverging,
    /// RGB for three channels, grey for one.
    Rgb,
}

type Colour = [u8; 3];

const fn hex(code: u32) -> Colour {
    let [_, red, green, blue] = code.to_be_bytes();
    [red, green, blue]
}

/// Equally spaced colours, from the lowest value to the highest.
pub(super) type Stops = [Colour; 9];

const SEQUENTIAL: Stops = [
    hex(0x00440154),
    hex(0x00472d7b),
    hex(0x003b528b),
    hex(0x002c728e),
    hex(0x0021918c),
    hex(0x0028ae80),
    hex(0x005ec962),
    hex(0x00addc30),
    hex(0x00fde725),
];

const DIVERGING: Stops = [
    hex(0x002166ac),
    hex(0x004393c3),
    hex(0x0092c5de),
    hex(0x00d1e5f0),
    hex(0x00f7f7f7),
    hex(0x00fddbc7),
    hex(0x00f4a582),
    hex(0x00d6604d),
    hex(0x00b2182b),
];

const GREYS: Stops = [
    [0; 3], [32; 3], [64; 3], [96; 3], [128; 3], [159; 3], [191; 3], [223; 3], [255; 3],
];

/// Black to red to yellow, for heat maps over an image.
pub(super) const HEAT: Stops = [
    hex(0x00000004),
    hex(0x002b0b57),
    hex(0x0065156e),
    hex(0x009b2364),
    hex(0x00cc3f4a),
    hex(0x00ee6a24),
    hex(0x00fb9d07),
    hex(0x00f6d045),
    hex(0x00fcffa4),
];

/// The colour at a fraction from 0 to 1.
pub(super) fn interpolate(stops: &Stops, share: f32) -> Colour {
    let last = stops.len() - 1;
    let at = share.clamp(0.0, 1.0) * last as f32;
    let low = (at as usize).min(last - 1);
    let part = at - low as f32;
    std::array::from_fn(|c| {
        let [a, b] = [stops[low][c], stops[low + 1][c]].map(f32::from);
        (a + (b - a) * part).round() as u8
    })
}

impl ColourMap {
    fn stops(self) -> &'static Stops {
        match self {
            Self::Sequential => &SEQUENTIAL,
            Self::Diverging => &DIVERGING,
            Self::Rgb => &GREYS,
        }
    }

    /// Nine colours for a legend, from the lowest value to the highest, as `#rrggbb`.
    pub fn legend(self) -> Vec<String> {
        let name = |[red, green, blue]: &Colour| format!("#{red:02x}{green:02x}{blue:02x}");
        self.stops().iter().map(name).collect()
    }

    /// The palette: colours for indices from 1 to 255; index 0 is transparent.
    fn palette(self) -> Vec<u8> {
        let colours = (0..255u8).map(|i| interpolate(self.stops(), f32::from(i) / 254.0));
        [[0; 3]].into_iter().chain(colours).flatten().collect()
    }
}

/// The pixels of a picture: palette indices or RGBA.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    map: ColourMap,
    bytes: Vec<u8>,
}

/// The position of a value between two others, from 0 to 1; `None` for NaN.
fn share(value: f32, [low, high]: [f32; 2]) -> Option<f32> {
    if value.is_nan() {
        return None;
    }
    let width = high - low;
    Some(if width > 0.0 {
        ((value - low) / width).clamp(0.0, 1.0)
    } else if value > high {
        1.0
    } else {
        0.0
    })
}

impl Canvas {
    /// A transparent picture.
    pub(super) fn new(width: usize, height: usize, map: ColourMap) -> Self {
        let depth = if map == ColourMap::Rgb { 4 } else { 1 };
        Self {
            width,
            height,
            map,
            bytes: vec![0; width * height * depth],
        }
    }

    /// Paints `values` `[channels, tile height, tile width]` at a top left corner, each value as a square of `zoom`
    /// pixels.
    pub(super) fn tile(
        &mut self,
        values: &[f32],
        [height, width]: [usize; 2],
        at: [usize; 2],
        zoom: usize,
        range: [f32; 2],
    ) {
        let depth = self.bytes.len() / (self.width * self.height).max(1);
        let pixels = height * width;
        let mut row = Vec::with_capacity(width * zoom * depth);
        for y in 0..height {
            row.clear();
            for x in 0..width {
                let value = |channel: usize| share(values[channel * pixels + y * width + x], range);
                let pixel = match self.map {
                    ColourMap::Rgb => {
                        let channels = values.len() / pixels;
                        let byte = |c: usize| {
                            value(c.min(channels - 1)).map(|share| (share * 255.0).round() as u8)
                        };
                        match [byte(0), byte(1), byte(2)] {
                            [Some(red), Some(green), Some(blue)] => [red, green, blue, 255],
                            _ => [0; 4],
                        }
                    }
                    _ => [
                        value(0).map_or(0, |s| 1 + (s * 254.0).round() as u8),
                        0,
                        0,
                        0,
                    ],
                };
                for _ in 0..zoom {
                    row.extend(&pixel[..depth]);
                }
            }
            for line in 0..zoom {
                let from = ((at[0] + y * zoom + line) * self.width + at[1]) * depth;
                self.bytes[from..from + row.len()].copy_from_slice(&row);
            }
        }
    }

    /// The picture as a PNG.
    pub(super) fn png(&self) -> Result<Vec<u8>> {
        if self.map == ColourMap::Rgb {
            return encode(self.width, self.height, ColorType::Rgba, None, &self.bytes);
        }
        let palette = self.map.palette();
        let size = (self.width, self.height);
        encode(
            size.0,
            size.1,
            ColorType::Indexed,
            Some(&palette),
            &self.bytes,
        )
    }
}

/// Encodes bytes as PNG; the first index of a palette is transparent.
pub(super) fn encode(
    width: usize,
    height: usize,
    colour: ColorType,
    palette: Option<&[u8]>,
    bytes: &[u8],
) -> Result<Vec<u8>> {
    let failed = |error: png::EncodingError| Error::file("a picture", error.into());
    let mut png = Cursor::new(Vec::new());
    let mut encoder = Encoder::new(&mut png, width as u32, height as u32);
    encoder.set_color(colour);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    // Rows of enlarged values repeat the row above.
    encoder.set_filter(Filter::Up);
    if let Some(palette) = palette {
        encoder.set_palette(palette);
        encoder.set_trns(&[0][..]);
    }
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(bytes).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(png.into_inner())
}
