//! The number of threads, and how work is split between them. A product or a map that ends before another thread wakes
//! up stays on one thread. All other work is split into several chunks for each thread, which threads take one by one:
//! cores are not equally fast at every moment, and with one chunk each all would wait for the slowest.

use std::error::Error as _;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use gemm::Parallelism;
use rayon::prelude::*;

use super::instructions::instructions;
use super::reference::check_selection;
use crate::error::{Error, Result};

/// The number of multiply-adds from which a product uses several threads: about 50 µs on one.
pub(super) const MIN_MATMUL: usize = 1 << 21;

/// The number of values from which a map over memory uses several threads.
pub(super) const MIN_MAP: usize = 1 << 17;

/// Chunks for each thread, unless they become too small.
pub(super) const CHUNKS_PER_THREAD: usize = 16;

/// The fewest values in a chunk of a map, except the last.
const MIN_CHUNK: usize = MIN_MAP / 4;

static THREADS: AtomicUsize = AtomicUsize::new(0);

/// The environment variable with the default number of threads of this process, so that several processes share the
/// machine.
pub const ENV_VAR: &str = "VIVARIUM_THREADS";

/// The number of threads in [`ENV_VAR`], else the parallelism that the machine offers this process.
pub fn available() -> usize {
    static AVAILABLE: OnceLock<usize> = OnceLock::new();
    *AVAILABLE.get_or_init(|| {
        let said = std::env::var(ENV_VAR)
            .ok()
            .and_then(|word| word.parse().ok());
        said.filter(|threads| *threads > 0)
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get))
    })
}

/// Sets the number of threads that operations use. The first call also starts Rayon's global pool with as many threads;
/// a later call for more does not enlarge it.
///
/// # Errors
/// [`Error::Threads`] when the system refuses to start threads; and as [`instructions`] and [`check_selection`], which
/// are checked first.
pub fn set_threads(threads: usize) -> Result<()> {
    instructions()?;
    check_selection()?;
    static POOL: OnceLock<std::result::Result<(), String>> = OnceLock::new();
    let threads = threads.max(1);
    THREADS.store(threads, Ordering::Relaxed);
    POOL.get_or_init(|| {
        let built = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global();
        match built {
            // Only a refusal of the system has a source. Without one, the pool was already started elsewhere.
            Err(error) if error.source().is_some() => Err(error.to_string()),
            _ => Ok(()),
        }
    })
    .clone()
    .map_err(Error::Threads)
}

/// The number of threads that operations use: as set by [`set_threads`], else [`available`].
pub fn threads() -> usize {
    match THREADS.load(Ordering::Relaxed) {
        0 => available(),
        threads => threads,
    }
}

/// Runs work inside the thread pool, if it is large enough. A thread outside of the pool would sleep and be woken at
/// each operation. The other threads of the pool stay awake until the work is done, because waking them takes about as
/// long as a chunk of an operation.
///
/// While a thread waits for a chunk of an operation, it may begin the work of another caller. So the thread-locals of
/// this crate are replaced where such work begins, and restored where it ends.
pub(crate) fn in_pool<R: Send>(multiplications: usize, work: impl FnOnce() -> R + Send) -> R {
    if threads() == 1 || multiplications < MIN_MATMUL {
        return work();
    }
    let over = &AtomicBool::new(false);
    let caller = ActiveCaller::new();
    rayon::scope(|scope| {
        let here = rayon::current_thread_index();
        scope.spawn_broadcast(move |_, thread| {
            if Some(thread.index()) != here {
                stay_awake(over);
            }
        });
        let result = work();
        over.store(true, Ordering::Relaxed);
        drop(caller);
        result
    })
}

/// The number of callers whose work is in progress.
static CALLERS: AtomicUsize = AtomicUsize::new(0);

/// Counts as one of [`CALLERS`] until it is dropped.
struct ActiveCaller;

