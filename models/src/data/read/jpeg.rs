//! Checks that a JPEG is complete. Decoders fill missing parts with grey, and libjpeg only warns, so this reads the
//! Huffman codes without computing pixels: ITU-T T.81, annexes F and G.
//!
//! Bytes between two segments are skipped, as in libjpeg.

use std::iter::repeat_n;

/// From this many zero bytes after the last block on they are no padding, but the fill of a file that was not copied
/// completely.
const FILLED: usize = 64;

/// The most scans of a frame, those of the decoder.
const MOST_SCANS: usize = 100;

/// Why reading the codes of a scan stopped.
#[derive(Debug, PartialEq)]
enum Broken {
    /// The data ends.
    Ended,
    /// The data is invalid.
    Wrong,
}

type Codes<T> = Result<T, Broken>;

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
            Step {
                first: usize::from(first),
                last: usize::from(last.min(63)),
                refines: bits >> 4 != 0,
                blocks_left: 0,
            }
        } else {
            Step {
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
        let mut codes = Bits::new(bytes, at);
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
    Bits::new(bytes, at).marker().ok_or(Broken::Ended)
}

fn table(table: &Option<Huffman>) -> Codes<&Huffman> {
    table.as_ref().ok_or(Broken::Wrong)
}

/// A block of a sequential frame.
fn sequential(codes: &mut Bits<'_>, [dc, ac]: [&Option<Huffman>; 2]) -> Codes<()> {
    let bits = codes.symbol(table(dc)?)?;
    codes.skip(u32::from(bits))?;
    let ac = table(ac)?;
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

/// The parameters of a scan of a progressive frame.
struct Step {
    /// The range of coefficients.
    first: usize,
    last: usize,
    /// Whether the scan refines earlier bits.
    refines: bool,
    /// Remaining blocks of an end-of-band run.
    blocks_left: u32,
}

impl Step {
    fn block(
        &mut self,
        codes: &mut Bits<'_>,
        [dc, ac]: [&Option<Huffman>; 2],
        known: &mut u64,
    ) -> Codes<()> {
        match (self.first, self.refines) {
            (0, false) => {
                let bits = codes.symbol(table(dc)?)?;
                codes.skip(u32::from(bits))
            }
            (0, true) => codes.skip(1),
            (_, false) => self.first_bits(codes, table(ac)?, known),
            (_, true) => self.further_bits(codes, table(ac)?, known),
        }
    }

    fn first_bits(&mut self, codes: &mut Bits<'_>, ac: &Huffman, known: &mut u64) -> Codes<()> {
        if self.blocks_left > 0 {
            self.blocks_left -= 1;
            return Ok(());
        }
        let mut k = self.first;
        while k <= self.last {
            let symbol = codes.symbol(ac)?;
            let (zeros, bits) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            if bits == 0 && zeros < 15 {
                self.blocks_left = (1 << zeros) - 1 + codes.take(zeros)?;
                return Ok(());
            }
            k += zeros as usize;
            if bits > 0 {
                codes.skip(bits)?;
                *known |= 1u64.checked_shl(k as u32).unwrap_or(0);
            }
            k += 1;
        }
        Ok(())
    }

    fn further_bits(&mut self, codes: &mut Bits<'_>, ac: &Huffman, known: &mut u64) -> Codes<()> {
        let mut k = self.first;
        let is_known = |known: u64, k: usize| known >> k & 1 == 1;
        if self.blocks_left == 0 {
            while k <= self.last {
                let symbol = codes.symbol(ac)?;
                let (mut zeros, bits) = (u32::from(symbol >> 4), symbol & 15);
                if bits == 0 && zeros < 15 {
                    self.blocks_left = (1 << zeros) + codes.take(zeros)?;
                    break;
                }
                if bits > 0 {
                    codes.skip(1)?;
                }
                while k <= self.last {
                    if is_known(*known, k) {
                        codes.skip(1)?;
                    } else if zeros == 0 {
                        break;
                    } else {
                        zeros -= 1;
                    }
                    k += 1;
                }
                if bits > 0 && k <= self.last {
                    *known |= 1 << k;
                }
                k += 1;
            }
        }
        if self.blocks_left > 0 {
            for k in k..=self.last {
                if is_known(*known, k) {
                    codes.skip(1)?;
                }
            }
            self.blocks_left -= 1;
        }
        Ok(())
    }
}

/// A table of Huffman codes of at most 16 bits.
struct Huffman {
    /// For each prefix of eight bits, the length of the code and its symbol; length 0 for longer codes.
    short: [(u8, u8); 256],
    /// For each length, the largest code plus one, left-aligned in 16 bits.
    ends: [u32; 17],
    /// For each length, the offset from a code to the index of its symbol.
    places: [i32; 17],
    symbols: Vec<u8>,
}

impl Huffman {
    fn new(counts: &[u8], symbols: &[u8]) -> Self {
        let (mut ends, mut places, mut short) = ([0; 17], [0; 17], [(0, 0); 256]);
        let (mut code, mut place) = (0u32, 0);
        for (length, count) in (1..=16u32).zip(counts) {
            places[length as usize] = place as i32 - code as i32;
            for _ in 0..*count {
                if length <= 8 {
                    let first = (code << (8 - length)) as usize;
                    let symbol = symbols.get(place).copied().unwrap_or(0);
                    let here = short.get_mut(first..first + (1 << (8 - length)));
                    here.into_iter()
                        .flatten()
                        .for_each(|entry| *entry = (length as u8, symbol));
                }
                (code, place) = (code + 1, place + 1);
            }
            ends[length as usize] = code << (16 - length);
            code <<= 1;
        }
        Self {
            short,
            ends,
            places,
            symbols: symbols.to_vec(),
        }
    }
}

/// A bit reader of a scan.
struct Bits<'a> {
    bytes: &'a [u8],
    /// The position of the next byte after those in `held`.
    at: usize,
    /// Unused bits, left-aligned.
    held: u64,
    count: u32,
    /// Whether a marker or the end of the file has been reached.
    ended: bool,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            held: 0,
            count: 0,
            ended: false,
        }
    }

    fn fill(&mut self) {
        while self.count <= 48 && !self.ended {
            let byte = match self.bytes.get(self.at..) {
                Some([0xff, 0, ..]) => {
                    self.at += 2;
                    0xff
                }
                Some([0xff, 0xff, ..]) => {
                    self.at += 1;
                    continue;
                }
                None | Some([] | [0xff, ..]) => {
                    self.ended = true;
                    return;
                }
                Some([byte, ..]) => {
                    self.at += 1;
                    *byte
                }
            };
            self.held |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    fn take(&mut self, bits: u32) -> Codes<u32> {
        if bits == 0 {
            return Ok(0);
        }
        if self.count < bits {
            self.fill();
        }
        if self.count < bits {
            return Err(Broken::Ended);
        }
        let taken = (self.held >> (64 - bits)) as u32;
        self.held <<= bits;
        self.count -= bits;
        Ok(taken)
    }

    fn skip(&mut self, bits: u32) -> Codes<()> {
        self.take(bits).map(drop)
    }

    fn symbol(&mut self, table: &Huffman) -> Codes<u8> {
        if self.count < 16 {
            self.fill();
        }
        let (length, symbol) = table.short[(self.held >> 56) as usize];
        if length > 0 {
            return self.skip(length.into()).map(|()| symbol);
        }
        let next = (self.held >> 48) as u32;
        let length = (9..=16).find(|length| next < table.ends[*length]);
        let Some(length) = length else {
            // Missing bits count as zeros; if bits are missing, that is the fault.
            return Err(if self.count < 16 {
                Broken::Ended
            } else {
                Broken::Wrong
            });
        };
        let place = (next >> (16 - length)) as i32 + table.places[length];
        self.skip(length as u32)?;
        let symbol = usize::try_from(place)
            .ok()
            .and_then(|place| table.symbols.get(place));
        symbol.copied().ok_or(Broken::Wrong)
    }

    /// The position of the next marker that is not a restart marker.
    fn marker(&mut self) -> Option<usize> {
        let mut at = self.at;
        loop {
            let found = at
                + self
                    .bytes
                    .get(at..)?
                    .iter()
                    .position(|byte| *byte == 0xff)?;
            match *self.bytes.get(found + 1)? {
                0 | 0xd0..=0xd7 => at = found + 2,
                0xff => at = found + 1,
                _ => return Some(found),
            }
        }
    }

    /// The position of the next marker, and the marker.
    fn any_marker(&self) -> Option<(usize, u8)> {
        let mut at = self.at;
        loop {
            let found = at
                + self
                    .bytes
                    .get(at..)?
                    .iter()
                    .position(|byte| *byte == 0xff)?;
            match *self.bytes.get(found + 1)? {
                0 => at = found + 2,
                0xff => at = found + 1,
                marker => return Some((found, marker)),
            }
        }
    }

    fn restart_follows(&self) -> bool {
        matches!(self.any_marker(), Some((_, 0xd0..=0xd7)))
    }

    /// Skips the rest before the next marker.
    fn drop_rest(&mut self) {
        if let Some((at, _)) = self.any_marker() {
            self.at = at;
        }
        (self.held, self.count, self.ended) = (0, 0, true);
    }

    /// Continues after a restart marker.
    fn restart(&mut self) -> Codes<()> {
        match self.any_marker() {
            Some((at, 0xd0..=0xd7)) => {
                *self = Self::new(self.bytes, at + 2);
                Ok(())
            }
            _ => Err(Broken::Ended),
        }
    }

    /// The marker at the end of a scan, after all blocks.
    fn end(&mut self) -> Codes<usize> {
        let end = self.marker().ok_or(Broken::Ended)?;
        let left = end - self.at + self.count as usize / 8;
        let zeros = self.bytes[..end]
            .iter()
            .rev()
            .take_while(|byte| **byte == 0)
            .count();
        if left >= FILLED && zeros >= FILLED {
            return Err(Broken::Ended);
        }
        Ok(end)
    }
}
