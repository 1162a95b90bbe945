//! The file of the index: its tables, its opening, and what is done with a damaged one.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OpenFlags};

use super::curves;
use crate::error::{Error, Result};

/// Versions before this one can lose a transaction when the write-ahead log restarts.
const SQLITE_AT_LEAST: i32 = 3_051_003;

/// Raised when the tables change. An older index is brought up to date; one of a version that is
/// not known is set aside and rebuilt.
const VERSION: i32 = 2;

const TABLES: &str = "
CREATE TABLE runs (
    key      INTEGER PRIMARY KEY,
    id       TEXT    NOT NULL UNIQUE,
    name     TEXT    NOT NULL,
    tags     TEXT    NOT NULL DEFAULT '[]',
    notes    TEXT    NOT NULL DEFAULT '',
    sweep    TEXT,
    spec     TEXT    NOT NULL,
    status   TEXT    NOT NULL,
    stopping INTEGER NOT NULL DEFAULT 0,
    queued   INTEGER,                      -- grows from one waiting run to the next
    reason   TEXT,                         -- of the last `finished` event, if it is the last word
    message  TEXT    NOT NULL DEFAULT '',
    summary  TEXT    NOT NULL DEFAULT '{}',
    offset   INTEGER NOT NULL DEFAULT 0,   -- bytes of events.ndjson that are indexed
    seq      INTEGER NOT NULL DEFAULT 0,   -- the last indexed event
    changed  INTEGER NOT NULL,             -- the number of the last change to this row
    deleted  INTEGER NOT NULL DEFAULT 0    -- kept until the next start, to tell those who follow
);
CREATE INDEX runs_changed ON runs (changed);
CREATE TABLE events (
    run  INTEGER NOT NULL,
    seq  INTEGER NOT NULL,
    body TEXT    NOT NULL,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;
";

/// KiB of pages that a reader keeps; the system keeps the file's pages for all of them.
const READER_CACHE_KIB: i32 = 512;

/// Opens the index to write. A file that is damaged, or of another version, is renamed, never
/// overwritten, and a new one takes its place, to be filled from the run directories.
pub fn open(path: &Path) -> Result<Connection> {
    let version = rusqlite::version_number();
    if version < SQLITE_AT_LEAST {
        return Err(Error::Usage(format!(
            "SQLite {version} is too old: {SQLITE_AT_LEAST} is needed"
        )));
    }
    match try_open(path) {
        Ok(connection) => Ok(connection),
        Err(fault) if path.exists() => {
            let aside = set_aside(path)?;
            tracing::error!(
                %fault, index = %path.display(), kept_as = %aside.display(),
                "the index cannot be used and is rebuilt from the run directories; names, tags and notes stay in the file set aside"
            );
            try_open(path).map_err(|fault| Error::Usage(format!("{}: {fault}", path.display())))
        }
        Err(fault) => Err(Error::Usage(format!("{}: {fault}", path.display()))),
    }
}

/// Opens the index to read.
pub fn open_to_read(path: &Path) -> Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    Ok(connection)
}

/// Why a file cannot serve as the index.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error("it is of version {0}, this is version {VERSION}")]
    Version(i32),
}

fn try_open(path: &Path) -> Result<Connection, Fault> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A commit is safe from the death of this process; after a power cut the last ones may be
    // missing, and are read again from the directories.
    connection.pragma_update(None, "synchronous", "normal")?;
    let check: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if check != "ok" {
        return Err(Fault::Damaged(check));
    }
    match connection.query_row("PRAGMA user_version", [], |row| row.get(0))? {
        VERSION => {}
        0 => {
            connection.execute_batch(&format!(
                "BEGIN; {TABLES} {} PRAGMA user_version = {VERSION}; COMMIT;",
                curves::TABLE
            ))?;
        }
        1 => {
            let transaction = connection.unchecked_transaction()?;
            transaction.execute_batch(curves::TABLE)?;
            curves::fill(&transaction)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            transaction.commit()?;
        }
        other => return Err(Fault::Version(other)),
    }
    Ok(connection)
}

/// Renames the index and its companions, and returns the new name.
fn set_aside(path: &Path) -> Result<PathBuf> {
    let now = humantime::format_rfc3339_seconds(SystemTime::now())
        .to_string()
        .replace(':', "");
    let aside = with_suffix(path, &format!(".damaged-{now}"));
    for companion in ["", "-wal", "-shm"] {
        let (from, to) = (with_suffix(path, companion), with_suffix(&aside, companion));
        if from.exists() {
            fs::rename(&from, &to).map_err(|e| Error::file(&from, e))?;
        }
    }
    Ok(aside)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_index_is_set_aside_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite3");
        fs::write(
            &path,
            "this is not a database, but somebody's only copy of something",
        )
        .unwrap();
        let connection = open(&path).unwrap();
        let runs: i64 = connection
            .query_row("SELECT count(*) FROM runs", [], |r| r.get(0))
            .unwrap();
        assert_eq!(runs, 0);
        let kept = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|p| p.to_string_lossy().contains("damaged"))
            .expect("the damaged file is kept");
        assert!(fs::read_to_string(kept).unwrap().contains("only copy"));
    }

    #[test]
    fn an_older_index_keeps_its_labels_and_gets_its_curves() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite3");
        let steps = r#"{"seq":1,"kind":"steps","first_step":1,"epoch":1,"samples_seen":8,"loss":[2.5,1.5],"accuracy":[0.1,0.2],"lr":[0.1,0.1]}"#;
        let old = Connection::open(&path).unwrap();
        old.execute_batch(&format!("{TABLES} PRAGMA user_version = 1;"))
            .unwrap();
        old.execute("INSERT INTO runs (key, id, name, spec, status, changed) VALUES (7, 'x', 'mine', '{}', 'finished', 1)", [])
            .unwrap();
        old.execute("INSERT INTO events VALUES (7, 1, ?1)", [steps])
            .unwrap();
        drop(old);
        let index = open(&path).unwrap();
        let name: String = index
            .query_row("SELECT name FROM runs", [], |row| row.get(0))
            .unwrap();
        assert_eq!(name, "mine");
        let curves = curves::read(&index, 7, 1).unwrap();
        assert_eq!(
            (&curves.step[..], &curves.loss[..]),
            (&[1, 2][..], &[2.5, 1.5][..])
        );
    }

    #[test]
    fn a_sound_index_is_opened_again_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite3");
        let connection = open(&path).unwrap();
        connection
            .execute("INSERT INTO events VALUES (1, 1, '{}')", [])
            .unwrap();
        drop(connection);
        let events: i64 = open(&path)
            .unwrap()
            .query_row("SELECT count(*) FROM events", [], |r| r.get(0))
            .unwrap();
        assert_eq!(events, 1);
    }
}
