//! Networks that users wrote: one text each, `<data-dir>/networks/<name>.py`.
//!
//! A RunSpec names a network. Where the name is that of a user's text, [`OwnNetworks::complete`] adds the text, so that a
//! run depends on what the text was when the run was created.
//!
//! `store`: the folder of the texts; `file`: one of its files. `spec_text`: adds a text to a RunSpec. `argument`: the network
//! that a command line names. `import`: networks from files of other programs.

mod argument;
mod file;
mod import;
mod spec_text;
mod store;

pub use argument::{of_argument, with_file};
pub use import::{Import, ImportedNetwork};
pub use spec_text::add_text;
pub use store::{OwnNetwork, OwnNetworks, Precondition, check_name};
