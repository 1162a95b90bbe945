//! The index is held by other programs, cut, damaged and lost; no run and no label suffers.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{ENDLESS, Server, agent, mlp, until};

/// Holds the index's write lock, as a viewer or a backup does, while `meanwhile` runs.
fn while_locked<T>(server: &Server, meanwhile: impl FnOnce() -> T) -> T {
    let other = server.index();
    other.busy_timeout(Duration::from_secs(60)).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let result = meanwhile();
    other.execute_batch("COMMIT").unwrap();
    result
}

fn await_more_lines(server: &Server, id: &str, more: usize) {
    let before = server.log_lines(id).len();
    until("the worker goes on", || {
        server.log_lines(id).len() >= before + more
    });
}

fn await_indexed(server: &Server, id: &str) {
    until("what is indexed is the log", || {
        server.indexed_lines(id) == server.log_lines(id)
    });
}

#[test]
fn a_change_waits_for_another_program_and_every_run_is_followed_on() {
    let server = Server::start_with(&["--jobs", "2"]);
    let ids = [server.create(&mlp(ENDLESS)), server.create(&mlp(ENDLESS))];
    for id in &ids {
        server.await_step(id, 100);
    }
    let path = format!("/api/v1/runs/{}", ids[0]);
    for round in 0..3 {
        let name = format!("round {round}");
        std::thread::scope(|scope| {
            let change = while_locked(&server, || {
                let change = scope.spawn(|| server.patch(&path, &json!({"name": name})));
                await_more_lines(&server, &ids[1], 10);
                // Readers need not wait.
                assert_eq!(server.get("/api/v1/runs").status, 200);
                change
            });
            assert_eq!(change.join().unwrap().expect(200)["name"], name);
        });
    }
    for id in &ids {
        server.post(&format!("/api/v1/runs/{id}/stop"), &json!({}));
        server.await_status(id, "stopped");
        assert_eq!(server.indexed_lines(id), server.log_lines(id));
    }
}

#[test]
fn a_change_that_waits_too_long_is_told_when_to_come_again_and_is_not_made() {
    let server = Server::start();
    let id = server.create(&mlp(ENDLESS));
    server.await_step(&id, 100);
    let path = format!("/api/v1/runs/{id}");
    let answer = while_locked(&server, || server.patch(&path, &json!({"name": "later"})));
    answer.expect(503);
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    // What was indexed meanwhile comes in, and the change that was refused does not.
    let behind = server.log_lines(&id).len();
    until("the index catches up", || {
        server.indexed_lines(&id).len() >= behind
    });
    assert_eq!(server.run(&id)["name"], "mlp on moons");
    assert_eq!(server.status(&id), "running");
    server.patch(&path, &json!({"name": "later"})).expect(200);
    assert_eq!(server.run(&id)["name"], "later");
}

