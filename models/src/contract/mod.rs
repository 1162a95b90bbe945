//! What is written down and read by others. Each thing has one definition, which writers and readers share.
//!
//! | module | what it is |
//! |---|---|
//! | [`event`] | the lines of a run's `events.ndjson` |
//! | [`not_finite`] | values that JSON has no number for |

pub mod event;
#[cfg(test)]
mod event_tests;
pub mod not_finite;

pub use event::{
    Boundary, Epoch, Event, LinearWeights, Normalisation, Reason, Record, Scalars, Score, Started,
    Steps, Test, Which,
};
pub use not_finite::NotFinite;
