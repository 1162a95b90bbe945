//! The difference between two pictures of the same layer: what changed between two moments of training.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use super::colours::ColourMap;
use super::sheet::{Scale, Sheet, SheetQuery, Sort};
use super::tiles::{SheetKind, Tile, Tiles};
use crate::error::{Error, Result};

/// A page of the difference, and how large the difference is in all.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Difference {
    /// The page.
    #[serde(flatten)]
    pub sheet: Sheet,
    /// The size of the difference.
    pub change: Change,
}

/// The size of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Change {
    /// The largest decrease; 0 where nothing decreased.
    pub min: f32,
    /// The largest increase; 0 where nothing increased.
    pub max: f32,
    /// The square root of the mean of the squares.
    pub rms: f64,
    /// The number of values.
    pub values: u64,
}

impl Tiles<'_> {
    /// Each value less that of `earlier`, on a diverging colour map; RGB values stay RGB, with grey where nothing changed.
    ///
    /// # Errors
    /// [`Error::Setting`] when the two do not have the same tiles, as where a film keeps less of a layer.
    pub fn minus<'b>(&'b self, earlier: &'b Tiles<'_>) -> Result<Tiles<'b>> {
        let form = |of: &Tiles<'_>| (of.kind, of.channels, of.tile, of.len());
        if form(self) != form(earlier) {
            let message = "shows less of this layer, or more, so that nothing can be subtracted; two frames of one film show the same";
            return Err(Error::setting("minus", message));
        }
        let kind = match self.kind {
            // An image has a range of its own; what changed of it has not.
            SheetKind::Picture if self.channels == 3 => SheetKind::Rgb,
            SheetKind::Picture => SheetKind::Maps,
            kind => kind,
        };
        let map = match self.channels {
            3 => ColourMap::Rgb,
            _ => ColourMap::Diverging,
        };
        let source = Box::new(move |index: usize| -> Vec<f32> {
            let pairs = self.values(index).into_iter().zip(earlier.values(index));
            pairs.map(|(value, before)| value - before).collect()
        });
        let mut difference = Tiles::new(kind, map, self.channels, self.tile, source);
        difference.summaries = Cow::Owned(difference.measure(self.len()));
        Ok(difference)
    }

    /// A page of a difference: the tiles that changed most come first, unless the query says otherwise.
    ///
    /// # Errors
    /// As [`Tiles::sheet`].
    pub fn difference_sheet(&self, query: &SheetQuery) -> Result<Difference> {
        let query = SheetQuery {
            sort: query.sort.or(match self.kind {
                SheetKind::Heatmap | SheetKind::Vector => None,
                _ => Some(Sort::Norm),
            }),
            ..*query
        };
        // Differences of other layers are not computed for a scale.
        let range = (query.scale != Scale::Tile).then(|| self.value_range());
        Ok(Difference {
            sheet: self.sheet(&query, range)?,
            change: self.change(),
        })
    }

    fn change(&self) -> Change {
        let [low, high] = self.value_range();
        let squares = |tile: &Tile| f64::from(tile.norm).powi(2);
        let squares: f64 = self.summaries.iter().map(squares).sum();
        let cells = |index| {
            let [height, width] = self.size(index);
            (self.channels * height * width) as u64
        };
        let values: u64 = match self.kind {
            // The last cells of its rows may be empty.
            SheetKind::Vector => self
                .values(0)
                .iter()
                .filter(|value| !value.is_nan())
                .count() as u64,
            _ => (0..self.len()).map(cells).sum(),
        };
        Change {
            min: low.min(0.0),
            max: high.max(0.0),
            rms: (squares / values.max(1) as f64).sqrt(),
            values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiles(values: &[f32]) -> Tiles<'static> {
        let summaries = values.chunks(4).enumerate();
        let summaries = summaries.map(|(index, values)| Tile::of(index, values));
        Tiles::of_values(
            SheetKind::Maps,
            ColourMap::Sequential,
            1,
            [2, 2],
            summaries.collect(),
            values.to_vec(),
        )
    }

    #[test]
    fn a_difference_has_every_value_less_that_of_before_and_says_how_large_it_is() {
        let (after, before) = (
            tiles(&[1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 8.0]),
            tiles(&[1.0, 1.0, 3.5, 4.0, 0.0, 2.0, 0.0, 5.0]),
        );
        let difference = after.minus(&before).unwrap();
        assert_eq!(difference.map, ColourMap::Diverging);
        assert_eq!(difference.values(0), [0.0, 1.0, -0.5, 0.0]);
        assert_eq!(difference.values(1), [0.0, -2.0, 0.0, 3.0]);
        let page = difference.difference_sheet(&SheetQuery::default()).unwrap();
        let order: Vec<_> = page.sheet.tiles.iter().map(|tile| tile.index).collect();
        assert_eq!(order, [1, 0], "what changed most comes first");
        let rms = ((1.0 + 0.25 + 4.0 + 9.0) / 8.0f64).sqrt();
        let Change {
            min,
            max,
            rms: told,
            values,
        } = page.change;
        assert_eq!((min, max, values), (-2.0, 3.0, 8));
        assert!((told - rms).abs() < 1e-6, "{told}");
    }

    #[test]
    fn nothing_changed_is_zero_and_other_tiles_are_refused() {
        let one = tiles(&[1.0; 4]);
        let none = one
            .minus(&one)
            .unwrap()
            .difference_sheet(&SheetQuery::default());
        let change = none.unwrap().change;
        assert_eq!((change.min, change.max, change.rms), (0.0, 0.0, 0.0));
        let refused = one.minus(&tiles(&[1.0; 8])).unwrap_err();
        assert!(matches!(refused, Error::Setting { path, .. } if path == "minus"));
    }
}
