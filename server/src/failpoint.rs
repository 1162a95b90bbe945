//! Failpoints: named places between the steps of a change where a test makes this process fail, wait or die.
//!
//! They are in every build and cost one comparison each, because the tests run the binary that is shipped. Without the
//! variable `VIVARIUM_FAILPOINTS` they do nothing. With it, the variable names a file, and at each failpoint this
//! process reads one line of it, `<action> <n>`: what to do at the `n`-th failpoint, counted from 0, that it reaches
//! after the line was written.
//!
//! | action | what happens there |
//! |---|---|
//! | `kill` | the process dies of SIGKILL |
//! | `fail` | the step fails as on a full disk |
//! | `wait` | the process waits until the line changes |
//!
//! The names of the passed failpoints go to the file `<file>.passed`, one per line.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

use crate::error::{Error, Result};

/// The variable that names the file.
const VARIABLE: &str = "VIVARIUM_FAILPOINTS";

/// How often a waiting failpoint reads its line.
const LOOK: Duration = Duration::from_millis(5);

static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

/// What a test has requested.
struct Armed {
    file: PathBuf,
    /// The last line that was read, and how many failpoints were passed since it changed.
    counted: Mutex<(String, u64)>,
}

/// A place between two steps of a change.
///
/// # Errors
/// When a test requests it.
pub(crate) fn failpoint(name: &'static str) -> Result<()> {
    let armed = ARMED.get_or_init(|| {
        let file = std::env::var_os(VARIABLE)?;
        Some(Armed {
            file: file.into(),
            counted: Mutex::default(),
        })
    });
    match armed {
        None => Ok(()),
        Some(armed) => armed.pass(name),
    }
}

impl Armed {
    fn pass(&self, name: &'static str) -> Result<()> {
        let line = self.line();
        let Some((action, at)) = line.split_once(' ') else {
            return Ok(());
        };
        let passed = {
            let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
            if counted.0 != line {
                *counted = (line.clone(), 0);
            }
            counted.1 += 1;
            counted.1 - 1
        };
        let here = at.trim().parse() == Ok(passed);
        // Noted first: a test that sees the name knows that the process is here.
        self.note(name).map_err(|e| Error::file(&self.file, e))?;
        match action {
            "kill" if here => {
                let _ = kill_process(getpid(), Signal::KILL);
                Ok(())
            }
            "fail" if here => Err(Error::file(name, io::ErrorKind::StorageFull.into())),
            "wait" if here => {
                while self.line() == line {
                    std::thread::sleep(LOOK);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn line(&self) -> String {
        fs::read_to_string(&self.file).unwrap_or_default()
    }

    fn note(&self, name: &str) -> io::Result<()> {
        let mut path = self.file.clone().into_os_string();
        path.push(".passed");
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(Path::new(&path))?;
        writeln!(file, "{name}")
    }
}
