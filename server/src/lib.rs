//! Vivarium: trains image classifiers from the browser and shows them from the inside while
//! they learn. This crate is the binary; the numerics are in `vivarium-models`.
//!
//! The modules from the bottom up. Each may use only those above it in this list, which the test `module_order` checks.
//!
//! * [`base_path`]: the path below which the site lies; every address that leaves the server goes through it.
//! * `console`: lines on standard error that nobody may be reading.
//! * `machine`: how much memory the machine has.
//! * [`memory`]: what a process that trains asks of the allocator.
//! * [`run_id`]: the names of runs.
//! * [`error`]: the one error type.
//! * `panics`: panics are logged, counted and turned into errors.
//! * `blocking`: work outside the async threads.
//! * `priority`: who goes first where processors are few.
//! * `failpoint`: where tests interrupt changes.
//! * `assets`: the files of `static/` and `frontend/`.
//! * `atomic_file`: files that are written completely or not at all.
//! * [`run_dir`]: a run is a directory; the only thing that workers and servers share.
//! * [`job`]: the job of a run in a cluster's scheduler.
//! * [`labels`]: names, tags and notes of runs, in files.
//! * [`index`]: the contents of the run directories, in SQLite.
//! * [`data_dir`]: the paths of the data folder.
//! * [`start_weights`]: the weights that a run starts from.
//! * [`fetch`]: downloads known data sets.
//! * [`launch`]: starts workers.
//! * `settings`: `PATH=VALUE` on the command line and in sweeps.
//! * `reserve`: disk space that is set apart for deletions on a full disk.
//! * [`trash`]: deleted runs.
//! * [`worker`]: trains the run of one directory; knows neither the index nor the server.
//! * [`networks`]: networks that users wrote.
//! * [`sweeps`]: sets of runs from one form.
//! * [`presets`]: runs that a user can start with one click.
//! * [`supervisor`]: one task per run: queue, launch, adoption, end.
//! * [`datasets`]: uploads, downloads and galleries of data sets.
//! * [`images`]: images that users upload to show to networks.
//! * [`inspect`]: filters, feature maps and predictions of a run's network.
//! * [`evaluations`]: what a run's predictions are worth, computed by a process of its own.
//! * [`predictions`]: what a network makes of photos, as rows.
//! * [`takeaway`]: what a user takes away of a run.
//! * [`tensorboard`]: TensorBoard's event files, imported and exported.
//! * [`reports`]: what users write about their runs.
//! * [`selections`]: sets of runs under a short name.
//! * [`estimate`]: time and memory that a run will take, measured by a process of its own.
//! * [`lr_finder`]: a learning rate for settings, looked for by a process of its own.
//! * [`http`]: pages, API and the stream of events.
//! * [`cli`]: the arguments of the command line.
//! * [`commands`]: what each command does.

mod assets;
mod atomic_file;
pub mod base_path;
mod blocking;
pub mod cli;
pub mod commands;
mod console;
pub mod data_dir;
pub mod datasets;
pub mod error;
pub mod estimate;
pub mod evaluations;
mod failpoint;
pub mod fetch;
pub mod http;
pub mod images;
pub mod index;
pub mod inspect;
pub mod job;
pub mod labels;
pub mod launch;
pub mod lr_finder;
mod machine;
pub mod memory;
pub mod networks;
mod panics;
pub mod predictions;
pub mod presets;
mod priority;
pub mod reports;
mod reserve;
pub mod run_dir;
pub mod run_id;
pub mod selections;
mod settings;
pub mod start_weights;
pub mod supervisor;
pub mod sweeps;
pub mod takeaway;
pub mod tensorboard;
pub mod trash;
pub mod worker;
