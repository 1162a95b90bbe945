//! The file of the index: its tables, how it is opened, and how a damaged one is replaced.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use vivarium_models::links;

use super::writer::BUSY_TIMEOUT;
use super::{curves, extremes, is_busy};
use crate::error::{Error, Result};

/// Earlier versions can lose a transaction when the write-ahead log restarts.
const SQLITE_AT_LEAST: i32 = 3_051_003;

/// Raised when the tables change. An older index is migrated; one of an unknown version is renamed and rebuilt.
const VERSION: i32 = 6;

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
    line_bytes INTEGER,                    -- the length of the line that ends there, without its end
    line_crc INTEGER,                      -- CRC-32C of that line
    curves   INTEGER NOT NULL DEFAULT 0,   -- the last event that is in the curves
    made     INTEGER NOT NULL DEFAULT 0,   -- the number of the change that last made these others, other than longer
    job      TEXT,                         -- what a scheduler tells of the job of an unfinished run
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

/// What is looked up without reading the rows, which are long. Made at each start where missing: an index changes no
/// table, so it needs no version.
const INDEXES: &str = "
CREATE INDEX IF NOT EXISTS runs_listed ON runs (id) WHERE NOT deleted;
CREATE INDEX IF NOT EXISTS runs_status ON runs (status, deleted);
CREATE INDEX IF NOT EXISTS runs_sweep ON runs (sweep, status, deleted) WHERE sweep IS NOT NULL;
CREATE INDEX IF NOT EXISTS runs_queued ON runs (queued);
CREATE INDEX IF NOT EXISTS runs_deleted ON runs (deleted) WHERE deleted;
";

/// The columns that version 3 added to the table of runs.
const MARKS: &str = "
ALTER TABLE runs ADD COLUMN line_bytes INTEGER;
ALTER TABLE runs ADD COLUMN line_crc INTEGER;
";

/// The changes of version 4: curves are rebuilt from the events after the start.
const CURVES: &str = "
ALTER TABLE runs ADD COLUMN curves INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN made INTEGER NOT NULL DEFAULT 0;
DROP TABLE IF EXISTS curves;
";

/// The changes of version 5: blocks of curves have another length, so the curves are rebuilt.
const BLOCKS: &str = "
DROP TABLE curve_values;
DROP TABLE curve_extremes;
DROP TABLE event_marks;
UPDATE runs SET curves = 0;
";

/// The column that version 6 added to the table of runs.
const JOB: &str = "
ALTER TABLE runs ADD COLUMN job TEXT;
";

/// How long the start waits for an index that another program holds.
const OPEN_WITHIN: Duration = Duration::from_secs(60);

/// A longer index is checked at the start only as far as its table of runs: reading all of a gigabyte takes seconds, in
/// which nobody could be answered. [`check`] reads the rest afterwards.
const CHECKED_WITHIN: u64 = 64 << 20;

/// Beside an index that was found damaged while it was in use: the next start replaces it.
const MARK: &str = ".replace";

/// Statements that a connection keeps prepared, more than this program has: preparing one takes longer than running it.
const STATEMENTS: usize = 200;

/// The page cache of a reader in KiB; the operating system caches the file for all of them.
const READER_CACHE_KIB: i32 = 512;

/// Opens the index for writing. A damaged file, or one of an unknown version, is renamed, never overwritten, and
/// replaced by a new one that is filled from the run directories. A file that merely cannot be opened now (another
/// program holds it, the disk is full, access is denied) is left alone.
pub fn open(path: &Path) -> Result<Connection> {
    let failed = |message| Error::IndexFile {
        path: path.to_owned(),
        message,
    };
    let version = rusqlite::version_number();
    if version < SQLITE_AT_LEAST {
        return Err(failed(format!(
            "SQLite {version} is too old: {SQLITE_AT_LEAST} is needed"
        )));
    }
    links::refuse(path).map_err(|e| Error::file(path, e))?;
    match open_within(path, OPEN_WITHIN) {
        Err(fault) if fault.is_damage() => {
            let kept = keep_damaged(path)?;
            let _ = fs::remove_file(with_suffix(path, MARK));
            tracing::error!(
                %fault, index = %path.display(), kept_as = %kept.display(),
                "the index cannot be used and is rebuilt from the run directories; the old file is kept"
            );
            try_open(path).map_err(|fault| failed(fault.to_string()))
        }
        result => result.map_err(|fault| failed(fault.to_string())),
    }
}

