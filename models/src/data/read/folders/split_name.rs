//! Which split the name of a folder says.

/// Which split a folder is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum SplitName {
    Train,
    Validation,
    Test,
}

impl SplitName {
    /// The split of a name such as `seg_train`, `Training`, `test_set`, `trainImages`, `valid`.
    pub(super) fn of(name: &str) -> Option<Self> {
        let mut words = String::new();
        let mut was_small = false;
        for c in name.chars() {
            if !c.is_alphabetic() || was_small && c.is_uppercase() {
                words.push(' ');
            }
            if c.is_alphabetic() {
                words.extend(c.to_lowercase());
            }
            was_small = c.is_lowercase();
        }
        let part = |word: &str| match word {
            "val" | "dev" | "eval" | "evaluation" => Some(Self::Validation),
            word if word.starts_with("train") => Some(Self::Train),
            word if word.starts_with("valid") => Some(Self::Validation),
            word if word.starts_with("test") => Some(Self::Test),
            _ => None,
        };
        let mut parts = words.split_whitespace().filter_map(part);
        let first = parts.next()?;
        // A name of two splits is none.
        parts.all(|other| other == first).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_which_split_a_folder_is() {
        for name in [
            "train",
            "Training",
            "seg_train",
            "training_set",
            "train_images",
            "imagesTrain",
            "TRAIN",
            "train2017",
            "trainset",
        ] {
            assert_eq!(SplitName::of(name), Some(SplitName::Train), "{name}");
        }
        for name in [
            "val",
            "valid",
            "Validation",
            "val2017",
            "validation_set",
            "dev",
        ] {
            assert_eq!(SplitName::of(name), Some(SplitName::Validation), "{name}");
        }
        for name in [
            "test", "Testing", "seg_test", "test_set", "testset", "imgsTest",
        ] {
            assert_eq!(SplitName::of(name), Some(SplitName::Test), "{name}");
        }
        for name in [
            "strain",
            "contest",
            "valley",
            "cats",
            "train_test",
            "seg_pred",
            "evals",
            "",
        ] {
            assert_eq!(SplitName::of(name), None, "{name}");
        }
    }
}
