//! The batch script of a job.

use std::path::Path;

use vivarium_models::ops::threads;

use super::options::SlurmOptions;
use crate::job::ASKS_FOR_ANOTHER_JOB;

/// The script of an array whose runs stand line by line in the file `runs`. The shell passes on the signals: SIGUSR1
/// before the time limit, SIGTERM when the job is stopped or preempted.
pub(super) fn script(options: &SlurmOptions, runs: &Path) -> String {
    let runs = quoted(&runs.to_string_lossy());
    let prologue: String = options
        .prologue
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    let command = options.command();
    let threads = threads::ENV_VAR;
    format!(
        r#"#!/bin/bash
# Written by Vivarium: trains the run that stands in the line of this task.
run=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" {runs} 2>/dev/null)
# A submission that was given up.
[ -n "$run" ] || exit 0
{prologue}export {threads}="${{SLURM_CPUS_PER_TASK:-1}}"
trap 'kill -USR1 "$worker" 2>/dev/null' USR1
trap 'kill -TERM "$worker" 2>/dev/null' TERM
{command} worker --shared "$run" 2>>"$run/worker.log" &
worker=$!
# A signal interrupts the waiting, not the worker.
while :; do
    wait "$worker"
    status=$?
    kill -0 "$worker" 2>/dev/null || break
done
echo "vivarium: exit $status"
if [ "$status" -eq {ASKS_FOR_ANOTHER_JOB} ]; then
    scontrol requeue "$SLURM_JOB_ID" && sleep 600
fi
exit "$status"
"#
    )
}

/// A word of a shell.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_words_of_the_shell() {
        assert_eq!(quoted("/a b/it's"), r"'/a b/it'\''s'");
    }
}
