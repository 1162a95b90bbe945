//! Fields that networks have beside their options.

use std::borrow::Cow;

use crate::spec::{Choice, Field, FieldKind, Topic};

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
.under(Topic::Layers);

const WEIGHTS: &[Choice] = &[
    Choice::new(IMPORTED, "Imported"),
    Choice::new("random", "Random"),
];

/// The word for a start from the weights that a text names.
pub(super) const IMPORTED: &str = "imported";

/// The field of a text that names weights.
pub(super) const INITIAL_WEIGHTS: Field = Field::new(
    "network.weights",
    "Weights at the start",
    FieldKind::Choice {
        options: Cow::Borrowed(WEIGHTS),
    },
    "\"imported\"",
    "Those that came with the network, or random ones. The last layer starts anew where the classes are others.",
);
