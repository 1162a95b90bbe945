//! The feed: every event once, in order, whoever reads and however.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rustix::net::sockopt::set_socket_recv_buffer_size;
use serde_json::{Value, json};

use crate::support::{ENDLESS, Server, mlp, signal, until};

/// A reader of a stream, at the level of bytes, so that nothing is read that is not asked for.
pub struct Reader {
    stream: BufReader<TcpStream>,
}

/// One message.
#[derive(Debug, Default)]
pub struct Message {
    pub id: String,
    pub event: String,
    pub data: String,
}

impl Reader {
    pub fn open(server: &Server, query: &str, last: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let last = last.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        // HTTP/1.0: no chunks between the bytes of the stream.
        write!(
            stream,
            "GET /api/v1/events?{query} HTTP/1.0\r\nHost: localhost\r\n{last}\r\n"
        )
        .unwrap();
        let mut reader = Self {
            stream: BufReader::new(stream),
        };
        let status = reader.line().unwrap();
        assert!(status.contains("200"), "{status}");
        while !reader.line().unwrap().is_empty() {}
        reader
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// The next message that has data; `None` at the end of the stream.
    pub fn next(&mut self) -> Option<Message> {
        let mut message = Message::default();
        loop {
            let line = self.line()?;
            match line.split_once(": ") {
                Some(("id", id)) => message.id = id.to_owned(),
                Some(("event", event)) => message.event = event.to_owned(),
                Some(("data", data)) => message.data = data.to_owned(),
                _ if line.is_empty() && !message.data.is_empty() => return Some(message),
                _ => {}
            }
        }
    }
}

#[test]
fn a_hundred_reconnections_bring_the_log_once_and_in_order() {
    let server = Server::start();
    let id = server.create(&mlp(ENDLESS));
    let (mut got, mut last) = (Vec::new(), None::<String>);
    for connection in 0..100 {
        let mut reader = Reader::open(&server, &format!("run={id}"), last.as_deref());
        // Not the same number each time, so that breaks fall within and between batches.
        for _ in 0..connection % 7 + 1 {
            let message = reader.next().unwrap();
            last = Some(message.id);
            got.push(message.data);
        }
    }
    server.post(&format!("/api/v1/runs/{id}/stop"), &json!({}));
    server.await_status(&id, "stopped");
    let log = server.log_lines(&id);
    let mut reader = Reader::open(&server, &format!("run={id}"), last.as_deref());
    while got.len() < log.len() {
        got.push(reader.next().unwrap().data);
    }
    assert_eq!(got, log);
}

/// A reader that takes single bytes, and keeps every byte it took.
struct Sipper {
    stream: TcpStream,
    taken: Vec<u8>,
}

impl Sipper {
    fn open(server: &Server, id: &str) -> Self {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        // The kernel would otherwise take megabytes on the reader's behalf, and nobody be slow.
        set_socket_recv_buffer_size(&stream, 1 << 16).unwrap();
        write!(
            stream,
            "GET /api/v1/events?run={id} HTTP/1.0\r\nHost: localhost\r\n\r\n"
        )
        .unwrap();
        Self {
            stream,
            taken: Vec::new(),
        }
    }

    fn sip(&mut self) {
        let mut byte = [0];
        self.stream.read_exact(&mut byte).unwrap();
        self.taken.push(byte[0]);
    }

