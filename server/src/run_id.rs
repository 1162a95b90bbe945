//! The ids of runs.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The id of a run, a UUIDv7. Requests are parsed into it, so no text from outside ever becomes a path.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(transparent)]
pub struct RunId(Uuid);

impl RunId {
    /// A new id; later ones sort after earlier ones.
    pub fn next() -> Self {
        Self(Uuid::now_v7())
    }

    /// The creation time that the id contains.
    pub fn created(self) -> SystemTime {
        let (seconds, nanos) = self.0.get_timestamp().map_or((0, 0), |t| t.to_unix());
        SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for RunId {
    type Err = uuid::Error;

    /// Accepts only the hyphenated form: one run has one URL.
    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        text.parse::<uuid::fmt::Hyphenated>()
            .map(|id| Self(id.into_uuid()))
    }
}
