//! Sets that are kept as photos: the files that were imported, byte for byte, so that a run at any size is made of the
//! originals.
//!
//! | module | what it is |
//! |---|---|
//! | `originals` | the photos' files and their index |
//! | `prepared` | the file of photos at one size, of which training reads |
//! | `prepare` | makes this file, once for all runs |
//! | `fingerprint` | what a picture looks like, in a few bytes |
//! | `alike` | finds pictures that are nearly identical |
//! | `warnings` | what a user should know of a set before training on it |
//! | `examples` | a few photos of a set in all ways to make them square |

mod alike;
mod examples;
mod fingerprint;
mod originals;
mod prepare;
mod prepared;
mod warnings;

pub(super) use alike::Alike;
pub use examples::{FitExample, FitExamples, fit_examples};
pub(super) use fingerprint::{Fingerprint, shrink};
pub(super) use originals::{Originals, PhotoSetWriter};
pub use originals::{Photo, PhotosMetadata};
pub use prepare::Preparing;
pub(super) use prepare::{prepare, sweep};
pub(super) use prepared::{PhotoSettings, Prepared};
pub use warnings::Warning;
pub(super) use warnings::{of_classes, of_shapes};
