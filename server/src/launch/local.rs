//! Workers that are processes of this machine.

use std::fs::OpenOptions;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use vivarium_models::ops::threads;

use super::remote::RemoteWorker;
use super::{Exit, Launcher, State, Worker};
use crate::blocking::blocking;
use crate::error::{Error, Result};
use crate::run_dir::RunDir;
use crate::run_dir::lock;

/// How often the lock of an adopted worker is checked. A worker's death must be noticed within 2 s.
const LOOK: Duration = Duration::from_millis(250);

/// How often a log is read. A worker gathers steps for 40 ms, so a step is in the index at most
/// 100 ms after it was made.
pub(crate) const LOG_INTERVAL: Duration = Duration::from_millis(25);

/// Starts workers with the running binary.
#[derive(Clone, Debug)]
pub struct LocalLauncher {
    program: PathBuf,
    threads: usize,
}

impl LocalLauncher {
    /// A launcher for `jobs` workers at a time: each gets its share of the machine's threads unless its run sets a
    /// number.
    pub fn new(jobs: usize) -> Result<Self> {
        // After a rebuild the path has another binary; the link to the running one always has the server's version, so
        // that server and worker agree.
        let running = PathBuf::from("/proc/self/exe");
        let program = if running.exists() {
            running
        } else {
            std::env::current_exe()
                .map_err(|e| Error::system("cannot find the running binary", e))?
        };
        let threads = (threads::available() / jobs.max(1)).max(1);
        Ok(Self { program, threads })
    }

    /// The command that starts the binary.
    pub fn command(&self) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command
            .arg0("vivarium")
            .env(threads::ENV_VAR, self.threads.to_string());
        command
    }
}

impl LocalLauncher {
    async fn spawn(&self, dir: &RunDir) -> Result<Child> {
        dir.refuse_links()?;
        let path = dir.lock_file();
        let lock = blocking(move || lock::for_child(&path)).await?;
        let log = dir.worker_log();
        let stderr = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(|e| Error::file(&log, e))?;
        // No pipes to the server: the worker would die of a broken pipe when the server ends.
        Command::from(self.command())
            .arg("worker")
            .arg(dir.path())
            .arg("--background")
            .stdin(lock.map_or_else(Stdio::null, Stdio::from))
            .stdout(Stdio::null())
            .stderr(stderr)
            .kill_on_drop(false)
            .spawn()
            .map_err(|e| Error::file(&self.program, e))
    }
}

impl Launcher for LocalLauncher {
    fn launch<'a>(&'a self, dir: &'a RunDir) -> BoxFuture<'a, Result<Box<dyn Worker>>> {
        async {
            let child = self.spawn(dir).await?;
            Ok(Box::new(OwnChild {
                child,
                is_told: false,
            }) as Box<dyn Worker>)
        }
        .boxed()
    }

    fn adopt<'a>(&'a self, dir: &'a RunDir) -> BoxFuture<'a, Result<Option<Box<dyn Worker>>>> {
        async { adopt(dir) }.boxed()
    }

    fn is_scheduler(&self) -> bool {
        false
    }

    fn log_intervals(&self) -> (Duration, Duration) {
        (LOG_INTERVAL, LOG_INTERVAL)
    }
}

/// Adopts the worker that holds the lock of a run, on this machine or on another one.
pub(super) fn adopt(dir: &RunDir) -> Result<Option<Box<dyn Worker>>> {
    let path = dir.lock_file();
    if lock::is_held(&path)? {
        let adopted = Adopted {
            lock: path,
            is_told: false,
            waiting: Mutex::default(),
        };
        return Ok(Some(Box::new(adopted)));
    }
    Ok(RemoteWorker::of(path).map(|worker| Box::new(worker) as Box<dyn Worker>))
}

/// A worker that is a child of this process.
struct OwnChild {
    child: Child,
    /// Whether its first state was told.
    is_told: bool,
}

impl OwnChild {
    fn signal(&self, signal: Signal) {
        // `id` is `None` once the child is reaped, so the id cannot belong to another process.
        if let Some(pid) = self.child.id() {
            send(pid, signal);
        }
    }
}

