//! Vivarium: trains image classifiers from the browser and shows them from the inside while
//! they learn. This crate is the binary; the numerics are in `vivarium-models`.
//!
//! From the bottom up, each layer using those above it in this list:
//!
//! * [`run_dir`]: a run is a directory; the only thing that workers and servers share.
//! * [`worker`]: trains the run of one directory. Knows nothing of what follows.
//! * [`fetch`]: brings known data sets from the web.
//! * [`launch`]: starts workers.
//! * [`labels`]: names, tags and notes, in files.
//! * [`index`]: what the directories tell, in SQLite.
//! * [`supervisor`]: one task a run; queue, adoption, death. [`trash`]: runs that were deleted.
//! * [`datasets`]: uploads, fetches and pictures of data sets, for the pages.
//! * [`tensorboard`]: TensorBoard's event files, out and in.
//! * [`images`]: images that people upload to look at with networks.
//! * [`inspect`]: looks into networks, for the pages.
//! * [`reports`]: what people write about their runs. [`selections`]: runs under one short name.
//! * [`estimate`]: what a run will take, measured by a process of its own.
//! * [`http`]: pages, API and the feed of events.
//! * [`base_path`]: where the site begins; addresses that leave the server go through it.
//! * [`cli`] and [`commands`]: the command line. `memory`: what a process that trains asks of the allocator.
//!   `blocking`: work outside the async threads. `atomic_file`: files that are seen whole or not at all. `reserve`: space for
//!   when there is none. `failpoint`: where tests cut changes short.
//!   `panics`: panics stay where they happen. `console`: lines that perhaps nobody reads.

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
mod failpoint;
pub mod fetch;
pub mod http;
pub mod images;
pub mod index;
pub mod inspect;
pub mod labels;
pub mod launch;
pub mod memory;
mod panics;
pub mod presets;
pub mod reports;
mod reserve;
pub mod run_dir;
pub mod selections;
mod settings;
pub mod supervisor;
pub mod sweeps;
pub mod tensorboard;
pub mod trash;
pub mod worker;
