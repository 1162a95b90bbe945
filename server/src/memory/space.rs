//! Large blocks of a training process, in one range of addresses.
//!
//! A step allocates and frees a few hundred blocks of kilobytes to hundreds of megabytes, the same ones in every step.
//! Placed by best fit they need little more memory than is in use at once: VGG16's need 1.2 GiB, against 1.34 GiB with
//! mimalloc, which places them by first fit. The range is only reserved; the system provides pages when they are first
//! written, huge ones where it can. They are never returned.

use std::ptr::NonNull;
use std::sync::{Mutex, OnceLock, PoisonError};

use memmap2::{Advice, MmapMut, MmapOptions};

use super::fit::Fit;

/// The reserved addresses, in bytes: more than any network needs, and a small part of a process's address space.
/// mimalloc provides what does not fit.
const RESERVED: usize = 1 << 38;

static SPACE: OnceLock<Option<Space>> = OnceLock::new();

struct Space {
    pages: MmapMut,
    free: Mutex<Fit>,
}

/// A block.
pub(super) struct Block {
    pub(super) start: NonNull<u8>,
    /// Whether it still consists of the zeros that the system provides.
    pub(super) zeros: bool,
}

/// Creates the space, from which [`take`] then allocates. Does nothing if the system refuses the addresses.
pub(super) fn open() {
    SPACE.get_or_init(|| {
        let pages = MmapOptions::new()
            .len(RESERVED)
            .no_reserve_swap()
            .map_anon()
            .ok()?;
        // Both are best effort. A kernel without huge pages uses small ones. A core dump needs neither reserved addresses
        // nor the weights of networks.
        let _ = pages.advise(Advice::HugePage);
        let _ = pages.advise(Advice::DontDump);
        Some(Space {
            pages,
            free: Mutex::new(Fit::new(RESERVED)),
        })
    });
}

/// A block of `len` bytes, aligned to a cache line.
pub(super) fn take(len: usize) -> Option<Block> {
    let space = SPACE.get()?.as_ref()?;
    let part = space.free().take(len)?;
    // In the reserved range, or `take` would have returned `None`.
    let start = space.pages.as_ptr().cast_mut().wrapping_add(part.start);
    Some(Block {
        start: NonNull::new(start)?,
        zeros: part.fresh,
    })
}

/// Whether a block is in the space.
pub(super) fn owns(block: *const u8) -> bool {
    place(block).is_some()
}

/// Frees a block that was allocated for `len` bytes; returns `false` if it is not in the space.
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
