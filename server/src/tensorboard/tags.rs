//! Maps tags to curves. Programs name them in many ways; the meaning follows from the words in a name, in any order:
//! `Loss/train`, `train_loss`, `epoch_loss` in a folder `train`.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// Curves that a tag can be drawn as.
pub const CURVES: [&str; 5] = [
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "lr",
];

/// Assigned to a tag that gets a chart of its own.
pub const OWN: &str = "own";

/// Assigned to a tag that is not drawn.
pub const NONE: &str = "none";

/// The assignments of a user, by tag: one of [`CURVES`], [`OWN`] or [`NONE`]. Other tags are mapped by their names.
pub type Assigned = BTreeMap<String, String>;

/// The maximum number of charts of their own.
const MOST_OWN: usize = 50;

/// Checks the assignments of a user.
///
/// # Errors
/// [`Error::Fields`](crate::error::Error) names the tag.
pub fn check(assigned: &Assigned) -> Result<()> {
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for (tag, curve) in assigned {
        let wrong = |message: String| {
            Err(Error::field(
                &format!("tags.{tag}"),
                curve.as_str(),
                message,
            ))
        };
        if curve == OWN || curve == NONE {
            continue;
        }
        if !CURVES.contains(&curve.as_str()) {
            return wrong(format!(
                "must be one of {}, {OWN} and {NONE}",
                CURVES.join(", ")
            ));
        }
        if let Some(other) = taken.insert(curve, tag) {
            return wrong(format!("is taken by “{other}”: a curve has one tag"));
        }
    }
    if assigned.values().filter(|curve| *curve == OWN).count() > MOST_OWN {
        return Err(Error::BadRequest(format!(
            "At most {MOST_OWN} tags have a chart of their own."
        )));
    }
    Ok(())
}

/// The meaning of a tag.
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

/// Words without a meaning for the curve.
const FILLERS: [&str; 20] = [
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
    "dataloader",
    "idx",
];

/// The words of a name, split at punctuation and where a capital follows a lowercase letter.
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
        "acc" | "accuracy" | "top1" | "acc1" | "prec1" => Some(Figure::Accuracy),
        "lr" => Some(Figure::LearningRate),
        _ => None,
    }
}

/// The meaning of a tag; `None` if a word is unknown: `loss/generator` is not the training loss.
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
        "top" | "1" | "categorical" | "sparse" | "binary" => figure != Some(Figure::LearningRate),
        // The index of a data loader.
        "0" if figure.is_some() => true,
        "sgd" | "adam" | "w" | "adamw" | "group" | "pg0" | "pg1" | "0" => {
            figure == Some(Figure::LearningRate)
        }
        _ => false,
    }
}

/// Whether a folder of this name is part of its parent's run, such as Keras's `train` and `validation`, or PyTorch's
/// `loss_train` of `add_scalars`: then its name belongs to the tags.
pub fn is_part(folder: &str) -> bool {
    let words = words(folder);
    let splits = words.iter().filter(|word| split_of(word).is_some()).count();
    splits == 1
        && words
            .iter()
            .all(|word| split_of(word).is_some() || figure_of(word).is_some())
}

/// The tag of each curve, with remarks.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CurveTags<'a> {
    /// The tag of each curve, by the curve's name in [`CURVES`].
    pub series: BTreeMap<&'static str, &'a str>,
    /// Tags with charts of their own, sorted.
    pub own: Vec<&'a str>,
    /// Remarks, each a sentence.
    pub remarks: Vec<String>,
}

