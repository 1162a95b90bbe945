//! Clients that send a byte now and then hold no place for long.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::{Server, form, form_type, mlp, photos, until, upload_image};

/// Begins a request with a long body, and sends a byte of it every second until there is an answer; gives its first line.
fn dribble(address: &str, path: &str, kind: &str, begin: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: {kind}\r\ncontent-length: 200000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(begin).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    let mut answer = vec![0; 4096];
    let mut length = 0;
    until("the server answers", || {
        match stream.read(&mut answer) {
            Ok(0) => return true,
            Ok(read) => {
                length = read;
                return true;
            }
            Err(_) => {}
        }
        // Nothing came within the second that was waited for.
        let _ = stream.write_all(b"x");
        false
    });
    let text = String::from_utf8_lossy(&answer[..length]).into_owned();
    text.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_byte_now_and_then_holds_no_place() {
    let server = Server::start();
    let address = server.address.as_str();
    let begin = form("image", Some("a.png"), b"");
    let begin = &begin[..begin.len() - 30];
    let kind = form_type();
    std::thread::scope(|scope| {
        let mut slow = Vec::new();
        for path in ["/api/v1/datasets", "/api/v1/tensorboard"] {
            slow.extend((0..2).map(|_| (path, kind.as_str(), begin)));
        }
        slow.extend((0..8).map(|_| ("/api/v1/images", kind.as_str(), begin)));
        for path in [
            "/api/v1/runs",
            "/api/v1/specs/check",
            "/api/v1/sweeps",
            "/api/v1/reports",
        ] {
            slow.push((path, "application/json", &b"{\"name\": \""[..]));
        }
        let answers: Vec<_> = slow
            .into_iter()
            .map(|(path, kind, begin)| {
                (
                    path,
                    scope.spawn(move || dribble(address, path, kind, begin)),
                )
            })
            .collect();
        for (path, answer) in answers {
            assert_eq!(
                answer.join().unwrap(),
                "HTTP/1.1 408 Request Timeout",
                "{path}"
            );
        }
    });
    // Places and scratch are given back.
    let photo = std::fs::read(photos().join("rgb.png")).unwrap();
    assert_eq!(upload_image(&server, &photo).status, 201);
    let set = crate::support::form("file", Some("a.zip"), b"no zip");
    let request = crate::support::agent().post(server.url("/api/v1/datasets"));
    let answer = crate::support::Answer::of(request.header("content-type", kind).send(&set[..]));
    assert_eq!(answer.status, 422, "{}", answer.body);
    server.create(&mlp(1));
    for folder in ["datasets", "boards"] {
        let left = || {
            let entries = std::fs::read_dir(server.data_dir().join(folder));
            entries.into_iter().flatten().flatten().count()
        };
        until("nothing is left of the uploads", || left() == 0);
    }
}
