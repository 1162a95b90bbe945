//! The lock of a run or of a data folder: while it is free, no worker runs, or no server.
//!
//! On one machine an advisory lock of the file tells whether a process holds it. Between machines that share a folder
//! such locks are not reliable, so that the holder also writes who it is, with a number that grows every few seconds.
//! Others watch whether the number grows; clocks are not compared. A holder that another one has replaced, because it
//! was stopped or cut off for too long, notices it before it writes again.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use vivarium_models::links;

use crate::error::{Error, Result};

/// A process that calls [`is_held`] has the lock for an instant; a worker that starts then must not mistake it for
/// another worker.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often a holder writes that it lives.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A holder on another machine that has not written for this long is dead.
pub const EXPIRY: Duration = Duration::from_secs(30);

/// How often the heartbeat of a holder on another machine is read.
pub const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// A holder that could not write for this long looks whether it was replaced, well before others take it for dead.
const LEASE: Duration = Duration::from_secs(20);

/// What a holder writes into the file: its process, its machine, and a number that grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The process id.
    pub pid: u32,
    /// The name of the machine. Earlier versions did not write it.
    pub host: Option<String>,
    beat: u64,
}

impl Holder {
    /// Reads the last holder; `None` if it has let go.
    pub fn read(path: &Path) -> Option<Self> {
        let mut text = String::new();
        // Opened anew each time: a file server's client then asks for the present content.
        links::open(path)
            .ok()?
            .take(512)
            .read_to_string(&mut text)
            .ok()?;
        let mut words = text.split_whitespace();
        Some(Self {
            pid: words.next()?.parse().ok()?,
            host: words.next().map(str::to_owned),
            beat: words.next().and_then(|beat| beat.parse().ok()).unwrap_or(0),
        })
    }

    /// Whether it holds the lock on another machine, or did so before it died.
    pub fn is_elsewhere(&self) -> bool {
        self.host.as_ref().is_some_and(|host| *host != host_name())
    }

    /// The same holder after its next heartbeat.
    fn next(&self) -> Self {
        Self {
            beat: self.beat + 1,
            ..self.clone()
        }
    }

    /// Of constant length while the number grows, so that no reader sees a mixture.
    fn line(&self) -> String {
        let host = self.host.as_deref().unwrap_or("-");
        format!("{} {host} {:012}\n", self.pid, self.beat)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid)?;
        match &self.host {
            Some(host) if self.is_elsewhere() => write!(f, " on {host}"),
            _ => Ok(()),
        }
    }
}

/// Watches the heartbeat of a holder on another machine.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    last: Option<Holder>,
    since: Instant,
}

/// What a [`Watch`] sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It wrote since the last look.
    Alive,
    /// It has not written for a while.
    Quiet,
    /// It has not written for [`EXPIRY`].
    Dead,
    /// It has let go.
    Released,
}

impl Watch {
    /// Watches the present holder of the lock at `path`.
    pub fn begin(path: PathBuf) -> Self {
        Self {
            last: Holder::read(&path),
            path,
            since: Instant::now(),
        }
    }

    /// Looks once.
    pub fn look(&mut self) -> Sign {
        let now = Holder::read(&self.path);
        if now.is_none() {
            return Sign::Released;
        }
        if now != self.last {
            self.last = now;
            self.since = Instant::now();
            return Sign::Alive;
        }
        match self.since.elapsed() > EXPIRY {
            true => Sign::Dead,
            false => Sign::Quiet,
        }
    }
}

/// A lock, held until dropped or until the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    held: Arc<Held>,
    end: Option<mpsc::Sender<()>>,
    heart: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Held {
    path: PathBuf,
    file: File,
    state: Mutex<Beating>,
}

#[derive(Debug)]
struct Beating {
    /// This holder, with the last heartbeat that was certainly written.
    me: Holder,
    /// When the file was last seen to name this holder; `None` since it has named another one.
    confirmed: Option<Instant>,
}

/// Proves to a writer that its process still holds a lock.
#[derive(Clone, Debug)]
pub struct Fence(Arc<Held>);

impl Fence {
    /// Checks that no other process has taken the lock. Cheap while the heartbeat succeeds.
    ///
    /// # Errors
    /// [`Error::Locked`] when another one has.
    pub fn check(&self) -> Result<()> {
        let mut state = self.0.lock();
        if state.confirmed.is_some_and(|at| at.elapsed() < LEASE) {
            return Ok(());
        }
        self.0.confirm(&mut state)
    }
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, Beating> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the file; it must name this holder.
    fn confirm(&self, state: &mut Beating) -> Result<()> {
        match Holder::read(&self.path) {
            // It cannot be read now: nothing is known.
            None => Ok(()),
            // A heartbeat that failed may have reached the file nevertheless.
            Some(holder) if holder == state.me || holder == state.me.next() => {
                state.confirmed = Some(Instant::now());
                Ok(())
            }
            Some(other) => {
                state.confirmed = None;
                Err(locked(&self.path, Some(other)))
            }
        }
    }

