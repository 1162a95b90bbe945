//! Whose turn it is: at most so many runs at a time, first come, first served.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The line in which runs wait.
#[derive(Clone, Debug)]
pub(super) struct Turns(Arc<Mutex<Line>>);

#[derive(Debug)]
struct Line {
    free: usize,
    waiting: VecDeque<oneshot::Sender<Turn>>,
}

/// A place in the line. Dropping it leaves the line.
#[derive(Debug)]
pub(super) struct Ticket(oneshot::Receiver<Turn>);

/// The right to run; given on to the next in line when dropped.
#[derive(Debug)]
pub(super) struct Turn {
    line: Option<Turns>,
}

impl Turns {
    /// A line from which `jobs` may run at a time.
    pub(super) fn new(jobs: usize) -> Self {
        Self(Arc::new(Mutex::new(Line {
            free: jobs,
            waiting: VecDeque::new(),
        })))
    }

    /// Joins the end of the line, at once: the order of the calls is the order of the turns.
    pub(super) fn line_up(&self) -> Ticket {
        let (give, ticket) = oneshot::channel();
        self.lock().waiting.push_back(give);
        self.serve();
        Ticket(ticket)
    }

    /// A turn for what runs already and cannot wait, even if it makes one too many.
    pub(super) fn already_running(&self) -> Turn {
        let mut line = self.lock();
        let counted = line.free > 0;
        line.free -= usize::from(counted);
        Turn {
            line: counted.then(|| self.clone()),
        }
    }

    fn serve(&self) {
        loop {
            let next = {
                let mut line = self.lock();
                if line.free == 0 {
                    return;
                }
                let Some(next) = line.waiting.pop_front() else {
                    return;
                };
                line.free -= 1;
                next
            };
            // Outside the lock: a turn that nobody takes comes straight back here.
            if let Err(mut refused) = next.send(Turn {
                line: Some(self.clone()),
            }) {
                refused.line = None;
                self.lock().free += 1;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Waits for the turn. May be dropped and called again.
    pub(super) async fn turn(&mut self) -> Turn {
        // The sender lives in the line until it is used.
        (&mut self.0).await.unwrap_or(Turn { line: None })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(line) = self.line.take() {
            line.lock().free += 1;
            line.serve();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[test]
    fn turns_come_in_order_and_leavers_are_passed_over() {
        let turns = Turns::new(1);
        let mut tickets: Vec<_> = (0..4).map(|_| turns.line_up()).collect();
        let first = tickets[0]
            .turn()
            .now_or_never()
            .expect("the first runs at once");
        assert!(tickets[1].turn().now_or_never().is_none());
        drop(tickets.remove(1));
        drop(first);
        let second = tickets[1]
            .turn()
            .now_or_never()
            .expect("the leaver was passed over");
        assert!(tickets[2].turn().now_or_never().is_none());
        drop(second);
        assert!(tickets[2].turn().now_or_never().is_some());
    }

    #[test]
    fn a_turn_that_was_given_and_not_taken_goes_on() {
        let turns = Turns::new(1);
        let first = turns.line_up();
        let mut second = turns.line_up();
        drop(first);
        assert!(second.turn().now_or_never().is_some());
    }

    #[test]
    fn what_runs_already_takes_places_but_never_waits() {
        let turns = Turns::new(1);
        let adopted = turns.already_running();
        let one_too_many = turns.already_running();
        let mut waiting = turns.line_up();
        drop(one_too_many);
        assert!(waiting.turn().now_or_never().is_none());
        drop(adopted);
        assert!(waiting.turn().now_or_never().is_some());
    }
}
