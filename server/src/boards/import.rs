//! Makes runs of event files: their scalars become a run's events, the files are kept beside them.
//!
//! The events of such a run are `imported`, then for each tag `scalars` (up to some hundred values
//! a line), then `finished`. A tag that is a curve here says which; the others are kept as well.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use vivarium_models::data::Fault;
use vivarium_models::data::scratch::{self, Scratch};

use super::find::{LogFile, Logged};
use super::read::{self, Point, Scalars};
use super::{tags, unpack};
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::failpoint::failpoint;
use crate::files::INCOMING;
use crate::run_dir::board::{Board, Source, SourceFile};
use crate::run_dir::{self, RunDir, RunId, staging};

/// Values in a line of events.
const LINE: usize = 512;

/// The most runs of one import.
const MOST_RUNS: usize = 500;

/// Accuracies are shares here. Where one is greater than this, they were written in percent.
const MOST_SHARE: f64 = 1.5;

/// The longest name of a run, in letters.
const LONGEST_NAME: usize = 200;

/// Files and tags that a run names: it is told with every list of runs.
const MOST_NAMED: usize = 200;

/// A run's directory before it has its place.
const STAGE: &str = "run";

/// What was left on the way is removed after this.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Where imported runs come from and go to.
#[derive(Debug)]
pub struct Boards {
    runs: PathBuf,
    scratch: PathBuf,
    /// One import at a time: two of the same files must not both find that they are not here yet.
    turn: Mutex<()>,
}

/// What is imported, and how it is called.
#[derive(Debug, Default)]
pub struct Wish {
    /// The runs' names begin with this.
    pub name: Option<String>,
    /// The name of a run that lies at the top, where the wish has none.
    pub root: Option<String>,
    /// Whether the files are ours to move.
    pub ours: bool,
}

/// What became of an import.
#[derive(Debug, Default)]
pub struct Outcome {
    /// New runs.
    pub imported: Vec<Imported>,
    /// Runs that were here already, of the same files.
    pub already: Vec<Imported>,
    /// What was left out, and why.
    pub skipped: Vec<Fault>,
}

/// A run of an import.
#[derive(Debug)]
pub struct Imported {
    /// The run.
    pub id: RunId,
    /// What is known of it.
    pub board: Board,
}

impl Boards {
    /// For the runs of a data folder.
    pub fn of(data: &DataDir) -> Self {
        Self {
            runs: data.runs(),
            scratch: data.boards(),
            turn: Mutex::default(),
        }
    }

    /// A folder for files on their way in; it goes with the value.
    pub fn scratch(&self) -> Result<Scratch> {
        fs::create_dir_all(&self.scratch)
            .and_then(|()| Scratch::new_in(&self.scratch))
            .map_err(|e| Error::file(&self.scratch, e))
    }

