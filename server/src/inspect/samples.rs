//! The samples of a split by prediction, for the cells of a confusion matrix.

use serde::Serialize;
use utoipa::ToSchema;
use vivarium_models::data::{Samples, Split};
use vivarium_models::inspect::film::Predictions;

use super::cache::InspectCache;
use super::target::{InspectTarget, Snapshot};
use crate::error::{Error, Result};

/// Samples per page.
const PER_PAGE: usize = 60;

/// Selects samples.
#[derive(Clone, Copy, Debug)]
pub struct SampleQuery {
    /// The split: test or validation.
    pub split: Split,
    /// Their class.
    pub truth: Option<usize>,
    /// Their predicted class.
    pub predicted: Option<usize>,
    /// The page, from 0.
    pub page: usize,
}

/// A page of samples.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SamplePage)]
pub struct Page {
    /// Samples on all pages.
    pub total: usize,
    /// The page, from 0.
    pub page: usize,
    /// The number of pages.
    pub pages: usize,
    /// Samples on a full page.
    pub per_page: usize,
    /// The most confident first for a cell of the matrix, else in order.
    pub samples: Vec<Sample>,
}

/// A sample and its prediction.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Sample {
    /// As requests name it.
    pub id: String,
    /// Its class.
    pub truth: u32,
    /// Its predicted class, if it is known.
    pub predicted: Option<u16>,
    /// The network's confidence, 0 to 1.
    pub confidence: Option<f32>,
}

impl InspectCache {
    /// A page of samples.
    ///
    /// # Errors
    /// [`Error::Conflict`] when predictions are requested and not known; [`Error::Field`] when there is no such class
    /// or page.
    pub fn samples(
        &mut self,
        target: &InspectTarget,
        snapshot: &Snapshot,
        query: SampleQuery,
    ) -> Result<Page> {
        let classes = target.started.classes.len();
        for (path, class) in [("truth", query.truth), ("predicted", query.predicted)] {
            if let Some(class) = class.filter(|class| *class >= classes) {
                return Err(Error::field(
                    path,
                    class,
                    format!("must be below {classes}"),
                ));
            }
        }
        let data = self.data(target)?;
        let samples = match query.split {
            Split::Test => &data.test,
            _ => &data.validation,
        };
        let predictions = self.predictions(target, snapshot, query.split)?;
        if predictions.is_none() && query.predicted.is_some() {
            return Err(Error::Conflict(match query.split {
                Split::Test => "The test split is evaluated when the run has finished.".to_owned(),
                _ => "The film has no predictions of that moment: they are made after an epoch."
                    .to_owned(),
            }));
        }
        let found = matching(samples, predictions.as_ref(), query);
        let pages = found.len().div_ceil(PER_PAGE).max(1);
        if query.page >= pages {
            let message = format!("must be below {pages}");
            return Err(Error::field("page", query.page, message));
        }
        let shown = found.iter().skip(query.page * PER_PAGE).take(PER_PAGE);
        let of = |index: &usize| Sample {
            id: format!("{}:{index}", query.split.name()),
            truth: samples.labels()[*index],
            predicted: predictions
                .as_ref()
                .and_then(|of| of.predicted.get(*index).copied()),
            confidence: predictions
                .as_ref()
                .and_then(|of| Some(f32::from(*of.confidence.get(*index)?) / 255.0)),
        };
        Ok(Page {
            total: found.len(),
            page: query.page,
            pages,
            per_page: PER_PAGE,
            samples: shown.map(of).collect(),
        })
    }

    /// The predictions for a split: by the best epoch for test, by the selected epoch for validation.
    fn predictions(
        &mut self,
        target: &InspectTarget,
        snapshot: &Snapshot,
        split: Split,
    ) -> Result<Option<Predictions>> {
        if split == Split::Test {
            return Ok(Predictions::read(&target.film().test())?);
        }
        let frame = match snapshot {
            Snapshot::Frame(frame) => Some(frame.clone()),
            Snapshot::Network(checkpoint) => {
                let moment = checkpoint.moment();
                moment.and_then(|moment| target.frame(moment.epoch))
            }
        };
        let Some(frame) = frame else {
            return Ok(None);
        };
        Ok(self.frame(target, &frame)?.predictions.clone())
    }
}

/// The indices of the samples of a cell or of a class.
fn matching(samples: &Samples, of: Option<&Predictions>, query: SampleQuery) -> Vec<usize> {
    let labels = samples.labels().iter().enumerate();
    let truth = |label: u32| query.truth.is_none_or(|class| class == label as usize);
    let predicted = |index: usize| match (query.predicted, of) {
        (None, _) => true,
        (Some(class), Some(of)) => of
            .predicted
            .get(index)
            .is_some_and(|p| usize::from(*p) == class),
        (Some(_), None) => false,
    };
    let mut found: Vec<_> = labels
        .filter(|(index, label)| truth(**label) && predicted(*index))
        .map(|(index, _)| index)
        .collect();
    if let Some(of) = of.filter(|_| query.truth.is_some() || query.predicted.is_some()) {
        // A stable sort keeps the order of equals.
        found.sort_by_key(|index| std::cmp::Reverse(of.confidence.get(*index).copied()));
    }
    found
}
