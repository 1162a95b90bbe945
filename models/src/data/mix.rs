//! Mixup and CutMix: training on mixtures of two samples and of their classes.
//!
//! Both mix each sample of a batch with the one before it, and the first with the last, as torchvision does: batches are
//! shuffled, so that the neighbour is a random sample. One share serves the whole batch, as in the papers and in
//! torchvision, so that a batch's loss is that of two sets of targets.

use std::ops::Range;

use crate::random::{Generator, Key};
use crate::spec::TrainingSpec;

/// The mixing of a run's batches. Where both are asked for, each batch is mixed by one of them, with equal chances.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mixing {
    /// The alpha of mixup (Zhang et al. 2018, arXiv:1710.09412): weighted means of two samples.
    pub mixup: Option<f64>,
    /// The alpha of CutMix (Yun et al. 2019, arXiv:1905.04899): a rectangle of another image. Images only.
    pub cutmix: Option<f64>,
}

/// How a batch was mixed.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixed {
    /// The class of the other sample of each mixture.
    pub classes: Vec<u32>,
    /// The share of a sample's own class, 0 to 1.
    pub share: f64,
}

impl Mixing {
    /// The mixing that a run asks for.
    pub fn of(training: &TrainingSpec) -> Self {
        Self {
            mixup: training.mixup.as_ref().map(|mixup| mixup.alpha),
            cutmix: training.cutmix.as_ref().map(|cutmix| cutmix.alpha),
        }
    }

    /// Mixes the samples of a batch in place, if the run asks for it. `side` is the size of images; `None` for points.
    ///
    /// The share depends on the seed, the epoch and the number of the batch alone.
    pub fn apply(
        &self,
        (seed, epoch, batch): (u64, u64, u64),
        values: &mut [f32],
        classes: &[u32],
        side: Option<usize>,
    ) -> Option<Mixed> {
        let mut generator = Key::new(seed, &format!("mix {epoch}")).stream(batch);
        let first = generator.below(2) == 0;
        let cutmix = self.cutmix.zip(side);
        let share = match (self.mixup, cutmix) {
            (Some(alpha), None) => mixup(generator.beta(alpha), values, classes.len()),
            (Some(alpha), Some(_)) if first => mixup(generator.beta(alpha), values, classes.len()),
            (_, Some((alpha, side))) => {
                let hole = Hole::draw(&mut generator, alpha, side);
                hole.fill(values, classes.len());
                hole.share()
            }
            (None, None) => return None,
        };
        let mut classes = classes.to_vec();
        if !classes.is_empty() {
            classes.rotate_right(1);
        }
        Some(Mixed { classes, share })
    }
}

/// Makes each sample `share` of itself and the rest of its neighbour.
fn mixup(share: f64, values: &mut [f32], samples: usize) -> f64 {
    let (own, other) = (share as f32, (1.0 - share) as f32);
    with_neighbours(values, samples, |sample, neighbour| {
        for (value, neighbour) in sample.iter_mut().zip(neighbour) {
            *value = *value * own + neighbour * other;
        }
    });
    share
}

/// Calls `mix` with each sample and its neighbour as it was.
fn with_neighbours(values: &mut [f32], samples: usize, mix: impl Fn(&mut [f32], &[f32])) {
    let size = values.len() / samples.max(1);
    if size == 0 {
        return;
    }
    // From the end, so that each neighbour is mixed after it was used; the last is needed once more.
    let last = values[values.len() - size..].to_vec();
    for at in (1..samples).rev() {
        let (before, from) = values.split_at_mut(at * size);
        mix(&mut from[..size], &before[(at - 1) * size..]);
    }
    mix(&mut values[..size], &last);
}

/// The rectangle that CutMix takes from the neighbour, as torchvision draws it.
struct Hole {
    side: usize,
    rows: Range<usize>,
    columns: Range<usize>,
}

impl Hole {
    fn draw(generator: &mut Generator, alpha: f64, side: usize) -> Self {
        let share = generator.beta(alpha);
        let half = (0.5 * (1.0 - share).sqrt() * side as f64) as usize;
        let mut along = || {
            let centre = generator.below(side as u64) as usize;
            centre.saturating_sub(half)..(centre + half).min(side)
        };
        let columns = along();
        Self {
            side,
            rows: along(),
            columns,
        }
    }

