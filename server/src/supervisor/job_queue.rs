//! Limits how many runs train at a time: first come, first served.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The queue in which runs wait.
#[derive(Clone, Debug)]
pub(super) struct JobQueue(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    free: usize,
    waiting: VecDeque<oneshot::Sender<Permit>>,
}

/// A place in the queue; dropping it gives up the place.
#[derive(Debug)]
pub(super) struct Waiter(oneshot::Receiver<Permit>);

/// The right to train; passes to the next in the queue when dropped.
#[derive(Debug)]
pub(super) struct Permit {
    queue: Option<JobQueue>,
}

impl JobQueue {
    /// A queue that lets `jobs` runs train at a time.
    pub(super) fn new(jobs: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            free: jobs,
            waiting: VecDeque::new(),
        })))
    }

    /// Joins the end of the queue immediately: the order of the calls is the order of the permits.
    pub(super) fn enqueue(&self) -> Waiter {
        let (sender, receiver) = oneshot::channel();
        self.lock().waiting.push_back(sender);
        self.grant();
        Waiter(receiver)
    }

    /// A permit for a run that is training already and cannot wait, even if it exceeds the limit.
    pub(super) fn permit_for_running(&self) -> Permit {
        let mut queue = self.lock();
        let counted = queue.free > 0;
        queue.free -= usize::from(counted);
        Permit {
            queue: counted.then(|| self.clone()),
        }
    }

    fn grant(&self) {
        loop {
            let next = {
                let mut queue = self.lock();
                if queue.free == 0 {
                    return;
                }
                let Some(next) = queue.waiting.pop_front() else {
                    return;
                };
                queue.free -= 1;
                next
            };
            // Outside the lock: a permit whose waiter is gone is dropped here and locks again.
            if let Err(mut refused) = next.send(Permit {
                queue: Some(self.clone()),
            }) {
                refused.queue = None;
                self.lock().free += 1;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter {
    /// Waits for the permit. Cancel safe.
    pub(super) async fn permit(&mut self) -> Permit {
        // The sender stays in the queue until it is used.
        (&mut self.0).await.unwrap_or(Permit { queue: None })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.take() {
            queue.lock().free += 1;
            queue.grant();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[test]
    fn permits_come_in_order_and_leavers_are_passed_over() {
        let queue = JobQueue::new(1);
        let mut waiters: Vec<_> = (0..4).map(|_| queue.enqueue()).collect();
        let first = waiters[0]
            .permit()
            .now_or_never()
            .expect("the first runs at once");
        assert!(waiters[1].permit().now_or_never().is_none());
        drop(waiters.remove(1));
        drop(first);
        let second = waiters[1]
            .permit()
            .now_or_never()
            .expect("the leaver was passed over");
        assert!(waiters[2].permit().now_or_never().is_none());
        drop(second);
        assert!(waiters[2].permit().now_or_never().is_some());
    }

    #[test]
    fn a_permit_that_was_sent_and_not_taken_goes_on() {
        let queue = JobQueue::new(1);
        let first = queue.enqueue();
        let mut second = queue.enqueue();
        drop(first);
        assert!(second.permit().now_or_never().is_some());
    }

    #[test]
    fn what_runs_already_takes_places_but_never_waits() {
        let queue = JobQueue::new(1);
        let adopted = queue.permit_for_running();
        let one_too_many = queue.permit_for_running();
        let mut waiting = queue.enqueue();
        drop(one_too_many);
        assert!(waiting.permit().now_or_never().is_none());
        drop(adopted);
        assert!(waiting.permit().now_or_never().is_some());
    }
}
