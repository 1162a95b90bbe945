//! Training: one loop, its events, its checkpoints.
//!
//! | module | what it is |
//! |---|---|
//! | `event` | what a run tells, and who listens |
//! | `plan` | what a run will do, known before it starts |
//! | `run` | the loop |
//! | `loader` | the batches, made while the step before computes |
//! | `learner`, `optimizer` | one step, one evaluation |
//! | `schedule` | the learning rate of every step |
//! | `progress` | how far a run has come, and which epoch was the best |
//! | `checkpoint` | what is on disk, so that any process may take over at any moment |
//! | `run_paths` | where its files lie |
//! | `film` | a small file an epoch, of what the network looks like |
//! | `boundary` | how the plane is divided, for two-dimensional data |
//! | `measure` | what a run will take, by a few of its steps |
//! | `compute_config` | threads and instructions, which a run that goes on keeps |
//! | `throughput`, `environment` | what is told about speed and surroundings |
//!
//! What always holds: the events of a run that was interrupted any number of times are those of a run that was not,
//! bit for bit, but for times and notes. A run goes on from the checkpoint at hand and tells again what followed it.

mod boundary;
mod checkpoint;
mod compute_config;
mod environment;
mod film;
mod learner;
mod loader;
mod measure;
mod observer;
mod optimizer;
mod plan;
mod progress;
mod run;
mod run_paths;
mod schedule;
mod throughput;

pub use checkpoint::{CheckpointPosition, checkpoint_position, remove_unfinished};
pub(crate) use environment::peak_memory_bytes;
pub use learner::Learner;
pub use measure::{StepTiming, measure};
pub use observer::{Control, Observer};
pub use plan::{Plan, prepare};
pub use run::train;
pub use run_paths::{Record, RunPaths};
pub use schedule::{LrCurve, lr_at};
