//! What a batch's transaction begins with each time it runs. A database that others write to may run it more than once, and each run
//! uses up what it begins with; who reads the batch copies it, since who writes it has no time.

use std::sync::{Arc, Mutex, PoisonError};

use mortise_store::StoreError;

/// A batch, and its copy where there may be a second run.
#[derive(Debug)]
pub(super) struct Copies<T> {
    first: Vec<T>,
    spare: Option<Vec<T>>,
}

impl<T: Clone> Copies<T> {
    pub(super) fn new(first: Vec<T>, is_shared: bool) -> Self {
        let spare = is_shared.then(|| first.clone());
        Self { first, spare }
    }

    /// Takes another batch in, behind its own.
    pub(super) fn join(&mut self, other: Self) {
        self.first.extend(other.first);
        self.spare = self.spare.take().zip(other.spare).map(|(mut spare, others)| {
            spare.extend(others);
            spare
        });
    }

    pub(super) fn into_runs(self) -> Runs<T> {
        Runs { first: Arc::new(Mutex::new(Some(self.first))), spare: self.spare.map(Arc::new) }
    }
}

/// A batch for each run. Clones share it: the first that is asked gives the batch itself, the others copies.
#[derive(Debug, Clone)]
pub(super) struct Runs<T> {
    first: Arc<Mutex<Option<Vec<T>>>>,
    spare: Option<Arc<Vec<T>>>,
}

impl<T: Clone> Runs<T> {
    /// The batch for the next run.
    ///
    /// # Errors
    /// A second run where nobody made a copy: the store that said it would not runs a transaction again.
    pub(super) fn take(&self) -> Result<Vec<T>, StoreError> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let copied = || self.spare.as_deref().cloned();
        first
            .or_else(copied)
            .ok_or_else(|| StoreError::Value("a batch without a copy was run again".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_has_the_whole_batch_joined_ones_too() {
        let mut batch = Copies::new(vec![1, 2], true);
        batch.join(Copies::new(vec![3], true));
        let runs = batch.into_runs();
        for run in [runs.clone(), runs.clone(), runs] {
            assert_eq!(run.take().unwrap(), [1, 2, 3]);
        }
    }

    #[test]
    fn a_run_that_nobody_made_a_copy_for_is_an_error_and_not_an_empty_batch() {
        let mut batch = Copies::new(vec![1], false);
        batch.join(Copies::new(vec![2], false));
        let runs = batch.into_runs();
        assert_eq!(runs.take().unwrap(), [1, 2]);
        assert!(runs.take().unwrap_err().to_string().contains("without a copy"));
    }
}
