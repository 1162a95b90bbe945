//! The binary. Everything is in the library beside it, where tests can reach it.

use std::process::ExitCode;

use clap::Parser as _;
use vivarium::{cli::Cli, commands};

/// The system's allocator gives large buffers back at each step and takes them again, which
/// costs more than the arithmetic on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    commands::run(Cli::parse())
}
