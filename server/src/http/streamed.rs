//! Files that are sent as they are written.

use std::io::{self, BufWriter, Write};

use axum::body::{Body as Answer, Bytes};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};

use crate::error::{Error, Result};
use crate::panics::catch_sync;

/// Written at once, and how much of it may wait for a reader that is slow.
const PIECE: usize = 64 * 1024;
const WAITING: usize = 4;

/// Answers that are written at a time: each has a thread.
static WRITERS: Semaphore = Semaphore::const_new(8);

/// A file to save, whatever the browser makes of its type.
pub(super) fn attachment(kind: &'static str, name: &str, body: Answer) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, body).into_response()
}

/// A body of what `write` writes, as it is written, and no faster than it is read.
///
/// # Errors
/// [`Error::Overloaded`] when too many are written already.
pub(super) fn streamed(
    write: impl FnOnce(BufWriter<Pipe>) -> io::Result<()> + Send + 'static,
) -> Result<Answer> {
    let place = WRITERS
        .try_acquire()
        .map_err(|_| Error::Overloaded("Too many runs are exported at a time."))?;
    let (pieces, reader) = mpsc::channel(WAITING);
    let handle = Handle::current();
    // A thread that a shutdown does not wait for: a reader may never come back.
    let writer = std::thread::Builder::new()
        .name("export".to_owned())
        .spawn(move || {
            let _place = place;
            let _async = handle.enter();
            let failed = pieces.clone();
            let all = catch_sync(|| {
                let pieces = BufWriter::with_capacity(PIECE, Pipe(pieces));
                write(pieces).map_err(|e| Error::system("cannot write an export", e))
            });
            if let Err(error) = all {
                // Whoever left knows why; whoever reads on must not take this for the end.
                let _ = failed.blocking_send(Err(io::Error::other(error)));
            }
        });
    writer.map_err(|e| Error::system("cannot start a thread", e))?;
    Ok(Answer::from_stream(stream::unfold(
        reader,
        |mut reader| async {
            let piece = reader.recv().await?;
            Some((piece, reader))
        },
    )))
}

/// Hands what is written to those who read.
pub(super) struct Pipe(mpsc::Sender<io::Result<Bytes>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
