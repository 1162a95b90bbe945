//! How a job ended, by what Slurm tells, or by the end of its log.

use crate::launch::Exit;

/// The exit of a job in one of Slurm's final states; `None` while it has not ended. `status` is its wait status.
pub(super) fn of_state(state: &str, status: i32) -> Option<Exit> {
    // sacct adds who cancelled a job.
    let word = state.split_whitespace().next().unwrap_or_default();
    Some(match word {
        "COMPLETED" => Exit::Code(0),
        "FAILED" | "SPECIAL_EXIT" => of_status(status),
        "TIMEOUT" | "DEADLINE" => Exit::TimeLimit,
        "PREEMPTED" => Exit::Preempted,
        "NODE_FAIL" | "BOOT_FAIL" => Exit::NodeFailed,
        "OUT_OF_MEMORY" => Exit::OutOfMemory,
        "CANCELLED" => Exit::Cancelled,
        _ => return None,
    })
}

/// The exit of the batch script, which is that of the worker; a shell tells a signal by 128 and its number.
fn of_status(status: i32) -> Exit {
    match (status & 0x7f, (status >> 8) & 0xff) {
        (0, code) if code > 128 => Exit::Signal(code - 128),
        (0, code) => Exit::Code(code),
        (signal, _) => Exit::Signal(signal),
    }
}

/// The exit that the end of a job's log tells, for jobs that Slurm has forgotten.
pub(super) fn of_log(log: &str) -> Exit {
    let last = log
        .lines()
        .filter_map(|line| {
            let code = line.strip_prefix("vivarium: exit ");
            if let Some(code) = code.and_then(|code| code.trim().parse::<i32>().ok()) {
                return Some(of_status(code << 8));
            }
            let told = |words: &str| line.contains(words);
            Some(match () {
                () if told("oom-kill") || told("exceeded memory limit") => Exit::OutOfMemory,
                () if told("DUE TO TIME LIMIT") => Exit::TimeLimit,
                () if told("DUE TO PREEMPTION") => Exit::Preempted,
                () if told("DUE TO NODE FAILURE") => Exit::NodeFailed,
                () if told("slurmstepd") && told("CANCELLED AT") => Exit::Cancelled,
                () => return None,
            })
        })
        .next_back();
    last.unwrap_or(Exit::Unknown)
}

/// What Slurm tells of the exit, made more precise by the job's log: not every cluster tells that memory ran out.
pub(super) fn with_log(exit: Exit, log: &str) -> Exit {
    let memory = ["oom-kill", "exceeded memory limit", "Exceeded job memory"];
    match exit {
        Exit::Code(1..) | Exit::Signal(_) if memory.iter().any(|words| log.contains(words)) => {
            Exit::OutOfMemory
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_states_are_told_apart() {
        assert_eq!(of_state("PENDING", 0), None);
        assert_eq!(of_state("COMPLETING", 0), None);
        assert_eq!(of_state("REQUEUED", 0), None);
        assert_eq!(of_state("COMPLETED", 0), Some(Exit::Code(0)));
        assert_eq!(of_state("FAILED", 75 << 8), Some(Exit::Code(75)));
        assert_eq!(of_state("FAILED", 137 << 8), Some(Exit::Signal(9)));
        assert_eq!(of_state("FAILED", 9), Some(Exit::Signal(9)));
        assert_eq!(of_state("CANCELLED by 1000", 0), Some(Exit::Cancelled));
        assert_eq!(of_state("NODE_FAIL", 0), Some(Exit::NodeFailed));
    }

    #[test]
    fn a_log_tells_what_slurm_has_forgotten() {
        let memory = "slurmstepd-n1: error: Detected 1 oom-kill event(s) in StepId=2.batch.\n";
        assert_eq!(of_log(memory), Exit::OutOfMemory);
        assert_eq!(with_log(Exit::Signal(9), memory), Exit::OutOfMemory);
        assert_eq!(with_log(Exit::Code(0), memory), Exit::Code(0));
        let time = "slurmstepd: error: *** JOB 3 ON n2 CANCELLED AT 2026-11-29T05:12:32 DUE TO TIME LIMIT ***\n";
        assert_eq!(of_log(time), Exit::TimeLimit);
        let done = format!("{time}vivarium: exit 0\n");
        assert_eq!(of_log(&done), Exit::Code(0), "it ran once more");
        assert_eq!(of_log("hello\n"), Exit::Unknown);
    }
}
