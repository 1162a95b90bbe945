//! The form of a run: the fields that its settings have, their defaults, and the check of a document.
//!
//! | module | what it is |
//! |---|---|
//! | `check` | checks a document against the tables, and fills in defaults |
//! | `defaults` | checks the defaults in a network's text |
//! | `rules` | checks fields against each other |
//! | `table` | the fields of all networks and data sets, as the browser's form reads them |
//!
//! [`spec`](crate::spec) has the types and the fields of every run; the fields of a network or a data set are in its
//! row.

mod check;
mod defaults;
mod rules;
mod table;

pub use check::check;
pub(crate) use check::check_network;
pub use defaults::check_defaults;
pub use table::{FormNetwork, FormTable, table};
