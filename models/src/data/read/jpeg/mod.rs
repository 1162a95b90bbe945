//! Decodes JPEGs to the pixels that libjpeg gives by default, bit for bit: ITU-T T.81, annexes F and G. So a network sees
//! the same pixels here as in Pillow, OpenCV and torchvision, which use libjpeg-turbo.
//!
//! Decoders fill missing parts with grey, and libjpeg only warns. Here an incomplete picture is an error. Bytes between two
//! segments are skipped, as in libjpeg.
//!
//! * here: segments and scans.
//! * `huffman`, `progressive`: codes and the coefficients that they stand for.
//! * `idct`: from coefficients to samples.
//! * `picture`: from samples to pixels.

mod huffman;
mod idct;
mod picture;
mod progressive;

use huffman::{BitReader, Broken, Codes, Huffman, present};
use picture::Colours;
use progressive::ProgressiveScan;

/// The most scans of a frame.
const MOST_SCANS: usize = 100;

/// The order in which coefficients are stored, as places in natural order: T.81, A.6.
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// A decoded JPEG.
pub(super) struct Jpeg {
    /// Width and height.
    pub(super) size: [usize; 2],
    /// Row by row: a byte for each pixel of a grey picture, else RGB.
    pub(super) pixels: Vec<u8>,
    /// Whether the picture is grey.
    pub(super) is_grey: bool,
    /// The EXIF data.
    pub(super) exif: Option<Vec<u8>>,
}

/// Decodes a JPEG of at most `most_pixels` pixels. Refuses those for which decoders guess: truncated ones, and CMYK ones
/// without Adobe's segment, which says that the colours are inverted.
///
/// # Errors
/// The fault, as a message.
pub(super) fn decode(bytes: &[u8], most_pixels: u64) -> Result<Jpeg, String> {
    let cut_off = || "is cut off".to_owned();
    let mut picture = Picture::default();
    let (mut at, mut scans) = (2, 0);
    loop {
        let marker = next_marker(bytes, &mut at).ok_or_else(cut_off)?;
        match marker {
            // Markers without a segment.
            0x01 | 0xd0..=0xd8 => continue,
            0xd9 => return picture.finish(),
            _ => {}
        }
        let length = bytes.get(at..at + 2).ok_or_else(cut_off)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        if length < 2 {
            return Err("is no JPEG past its beginning".to_owned());
        }
        let segment = bytes.get(at + 2..at + length).ok_or_else(cut_off)?;
        at += length;
        match marker {
            0xc4 => picture.huffman_tables(segment),
            0xdb => picture.quantisation_tables(segment),
            0xc0..=0xc2 => picture.frame(segment, marker == 0xc2, most_pixels)?,
            0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                let kind = if marker > 0xc8 {
                    "arithmetic codes"
                } else {
                    "a lossless or hierarchical form"
                };
                return Err(format!("cannot be decoded: it is a JPEG with {kind}"));
            }
            0xdd => picture.restart = number(segment, 0),
            0xe0 => picture.is_jfif |= segment.starts_with(b"JFIF\0"),
            0xe1 => {
                let exif = segment.strip_prefix(b"Exif\0\0");
                picture.exif = picture.exif.take().or_else(|| exif.map(<[u8]>::to_vec));
            }
            0xee if segment.starts_with(b"Adobe") => picture.adobe = segment.get(11).copied(),
            // Each scan takes time for all blocks, however few bytes it has.
            0xda if scans == MOST_SCANS => return Err(format!("has more than {MOST_SCANS} scans")),
            0xda => {
                picture.colours()?;
                match picture.scan(segment, bytes, at) {
                    Ok(end) => (at, scans) = (end, scans + 1),
                    Err(Broken::Ended) => return Err(cut_off()),
                    Err(Broken::Wrong) => {
                        return Err(
                            "is damaged: a part of its picture cannot be decoded".to_owned()
                        );
                    }
                }
            }
            _ => {}
        }
    }
}

/// The next marker and the position after it. Bytes before it are skipped.
fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        while *bytes.get(*at)? != 0xff {
            *at += 1;
        }
        // A marker may be preceded by any number of these.
        while *bytes.get(*at)? == 0xff {
            *at += 1;
        }
        let marker = bytes[*at];
        *at += 1;
        if marker != 0 {
            return Some(marker);
        }
    }
}

