//! Fields that several networks take.

use crate::spec::{Choice, Field, FieldKind};

const ACTIVATIONS: &[Choice] = &[
    Choice {
        value: "relu",
        label: "ReLU",
    },
    Choice {
        value: "silu",
        label: "SiLU",
    },
    Choice {
        value: "sigmoid",
        label: "Sigmoid",
    },
    Choice {
        value: "tanh",
        label: "Tanh",
    },
];

/// The field of the activation function.
pub(super) const fn activation(default: &'static str) -> Field {
    Field::new(
        "network.activation",
        "Activation",
        FieldKind::Choice {
            options: ACTIVATIONS,
        },
        default,
        "What is applied to every value between layers.",
    )
}

/// The field of the dropout rate.
pub(super) const fn dropout(default: &'static str) -> Field {
    Field::new(
        "network.dropout",
        "Dropout",
        FieldKind::Number {
            min: 0.0,
            max: 0.95,
            min_open: false,
        },
        default,
        "The share of hidden values set to 0 at random in every training step.",
    )
}

/// The field of the initialisation scheme.
pub(super) const INIT: Field = Field::new(
    "network.init",
    "Initialisation",
    FieldKind::Choice {
        options: &[
            Choice {
                value: "kaiming",
                label: "Kaiming",
            },
            Choice {
                value: "xavier",
                label: "Xavier",
            },
            Choice {
                value: "kaiming_uniform",
                label: "Kaiming, uniform",
            },
            Choice {
                value: "xavier_uniform",
                label: "Xavier, uniform",
            },
        ],
    },
    "\"kaiming\"",
    "How wide the weights are spread at the start.",
)
.advanced();
