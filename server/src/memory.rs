//! How memory is taken from the system.

/// `mi_option_purge_delay` of mimalloc's `mi_option_e`, which its bindings leave out.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Never.
const NEVER: std::ffi::c_long = -1;

/// From now on this process keeps what it frees for its next need.
///
/// A training step frees and takes the same few hundred megabytes again and again. Given back in between, each page
/// must be cleared by the kernel before it is had again: a third of the time of a step. For processes that train and
/// end; a server gives back.
pub(crate) fn keep_freed_memory() {
    #[allow(unsafe_code, reason = "mimalloc is set by a function of C")]
    // SAFETY: sets a number that the allocator reads; any value is allowed at any time.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, NEVER);
    }
}

/// Gives back what was freed. The allocator does so by itself, but only as others go on to ask it for memory: after a
/// piece of work that took much, nobody may.
pub(crate) fn give_back() {
    #[allow(unsafe_code, reason = "mimalloc is asked by a function of C")]
    // SAFETY: looks for what is free; may be called at any time from any thread.
    unsafe {
        libmimalloc_sys::mi_collect(true);
    }
}