fn number(bytes: &[u8], at: usize) -> usize {
    let byte = |at: usize| bytes.get(at).map_or(0, |byte| usize::from(*byte));
    byte(at) << 8 | byte(at + 1)
}

/// The state from the segments so far.
#[derive(Default)]
struct Picture {
    frame: Option<Frame>,
    dc: [Option<Huffman>; 4],
    ac: [Option<Huffman>; 4],
    /// Quantisation tables, in natural order.
    quantisation: [Option<[u16; 64]>; 4],
    /// MCUs between restart markers; 0 without restart markers.
    restart: usize,
    is_jfif: bool,
    /// The transform that Adobe's segment tells.
    adobe: Option<u8>,
    exif: Option<Vec<u8>>,
}

struct Frame {
    progressive: bool,
    /// Width and height.
    size: [usize; 2],
    /// MCUs across and down, in a scan of several components.
    mcus: [usize; 2],
    parts: Vec<Component>,
}

struct Component {
    id: u8,
    /// Blocks in an MCU, across and down.
    sampling: [usize; 2],
    /// The number of its quantisation table.
    table: usize,
    /// The table, from the first scan on.
    quantisation: Option<[u16; 64]>,
    /// Blocks across and down, in a scan of this component alone.
    blocks: [usize; 2],
    /// Blocks across, including those that only fill MCUs.
    stride: usize,
    /// The coefficients of each block of a progressive frame, in natural order.
    coefficients: Vec<[i16; 64]>,
    /// Samples, in rows of `8 * stride`.
    samples: Vec<u8>,
    /// The DC coefficient of the block before.
    prediction: i32,
    /// For each coefficient, the number of low bits still missing; `None` for all.
    missing: [Option<u8>; 64],
}

impl Component {
    /// A row of samples.
    fn row(&self, y: usize) -> &[u8] {
        &self.samples[y * 8 * self.stride..][..8 * self.stride]
    }

    /// Computes the samples of a block from its coefficients.
    fn transform(&mut self, place: usize, coefficients: &[i16; 64]) {
        let mut block = [0; 64];
        if let Some(steps) = &self.quantisation {
            for ((value, coefficient), step) in block.iter_mut().zip(coefficients).zip(steps) {
                *value = i32::from(*coefficient) * i32::from(*step);
            }
        }
        let (row, column) = (place / self.stride, place % self.stride);
        let samples = &mut self.samples[8 * (row * 8 * self.stride + column)..];
        idct::inverse_dct(&block, samples, 8 * self.stride);
    }
}

impl Frame {
    /// The most blocks of a component in an MCU, across and down.
    fn most_sampling(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            let sampling = self.parts.iter().map(|part| part.sampling[axis]);
            sampling.max().unwrap_or(1)
        })
    }

    /// Whether every component is complete, to its last bit.
    fn is_complete(&self) -> bool {
        self.parts.iter().all(|part| {
            let refined = part.missing.iter().flatten().all(|bits| *bits == 0);
            part.missing[0].is_some() && refined
        })
    }
}

impl Picture {
    fn huffman_tables(&mut self, mut segment: &[u8]) {
        while let [which, rest @ ..] = segment {
            let Some((counts, symbols)) = rest.split_at_checked(16) else {
                return;
            };
            let symbols_here: usize = counts.iter().map(|count| usize::from(*count)).sum();
            let Some((symbols, rest)) = symbols.split_at_checked(symbols_here) else {
                return;
            };
            let tables = if which >> 4 == 0 {
                &mut self.dc
            } else {
                &mut self.ac
            };
            if let Some(table) = tables.get_mut(usize::from(which & 15)) {
                *table = Some(Huffman::new(counts, symbols));
            }
            segment = rest;
        }
    }

    fn quantisation_tables(&mut self, mut segment: &[u8]) {
        while let [which, rest @ ..] = segment {
            let bytes = if which >> 4 == 0 { 1 } else { 2 };
            let Some((steps, rest)) = rest.split_at_checked(64 * bytes) else {
                return;
            };
            let mut table = [0; 64];
            for (place, step) in ZIGZAG.iter().zip(steps.chunks_exact(bytes)) {
                table[*place] = step.iter().fold(0, |sum, byte| sum << 8 | u16::from(*byte));
            }
            if let Some(slot) = self.quantisation.get_mut(usize::from(which & 15)) {
                *slot = Some(table);
            }
            segment = rest;
        }
    }

