//! The last few of something, as far as there is room.

use std::collections::VecDeque;

/// Values by name, the one that was used last first.
#[derive(Debug)]
pub(super) struct Shelf<V> {
    most: usize,
    most_bytes: u64,
    values: VecDeque<(String, V, u64)>,
}

impl<V: Clone> Shelf<V> {
    /// Room for so many, and for so many bytes.
    pub(super) fn new(most: usize, most_bytes: u64) -> Self {
        Self {
            most,
            most_bytes,
            values: VecDeque::new(),
        }
    }

    pub(super) fn get(&mut self, name: &str) -> Option<V> {
        let place = self.values.iter().position(|(of, ..)| of == name)?;
        let found = self.values.remove(place)?;
        let value = found.1.clone();
        self.values.push_front(found);
        Some(value)
    }

    /// Takes away what was there the longest, until there is room for so many bytes more.
    pub(super) fn make_room(&mut self, bytes: u64) {
        let held = |values: &VecDeque<(String, V, u64)>| values.iter().map(|of| of.2).sum::<u64>();
        while !self.values.is_empty()
            && (self.values.len() >= self.most || held(&self.values) + bytes > self.most_bytes)
        {
            self.values.pop_back();
        }
    }

    /// Adds a value; one that is larger than all the room stands alone.
    pub(super) fn put(&mut self, name: String, value: V, bytes: u64) {
        self.make_room(bytes);
        self.values.push_front((name, value, bytes));
    }

    /// Takes away all whose names begin so.
    pub(super) fn remove(&mut self, beginning: &str) {
        self.values
            .retain(|(name, ..)| !name.starts_with(beginning));
    }

    pub(super) fn clear(&mut self) {
        self.values.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_the_longest_goes_first() {
        let mut shelf = Shelf::new(3, 100);
        for (name, bytes) in [("a", 10), ("b", 20), ("c", 30)] {
            shelf.put(name.to_owned(), bytes, bytes);
        }
        assert_eq!(shelf.get("a"), Some(10));
        shelf.put("d".to_owned(), 1, 1);
        assert_eq!(
            [shelf.get("b"), shelf.get("a"), shelf.get("c")],
            [None, Some(10), Some(30)]
        );
        shelf.put("e".to_owned(), 65, 65);
        assert_eq!(
            [shelf.get("d"), shelf.get("a"), shelf.get("c")],
            [None, None, Some(30)]
        );
        shelf.put("f".to_owned(), 1000, 1000);
        assert_eq!(
            [shelf.get("c"), shelf.get("e"), shelf.get("f")],
            [None, None, Some(1000)]
        );
    }

    #[test]
    fn what_is_of_one_run_goes_together() {
        let mut shelf = Shelf::new(4, 100);
        for name in ["a best 1", "a last 1", "b best 1"] {
            shelf.put(name.to_owned(), (), 1);
        }
        shelf.remove("a ");
        assert_eq!(
            [shelf.get("a best 1"), shelf.get("b best 1")],
            [None, Some(())]
        );
    }
}
