//! The blocks of a scan of a progressive frame: ITU-T T.81, annex G.

use super::ZIGZAG;
use super::huffman::{BitReader, Codes, Huffman, present};

/// The parameters of a scan of a progressive frame.
pub(super) struct ProgressiveScan {
    /// The range of coefficients.
    pub(super) first: usize,
    pub(super) last: usize,
    /// Whether the scan refines earlier bits.
    pub(super) refines: bool,
    /// The place of the lowest bit that the scan has.
    pub(super) low: u32,
    /// Remaining blocks of an end-of-band run.
    pub(super) blocks_left: u32,
}

impl ProgressiveScan {
    /// Reads a block's part. `prediction` is the DC coefficient of the block before it.
    pub(super) fn block(
        &mut self,
        codes: &mut BitReader<'_>,
        [dc, ac]: [&Option<Huffman>; 2],
        block: &mut [i16; 64],
        prediction: &mut i32,
    ) -> Codes<()> {
        match (self.first, self.refines) {
            (0, false) => {
                let bits = codes.symbol(present(dc)?)?;
                *prediction = prediction.wrapping_add(codes.signed(u32::from(bits))?);
                block[0] = (*prediction << self.low) as i16;
                Ok(())
            }
            (0, true) => {
                if codes.bit()? {
                    block[0] |= self.bit();
                }
                Ok(())
            }
            (_, false) => self.first_bits(codes, present(ac)?, block),
            (_, true) => self.further_bits(codes, present(ac)?, block),
        }
    }

    fn bit(&self) -> i16 {
        1i16.wrapping_shl(self.low)
    }

    fn first_bits(
        &mut self,
        codes: &mut BitReader<'_>,
        ac: &Huffman,
        block: &mut [i16; 64],
    ) -> Codes<()> {
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
                let value = codes.signed(bits)? << self.low;
                if let Some(place) = ZIGZAG.get(k) {
                    block[*place] = value as i16;
                }
            }
            k += 1;
        }
        Ok(())
    }

    fn further_bits(
        &mut self,
        codes: &mut BitReader<'_>,
        ac: &Huffman,
        block: &mut [i16; 64],
    ) -> Codes<()> {
        let low = self.bit();
        let mut k = self.first;
        if self.blocks_left == 0 {
            while k <= self.last {
                let symbol = codes.symbol(ac)?;
                let (mut zeros, bits) = (u32::from(symbol >> 4), symbol & 15);
                if bits == 0 && zeros < 15 {
                    self.blocks_left = (1 << zeros) + codes.take(zeros)?;
                    break;
                }
                let new = match bits {
                    0 => 0,
                    _ if codes.bit()? => low,
                    _ => -low,
                };
                while k <= self.last {
                    let value = &mut block[ZIGZAG[k]];
                    if *value != 0 {
                        refine(codes, value, low)?;
                    } else if zeros == 0 {
                        break;
                    } else {
                        zeros -= 1;
                    }
                    k += 1;
                }
                if new != 0 && k <= self.last {
                    block[ZIGZAG[k]] = new;
                }
                k += 1;
            }
        }
        if self.blocks_left > 0 {
            for place in ZIGZAG.iter().take(self.last + 1).skip(k) {
                let value = &mut block[*place];
                if *value != 0 {
                    refine(codes, value, low)?;
                }
            }
            self.blocks_left -= 1;
        }
        Ok(())
    }
}

/// One more bit of a coefficient that is not 0.
fn refine(codes: &mut BitReader<'_>, value: &mut i16, low: i16) -> Codes<()> {
    if codes.bit()? && *value & low == 0 {
        *value = match *value {
            0.. => value.wrapping_add(low),
            _ => value.wrapping_sub(low),
        };
    }
    Ok(())
}
