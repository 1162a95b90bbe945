//! `train`: trains a run without a server, with a progress bar. `cluster`: as a job of a cluster.

mod cluster;

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value, json};
use vivarium_models::contract::{Event, Reason};
use vivarium_models::form;

use crate::cli::{LauncherKind, Train};
use crate::commands::print;
use crate::console::notice;
use crate::data_dir::DataDir;
use crate::error::{Error, Result};
use crate::networks::{self, OwnNetworks};
use crate::run_dir::RunDir;
use crate::settings;
use crate::start_weights;
use crate::worker;

/// The message of the last event, by which a server knows that a user stopped the run.
const STOPPED: &str = "It was stopped at the command line.";

pub(super) fn train(args: Train) -> Result<()> {
    let mut document = describe(&args)?;
    let data = DataDir::open(args.data.data_dir)?;
    let own = OwnNetworks::in_folder(data.networks());
    own.complete(&mut document)?;
    let spec = form::check(&document, &data.library()).map_err(|errors| {
        networks::with_file(args.network.as_deref(), Error::Spec(own.with_names(errors)))
    })?;
    let start = start_weights::find(&data.runs(), &spec, &data.library())?;
    let mut progress = Progress::new(&spec.name);
    let (id, dir, reason) = match args.launcher {
        LauncherKind::Local => {
            let stop = worker::Stop::on_signals(STOPPED)?;
            let (id, dir, lock) = RunDir::create_locked(&data.runs(), &spec, start.as_ref())?;
            let watcher = &mut |event: &Event| progress.show(event);
            let reason = worker::train(&dir, &lock, false, &stop, watcher)?;
            (id, dir, reason)
        }
        LauncherKind::Slurm => {
            cluster::train(&data, &spec, start.as_ref(), args.slurm, &mut progress)?
        }
    };
    progress.bar.finish_and_clear();
    progress.summary.insert("run".to_owned(), json!(id));
    progress
        .summary
        .insert("directory".to_owned(), json!(dir.path()));
    print(&Value::Object(progress.summary).to_string())?;
    match reason {
        Reason::Diverged => Err(Error::Usage("the loss diverged".to_owned())),
        _ => Ok(()),
    }
}

/// The RunSpec that the arguments describe.
fn describe(args: &Train) -> Result<Value> {
    let mut json = match &args.spec {
        None => json!({}),
        Some(path) => {
            let bytes = std::fs::read(path).map_err(|e| Error::file(path, e))?;
            serde_json::from_slice(&bytes).map_err(|e| Error::file(path, e.into()))?
        }
    };
    if let Some(network) = &args.network {
        for (key, value) in networks::of_argument(network)? {
            settings::set_at(&mut json, &format!("network.{key}"), value);
        }
    }
    if let Some(set) = &args.data_set {
        settings::set_at(&mut json, "data.set", Value::from(set.as_str()));
    }
    settings::apply(&mut json, &args.set)?;
    Ok(json)
}

/// Shows events on a progress bar, and keeps the summary.
struct Progress {
    bar: ProgressBar,
    summary: Map<String, Value>,
}

impl Progress {
    fn new(name: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        set_style(&bar, "steps");
        bar.set_prefix(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            bar,
            summary: Map::from_iter([("name".to_owned(), json!(name))]),
        }
    }

    fn keep(&mut self, name: &str, value: Value) {
        self.summary.insert(name.to_owned(), value);
    }

    fn show(&mut self, event: &Event) {
        match event {
            Event::Preparing { done, of } => self.preparing(*done, *of),
            Event::Started(started) => {
                set_style(&self.bar, "steps");
                self.bar.set_message("");
                self.bar.set_length(started.total_steps);
                self.bar.set_position(started.resumed_from_step);
                self.bar.reset_eta();
                self.keep("parameters", json!(started.parameters));
            }
            Event::Steps(steps) => {
                self.bar.set_position(steps.last_step());
                let loss = steps.loss.last().copied().unwrap_or(f64::NAN);
                self.bar
                    .set_message(format!("epoch {} · loss {loss:.4}", steps.epoch));
                self.keep("steps", json!(steps.last_step()));
                self.keep("seconds", json!(steps.seconds));
            }
            Event::Epoch(end) => {
                self.keep("epochs", json!(end.epoch));
                self.keep("train", json!(end.train));
                self.keep("validation", json!(end.validation));
                self.keep("peak_memory_bytes", json!(end.peak_memory_bytes));
                let validation = end.validation.as_ref().map_or(String::new(), |score| {
                    format!(
                        " · validation loss {:.4}, accuracy {:.3}",
                        score.loss, score.accuracy
                    )
                });
                self.say(&format!(
                    "epoch {}: training loss {:.4}, accuracy {:.3}{validation}",
                    end.epoch, end.train.loss, end.train.accuracy
                ));
            }
            Event::Test(test) => {
                self.keep("test", json!(test.score));
            }
            Event::Note { message } => self.say(message),
            Event::Finished { reason, message } => {
                self.keep("reason", json!(reason));
                self.keep("message", json!(message));
            }
            _ => {}
        }
    }

    /// Shows how far the photos are prepared: on the bar, or in a line at the beginning and at the end.
    fn preparing(&mut self, done: Option<u64>, of: u64) {
        set_style(&self.bar, "photos");
        self.bar.set_length(of);
        self.bar.set_position(done.unwrap_or(0));
        self.bar.set_message(match done {
            Some(_) => "preparing them",
            None => "another run prepares them",
        });
        if std::io::stderr().is_terminal() {
            return;
        }
        match done {
            Some(0) => self.say(&format!("preparing {of} photos")),
            Some(done) if done == of => self.say("the photos are prepared"),
            _ => {}
        }
    }

    /// Prints a line above the bar, or to standard error if there is no bar.
    fn say(&self, line: &str) {
        if std::io::stderr().is_terminal() {
            self.bar.println(line);
        } else {
            notice(format_args!("{line}"));
        }
    }
}

/// What a bar looks like that counts `what`.
fn set_style(bar: &ProgressBar, what: &str) {
    let template = format!(
        "{{prefix}} {{wide_bar:.green/black}} {{pos}}/{{len}} {what} · {{elapsed}} · {{eta}} left · {{msg}}"
    );
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style.progress_chars("━╸━"));
    }
}
