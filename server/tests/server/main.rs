//! The binary, from outside: real processes, real HTTP, real workers, tiny data sets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod api_walk;
mod changes;
mod command_line;
mod crash;
mod data_commands;
mod data_sets;
mod earlier_versions;
mod evaluation;
mod events;
mod guard;
mod images;
mod index;
mod inside;
mod inside_crowd;
mod inside_film;
mod inside_refusals;
mod kept_photos;
mod labels;
mod leftovers;
mod links;
mod listing;
mod mirror;
mod network_files;
mod networks;
mod predict;
mod proxy;
mod reports;
mod runs;
mod selections;
mod settings;
mod shutdown;
mod slow_bodies;
mod steps;
mod storm;
mod support;
mod surroundings;
mod takeaway;
mod tensorboard;
mod tensorboard_again;
mod tensorboard_damage;
mod tensorboard_export;
mod tensorboard_tags;
mod terminal;
mod transfer;
mod updates;
