//! What a run is asked to do.
//!
//! [`field`] says what a settable value is, [`table`] lists them, [`check`](mod@check) holds a JSON document against the
//! table (`value` each field by itself, `rules` fields against each other) and gives a [`RunSpec`], [`form`](mod@form) gives the same table to the browser. A setting exists because it
//! stands in a table: the form, the check and the defaults are read from there and nowhere else.

mod check;
mod field;
mod form;
mod rules;
mod run_spec;
mod table;
mod value;

pub use check::check;
pub(crate) use check::check_network;
pub use field::{Choice, Field, FieldError, FieldKind};
pub use form::{FormDataSet, FormNetwork, FormTable, form};
pub use run_spec::{
    DataSpec, EarlyStopping, Metric, NetworkSpec, OptimizerSpec, RunSpec, ScheduleSpec,
    TrainingSpec,
};
pub use table::{Group, Variant};
