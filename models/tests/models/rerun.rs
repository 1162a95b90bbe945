//! Tests of this binary again, in a process with an environment variable that decides how operations compute.

use std::process::Command;

/// Tells the process not to start others.
const INSIDE: &str = "VIVARIUM_TESTS_INSIDE";

/// Runs tests, by prefixes of their names, with a variable and its value. Returns the output and whether all passed.
pub(crate) fn run(tests: &[&str], (variable, value): (&str, &str)) -> (String, bool) {
    assert!(
        std::env::var_os(INSIDE).is_none(),
        "the filters chose a test that runs the filters"
    );
    let binary = std::env::current_exe().unwrap();
    let output = Command::new(binary)
        .args(tests)
        .env(variable, value)
        .env(INSIDE, "yes")
        .output()
        .unwrap();
    let text =
        [output.stdout, output.stderr].map(|part| String::from_utf8_lossy(&part).into_owned());
    (text.concat(), output.status.success())
}

/// Fails unless all tests pass with the variable, and every prefix is that of a test.
pub(crate) fn pass_with(tests: &[&str], (variable, value): (&str, &str)) {
    let (text, passed) = run(tests, (variable, value));
    assert!(passed, "with {variable}={value}:\n{text}");
    for name in tests {
        assert!(
            text.contains(&format!("test {name}")),
            "no test {name}:\n{text}"
        );
    }
}
