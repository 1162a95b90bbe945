//! `import-events`: TensorBoard's event files become runs.

use std::path::Path;

use super::print;
use crate::boards::find;
use crate::boards::import::{Boards, Imported, Wish};
use crate::cli::ImportEvents;
use crate::data_dir::DataDir;
use crate::error::Result;
use crate::output::notice;

pub(super) fn import_events(args: ImportEvents) -> Result<()> {
    let boards = Boards::of(&DataDir::open(args.data.data_dir)?);
    for path in &args.paths {
        let wish = Wish {
            name: args.name.clone(),
            root: folder_of(path),
            ours: false,
        };
        let outcome = boards.import(find::find(path)?, &wish)?;
        for run in &outcome.imported {
            print(&describe(run))?;
        }
        for Imported { id, board } in &outcome.already {
            print(&format!("{id}  {}: is here already", board.name))?;
        }
        for skipped in &outcome.skipped {
            notice(format_args!("vivarium: left out: {skipped}"));
        }
    }
    Ok(())
}

/// What a run is called that lies at the top: as its folder is.
fn folder_of(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let folder = if path.is_dir() { &path } else { path.parent()? };
    Some(folder.file_name()?.to_string_lossy().into_owned())
}

fn describe(run: &Imported) -> String {
    let source = &run.board.source;
    let shown: Vec<_> = source
        .series
        .iter()
        .map(|(series, tag)| format!("{series} is “{tag}”"))
        .collect();
    let mut text = format!(
        "{}  {}: {}",
        run.id,
        run.board.name,
        if shown.is_empty() {
            "no curve".to_owned()
        } else {
            shown.join(", ")
        }
    );
    if !source.not_shown.is_empty() {
        text += &format!("; not shown: {}", source.not_shown.join(", "));
    }
    for remark in &source.remarks {
        text += &format!(" ({remark})");
    }
    text
}
