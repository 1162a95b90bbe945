//! The server with a real Slurm: a controller and three nodes on this machine. Where that is not possible, the tests
//! are counted as ignored, and the reason is printed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

#[path = "../server/support.rs"]
#[allow(dead_code, reason = "the other tests use more of it")]
mod support;

mod cluster;
mod tests;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They share the machine's two cores and a cluster each.
    arguments.test_threads.get_or_insert(1);
    let missing = cluster::why_not();
    if let Some(reason) = &missing {
        eprintln!("The tests with Slurm are skipped: {reason}.");
    }
    let trials = tests::ALL.iter().map(|&(name, test)| {
        let run = move || {
            test();
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(missing.is_some())
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
