//! The distinct keys of a batch: a statement runs once for each, however many calls need its rows.

use std::collections::HashMap;
use std::hash::Hash;

/// Each different key once, in the order of its first place.
#[derive(Debug)]
pub struct Distinct<K> {
    keys: Vec<K>,
    index: HashMap<K, usize>,
}

impl<K> Default for Distinct<K> {
    fn default() -> Self {
        Distinct { keys: Vec::new(), index: HashMap::new() }
    }
}

impl<K: Clone + Eq + Hash> Distinct<K> {
    /// The position of a key among the distinct ones.
    pub fn add(&mut self, key: K) -> usize {
        let next = self.keys.len();
        *self.index.entry(key).or_insert_with_key(|key| {
            self.keys.push(key.clone());
            next
        })
    }
}

impl<K> Distinct<K> {
    /// The keys, in the order of their positions.
    pub fn keys(&self) -> &[K] {
        &self.keys
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys, in the order of their positions.
    pub fn into_keys(self) -> Vec<K> {
        self.keys
    }
}
