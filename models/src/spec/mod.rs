//! What a run is asked to do: the settings as types, and the fields that describe them.
//!
//! | module | what it is |
//! |---|---|
//! | `field`, `group` | what a settable value is; values that depend on a choice |
//! | `table` | the values that every run has, and the groups of which a run chooses one |
//! | `recipe`, `transfer` | the groups of augmentation, mixing and averaging; that of a start from weights |
//! | `topic` | what the settings that a form folds away are about |
//! | `value` | checks one value against its field |
//! | `run_spec` | the checked document |
//! | `schema` | its JSON Schema, made from the tables |
//!
//! A setting exists because it stands in a table: the form, the check, the schema and the defaults are read from there
//! and nowhere else. What a network or a data set takes stands in its own row. [`form`](crate::form) checks a document.

mod field;
mod group;
mod recipe;
mod run_spec;
mod schema;
mod table;
mod topic;
mod transfer;
mod value;

pub use field::{Choice, Field, FieldError, FieldKind};
pub use group::{Group, Need, Variant};
pub use run_spec::{
    ClassWeights, DataSpec, EarlyStopping, EmaSpec, Metric, MixSpec, NetworkSpec, OptimizerSpec,
    Resources, RunSpec, Sampling, ScheduleSpec, TrainingSpec, Transfer,
};
pub(crate) use table::{COMMON, CROSS_ENTROPY, GROUPS, literal, literals};
pub(crate) use topic::TOPICS;
pub use topic::{Section, Topic, TopicRow};