    fn frame(&mut self, segment: &[u8], progressive: bool, most_pixels: u64) -> Result<(), String> {
        let damaged = || "is damaged: its header makes no sense".to_owned();
        if self.frame.is_some() || segment.len() < 6 {
            return Err(damaged());
        }
        if segment[0] != 8 {
            return Err(format!(
                "has {} bits a colour, and what is read is 8",
                segment[0]
            ));
        }
        let size = [number(segment, 3), number(segment, 1)];
        let pixels = size[0] as u64 * size[1] as u64;
        if pixels == 0 {
            return Err("has no pixels".to_owned());
        }
        if pixels > most_pixels {
            return Err(too_large(size, most_pixels));
        }
        let count = usize::from(segment[5]);
        let parts: Vec<_> = segment[6..].chunks_exact(3).collect();
        if ![1, 3, 4].contains(&count) {
            return Err(format!(
                "has {count} colours, and what is read is 1, 3 or 4"
            ));
        }
        if parts.len() != count {
            return Err(damaged());
        }
        let sampling = |part: &[u8]| [usize::from(part[1] >> 4), usize::from(part[1] & 15)];
        let all = parts.iter().flat_map(|part| sampling(part));
        if !all.into_iter().all(|sampling| (1..=4).contains(&sampling)) {
            return Err(damaged());
        }
        let most = [0, 1].map(|axis| {
            let sampling = parts.iter().map(|part| sampling(part)[axis]);
            sampling.max().unwrap_or(1)
        });
        let mcus = [0, 1].map(|axis| size[axis].div_ceil(8 * most[axis]));
        let component = |part: &&[u8]| {
            let sampling = sampling(part);
            let along = |axis: usize| {
                (size[axis] * sampling[axis])
                    .div_ceil(most[axis])
                    .div_ceil(8)
            };
            let stride = mcus[0] * sampling[0];
            let blocks = stride * mcus[1] * sampling[1];
            Component {
                id: part[0],
                sampling,
                table: usize::from(part[2]),
                quantisation: None,
                blocks: [along(0), along(1)],
                stride,
                coefficients: vec![[0; 64]; if progressive { blocks } else { 0 }],
                samples: vec![0; if progressive { 0 } else { 64 * blocks }],
                prediction: 0,
                missing: [None; 64],
            }
        };
        self.frame = Some(Frame {
            progressive,
            size,
            mcus,
            parts: parts.iter().map(component).collect(),
        });
        Ok(())
    }

    /// What the components are, as libjpeg decides.
    ///
    /// # Errors
    /// For inks of which nobody says whether they are inverted.
    fn colours(&self) -> Result<Colours, String> {
        let parts = self.frame.as_ref().map_or(&[][..], |frame| &frame.parts);
        let ids: Vec<_> = parts.iter().map(|part| part.id).collect();
        Ok(match (parts.len(), self.adobe) {
            (4, Some(2)) => Colours::Ycck,
            (4, Some(_)) => Colours::Cmyk,
            (4, None) => {
                let message = "is in CMYK, the colours of printers, and does not say whether they are inverted; \
                               save it as RGB";
                return Err(message.to_owned());
            }
            (3, _) if self.is_jfif => Colours::Ycc,
            (3, Some(0)) => Colours::Rgb,
            (3, None) if ids == b"RGB" => Colours::Rgb,
            (3, _) => Colours::Ycc,
            _ => Colours::Grey,
        })
    }

    /// The pixels, when everything is there.
    fn finish(mut self) -> Result<Jpeg, String> {
        let colours = self.colours()?;
        let frame = self.frame.as_mut().filter(|frame| frame.is_complete());
        let frame = frame.ok_or_else(|| "is cut off".to_owned())?;
        for part in &mut frame.parts {
            if frame.progressive {
                let coefficients = std::mem::take(&mut part.coefficients);
                part.samples = vec![0; 64 * coefficients.len()];
                for (place, block) in coefficients.iter().enumerate() {
                    part.transform(place, block);
                }
            }
        }
        Ok(Jpeg {
            size: frame.size,
            pixels: picture::pixels(frame, colours)?,
            is_grey: colours == Colours::Grey,
            exif: self.exif,
        })
    }

