//! The memory allocator.
//!
//! | module | what it is |
//! |---|---|
//! | `space` | large blocks of a training process |
//! | `fit` | the free list of a space |

#[cfg_attr(
    not(all(target_os = "linux", target_pointer_width = "64")),
    allow(dead_code, reason = "the space is Linux's alone")
)]
mod fit;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod space;

use std::alloc::{GlobalAlloc, Layout};

use mimalloc::MiMalloc;

/// The smallest size of a large block. mimalloc is faster for smaller ones.
const LARGE: usize = 1 << 16;

/// The program's allocator: mimalloc, and in a training process a space for large blocks.
#[derive(Debug)]
pub struct Allocator;

#[allow(
    unsafe_code,
    reason = "an allocator's functions take and give pointers"
)]
// SAFETY: each block is mimalloc's or the space's, never both's, and goes back to where it is from: the space knows its
// own by their addresses. A block of the space has the length that was asked for and starts at a multiple of 64.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match large(layout) {
            Some(block) => block.start.as_ptr(),
            // SAFETY: as the caller promises.
            None => unsafe { MiMalloc.alloc(layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let Some(block) = large(layout) else {
            // SAFETY: as the caller promises.
            return unsafe { MiMalloc.alloc_zeroed(layout) };
        };
        if !block.zeros {
            // SAFETY: the block has this length.
            unsafe { block.start.write_bytes(0, layout.size()) };
        }
        block.start.as_ptr()
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if layout.size() < LARGE || !space::give(block, layout.size()) {
            // SAFETY: as the caller promises.
            unsafe { MiMalloc.dealloc(block, layout) };
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let before = layout.size();
        if before.max(size) < LARGE {
            // SAFETY: as the caller promises.
            return unsafe { MiMalloc.realloc(block, layout, size) };
        }
        // SAFETY: the caller promises that `size` is one that a layout of this alignment may have.
        let after = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        let from_space = before >= LARGE && space::owns(block);
        if from_space && fit::whole(size) == fit::whole(before) && size >= LARGE {
            return block;
        }
        let moved = match large(after) {
            Some(moved) => moved.start.as_ptr(),
            // SAFETY: as the caller promises.
            None if !from_space => return unsafe { MiMalloc.realloc(block, layout, size) },
            // SAFETY: as the caller promises.
            None => unsafe { MiMalloc.alloc(after) },
        };
        if !moved.is_null() {
            // SAFETY: two blocks of at least this length; the old one is done with after it.
            unsafe {
                moved.copy_from_nonoverlapping(block, before.min(size));
                self.dealloc(block, layout);
            }
        }
        moved
    }
}

/// A block of the space; `None` if the layout is not large or there is no space.
fn large(layout: Layout) -> Option<space::Block> {
    (layout.size() >= LARGE && layout.align() <= fit::LINE)
        .then(|| space::take(layout.size()))
        .flatten()
}

/// On other systems mimalloc provides all blocks.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
mod space {
    use std::ptr::NonNull;

    pub(super) struct Block {
        pub(super) start: NonNull<u8>,
        pub(super) zeros: bool,
    }

    pub(super) fn open() {}

    pub(super) fn take(_: usize) -> Option<Block> {
        None
    }

    pub(super) fn owns(_: *const u8) -> bool {
        false
    }

    pub(super) fn give(_: *const u8, _: usize) -> bool {
        false
    }
}

/// `mi_option_purge_delay` of mimalloc's `mi_option_e`, which its bindings leave out.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Never.
const NEVER: std::ffi::c_long = -1;

/// Makes this process keep freed memory and use huge pages.
///
/// A training step frees and allocates the same few hundred megabytes again and again. If the memory went back to the
/// system in between, the kernel would have to clear each page again, which takes a third of a step's time. Only for
/// processes that train and exit; a server returns memory.
pub(crate) fn keep_freed_memory() {
    set_huge_pages(true);
    space::open();
    #[allow(unsafe_code, reason = "mimalloc is set by a function of C")]
    // SAFETY: sets a number that the allocator reads; any value is allowed at any time.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, NEVER);
    }
}

/// Makes this process, and those it starts, use small pages until they choose otherwise.
///
/// Each thread has its own heap, and with huge pages its first kilobyte takes 2 MiB, which the kernel clears while the
/// caller waits. A server starts a thread for each of many requests at once: clearing pages was a third of their time
/// and half of the server's memory.
pub(crate) fn take_small_pages() {
    set_huge_pages(false);
}

