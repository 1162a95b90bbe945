//! `export`: writes the curves of runs as TensorBoard's event files.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};

use super::{find_run, print};
use crate::cli::Export;
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::index::{runs, schema};
use crate::run_dir::tail::{self, Following, Place};
use crate::run_dir::{RunDir, RunId};
use crate::tensorboard::export::{file, folders};
use crate::tensorboard::write::RunInfo;

pub(super) fn export(args: &Export) -> Result<()> {
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
        let folder = args.tensorboard.join(name);
        fs::create_dir_all(&folder).map_err(|e| Error::file(&folder, e))?;
        let path = folder.join(about.file_name());
        write(&path, about, dir).map_err(|e| Error::file(&path, e))?;
        print(&path.display().to_string())?;
    }
    Ok(())
}

fn write(path: &std::path::Path, about: &RunInfo, dir: &RunDir) -> io::Result<()> {
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
