//! Python programs that hold files and numbers against PyTorch and onnxruntime.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The program, or another one by `VIVARIUM_PYTHON`.
fn python() -> PathBuf {
    let chosen = std::env::var_os("VIVARIUM_PYTHON").unwrap_or_else(|| "python3".into());
    chosen.into()
}

/// Whether Python has these modules. Otherwise it says loudly that `test` is skipped. With `VIVARIUM_PYTHON` the modules
/// must be there.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
pub(crate) fn has(test: &str, modules: &[&str]) -> bool {
    let imports = format!("import {}", modules.join(", "));
    let found = Command::new(python()).args(["-c", &imports]).output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        assert!(
            std::env::var_os("VIVARIUM_PYTHON").is_none(),
            "VIVARIUM_PYTHON does not have all of {modules:?}"
        );
        eprintln!("SKIPPED {test}: python3 does not have all of {modules:?}");
    }
    found
}

/// Runs a program of `tests/golden` with arguments. Returns what it prints.
pub(crate) fn run(program: &str, arguments: &[&Path], more: &[&str]) -> String {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let (command, rest) = more
        .split_first()
        .map_or((None, &[][..]), |(first, rest)| (Some(first), rest));
    let output = Command::new(python())
        .arg(golden.join(program))
        .args(command)
        .args(arguments)
        .args(rest)
        .output()
        .unwrap();
    let (out, error) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(
        output.status.success(),
        "{program} {more:?}: {out}\n{error}"
    );
    out
}
