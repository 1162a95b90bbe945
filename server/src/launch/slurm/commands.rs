//! Slurm's commands, and what they print.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// A command that takes longer has lost its controller.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Names that one `squeue` is asked for; with more, all jobs of the user are listed.
const MAX_NAMES: usize = 100;

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Slurm did not answer, or is too busy: the command may have had its effect or not.
    Unreachable(String),
    /// Slurm refused it.
    Refused(String),
}

/// What `squeue` tells of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JobInfo {
    /// Such as `12_3`.
    pub id: String,
    pub name: String,
    /// Such as `PENDING`.
    pub state: String,
    /// Why it waits.
    pub reason: String,
    /// Where it runs.
    pub host: String,
    /// Its wait status, once it has ended.
    pub status: i32,
}

/// Submits an array of `tasks` jobs; returns its id.
pub(super) async fn sbatch(
    arguments: &[String],
    tasks: usize,
    script: &str,
) -> Result<String, Failure> {
    let array = format!("--array=0-{}", tasks.saturating_sub(1));
    let mut all = vec!["--parsable", "--requeue", "--open-mode=append", &array];
    all.extend(arguments.iter().map(String::as_str));
    let told = run("sbatch", &all, Some(script)).await?;
    // With several clusters, `id;cluster`.
    let id = told.trim().split(';').next().unwrap_or_default();
    match id.parse::<u64>() {
        Ok(_) => Ok(id.to_owned()),
        Err(_) => Err(Failure::Unreachable(format!("sbatch printed {told:?}"))),
    }
}

/// The jobs with these names that Slurm knows, also those that ended a few minutes ago.
pub(super) async fn squeue(names: &[String]) -> Result<Vec<JobInfo>, Failure> {
    let which = match names.len() {
        0..=MAX_NAMES => format!("--name={}", names.join(",")),
        _ => "--me".to_owned(),
    };
    let format: String = FIELDS
        .iter()
        .map(|(name, width)| format!("{name}:{width},"))
        .collect();
    let format = format!("--Format={}", format.trim_end_matches(','));
    let arguments = ["--noheader", "--array", "--states=all", &which, &format];
    Ok(parse(&run("squeue", &arguments, None).await?))
}

/// The final states of jobs that Slurm's controller has forgotten; `None` if the cluster keeps no accounts.
pub(super) async fn sacct(ids: &[String]) -> Option<Vec<JobInfo>> {
    let jobs = format!("--jobs={}", ids.join(","));
    let arguments = [
        "--noheader",
        "--parsable2",
        "--allocations",
        "--format=JobID,JobName,State,ExitCode,NodeList",
        &jobs,
    ];
    let told = run("sacct", &arguments, None).await.ok()?;
    Some(told.lines().filter_map(parse_account).collect())
}

/// Cancels jobs, or sends them a signal.
pub(super) async fn scancel(ids: &[String], signal: Option<&str>) -> Result<(), Failure> {
    let mut arguments: Vec<&str> = Vec::new();
    let option = signal.map(|name| format!("--signal={name}"));
    if let Some(option) = &option {
        // To the script, which passes it on.
        arguments.extend(["--batch", option]);
    }
    arguments.extend(ids.iter().map(String::as_str));
    run("scancel", &arguments, None).await.map(drop)
}

/// The fields of `squeue` and their widths.
const FIELDS: [(&str, usize); 6] = [
    ("JobArrayID", 40),
    ("Name", 60),
    ("State", 24),
    ("BatchHost", 80),
    ("exit_code", 16),
    ("Reason", 120),
];

fn parse(told: &str) -> Vec<JobInfo> {
    let job = |line: &str| {
        let mut rest = line;
        let mut fields = FIELDS.iter().map(|&(_, width)| {
            // Not bytes: a reason may hold any character.
            let end = rest
                .char_indices()
                .nth(width)
                .map_or(rest.len(), |(at, _)| at);
            let (field, after) = rest.split_at(end);
            rest = after;
            field.trim().to_owned()
        });
        let mut next = || fields.next().unwrap_or_default();
        let (id, name, state, host) = (next(), next(), next(), next());
        let status = next().parse().unwrap_or(0);
        let reason = next();
        (!id.is_empty()).then_some(JobInfo {
            id,
            name,
            state,
            reason,
            host,
            status,
        })
    };
    told.lines().filter_map(job).collect()
}