/// Chooses the tag of each curve: the one that the user assigned; otherwise, of those whose names match, one that names
/// its split, then the one with most values, then the shortest. A test curve serves as validation if there is none.
///
/// An accuracy without a split counts as validation if the writer means it so: if training is named as such
/// (`train_loss`), and validation is, too (`val_loss`), or the accuracy was written less often. Ultralytics and fastai
/// write like this.
///
/// `tags`: all tags with the number of their values.
pub fn curves<'a>(
    tags: impl Iterator<Item = (&'a str, usize)> + Clone,
    assigned: &Assigned,
) -> CurveTags<'a> {
    let mut chosen = CurveTags::default();
    for (tag, _) in tags.clone() {
        match assigned.get(tag).map(String::as_str) {
            Some(OWN) => chosen.own.push(tag),
            Some(curve) => {
                let curve = CURVES.into_iter().find(|known| *known == curve);
                chosen.series.extend(curve.map(|curve| (curve, tag)));
            }
            None => {}
        }
    }
    chosen.own.sort_unstable();
    let known = tags
        .filter(|(tag, _)| !assigned.contains_key(*tag))
        .filter_map(|(tag, values)| Some((meaning(tag)?, tag, values)));
    let best = |figure: Figure, split: Option<Split>| {
        let fitting = known
            .clone()
            .filter(|(meaning, ..)| meaning.figure == figure && meaning.split == split);
        fitting
            .min_by_key(|&(_, tag, values)| (Reverse(values), tag.len(), tag))
            .map(|(_, tag, values)| (tag, values))
    };
    let tag = |found: Option<(&'a str, usize)>| found.map(|(tag, _)| tag);
    let train = |figure| best(figure, Some(Split::Train)).or_else(|| best(figure, None));
    let later =
        |figure| best(figure, Some(Split::Validation)).or_else(|| best(figure, Some(Split::Test)));
    let mut found = [
        ("train_loss", tag(train(Figure::Loss))),
        ("train_accuracy", tag(train(Figure::Accuracy))),
        ("lr", tag(train(Figure::LearningRate))),
        ("validation_loss", tag(later(Figure::Loss))),
        ("validation_accuracy", tag(later(Figure::Accuracy))),
    ];
    let unsaid = best(Figure::Accuracy, None).filter(|_| later(Figure::Accuracy).is_none());
    let named = best(Figure::Loss, Some(Split::Train));
    if let (Some((accuracy, values)), Some((train_loss, steps))) = (unsaid, named)
        && !chosen.series.contains_key("validation_accuracy")
        && (later(Figure::Loss).is_some() || values < steps)
    {
        for (curve, tag) in &mut found {
            match *curve {
                "train_accuracy" => {
                    *tag = best(Figure::Accuracy, Some(Split::Train)).map(|(tag, _)| tag)
                }
                "validation_accuracy" => *tag = Some(accuracy),
                _ => {}
            }
        }
        chosen.remarks.push(format!(
            "“{accuracy}” names no split. It is drawn as validation accuracy, because training curves are named as such: “{train_loss}”."
        ));
    }
    for (curve, tag) in found {
        if let Some(tag) = tag {
            chosen.series.entry(curve).or_insert(tag);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series_of(tag: &str) -> Option<&'static str> {
        let chosen = curves([(tag, 1)].into_iter(), &Assigned::new());
        chosen.series.into_keys().next()
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
                    "train/loss_step",
                    "training/epoch_loss",
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
                    "metrics/accuracy_top1",
                    "train_acc1",
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
                    "valid_loss",
                    "val_loss/dataloader_idx_0",
                    "val_loss_epoch",
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
                    "eval_top1",
                    "val/top1_acc",
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
        let found = curves(tags.into_iter(), &Assigned::new()).series;
        assert_eq!(found["train_loss"], "train_loss_step");
        assert_eq!(found["validation_loss"], "loss/val");
        assert_eq!(found["validation_accuracy"], "accuracy/test");
    }

    #[test]
    fn an_accuracy_without_a_split_is_of_validation_where_the_writer_means_it() {
        for (writer, tags, train, validation) in [
            (
                "Ultralytics",
                &[
                    ("train/loss", 5),
                    ("val/loss", 5),
                    ("metrics/accuracy_top1", 5),
                    ("lr/pg0", 5),
                ][..],
                None,
                Some("metrics/accuracy_top1"),
            ),
            (
                "fastai",
                &[
                    ("train_loss", 500),
                    ("valid_loss", 5),
                    ("accuracy", 5),
                    ("lr_0", 500),
                ],
                None,
                Some("accuracy"),
            ),
            (
                "a loop that tests now and then",
                &[("train_loss", 500), ("accuracy", 5)],
                None,
                Some("accuracy"),
            ),
            (
                "a loop that writes both at each step",
                &[("train_loss", 500), ("accuracy", 500)],
                Some("accuracy"),
                None,
            ),
            (
                "Keras's history",
                &[
                    ("loss", 5),
                    ("accuracy", 5),
                    ("val_loss", 5),
                    ("val_accuracy", 5),
                ],
                Some("accuracy"),
                Some("val_accuracy"),
            ),
            (
                "Keras's history without its last part",
                &[("loss", 5), ("accuracy", 5), ("val_loss", 5)],
                Some("accuracy"),
                None,
            ),
            (
                "Lightning",
                &[
                    ("train_loss_step", 50),
                    ("train_loss_epoch", 5),
                    ("train_acc", 5),
                    ("val_acc", 5),
                ],
                Some("train_acc"),
                Some("val_acc"),
            ),
            (
                "the Trainer of transformers",
                &[("train/loss", 50), ("eval/loss", 5), ("eval/accuracy", 5)],
                None,
                Some("eval/accuracy"),
            ),
            (
                "training's accuracy named, and another",
                &[
                    ("train_loss", 5),
                    ("train_acc", 5),
                    ("acc", 5),
                    ("val_loss", 5),
                ],
                Some("train_acc"),
                Some("acc"),
            ),
        ] {
            let chosen = curves(tags.iter().copied(), &Assigned::new());
            let drawn = |curve: &str| chosen.series.get(curve).copied();
            assert_eq!(
                (drawn("train_accuracy"), drawn("validation_accuracy")),
                (train, validation),
                "{writer}"
            );
            let guessed = validation.is_some_and(|tag| meaning(tag).unwrap().split.is_none());
            assert_eq!(chosen.remarks.len(), usize::from(guessed), "{writer}");
        }
    }

    #[test]
    fn what_a_person_says_goes_before_what_names_say() {
        let tags = [
            ("train_loss", 5),
            ("accuracy", 5),
            ("val_acc", 5),
            ("grad_norm", 5),
            ("map50", 5),
        ];
        let assigned = |pairs: &[(&str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(tag, curve)| ((*tag).into(), (*curve).into()));
            pairs.collect::<Assigned>()
        };
        let wanted = assigned(&[
            ("accuracy", "validation_accuracy"),
            ("train_loss", "none"),
            ("map50", "own"),
            ("grad_norm", "train_loss"),
            ("of another run", "own"),
        ]);
        check(&wanted).unwrap();
        let chosen = curves(tags.into_iter(), &wanted);
        let expected = BTreeMap::from([
            ("train_loss", "grad_norm"),
            ("validation_accuracy", "accuracy"),
        ]);
        assert_eq!((chosen.series, chosen.own), (expected, vec!["map50"]));
        for wrong in [
            assigned(&[("a", "loss")]),
            assigned(&[("a", "")]),
            assigned(&[("a", "lr"), ("b", "lr")]),
        ] {
            assert!(check(&wrong).is_err(), "{wrong:?}");
        }
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
