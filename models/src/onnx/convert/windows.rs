//! Pools, and the padding around the windows of pools and convolutions.

use super::super::Outcome;
use super::super::values::Value;
use super::{Arguments, Converter};
use crate::graph::Operation;
use crate::ops::PoolWindow;

impl Converter<'_> {
    pub(super) fn pool(&mut self, a: &Arguments<'_>) -> Outcome<Value> {
        let is_max = a.attributes.node.op_type == "MaxPool";
        let (x, around) = match a.input(0)? {
            Value::Padded { node, pads } if !is_max => (*node, Some(*pads)),
            _ => (self.image(a, 0)?, None),
        };
        let kernel = a.attributes.pair("kernel_shape", 1, [0, 0])?;
        let stride = a.attributes.pair("strides", 1, [1, 1])?;
        if kernel == [0, 0] {
            return Err(a.fault("has no kernel_shape"));
        }
        if a.attributes.pair("dilations", 1, [1, 1])? != [1, 1] {
            return Err(a.fault("pools with dilation are not read"));
        }
        let mut count_include_pad = !is_max && a.attributes.int("count_include_pad", 0)? != 0;
        let mut pads = self.pads(a, x, kernel, stride)?;
        // Whether what is padded at the end alone counts for nothing, as what a last position covers beyond the image.
        let may_be_left_over = !count_include_pad;
        if let Some(around) = around {
            // Zeros that another node put there always count.
            if pads[..2] != [0, 0] || pads != [0; 4] && count_include_pad {
                return Err(a.fault("two kinds of padding around one image are not read"));
            }
            let [top, left] = symmetric(a, around)?;
            pads = [top, left, top + pads[2], left + pads[3]];
            count_include_pad = true;
        }
        let image = [self.shape_of(x)[1], self.shape_of(x)[2]];
        let window = PoolWindow {
            kernel,
            stride,
            padding: [pads[0], pads[1]],
            ceil_mode: a.attributes.int("ceil_mode", 0)? != 0,
        };
        let window = match left_over(window, pads, image).filter(|_| may_be_left_over) {
            Some(window) => window,
            None => PoolWindow {
                padding: symmetric(a, pads)?,
                ..window
            },
        };
        if is_max {
            if kernel[0] * kernel[1] > PoolWindow::MAX_POSITIONS {
                let most = PoolWindow::MAX_POSITIONS;
                return Err(a.fault(format!("the window has more than {most} pixels")));
            }
            return self.layer(a, Operation::MaxPool2d { window }, vec![x]);
        }
        let operation = if window.padding != [0, 0] {
            Operation::AvgPool2d {
                window,
                count_include_pad,
            }
        } else if kernel == [1, 1] && stride == [1, 1] {
            // As PyTorch writes an adaptive pool where the image has that size: so it does for other sizes.
            Operation::AdaptiveAvgPool2d { output: image }
        } else if kernel == image && kernel[0].min(kernel[1]) > 3 {
            // As networks were written before there were adaptive pools.
            Operation::AdaptiveAvgPool2d { output: [1, 1] }
        } else {
            Operation::AvgPool2d {
                window,
                count_include_pad: true,
            }
        };
        self.layer(a, operation, vec![x])
    }

    /// The padding: above, left, below, right.
    pub(super) fn pads(
        &self,
        a: &Arguments<'_>,
        x: usize,
        extent: [usize; 2],
        stride: [usize; 2],
    ) -> Outcome<[usize; 4]> {
        let auto = a.attributes.text("auto_pad")?.unwrap_or("NOTSET");
        match auto {
            "NOTSET" | "" => {}
            "VALID" => return Ok([0; 4]),
            "SAME_UPPER" | "SAME_LOWER" => {
                let mut pads = [0; 4];
                for side in [0, 1] {
                    let pixels = self.shape_of(x)[side + 1];
                    let results = pixels.div_ceil(stride[side]);
                    let covered = (results - 1) * stride[side] + extent[side];
                    let padding = covered.saturating_sub(pixels);
                    let (less, more) = (padding / 2, padding.div_ceil(2));
                    let (before, after) = if auto == "SAME_UPPER" {
                        (less, more)
                    } else {
                        (more, less)
                    };
                    pads[side] = before;
                    pads[side + 2] = after;
                }
                return Ok(pads);
            }
            other => return Err(a.fault(format!("auto_pad {other:?} is not read"))),
        }
        match a.attributes.ints("pads")? {
            None | Some([]) => Ok([0; 4]),
            Some(&[top, left, bottom, right]) => {
                let size = |value| a.attributes.size("pads", value, 0);
                Ok([size(top)?, size(left)?, size(bottom)?, size(right)?])
            }
            Some(_) => Err(a.fault("pads must be 4 numbers for images")),
        }
    }
}

/// The window with a position for what is left over, where a padding at the end alone makes just that.
fn left_over(window: PoolWindow, pads: [usize; 4], image: [usize; 2]) -> Option<PoolWindow> {
    let ends = [pads[2], pads[3]];
    if ends == window.padding || window.ceil_mode {
        return None;
    }
    let along = |side: usize| {
        let padded = image[side] + window.padding[side] + ends[side];
        Some(padded.checked_sub(window.kernel[side])? / window.stride[side] + 1)
    };
    let whole = PoolWindow {
        ceil_mode: true,
        ..window
    };
    let positions = [along(0)?, along(1)?];
    (ends[0] >= window.padding[0]
        && ends[1] >= window.padding[1]
        && whole.positions(image) == Some(positions))
    .then_some(whole)
}

/// The padding where it is the same on both sides.
fn symmetric(a: &Arguments<'_>, pads: [usize; 4]) -> Outcome<[usize; 2]> {
    let [top, left, bottom, right] = pads;
    if (top, left) != (bottom, right) {
        return Err(a.fault(format!(
            "a padding of {top} above and {bottom} below, {left} left and {right} right is not read: it must be the same \
             on both sides"
        )));
    }
    Ok([top, left])
}
