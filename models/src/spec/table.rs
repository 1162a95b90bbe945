//! The table of fields: what every run takes, and the groups whose fields depend on a choice.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::field::{Choice, Field, FieldKind};
use super::group::{Group, Variant};
use super::topic::Topic;
use super::{recipe, transfer};

const DEVICES: &[Choice] = &[Choice::new("cpu", "CPU")];

const METRICS: &[Choice] = &[
    Choice::new("validation_loss", "Validation loss"),
    Choice::new("validation_accuracy", "Validation accuracy"),
    Choice::new("train_loss", "Training loss"),
    Choice::new("train_accuracy", "Training accuracy"),
];

const SAMPLING: &[Choice] = &[
    Choice::new("shuffled", "Each sample once"),
    Choice::new("balanced", "Each class equally often"),
];

const CLASS_WEIGHTS: &[Choice] = &[
    Choice::new("none", "None"),
    Choice::new("balanced", "Balanced"),
];

/// What every run takes, whatever its network and its data.
pub(crate) static COMMON: &[Field] = &[
    Field::new(
        "name",
        "Name",
        FieldKind::Text { max_chars: 200 },
        "\"\"",
        "How the run is called in lists and charts.",
    ),
    Field::new(
        "data.validation",
        "Validation share",
        FieldKind::Number {
            min: 0.0,
            max: 0.5,
            min_open: false,
        },
        "0.1",
        "The share of the training samples held back to measure on after every epoch.",
    ).under(Topic::Samples),
    Field::new(
        "data.limit",
        "Training samples at most",
        FieldKind::Integer {
            min: 1,
            max: 1_000_000_000,
            step: 1,
        },
        "null",
        "Trains on no more samples than this.",
    )
    .or_null("All")
    .under(Topic::Samples),
    Field::new(
        "data.folds",
        "Folds",
        FieldKind::Integer {
            min: 2,
            max: 20,
            step: 1,
        },
        "null",
        "Divides the training samples into so many equal folds, one of which validates instead of the share. A sweep over the fold validates on every sample once.",
    )
    .or_null("Off")
    .under(Topic::Samples),
    Field::new(
        "data.fold",
        "Fold to validate on",
        FieldKind::Integer {
            min: 0,
            max: 19,
            step: 1,
        },
        "null",
        "The fold that validates, from 0.",
    )
    .or_null("The first")
    .under(Topic::Samples),
    Field::new(
        "training.epochs",
        "Epochs",
        FieldKind::Integer {
            min: 1,
            max: 100_000,
            step: 1,
        },
        "30",
        "How often every training sample is seen.",
    ),
    Field::new(
        "training.batch_size",
        "Batch size",
        FieldKind::Integer {
            min: 1,
            max: 65_536,
            step: 1,
        },
        "64",
        "Samples from which one step's gradient is computed.",
    ),
    Field::new(
        "training.sampling",
        "Sampling",
        FieldKind::Choice {
            options: Cow::Borrowed(SAMPLING),
        },
        "\"shuffled\"",
        "Which samples an epoch has: each once, or as many drawn with replacement, so that every class comes equally often.",
    )
    .under(Topic::Samples),
    Field::new(
        "training.clip",
        "Gradient clipping",
        FieldKind::Number {
            min: 0.0,
            max: 1e9,
            min_open: true,
        },
        "null",
        "Shortens a step's gradient to this norm, taken over all parameters, where it is longer.",
    )
    .or_null("Never").under(Topic::Optimizer),
    Field::new(
        "training.seed",
        "Seed",
        FieldKind::Integer {
            min: 0,
            max: (1 << 53) - 1,
            step: 1,
        },
        "0",
        "What the initial weights, the order of the samples and dropout are drawn from.",
    ).under(Topic::Machine),
    Field::new(
        "training.threads",
        "Threads",
        FieldKind::Integer {
            min: 1,
            max: 256,
            step: 1,
        },
        "null",
        "Threads to compute with: as many as the machine has, unless told.",
    )
    .or_null("Automatic")
    .under(Topic::Machine),
    Field::new(
        "device",
        "Device",
        FieldKind::Choice {
            options: Cow::Borrowed(DEVICES),
        },
        "\"cpu\"",
        "Where the run is computed.",
    )
    .under(Topic::Machine),
    Field::new(
        "resources.cpus",
        "Cores",
        FieldKind::Integer {
            min: 1,
            max: 256,
            step: 1,
        },
        "null",
        "Processor cores that the run asks a cluster for.",
    )
    .or_null("The cluster's default"),
    Field::new(
        "resources.memory",
        "Memory (MiB)",
        FieldKind::Integer {
            min: 1,
            max: 1 << 24,
            step: 1,
        },
        "null",
        "Memory that the run asks a cluster for; a run that exceeds it is killed. Automatic is what the network is estimated to need.",
    )
    .or_null("Automatic"),
    Field::new(
        "resources.gpus",
        "GPUs",
        FieldKind::Integer {
            min: 0,
            max: 64,
            step: 1,
        },
        "null",
        "GPUs that the run asks a cluster for.",
    )
    .or_null("None"),
    Field::new(
        "resources.time",
        "Time limit (minutes)",
        FieldKind::Integer {
            min: 1,
            max: 525_600,
            step: 1,
        },
        "null",
        "How long a job may take on a cluster. A run that needs longer goes on in another job.",
    )
    .or_null("The cluster's default"),
];

