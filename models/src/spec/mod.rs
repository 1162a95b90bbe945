//! What a run is asked to do.
//!
//! | module | what it is |
//! |---|---|
//! | `field` | what a settable value is |
//! | `table` | the values that every run has, and the groups of which a run chooses one |
//! | `check` | holds a document against the tables: `value` each field by itself, `rules` fields against each other |
//! | `run_spec` | the document, checked |
//! | `form` | the same tables for the browser |
//!
//! A setting exists because it stands in a table: the form, the check and the defaults are read from there and nowhere
//! else. What a network or a data set takes stands in its own row.

mod check;
mod field;
mod form;
mod rules;
mod run_spec;
mod table;
mod value;

pub use check::check;
pub(crate) use check::{check_network, literals};
pub use field::{Choice, Field, FieldError, FieldKind};
pub use form::{FormNetwork, FormTable, form};
pub use run_spec::{
    DataSpec, EarlyStopping, Metric, NetworkSpec, OptimizerSpec, RunSpec, ScheduleSpec,
    TrainingSpec,
};
pub use table::{Group, Variant};
