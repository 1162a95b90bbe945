//! The blocks of a scan of a progressive frame: ITU-T T.81, annex G.

use super::huffman::{BitReader, Codes, Huffman, present};

/// The parameters of a scan of a progressive frame.
pub(super) struct ProgressiveScan {
    /// The range of coefficients.
    pub(super) first: usize,
    pub(super) last: usize,
    /// Whether the scan refines earlier bits.
    pub(super) refines: bool,
    /// Remaining blocks of an end-of-band run.
    pub(super) blocks_left: u32,
}

impl ProgressiveScan {
    pub(super) fn block(
        &mut self,
        codes: &mut BitReader<'_>,
        [dc, ac]: [&Option<Huffman>; 2],
        known: &mut u64,
    ) -> Codes<()> {
        match (self.first, self.refines) {
            (0, false) => {
                let bits = codes.symbol(present(dc)?)?;
                codes.skip(u32::from(bits))
            }
            (0, true) => codes.skip(1),
            (_, false) => self.first_bits(codes, present(ac)?, known),
            (_, true) => self.further_bits(codes, present(ac)?, known),
        }
    }

    fn first_bits(
        &mut self,
        codes: &mut BitReader<'_>,
        ac: &Huffman,
        known: &mut u64,
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
                codes.skip(bits)?;
                *known |= 1u64.checked_shl(k as u32).unwrap_or(0);
            }
            k += 1;
        }
        Ok(())
    }

    fn further_bits(
        &mut self,
        codes: &mut BitReader<'_>,
        ac: &Huffman,
        known: &mut u64,
    ) -> Codes<()> {
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
