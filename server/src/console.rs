//! Lines for users: notices on standard error, and the log.
//!
//! Possibly nobody can read them: the terminal was closed, the pipe's reader has ended or is stuck, the disk with the
//! log is full. Then lines are lost, and nothing else happens: nothing here fails, panics or blocks. `eprintln!`
//! panics, which is why a lint forbids it.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread;
use std::time::Duration;

/// The maximum number of queued lines.
const WAITING: usize = 4096;

/// Writes a line to standard error, if that is possible.
pub(crate) fn notice(line: impl Display) {
    // With a single write: others write there, too.
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// A writer that accepts everything and drops what it cannot write.
#[derive(Debug)]
pub(crate) struct Lossy<W>(pub(crate) W);

impl<W: Write> Write for Lossy<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

/// A writer whose lines are written by a thread of its own, so that a stuck reader, such as a pager, blocks nobody.
/// When the queue is full, further lines are dropped and counted.
#[derive(Clone, Debug)]
pub(crate) struct BackgroundWriter {
    queue: SyncSender<Item>,
    dropped: Arc<AtomicU64>,
}

enum Item {
    Line(Vec<u8>),
    /// Answered when all earlier lines are written.
    Flush(SyncSender<()>),
}

impl BackgroundWriter {
    /// Starts the thread, which writes to `target`.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn start(target: impl Write + Send + 'static) -> io::Result<Self> {
        let (queue, items) = mpsc::sync_channel(WAITING);
        let dropped = Arc::new(AtomicU64::new(0));
        thread::Builder::new().name("log".to_owned()).spawn({
            let dropped = Arc::clone(&dropped);
            move || write_all(&items, &dropped, Lossy(target))
        })?;
        Ok(Self { queue, dropped })
    }

    /// Waits until the queued lines are written, at most for this time.
    pub(crate) fn flush(&self, within: Duration) {
        let (done, written) = mpsc::sync_channel(1);
        if self.queue.try_send(Item::Flush(done)).is_ok() {
            let _ = written.recv_timeout(within);
        }
    }
}

fn write_all(items: &Receiver<Item>, dropped: &AtomicU64, mut target: impl Write) {
    for item in items {
        match item {
            Item::Line(line) => {
                let _ = target.write_all(&line);
            }
            Item::Flush(done) => {
                let _ = target.flush();
                let _ = done.send(());
            }
        }
        let lost = dropped.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let told = format!("{lost} lines of the log are lost: nobody read them\n");
            let _ = target.write_all(told.as_bytes());
        }
    }
}

impl Write for BackgroundWriter {
    /// Takes a whole line.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(TrySendError::Full(_)) = self.queue.try_send(Item::Line(bytes.to_vec())) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Sender;

    use super::*;

    /// A file on a full disk, a terminal that was closed.
    struct Broken;

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    /// Waits for permission before every write.
    struct Stuck(Receiver<()>, Sender<String>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            let _ = self.1.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_cannot_be_written_is_dropped_without_an_error() {
        let mut lossy = Lossy(Broken);
        writeln!(lossy, "a line").unwrap();
        lossy.flush().unwrap();
        let mut log = BackgroundWriter::start(Broken).unwrap();
        writeln!(log, "a line").unwrap();
        log.flush(Duration::from_secs(20));
    }

    #[test]
    fn a_reader_that_stands_still_holds_up_nobody_and_learns_how_many_lines_are_lost() {
        let (leave, wait) = mpsc::channel();
        let (written, read) = mpsc::channel();
        let mut log = BackgroundWriter::start(Stuck(wait, written)).unwrap();
        // The thread may have taken one already.
        let lines = WAITING + 1 + 10;
        for n in 0..lines {
            log.write_all(format!("{n}\n").as_bytes()).unwrap();
        }
        log.flush(Duration::from_millis(1));
        drop(leave);
        let mut seen = 0;
        let lost = loop {
            let line = read.recv_timeout(Duration::from_secs(20)).unwrap();
            match line.trim().parse::<usize>() {
                Ok(n) => {
                    assert_eq!(n, seen);
                    seen += 1;
                }
                // The count may be split over several lines.
                Err(_) => break line,
            }
        };
        assert_eq!(seen, 1);
        assert!(lost.starts_with("1"), "{lost}");
    }
}