impl ActiveCaller {
    fn new() -> Self {
        CALLERS.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for ActiveCaller {
    fn drop(&mut self) {
        CALLERS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How long a thread stays awake without work. It is limited because this thread may itself be waiting for a chunk of
/// an operation, to which it only returns from here, and because the work may have panicked.
const AWAKE: Duration = Duration::from_millis(20);

/// Looks for work until `over` is set, none came for a while, or there are several callers, which keep threads awake by
/// themselves. Every few microseconds it yields to other processes.
fn stay_awake(over: &AtomicBool) {
    let mut busy = Instant::now();
    for look in 1_usize.. {
        if over.load(Ordering::Relaxed) || CALLERS.load(Ordering::Relaxed) > 1 {
            return;
        }
        if rayon::yield_now() == Some(rayon::Yield::Executed) {
            busy = Instant::now();
        } else if look % 16 != 0 {
            (0..16).for_each(|_| std::hint::spin_loop());
        } else if busy.elapsed() < AWAKE {
            std::thread::yield_now();
        } else {
            return;
        }
    }
}

/// The parallelism of a product of `m`×`k` and `k`×`n`.
pub(super) fn gemm_parallelism(m: usize, n: usize, k: usize) -> Parallelism {
    let threads = threads();
    if threads == 1 || m.saturating_mul(n).saturating_mul(k) < MIN_MATMUL {
        Parallelism::None
    } else {
        Parallelism::Rayon(threads)
    }
}

/// The number of units, of `len` values each, in a chunk; all of them if they are few.
pub(super) fn units_per_chunk(units: usize, len: usize) -> usize {
    chunk_len(units * len).div_ceil(len.max(1)).max(1)
}

/// The length of the chunks of a map over `len` values; `len` for a single chunk.
pub(super) fn chunk_len(len: usize) -> usize {
    let threads = threads();
    if threads == 1 || len < MIN_MAP {
        len.max(1)
    } else {
        len.div_ceil(threads * CHUNKS_PER_THREAD).max(MIN_CHUNK)
    }
}

/// Calls `work` for every number below `count`. Threads take numbers one by one, first from their own range, then from
/// those of others.
pub(super) fn parallel_for(count: usize, work: &(dyn Fn(usize) + Sync)) {
    if count < 2 || threads() == 1 {
        (0..count).for_each(work);
    } else {
        (0..count).into_par_iter().with_max_len(1).for_each(work);
    }
}

/// Calls `work` for every part, as [`parallel_for`].
///
/// Rayon's iterators are compiled anew wherever they are used: they were more than a quarter of this crate's code.
pub(super) fn for_each<P: Send>(parts: impl IntoIterator<Item = P>, work: impl Fn(P) + Sync) {
    let parts: Vec<_> = parts
        .into_iter()
        .map(|part| Mutex::new(Some(part)))
        .collect();
    parallel_for(parts.len(), &|i| {
        let part = parts[i].lock().ok().and_then(|mut part| part.take());
        if let Some(part) = part {
            work(part);
        }
    });
}

/// The results of `work` for every part, in their order.
pub(super) fn map<P: Send, R: Send>(
    parts: impl IntoIterator<Item = P>,
    work: impl Fn(P) -> R + Sync,
) -> Vec<R> {
    let parts: Vec<_> = parts.into_iter().collect();
    let mut results: Vec<_> = parts.iter().map(|_| None).collect();
    for_each(parts.into_iter().zip(&mut results), |(part, result)| {
        *result = Some(work(part));
    });
    results.into_iter().flatten().collect()
}

/// As [`map`], for work that may fail. An error does not stop the other parts.
///
/// # Errors
/// The first error in the order of the parts.
pub(super) fn try_map<P: Send, R: Send, C: FromIterator<R>>(
    parts: impl IntoIterator<Item = P>,
    work: impl Fn(P) -> candle_core::Result<R> + Sync,
) -> candle_core::Result<C> {
    map(parts, work).into_iter().collect()
}

/// Calls `work` for every item. Items of `len` values each are grouped into chunks as [`units_per_chunk`] says.
pub(super) fn for_each_item<I: Send>(
    items: impl ExactSizeIterator<Item = I>,
    len: usize,
    work: impl Fn(I) + Sync,
) {
    let part = units_per_chunk(items.len(), len);
    let mut items = items;
    let parts = std::iter::from_fn(|| {
        let part: Vec<_> = items.by_ref().take(part).collect();
        (!part.is_empty()).then_some(part)
    });
    for_each(parts, |part| part.into_iter().for_each(&work));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sum whose parts have parts themselves: `n` for each of the numbers below `n`.
    fn shared_sum(n: u64) -> u64 {
        let inner = || (0..n).into_par_iter().map(|_| 1).sum::<u64>();
        in_pool(usize::MAX, || (0..n).into_par_iter().map(|_| inner()).sum())
    }

    #[test]
    fn pieces_of_work_at_once_and_after_one_that_panicked_all_end() {
        set_threads(2).unwrap();
        let panicked = std::panic::catch_unwind(|| in_pool(usize::MAX, || panic!("on purpose")));
        assert!(panicked.is_err());
        let callers: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..20).map(|_| shared_sum(200)).sum::<u64>()))
            .collect();
        for caller in callers {
            assert_eq!(caller.join().unwrap(), 20 * 200 * 200);
        }
    }

    #[test]
    fn every_part_is_worked_on_once_and_results_keep_their_order() {
        set_threads(2).unwrap();
        for count in [0, 1, 2, 33, 1000] {
            let squares = map(0..count, |i: usize| i * i);
            assert_eq!(squares, (0..count).map(|i| i * i).collect::<Vec<_>>());
            for len in [0, 1, MIN_MAP] {
                let mut times = vec![0; count];
                for_each_item(times.iter_mut(), len, |times| *times += 1);
                assert_eq!(times, vec![1; count]);
            }
        }
    }

    #[test]
    fn the_first_error_in_the_order_of_parts_is_told() {
        set_threads(2).unwrap();
        let done: candle_core::Result<Vec<usize>> = try_map(0..100, |i| {
            if i % 30 == 29 {
                candle_core::bail!("part {i}")
            }
            Ok(i)
        });
        // Candle may put the place where it was made behind it.
        assert!(done.unwrap_err().to_string().starts_with("part 29"));
    }
}
