//! Checks that a JPEG is complete. Decoders fill missing parts with grey, and libjpeg only warns, so this reads the
//! Huffman codes without computing pixels: ITU-T T.81, annexes F and G.
//!
//! Bytes between two segments are skipped, as in libjpeg.

mod huffman;
mod progressive;

use std::iter::repeat_n;

use huffman::{BitReader, Broken, Codes, Huffman, present};
use progressive::ProgressiveScan;

/// The most scans of a frame, those of the decoder.
const MOST_SCANS: usize = 100;

/// Refuses JPEGs for which decoders guess: truncated ones, and CMYK ones without Adobe's segment, which says that the
/// colours are inverted.
///
/// # Errors
/// The fault, as a message.
pub(super) fn check(bytes: &[u8], most_pixels: u64) -> Result<(), String> {
    let cut_off = || "is cut off".to_owned();
    let mut picture = Picture::default();
    let (mut at, mut adobes, mut scans) = (2, false, 0);
    loop {
        let marker = next_marker(bytes, &mut at).ok_or_else(cut_off)?;
        match marker {
            // Markers without a segment.
            0x01 | 0xd0..=0xd8 => continue,
            0xd9 => return picture.complete().then_some(()).ok_or_else(cut_off),
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
            0xc4 => picture.tables(segment),
            0xc0..=0xc2 => picture.frame(segment, marker == 0xc2, most_pixels),
            // Lossless and arithmetic-coded frames, which are not read here.
            0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => picture.frame_of_others(segment),
            0xdd => picture.restart = number(segment, 0),
            0xee => adobes |= segment.starts_with(b"Adobe"),
            0xda if picture.components == 4 && !adobes => {
                let message = "is in CMYK, the colours of printers, and does not say whether they are inverted; \
                               save it as RGB";
                return Err(message.to_owned());
            }
            // Each scan takes time for all blocks, however few bytes it has.
            0xda if scans == MOST_SCANS => return Err(format!("has more than {MOST_SCANS} scans")),
            0xda => match picture.scan(segment, bytes, at) {
                Ok(end) => (at, scans) = (end, scans + 1),
                Err(Broken::Ended) => return Err(cut_off()),
                Err(Broken::Wrong) => {
                    return Err("is damaged: a part of its picture cannot be decoded".to_owned());
                }
            },
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
    /// The number of components of the frame.
    components: usize,
    dc: [Option<Huffman>; 4],
    ac: [Option<Huffman>; 4],
    /// MCUs between restart markers; 0 without restart markers.
    restart: usize,
}

struct Frame {
    progressive: bool,
    /// MCUs across and down, in a scan of several components.
    mcus: [usize; 2],
    parts: Vec<Component>,
}

struct Component {
    id: u8,
    /// Blocks in an MCU, across and down.
    sampling: [usize; 2],
    /// Blocks across and down, in a scan of this component alone.
    blocks: [usize; 2],
    /// Blocks across, including those that only fill MCUs.
    stride: usize,
    /// For each block of a progressive frame, a bit for each nonzero coefficient.
    known: Vec<u64>,
    /// For each coefficient, the number of low bits still missing; `None` for all.
    missing: [Option<u8>; 64],
}

impl Picture {
    fn tables(&mut self, mut segment: &[u8]) {
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

    fn frame_of_others(&mut self, segment: &[u8]) {
        self.components = segment.get(5).map_or(0, |count| usize::from(*count));
    }

    fn frame(&mut self, segment: &[u8], progressive: bool, most_pixels: u64) {
        self.frame_of_others(segment);
        let (height, width) = (number(segment, 1), number(segment, 3));
        let parts = segment.get(6..).unwrap_or_default().chunks_exact(3);
        let sampling = |part: &[u8]| [usize::from(part[1] >> 4), usize::from(part[1] & 15)];
        let most = [0, 1].map(|axis| {
            parts
                .clone()
                .map(|part| sampling(part)[axis])
                .max()
                .unwrap_or(0)
        });
        let least = parts.clone().map(|part| sampling(part).into_iter().min());
        let sound = least.flatten().all(|least| least > 0)
            && most.iter().all(|most| (1..=4).contains(most));
        let fits =
            (1..=most_pixels).contains(&(width as u64 * height as u64)) && self.components <= 4;
        // The decoder reports the fault.
        if !sound || !fits || parts.len() != self.components {
            self.frame = None;
            return;
        }
        let mcus = [width.div_ceil(8 * most[0]), height.div_ceil(8 * most[1])];
        let component = |part: &[u8]| {
            let sampling = sampling(part);
            let along = |length: usize, axis: usize| {
                (length * sampling[axis]).div_ceil(most[axis]).div_ceil(8)
            };
            let stride = mcus[0] * sampling[0];
            let known = if progressive {
                stride * mcus[1] * sampling[1]
            } else {
                0
            };
            Component {
                id: part[0],
                sampling,
                blocks: [along(width, 0), along(height, 1)],
                stride,
                known: repeat_n(0, known).collect(),
                missing: [None; 64],
            }
        };
        self.frame = Some(Frame {
            progressive,
            mcus,
            parts: parts.map(component).collect(),
        });
    }

    /// Whether every component is complete, to its last bit.
    fn complete(&self) -> bool {
        let Some(frame) = &self.frame else {
            return true;
        };
        frame.parts.iter().all(|part| {
            let refined = part.missing.iter().flatten().all(|bits| *bits == 0);
            part.missing[0].is_some() && refined
        })
    }

    /// Reads the codes of a scan and returns the position of its end.
    fn scan(&mut self, head: &[u8], bytes: &[u8], at: usize) -> Codes<usize> {
        let Some(frame) = &mut self.frame else {
            return to_marker(bytes, at);
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
            let Some(index) = index else {
                return to_marker(bytes, at);
            };
            chosen.push((
                index,
                usize::from(part[1] >> 4 & 3),
                usize::from(part[1] & 3),
            ));
        }
        let mut step = if frame.progressive {
            ProgressiveScan {
                first: usize::from(first),
                last: usize::from(last.min(63)),
                refines: bits >> 4 != 0,
                blocks_left: 0,
            }
        } else {
            ProgressiveScan {
                first: 0,
                last: 63,
                refines: false,
                blocks_left: 0,
            }
        };
        let low = if frame.progressive { bits & 15 } else { 0 };
        let mcus = match chosen[..] {
            [] => return to_marker(bytes, at),
            [(alone, ..)] => frame.parts[alone].blocks,
            _ => frame.mcus,
        };
        let mut codes = BitReader::new(bytes, at);
        for mcu in 0..mcus[0] * mcus[1] {
            if self.restart > 0 && mcu > 0 && mcu.is_multiple_of(self.restart) {
                codes.restart()?;
                step.blocks_left = 0;
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
                        let tables = [&self.dc[*dc], &self.ac[*ac]];
                        if frame.progressive {
                            let known = part.known.get_mut(row * part.stride + column);
                            step.block(&mut codes, tables, known.ok_or(Broken::Wrong)?)?;
                        } else {
                            sequential(&mut codes, tables)?;
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
                .for_each(|missing| *missing = Some(low));
        }
        codes.end()
    }
}

/// The end of a scan whose codes are not read.
fn to_marker(bytes: &[u8], at: usize) -> Codes<usize> {
    BitReader::new(bytes, at).marker().ok_or(Broken::Ended)
}

/// A block of a sequential frame.
fn sequential(codes: &mut BitReader<'_>, [dc, ac]: [&Option<Huffman>; 2]) -> Codes<()> {
    let bits = codes.symbol(present(dc)?)?;
    codes.skip(u32::from(bits))?;
    let ac = present(ac)?;
    let mut k = 1;
    while k < 64 {
        let symbol = codes.symbol(ac)?;
        let (zeros, bits) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        if bits == 0 && zeros < 15 {
            break;
        }
        codes.skip(bits)?;
        k += zeros + 1;
    }
    Ok(())
}
