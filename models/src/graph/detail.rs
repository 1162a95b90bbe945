//! The settings of an operation in a few words, for pictures.

use super::Operation;
use crate::ops::PoolWindow;

impl Operation {
    /// The settings that tell the operation from others of its name, such as `3×3, stride 2`; empty where there are none.
    pub fn detail(&self) -> String {
        let mut words = Vec::new();
        match self {
            Self::Conv2d {
                kernel,
                stride,
                dilation,
                groups,
                ..
            } => {
                words.push(sides(*kernel));
                words.extend(unless("stride", *stride, [1, 1]));
                words.extend(unless("dilation", *dilation, [1, 1]));
                if *groups > 1 {
                    words.push(format!("{groups} groups"));
                }
            }
            Self::MaxPool2d { window } | Self::AvgPool2d { window, .. } => {
                let PoolWindow { kernel, stride, .. } = window;
                words.push(sides(*kernel));
                words.extend(unless("stride", *stride, *kernel));
            }
            Self::AdaptiveAvgPool2d { output } => words.push(format!("to {}", sides(*output))),
            Self::Dropout { p } => words.push(format!("p {p}")),
            Self::Hardtanh { min, max } => words.push(format!("{min} to {max}")),
            _ => {}
        }
        words.join(", ")
    }
}

fn sides([height, width]: [usize; 2]) -> String {
    format!("{height}×{width}")
}

/// A setting, unless it is the usual one.
fn unless(name: &str, value: [usize; 2], usual: [usize; 2]) -> Option<String> {
    match value {
        _ if value == usual => None,
        [height, width] if height == width => Some(format!("{name} {height}")),
        _ => Some(format!("{name} {}", sides(value))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_told_where_they_are_not_the_usual_ones() {
        let conv = |kernel, stride, groups| Operation::Conv2d {
            out_channels: 8,
            kernel,
            stride,
            padding: [0, 0],
            dilation: [1, 1],
            groups,
            bias: true,
            init: None,
        };
        assert_eq!(conv([3, 3], [1, 1], 1).detail(), "3×3");
        assert_eq!(conv([1, 7], [2, 2], 8).detail(), "1×7, stride 2, 8 groups");
        let pool = |stride| Operation::MaxPool2d {
            window: PoolWindow::square(3, stride, 1),
        };
        assert_eq!(pool(3).detail(), "3×3");
        assert_eq!(pool(2).detail(), "3×3, stride 2");
        assert_eq!(Operation::Flatten.detail(), "");
    }
}