    fn beat(&self) -> Result<()> {
        let mut state = self.lock();
        self.confirm(&mut state)?;
        let next = state.me.next();
        self.file
            .write_all_at(next.line().as_bytes(), 0)
            .and_then(|()| self.file.sync_data())
            .map_err(|e| Error::file(&self.path, e))?;
        state.me = next;
        Ok(())
    }
}

impl Lock {
    /// Takes the lock at `path` and writes there who holds it. If the last holder was on another machine and has not
    /// let go, this waits until it is certain whether it lives.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process holds it.
    pub fn take(path: &Path) -> Result<Self> {
        Self::of(path, open(path)?)
    }

    /// Takes over the lock that the parent process got with [`for_child`]; without one, the same as [`Lock::take`].
    pub fn inherit_or_take(path: &Path) -> Result<Self> {
        match inherited(path) {
            Some(file) => Self::of(path, file),
            None => Self::take(path),
        }
    }

    fn of(path: &Path, file: File) -> Result<Self> {
        if !try_for_a_while(path, &file)? {
            return Err(locked(path, Holder::read(path)));
        }
        wait_for_another_machine(path)?;
        let me = Holder {
            pid: std::process::id(),
            host: Some(host_name()),
            beat: 0,
        };
        file.set_len(0)
            .and_then(|()| file.write_all_at(me.line().as_bytes(), 0))
            .map_err(|e| Error::file(path, e))?;
        let held = Arc::new(Held {
            path: path.to_owned(),
            file,
            state: Mutex::new(Beating {
                me,
                confirmed: Some(Instant::now()),
            }),
        });
        let (end, ended) = mpsc::channel();
        let heart = thread::Builder::new()
            .name("heartbeat".to_owned())
            .spawn({
                let held = Arc::clone(&held);
                move || beat_until(&ended, &held)
            })
            .map_err(|e| Error::system("cannot start the thread of a lock", e))?;
        Ok(Self {
            held,
            end: Some(end),
            heart: Some(heart),
        })
    }

    /// What proves to a writer that the lock is still held.
    pub fn fence(&self) -> Fence {
        Fence(Arc::clone(&self.held))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.end.take();
        if let Some(heart) = self.heart.take() {
            let _ = heart.join();
        }
        let mut state = self.held.lock();
        if self.held.confirm(&mut state).is_ok() {
            // Others need not wait for the heartbeat to expire.
            let _ = self.held.file.set_len(0);
        }
        // Closing the file is not enough where standard input is the same one.
        let _ = self.held.file.unlock();
    }
}

/// Takes the lock at `path` for a process that is about to start and gets the file as its standard input. The lock goes
/// over without a gap: whoever asks meanwhile, such as the next server after this one was killed, sees a worker. `None`
/// if there is one already, or was one on another machine: the new one then sees for itself.
///
/// # Errors
/// When the file cannot be opened, locked or emptied.
pub fn for_child(path: &Path) -> Result<Option<File>> {
    let file = open(path)?;
    let is_elsewhere = || Holder::read(path).is_some_and(|holder| holder.is_elsewhere());
    if !try_for_a_while(path, &file)? || is_elsewhere() {
        return Ok(None);
    }
    // The last holder is not the next one.
    file.set_len(0).map_err(|e| Error::file(path, e))?;
    Ok(Some(file))
}

/// Standard input, if it is the file at `path`.
fn inherited(path: &Path) -> Option<File> {
    let stdin = io::stdin().as_fd().try_clone_to_owned().ok()?;
    let stdin = File::from(stdin);
    let [given, named] = [stdin.metadata(), fs::metadata(path)].map(|about| {
        let about = about.ok()?;
        Some((about.dev(), about.ino()))
    });
    (given.is_some() && given == named).then_some(stdin)
}

/// Returns whether the file is locked now.
fn try_for_a_while(path: &Path, file: &File) -> Result<bool> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(Error::file(path, error)),
        }
    }
}

/// Writes the heartbeat until the other end of the channel is dropped.
fn beat_until(ended: &mpsc::Receiver<()>, held: &Held) {
    let mut failed = false;
    while ended.recv_timeout(HEARTBEAT) == Err(mpsc::RecvTimeoutError::Timeout) {
        match held.beat() {
            Ok(()) => failed = false,
            Err(error @ Error::Locked { .. }) => {
                // Whoever writes checks the fence.
                tracing::error!(%error, "this process was taken for dead");
                return;
            }
            Err(error) if !failed => {
                failed = true;
                tracing::warn!(%error, "the heartbeat could not be written");
            }
            Err(_) => {}
        }
    }
}

/// Returns when the last holder is certainly not at work on another machine.
fn wait_for_another_machine(path: &Path) -> Result<()> {
    let Some(holder) = Holder::read(path).filter(Holder::is_elsewhere) else {
        return Ok(());
    };
    tracing::warn!(
        path = %path.display(), host = holder.host,
        "the last holder of this lock was on another machine and has not let go: waiting {} s to see whether it lives",
        EXPIRY.as_secs()
    );
    let mut watch = Watch::begin(path.to_owned());
    loop {
        thread::sleep(WATCH_INTERVAL);
        match watch.look() {
            Sign::Alive => return Err(locked(path, Holder::read(path))),
            Sign::Quiet => {}
            Sign::Dead | Sign::Released => return Ok(()),
        }
    }
}

