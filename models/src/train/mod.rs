//! Training: one loop, its events, its checkpoints.
//!
//! | module | what it is |
//! |---|---|
//! | `event` | events of a run, and their observer |
//! | `plan` | facts about a run, known before it starts |
//! | `preparation` | photos that are brought to the size of a run before it starts |
//! | `run` | the loop |
//! | `loader` | the data loader, which makes batches in the background |
//! | `learner`, `optimizer`, `ema` | one step, the average of the weights, one evaluation |
//! | `features` | what frozen layers make of the samples, computed once |
//! | `scores` | the scores of a network for a split |
//! | `evaluator` | a checkpoint of a run, to evaluate it later |
//! | `lr_finder` | a short rise of the learning rate, and the rate that it suggests |
//! | `class_weights` | what each class counts in the loss |
//! | `schedule` | the learning rate of every step |
//! | `progress` | the progress of a run, and its best epoch |
//! | `checkpoint` | checkpoints, from which another process can resume at any time |
//! | `run_paths` | paths of a run's files |
//! | `film` | a small file per epoch that shows the network |
//! | `boundary` | decision boundaries of two-dimensional data |
//! | `linear` | the weights of a network of one linear layer |
//! | `updates` | the updates of a perceptron in an epoch, computed again |
//! | `measure` | time and memory of a run, estimated from a few steps |
//! | `compute_config` | threads and instructions, which a resumed run keeps |
//! | `throughput`, `environment` | samples per second; processor and memory |
//!
//! The invariant: however often a run is interrupted, its events equal those of an uninterrupted run, bit for bit,
//! except for times and notes. A resumed run starts from a checkpoint and repeats the events that followed it.

mod boundary;
mod checkpoint;
mod class_weights;
mod compute_config;
mod ema;
mod environment;
mod evaluator;
mod features;
mod film;
mod learner;
mod linear;
mod loader;
mod lr_finder;
mod measure;
mod observer;
mod optimizer;
mod plan;
mod preparation;
mod progress;
mod run;
mod run_paths;
mod schedule;
mod scores;
mod throughput;
mod updates;

pub use checkpoint::{CheckpointPosition, checkpoint_position, remove_unfinished};
pub(crate) use environment::peak_memory_bytes;
pub use evaluator::Evaluator;
pub use learner::Learner;
pub use lr_finder::{LrFinderStep, LrSuggestion, find_lr};
pub use measure::{StepTiming, measure};
pub use observer::{Control, Observer};
pub use plan::{Plan, prepare};
pub use run::train;
pub use run_paths::{Record, RunPaths};
pub use schedule::{LrCurve, lr_at};
pub use updates::{
    EpochUpdates, Mistake, RecordedWeights, Update, epoch_updates, needs_start_of_run,
};
