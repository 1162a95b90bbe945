//! The binary, from outside: real processes, real HTTP, real workers, tiny data sets.

mod command_line;
mod crash;
mod events;
mod guard;
mod runs;
mod settings;
mod storm;
mod support;