    /// Takes the rest, up to the event with this number, and returns the data of all events.
    fn gulp(mut self, last: usize) -> Vec<String> {
        let end = format!("id: {last}\n");
        let mut chunk = vec![0; 1 << 16];
        loop {
            let tail = self.taken.len().saturating_sub(1 << 17);
            let tail = String::from_utf8_lossy(&self.taken[tail..]).into_owned();
            if tail.contains(&end) && tail.ends_with("\n\n") {
                break;
            }
            let read = self.stream.read(&mut chunk).unwrap();
            assert!(read > 0, "the stream ended early");
            self.taken.extend_from_slice(&chunk[..read]);
        }
        let text = String::from_utf8(self.taken).unwrap();
        text.lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .map(str::to_owned)
            .collect()
    }
}

#[test]
fn readers_that_take_a_byte_a_second_cost_no_memory_and_lose_nothing() {
    const READERS: u64 = 20;
    const LOG_GROWS_BY: u64 = 4 << 20;
    let server = Server::start();
    let id = server.create(&mlp(ENDLESS));
    let mut slow: Vec<_> = (0..READERS).map(|_| Sipper::open(&server, &id)).collect();
    slow.iter_mut().for_each(Sipper::sip);
    server.await_step(&id, 2_000);
    let memory = || -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let log_size = || {
        let log = server.run_dir(&id).join("events.ndjson");
        std::fs::metadata(log).unwrap().len()
    };
    let (before, size) = (memory(), log_size());
    // If it were queued for each of them, it would be five times what is allowed below.
    while log_size() < size + LOG_GROWS_BY {
        slow.iter_mut().for_each(Sipper::sip);
        std::thread::sleep(Duration::from_secs(1));
    }
    let grown = memory().saturating_sub(before);
    assert!(grown < 16 * 1024, "the server grew by {grown} KiB");
    server.post(&format!("/api/v1/runs/{id}/stop"), &json!({}));
    server.await_status(&id, "stopped");
    // Who was slow and then reads on has missed nothing.
    let log = server.log_lines(&id);
    slow.truncate(3);
    for reader in slow {
        assert!(reader.taken.len() < 100, "it took its time");
        assert_eq!(reader.gulp(log.len()), log);
    }
}

#[test]
fn events_arrive_while_they_are_written() {
    let server = Server::start();
    let id = server.create(&mlp(ENDLESS));
    let mut reader = Reader::open(&server, &format!("run={id}"), None);
    reader.next().unwrap();
    server.await_step(&id, 100);
    // With the worker halted, no later event can bring the last one along.
    let worker = server.worker_pid(&id);
    signal(worker, "STOP");
    let log = server.log_lines(&id);
    for line in &log[1..] {
        assert_eq!(&reader.next().unwrap().data, line);
    }
    signal(worker, "CONT");
}

#[test]
fn several_runs_share_a_stream_and_each_keeps_its_place() {
    let server = Server::start();
    let ids: Vec<_> = (1..=3).map(|epochs| server.create(&mlp(epochs))).collect();
    for id in &ids {
        server.await_status(id, "finished");
    }
    let logs: Vec<_> = ids.iter().map(|id| server.log_lines(id)).collect();
    let total: usize = logs.iter().map(Vec::len).sum();
    let query = ids
        .iter()
        .map(|id| format!("run={id}"))
        .collect::<Vec<_>>()
        .join("&");
    let mut got = vec![Vec::new(); 3];
    let mut last = None::<String>;
    while got.iter().map(Vec::len).sum::<usize>() < total {
        let mut reader = Reader::open(&server, &query, last.as_deref());
        for _ in 0..5.min(total - got.iter().map(Vec::len).sum::<usize>()) {
            let message = reader.next().unwrap();
            let run = ids.iter().position(|id| *id == message.event).unwrap();
            got[run].push(message.data);
            last = Some(message.id);
        }
    }
    assert_eq!(got, logs);
}

#[test]
fn states_of_all_runs_are_told_at_once_and_when_they_change() {
    let server = Server::start();
    let old = server.create(&mlp(1));
    server.await_status(&old, "finished");
    let mut reader = Reader::open(&server, "", None);
    let first = reader.next().unwrap();
    assert_eq!((first.event.as_str(), first.id.as_str()), ("run", ""));
    let run: Value = serde_json::from_str(&first.data).unwrap();
    assert_eq!(
        (&run["id"], &run["status"]),
        (&json!(old), &json!("finished"))
    );
    // States are told five times a second: one that is to be seen must last.
    let new = server.create(&mlp(ENDLESS));
    let mut seen = Vec::new();
    while seen.last().is_none_or(|status| status != "stopped") {
        let run: Value = serde_json::from_str(&reader.next().unwrap().data).unwrap();
        if run["id"] == json!(new) {
            let status = run["status"].as_str().unwrap().to_owned();
            if status == "running" && !seen.contains(&status) {
                server.post(&format!("/api/v1/runs/{new}/stop"), &json!({}));
            }
            seen.push(status);
        }
    }
    assert!(seen.iter().any(|status| status == "running"), "{seen:?}");
    server.delete(&format!("/api/v1/runs/{old}"));
    let message = loop {
        let message = reader.next().unwrap();
        if message.event == "removed" {
            break message;
        }
    };
    assert_eq!(message.data, json!({"id": old}).to_string());
}

#[test]
fn who_follows_a_run_is_told_when_it_is_deleted() {
    let server = Server::start_with(&["--jobs", "2"]);
    let (first, second) = (server.create(&mlp(ENDLESS)), server.create(&mlp(ENDLESS)));
    let queries = [
        format!("run={first}"),
        format!("run={first}&include=status"),
        format!("run={first}&run={second}"),
    ];
    let mut readers: Vec<_> = queries
        .iter()
        .map(|query| Reader::open(&server, query, None))
        .collect();
    for reader in &mut readers {
        reader.next().unwrap();
    }
    server.delete(&format!("/api/v1/runs/{first}")).expect(204);
    let gone = |id: &String| json!({ "id": id }).to_string();
    for (reader, query) in readers.iter_mut().zip(&queries) {
        let told = std::iter::from_fn(|| reader.next()).find(|it| it.event == "removed");
        assert_eq!(told.expect(query).data, gone(&first), "{query}");
    }
    for (reader, query) in readers.iter_mut().zip(&queries).take(2) {
        let rest = std::iter::from_fn(|| reader.next()).filter(|it| it.event != "run");
        assert_eq!(rest.count(), 0, "{query}: nothing follows");
    }
    // The other one is followed until it is gone too.
    let both = &mut readers[2];
    let goes_on = std::iter::from_fn(|| both.next()).find(|it| it.event == second);
    assert!(goes_on.is_some());
    server.delete(&format!("/api/v1/runs/{second}")).expect(204);
    let told = std::iter::from_fn(|| both.next()).find(|it| it.event == "removed");
    assert_eq!(told.unwrap().data, gone(&second));
    assert!(both.next().is_none());
}

#[test]
fn the_state_of_a_run_comes_with_its_log_where_it_is_asked_for() {
    let server = Server::start();
    let id = server.create(&mlp(5));
    let mut reader = Reader::open(&server, &format!("run={id}&include=status"), None);
    let (mut log, mut finished) = (Vec::new(), false);
    while !finished {
        let message = reader.next().unwrap();
        if message.event == "run" {
            let run: Value = serde_json::from_str(&message.data).unwrap();
            finished = run["status"] == "finished";
        } else {
            log.push(message.data);
        }
    }
    assert_eq!(log, server.log_lines(&id));
}

#[test]
fn streams_end_when_the_server_stops() {
    let mut server = Server::start();
    let id = server.create(&mlp(1));
    server.await_status(&id, "finished");
    let mut readers: Vec<_> = (0..5).map(|_| Reader::open(&server, "", None)).collect();
    for reader in &mut readers {
        reader.next().unwrap();
    }
    server.stop();
    for reader in &mut readers {
        while reader.next().is_some() {}
    }
}

#[test]
fn a_run_that_is_gone_is_told_and_cuts_no_other_off() {
    let server = Server::start();
    let missing = "0199d3a0-0000-7000-8000-000000000000";
    let (gone, stays) = (server.create(&mlp(1)), server.create(&mlp(2)));
    server.await_status(&gone, "finished");
    server.await_status(&stays, "finished");
    let query = format!("run={missing}&run={gone}&run={stays}&after=0.1000.0");
    let mut reader = Reader::open(&server, &query, None);
    let first = reader.next().unwrap();
    assert_eq!(first.event, "removed");
    assert_eq!(first.data, json!({"id": missing}).to_string());
    let log = server.log_lines(&stays);
    let got: Vec<_> = (0..log.len()).map(|_| reader.next().unwrap()).collect();
    assert!(got.iter().all(|message| message.event == stays));
    assert_eq!(got.into_iter().map(|m| m.data).collect::<Vec<_>>(), log);
    server.delete(&format!("/api/v1/runs/{gone}"));
    let told = reader.next().unwrap();
    assert_eq!(
        (told.event.as_str(), told.data),
        ("removed", json!({"id": gone}).to_string())
    );
    // Nothing can follow the last one.
    server.delete(&format!("/api/v1/runs/{stays}"));
    assert_eq!(reader.next().unwrap().event, "removed");
    assert!(reader.next().is_none());
}

/// Reads up to the message that says how far states were told; its change, and what was before it.
fn up_to(reader: &mut Reader) -> (i64, Vec<Message>) {
    let mut before = Vec::new();
    loop {
        let message = reader.next().unwrap();
        if message.event == "upto" {
            let data: Value = serde_json::from_str(&message.data).unwrap();
            return (data["change"].as_i64().unwrap(), before);
        }
        before.push(message);
    }
}

#[test]
fn a_stream_that_is_opened_again_tells_what_has_changed_since() {
    let mut server = Server::start();
    let (a, b) = (server.create(&mlp(1)), server.create(&mlp(1)));
    server.await_status(&a, "finished");
    server.await_status(&b, "finished");
    let mut reader = Reader::open(&server, "status=all", None);
    let (change, told) = up_to(&mut reader);
    assert_eq!(told[0].event, "server");
    let index: Value = serde_json::from_str(&told[0].data).unwrap();
    let index = index["index"].as_str().unwrap().to_owned();
    assert_eq!(told[1..].iter().filter(|m| m.event == "run").count(), 2);
    drop(reader);
    server.patch(&format!("/api/v1/runs/{a}"), &json!({"notes": "new"}));
    server.delete(&format!("/api/v1/runs/{b}"));
    let events = |server: &Server, query: &str| -> Vec<String> {
        let (_, told) = up_to(&mut Reader::open(server, query, None));
        told.into_iter().skip(1).map(|m| m.event).collect()
    };
    let since = format!("status=all&since={index}.{change}");
    assert_eq!(events(&server, &since), ["run", "removed"]);
    // Of the runs that are named, where those are few.
    let named = format!("status={a}&since={index}.{change}");
    assert_eq!(events(&server, &named), ["run"]);
    assert_eq!(events(&server, &format!("status={b}")), ["removed"]);
    assert!(events(&server, "status=none").is_empty());
    // Another index counts anew: its states are told from the beginning.
    server.stop();
    server.restart();
    assert_eq!(
        events(&server, &format!("status=all&since={index}.999999")),
        ["run"]
    );
}

#[test]
fn a_stream_of_what_is_not_there_is_refused() {
    let server = Server::start();
    let missing = "0199d3a0-0000-7000-8000-000000000000";
    assert_eq!(
        server.get(&format!("/api/v1/events?run={missing}")).status,
        404
    );
    assert_eq!(server.get("/api/v1/events?runs=1").status, 400);
    until("no stream is left open", || {
        server
            .get("/metrics")
            .body
            .contains("vivarium_event_streams 0")
    });
}
