//! `export`: writes a run's network in one of the forms that users take away, or the curves of runs as TensorBoard's event
//! files.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use super::{find_run, print};
use crate::atomic_file::OutFile;
use crate::cli::{Checkpoint, Export};
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::index::summary::Summary;
use crate::index::{runs, schema};
use crate::inspect::target::InspectTarget;
use crate::run_dir::tail::{self, Following, Place};
use crate::run_dir::{RunDir, RunId};
use crate::takeaway::{Format, Takeaway, summary_of};
use crate::tensorboard::export::{file, folders};
use crate::tensorboard::write::RunInfo;

pub(super) fn export(args: &Export) -> Result<()> {
    match (args.format, &args.out, &args.tensorboard) {
        (Some(format), Some(out), _) => take_away(args, format, out),
        (.., Some(folder)) => tensorboard(args, folder),
        _ => Err(Error::Usage(
            "--format or --tensorboard is needed".to_owned(),
        )),
    }
}

/// Writes a run's network to a file, completely or not at all.
fn take_away(args: &Export, format: Format, out: &Path) -> Result<()> {
    let [run] = &args.runs[..] else {
        let message = "--format takes one run; export the others one by one";
        return Err(Error::Usage(message.to_owned()));
    };
    let (id, dir, library) = find_run(run, &args.data)?;
    let (name, _) = dir.name_and_spec(&library)?;
    let index = DataDir::open(args.data.data_dir.clone())
        .and_then(|data| schema::open_to_read(&data.index()))
        .ok();
    let found = index.and_then(|index| runs::find(&index, id).ok().flatten());
    let name = found.map_or(name, |run| run.name);
    let target = InspectTarget::from_dir(id, dir.clone())?;
    let checkpoint = match format.has_weights() {
        true => {
            let word = args.checkpoint.map(Checkpoint::word);
            Some(target.snapshot(word)?.weights()?.clone())
        }
        false => None,
    };
    let prepared = Takeaway::new(target, name, summary(&dir)?).prepare(format, checkpoint)?;
    let failed = |e: io::Error| Error::file(out, e);
    let mut file = BufWriter::with_capacity(1 << 18, OutFile::create(out)?);
    prepared.write(&mut file).map_err(failed)?;
    let file = file.into_inner().map_err(|e| failed(e.into_error()))?;
    file.finish()?;
    print(&out.display().to_string())
}

/// The run's figures from its log.
fn summary(dir: &RunDir) -> Result<Summary> {
    let (events, mut place) = (dir.events_file(), Place::default());
    let mut summary = Summary::default();
    while let Following::Lines(lines, end) = tail::read_on(&events, place)? {
        if lines.is_empty() {
            break;
        }
        summary_of(lines.iter().map(String::as_str), &mut summary);
        place = end;
    }
    Ok(summary)
}

fn tensorboard(args: &Export, to: &Path) -> Result<()> {
    let data = DataDir::open(args.data.data_dir.clone())?;
    // Users may have renamed runs; without an index nobody has.
    let index = schema::open_to_read(&data.index()).ok();
    let renamed = |id: RunId| {
        let found = index
            .as_ref()
            .and_then(|index| runs::find(index, id).ok().flatten());
        found.map(|run| run.name)
    };
    let mut dirs = Vec::new();
    let mut abouts = Vec::new();
    for run in &args.runs {
        let (id, dir, library) = find_run(run, &args.data)?;
        let (name, spec) = dir.name_and_spec(&library)?;
        let name = renamed(id).unwrap_or(name);
        abouts.push(RunInfo::of(id, name, spec));
        dirs.push(dir);
    }
    for ((about, dir), name) in abouts.iter().zip(&dirs).zip(folders(&abouts)) {
        let folder = to.join(name);
        fs::create_dir_all(&folder).map_err(|e| Error::file(&folder, e))?;
        let path = folder.join(about.file_name());
        write(&path, about, dir).map_err(|e| Error::file(&path, e))?;
        print(&path.display().to_string())?;
    }
    Ok(())
}

fn write(path: &Path, about: &RunInfo, dir: &RunDir) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 18, File::create(path)?);
    let (events, mut place) = (dir.events_file(), Place::default());
    file(
        &mut out,
        about,
        &mut |_| match tail::read_on(&events, place).map_err(io::Error::other)? {
            Following::Lines(lines, end) => {
                place = end;
                Ok(lines)
            }
            Following::Another => Err(io::Error::other("the log was replaced while it was read")),
        },
    )?;
    out.flush()
}