    /// Reads a scan and returns the position of its end.
    fn scan(&mut self, head: &[u8], bytes: &[u8], at: usize) -> Codes<usize> {
        let Some(frame) = &mut self.frame else {
            return Err(Broken::Wrong);
        };
        let count = head.first().map_or(0, |count| usize::from(*count));
        let parts = head
            .get(1..1 + 2 * count)
            .unwrap_or_default()
            .chunks_exact(2);
        let [first, last, bits] =
            [0, 1, 2].map(|i| head.get(1 + 2 * count + i).copied().unwrap_or(0));
        let mut chosen = Vec::new();
        for part in parts {
            let index = frame.parts.iter().position(|of| of.id == part[0]);
            let index = index.ok_or(Broken::Wrong)?;
            chosen.push((
                index,
                usize::from(part[1] >> 4 & 3),
                usize::from(part[1] & 3),
            ));
            let component = &mut frame.parts[index];
            if component.quantisation.is_none() {
                let table = self.quantisation.get(component.table).copied().flatten();
                component.quantisation = Some(table.ok_or(Broken::Wrong)?);
            }
        }
        let mut step = ProgressiveScan {
            first: usize::from(first),
            last: usize::from(last.min(63)),
            refines: bits >> 4 != 0,
            low: u32::from(bits & 15),
            blocks_left: 0,
        };
        if !frame.progressive {
            step = ProgressiveScan {
                first: 0,
                last: 63,
                refines: false,
                low: 0,
                blocks_left: 0,
            };
        }
        let mcus = match chosen[..] {
            [] => return Err(Broken::Wrong),
            [(alone, ..)] => frame.parts[alone].blocks,
            _ => frame.mcus,
        };
        let mut codes = BitReader::new(bytes, at);
        frame.parts.iter_mut().for_each(|part| part.prediction = 0);
        for mcu in 0..mcus[0] * mcus[1] {
            if self.restart > 0 && mcu > 0 && mcu.is_multiple_of(self.restart) {
                codes.restart()?;
                step.blocks_left = 0;
                frame.parts.iter_mut().for_each(|part| part.prediction = 0);
            }
            let place = [mcu % mcus[0], mcu / mcus[0]];
            let mut read = || {
                for (index, dc, ac) in &chosen {
                    let part = &mut frame.parts[*index];
                    let [across, down] = if chosen.len() == 1 {
                        [1, 1]
                    } else {
                        part.sampling
                    };
                    for block in 0..across * down {
                        let column = place[0] * across + block % across;
                        let row = place[1] * down + block / across;
                        let at = row * part.stride + column;
                        let tables = [&self.dc[*dc], &self.ac[*ac]];
                        if frame.progressive {
                            let block = part.coefficients.get_mut(at).ok_or(Broken::Wrong)?;
                            step.block(&mut codes, tables, block, &mut part.prediction)?;
                        } else {
                            let block = sequential(&mut codes, tables, &mut part.prediction)?;
                            part.transform(at, &block);
                        }
                    }
                }
                Ok(())
            };
            match read() {
                // A part between restart markers may be missing; the next part is in its place again.
                Err(_) if self.restart > 0 && codes.restart_follows() => codes.drop_rest(),
                result => result?,
            }
        }
        for (index, ..) in chosen {
            let coefficients = frame.parts[index].missing.get_mut(step.first..=step.last);
            coefficients
                .into_iter()
                .flatten()
                .for_each(|missing| *missing = Some(step.low as u8));
        }
        codes.end()
    }
}

/// The message for a picture of too many pixels.
pub(super) fn too_large([width, height]: [impl std::fmt::Display; 2], most_pixels: u64) -> String {
    let most = crate::data::fault::count(most_pixels);
    format!("has {width}x{height} pixels, more than {most}")
}

/// The coefficients of a block of a sequential frame.
fn sequential(
    codes: &mut BitReader<'_>,
    [dc, ac]: [&Option<Huffman>; 2],
    prediction: &mut i32,
) -> Codes<[i16; 64]> {
    let mut block = [0; 64];
    let bits = codes.symbol(present(dc)?)?;
    *prediction = prediction.wrapping_add(codes.signed(u32::from(bits))?);
    block[0] = *prediction as i16;
    let ac = present(ac)?;
    let mut k = 1;
    while k < 64 {
        let symbol = codes.symbol(ac)?;
        let (zeros, bits) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        if bits == 0 && zeros < 15 {
            break;
        }
        k += zeros;
        let value = codes.signed(bits)?;
        if let Some(place) = ZIGZAG.get(k) {
            block[*place] = value as i16;
        }
        k += 1;
    }
    Ok(block)
}
