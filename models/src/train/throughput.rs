//! The recent training speed.

use std::time::Duration;

/// The window of the average: long enough to even out single steps, short enough to follow changes.
const WINDOW: Duration = Duration::from_millis(500);

/// Samples per second over a recent window; time between steps does not count.
#[derive(Clone, Debug, Default)]
pub(super) struct Throughput {
    samples: u64,
    time: Duration,
    /// The rate of the last complete window.
    last: Option<f64>,
}

impl Throughput {
    /// Adds a step.
    pub(super) fn add(&mut self, samples: u64, time: Duration) {
        if self.time >= WINDOW {
            self.last = Some(self.now());
            (self.samples, self.time) = (0, Duration::ZERO);
        }
        self.samples += samples;
        self.time += time;
    }

    /// Samples per second in the last complete window, or so far in the first.
    pub(super) fn per_second(&self) -> f64 {
        self.last.unwrap_or_else(|| self.now())
    }

    fn now(&self) -> f64 {
        let seconds = self.time.as_secs_f64();
        if seconds > 0.0 {
            self.samples as f64 / seconds
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_follows_a_change_after_a_window() {
        let mut rate = Throughput::default();
        assert_eq!(rate.per_second(), 0.0);
        rate.add(10, Duration::from_millis(100));
        assert_eq!(rate.per_second(), 100.0);
        for _ in 0..20 {
            rate.add(10, Duration::from_millis(200));
        }
        assert_eq!(rate.per_second(), 50.0);
    }
}