/// What the runs of networks trained by cross-entropy take.
pub(crate) static CROSS_ENTROPY: &[Field] = &[
    Field::new(
        "training.label_smoothing",
        "Label smoothing",
        FieldKind::Number {
            min: 0.0,
            max: 0.999,
            min_open: false,
        },
        "0.0",
        "The share of the truth that is spread evenly over all classes while training. Validation and test losses are without it.",
    ).under(Topic::Regularisation),
    Field::new(
        "training.class_weights",
        "Class weights",
        FieldKind::Choice {
            options: Cow::Borrowed(CLASS_WEIGHTS),
        },
        "\"none\"",
        "Balanced weighs a sample's loss by how rare its class is in the training split. Validation and test losses are without weights.",
    )
    .under(Topic::Samples),
];

const LR: FieldKind = FieldKind::Number {
    min: 0.0,
    max: 100.0,
    min_open: true,
};
const SHARE: FieldKind = FieldKind::Number {
    min: 0.0,
    max: 0.999_999,
    min_open: false,
};
const DECAY: FieldKind = FieldKind::Number {
    min: 0.0,
    max: 10.0,
    min_open: false,
};
const WARMUP: Field = Field::new(
    "training.schedule.warmup_epochs",
    "Warm-up",
    FieldKind::Number {
        min: 0.0,
        max: 100_000.0,
        min_open: false,
    },
    "0.0",
    "Epochs in which the rate rises in a line from near 0 to its value; 0.5 is half an epoch.",
);
const GAMMA: Field = Field::new(
    "training.schedule.gamma",
    "Factor",
    FieldKind::Number {
        min: 0.0,
        max: 1.0,
        min_open: true,
    },
    "0.1",
    "What is left of the rate each time it falls.",
);
const DIVISOR: FieldKind = FieldKind::Number {
    min: 1.0,
    max: 1e12,
    min_open: false,
};
const LR_HELP: &str = "How far a step goes along the gradient.";

