//! Integration tests: results compared with PyTorch and finite differences, refused input, and runs that are
//! interrupted, damaged and resumed. One binary, so that it links once.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]

mod accuracy;
mod archives;
mod branches;
mod class_folders;
mod common;
mod convolutions;
mod damage;
mod data;
mod differences;
mod efficientnet;
mod evaluate;
mod files;
mod film;
mod film_sizes;
mod fused_backward;
mod golden;
mod golden_networks;
mod import;
mod inspect_arithmetic;
mod inspect_maps;
mod inspect_sheets;
mod inspect_window;
mod instructions;
mod jpegs;
mod kept_photos;
mod labels;
mod layouts;
mod library;
mod networks;
mod norm_conv;
mod not_numbers;
mod onnx_export;
mod onnx_import;
mod perceptron;
mod photo_preparation;
mod photo_warnings;
mod pillow;
mod pretrained;
mod python;
mod pytorch_source;
mod random_graphs;
mod recipe;
mod reference;
mod refusals;
mod rerun;
mod resume;
mod resume_images;
mod spec;
mod split_folders;
mod steps;
mod texts;
mod training;
mod transfer;
mod updates;
