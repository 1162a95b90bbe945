//! What a run is asked to do: the settings as types, and the fields that describe them.
//!
//! | module | what it is |
//! |---|---|
//! | `field` | what a settable value is |
//! | `table` | the values that every run has, and the groups of which a run chooses one |
//! | `value` | checks one value against its field |
//! | `run_spec` | the checked document |
//! | `schema` | its JSON Schema, made from the tables |
//!
//! A setting exists because it stands in a table: the form, the check, the schema and the defaults are read from there
//! and nowhere else. What a network or a data set takes stands in its own row. [`form`](crate::form) checks a document.

mod field;
mod run_spec;
mod schema;
mod table;
mod value;

pub use field::{Choice, Field, FieldError, FieldKind};
pub use run_spec::{
    DataSpec, EarlyStopping, Metric, NetworkSpec, OptimizerSpec, Resources, RunSpec, ScheduleSpec,
    TrainingSpec,
};
pub(crate) use table::{COMMON, CROSS_ENTROPY, GROUPS, literal, literals};
pub use table::{Group, Variant};