    fn fill(&self, values: &mut [f32], samples: usize) {
        with_neighbours(values, samples, |sample, neighbour| {
            let channels = sample.chunks_exact_mut(self.side * self.side);
            for (channel, neighbour) in channels.zip(neighbour.chunks_exact(self.side * self.side))
            {
                for row in self.rows.clone() {
                    let at = row * self.side;
                    let place = at + self.columns.start..at + self.columns.end;
                    channel[place.clone()].copy_from_slice(&neighbour[place]);
                }
            }
        });
    }

    /// The share of an image that stays.
    fn share(&self) -> f64 {
        let hole = self.rows.len() * self.columns.len();
        1.0 - hole as f64 / (self.side * self.side) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXUP: Mixing = Mixing {
        mixup: Some(0.4),
        cutmix: None,
    };
    const CUTMIX: Mixing = Mixing {
        mixup: None,
        cutmix: Some(1.0),
    };

    /// Three images of two channels of 8x8, each of one value, and the classes 5, 6 and 7.
    fn mixed(mixing: Mixing, batch: u64) -> (Vec<f32>, Mixed) {
        let mut values: Vec<f32> = [1.0, 2.0, 3.0]
            .into_iter()
            .flat_map(|value| [value; 128])
            .collect();
        let mixed = mixing.apply((7, 1, batch), &mut values, &[5, 6, 7], Some(8));
        (values, mixed.unwrap())
    }

    #[test]
    fn mixup_takes_the_share_of_a_sample_and_the_rest_of_the_one_before() {
        for batch in 0..50 {
            let (values, Mixed { classes, share }) = mixed(MIXUP, batch);
            assert_eq!(classes, [7, 5, 6]);
            for (image, (own, other)) in [(1.0, 3.0), (2.0, 1.0), (3.0, 2.0)].iter().enumerate() {
                let expected = share * own + (1.0 - share) * other;
                for value in &values[image * 128..(image + 1) * 128] {
                    assert!((f64::from(*value) - expected).abs() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn cutmix_takes_a_rectangle_of_the_image_before_and_the_share_is_what_stays() {
        let mut shares = Vec::new();
        for batch in 0..50 {
            let (values, Mixed { classes, share }) = mixed(CUTMIX, batch);
            assert_eq!(classes, [7, 5, 6]);
            for (image, (own, other)) in [(1.0, 3.0), (2.0, 1.0), (3.0, 2.0)].iter().enumerate() {
                let image = &values[image * 128..(image + 1) * 128];
                assert_eq!(image[..64], image[64..]);
                let stays = image.iter().filter(|value| *value == own).count();
                assert_eq!(stays as f64 / 128.0, share);
                // What does not stay is one rectangle.
                let taken: Vec<_> = (0..64).filter(|at| image[*at] == *other).collect();
                assert_eq!(taken.len() + stays / 2, 64);
                if let (Some(first), Some(last)) = (taken.first(), taken.last()) {
                    let (height, width) = (last / 8 - first / 8 + 1, last % 8 - first % 8 + 1);
                    assert_eq!(height * width, taken.len());
                }
            }
            shares.push(share);
        }
        // Of 8 pixels a rectangle takes at most 6.
        assert!(shares.iter().any(|share| *share < 0.5) && shares.contains(&1.0));
    }

    #[test]
    fn with_both_each_batch_is_mixed_by_one_of_them() {
        let both = Mixing {
            cutmix: CUTMIX.cutmix,
            ..MIXUP
        };
        // Means of two images are none of the three values.
        let means = (0..200).filter(|batch| {
            let (values, Mixed { share, .. }) = mixed(both, *batch);
            (0.01..0.99).contains(&share) && ![1.0, 2.0, 3.0].contains(&values[0])
        });
        assert!((50..150).contains(&means.count()));
    }

    #[test]
    fn a_share_depends_on_seed_epoch_and_batch_alone() {
        let share = |of| MIXUP.apply(of, &mut [0.0; 2], &[0], None).unwrap().share;
        assert_eq!(share((1, 1, 1)), share((1, 1, 1)));
        for other in [(2, 1, 1), (1, 2, 1), (1, 1, 2)] {
            assert_ne!(share((1, 1, 1)), share(other));
        }
    }

    #[test]
    fn points_take_mixup_alone_and_nothing_is_mixed_without_a_request() {
        assert_eq!(CUTMIX.apply((0, 1, 0), &mut [1.0], &[0], None), None);
        assert_eq!(
            Mixing::default().apply((0, 1, 0), &mut [1.0; 64], &[0], Some(8)),
            None
        );
    }
}
