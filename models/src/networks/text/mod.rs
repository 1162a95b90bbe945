//! Networks as texts in Python's syntax.
//!
//! | module | what it is |
//! |---|---|
//! | `network_text` | a text that was read, and the graph of its network |
//! | `description` | what a text says about its network: title, options, defaults, loss, inputs, weights |
//! | `error` | what is wrong with a text, and where |
//! | `value` | the values of a text: numbers, strings, lists, functions, modules |
//! | `arguments` | the arguments of a call, bound to parameters |
//! | `modules` | modules as in PyTorch |
//! | `options` | `option(…)`: the options of a network, which are the fields of a form |
//! | `builtins` | the other functions of the language, and methods |
//! | `language` | the words of the language with their help, for editors |
//! | `interpreter` | runs the text |
//! | `operators` | operators on values |
//! | `python` | values as Python writes them |
//! | `tree` | the graph of a tree of modules |
//! | `depth` | the bound of nesting |
//!
//! The last function of a text is the network. It returns a module. Its parameters are the network's options, but for
//! `classes`, which is the number of classes. The text's first string is the title, and below it a summary.

mod arguments;
mod builtins;
mod depth;
mod description;
mod error;
mod interpreter;
mod language;
mod modules;
mod network_text;
mod operators;
mod options;
mod python;
mod tree;
mod value;

pub use description::is_weights_file;
pub use error::TextError;
pub use language::{LANGUAGE, Language, Word};
pub use network_text::{MAX_SOURCE, NetworkText};
