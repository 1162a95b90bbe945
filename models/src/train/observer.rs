//! Who listens to a run while it trains.

use crate::contract::Event;

/// Listens to a run.
pub trait Observer {
    /// Called with every event, in order, from the thread that trains. Each step comes alone, as [`Event::Steps`] of one.
    ///
    /// # Errors
    /// Ends the run with [`Error::Observer`](crate::Error::Observer).
    fn observe(
        &mut self,
        event: &Event,
    ) -> std::result::Result<Control, Box<dyn std::error::Error + Send + Sync>>;

    /// Called now and then while a run computes something that is no event, such as the features of frozen layers.
    fn poll(&mut self) -> Control {
        Control::Continue
    }

    /// Makes everything observed so far durable. Called before a checkpoint is published, so that no checkpoint is
    /// ahead of the record.
    ///
    /// # Errors
    /// Ends the run with [`Error::Observer`](crate::Error::Observer); the checkpoint is not published.
    fn sync(&mut self) -> std::result::Result<(), Box<dyn std::error::Error + Send + Sync>>;
}

/// What the listener wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Finish the step, write a checkpoint, end with [`Reason::Stopped`](crate::contract::Reason::Stopped).
    Stop,
}
