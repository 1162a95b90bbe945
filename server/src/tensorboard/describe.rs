//! Describes an imported run: its name, its curves, and the remarks about its files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use super::find::LogFile;
use super::read::{Point, Scalars};
use super::tags::{self, Assigned};
use crate::run_dir::imported::{ImportedRun, Source, SourceFile};

/// Accuracies are fractions here. A larger value was written in percent.
const MOST_SHARE: f64 = 1.5;

/// The maximum length of a run's name in characters.
const LONGEST_NAME: usize = 200;

/// The maximum number of files and tags in a description, which is part of every list of runs.
const MOST_NAMED: usize = 200;

/// The checksum of a run's files: of their readable contents and their tag prefixes.
pub(super) fn digest(files: &[LogFile]) -> String {
    let mut all = Vec::new();
    for LogFile { path, prefix, .. } in files {
        let (mut sum, mut piece) = (Sha256::new(), vec![0; 1 << 18]);
        if let Ok(mut file) = File::open(path) {
            while let Ok(read @ 1..) = file.read(&mut piece) {
                sum.update(&piece[..read]);
            }
        }
        all.push(format!("{prefix} {}", hex::encode(sum.finalize())));
    }
    all.sort();
    hex::encode(Sha256::digest(all.join("\n")))
}

/// Why files without scalars are no run.
pub(super) fn no_scalars_message(scalars: &Scalars) -> String {
    let mut text = "holds no scalars, which is what curves are made of".to_owned();
    let others: Vec<_> = scalars
        .other
        .iter()
        .map(|(kind, tags)| format!("{} of {kind}", tags.len()))
        .collect();
    if !others.is_empty() {
        text += &format!("; it has other tags: {}", others.join(", "));
    }
    for remark in &scalars.remarks {
        text += &format!(" ({remark})");
    }
    text
}

/// The name of a run in `folder`: the requested `name` with the folder below it, else the folder's own. A run at the top is
/// named after `root`, or after the time when it began.
pub(super) fn run_name(
    folder: &str,
    name: Option<&str>,
    root: Option<&str>,
    began: Option<&str>,
) -> String {
    let name = match (name, root, folder) {
        (Some(name), _, "") => name.to_owned(),
        (Some(name), _, folder) => format!("{name}/{folder}"),
        (None, Some(root), "") => root.to_owned(),
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

/// The description of a run with these scalars and files. `name` receives the time when it began.
pub(super) fn describe(
    scalars: &Scalars,
    mut files: Vec<SourceFile>,
    sha256: String,
    root: Option<String>,
    assigned: Assigned,
    name: impl Fn(Option<&str>) -> String,
) -> ImportedRun {
    let counts = scalars
        .tags
        .iter()
        .map(|(tag, points)| (tag.as_str(), points.len()));
    let chosen = tags::curves(counts, &assigned);
    let series: BTreeMap<String, String> = chosen
        .series
        .iter()
        .map(|(series, tag)| ((*series).to_owned(), (*tag).to_owned()))
        .collect();
    let own: Vec<_> = chosen.own.iter().map(|tag| (*tag).to_owned()).collect();
    let mut remarks = scalars.remarks.clone();
    remarks.extend(chosen.remarks.iter().cloned());
    let mut not_shown: Vec<_> = scalars
        .tags
        .keys()
        .filter(|tag| !series.values().chain(&own).any(|shown| &shown == tag))
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
            remarks.push(format!("“{tag}” is in percent; it is shown as a fraction."));
        }
    }
    // Tags that are not drawn may have been written long after the training.
    let shown = series
        .values()
        .chain(&own)
        .flat_map(|tag| &scalars.tags[tag]);
    let (first, last) = if series.is_empty() && own.is_empty() {
        moments(scalars.tags.values().flatten())
    } else {
        moments(shown)
    };
    let (began, ended) = (moment(first), moment(last));
    ImportedRun {
        name: name(began.as_deref()),
        sha256,
        root,
        assigned,
        hparams: scalars.hparams.clone(),
        source: Source {
            kind: "tensorboard".to_owned(),
            files,
            own,
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

/// The times of the first and the last of some values, in seconds since 1970; 0 if there are none.
pub(super) fn moments<'a>(points: impl Iterator<Item = &'a Point>) -> (f64, f64) {
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

/// Whether an accuracy was written in percent.
pub(super) fn is_percent(series: &str, points: &[Point]) -> bool {
    series.ends_with("accuracy")
        && points
            .iter()
            .any(|point| point.value.is_finite() && point.value > MOST_SHARE)
}
