//! Random numbers that depend only on a key: not on the order of calls, not on threads, not on interruptions of a run.
//! So a checkpoint needs no random state.

mod box_muller;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

/// A key for a sequence of random numbers: a seed and a purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of a seed and a purpose, such as `init net.0.weight`. Different purposes give unrelated numbers.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"vivarium/1/");
        hash.update(seed.to_le_bytes());
        hash.update(purpose.as_bytes());
        Self(hash.finalize().into())
    }

    /// The key's sequence, from its beginning.
    pub fn generator(&self) -> Generator {
        Generator(ChaCha8Rng::from_seed(self.0))
    }

    /// One of the key's 2⁶⁴ sequences, from its beginning. Sequences do not overlap.
    pub fn stream(&self, stream: u64) -> Generator {
        let mut generator = self.generator();
        generator.0.set_stream(stream);
        generator
    }

    /// The first 64 bits of the key, for counter-based hashing.
    pub fn bits(&self) -> u64 {
        let mut bits = [0; 8];
        bits.copy_from_slice(&self.0[..8]);
        u64::from_le_bytes(bits)
    }

    /// Fills a slice from a function of the generator. Each part of the slice has its own stream of the key, so the
    /// result does not depend on the number of threads.
    pub fn fill(&self, values: &mut [f32], draw: impl Fn(&mut Generator) -> f64 + Sync) {
        self.fill_parts(values, |generator, part| {
            part.iter_mut()
                .for_each(|value| *value = draw(generator) as f32);
        });
    }

    /// Fills a slice with normal numbers of mean 0 and this standard deviation: those of [`Key::fill`] with
    /// [`Generator::normal`], in a third of the time.
    pub fn fill_normal(&self, values: &mut [f32], std: f64) {
        self.fill_parts(values, |generator, part| generator.fill_normal(part, std));
    }

    fn fill_parts(&self, values: &mut [f32], draw: impl Fn(&mut Generator, &mut [f32]) + Sync) {
        const PART: usize = 1 << 14;
        let fill =
            |(stream, part): (usize, &mut [f32])| draw(&mut self.stream(stream as u64), part);
        if values.len() <= PART {
            values.chunks_mut(PART).enumerate().for_each(fill);
        } else {
            values.par_chunks_mut(PART).enumerate().for_each(fill);
        }
    }
}

/// A sequence of random numbers (ChaCha with 8 rounds).
#[derive(Clone, Debug)]
pub struct Generator(ChaCha8Rng);

impl Generator {
    /// A uniform number in [0, 1), a multiple of 2⁻⁵³.
    pub fn unit(&mut self) -> f64 {
        unit(self.0.next_u64())
    }

    /// A uniform number in [low, high).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A normal number with mean 0 and standard deviation 1 (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        box_muller::normal(self.unit(), self.unit())
    }

    /// Fills a slice with [`Generator::normal`] times `std`. The uniform numbers of a batch come first, so that the
    /// compiler makes vector instructions of the rest.
    fn fill_normal(&mut self, values: &mut [f32], std: f64) {
        const BATCH: usize = 256;
        let (mut first, mut second) = ([0.0; BATCH], [0.0; BATCH]);
        let mut bytes = [0; 16 * BATCH];
        for batch in values.chunks_mut(BATCH) {
            let bytes = &mut bytes[..16 * batch.len()];
            self.0.fill_bytes(bytes);
            let uniform = first.iter_mut().zip(&mut second);
            for ((first, second), bytes) in uniform.zip(bytes.as_chunks().0) {
                let bits = u128::from_le_bytes(*bytes);
                (*first, *second) = (unit(bits as u64), unit((bits >> 64) as u64));
            }
            for ((value, first), second) in batch.iter_mut().zip(&first).zip(&second) {
                *value = (std * box_muller::normal(*first, *second)) as f32;
            }
        }
    }

    /// A number of the gamma distribution of this shape and scale 1 (Marsaglia and Tsang 2000).
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let uniform = 1.0 - self.unit();
            return self.gamma(shape + 1.0) * uniform.powf(1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let normal = self.normal();
            let v = (1.0 + c * normal).powi(3);
            let uniform = 1.0 - self.unit();
            if v > 0.0 && uniform.ln() < 0.5 * normal * normal + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    /// A number of the beta distribution whose parameters are both `alpha`; between 0 and 1, with the mean 0.5.
    pub fn beta(&mut self, alpha: f64) -> f64 {
        let (first, second) = (self.gamma(alpha), self.gamma(alpha));
        if first + second > 0.0 {
            first / (first + second)
        } else {
            // For an alpha so small that both are below the least number, the distribution is 0 or 1.
            self.below(2) as f64
        }
    }

    /// A uniform integer in 0..n (Lemire 2019); 0 for n = 0.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        let rejected = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.0.next_u64()) * u128::from(n);
            if product as u64 >= rejected {
                return (product >> 64) as u64;
            }
        }
    }

    /// Shuffles a slice; every order is equally likely (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

/// 64 random bits as a uniform number in [0, 1), a multiple of 2⁻⁵³.
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_are_the_same_one_by_one_and_in_batches() {
        let key = Key::new(7, "test");
        for len in [0, 1, 255, 257, (1 << 14) + 300] {
            let (mut one_by_one, mut batches) = (vec![0.0; len], vec![0.0; len]);
            key.fill(&mut one_by_one, |generator| 0.02 * generator.normal());
            key.fill_normal(&mut batches, 0.02);
            assert_eq!(one_by_one, batches);
        }
    }

    #[test]
    fn a_key_gives_the_same_numbers_again_and_another_key_others() {
        let draw = |seed, purpose| {
            let mut generator = Key::new(seed, purpose).generator();
            [generator.unit(), generator.normal(), generator.unit()]
        };
        assert_eq!(draw(1, "order 1"), draw(1, "order 1"));
        assert_ne!(draw(1, "order 1"), draw(1, "order 2"));
        assert_ne!(draw(1, "order 1"), draw(2, "order 1"));
    }

    #[test]
    fn normal_numbers_have_the_moments_of_the_normal_distribution() {
        let mut values = vec![0.0; 200_000];
        Key::new(7, "test").fill(&mut values, Generator::normal);
        let n = values.len() as f64;
        let moment = |k: i32| values.iter().map(|v| f64::from(*v).powi(k)).sum::<f64>() / n;
        assert!(moment(1).abs() < 0.01, "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.02, "{}", moment(2));
        assert!(moment(3).abs() < 0.05, "{}", moment(3));
        assert!((moment(4) - 3.0).abs() < 0.1, "{}", moment(4));
    }

    #[test]
    fn beta_numbers_have_the_moments_of_the_beta_distribution() {
        for alpha in [0.2, 1.0, 4.0] {
            let mut generator = Key::new(7, "beta").generator();
            let values: Vec<_> = (0..100_000).map(|_| generator.beta(alpha)).collect();
            assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 0.005, "{alpha}: {mean}");
            assert!(
                (variance / expected - 1.0).abs() < 0.02,
                "{alpha}: {variance}"
            );
        }
        let mut generator = Key::new(7, "tiny").generator();
        let ends: Vec<_> = (0..100).map(|_| generator.beta(1e-4)).collect();
        assert!(ends.contains(&0.0) && ends.contains(&1.0), "{ends:?}");
    }

    #[test]
    fn every_order_of_three_comes_equally_often() {
        let mut generator = Key::new(3, "orders").generator();
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..6000 {
            let mut items = [0, 1, 2];
            generator.shuffle(&mut items);
            *counts.entry(items).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(
            counts.values().all(|n| (900..1100).contains(n)),
            "{counts:?}"
        );
    }
}