impl Worker for OwnChild {
    fn state(&mut self) -> BoxFuture<'_, State> {
        async {
            if !std::mem::replace(&mut self.is_told, true) {
                return State::Running(None);
            }
            State::Ended(match self.child.wait().await {
                Ok(status) => match (status.code(), status.signal()) {
                    (Some(code), _) => Exit::Code(code),
                    (None, Some(signal)) => Exit::Signal(signal),
                    (None, None) => Exit::Unknown,
                },
                Err(error) => {
                    tracing::error!(%error, "a worker could not be waited for");
                    Exit::Unknown
                }
            })
        }
        .boxed()
    }

    fn stop(&self) {
        self.signal(Signal::TERM);
    }

    fn kill(&self) {
        self.signal(Signal::KILL);
    }
}

/// A worker that an earlier server or a user started: known by its lock alone.
struct Adopted {
    lock: PathBuf,
    /// Whether its first state was told.
    is_told: bool,
    /// A signal for a worker that starts: it has the lock and has not written its process id yet.
    waiting: Mutex<Option<Signal>>,
}

impl Adopted {
    fn lives(&self) -> bool {
        lock::is_held(&self.lock).unwrap_or_else(|error| {
            tracing::error!(%error, "a worker's lock could not be looked at");
            false
        })
    }

    fn signal(&self, signal: Signal) {
        *self.waiting() = Some(signal);
        self.deliver();
    }

    fn deliver(&self) {
        let mut waiting = self.waiting();
        // The process id in the file is the holder's while the lock is held.
        if let Some(signal) = *waiting
            && let (true, Some(pid)) = (self.lives(), lock::holder(&self.lock))
        {
            *waiting = None;
            send(pid, signal);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Signal>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worker for Adopted {
    fn state(&mut self) -> BoxFuture<'_, State> {
        async {
            if !std::mem::replace(&mut self.is_told, true) {
                return State::Running(None);
            }
            while self.lives() {
                self.deliver();
                tokio::time::sleep(LOOK).await;
            }
            State::Ended(Exit::Unknown)
        }
        .boxed()
    }

    fn stop(&self) {
        self.signal(Signal::TERM);
    }

    fn kill(&self) {
        self.signal(Signal::KILL);
    }
}

fn send(pid: u32, signal: Signal) {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return;
    };
    if let Err(error) = kill_process(pid, signal) {
        tracing::warn!(%error, pid = pid.as_raw_nonzero(), "a worker could not be signalled");
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::*;

    /// A launcher whose workers do what a script says.
    fn launcher(folder: &Path, script: &str) -> LocalLauncher {
        let program = folder.join("worker.sh");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        LocalLauncher {
            program,
            threads: 1,
        }
    }

    #[tokio::test]
    async fn a_worker_has_the_lock_before_it_does_anything() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::at(folder.path());
        fs::write(dir.lock_file(), "1").unwrap();
        let launcher = launcher(folder.path(), "exec sleep 60");
        let mut worker = launcher.launch(&dir).await.unwrap();
        assert!(lock::is_held(&dir.lock_file()).unwrap());
        assert_eq!(lock::holder(&dir.lock_file()), None, "not the last one");
        worker.kill();
        worker.state().await;
        worker.state().await;
        assert!(!lock::is_held(&dir.lock_file()).unwrap());
    }

    #[tokio::test]
    async fn a_worker_that_starts_is_stopped_when_it_tells_its_process_id() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::at(folder.path());
        let wait = "while [ ! -e told ]; do sleep 0.01; done; echo $$ > lock; exec sleep 60";
        let launcher = launcher(folder.path(), &format!("cd \"$2\"; {wait}"));
        let mut child = launcher.launch(&dir).await.unwrap();
        // As the next server does.
        let mut adopted = adopt(&dir).unwrap().expect("it holds the lock");
        adopted.stop();
        fs::write(folder.path().join("told"), "").unwrap();
        adopted.state().await;
        assert!(matches!(adopted.state().await, State::Ended(_)));
        child.state().await;
        let State::Ended(exit) = child.state().await else {
            panic!("it has ended");
        };
        assert_eq!(exit, Exit::Signal(signal_hook::consts::SIGTERM));
    }
}
