//! Which scalar is which curve here. People name them in many ways; what they mean is told by the
//! words in a name, in any order: `Loss/train`, `train_loss`, `epoch_loss` in a folder `train`.

use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What a tag says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Meaning {
    figure: Figure,
    split: Option<Split>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Figure {
    Loss,
    Accuracy,
    LearningRate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Split {
    Train,
    Validation,
    Test,
}

/// Words that say nothing about which curve it is.
const FILLERS: [&str; 18] = [
    "epoch",
    "epochs",
    "step",
    "steps",
    "batch",
    "iter",
    "iteration",
    "per",
    "on",
    "the",
    "mean",
    "avg",
    "average",
    "running",
    "metrics",
    "scalars",
    "scalar",
    "set",
];

/// The words of a name: parted by signs and where a capital follows a small letter.
fn words(name: &str) -> Vec<String> {
    let mut parted = String::new();
    let mut before = ' ';
    for sign in name.chars() {
        if before.is_lowercase() && sign.is_uppercase() {
            parted.push(' ');
        }
        parted.push(if sign.is_alphanumeric() { sign } else { ' ' });
        before = sign;
    }
    let words = parted.split_whitespace().map(str::to_lowercase);
    words.filter(|word| !FILLERS.contains(&&**word)).collect()
}

fn split_of(word: &str) -> Option<Split> {
    match word {
        "train" | "training" | "tr" => Some(Split::Train),
        "val" | "valid" | "validation" | "dev" | "eval" | "evaluation" => Some(Split::Validation),
        "test" | "testing" => Some(Split::Test),
        _ => None,
    }
}

fn figure_of(word: &str) -> Option<Figure> {
    match word {
        "loss" | "cost" | "crossentropy" | "xent" | "nll" => Some(Figure::Loss),
        "acc" | "accuracy" => Some(Figure::Accuracy),
        "lr" => Some(Figure::LearningRate),
        _ => None,
    }
}

/// Reads a tag; `None` when a word of it is not understood: `loss/generator` is no training loss.
fn meaning(tag: &str) -> Option<Meaning> {
    let words = words(tag);
    let mut words = words.iter().map(String::as_str).peekable();
    let (mut figure, mut split) = (None, None);
    while let Some(word) = words.next() {
        let found = if word == "learning" && words.next_if_eq(&"rate").is_some() {
            Some(Figure::LearningRate)
        } else {
            figure_of(word)
        };
        if let Some(found) = found {
            // `loss/train_loss` says it twice.
            if figure.is_some_and(|known| known != found) {
                return None;
            }
            figure = Some(found);
        } else if let Some(found) = split_of(word) {
            if split.is_some_and(|known| known != found) {
                return None;
            }
            split = Some(found);
        } else if !adds_nothing(word, figure) {
            return None;
        }
    }
    Some(Meaning {
        figure: figure?,
        split,
    })
}

/// Words that belong to a figure: the optimizer of a learning rate, the first of the best.
fn adds_nothing(word: &str, figure: Option<Figure>) -> bool {
    match word {
        "top" | "1" | "top1" | "categorical" | "sparse" | "binary" => {
            figure != Some(Figure::LearningRate)
        }
        "sgd" | "adam" | "w" | "adamw" | "group" | "pg1" | "0" => {
            figure == Some(Figure::LearningRate)
        }
        _ => false,
    }
}

/// Whether a folder of this name holds a part of its parent's run, such as Keras's `train` and
/// `validation`, or PyTorch's `loss_train` of `add_scalars`: then the name belongs to the tags.
pub fn is_part(folder: &str) -> bool {
    let words = words(folder);
    let splits = words.iter().filter(|word| split_of(word).is_some()).count();
    splits == 1
        && words
            .iter()
            .all(|word| split_of(word).is_some() || figure_of(word).is_some())
}

/// Which tag is which curve, by the curve's name in [`SERIES`](crate::index::metrics::SERIES). Of
/// several that could be, the one with most values is, and among equals the shortest. A test curve
/// stands for validation where there is none.
///
/// `tags`: every tag and how many values it has.
pub fn curves<'a>(
    tags: impl Iterator<Item = (&'a str, usize)> + Clone,
) -> BTreeMap<&'static str, &'a str> {
    let known = tags.filter_map(|(tag, values)| Some((meaning(tag)?, tag, values)));
    let best = |figure: Figure, splits: &[Option<Split>]| {
        let fitting = known
            .clone()
            .filter(|(meaning, ..)| meaning.figure == figure && splits.contains(&meaning.split));
        fitting
            .min_by_key(|&(_, tag, values)| (Reverse(values), tag.len(), tag))
            .map(|(_, tag, _)| tag)
    };
    let train: &[_] = &[None, Some(Split::Train)];
    let (validation, test): (&[_], &[_]) = (&[Some(Split::Validation)], &[Some(Split::Test)]);
    let found = [
        ("train_loss", best(Figure::Loss, train)),
        ("train_accuracy", best(Figure::Accuracy, train)),
        ("lr", best(Figure::LearningRate, train)),
        (
            "validation_loss",
            best(Figure::Loss, validation).or_else(|| best(Figure::Loss, test)),
        ),
        (
            "validation_accuracy",
            best(Figure::Accuracy, validation).or_else(|| best(Figure::Accuracy, test)),
        ),
    ];
    found
        .into_iter()
        .filter_map(|(series, tag)| Some((series, tag?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series_of(tag: &str) -> Option<&'static str> {
        curves([(tag, 1)].into_iter()).into_keys().next()
    }

    #[test]
    fn what_people_write_is_understood() {
        for (series, tags) in [
            (
                "train_loss",
                &[
                    "Loss/train",
                    "loss/train",
                    "train_loss",
                    "train/loss",
                    "loss",
                    "Train Loss",
                    "trainLoss",
                    "training.loss",
                    "train/epoch_loss",
                    "loss_train/loss",
                    "train_loss_step",
                    "batch_loss",
                    "loss/train_epoch",
                ][..],
            ),
            (
                "train_accuracy",
                &[
                    "Accuracy/train",
                    "train_acc",
                    "acc",
                    "train/epoch_accuracy",
                    "train/epoch_sparse_categorical_accuracy",
                    "train/acc@1",
                ],
            ),
            (
                "validation_loss",
                &[
                    "Loss/val",
                    "val_loss",
                    "val/loss",
                    "eval/loss",
                    "validation/epoch_loss",
                    "loss/validation",
                    "Loss/test",
                    "valLoss",
                    "loss_val/loss",
                ],
            ),
            (
                "validation_accuracy",
                &[
                    "val/acc",
                    "Accuracy/test",
                    "validation/epoch_accuracy",
                    "eval/accuracy",
                    "val_acc_top1",
                    "accuracy/validation",
                    "Accuracy/valid",
                ],
            ),
            (
                "lr",
                &[
                    "lr",
                    "learning_rate",
                    "train/learning_rate",
                    "Learning Rate",
                    "lr-AdamW",
                    "lr/group_0",
                    "LR",
                    "epoch_learning_rate",
                ],
            ),
        ] {
            for tag in tags {
                assert_eq!(series_of(tag), Some(series), "{tag}");
            }
        }
    }

    #[test]
    fn what_is_something_else_is_not_taken_for_a_curve() {
        for tag in [
            "loss/generator",
            "grad_norm",
            "val/acc@5",
            "train/val_gap",
            "loss/accuracy",
            "f1/val",
            "epoch",
            "",
            "/",
            "train",
            "box_loss/train",
            "learning",
            "hparam/accuracy",
            "lossy",
        ] {
            assert_eq!(series_of(tag), None, "{tag}");
        }
    }

    #[test]
    fn of_several_the_one_with_most_values_is_the_curve_and_validation_goes_before_test() {
        let tags = [
            ("train_loss_epoch", 3),
            ("train_loss_step", 300),
            ("loss/test", 9),
            ("loss/val", 3),
            ("accuracy/test", 3),
        ];
        let found = curves(tags.into_iter());
        assert_eq!(found["train_loss"], "train_loss_step");
        assert_eq!(found["validation_loss"], "loss/val");
        assert_eq!(found["validation_accuracy"], "accuracy/test");
    }

    #[test]
    fn a_folder_named_after_a_split_is_a_part_of_its_run() {
        for name in [
            "train",
            "validation",
            "val",
            "test",
            "loss_train",
            "Loss_val",
            "eval",
        ] {
            assert!(is_part(name), "{name}");
        }
        for name in [
            "",
            "run1",
            "train_large",
            "version_0",
            "loss",
            "train_val",
            "2024",
        ] {
            assert!(!is_part(name), "{name}");
        }
    }
}