    /// Removes what processes that died have left.
    pub fn sweep(&self) {
        scratch::sweep(&self.scratch);
        // Of earlier versions of this program, whose folders have no locks.
        let entries = fs::read_dir(&self.scratch).into_iter().flatten().flatten();
        for entry in entries {
            let modified = entry.metadata().and_then(|about| about.modified());
            if entry.file_name().to_string_lossy().starts_with(INCOMING)
                && modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > ABANDONED))
            {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    /// Makes a run of each of `found`.
    ///
    /// # Errors
    /// Everything that is wrong with the files; when there is no scalar in any of them. Then none is made.
    pub fn import(&self, found: Vec<Logged>, wish: &Wish) -> Result<Outcome> {
        self.bring_in(found, wish, |filled| {
            RunDir::settle(&self.runs, filled).map(|(id, _)| id)
        })
    }

    /// Makes a run to be of each of `found`, which get their names when they are in the index.
    ///
    /// # Errors
    /// Everything that is wrong with the files; when there is no scalar in any of them. Then nothing is left of them.
    pub fn stage_all(&self, found: Vec<Logged>, wish: &Wish) -> Result<Outcome> {
        let mut staged = Vec::new();
        let outcome = self.bring_in(found, wish, |filled| {
            failpoint("boards.stage")?;
            let id = RunId::next();
            staging::adopt(&self.runs, id, filled)?;
            staged.push(id);
            Ok(id)
        });
        if outcome.is_err() {
            staging::remove(&self.runs, &staged);
        }
        outcome
    }

    fn bring_in(
        &self,
        found: Vec<Logged>,
        wish: &Wish,
        mut place: impl FnMut(&Path) -> Result<RunId>,
    ) -> Result<Outcome> {
        let _alone = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if found.len() > MOST_RUNS {
            return Err(Error::BadRequest(format!(
                "These are {} runs; at most {MOST_RUNS} are imported at once.",
                found.len()
            )));
        }
        let mut known = self.known()?;
        let mut outcome = Outcome::default();
        let (mut staged, mut faults) = (Vec::new(), Vec::new());
        for logged in found {
            let sha256 = digest(&logged.files)?;
            if let Some(there) = known.remove(&sha256) {
                outcome.already.push(there);
                continue;
            }
            match self.stage(&logged, sha256, wish) {
                Ok(Ok(one)) => staged.push(one),
                Ok(Err(skipped)) => outcome.skipped.push(skipped),
                Err(Error::Models(vivarium_models::Error::Refused(more))) => faults.extend(more),
                Err(error) => return Err(error),
            }
        }
        if staged.is_empty() && outcome.already.is_empty() {
            faults.append(&mut outcome.skipped);
        }
        if !faults.is_empty() {
            return Err(vivarium_models::Error::Refused(faults).into());
        }
        for (filled, board) in staged {
            let id = place(&filled.path().join(STAGE))?;
            outcome.imported.push(Imported { id, board });
        }
        Ok(outcome)
    }

    /// The imported runs that there are, by the checksum of their files.
    fn known(&self) -> Result<HashMap<String, Imported>> {
        let mut known = HashMap::new();
        for id in run_dir::list(&self.runs)? {
            if let Some(board) = RunDir::of(&self.runs, id).board()? {
                known.insert(board.sha256.clone(), Imported { id, board });
            }
        }
        Ok(known)
    }

    /// Fills a directory with all that a run has; or says why there is none.
    fn stage(
        &self,
        logged: &Logged,
        sha256: String,
        wish: &Wish,
    ) -> Result<Result<(Scratch, Board), Fault>> {
        let scalars = read::read(&logged.files)?;
        if scalars.tags.is_empty() {
            let names: Vec<_> = logged.files.iter().map(|file| file.name.as_str()).collect();
            return Ok(Err(Fault {
                file: names.join(", "),
                message: nothing(&scalars),
            }));
        }
        let filled = self.scratch()?;
        // A temporary folder is its owner's alone, which a run's directory need not be.
        let dir = RunDir::at(filled.path().join(STAGE));
        let mut files = Vec::new();
        for LogFile { path, name, .. } in &logged.files {
            let into = dir.board_files().join(unpack::relative(name)?);
            let bytes = bring(path, &into, wish.ours)?;
            files.push(SourceFile {
                name: name.clone(),
                bytes,
            });
        }
        let board = describe(&scalars, files, sha256, |began| {
            name_of(&logged.name, wish, began)
        });
        let path = dir.events_file();
        write_events(&path, &scalars, &board).map_err(|e| Error::file(&path, e))?;
        let path = dir.board_file();
        write_whole(&path, &board).map_err(|e| Error::file(&path, e))?;
        Ok(Ok((filled, board)))
    }
}

/// The checksum of a run's files: of what is in them, and of what goes before their tags.
fn digest(files: &[LogFile]) -> Result<String> {
    let mut all = Vec::new();
    for LogFile { path, prefix, .. } in files {
        let failed = |e| Error::file(path, e);
        let mut file = File::open(path).map_err(failed)?;
        let (mut sum, mut piece) = (Sha256::new(), vec![0; 1 << 18]);
        loop {
            match file.read(&mut piece).map_err(failed)? {
                0 => break,
                read => sum.update(&piece[..read]),
            }
        }
        all.push(format!("{prefix} {}", hex(&sum.finalize())));
    }
    all.sort();
    Ok(hex(&Sha256::digest(all.join("\n"))))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Moves or copies a file; says how long it is.
fn bring(from: &Path, into: &Path, ours: bool) -> Result<u64> {
    let failed = |e| Error::file(into, e);
    if let Some(folder) = into.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    if ours {
        fs::rename(from, into).map_err(failed)?;
        return Ok(fs::metadata(into).map_err(failed)?.len());
    }
    fs::copy(from, into).map_err(failed)
}

/// Why files without scalars give no run.
fn nothing(scalars: &Scalars) -> String {
    let others: Vec<_> = scalars
        .other
        .iter()
        .map(|(kind, tags)| format!("{} of {kind}", tags.len()))
        .collect();
    if others.is_empty() {
        "holds no scalars, which is what curves are made of".to_owned()
    } else {
        format!(
            "holds no scalars, which is what curves are made of; it has other tags: {}",
            others.join(", ")
        )
    }
}

fn name_of(folder: &str, wish: &Wish, began: Option<&str>) -> String {
    let name = match (&wish.name, &wish.root, folder) {
        (Some(name), _, "") => name.clone(),
        (Some(name), _, folder) => format!("{name}/{folder}"),
        (None, Some(root), "") => root.clone(),
        (None, None, "") => match began {
            Some(began) => format!(
                "TensorBoard, {}",
                began.replace('T', " ").trim_end_matches('Z')
            ),
            None => "TensorBoard".to_owned(),
        },
        (None, _, folder) => folder.to_owned(),
    };
    let name: String = name
        .chars()
        .filter(|sign| !sign.is_control())
        .take(LONGEST_NAME)
        .collect();
    match name.trim() {
        "" => "TensorBoard".to_owned(),
        name => name.to_owned(),
    }
}

fn describe(
    scalars: &Scalars,
    mut files: Vec<SourceFile>,
    sha256: String,
    name: impl Fn(Option<&str>) -> String,
) -> Board {
    let series: BTreeMap<String, String> = tags::curves(
        scalars
            .tags
            .iter()
            .map(|(tag, points)| (tag.as_str(), points.len())),
    )
    .into_iter()
    .map(|(series, tag)| (series.to_owned(), tag.to_owned()))
    .collect();
    let mut remarks = scalars.remarks.clone();
    let mut not_shown: Vec<_> = scalars
        .tags
        .keys()
        .filter(|tag| !series.values().any(|shown| &shown == tag))
        .cloned()
        .collect();
    if not_shown.len() > MOST_NAMED {
        let more = not_shown.len() - MOST_NAMED;
        remarks.push(format!(
            "{more} more tags are not shown; the run's events have them."
        ));
        not_shown.truncate(MOST_NAMED);
    }
    if files.len() > MOST_NAMED {
        let more = files.len() - MOST_NAMED;
        remarks.push(format!("There are {more} more files."));
        files.truncate(MOST_NAMED);
    }
    for (series, tag) in &series {
        if is_percent(series, &scalars.tags[tag]) {
            remarks.push(format!("“{tag}” is in percent; it is shown as a share."));
        }
    }
    // What is no curve may have been noted long after the training.
    let shown = series.values().flat_map(|tag| &scalars.tags[tag]);
    let (first, last) = if series.is_empty() {
        moments(scalars.tags.values().flatten())
    } else {
        moments(shown)
    };
    let (began, ended) = (moment(first), moment(last));
    Board {
        name: name(began.as_deref()),
        sha256,
        hparams: scalars.hparams.clone(),
        source: Source {
            kind: "tensorboard".to_owned(),
            files,
            not_shown,
            series,
            other: scalars
                .other
                .iter()
                .map(|(kind, tags)| (kind.clone(), tags.len()))
                .collect(),
            began,
            ended,
            remarks,
        },
    }
}

/// When the first and the last of some values were written, in seconds since 1970; 0 where nothing tells.
fn moments<'a>(points: impl Iterator<Item = &'a Point>) -> (f64, f64) {
    let times = points
        .map(|point| point.wall_time)
        .filter(|&time| time > 0.0);
    let (first, last) = times.fold((f64::INFINITY, 0.0), |(first, last), time| {
        (time.min(first), time.max(last))
    });
    (first.min(last), last)
}

fn moment(seconds: f64) -> Option<String> {
    let time =
        (seconds > 0.0).then(|| SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds))?;
    Some(humantime::format_rfc3339_seconds(time).to_string())
}

