//! The samples of a split by what became of them, for the cells of a confusion matrix.

use serde::Serialize;
use vivarium_models::data::{Samples, Split};
use vivarium_models::inspect::film::Predictions;

use super::desk::Desk;
use super::image::name;
use super::subject::{Chosen, Facts};
use crate::error::{Error, Result};

/// Samples on a page.
const PER_PAGE: usize = 60;

/// Which samples.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Of this split; test or validation.
    pub split: Split,
    /// Of this class.
    pub truth: Option<usize>,
    /// Taken for this class.
    pub predicted: Option<usize>,
    /// From 0.
    pub page: usize,
}

/// A page of samples.
#[derive(Clone, Debug, Serialize)]
pub struct Page {
    /// Samples on all pages.
    pub total: usize,
    /// From 0.
    pub page: usize,
    /// Pages in all.
    pub pages: usize,
    /// On a full page.
    pub per_page: usize,
    /// The most confident first where a cell of the matrix is asked for, else in order.
    pub samples: Vec<Sample>,
}

/// A sample, and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    /// As requests name it.
    pub id: String,
    /// Its class.
    pub truth: u32,
    /// The class that it was taken for, where that is known.
    pub predicted: Option<u16>,
    /// How sure the network was, 0 to 1.
    pub confidence: Option<f32>,
}

impl Desk {
    /// A page of samples.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is asked what samples were taken for and that is not known; [`Error::Field`] when
    /// there is no such class or page.
    pub fn samples(&mut self, facts: &Facts, chosen: &Chosen, wanted: Wanted) -> Result<Page> {
        let classes = facts.started.classes.len();
        for (path, class) in [("truth", wanted.truth), ("predicted", wanted.predicted)] {
            if let Some(class) = class.filter(|class| *class >= classes) {
                return Err(Error::field(
                    path,
                    class,
                    format!("must be below {classes}"),
                ));
            }
        }
        let data = self.data(facts)?;
        let samples = match wanted.split {
            Split::Test => &data.test,
            _ => &data.validation,
        };
        let predictions = self.predictions(facts, chosen, wanted.split)?;
        if predictions.is_none() && wanted.predicted.is_some() {
            return Err(Error::Conflict(match wanted.split {
                Split::Test => "The test split is measured when the run is through.".to_owned(),
                _ => "The film has no frame of that epoch, which would say what samples were taken for.".to_owned(),
            }));
        }
        let found = matching(samples, predictions.as_ref(), wanted);
        let pages = found.len().div_ceil(PER_PAGE).max(1);
        if wanted.page >= pages {
            let message = format!("must be below {pages}");
            return Err(Error::field("page", wanted.page, message));
        }
        let shown = found.iter().skip(wanted.page * PER_PAGE).take(PER_PAGE);
        let of = |index: &usize| Sample {
            id: format!("{}:{index}", name(wanted.split)),
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
            page: wanted.page,
            pages,
            per_page: PER_PAGE,
            samples: shown.map(of).collect(),
        })
    }

    /// What became of a split: of the test what the best epoch made of it, of validation what the chosen one did.
    fn predictions(
        &mut self,
        facts: &Facts,
        chosen: &Chosen,
        split: Split,
    ) -> Result<Option<Predictions>> {
        if split == Split::Test {
            return Ok(Predictions::read(&facts.film().test())?);
        }
        let epoch = match chosen {
            Chosen::Frame(frame) => Some(frame.clone()),
            Chosen::Network(checkpoint) => {
                let moment = checkpoint.moment();
                moment.and_then(|moment| facts.epoch(moment.epoch))
            }
        };
        let Some(epoch) = epoch else {
            return Ok(None);
        };
        Ok(self.frame(facts, &epoch)?.predictions.clone())
    }
}

/// The samples of a cell or of a class, by index.
fn matching(samples: &Samples, of: Option<&Predictions>, wanted: Wanted) -> Vec<usize> {
    let labels = samples.labels().iter().enumerate();
    let truth = |label: u32| wanted.truth.is_none_or(|class| class == label as usize);
    let predicted = |index: usize| match (wanted.predicted, of) {
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
    if let Some(of) = of.filter(|_| wanted.truth.is_some() || wanted.predicted.is_some()) {
        // A stable sort: equals stay in order.
        found.sort_by_key(|index| std::cmp::Reverse(of.confidence.get(*index).copied()));
    }
    found
}
