//! The table of runs.
//!
//! | module | what it is |
//! |---|---|
//! | `status` | the status of a run |
//! | `run` | a run as the API returns it |
//! | `rows` | reads runs from their rows |
//! | `lookups` | ids, keys and counts |
//! | `changes` | what changed after a place in the order of changes |
//! | `places` | how far the log of each run is indexed |
//! | `insertion` | new rows, and rows that are written again from their directories |
//! | `transitions` | changes of status, and the queue |
//! | `progress` | what further events change in a row |
//!
//! Deletion is in [`removal`](super::removal), labels are in [`run_labels`](super::run_labels).

mod changes;
mod insertion;
mod lookups;
mod places;
mod progress;
mod rows;
mod run;
mod status;
mod transitions;

pub use changes::{ChangePlace, Changes, changed_since, count_changed, last_change};
pub use insertion::{NewRun, insert, mend, set_spec};
pub(super) use lookups::id_of;
pub use lookups::{
    SweepCount, active, all_ids, count, count_by_sweep, count_by_version, count_in, exists,
    ids_of_sweep, is_known, key, queued_without_events, recorded_spec, without_curves,
};
pub(super) use places::place_of;
pub use places::{place_of_run, places, places_after, places_to_resume};
pub use progress::set_progress;
pub(super) use progress::{set_curves, set_made};
pub use rows::{Read, find, get, named, of_sweep, unfinished, with_keys};
pub use run::Run;
pub use status::Status;
pub use transitions::{enqueue, set_running, set_status, set_stopping, set_training, set_waiting};
