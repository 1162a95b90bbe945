//! The commands of the command line, one file each.

mod bench;
mod data;
mod evaluate;
mod export;
mod find_lr;
mod import;
mod import_events;
mod inspect;
mod measure;
mod predict;
mod serve;
mod train;
mod weights_header;

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use vivarium_models::data::Library;
use vivarium_models::ops;

use crate::cli::{Cli, Command, DataFolder};
use crate::console::{BackgroundWriter, Lossy, notice};
use crate::data_dir::{DataDir, library_of_run};
use crate::error::{Error, Result};
use crate::memory;
use crate::panics;
use crate::priority::enter_background;
use crate::run_dir::worker_log::WorkerLog;
use crate::run_dir::{self, RunDir, RunId};
use crate::worker;

/// Runs the command.
pub fn run(cli: Cli) -> ExitCode {
    // Workers inherit these settings, so impossible ones are refused before one starts.
    if let Err(error) = ops::check_instructions().and_then(|()| ops::reference::check_selection()) {
        notice(format_args!("vivarium: {error}"));
        return ExitCode::FAILURE;
    }
    let command = cli.command.unwrap_or(Command::Serve(cli.serve));
    if !matches!(
        command,
        Command::Serve(_)
            | Command::Data(_)
            | Command::ImportEvents(_)
            | Command::Export(_)
            | Command::Predict(_)
            | Command::Inspect(_)
    ) {
        memory::keep_freed_memory();
    }
    let result = match command {
        Command::Serve(args) => serve::serve(args),
        Command::Train(args) => train::train(args),
        Command::Worker {
            run_dir,
            shared,
            background,
        } => {
            if background {
                enter_background();
            }
            return work(&run_dir, shared);
        }
        Command::Data(args) => data::data(args),
        Command::Import(args) => import::import(&args),
        Command::ImportEvents(args) => import_events::import_events(args),
        Command::Predict(args) => predict::predict(&args),
        Command::Export(args) => export::export(&args),
        Command::Inspect(args) => inspect::inspect(args),
        Command::Bench(args) => bench::bench(&args),
        Command::Measure => measure::measure(),
        Command::FindLr => find_lr::find_lr(),
        Command::Evaluate => evaluate::evaluate(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            notice(format_args!("vivarium: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// `worker`: logs to the run's directory, and reports the outcome by the exit status.
fn work(path: &Path, shared: bool) -> ExitCode {
    let log = match WorkerLog::open(&RunDir::at(path).worker_log()) {
        Ok(log) => log,
        Err(error) => {
            notice(format_args!("vivarium: {error}"));
            return ExitCode::FAILURE;
        }
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter())
        .with_ansi(false)
        .log_internal_errors(false)
        .with_writer(move || Lossy(log.clone()))
        .init();
    panics::log_panics();
    match worker::run(path, shared) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            tracing::error!(%error, "the worker failed");
            // If a server started this, standard error is the log.
            if std::io::stderr().is_terminal() {
                notice(format_args!("vivarium: {error}"));
            }
            let held = matches!(error, Error::Locked { .. });
            if held {
                ExitCode::from(worker::HELD_BY_ANOTHER)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// A run by its id, the beginning of the id, or its directory; returns the data sets beside it, too.
fn find_run(run: &str, data: &DataFolder) -> Result<(RunId, RunDir, Library)> {
    let path = Path::new(run);
    if path.is_dir() {
        let name = path.canonicalize().map_err(|e| Error::file(path, e))?;
        let name = name.file_name().and_then(|name| name.to_str());
        let id = name
            .and_then(|name| name.parse().ok())
            .unwrap_or_else(RunId::next);
        return Ok((id, RunDir::at(path), library_of_run(path)));
    }
    let data = DataDir::open(data.data_dir.clone())?;
    let runs = run_dir::list(&data.runs())?;
    let mut found = runs
        .into_iter()
        .filter(|id| id.to_string().starts_with(run));
    match (found.next(), found.next()) {
        (Some(id), None) => Ok((id, RunDir::of(&data.runs(), id), data.library())),
        (None, _) => Err(Error::NotFound(format!(
            "run “{run}” in {}",
            data.runs().display()
        ))),
        (Some(first), Some(second)) => Err(Error::Usage(format!(
            "“{run}” is the beginning of more than one run: {first}, {second}"
        ))),
    }
}

/// Logs to standard error; `RUST_LOG` sets the level. Returns the writer, to flush it at the end.
fn log_to_stderr() -> Result<BackgroundWriter> {
    let log = BackgroundWriter::start(std::io::stderr())
        .map_err(|e| Error::system("cannot start a thread", e))?;
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_env_filter(filter())
        .with_ansi(std::io::stderr().is_terminal())
        .log_internal_errors(false)
        .with_writer(move || writer.clone())
        .init();
    panics::log_panics();
    Ok(log)
}

fn filter() -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"))
}

/// Prints a result to standard output. A reader that has closed the pipe, as `head` does, is no error.
fn print(line: &str) -> Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if !nobody_reads(&error) => {
            Err(Error::system("cannot write to standard output", error))
        }
        _ => Ok(()),
    }
}

/// Prints a line for another process, which may be gone.
fn told(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}

/// Whether the reader of a pipe is gone, or the terminal was closed.
fn nobody_reads(error: &std::io::Error) -> bool {
    let closed = rustix::io::Errno::IO.raw_os_error();
    error.kind() == std::io::ErrorKind::BrokenPipe || error.raw_os_error() == Some(closed)
}
