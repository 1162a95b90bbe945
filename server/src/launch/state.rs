//! What a launcher knows about a worker.

use std::fmt;

use signal_hook::consts::SIGUSR1;

use crate::job::{ASKS_FOR_ANOTHER_JOB, Job};

/// The state of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Its job waits in a scheduler's queue, for the first time or again.
    Waiting(Job),
    /// It trains; `None` if it is no job.
    Running(Option<Job>),
    /// It has ended.
    Ended(Exit),
}

/// How a worker ended, as far as the launcher knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this status.
    Code(i32),
    /// A signal killed it.
    Signal(i32),
    /// Its job reached the limit of its time.
    TimeLimit,
    /// The scheduler ended its job in favour of another one.
    Preempted,
    /// The machine failed.
    NodeFailed,
    /// Its job exceeded the memory that it had asked for.
    OutOfMemory,
    /// Someone else cancelled its job.
    Cancelled,
    /// Its jobs ended again and again before they had trained a step.
    NoProgress,
    /// The scheduler refused its job, with this message.
    Refused(String),
    /// Unknown: it was not this server's child, and no scheduler remembers it.
    Unknown,
}

impl Exit {
    /// Whether the job ended, not the training: another job can go on from the last checkpoint.
    pub fn is_of_the_job(&self) -> bool {
        match self {
            Self::TimeLimit | Self::Preempted | Self::NodeFailed => true,
            Self::Code(code) => *code == i32::from(ASKS_FOR_ANOTHER_JOB),
            // Before it listened to the signal.
            Self::Signal(signal) => *signal == SIGUSR1,
            _ => false,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "The worker ended with status {code}."),
            Self::Signal(signal) => {
                let name = signal_hook::low_level::signal_name(*signal).unwrap_or("unnamed");
                write!(f, "The worker was killed by signal {signal} ({name}).")?;
                if *signal == signal_hook::consts::SIGKILL {
                    write!(f, " When nobody sent it, the system ran out of memory.")?;
                }
                Ok(())
            }
            Self::TimeLimit => write!(f, "The job reached its time limit."),
            Self::Preempted => write!(f, "The scheduler preempted the job."),
            Self::NodeFailed => write!(f, "The node of the job failed."),
            Self::OutOfMemory => write!(
                f,
                "The job exceeded its memory and was killed. Copy the run and ask for more, or take a smaller batch."
            ),
            Self::Cancelled => write!(f, "The job was cancelled, but not from Vivarium."),
            Self::NoProgress => write!(
                f,
                "Its jobs ended one after another before they had trained a further step. Copy the run and ask for more time."
            ),
            Self::Refused(message) => write!(f, "The scheduler refused the job: {message}"),
            Self::Unknown => write!(
                f,
                "The worker disappeared without a final event. It was started by an earlier server, so how it ended is not known."
            ),
        }
    }
}
