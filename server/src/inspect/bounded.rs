//! A least-recently-used cache that is bounded by its entries and by their bytes.

use lru::LruCache;

/// Values with their sizes. The crate `lru` tracks the order but counts entries, and these differ in size a
/// thousandfold.
#[derive(Debug)]
pub(super) struct BoundedCache<V> {
    max_entries: usize,
    max_bytes: u64,
    entries: LruCache<String, (V, u64)>,
}

impl<V: Clone> BoundedCache<V> {
    /// An empty cache with these limits.
    pub(super) fn new(max_entries: usize, max_bytes: u64) -> Self {
        Self {
            max_entries,
            max_bytes,
            entries: LruCache::unbounded(),
        }
    }

    pub(super) fn get(&mut self, key: &str) -> Option<V> {
        self.entries.get(key).map(|(value, _)| value.clone())
    }

    /// Evicts the least recently used values until one of this size fits.
    pub(super) fn make_room(&mut self, bytes: u64) {
        while self.entries.len() >= self.max_entries || self.bytes() + bytes > self.max_bytes {
            if self.entries.pop_lru().is_none() {
                return;
            }
        }
    }

    /// Adds a value. One that is larger than the limit is the only one in the cache.
    pub(super) fn put(&mut self, key: String, value: V, bytes: u64) {
        self.make_room(bytes);
        self.entries.put(key, (value, bytes));
    }

    /// Removes all values whose keys begin with this prefix.
    pub(super) fn remove(&mut self, prefix: &str) {
        self.entries.retain(|key, _| !key.starts_with(prefix));
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    fn bytes(&self) -> u64 {
        self.entries.iter().map(|(_, (_, bytes))| bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_value_is_evicted_first() {
        let mut cache = BoundedCache::new(3, 100);
        for (name, bytes) in [("a", 10), ("b", 20), ("c", 30)] {
            cache.put(name.to_owned(), bytes, bytes);
        }
        assert_eq!(cache.get("a"), Some(10));
        cache.put("d".to_owned(), 1, 1);
        assert_eq!(
            [cache.get("b"), cache.get("a"), cache.get("c")],
            [None, Some(10), Some(30)]
        );
        cache.put("e".to_owned(), 65, 65);
        assert_eq!(
            [cache.get("d"), cache.get("a"), cache.get("c")],
            [None, None, Some(30)]
        );
        cache.put("f".to_owned(), 1000, 1000);
        assert_eq!(
            [cache.get("c"), cache.get("e"), cache.get("f")],
            [None, None, Some(1000)]
        );
    }

    #[test]
    fn all_values_of_a_run_are_removed_together() {
        let mut cache = BoundedCache::new(4, 100);
        for name in ["a best 1", "a last 1", "b best 1"] {
            cache.put(name.to_owned(), (), 1);
        }
        cache.remove("a ");
        assert_eq!(
            [cache.get("a best 1"), cache.get("b best 1")],
            [None, Some(())]
        );
    }
}