fn parse_account(line: &str) -> Option<JobInfo> {
    let mut fields = line.split('|').map(str::to_owned);
    let (id, name, state) = (fields.next()?, fields.next()?, fields.next()?);
    // The exit status and the signal, with a colon between them.
    let exit = fields.next()?;
    let (code, signal) = exit.split_once(':')?;
    let status = code.parse::<i32>().ok()? << 8 | signal.parse::<i32>().ok()?;
    Some(JobInfo {
        id,
        name,
        state,
        reason: String::new(),
        host: fields.next()?,
        status,
    })
}

/// Runs a command, without a shell.
async fn run(program: &str, arguments: &[&str], input: Option<&str>) -> Result<String, Failure> {
    let child = Command::new(program)
        .args(arguments)
        // What it prints is read by this program.
        .env("LC_ALL", "C")
        .env_remove("VIVARIUM_TOKEN")
        .stdin(match input {
            Some(_) => Stdio::piped(),
            None => Stdio::null(),
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return Err(Failure::Refused(format!("{program}: {error}"))),
    };
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        // A command that has ended does not read it; its status tells why.
        let _ = stdin.write_all(input.as_bytes()).await;
    }
    let Ok(ended) = tokio::time::timeout(TIMEOUT, child.wait_with_output()).await else {
        return Err(Failure::Unreachable(format!(
            "{program} did not end within {} s",
            TIMEOUT.as_secs()
        )));
    };
    let output = ended.map_err(|error| Failure::Unreachable(format!("{program}: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(failure(program, told.trim()))
}

/// Sorts what a command said when it failed.
fn failure(program: &str, told: &str) -> Failure {
    const PASSING: [&str; 8] = [
        "Unable to contact slurm controller",
        "Socket timed out",
        "Communication connection failure",
        "Connection refused",
        "Zero Bytes were transmitted",
        "temporarily unable",
        "Protocol authentication error",
        "Backup controller",
    ];
    let message = told.lines().last().unwrap_or(told);
    let message = message
        .strip_prefix(&format!("{program}: error: "))
        .unwrap_or(message)
        .to_owned();
    match PASSING.iter().any(|words| told.contains(words)) {
        true => Failure::Unreachable(message),
        false => Failure::Refused(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_squeue_are_read_by_their_widths() {
        let line = format!(
            "{:40}{:60}{:24}{:80}{:16}{:120}",
            "4_2", "vivarium-x", "PENDING", "", "0", "Nodes required for job are DOWN"
        );
        let jobs = parse(&format!("{line}\n\n"));
        assert_eq!(jobs.len(), 1);
        assert_eq!((jobs[0].id.as_str(), jobs[0].host.as_str()), ("4_2", ""));
        assert_eq!(jobs[0].reason, "Nodes required for job are DOWN");
    }

    #[test]
    fn the_lines_of_sacct_are_read() {
        let job = parse_account("12_3|vivarium-x|CANCELLED by 1000|0:15|node7").unwrap();
        assert_eq!((job.id.as_str(), job.status), ("12_3", 15));
        assert_eq!(job.state, "CANCELLED by 1000");
        assert_eq!(parse_account("12_3|vivarium-x"), None);
    }

    #[test]
    fn what_passes_is_told_from_what_is_refused() {
        let away = "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)";
        assert!(matches!(failure("sbatch", away), Failure::Unreachable(_)));
        let wrong = "sbatch: error: invalid partition specified: x\nsbatch: error: Batch job submission failed: Invalid partition name specified";
        assert_eq!(
            failure("sbatch", wrong),
            Failure::Refused(
                "Batch job submission failed: Invalid partition name specified".to_owned()
            )
        );
    }
}
