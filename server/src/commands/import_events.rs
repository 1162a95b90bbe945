//! `import-events`: imports TensorBoard's event files as runs.

use std::collections::BTreeSet;
use std::path::Path;

use super::print;
use crate::cli::ImportEvents;
use crate::console::notice;
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::tensorboard::find;
use crate::tensorboard::import::{ImportOptions, Imported, Importer};
use crate::tensorboard::tags::{self, Assigned};

pub(super) fn import_events(args: ImportEvents) -> Result<()> {
    let importer = Importer::new(&DataDir::open(args.data.data_dir)?);
    let tags = assigned(&args.tags)?;
    let mut unknown: BTreeSet<&String> = tags.keys().collect();
    let mut failed = None;
    for path in &args.paths {
        let options = ImportOptions {
            name: args.name.clone(),
            root: folder_of(path),
            ours: false,
            tags: tags.clone(),
        };
        let outcome = match find::find(path).and_then(|found| importer.import(found, &options)) {
            Ok(outcome) => outcome,
            // The other paths are imported nevertheless; the last error is reported at the end.
            Err(error) => {
                if let Some(before) = failed.replace(error) {
                    notice(format_args!("vivarium: {before}"));
                }
                continue;
            }
        };
        for run in outcome.imported.iter().chain(&outcome.replaced) {
            let not_there = run.imported.assigned_in_vain();
            unknown.retain(|tag| not_there.contains(tag));
        }
        for run in &outcome.imported {
            print(&describe(run))?;
        }
        for run in &outcome.replaced {
            print(&format!(
                "{} (has grown; it replaces what was imported of it before)",
                describe(run)
            ))?;
        }
        for Imported { id, imported } in &outcome.already {
            print(&format!("{id}  {}: is here already", imported.name))?;
        }
        for Imported { id, imported } in &outcome.newer {
            print(&format!(
                "{id}  {}: is here already, with more than these files have; they are older",
                imported.name
            ))?;
        }
        for skipped in &outcome.skipped {
            notice(format_args!("vivarium: left out: {skipped}"));
        }
    }
    if failed.is_none() && !unknown.is_empty() {
        let names: Vec<_> = unknown.into_iter().map(|tag| format!("“{tag}”")).collect();
        notice(format_args!(
            "vivarium: no run that was imported has a tag {}",
            names.join(", ")
        ));
    }
    failed.map_or(Ok(()), Err)
}

/// Parses assignments of tags to curves, such as `accuracy=validation_accuracy`.
fn assigned(texts: &[String]) -> Result<Assigned> {
    let pair = |text: &String| match text.rsplit_once('=') {
        Some((tag, curve)) => Ok((tag.to_owned(), curve.to_owned())),
        None => Err(Error::Usage(format!(
            "--tag {text}: must be TAG=CURVE, such as accuracy=validation_accuracy"
        ))),
    };
    let assigned = texts.iter().map(pair).collect::<Result<Assigned>>()?;
    tags::check(&assigned)?;
    Ok(assigned)
}

/// The name of a run at the top of a folder: the folder's.
fn folder_of(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let folder = if path.is_dir() { &path } else { path.parent()? };
    Some(folder.file_name()?.to_string_lossy().into_owned())
}

fn describe(run: &Imported) -> String {
    let source = &run.imported.source;
    let shown: Vec<_> = source
        .series
        .iter()
        .map(|(series, tag)| format!("{series} is “{tag}”"))
        .collect();
    let mut text = format!(
        "{}  {}: {}",
        run.id,
        run.imported.name,
        if shown.is_empty() {
            "no curve".to_owned()
        } else {
            shown.join(", ")
        }
    );
    if !source.own.is_empty() {
        text += &format!("; in charts of their own: {}", source.own.join(", "));
    }
    if !source.not_shown.is_empty() {
        text += &format!("; not shown: {}", source.not_shown.join(", "));
    }
    for remark in &source.remarks {
        text += &format!(" ({remark})");
    }
    text
}
