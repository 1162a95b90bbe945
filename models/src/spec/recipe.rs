//! The groups of a modern recipe, which a run can be given beside its optimizer and its schedule: how images are varied,
//! how samples are mixed, and the average of the weights. `docs/recipe.md` has their formulas and sources.

use super::field::{Field, FieldKind};
use super::group::{Group, Need, Variant};
use super::topic::Topic;

const ALPHA: FieldKind = FieldKind::Number {
    min: 0.0,
    max: 100.0,
    min_open: true,
};
const JITTER: FieldKind = FieldKind::Number {
    min: 0.0,
    max: 1.0,
    min_open: false,
};

/// Parts of an image, resized to the whole.
pub(super) const RANDOM_RESIZED_CROP: Group = Group {
    path: "data.random_resized_crop",
    label: "Random resized crop",
    help: "Trains on parts of each image, of random area and shape, resized to the whole.",
    nullable: true,
    selector: None,
    default: None,
    needs: &[Need::Images],
    topic: Some(Topic::Augmentation),
    variants: &[Variant {
        value: None,
        label: "Random resized crop",
        fields: &[
            Field::new(
                "data.random_resized_crop.min_scale",
                "Least area",
                FieldKind::Number {
                    min: 0.0,
                    max: 1.0,
                    min_open: true,
                },
                "0.08",
                "The least share of an image that a part has. 0.08 is usual for photos; small images keep more.",
            ),
            Field::new(
                "data.random_resized_crop.max_ratio",
                "Most stretch",
                FieldKind::Number {
                    min: 1.0,
                    max: 10.0,
                    min_open: false,
                },
                "1.333",
                "The greatest ratio of the part's sides; 1 for squares.",
            ),
        ],
    }],
};

/// Brightness, contrast, saturation and hue.
pub(super) const COLOR_JITTER: Group = Group {
    path: "data.color_jitter",
    label: "Colour jitter",
    help: "Varies brightness, contrast, saturation and hue of training images.",
    nullable: true,
    selector: None,
    default: None,
    needs: &[Need::Images],
    topic: Some(Topic::Augmentation),
    variants: &[Variant {
        value: None,
        label: "Colour jitter",
        fields: &[
            Field::new(
                "data.color_jitter.brightness",
                "Brightness",
                JITTER,
                "0.4",
                "How far the factor of the brightness may be from 1.",
            ),
            Field::new(
                "data.color_jitter.contrast",
                "Contrast",
                JITTER,
                "0.4",
                "How far the factor of the contrast may be from 1.",
            ),
            Field::new(
                "data.color_jitter.saturation",
                "Saturation",
                JITTER,
                "0.4",
                "How far the factor of the saturation may be from 1; grey images have none.",
            ),
            Field::new(
                "data.color_jitter.hue",
                "Hue",
                FieldKind::Number {
                    min: 0.0,
                    max: 0.5,
                    min_open: false,
                },
                "0.1",
                "How far the hue may turn, in turns of the colour circle; grey images have none.",
            ),
        ],
    }],
};

/// Some of many operations.
pub(super) const RANDAUGMENT: Group = Group {
    path: "data.randaugment",
    label: "RandAugment",
    help: "Changes each training image by a few of fourteen operations: shear, shift, rotation, colours and others.",
    nullable: true,
    selector: None,
    default: None,
    needs: &[Need::Images],
    topic: Some(Topic::Augmentation),
    variants: &[Variant {
        value: None,
        label: "RandAugment",
        fields: &[
            Field::new(
                "data.randaugment.num_ops",
                "Operations",
                FieldKind::Integer {
                    min: 1,
                    max: 14,
                    step: 1,
                },
                "2",
                "How many operations change each image.",
            ),
            Field::new(
                "data.randaugment.magnitude",
                "Magnitude",
                FieldKind::Integer {
                    min: 0,
                    max: 30,
                    step: 1,
                },
                "9",
                "How strong each operation is; 30 is the most.",
            ),
        ],
    }],
};

/// Means of two samples.
pub(super) const MIXUP: Group = Group {
    path: "training.mixup",
    label: "Mixup",
    help: "Trains on weighted means of two samples and of their classes. The training accuracy counts the class with the greater share.",
    nullable: true,
    selector: None,
    default: None,
    needs: &[Need::CrossEntropy],
    topic: Some(Topic::Augmentation),
    variants: &[Variant {
        value: None,
        label: "Mixup",
        fields: &[Field::new(
            "training.mixup.alpha",
            "Alpha",
            ALPHA,
            "0.2",
            "The greater, the more even are the shares of the two.",
        )],
    }],
};

/// Rectangles of another image.
pub(super) const CUTMIX: Group = Group {
    path: "training.cutmix",
    label: "CutMix",
    help: "Trains on images with a rectangle of another one, and on both classes by their areas.",
    nullable: true,
    selector: None,
    default: None,
    needs: &[Need::CrossEntropy, Need::Images],
    topic: Some(Topic::Augmentation),
    variants: &[Variant {
        value: None,
        label: "CutMix",
        fields: &[Field::new(
            "training.cutmix.alpha",
            "Alpha",
            ALPHA,
            "1.0",
            "At 1 every share is equally likely; the greater, the more even they are.",
        )],
    }],
};

/// The average of the weights.
pub(super) const EMA: Group = Group {
    path: "training.ema",
    label: "Averaged weights (EMA)",
    help: "Keeps a moving average of the weights over the steps. The average is what is validated, tested, kept and looked into.",
    nullable: true,
    selector: None,
    default: None,
    needs: &[],
    topic: Some(Topic::Regularisation),
    variants: &[Variant {
        value: None,
        label: "Averaged weights (EMA)",
        fields: &[Field::new(
            "training.ema.decay",
            "Decay",
            FieldKind::Number {
                min: 0.0,
                max: 0.999_999,
                min_open: false,
            },
            "0.999",
            "The share of the average that stays at each step; it begins lower. The more steps, the nearer to 1.",
        )],
    }],
};
