//! Downloads one file over HTTP and resumes interrupted downloads.

use std::fs::{self, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};
use ureq::Agent;
use ureq::http::{StatusCode, header};
use vivarium_models::links;

use super::sources::{RemoteFile, Sum};
use crate::error::{Error, Result};

/// How often a mirror that disconnects is asked again.
const ATTEMPTS: usize = 3;

/// The maximum unpacked size, for checksums of the unpacked content.
const MOST_UNPACKED: u64 = 1 << 30;

/// A client that gives up on servers that do not answer, or that send nothing for this time.
pub(super) fn agent(patience: Duration) -> Agent {
    Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_recv_response(Some(patience))
        .timeout_per_read(Some(patience))
        .user_agent(concat!("vivarium/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .build()
        .into()
}

/// Downloads a file into a folder from the first address that has it, resuming an earlier attempt. `told` receives the
/// number of bytes so far and in all, and returns whether to continue.
///
/// # Errors
/// The failure of each address.
pub(super) fn fetch(
    agent: &Agent,
    addresses: &[String],
    file: &RemoteFile,
    folder: &Path,
    told: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<PathBuf> {
    let whole = folder.join(file.name);
    if whole.is_file() && is_right(&whole, file.sum)? {
        told(file.bytes, file.bytes);
        return Ok(whole);
    }
    let part = folder.join(format!("{}.part", file.name));
    let mut failures = Vec::new();
    for address in addresses {
        // The partial file of an earlier attempt may be of another file.
        let had_part = part.exists();
        let mut result = from_one(agent, address, file, &part, told)?;
        if result == Err(WRONG.to_owned()) && had_part {
            result = from_one(agent, address, file, &part, told)?;
        }
        match result {
            Ok(()) => {
                fs::rename(&part, &whole).map_err(|e| Error::file(&whole, e))?;
                return Ok(whole);
            }
            Err(failure) => failures.push(format!("{address}: {failure}")),
        }
    }
    Err(Error::Fetch(failures.join("; ")))
}

const WRONG: &str = "the received file has a wrong SHA-256";

/// Completes a partial file and checks its checksum; the inner error is the reason that this address does not work.
fn from_one(
    agent: &Agent,
    address: &str,
    file: &RemoteFile,
    part: &Path,
    told: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<std::result::Result<(), String>> {
    let mut failure = String::new();
    for _ in 0..ATTEMPTS {
        match go_on(agent, address, file, part, told) {
            Ok(()) if is_right(part, file.sum)? => return Ok(Ok(())),
            Ok(()) => {
                fs::remove_file(part).map_err(|e| Error::file(part, e))?;
                return Ok(Err(WRONG.to_owned()));
            }
            Err(Failure::Own(error)) => return Err(error),
            Err(Failure::Final(words)) => return Ok(Err(words)),
            Err(Failure::Passing(words)) => failure = words,
        }
    }
    Ok(Err(failure))
}

/// The reason that a mirror was given up.
enum Failure {
    /// A local error.
    Own(Error),
    /// Retrying would not help.
    Final(String),
    /// Resuming may help.
    Passing(String),
}

/// Downloads the missing part of a file.
fn go_on(
    agent: &Agent,
    address: &str,
    file: &RemoteFile,
    part: &Path,
    told: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<(), Failure> {
    let own = |e: io::Error| Failure::Own(Error::file(part, e));
    let there = fs::metadata(part).map_or(0, |part| part.len());
    let mut request = agent
        .get(address)
        .header(header::ACCEPT_ENCODING, "identity");
    if there > 0 {
        request = request.header(header::RANGE, format!("bytes={there}-"));
    }
    let response = request
        .call()
        .map_err(|e| Failure::Passing(e.to_string()))?;
    let header = |name| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let goes_on = header(header::CONTENT_RANGE)
        .is_some_and(|range| range.starts_with(&format!("bytes {there}-")));
    let start = match response.status() {
        StatusCode::OK => 0,
        StatusCode::PARTIAL_CONTENT if goes_on => there,
        StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PARTIAL_CONTENT => {
            // Either the file was complete, or it is not a part of this one.
            fs::remove_file(part).map_err(own)?;
            return Err(Failure::Passing(
                "the partial file of an earlier attempt does not belong to this file".to_owned(),
            ));
        }
        status if status.is_server_error() => {
            return Err(Failure::Passing(format!("answers {status}")));
        }
        status => return Err(Failure::Final(format!("answers {status}"))),
    };
    let length = header(header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    let of = length.map_or(file.bytes, |length| start + length);
    let most = 2 * file.bytes;
    links::refuse(part).map_err(own)?;
    let mut out = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(start == 0)
        .append(start > 0)
        .open(part)
        .map_err(own)?;
    let mut body = response
        .into_body()
        .into_reader()
        .take(most.saturating_sub(start) + 1);
    let mut done = start;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = match body.read(&mut buffer) {
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) if is_timeout(&e) => {
                let patience = agent.config().timeout_per_read().unwrap_or_default();
                return Err(Failure::Passing(format!(
                    "sent nothing for {} s, after {done} of {of} bytes",
                    patience.as_secs_f64()
                )));
            }
            Err(e) => {
                return Err(Failure::Passing(format!(
                    "disconnected after {done} bytes: {e}"
                )));
            }
        };
        out.write_all(&buffer[..read]).map_err(own)?;
        done += read as u64;
        if done > most {
            drop(out);
            fs::remove_file(part).map_err(own)?;
            return Err(Failure::Final(format!("sends more than {most} bytes")));
        }
        if !told(done, of) {
            return Err(Failure::Own(Error::Fetch("stopped".to_owned())));
        }
        if read == 0 {
            break;
        }
    }
    if done < of {
        return Err(Failure::Passing(format!(
            "disconnected after {done} of {of} bytes"
        )));
    }
    out.sync_all().map_err(own)
}

fn is_timeout(error: &io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    matches!(cause, Some(ureq::Error::Timeout(_)))
}

fn is_right(path: &Path, sum: Sum) -> Result<bool> {
    let mut file = links::open(path).map_err(|e| Error::file(path, e))?;
    let (expected, found) = match sum {
        Sum::File(expected) => (
            expected,
            sha256(&mut file).map_err(|e| Error::file(path, e))?,
        ),
        Sum::Unpacked(expected) => {
            let mut unpacked = MultiGzDecoder::new(BufReader::new(file)).take(MOST_UNPACKED);
            // A file that cannot be unpacked is wrong.
            (expected, sha256(&mut unpacked).unwrap_or_default())
        }
    };
    Ok(found == expected)
}

/// The SHA-256 of a reader's bytes, in hexadecimal.
fn sha256(from: &mut dyn Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => hash.update(&buffer[..read]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(hex::encode(hash.finalize()))
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::net::{TcpListener, TcpStream};
    use std::sync::mpsc::channel;

    use super::*;

    const CONTENT: &[u8] = b"0123456789";

    /// Reads a request and returns the start of its range.
    fn asked(stream: &TcpStream) -> usize {
        let lines = BufReader::new(stream).lines().map_while(Result::ok);
        let lines = lines.take_while(|line| !line.is_empty());
        let ranges = lines.filter_map(|line| {
            let range = line.to_lowercase();
            let start = range.strip_prefix("range: bytes=")?.trim_end_matches('-');
            start.parse().ok()
        });
        ranges.last().unwrap_or(0)
    }

    #[test]
    fn a_server_that_falls_silent_is_left_and_what_it_sent_is_gone_on_with() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/file", listener.local_addr().unwrap());
        let (wakes, sleep) = channel::<()>();
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming().flatten() {
                let start = asked(&stream);
                let (status, range) = match start {
                    0 => ("200 OK", String::new()),
                    _ => (
                        "206 Partial Content",
                        format!("content-range: bytes {start}-9/10\r\n"),
                    ),
                };
                let length = CONTENT.len() - start;
                let mut out = &stream;
                let head = format!("HTTP/1.1 {status}\r\n{range}content-length: {length}\r\n\r\n");
                out.write_all(head.as_bytes()).unwrap();
                // Two bytes more each time, then nothing until the test ends.
                let awake = sleep.try_recv().is_ok();
                let end = if awake { 10 } else { start + 2 };
                out.write_all(&CONTENT[start..end]).unwrap();
                silent.push(stream);
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let sum = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";
        let file = RemoteFile {
            name: "file",
            bytes: 10,
            sum: Sum::File(sum),
        };
        let agent = agent(Duration::from_millis(200));
        let addresses = std::slice::from_ref(&address);
        let fetch = || fetch(&agent, addresses, &file, folder.path(), &mut |_, _| true);
        let refusal = fetch().unwrap_err().to_string();
        let words = format!("{address}: sent nothing for 0.2 s, after 6 of 10 bytes");
        assert!(refusal.contains(&words), "{refusal}");
        let part = folder.path().join("file.part");
        assert_eq!(fs::read(part).unwrap(), CONTENT[..6]);
        wakes.send(()).unwrap();
        assert_eq!(fs::read(fetch().unwrap()).unwrap(), CONTENT);
    }
}
