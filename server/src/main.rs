//! The binary. Everything is in the library beside it, where tests can reach it.

use std::process::ExitCode;

use clap::Parser as _;
use vivarium::{cli::Cli, commands, memory::Allocator};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() -> ExitCode {
    commands::run(Cli::parse())
}