/// The groups, in the order of the document.
pub(crate) static GROUPS: &[Group] = &[
    Group {
        path: "training.optimizer",
        label: "Optimizer",
        help: "",
        nullable: false,
        selector: Some("kind"),
        default: Some("sgd"),
        needs: &[],
        topic: None,
        variants: &[
            Variant {
                value: Some("sgd"),
                label: "SGD",
                fields: &[
                    Field::new(
                        "training.optimizer.lr",
                        "Learning rate",
                        LR,
                        "0.01",
                        LR_HELP,
                    ),
                    Field::new(
                        "training.optimizer.momentum",
                        "Momentum",
                        SHARE,
                        "0.9",
                        "The share of the previous step that the next one keeps.",
                    ),
                    Field::new(
                        "training.optimizer.weight_decay",
                        "Weight decay",
                        DECAY,
                        "0.0",
                        "The pull of every parameter towards 0, as part of its gradient.",
                    )
                    .under(Topic::Regularisation),
                    Field::new(
                        "training.optimizer.nesterov",
                        "Nesterov",
                        FieldKind::Switch,
                        "false",
                        "Looks ahead by the momentum; needs a momentum above 0.",
                    )
                    .under(Topic::Optimizer),
                ],
            },
            Variant {
                value: Some("adamw"),
                label: "AdamW",
                fields: &[
                    Field::new(
                        "training.optimizer.lr",
                        "Learning rate",
                        LR,
                        "0.001",
                        LR_HELP,
                    ),
                    Field::new(
                        "training.optimizer.beta1",
                        "Beta 1",
                        SHARE,
                        "0.9",
                        "How slowly the mean of the gradient moves.",
                    )
                    .under(Topic::Optimizer),
                    Field::new(
                        "training.optimizer.beta2",
                        "Beta 2",
                        SHARE,
                        "0.999",
                        "How slowly the mean of the squared gradient moves.",
                    )
                    .under(Topic::Optimizer),
                    Field::new(
                        "training.optimizer.eps",
                        "Epsilon",
                        FieldKind::Number {
                            min: 0.0,
                            max: 1.0,
                            min_open: true,
                        },
                        "1e-8",
                        "Keeps the division by the squared gradient's root away from 0.",
                    )
                    .under(Topic::Optimizer),
                    Field::new(
                        "training.optimizer.weight_decay",
                        "Weight decay",
                        DECAY,
                        "0.01",
                        "The pull of every parameter towards 0, apart from its gradient.",
                    )
                    .under(Topic::Regularisation),
                ],
            },
        ],
    },
    Group {
        path: "training.schedule",
        label: "Learning-rate schedule",
        help: "",
        nullable: false,
        selector: Some("kind"),
        default: Some("constant"),
        needs: &[],
        topic: Some(Topic::Schedule),
        variants: &[
            Variant {
                value: Some("constant"),
                label: "Constant",
                fields: &[WARMUP],
            },
            Variant {
                value: Some("step"),
                label: "Steps",
                fields: &[
                    Field::new(
                        "training.schedule.every_epochs",
                        "Falls every",
                        FieldKind::Integer {
                            min: 1,
                            max: 100_000,
                            step: 1,
                        },
                        "10",
                        "Epochs between one fall of the rate and the next.",
                    ),
                    GAMMA,
                    WARMUP,
                ],
            },
            Variant {
                value: Some("milestones"),
                label: "Milestones",
                fields: &[
                    Field::new(
                        "training.schedule.milestones",
                        "Falls after",
                        FieldKind::Integers {
                            min: 1,
                            max: 100_000,
                            min_len: 1,
                            max_len: 32,
                            pairs: false,
                        },
                        "[10,20]",
                        "The epochs after which the rate falls.",
                    ),
                    GAMMA,
                    WARMUP,
                ],
            },
            Variant {
                value: Some("cosine"),
                label: "Cosine",
                fields: &[
                    Field::new(
                        "training.schedule.min_lr",
                        "Floor",
                        FieldKind::Number {
                            min: 0.0,
                            max: 100.0,
                            min_open: false,
                        },
                        "0.0",
                        "The learning rate that the run ends with.",
                    ),
                    WARMUP,
                ],
            },
            Variant {
                value: Some("one_cycle"),
                label: "One cycle",
                fields: &[
                    Field::new(
                        "training.schedule.pct_start",
                        "Rise",
                        FieldKind::Number {
                            min: 0.0,
                            max: 1.0,
                            min_open: false,
                        },
                        "0.3",
                        "The share of the run in which the rate rises to its value; then it falls.",
                    ),
                    Field::new(
                        "training.schedule.div_factor",
                        "Start divisor",
                        DIVISOR,
                        "25.0",
                        "The first learning rate is the rate divided by this.",
                    ),
                    Field::new(
                        "training.schedule.final_div_factor",
                        "End divisor",
                        DIVISOR,
                        "10000.0",
                        "The last learning rate is the first divided by this.",
                    ),
                ],
            },
        ],
    },
    Group {
        path: "training.early_stopping",
        label: "Early stopping",
        help: "",
        nullable: true,
        selector: None,
        default: None,
        needs: &[],
        topic: Some(Topic::Schedule),
        variants: &[Variant {
            value: None,
            label: "Early stopping",
            fields: &[
                Field::new(
                    "training.early_stopping.metric",
                    "Watches",
                    FieldKind::Choice {
                        options: Cow::Borrowed(METRICS),
                    },
                    "\"validation_loss\"",
                    "What must get better for the run to go on. The best checkpoint is chosen by it too.",
                ),
                Field::new(
                    "training.early_stopping.patience",
                    "Patience",
                    FieldKind::Integer {
                        min: 1,
                        max: 100_000,
                        step: 1,
                    },
                    "5",
                    "After how many epochs without a better value the run ends.",
                ),
                Field::new(
                    "training.early_stopping.min_delta",
                    "Least change",
                    FieldKind::Number {
                        min: 0.0,
                        max: 1e6,
                        min_open: false,
                    },
                    "0.0",
                    "A value counts as better when it is better by more than this.",
                ),
            ],
        }],
    },
    transfer::TRANSFER,
    recipe::RANDOM_RESIZED_CROP,
    recipe::COLOR_JITTER,
    recipe::RANDAUGMENT,
    recipe::MIXUP,
    recipe::CUTMIX,
    recipe::EMA,
];

/// The value of a literal of the tables; they are all JSON, as a test sees to.
pub(crate) fn literal(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}

/// The values of a row's defaults by their paths.
pub(crate) fn literals(row: &[(&str, &str)]) -> Map<String, Value> {
    row.iter()
        .map(|(path, json)| ((*path).to_owned(), literal(json)))
        .collect()
}
