//! The names of frames: by the epochs done, and within the first epoch by the steps done.

use std::fmt;
use std::str::FromStr;

/// Names a frame of a film, in the order of training: one before the first step, a few within the first epoch, then one
/// after each epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameName {
    /// So many whole epochs done; 0 before the first step.
    Epoch(u64),
    /// So many steps of the first epoch done.
    Step(u64),
}

impl FrameName {
    /// The name of the frame at a position of training: whole epochs and steps done.
    pub fn at(epoch: u64, step: u64) -> Self {
        match epoch {
            0 if step > 0 => Self::Step(step),
            _ => Self::Epoch(epoch),
        }
    }

    /// The order in a film: whole epochs, then steps of the first.
    fn position(self) -> (u64, u64) {
        match self {
            Self::Epoch(epoch) => (epoch, 0),
            Self::Step(step) => (0, step),
        }
    }
}

impl From<u64> for FrameName {
    fn from(epoch: u64) -> Self {
        Self::Epoch(epoch)
    }
}

impl Ord for FrameName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.position().cmp(&other.position())
    }
}

impl PartialOrd for FrameName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// As requests name it: `12` or `step-8`.
impl fmt::Display for FrameName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Epoch(epoch) => write!(f, "{epoch}"),
            Self::Step(step) => write!(f, "step-{step}"),
        }
    }
}

impl FromStr for FrameName {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("step-") {
            Some(step) => step.parse().map(Self::Step),
            None => text.parse().map(Self::Epoch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written_and_are_in_the_order_of_training() {
        let names = ["0", "step-1", "step-8", "1", "2", "10"];
        let read = names.map(|name| name.parse::<FrameName>().unwrap());
        assert_eq!(read.map(|name| name.to_string()), names);
        assert!(read.is_sorted());
        assert_eq!(FrameName::at(0, 0), read[0]);
        assert_eq!(FrameName::at(0, 8), read[2]);
        assert_eq!(FrameName::at(2, 40), read[4]);
        for wrong in ["", "step-", "step", "-1", "1.5", "best", "step-x"] {
            assert!(wrong.parse::<FrameName>().is_err(), "{wrong}");
        }
    }
}