fn locked(path: &Path, holder: Option<Holder>) -> Error {
    Error::Locked {
        path: path.to_owned(),
        holder: holder.map(|holder| holder.to_string()),
    }
}

/// The name of this machine, without spaces.
pub fn host_name() -> String {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy();
    let word: String = name.split_whitespace().collect();
    if word.is_empty() {
        "-".to_owned()
    } else {
        word
    }
}

/// Holds the lock at `path` briefly, so that no worker starts; `None` if one is running, or never did.
pub(super) fn hold(path: &Path) -> Result<Option<File>> {
    let file = match fs::OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::file(path, error)),
    };
    if Holder::read(path).is_some_and(|holder| holder.is_elsewhere()) {
        return Ok(None);
    }
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(Error::file(path, error)),
    }
}

/// Whether a process of this machine holds the lock at `path`.
pub fn is_held(path: &Path) -> Result<bool> {
    if !path.exists() {
        return Ok(false);
    }
    match open(path)?.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(Error::file(path, error)),
    }
}

/// The process id that the last holder wrote; only meaningful while [`is_held`]. `None` while a worker starts.
pub fn holder(path: &Path) -> Option<u32> {
    Holder::read(path).map(|holder| holder.pid)
}

fn open(path: &Path) -> Result<File> {
    let options = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .clone();
    links::refuse(path)
        .and_then(|()| options.open(path))
        .map_err(|e: io::Error| Error::file(path, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_until_the_first_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = Lock::take(&path).unwrap();
        assert!(is_held(&path).unwrap());
        assert_eq!(holder(&path), Some(std::process::id()));
        assert!(matches!(
            Lock::take(&path),
            Err(Error::Locked {
                holder: Some(_),
                ..
            })
        ));
        drop(first);
        assert!(!is_held(&path).unwrap());
        Lock::take(&path).unwrap();
    }

    #[test]
    fn a_holder_of_another_machine_that_writes_keeps_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let write = |beat| {
            let other = Holder {
                pid: 7,
                host: Some("another.example".to_owned()),
                beat,
            };
            fs::write(&path, other.line()).unwrap();
        };
        write(1);
        assert!(!is_held(&path).unwrap(), "not on this machine");
        let (done, mut beat) = (mpsc::channel::<()>(), 2);
        let taking = thread::spawn({
            let path = path.clone();
            let done = done.0;
            move || {
                let taken = Lock::take(&path);
                drop(done);
                taken
            }
        });
        while done.1.recv_timeout(Duration::from_millis(300))
            == Err(mpsc::RecvTimeoutError::Timeout)
        {
            write(beat);
            beat += 1;
        }
        let refused = taking.join().unwrap().unwrap_err().to_string();
        assert!(refused.contains("another.example"), "{refused}");
    }

    #[test]
    fn a_holder_that_let_go_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        drop(Lock::take(&path).unwrap());
        assert_eq!(Holder::read(&path), None);
        let begun = Instant::now();
        wait_for_another_machine(&path).unwrap();
        assert!(begun.elapsed() < WATCH_INTERVAL);
    }

    #[test]
    fn a_heartbeat_of_which_it_is_unknown_whether_it_was_written_is_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let lock = Lock::take(&path).unwrap();
        let me = lock.held.lock().me.clone();
        for written in [me.clone(), me.next()] {
            fs::write(&path, written.line()).unwrap();
            lock.held.lock().confirmed = Some(Instant::now() - LEASE);
            lock.fence().check().unwrap();
        }
        fs::write(&path, me.next().next().line()).unwrap();
        lock.held.lock().confirmed = Some(Instant::now() - LEASE);
        assert!(matches!(lock.fence().check(), Err(Error::Locked { .. })));
    }

    #[test]
    fn a_holder_that_was_replaced_does_not_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let lock = Lock::take(&path).unwrap();
        let other = Holder {
            pid: 7,
            host: Some("another.example".to_owned()),
            beat: 3,
        };
        fs::write(&path, other.line()).unwrap();
        let fence = lock.fence();
        // As long as the last heartbeat is fresh, nobody can have taken the lock.
        fence.check().unwrap();
        lock.held.lock().confirmed = Some(Instant::now() - LEASE);
        assert!(matches!(fence.check(), Err(Error::Locked { .. })));
        drop(lock);
        assert_eq!(Holder::read(&path), Some(other), "it stays the other's");
    }

    #[test]
    fn a_lock_of_an_earlier_version_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        fs::write(&path, "1234").unwrap();
        let earlier = Holder::read(&path).unwrap();
        assert_eq!((earlier.pid, earlier.is_elsewhere()), (1234, false));
    }
}
