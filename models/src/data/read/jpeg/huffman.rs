//! Huffman tables, and a reader of the bits that they code: ITU-T T.81, annex F.

/// From this many zero bytes after the last block on they are no padding, but the fill of a file that was not copied
/// completely.
const FILLED: usize = 64;

/// Why reading the codes of a scan stopped.
#[derive(Debug, PartialEq)]
pub(super) enum Broken {
    /// The data ends.
    Ended,
    /// The data is invalid.
    Wrong,
}

pub(super) type Codes<T> = Result<T, Broken>;

pub(super) fn present(table: &Option<Huffman>) -> Codes<&Huffman> {
    table.as_ref().ok_or(Broken::Wrong)
}

/// A table of Huffman codes of at most 16 bits.
pub(super) struct Huffman {
    /// For each prefix of eight bits, the length of the code and its symbol; length 0 for longer codes.
    short: [(u8, u8); 256],
    /// For each length, the largest code plus one, left-aligned in 16 bits.
    ends: [u32; 17],
    /// For each length, the offset from a code to the index of its symbol.
    places: [i32; 17],
    symbols: Vec<u8>,
}

impl Huffman {
    pub(super) fn new(counts: &[u8], symbols: &[u8]) -> Self {
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
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// The position of the next byte after those in `held`.
    at: usize,
    /// Unused bits, left-aligned.
    held: u64,
    count: u32,
    /// Whether a marker or the end of the file has been reached.
    ended: bool,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
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
            // Four bytes at once, unless one may belong to a marker.
            if let (true, Some(four)) = (self.count <= 32, self.bytes.get(self.at..self.at + 4))
                && !four.contains(&0xff)
            {
                let four = four
                    .iter()
                    .fold(0, |bits, byte| bits << 8 | u64::from(*byte));
                self.held |= four << (32 - self.count);
                self.count += 32;
                self.at += 4;
                continue;
            }
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

    pub(super) fn take(&mut self, bits: u32) -> Codes<u32> {
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

    /// The next bit.
    pub(super) fn bit(&mut self) -> Codes<bool> {
        Ok(self.take(1)? == 1)
    }

    /// A number of so many bits, without its redundant sign: T.81, F.2.2.1.
    pub(super) fn signed(&mut self, bits: u32) -> Codes<i32> {
        if bits == 0 {
            return Ok(0);
        }
        if bits > 16 {
            return Err(Broken::Wrong);
        }
        let value = self.take(bits)? as i32;
        let is_negative = value < 1 << (bits - 1);
        Ok(if is_negative {
            value - (1 << bits) + 1
        } else {
            value
        })
    }

    pub(super) fn symbol(&mut self, table: &Huffman) -> Codes<u8> {
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
    pub(super) fn marker(&self) -> Option<usize> {
        let mut at = self.at;
        loop {
            match self.marker_after(at)? {
                (found, 0xd0..=0xd7) => at = found + 2,
                (found, _) => return Some(found),
            }
        }
    }

    /// The position of the first marker at or after a position, and the marker.
    fn marker_after(&self, mut at: usize) -> Option<(usize, u8)> {
        loop {
            let rest = self.bytes.get(at..)?;
            let found = at + rest.iter().position(|byte| *byte == 0xff)?;
            match *self.bytes.get(found + 1)? {
                0 => at = found + 2,
                0xff => at = found + 1,
                marker => return Some((found, marker)),
            }
        }
    }

    pub(super) fn restart_follows(&self) -> bool {
        matches!(self.marker_after(self.at), Some((_, 0xd0..=0xd7)))
    }

    /// Skips the rest before the next marker.
    pub(super) fn drop_rest(&mut self) {
        if let Some((at, _)) = self.marker_after(self.at) {
            self.at = at;
        }
        (self.held, self.count, self.ended) = (0, 0, true);
    }

    /// Continues after a restart marker.
    pub(super) fn restart(&mut self) -> Codes<()> {
        match self.marker_after(self.at) {
            Some((at, 0xd0..=0xd7)) => {
                *self = Self::new(self.bytes, at + 2);
                Ok(())
            }
            _ => Err(Broken::Ended),
        }
    }

    /// The marker at the end of a scan, after all blocks.
    pub(super) fn end(&mut self) -> Codes<usize> {
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
