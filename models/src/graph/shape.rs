//! Shapes of results.

use super::Operation;

/// Why an operation does not take inputs of certain shapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeError {
    /// The reason, in a sentence.
    pub message: String,
    /// Whether a larger image would do.
    pub is_too_small: bool,
}

impl ShapeError {
    fn new(message: String) -> Self {
        Self {
            message,
            is_too_small: false,
        }
    }

    fn too_small(message: String) -> Self {
        Self {
            message,
            is_too_small: true,
        }
    }
}

/// A shape as text: `64x32x32`.
pub(super) fn display(shape: &[usize]) -> String {
    let sides: Vec<_> = shape.iter().map(usize::to_string).collect();
    sides.join("x")
}

impl Operation {
    /// The shape of the result for one sample.
    pub(super) fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, ShapeError> {
        let name = self.name();
        match self {
            Self::Sum => return sum(inputs),
            Self::Mul => return product(inputs),
            Self::Concat => return concat(inputs),
            _ => {}
        }
        let [input] = inputs else {
            let message = format!("{name} takes one input, not {}", inputs.len());
            return Err(ShapeError::new(message));
        };
        let image = || match **input {
            [channels, height, width] => Ok([channels, height, width]),
            _ => Err(ShapeError::new(format!(
                "{name} takes images, not {} values",
                display(input)
            ))),
        };
        let values = || match **input {
            [values] => Ok(values),
            _ => Err(ShapeError::new(format!(
                "{name} takes values, not images of {}: put Flatten() before it",
                display(input)
            ))),
        };
        match self {
            Self::Conv2d {
                out_channels,
                kernel,
                stride,
                padding,
                dilation,
                groups,
                ..
            } => {
                let [channels, height, width] = image()?;
                if *groups == 0
                    || !channels.is_multiple_of(*groups)
                    || !out_channels.is_multiple_of(*groups)
                {
                    let message = format!(
                        "{groups} groups divide neither evenly: {channels} input channels, {out_channels} output \
                         channels"
                    );
                    return Err(ShapeError::new(message));
                }
                let extent = [0, 1].map(|side| {
                    let taps = kernel[side].saturating_sub(1);
                    taps.saturating_mul(dilation[side]).saturating_add(1)
                });
                let height = positions(height, extent[0], stride[0], padding[0]);
                let width = positions(width, extent[1], stride[1], padding[1]);
                match (height, width) {
                    (Some(height), Some(width)) => Ok(vec![*out_channels, height, width]),
                    _ => Err(does_not_fit(name, extent, input)),
                }
            }
            Self::MaxPool2d { window } | Self::AvgPool2d { window, .. } => {
                let [channels, height, width] = image()?;
                match window.positions([height, width]) {
                    Some([height, width]) => Ok(vec![channels, height, width]),
                    None => Err(does_not_fit(name, window.kernel, input)),
                }
            }
            Self::AdaptiveAvgPool2d { output } => {
                let [channels, ..] = image()?;
                Ok(vec![channels, output[0], output[1]])
            }
            Self::Mean => Ok(vec![image()?[0]]),
            Self::Flatten => {
                let len = input
                    .iter()
                    .try_fold(1usize, |len, side| len.checked_mul(*side));
                len.map(|len| vec![len]).ok_or_else(|| {
                    ShapeError::new(format!("{} values are too many", display(input)))
                })
            }
            Self::Linear { out_features, .. } => values().map(|_| vec![*out_features]),
            Self::ZeroPad1d { padding } => {
                let padded = values()?
                    .saturating_add(padding[0])
                    .saturating_add(padding[1]);
                Ok(vec![padded])
            }
            Self::ZeroPad2d {
                padding: [left, right, top, bottom],
            } => {
                let [channels, height, width] = image()?;
                let padded = |side: usize, a: usize, b: usize| {
                    side.checked_add(a).and_then(|sum| sum.checked_add(b))
                };
                match (padded(height, *top, *bottom), padded(width, *left, *right)) {
                    (Some(height), Some(width)) => Ok(vec![channels, height, width]),
                    _ => Err(ShapeError::new(format!("{name} pads by too many pixels"))),
                }
            }
            Self::Input
            | Self::BatchNorm { .. }
            | Self::Activation { .. }
            | Self::Hardtanh { .. }
            | Self::Dropout { .. }
            | Self::Identity => Ok(input.to_vec()),
            Self::Sum | Self::Mul | Self::Concat => unreachable!("answered above"),
        }
    }
}

fn does_not_fit(name: &str, kernel: [usize; 2], input: &[usize]) -> ShapeError {
    ShapeError::too_small(format!(
        "the kernel of {name}, {}, does not fit an image of {}",
        display(&kernel),
        display(&input[1..])
    ))
}

/// The number of positions of a window along a side.
fn positions(side: usize, kernel: usize, stride: usize, padding: usize) -> Option<usize> {
    let padded = side.checked_add(padding.checked_mul(2)?)?;
    padded
        .checked_sub(kernel)?
        .checked_div(stride)?
        .checked_add(1)
}

fn sum(inputs: &[&[usize]]) -> Result<Vec<usize>, ShapeError> {
    let Some((first, rest)) = inputs.split_first() else {
        return Err(ShapeError::new("Sum takes at least one branch".to_owned()));
    };
    match rest.iter().find(|other| *other != first) {
        None => Ok(first.to_vec()),
        Some(other) => Err(ShapeError::new(format!(
            "the branches of a Sum give the same shape, not {} and {}",
            display(first),
            display(other)
        ))),
    }
}

/// The largest of the shapes. The others are the same, or have one value for each channel.
fn product(inputs: &[&[usize]]) -> Result<Vec<usize>, ShapeError> {
    let len = |shape: &&&[usize]| {
        shape
            .iter()
            .fold(1usize, |len, side| len.saturating_mul(*side))
    };
    let Some(largest) = inputs.iter().rev().max_by_key(len) else {
        return Err(ShapeError::new("Mul takes at least one branch".to_owned()));
    };
    let fits = |shape: &&&[usize]| {
        *shape == largest || (largest.len() == 3 && **shape == [largest[0], 1, 1])
    };
    match inputs.iter().find(|shape| !fits(shape)) {
        None => Ok(largest.to_vec()),
        Some(other) => Err(ShapeError::new(format!(
            "the branches of a Mul give the same shape, or one value for each channel ({}x1x1 for {}), not {}",
            largest[0],
            display(largest),
            display(other)
        ))),
    }
}

fn concat(inputs: &[&[usize]]) -> Result<Vec<usize>, ShapeError> {
    let Some((first, rest)) = inputs.split_first() else {
        return Err(ShapeError::new(
            "Concat takes at least one branch".to_owned(),
        ));
    };
    let same_image = |other: &&&[usize]| other.len() == first.len() && other[1..] == first[1..];
    if let Some(other) = rest.iter().find(|other| !same_image(other)) {
        return Err(ShapeError::new(format!(
            "the branches of a Concat give images of the same height and width, not {} and {}",
            display(first),
            display(other)
        )));
    }
    let channels = inputs
        .iter()
        .fold(0usize, |sum, input| sum.saturating_add(input[0]));
    Ok([&[channels], &first[1..]].concat())
}
