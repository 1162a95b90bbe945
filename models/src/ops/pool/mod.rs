//! Pooling of channels-last images.
//!
//! | module | what it is |
//! |---|---|
//! | `max` | the maximum under a window |
//! | `mean` | the mean under a window, or over a grid of parts |

mod max;
mod mean;

pub use max::max_pool2d;
pub(crate) use mean::adaptive_parts;
pub use mean::{adaptive_avg_pool2d, avg_pool2d};

use serde::{Deserialize, Serialize};

/// A window that moves over an image. Pairs are height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolWindow {
    /// Pixels of the window.
    pub kernel: [usize; 2],
    /// Pixels from one position of the window to the next.
    pub stride: [usize; 2],
    /// Rows above and below the image, columns left and right.
    pub padding: [usize; 2],
    /// Whether there is another position where the window covers pixels that are left over at the end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ceil_mode: bool,
}

/// The part of a side that one position of a window covers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoolPart {
    /// The first pixel, and the one after the last.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The pixels that the mean is taken over. They may include those of the padding.
    pub(crate) count: usize,
}

impl PoolWindow {
    /// Kernel 2, stride 2: halves the image.
    pub const HALVING: Self = Self::square(2, 2, 0);

    /// The most pixels of the window of a [`max_pool2d`].
    pub const MAX_POSITIONS: usize = 225;

    /// The same kernel, stride and padding in both directions.
    pub const fn square(kernel: usize, stride: usize, padding: usize) -> Self {
        Self {
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [padding; 2],
            ceil_mode: false,
        }
    }

    /// Whether the window moves, and no position of it lies in the padding alone.
    pub fn is_valid(&self) -> bool {
        let is_valid = |side: usize| {
            self.kernel[side] > 0
                && self.stride[side] > 0
                && self.padding[side] <= self.kernel[side] / 2
        };
        is_valid(0) && is_valid(1)
    }

    /// The number of positions of the window, down and across; `None` where it does not fit the image.
    pub fn positions(&self, image: [usize; 2]) -> Option<[usize; 2]> {
        let along = |side: usize| {
            let (pixels, stride, padding) = (image[side], self.stride[side], self.padding[side]);
            let more = if self.ceil_mode { stride - 1 } else { 0 };
            let room = (pixels + 2 * padding + more).checked_sub(self.kernel[side])?;
            let positions = room / stride + 1;
            // PyTorch leaves out a position that begins behind the image.
            let is_behind = self.ceil_mode && (positions - 1) * stride >= pixels + padding;
            Some(positions - usize::from(is_behind))
        };
        if !self.is_valid() || image.contains(&0) {
            return None;
        }
        Some([along(0)?, along(1)?])
    }

    /// What the positions along a side cover. The side is the height where `which` is 0, else the width.
    pub(crate) fn parts(
        &self,
        which: usize,
        side: usize,
        count_include_pad: bool,
    ) -> Vec<PoolPart> {
        let positions = self.positions([side; 2]).map_or(0, |both| both[which]);
        let padding = self.padding[which];
        let part = |position: usize| {
            // Both as indices of the padded image.
            let start = position * self.stride[which];
            let end = (start + self.kernel[which]).min(side + 2 * padding);
            let inside = |pixel: usize| pixel.saturating_sub(padding).min(side);
            let (first, last) = (inside(start), inside(end));
            PoolPart {
                start: first,
                end: last,
                count: if count_include_pad {
                    end - start
                } else {
                    last - first
                },
            }
        };
        (0..positions).map(part).collect()
    }
}