/// Allows or forbids huge pages for this process. Only Linux has the setting; elsewhere nothing happens.
fn set_huge_pages(allowed: bool) {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(!allowed);
    #[cfg(not(target_os = "linux"))]
    let _ = allowed;
}

/// Returns freed memory to the system. The allocator does so by itself, but only at later allocations, which may not
/// come after a large piece of work.
pub(crate) fn give_back() {
    #[allow(unsafe_code, reason = "mimalloc is asked by a function of C")]
    // SAFETY: looks for what is free; may be called at any time from any thread.
    unsafe {
        libmimalloc_sys::mi_collect(true);
    }
}

#[cfg(test)]
#[allow(unsafe_code, reason = "plays the program that calls the allocator")]
mod tests {
    use std::slice;
    use std::thread;

    use vivarium_models::random::Key;

    use super::*;

    /// A block filled with its own pattern.
    struct Held {
        start: *mut u8,
        layout: Layout,
        mark: u8,
    }

    impl Held {
        fn new(layout: Layout, mark: u8, zeroed: bool) -> Self {
            // SAFETY: the layouts of these tests have a size.
            let start = unsafe {
                if zeroed {
                    Allocator.alloc_zeroed(layout)
                } else {
                    Allocator.alloc(layout)
                }
            };
            assert!(!start.is_null() && start.addr().is_multiple_of(layout.align()));
            let mut held = Self {
                start,
                layout,
                mark,
            };
            if zeroed {
                assert!(held.bytes().iter().all(|byte| *byte == 0), "{layout:?}");
            }
            held.bytes().fill(mark);
            held
        }

        fn bytes(&mut self) -> &mut [u8] {
            // SAFETY: a block of this length, which was written or is zeros, or is now written first.
            unsafe { slice::from_raw_parts_mut(self.start, self.layout.size()) }
        }

        fn resize(&mut self, size: usize) {
            let kept = size.min(self.layout.size());
            // SAFETY: this allocator's block, with its layout.
            self.start = unsafe { Allocator.realloc(self.start, self.layout, size) };
            assert!(!self.start.is_null());
            self.layout = Layout::from_size_align(size, self.layout.align()).unwrap();
            let mark = self.mark;
            assert!(self.bytes()[..kept].iter().all(|byte| *byte == mark));
            self.bytes().fill(mark);
        }

        fn free(mut self) {
            let mark = self.mark;
            assert!(self.bytes().iter().all(|byte| *byte == mark));
            // SAFETY: this allocator's block, with its layout.
            unsafe { Allocator.dealloc(self.start, self.layout) };
        }
    }

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    #[test]
    fn blocks_of_all_sizes_keep_what_was_written_whoever_takes_moves_and_frees_them() {
        // Allocated before there is a space: mimalloc must free it.
        let mut early = Held::new(layout(3 * LARGE, 4), 1, false);
        keep_freed_memory();
        early.resize(4 * LARGE);
        let threads: Vec<_> = (0..4u8)
            .map(|thread| {
                thread::spawn(move || {
                    let mut generator = Key::new(u64::from(thread), "blocks").generator();
                    let mut held: Vec<Held> = Vec::new();
                    for round in 0..600u32 {
                        let most = 1 << (10 + generator.below(12));
                        let size = 1 + generator.below(most) as usize;
                        let align = 1 << generator.below(9);
                        let mark = (round as u8).wrapping_mul(4) + thread + 1;
                        match generator.below(5) {
                            0 | 1 => held.push(Held::new(layout(size, align), mark, false)),
                            2 => held.push(Held::new(layout(size, align), mark, true)),
                            _ if held.is_empty() => {}
                            what => {
                                let which = generator.below(held.len() as u64) as usize;
                                if what == 3 {
                                    held[which].resize(size);
                                } else {
                                    held.swap_remove(which).free();
                                }
                            }
                        }
                    }
                    held.into_iter().for_each(Held::free);
                })
            })
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        early.free();
    }

    #[test]
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    fn only_large_blocks_are_the_spaces_and_none_that_must_start_further_apart() {
        keep_freed_memory();
        for (size, align, owned) in [
            (LARGE - 1, 4, false),
            (LARGE, 4, true),
            (LARGE, 64, true),
            (LARGE, 128, false),
        ] {
            let held = Held::new(layout(size, align), 7, false);
            assert_eq!(space::owns(held.start), owned, "{size} {align}");
            held.free();
        }
        assert!(space::take(usize::MAX).is_none());
    }
}
