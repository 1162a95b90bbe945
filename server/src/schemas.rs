//! Schemas that are written by hand in `schemas.json`, of what no type with a schema stands for yet.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, Schema};
use utoipa::{PartialSchema, ToSchema};
use vivarium_models::contract::{Boundary, Event, Test};

/// The schemas by name.
pub(crate) fn by_hand() -> Map<String, Value> {
    serde_json::from_str(include_str!("schemas.json")).unwrap_or_default()
}

/// Types that stand for a schema of [`by_hand`] where another type refers to it.
macro_rules! stand_in {
    ($($name:ident: $meaning:literal,)*) => {$(
        #[doc = $meaning]
        pub enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                Object::new().into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )*};
}

stand_in! {
    RunSpec: "What a run is made of.",
    Settings: "The settings of a run, or those that an imported run's files tell.",
    Axis: "The values of a setting in a sweep.",
}

/// A line of a run's log.
#[derive(Serialize, ToSchema)]
pub struct RunEvent {
    /// Counts the lines of a log from 1, without a gap.
    seq: u64,
    /// When it was written, in RFC 3339.
    #[schema(format = DateTime)]
    time: String,
    #[serde(flatten)]
    event: Event,
}

/// The result of a run on its test split, as its log has it.
#[derive(Serialize, ToSchema)]
pub struct TestEvent {
    kind: TestKind,
    /// The number of the line.
    seq: u64,
    /// When it was written, in RFC 3339.
    #[schema(format = DateTime)]
    time: String,
    #[serde(flatten)]
    test: Test,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes lines that are passed on as they stand")]
enum TestKind {
    Test,
}

/// A decision boundary, as the log of its run has it.
#[derive(Serialize, ToSchema)]
pub struct BoundaryEvent {
    kind: BoundaryKind,
    /// The number of the line.
    seq: u64,
    /// When it was written, in RFC 3339.
    #[schema(format = DateTime)]
    time: String,
    #[serde(flatten)]
    boundary: Boundary,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes lines that are passed on as they stand")]
enum BoundaryKind {
    Boundary,
}