fn is_percent(series: &str, points: &[Point]) -> bool {
    series.ends_with("accuracy")
        && points
            .iter()
            .any(|point| point.value.is_finite() && point.value > MOST_SHARE)
}

/// Writes the events of an imported run.
fn write_events(path: &Path, scalars: &Scalars, board: &Board) -> io::Result<()> {
    let file = File::create_new(path)?;
    let mut lines = Lines {
        out: BufWriter::with_capacity(1 << 18, file),
        seq: 0,
        time: String::new(),
    };
    let (first, last) = moments(scalars.tags.values().flatten());
    lines.at(first);
    // Exact, so that what goes out again has the moments that came in.
    lines.write(
        "imported",
        vec![
            ("from", json!(board.source.kind)),
            ("wall_time", json!(first)),
        ],
    )?;
    for (tag, points) in &scalars.tags {
        let series = board
            .source
            .series
            .iter()
            .find(|(_, of)| *of == tag)
            .map(|(series, _)| series.as_str());
        for points in pieces(points) {
            lines.at(points.last().map_or(first, |point| point.wall_time));
            lines.write(
                "scalars",
                fields(
                    tag,
                    series,
                    is_percent(series.unwrap_or(""), &scalars.tags[tag]),
                    points,
                    first,
                ),
            )?;
        }
    }
    lines.at(last);
    lines.write(
        "finished",
        vec![("reason", json!("completed")), ("message", json!(""))],
    )?;
    let file = lines
        .out
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    file.sync_all()
}