/// Retries until no other program holds the file.
fn open_within(path: &Path, patience: Duration) -> Result<Connection, Fault> {
    let until = Instant::now() + patience;
    let mut told = false;
    loop {
        match try_open(path) {
            Err(Fault::Sqlite(error)) if is_busy(&error) && Instant::now() < until => {
                if !told {
                    told = true;
                    tracing::warn!(index = %path.display(), "another program has locked the index: the start waits for it");
                }
                thread::sleep(Duration::from_millis(20));
            }
            result => return result,
        }
    }
}

/// Opens the index for reading.
pub fn open_to_read(path: &Path) -> Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    Ok(connection)
}

/// The reason that a file cannot serve as the index.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error("it is of version {0}, this is version {VERSION}")]
    Version(i32),
}

impl Fault {
    /// Whether the file itself is damaged, rather than inaccessible.
    fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            Self::Sqlite(error) => {
                let code = error.sqlite_error_code();
                // Without a code: a value is not what this program writes. SQLITE_ERROR: a table is missing.
                !matches!(code, Some(code) if !matches!(code, DatabaseCorrupt | NotADatabase | ErrorCode::Unknown))
            }
            Self::Damaged(_) | Self::Version(_) => true,
        }
    }
}

fn try_open(path: &Path) -> Result<Connection, Fault> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A commit survives the death of this process; after a power cut the last ones may be missing, and are indexed
    // again from the directories.
    connection.pragma_update(None, "synchronous", "normal")?;
    if with_suffix(path, MARK).exists() {
        return Err(Fault::Damaged(
            "it was found so while it was in use".to_owned(),
        ));
    }
    let check = match is_long(path) {
        true => "PRAGMA quick_check('runs')",
        false => "PRAGMA quick_check(1)",
    };
    let check: String = connection.query_row(check, [], |row| row.get(0))?;
    if check != "ok" {
        return Err(Fault::Damaged(check));
    }
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version == VERSION {
        connection.execute_batch(INDEXES)?;
        return Ok(connection);
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    match version {
        0 => connection.execute_batch(TABLES)?,
        1 | 2 => connection.execute_batch(&format!("{MARKS} {CURVES} {JOB}"))?,
        3 => connection.execute_batch(&format!("{CURVES} {JOB}"))?,
        4 => connection.execute_batch(&format!("{BLOCKS} {JOB}"))?,
        5 => connection.execute_batch(JOB)?,
        other => return Err(Fault::Version(other)),
    }
    if version < 5 {
        connection.execute_batch(extremes::TABLES)?;
        connection.execute_batch(curves::MARKS)?;
    }
    connection.execute_batch(INDEXES)?;
    connection.pragma_update(None, "user_version", VERSION)?;
    connection.execute_batch("COMMIT")?;
    Ok(connection)
}

/// Whether the index is too long to be checked before it is used.
pub fn is_long(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.len() > CHECKED_WITHIN)
}

/// Checks an index that is in use, all of it. A damaged one is marked, so that the next start replaces it; returns what
/// is wrong with it.
///
/// # Errors
/// When it could not be checked.
pub fn check(path: &Path) -> Result<Option<String>> {
    let connection = open_to_read(path)?;
    let found = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
    let damage = match found.map_err(Fault::Sqlite) {
        Ok(found) if found == "ok" => return Ok(None),
        Ok(found) => found,
        Err(fault) if fault.is_damage() => fault.to_string(),
        Err(Fault::Sqlite(error)) => return Err(error.into()),
        Err(fault) => fault.to_string(),
    };
    let mark = with_suffix(path, MARK);
    fs::write(&mark, &damage).map_err(|e| Error::file(&mark, e))?;
    Ok(Some(damage))
}

