//! Fields that depend on a choice.

use utoipa::ToSchema;

use super::field::Field;
use super::topic::Topic;

/// Fields of which one set is chosen by a word, or which may be absent altogether.
#[derive(Clone, Copy, Debug, serde::Serialize, ToSchema)]
pub struct Group {
    /// Where it stands, such as `training.optimizer`.
    pub path: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// What it does, in a sentence or two; empty where the label says it.
    pub help: &'static str,
    /// Whether `null` is a value.
    pub nullable: bool,
    /// The key that chooses the variant; `null` where there is one variant.
    pub selector: Option<&'static str>,
    /// The variant taken by default; `null` where the whole is `null`.
    pub default: Option<&'static str>,
    /// What can be chosen.
    pub variants: &'static [Variant],
    /// What a run must be of for the group to mean something; elsewhere it can only be `null`.
    pub needs: &'static [Need],
    /// What a form folds it away under; `null` where it is always shown.
    pub topic: Option<Topic>,
}

/// What a group of fields means something for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Images, not points.
    Images,
    /// A network that is trained by cross-entropy.
    CrossEntropy,
}

/// One choice of a group.
#[derive(Clone, Copy, Debug, serde::Serialize, ToSchema)]
pub struct Variant {
    /// The word that chooses it; `null` where the group has no selector.
    pub value: Option<&'static str>,
    /// Its name for people.
    pub label: &'static str,
    /// What it takes.
    pub fields: &'static [Field],
}
