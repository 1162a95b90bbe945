//! Who goes first where processors are few: the browser and whatever else runs on the machine, the server's async
//! threads, what somebody waits for, and last of all training.

use std::fs;
use std::io::ErrorKind;
use std::thread;
use std::time::Duration;

use rustix::process::{setpriority_process, setsid};

/// The niceness of a process in the background, and of its session.
const BACKGROUND: i32 = 10;

/// The niceness of threads that compute what somebody waits for.
const COMPUTING: i32 = 5;

/// Gives way to every other process, and leaves the terminal's session, so that Ctrl-C there is not for this process.
///
/// Linux shares processors between sessions first (autogroups, see sched(7)): niceness counts within one only, and a
/// worker in the server's session took as much time as the browser that shows it. So this session becomes nice, too.
/// Best effort: other systems have no such sessions.
pub(crate) fn enter_background() {
    let _ = setsid();
    let _ = setpriority_process(None, BACKGROUND);
    // The machine allows one change in a tenth of a second, and several workers may start at once.
    thread::spawn(|| {
        for _ in 0..20 {
            match fs::write("/proc/self/autogroup", BACKGROUND.to_string()) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    thread::sleep(Duration::from_millis(150));
                }
                _ => return,
            }
        }
    });
}

/// Lowers the priority of the calling thread, and of those that it starts, below the async threads. Best effort: only on Linux does a thread have a
/// priority of its own.
pub(crate) fn lower_priority() {
    if cfg!(target_os = "linux") {
        let _ = setpriority_process(None, COMPUTING);
    }
}