#[test]
fn a_run_that_ends_while_the_index_is_held_has_ended_when_it_is_free() {
    let server = Server::start();
    let first = server.create(&mlp(ENDLESS));
    let next = server.create(&mlp(1));
    server.await_step(&first, 100);
    while_locked(&server, || {
        crate::support::signal(server.worker_pid(&first), "TERM");
        until("the worker says its last word", || {
            server
                .log_lines(&first)
                .last()
                .is_some_and(|line| line.contains(r#""kind":"finished""#))
        });
    });
    server.await_status(&first, "stopped");
    server.await_status(&next, "finished");
    await_indexed(&server, &first);
}

#[test]
fn a_server_that_starts_while_the_index_is_held_takes_its_runs_over() {
    let mut server = Server::start();
    let id = server.create(&mlp(ENDLESS));
    server.await_step(&id, 100);
    server
        .patch(&format!("/api/v1/runs/{id}"), &json!({"name": "mine"}))
        .expect(200);
    server.kill();
    let before = server.log_lines(&id).len();
    let other = server.index();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    server.restart();
    assert_eq!(server.run(&id)["name"], "mine");
    await_more_lines(&server, &id, 5);
    other.execute_batch("COMMIT").unwrap();
    until("the run is followed", || {
        server.indexed_lines(&id).len() > before + 5
    });
    assert_eq!(server.status(&id), "running");
}

/// Ends the server, changes the run's log, and starts again.
fn with_log(server: &mut Server, id: &str, change: impl FnOnce(&mut Vec<u8>)) {
    server.stop();
    let path = server.run_dir(id).join("events.ndjson");
    let mut log = fs::read(&path).unwrap();
    change(&mut log);
    fs::write(&path, log).unwrap();
    server.restart();
}

/// The byte at which line `number` begins.
fn start_of_line(log: &[u8], number: usize) -> usize {
    let ends = log.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.map(|(at, _)| at + 1).nth(number - 2).unwrap()
}

#[test]
fn a_log_that_lost_its_end_is_the_truth_and_its_run_goes_on() {
    let mut server = Server::start();
    let id = server.create(&mlp(ENDLESS));
    server.await_step(&id, 500);
    // Whole lines are gone; half a line is; then all but the first.
    for (lost, torn) in [(5, 0), (3, 20), (usize::MAX, 7)] {
        with_log(&mut server, &id, |log| {
            let lines = log.iter().filter(|byte| **byte == b'\n').count();
            let first_lost = lines.saturating_sub(lost).max(1) + 1;
            log.truncate(start_of_line(log, first_lost) + torn);
        });
        server.await_status(&id, "running");
        await_more_lines(&server, &id, 20);
        server.post(&format!("/api/v1/runs/{id}/stop"), &json!({}));
        let run = server.await_status(&id, "stopped");
        assert_eq!(server.indexed_lines(&id), server.log_lines(&id));
        assert_eq!(run["summary"]["events"], server.log_lines(&id).len());
        server
            .post(&format!("/api/v1/runs/{id}/resume"), &json!({}))
            .expect(202);
        server.await_status(&id, "running");
    }
}

#[test]
fn a_finished_run_whose_log_lost_its_last_word_is_told_and_can_go_on() {
    let mut server = Server::start();
    let id = server.create(&mlp(3));
    server.await_status(&id, "finished");
    with_log(&mut server, &id, |log| {
        let lines = log.iter().filter(|byte| **byte == b'\n').count();
        // In the middle of the last line: it was indexed and is torn.
        log.truncate(start_of_line(log, lines) + 9);
    });
    let run = server.await_status(&id, "failed");
    assert!(
        run["message"].as_str().unwrap().contains("final event"),
        "{run}"
    );
    server
        .post(&format!("/api/v1/runs/{id}/resume"), &json!({}))
        .expect(202);
    server.await_status(&id, "finished");
    await_indexed(&server, &id);
}

#[test]
fn a_log_that_was_replaced_is_indexed_anew() {
    let mut server = Server::start();
    let ids = [server.create(&mlp(2)), server.create(&mlp(3))];
    for id in &ids {
        server.await_status(id, "finished");
    }
    let logs = [&ids[0], &ids[1]].map(|id| server.run_dir(id).join("events.ndjson"));
    let whole = logs.each_ref().map(|log| fs::read(log).unwrap());
    // By a longer one and by a shorter one, beside a running server.
    fs::write(&logs[0], &whole[1]).unwrap();
    fs::write(&logs[1], &whole[0]).unwrap();
    for id in &ids {
        await_indexed(&server, id);
    }
    until("its figures follow", || {
        server.run(&ids[0])["summary"]["epoch"] == 3
    });
    // By one of the same length, between two servers.
    with_log(&mut server, &ids[0], |log| {
        let last = start_of_line(log, log.iter().filter(|byte| **byte == b'\n').count());
        let text = String::from_utf8(log[last..].to_vec()).unwrap();
        log.truncate(last);
        log.extend(text.replace("completed", "diverged!").bytes());
    });
    await_indexed(&server, &ids[0]);
}

/// Names, tags and notes of a run.
fn labels(server: &Server, id: &str) -> [Value; 3] {
    let run = server.run(id);
    ["name", "tags", "notes"].map(|field| run[field].clone())
}

/// Removes the index, or what SQLite has not yet moved into it.
fn remove_index(server: &Server, suffixes: &[&str]) {
    for suffix in suffixes {
        let path = server.data_dir().join(format!("index.sqlite3{suffix}"));
        if path.exists() {
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn labels_outlive_an_index_that_is_lost_emptied_or_cut() {
    let mut server = Server::start();
    let ids = [server.create(&mlp(1)), server.create(&mlp(1))];
    for id in &ids {
        server.await_status(id, "finished");
    }
    let given = json!({"name": "the good one", "tags": ["final", "ü"], "notes": "Seen.\nTwice."});
    let path = format!("/api/v1/runs/{}", ids[0]);
    server.patch(&path, &given).expect(200);
    let before = ids.each_ref().map(|id| labels(&server, id));
    for round in 0..4 {
        server.kill();
        match round {
            0 => remove_index(&server, &["", "-wal", "-shm"]),
            // Only what was moved out of the write-ahead log is left.
            1 => remove_index(&server, &["-wal", "-shm"]),
            2 => {
                remove_index(&server, &["-wal", "-shm"]);
                fs::write(server.data_dir().join("index.sqlite3"), "").unwrap();
            }
            _ => {
                remove_index(&server, &["-wal", "-shm"]);
                fs::write(server.data_dir().join("index.sqlite3"), vec![b'?'; 50_000]).unwrap();
            }
        }
        server.restart();
        for (id, before) in ids.iter().zip(&before) {
            server.await_status(id, "finished");
            assert_eq!(&labels(&server, id), before, "round {round}");
        }
    }
}

#[test]
fn a_change_of_labels_that_was_cut_short_is_carried_through_and_the_trash_has_its_own() {
    let mut server = Server::start();
    let id = server.create(&mlp(1));
    server.await_status(&id, "finished");
    let path = format!("/api/v1/runs/{id}");
    server.patch(&path, &json!({"tags": ["first"]})).expect(200);
    let file = server.data_dir().join("labels").join(format!("{id}.json"));
    server.kill();
    // Killed after the file was written and before the index was.
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("first", "second")).unwrap();
    server.restart();
    assert_eq!(server.run(&id)["tags"], json!(["second"]));
    // An index of before there were such files fills them.
    server.kill();
    fs::remove_dir_all(server.data_dir().join("labels")).unwrap();
    server.restart();
    assert!(fs::read_to_string(&file).unwrap().contains("second"));
    // Into the trash and back, whatever becomes of the index in between.
    server.delete(&path).expect(204);
    assert!(!file.exists());
    server.kill();
    remove_index(&server, &["", "-wal", "-shm"]);
    server.restart();
    server
        .post(&format!("{path}/restore"), &json!({}))
        .expect(200);
    assert_eq!(server.run(&id)["tags"], json!(["second"]));
    assert!(fs::read_to_string(&file).unwrap().contains("second"));
}

#[test]
fn labels_that_cannot_be_written_are_refused_and_nothing_is_changed() {
    let server = Server::start();
    let id = server.create(&mlp(1));
    server.await_status(&id, "finished");
    // A file where the folder should be.
    fs::write(server.data_dir().join("labels"), "").unwrap();
    let path = format!("/api/v1/runs/{id}");
    server.patch(&path, &json!({"name": "other"})).expect(500);
    assert_eq!(server.run(&id)["name"], "mlp on moons");
    fs::remove_file(server.data_dir().join("labels")).unwrap();
    server.patch(&path, &json!({"name": "other"})).expect(200);
}

#[test]
fn a_row_that_cannot_be_read_hides_no_other_and_is_read_again_from_its_directory() {
    let mut server = Server::start();
    let id = server.create(&mlp(1));
    let other = server.create(&mlp(1));
    server.await_status(&id, "finished");
    server.await_status(&other, "finished");
    let path = format!("/api/v1/runs/{id}");
    let given = json!({"name": "mine", "tags": ["final"], "notes": "seen"});
    server.patch(&path, &given).expect(200);
    let facts = |server: &Server| {
        let mut run = server.run(&id);
        // A row that does not say whose it was takes its number along.
        for counted in ["changed", "number"] {
            run.as_object_mut().unwrap().remove(counted);
        }
        run
    };
    let kept = |server: &Server| {
        let path = server.data_dir().join("index.unreadable.ndjson");
        fs::read_to_string(path).unwrap_or_default().lines().count()
    };
    let before = facts(&server);
    let faults = [
        "tags = '[\"final'",
        "tags = x'ff'",
        "tags = '{}'",
        "summary = 'nothing'",
        "summary = '{\"step\": \"many\"}'",
        "spec = '{'",
        "name = x'c3'",
        "notes = x'ff00'",
        "changed = 'long ago'",
        "seq = 'three', offset = -1",
        "status = x'00'",
        "line_crc = 'x', line_bytes = 1.5",
        "id = 'x'",
    ];
    for (round, fault) in faults.into_iter().enumerate() {
        // Between two servers, and beside one.
        if round % 2 == 0 {
            server.stop();
        }
        let sql = format!("UPDATE runs SET {fault} WHERE id = ?1");
        assert_eq!(server.index().execute(&sql, [&id]).unwrap(), 1, "{fault}");
        if round % 2 == 0 {
            server.restart();
        }
        let runs = server.get("/api/v1/runs").expect(200)["runs"].clone();
        let runs = runs.as_array().unwrap().clone();
        assert!(runs.iter().any(|run| run["id"] == *other), "{fault}");
        assert_eq!(server.get("/").status, 200, "{fault}");
        until(&format!("{fault}: the row is mended"), || {
            kept(&server) == round + 1 && facts(&server) == before
        });
        await_indexed(&server, &id);
        until(&format!("{fault}: nothing is missing"), || {
            server.get("/api/v1/runs").json()["unreadable"] == json!([])
        });
    }
}

#[test]
fn a_row_without_a_directory_to_read_again_is_told_on_the_page() {
    let mut server = Server::start();
    let id = server.create(&mlp(1));
    let other = server.create(&mlp(1));
    server.await_status(&id, "finished");
    server.await_status(&other, "finished");
    server.stop();
    fs::remove_dir_all(server.run_dir(&id)).unwrap();
    let sql = "UPDATE runs SET summary = '?' WHERE id = ?1";
    server.index().execute(sql, [&id]).unwrap();
    server.restart();
    let mut list = Value::Null;
    until("it is told why", || {
        list = server.get("/api/v1/runs").expect(200);
        let message = list["unreadable"][0]["message"].as_str();
        message.is_some_and(|message| message.contains("spec.json"))
    });
    assert_eq!(list["unreadable"][0]["id"], *id);
    assert_eq!(list["runs"][0]["id"], *other);
    assert!(server.get("/").body.contains("unreadable"));
    assert_eq!(server.get(&format!("/runs/{id}")).status, 503);
}

#[test]
fn an_event_that_cannot_be_read_is_read_again_from_the_log() {
    let server = Server::start();
    let id = server.create(&mlp(1));
    server.await_status(&id, "finished");
    let key = "(SELECT key FROM runs WHERE id = ?1)";
    let sql = format!("UPDATE events SET body = x'ff00' WHERE run = {key} AND seq = 2");
    server.index().execute(&sql, [&id]).unwrap();
    // Whoever comes upon it has it mended.
    until("the index is the log again", || {
        let path = format!("/api/v1/runs/{id}/tensorboard");
        let answer = agent().get(server.url(&path)).call();
        let _ = answer.map(|mut answer| answer.body_mut().read_to_vec());
        let whole = server.index().query_row(
            &format!("SELECT count(*) FROM events WHERE run = {key} AND typeof(body) = 'text'"),
            [&id],
            |row| row.get::<_, usize>(0),
        );
        whole == Ok(server.log_lines(&id).len())
    });
    await_indexed(&server, &id);
}
