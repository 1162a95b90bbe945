//! The group of fields of a run that starts from weights.

use super::field::{Field, FieldKind};
use super::group::{Group, Variant};
use super::topic::Topic;

pub(super) const TRANSFER: Group = Group {
    path: "training.transfer",
    label: "Transfer learning",
    help: "Trains on top of weights that another run or another program found.",
    nullable: true,
    selector: None,
    default: None,
    needs: &[],
    topic: Some(Topic::Transfer),
    variants: &[Variant {
        value: None,
        label: "Transfer learning",
        fields: &[
            Field::new(
                "training.transfer.from",
                "Starts from",
                FieldKind::Text { max_chars: 36 },
                "\"imported\"",
                "The weights that training starts from: imported, for those that came with the network, or the id of a finished run of the same network. They are copied into the new run.",
            ),
            Field::new(
                "training.transfer.trainable_blocks",
                "Trainable blocks",
                FieldKind::Integer {
                    min: 1,
                    max: 10_000,
                    step: 1,
                },
                "1",
                "How many blocks are trained, counted from the output; those before them are frozen.",
            )
            .or_null("All"),
            Field::new(
                "training.transfer.backbone_lr",
                "Backbone's rate",
                FieldKind::Number {
                    min: 0.0,
                    max: 1.0,
                    min_open: true,
                },
                "0.1",
                "What the learning rate of all layers but the last is multiplied by.",
            ),
            Field::new(
                "training.transfer.unfreeze_at",
                "Unfreezes at epoch",
                FieldKind::Integer {
                    min: 2,
                    max: 100_000,
                    step: 1,
                },
                "null",
                "The epoch from which on all blocks are trained.",
            )
            .or_null("Never"),
            Field::new(
                "training.transfer.fresh_head",
                "New last layer",
                FieldKind::Switch,
                "false",
                "Starts the last layer anew in any case. It always does where the classes are others, or the run was of another data set.",
            ),
        ],
    }],
};
