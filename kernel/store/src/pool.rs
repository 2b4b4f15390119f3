//! Threads that each own a session with a database and take jobs from one queue, in the order in which they came.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use flume::Sender;
use tokio::sync::oneshot;

use crate::error::StoreError;

type Job<W> = Box<dyn FnOnce(&mut W) + Send>;

/// Threads with a worker each.
#[derive(Debug)]
pub(crate) struct Pool<W> {
    queue: Sender<Job<W>>,
    threads: Vec<JoinHandle<()>>,
}

impl<W: Send + 'static> Pool<W> {
    /// Starts a thread for each worker.
    ///
    /// # Errors
    /// When the machine gives no thread.
    pub(crate) fn start(
        name: &str,
        workers: impl IntoIterator<Item = Result<W, StoreError>>,
    ) -> Result<Self, StoreError> {
        let (queue, jobs) = flume::unbounded::<Job<W>>();
        let mut threads = Vec::new();
        for worker in workers {
            let (mut worker, jobs) = (worker?, jobs.clone());
            // A job that panics is gone, and who waits for it sees that; the worker goes on.
            let run = move || {
                jobs.iter().for_each(|job| drop(caught(|| job(&mut worker))));
            };
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
            threads.push(thread.map_err(StoreError::Thread)?);
        }
        Ok(Self { queue, threads })
    }

    /// Has the next free worker do `job`.
    ///
    /// # Errors
    /// The job's own.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut W) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run_on((), |worker, ()| job(worker), |_, ()| ()).await
    }

    /// Has the next free worker do `job` on `goods`, and `then` when the answer is on its way, which may take longer than the caller
    /// has. Behind a job that panics it is not done.
    ///
    /// # Errors
    /// The job's own.
    pub(crate) async fn run_on<G: Send + 'static, T: Send + 'static>(
        &self,
        goods: G,
        job: impl FnOnce(&mut W, &G) -> Result<T, StoreError> + Send + 'static,
        then: impl FnOnce(&mut W, G) + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, answer) = oneshot::channel();
        let job: Job<W> = Box::new(move |worker| {
            // Nobody may be waiting any more; what was committed stays committed.
            let _ = done.send(job(worker, &goods));
            then(worker, goods);
        });
        self.queue.send(job).map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Waits for the jobs that are queued and ends the threads.
    pub(crate) fn close(self) {
        let Self { queue, threads } = self;
        drop(queue);
        for thread in threads {
            let _ = thread.join();
        }
    }
}

/// What `run` gives, or the words of its panic: no job hurts the next one.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| panicked(&*panic))
}

/// A panic as an error.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> StoreError {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    StoreError::Panic(text.unwrap_or_else(|| "without a message".to_owned()))
}