/// Renames the index and its companions, and returns the new name.
fn keep_damaged(path: &Path) -> Result<PathBuf> {
    let now = humantime::format_rfc3339_seconds(SystemTime::now())
        .to_string()
        .replace(':', "");
    let kept = with_suffix(path, &format!(".damaged-{now}"));
    for companion in ["", "-wal", "-shm"] {
        let (from, to) = (with_suffix(path, companion), with_suffix(&kept, companion));
        if from.exists() {
            fs::rename(&from, &to).map_err(|e| Error::file(&from, e))?;
        }
    }
    Ok(kept)
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
    fn an_index_that_another_program_holds_is_waited_for_and_never_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite3");
        drop(open(&path).unwrap());
        let other = Connection::open(&path).unwrap();
        other
            .execute_batch(
                "PRAGMA locking_mode = exclusive; BEGIN EXCLUSIVE; CREATE TABLE mine (x); COMMIT",
            )
            .unwrap();
        let fault = open_within(&path, Duration::from_millis(50)).unwrap_err();
        assert!(!fault.is_damage(), "{fault}");
        let waits = thread::spawn({
            let path = path.clone();
            move || open(&path).map(drop)
        });
        drop(other);
        waits.join().unwrap().unwrap();
        let files = fs::read_dir(folder.path()).unwrap().flatten();
        for file in files {
            assert!(!file.file_name().to_string_lossy().contains("damaged"));
        }
    }

    #[test]
    fn blocks_of_another_length_are_dropped_and_their_runs_are_without_curves_until_these_are_made()
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite3");
        let earlier = open(&path).unwrap();
        earlier
            .execute_batch(
                "INSERT INTO runs (key, id, name, spec, status, seq, curves, changed) VALUES (1, 'a', 'a', '{}', 'finished', 7, 7, 1);
                 INSERT INTO curve_values VALUES (1, 0, 0, x'00');
                 INSERT INTO curve_extremes VALUES (1, 0, 1, 0, x'00');
                 INSERT INTO event_marks VALUES (1, 0, 1, NULL);
                 ALTER TABLE runs DROP COLUMN job;
                 PRAGMA user_version = 4",
            )
            .unwrap();
        drop(earlier);
        let connection = open(&path).unwrap();
        let one = |sql: &str| -> i64 { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
        assert_eq!(one("SELECT seq FROM runs"), 7, "the run itself stays");
        assert_eq!(one("SELECT curves FROM runs"), 0);
        for table in ["curve_values", "curve_extremes", "event_marks"] {
            assert_eq!(one(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
        }
        assert_eq!(one("PRAGMA user_version"), i64::from(VERSION));
    }

    #[test]
    fn an_index_that_is_found_damaged_in_use_is_replaced_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite3");
        let connection = open(&path).unwrap();
        connection
            .execute_batch(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000)
                 INSERT INTO events SELECT 1, i, hex(randomblob(200)) FROM n;
                 PRAGMA wal_checkpoint(truncate)",
            )
            .unwrap();
        assert_eq!(check(&path).unwrap(), None);
        let page: u64 = connection
            .query_row(
                "SELECT rootpage FROM sqlite_schema WHERE name = 'events'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        drop(connection);
        let mut bytes = fs::read(&path).unwrap();
        let start = (page as usize - 1) * 4096;
        bytes[start..start + 64].fill(0xff);
        fs::write(&path, bytes).unwrap();
        assert!(check(&path).unwrap().is_some());
        let events = |connection: &Connection| -> i64 {
            connection
                .query_row("SELECT count(*) FROM events", [], |row| row.get(0))
                .unwrap()
        };
        assert_eq!(events(&open(&path).unwrap()), 0, "it is a new one");
        assert_eq!(check(&path).unwrap(), None);
        assert_eq!(events(&open(&path).unwrap()), 0, "and stays");
        let files = fs::read_dir(folder.path()).unwrap().flatten();
        let kept = files.filter(|file| file.file_name().to_string_lossy().contains("damaged-"));
        assert_eq!(kept.count(), 1);
    }

    #[test]
    fn an_index_of_the_version_before_gets_the_column_of_jobs_and_keeps_its_curves() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite3");
        open(&path)
            .unwrap()
            .execute_batch(
                "INSERT INTO runs (key, id, name, spec, status, curves, changed) VALUES (1, 'a', 'a', '{}', 'finished', 7, 1);
                 INSERT INTO curve_values VALUES (1, 0, 0, x'00');
                 ALTER TABLE runs DROP COLUMN job;
                 PRAGMA user_version = 5",
            )
            .unwrap();
        let connection = open(&path).unwrap();
        let one = |sql: &str| -> i64 { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
        assert_eq!(one("SELECT count(*) FROM runs WHERE job IS NULL"), 1);
        assert_eq!(one("SELECT curves FROM runs"), 7);
        assert_eq!(one("SELECT count(*) FROM curve_values"), 1);
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
