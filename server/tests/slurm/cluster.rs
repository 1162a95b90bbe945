//! A Slurm cluster of this machine: a controller and nodes that are processes, made by `scripts/slurm-cluster`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::until;

/// Its nodes.
pub const NODES: usize = 3;

/// A cluster, which ends when this is dropped.
pub struct Cluster {
    folder: TempDir,
}

/// Why a cluster cannot be started here, if so.
pub fn why_not() -> Option<String> {
    let is_root = rustix::process::geteuid().is_root();
    let missing: Vec<_> = ["slurmctld", "slurmd", "munged", "sbatch"]
        .into_iter()
        .filter(|program| {
            !["/usr/sbin", "/usr/bin"]
                .iter()
                .any(|folder| Path::new(folder).join(program).exists())
        })
        .collect();
    if !is_root {
        return Some("they need root".to_owned());
    }
    if !missing.is_empty() {
        return Some(format!("there is no {}", missing.join(", ")));
    }
    let probe = Command::new("unshare").args(["--uts", "true"]).status();
    match probe.is_ok_and(|status| status.success()) {
        true => None,
        false => Some("nodes cannot have host names of their own here".to_owned()),
    }
}

impl Cluster {
    pub fn start() -> Self {
        let this = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        this.script(&["start"]);
        this
    }

    /// The variable that Slurm's commands need.
    pub fn configuration(&self) -> PathBuf {
        self.folder.path().join("slurm.conf")
    }

    /// Kills a node and all that runs on it.
    pub fn kill_node(&self, node: &str) {
        self.script(&["kill-node", node.trim_start_matches("node")]);
    }

    pub fn start_node(&self, node: &str) {
        self.script(&["start-node", node.trim_start_matches("node")]);
    }

    pub fn stop_controller(&self) {
        self.script(&["stop-controller"]);
    }

    pub fn start_controller(&self) {
        self.script(&["start-controller"]);
        until("the controller answers", || {
            self.try_run("sinfo", &[]).status.success()
        });
    }

    /// Runs one of Slurm's commands, and gives what it prints.
    pub fn run(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.try_run(program, arguments);
        assert!(output.status.success(), "{program}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn try_run(&self, program: &str, arguments: &[&str]) -> Output {
        Command::new(program)
            .args(arguments)
            .env("SLURM_CONF", self.configuration())
            .output()
            .unwrap()
    }

    /// The ids of the jobs that wait or run, one for each task of an array.
    pub fn jobs(&self) -> Vec<String> {
        let told = self.run("squeue", &["--noheader", "--array", "--format=%i"]);
        told.lines().map(|line| line.trim().to_owned()).collect()
    }

    fn script(&self, arguments: &[&str]) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/slurm-cluster");
        let (verb, rest) = arguments.split_first().unwrap();
        let status = Command::new(script)
            .arg(verb)
            .arg(self.folder.path())
            .args(rest)
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "scripts/slurm-cluster {arguments:?}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.script(&["stop"]);
    }
}