/// Values for a line each: not too many, and what is not finite in one is all of one kind.
fn pieces(points: &[Point]) -> Vec<&[Point]> {
    let mut pieces = Vec::new();
    let mut rest = points;
    while !rest.is_empty() {
        let most = &rest[..rest.len().min(LINE)];
        let first = most.iter().find_map(|point| not_finite(point.value));
        let is_other =
            |point: &Point| not_finite(point.value).is_some_and(|kind| Some(kind) != first);
        let (piece, more) = rest.split_at(most.iter().position(is_other).unwrap_or(most.len()));
        pieces.push(piece);
        rest = more;
    }
    pieces
}

fn not_finite(value: f64) -> Option<&'static str> {
    match value {
        value if value.is_nan() => Some("nan"),
        value if value.is_infinite() => Some("inf"),
        _ => None,
    }
}

fn fields(
    tag: &str,
    series: Option<&str>,
    percent: bool,
    points: &[Point],
    first: f64,
) -> Vec<(&'static str, Value)> {
    let steps: Vec<_> = points.iter().map(|point| point.step).collect();
    // Microseconds are as exact as moments are written.
    let since = |time: f64| ((time - first).max(0.0) * 1e6).round() / 1e6;
    let seconds: Vec<_> = points.iter().map(|point| since(point.wall_time)).collect();
    let values: Vec<_> = points
        .iter()
        .map(|point| Some(point.value).filter(|value| value.is_finite()))
        .collect();
    let mut fields = vec![("tag", json!(tag))];
    fields.extend(series.map(|series| ("series", json!(series))));
    if percent {
        fields.push(("percent", json!(true)));
    }
    fields.extend([
        ("step", json!(steps)),
        ("seconds", json!(seconds)),
        ("value", json!(values)),
    ]);
    let kind = points.iter().find_map(|point| not_finite(point.value));
    fields.extend(kind.map(|kind| ("not_finite", json!(kind))));
    fields
}

/// Writes numbered events.
struct Lines<W> {
    out: W,
    seq: u64,
    time: String,
}

impl<W: Write> Lines<W> {
    fn at(&mut self, seconds: f64) {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds.max(0.0));
        self.time = humantime::format_rfc3339_millis(time).to_string();
    }

    fn write(&mut self, kind: &str, fields: Vec<(&str, Value)>) -> io::Result<()> {
        self.seq += 1;
        let mut line = json!({"kind": kind, "seq": self.seq, "time": self.time});
        for (name, value) in fields {
            line[name] = value;
        }
        serde_json::to_writer(&mut self.out, &line)?;
        self.out.write_all(b"\n")
    }
}

fn write_whole(path: &Path, board: &Board) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(&serde_json::to_vec_pretty(board)?)?;
    file.sync_all()
}
