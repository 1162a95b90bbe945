//! Images as bytes: resizing and greyscale conversion.

/// Images of one size, in the layout of the file: image after image `[channels, side, side]`, a byte per value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pixels {
    pub(super) bytes: Vec<u8>,
    pub(super) channels: usize,
    /// Pixels along a side.
    pub(super) side: usize,
    /// The byte that stands for 1.
    pub(super) white: u8,
}

impl Pixels {
    /// Values of one image.
    pub(super) fn size(&self) -> usize {
        self.channels * self.side * self.side
    }

    pub(super) fn image(&self, index: usize) -> &[u8] {
        &self.bytes[index * self.size()..(index + 1) * self.size()]
    }

    /// Converts images of three channels to grey, in place.
    pub(super) fn into_grey(mut self) -> Self {
        if self.channels != 3 {
            return self;
        }
        let pixels_per_channel = self.side * self.side;
        for image in 0..self.bytes.len() / (3 * pixels_per_channel) {
            for at in 0..pixels_per_channel {
                let [red, green, blue] =
                    [0, 1, 2].map(|c| self.bytes[(3 * image + c) * pixels_per_channel + at]);
                self.bytes[image * pixels_per_channel + at] = luma(red, green, blue);
            }
        }
        self.bytes.truncate(self.bytes.len() / 3);
        self.bytes.shrink_to_fit();
        self.channels = 1;
        self
    }
}

/// The luma of a colour, with the weights 0.299, 0.587 and 0.114 of ITU-R BT.601, rounded; the same as Pillow's
/// greyscale.
pub(super) fn luma(red: u8, green: u8, blue: u8) -> u8 {
    ((u32::from(red) * 19_595 + u32::from(green) * 38_470 + u32::from(blue) * 7_471 + 0x8000) >> 16)
        as u8
}

/// Resizes channels bilinearly: pixel centres are at half-integers, and nothing is taken from past the edge. When
/// shrinking, each value is a mean over its area, weighted towards the middle, so that fine patterns do not alias.
/// PyTorch's `interpolate(mode="bilinear", antialias=True)`, and without shrinking also the same without `antialias`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resize {
    across: Axis,
    down: Axis,
}

/// The resizing along one axis.
#[derive(Clone, Debug, PartialEq)]
struct Axis {
    from: usize,
    to: usize,
    /// For each output index, the first input index and the weights from there.
    taps: Vec<(usize, Vec<f32>)>,
}

impl Axis {
    fn new(from: usize, to: usize) -> Self {
        let scale = from as f64 / to as f64;
        let reach = scale.max(1.0);
        let taps = (0..to).map(|place| {
            let centre = (place as f64 + 0.5) * scale;
            let first = (centre - reach).floor().max(0.0) as usize;
            let last = ((centre + reach).ceil() as usize).min(from);
            let weight = |old: usize| (1.0 - (old as f64 + 0.5 - centre).abs() / reach).max(0.0);
            let weights: Vec<f64> = (first..last).map(weight).collect();
            let sum: f64 = weights.iter().sum();
            (first, weights.iter().map(|w| (w / sum) as f32).collect())
        });
        Self {
            from,
            to,
            taps: taps.collect(),
        }
    }
}

impl Resize {
    /// From `from`×`from` values to `to`×`to`.
    pub(crate) fn new(from: usize, to: usize) -> Self {
        Self::between([from; 2], [to; 2])
    }

    /// Between sizes `[width, height]`.
    pub(crate) fn between(from: [usize; 2], to: [usize; 2]) -> Self {
        Self {
            across: Axis::new(from[0], to[0]),
            down: Axis::new(from[1], to[1]),
        }
    }

    /// Resizes one channel, row by row; `along` is scratch memory, reused between calls.
    pub(crate) fn channel(
        &self,
        old: &[impl Copy + Into<f32>],
        along: &mut Vec<f32>,
        new: &mut [f32],
    ) {
        along.clear();
        for row in old.chunks_exact(self.across.from) {
            along.extend(self.across.taps.iter().map(|(first, weights)| {
                let values = row[*first..].iter().map(|v| -> f32 { (*v).into() });
                values
                    .zip(weights)
                    .map(|(value, weight)| value * weight)
                    .sum::<f32>()
            }));
        }
        let width = self.across.to;
        for ((first, weights), row) in self.down.taps.iter().zip(new.chunks_exact_mut(width)) {
            row.fill(0.0);
            for (old, weight) in along[first * width..].chunks_exact(width).zip(weights) {
                row.iter_mut()
                    .zip(old)
                    .for_each(|(sum, value)| *sum += value * weight);
            }
        }
    }
}

/// The nearest byte.
pub(super) fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resized(image: &[f32], from: usize, to: usize) -> Vec<f32> {
        let mut new = vec![0.0; to * to];
        Resize::new(from, to).channel(image, &mut Vec::new(), &mut new);
        new
    }

    fn assert_near(values: &[f32], expected: &[f32]) {
        assert_eq!(values.len(), expected.len());
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-5, "{values:?}");
        }
    }

    // torch.nn.functional.interpolate(torch.arange(9.).reshape(1, 1, 3, 3), size=(n, n), mode="bilinear", antialias=True)
    #[test]
    fn sizes_change_as_in_pytorch() {
        let image: Vec<f32> = (0..9).map(|v| v as f32).collect();
        assert_near(&resized(&image, 3, 2), &[1.5, 2.75, 5.25, 6.5]);
        let larger = resized(&image, 3, 5);
        assert_near(&larger[..5], &[0.0, 0.4, 1.0, 1.6, 2.0]);
        assert_near(&[larger[12], larger[24]], &[4.0, 8.0]);
    }

    // torch.nn.functional.interpolate(torch.arange(8.).reshape(1, 1, 2, 4), size=(3, 2), mode="bilinear", antialias=True)
    #[test]
    fn each_axis_has_its_own_scale() {
        let image: Vec<f32> = (0..8).map(|v| v as f32).collect();
        let mut new = vec![0.0; 6];
        Resize::between([4, 2], [2, 3]).channel(&image, &mut Vec::new(), &mut new);
        assert_near(
            &new,
            &[
                0.714_286, 2.285_714, 2.714_286, 4.285_714, 4.714_286, 6.285_714,
            ],
        );
    }

    #[test]
    fn stripes_too_fine_for_the_new_size_become_their_mean() {
        let stripes: Vec<f32> = (0..64).map(|i| (i % 2) as f32).collect();
        assert!(
            resized(&stripes, 8, 2)
                .iter()
                .all(|v| (v - 0.5).abs() < 0.05)
        );
    }

    #[test]
    fn one_colour_stays_one_colour_at_any_size() {
        for to in [8, 9, 13, 28, 32, 57, 224] {
            assert!(
                resized(&[1.0; 28 * 28], 28, to)
                    .iter()
                    .all(|v| (v - 1.0).abs() < 1e-5),
                "{to}"
            );
        }
    }

    #[test]
    fn colours_become_grey_by_how_light_they_are() {
        let pixels = Pixels {
            bytes: vec![255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9],
            channels: 3,
            side: 1,
            white: 255,
        };
        let grey = pixels.into_grey();
        assert_eq!((grey.bytes, grey.channels), (vec![76, 150, 29, 9], 1));
    }
}
