//! Large blocks of a process that trains, in one stretch of addresses.
//!
//! A step takes and frees a few hundred blocks of kilobytes to hundreds of megabytes, the same in every step. Taken
//! where they fit best they need little more memory than is in use at once: VGG16's take 1.2 GiB where mimalloc, which
//! takes the first place that is free, comes to 1.34. The stretch is only reserved; the system gives pages as they are
//! first written, large ones where it has them. It never gets them back.

use std::ptr::NonNull;
use std::sync::{Mutex, OnceLock, PoisonError};

use memmap2::{Advice, MmapMut, MmapOptions};

use super::fit::Fit;

/// Addresses reserved: more than networks take, and a small part of what a process may have. What does not fit is
/// mimalloc's.
const RESERVED: usize = 1 << 38;

static SPACE: OnceLock<Option<Space>> = OnceLock::new();

struct Space {
    pages: MmapMut,
    free: Mutex<Fit>,
}

/// A block.
pub(super) struct Block {
    pub(super) start: NonNull<u8>,
    /// Whether it has the zeros that the system gives.
    pub(super) zeros: bool,
}

/// From now on [`take`] gives blocks, unless the system refuses the addresses: then everything stays as it is.
pub(super) fn open() {
    SPACE.get_or_init(|| {
        let pages = MmapOptions::new()
            .len(RESERVED)
            .no_reserve_swap()
            .map_anon()
            .ok()?;
        // Wishes: a kernel without large pages goes on with small ones. A core dump need not have what was only reserved,
        // nor the numbers of networks.
        let _ = pages.advise(Advice::HugePage);
        let _ = pages.advise(Advice::DontDump);
        Some(Space {
            pages,
            free: Mutex::new(Fit::new(RESERVED)),
        })
    });
}

/// A block of that many bytes, which starts at a line of the cache.
pub(super) fn take(len: usize) -> Option<Block> {
    let space = SPACE.get()?.as_ref()?;
    let part = space.free().take(len)?;
    // Within the pages, or `take` would have refused.
    let start = space.pages.as_ptr().cast_mut().wrapping_add(part.start);
    Some(Block {
        start: NonNull::new(start)?,
        zeros: part.fresh,
    })
}

/// Whether a block is one of these.
pub(super) fn owns(block: *const u8) -> bool {
    place(block).is_some()
}

/// Frees a block that was taken for that many bytes; `false` where it is none of these.
pub(super) fn give(block: *const u8, len: usize) -> bool {
    let Some((space, start)) = place(block) else {
        return false;
    };
    space.free().give(start, len);
    true
}

fn place(block: *const u8) -> Option<(&'static Space, usize)> {
    let space = SPACE.get()?.as_ref()?;
    let start = block.addr().checked_sub(space.pages.as_ptr().addr())?;
    (start < RESERVED).then_some((space, start))
}

impl Space {
    fn free(&self) -> std::sync::MutexGuard<'_, Fit> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
