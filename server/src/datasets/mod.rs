//! What the pages do with data sets: uploads that wait for a word, fetches under way, pictures.
//!
//! * [`drafts`]: sets that were uploaded and read, and are neither accepted nor discarded yet.
//! * [`fetches`]: known sets that come from the web.
//! * [`galleries`]: what sets look like.
//!
//! What always holds: images are decoded on threads of their own, few at a time; the async threads only wait.

pub mod drafts;
pub mod fetches;
pub mod galleries;

use tokio_util::sync::CancellationToken;
use vivarium_models::data::Library;

use crate::data_dir::DataDir;
use drafts::Drafts;
use fetches::Fetches;
use galleries::Galleries;

/// Everything about data sets that the server keeps in memory.
pub struct DataSets {
    /// The sets on disk.
    pub library: Library,
    /// Uploads.
    pub drafts: Drafts,
    /// Fetches.
    pub fetches: Fetches,
    /// Pictures.
    pub galleries: Galleries,
}

impl DataSets {
    /// The sets of a data folder. What processes that died have left there goes.
    pub fn new(data: &DataDir, mirror: Option<String>, shutdown: CancellationToken) -> Self {
        let library = data.library();
        library.sweep();
        Self {
            drafts: Drafts::new(library.clone()),
            fetches: Fetches::new(library.clone(), data.fetching(), mirror, shutdown),
            galleries: Galleries::new(library.clone()),
            library,
        }
    }
}
