//! `data`: lists, downloads, imports, checks and removes data sets.

use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use vivarium_models::Error as Models;
use vivarium_models::data::{self, ImportLimits, PhotosMetadata, Report, State, name_of, row};

use super::print;
use crate::cli::{Data, DataCommand, Import};
use crate::console::notice;
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::fetch::Fetch;

/// The most files that a warning names.
const MOST_NAMED: usize = 20;

pub(super) fn data(args: Data) -> Result<()> {
    let folder = DataDir::open(args.data.data_dir)?;
    match args.command {
        DataCommand::List => list(&folder),
        DataCommand::Fetch {
            name,
            mirror,
            replace,
        } => fetch(&folder, &name, mirror, replace),
        DataCommand::Import(args) => import(&folder, &args),
        DataCommand::Check { what, set } => check(&folder, &what, set.as_deref()),
        DataCommand::Remove { name } => Ok(folder.library().remove(&name)?),
    }
}

fn list(folder: &DataDir) -> Result<()> {
    for set in folder.library().sets() {
        let state = match &set.state {
            State::BuiltIn => "built in",
            State::Present => "here",
            State::Missing => "fetch it",
            State::Damaged { .. } => "damaged",
        };
        let summary = match &set.state {
            State::Damaged { message } => message,
            _ => &*set.summary,
        };
        print(&format!("{:14} {state:9} {summary}", set.set))?;
    }
    Ok(())
}

fn fetch(folder: &DataDir, name: &str, mirror: Option<String>, replace: bool) -> Result<()> {
    let fetch = Fetch {
        library: folder.library(),
        folder: folder.fetching(),
        mirror,
        replace,
    };
    let bar = bar(
        "{prefix} {wide_bar:.green/black} {bytes}/{total_bytes} · {bytes_per_sec} · {eta} left",
    );
    let report = fetch.run(name, &mut |progress| {
        bar.set_prefix(progress.file);
        bar.set_length(progress.of);
        bar.set_position(progress.done);
        true
    });
    bar.finish_and_clear();
    let report = report.map_err(|error| told_in_full(error, "nothing was fetched"))?;
    tell(name, &report)
}

fn import(folder: &DataDir, args: &Import) -> Result<()> {
    let library = folder.library();
    library.check_name(&args.name, args.replace)?;
    let bar = bar("{wide_bar:.green/black} {pos}/{len} images · {eta} left");
    let title = match (&args.title, row(&args.name)) {
        (Some(title), _) => title.as_str(),
        (None, Some(row)) => row.title,
        (None, None) => args.name.as_str(),
    };
    let read = data::import(
        &library,
        &args.name,
        title,
        &args.path,
        &ImportLimits::default(),
        &|done, of| {
            bar.set_length(of as u64);
            bar.set_position(done as u64);
            true
        },
    );
    bar.finish_and_clear();
    let refused = |error| told_in_full(error, "nothing was imported");
    let import = read.map_err(|e| refused(e.into()))?;
    if !import.report.unreadable.is_empty() && !args.skip_unreadable {
        notice(format_args!(
            "With --skip-unreadable, the set is made of the other {} images.",
            import.report.images
        ));
        return Err(refused(Models::Refused(import.report.unreadable).into()));
    }
    library.publish(import.ready, &args.name, args.replace)?;
    tell(&args.name, &import.report)
}

fn check(folder: &DataDir, what: &str, set: Option<&str>) -> Result<()> {
    let library = folder.library();
    let wrong = |error: Models| told_in_full(error.into(), "it cannot be used");
    match library.find(what).map(|set| set.state) {
        Some(State::BuiltIn) => return print(&format!("{what} is part of this program.")),
        Some(State::Missing) if !Path::new(what).exists() => {
            return Err(Error::Usage(format!(
                "{what} is not here; get it with `vivarium data fetch {what}`"
            )));
        }
        Some(State::Present | State::Damaged { .. }) => {
            let about = library.verify(what).map_err(wrong)?;
            return print(&format!(
                "{what} is whole: {} images of {} classes, SHA-256 {}",
                about.images,
                about.classes.len(),
                about.sha256
            ));
        }
        Some(State::Missing) | None => {}
    }
    let path = Path::new(what);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let set = set.map_or_else(|| name_of(&name), str::to_owned);
    let import = data::import(
        &library,
        &set,
        &name,
        path,
        &ImportLimits::default(),
        &|_, _| true,
    )
    .map_err(wrong)?;
    tell(what, &import.report)?;
    if import.report.unreadable.is_empty() {
        return Ok(());
    }
    Err(wrong(Models::Refused(import.report.unreadable)))
}

/// Prints everything that is wrong with files, one per line; the returned error summarises it.
fn told_in_full(error: Error, short: &str) -> Error {
    match error {
        Error::Models(Models::Refused(faults)) => {
            for fault in &faults {
                notice(format_args!("{fault}"));
            }
            let faults = match faults.len() {
                1 => "1 fault".to_owned(),
                n => format!("{n} faults"),
            };
            Error::Usage(format!("{faults}: {short}"))
        }
        other => other,
    }
}

fn tell(name: &str, report: &Report) -> Result<()> {
    let test = report.test.map_or(String::new(), |test| {
        format!(", {test} of them for the test")
    });
    let sizes = match &report.photos {
        None => format!("{side}x{side}", side = report.side),
        Some(PhotosMetadata { width, height, .. }) => format!(
            "kept from {}x{} to {}x{}, mostly about {}x{};",
            width[0], height[0], width[2], height[2], width[1], height[1]
        ),
    };
    print(&format!(
        "{name}: {}, {} images{test}, {sizes} {}",
        report.format,
        report.images,
        if report.channels == 1 {
            "grey"
        } else {
            "in colour"
        },
    ))?;
    for class in &report.classes {
        print(&format!("{:>8} {}", class.images, class.name))?;
    }
    if !report.ignored.is_empty() {
        print(&format!(
            "{:>8} other files, not looked at",
            report.ignored.len()
        ))?;
    }
    for note in &report.notes {
        print(note)?;
    }
    for warning in &report.warnings {
        print(&warning.message)?;
        for file in warning.files.iter().take(MOST_NAMED) {
            print(&format!("         {file}"))?;
        }
        if warning.files.len() > MOST_NAMED {
            print("         and more")?;
        }
    }
    Ok(())
}

fn bar(template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸━"));
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
