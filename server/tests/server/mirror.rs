//! A mirror on the loopback interface: a folder over HTTP, as reliable as a test wants it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What a mirror does to those who ask.
#[derive(Clone, Copy, Default)]
pub struct Manners {
    /// Breaks off each answer after so many bytes of it.
    pub breaks_after: Option<usize>,
    /// Takes no note of `Range`.
    pub ignores_ranges: bool,
}

/// A folder over HTTP, until the test's process ends.
pub struct Mirror {
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Mirror {
    pub fn of(folder: &Path, manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (folder, list) = (folder.to_owned(), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = answer(stream, &folder, manners, &list);
            }
        });
        Self { url, asked }
    }

    /// What was asked for so far: path, and the range behind a space.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(
    stream: TcpStream,
    folder: &Path,
    manners: Manners,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(&stream).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut start = None;
    for line in lines {
        let line = line?.to_lowercase();
        if let Some(range) = line.strip_prefix("range: bytes=") {
            start = range.trim_end_matches('-').parse::<usize>().ok();
        }
        if line.is_empty() {
            break;
        }
    }
    let range = start.map_or(String::new(), |start| format!(" {start}-"));
    asked.lock().unwrap().push(format!("{path}{range}"));
    let mut out = &stream;
    let file: PathBuf = folder.join(path.trim_start_matches('/'));
    let Ok(content) = fs::read(file) else {
        return out.write_all(
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        );
    };
    let start = start.filter(|_| !manners.ignores_ranges);
    if start.is_some_and(|start| start >= content.len()) {
        return out.write_all(
            b"HTTP/1.1 416 Range Not Satisfiable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        );
    }
    let body = &content[start.unwrap_or(0)..];
    let status = match start {
        Some(start) => format!(
            "206 Partial Content\r\ncontent-range: bytes {start}-{}/{}",
            content.len() - 1,
            content.len()
        ),
        None => "200 OK".to_owned(),
    };
    write!(
        out,
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    )?;
    out.write_all(&body[..body.len().min(manners.breaks_after.unwrap_or(usize::MAX))])
}
