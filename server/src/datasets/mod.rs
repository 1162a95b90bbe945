//! Data sets for the pages: uploads, downloads and galleries.
//!
//! * [`drafts`]: uploaded sets that are neither accepted nor discarded yet.
//! * [`fetches`]: downloads of known sets.
//! * [`galleries`]: pictures of a set's samples.
//! * [`labels`]: corrections of labels, and single images.
//!
//! Invariant: images are decoded on threads of their own, few at a time; the async threads only wait.

pub mod drafts;
pub mod fetches;
pub mod galleries;
pub mod labels;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use vivarium_models::data::Library;

use crate::data_dir::DataDir;
use drafts::Drafts;
use fetches::Fetches;
use galleries::Galleries;
use labels::LabelStore;

/// The state of data sets that the server keeps in memory.
pub struct DataSets {
    /// The sets on disk.
    pub library: Library,
    /// Uploads.
    pub drafts: Drafts,
    /// Downloads.
    pub fetches: Fetches,
    /// Galleries.
    pub galleries: Galleries,
    /// Corrections of labels.
    pub labels: Arc<LabelStore>,
}

impl DataSets {
    /// The sets of a data folder. Removes the leftovers of processes that died.
    pub fn new(data: &DataDir, mirror: Option<String>, shutdown: CancellationToken) -> Self {
        let library = data.library();
        library.sweep();
        Self {
            drafts: Drafts::new(library.clone()),
            fetches: Fetches::new(library.clone(), data.fetching(), mirror, shutdown),
            galleries: Galleries::new(library.clone()),
            labels: Arc::new(LabelStore::new(library.clone())),
            library,
        }
    }
}
