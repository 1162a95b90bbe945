//! The field that every network has.

use std::borrow::Cow;

use crate::spec::{Choice, Field, FieldKind};

const SCHEMES: &[Choice] = &[
    Choice::new("kaiming", "Kaiming"),
    Choice::new("xavier", "Xavier"),
    Choice::new("kaiming_uniform", "Kaiming, uniform"),
    Choice::new("xavier_uniform", "Xavier, uniform"),
];

/// The field of the initialisation scheme.
pub(super) const INIT: Field = Field::new(
    "network.init",
    "Initialisation",
    FieldKind::Choice {
        options: Cow::Borrowed(SCHEMES),
    },
    "\"kaiming\"",
    "How wide the weights are spread at the start.",
)
.advanced();
