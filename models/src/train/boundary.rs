//! Decision boundaries: a network's prediction on a grid over two-dimensional data.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::learner::Learner;
use super::linear;
use crate::contract::Boundary;
use crate::data::Splits;
use crate::error::Result;
use crate::graph::Criterion;
use crate::ops;

/// Cells along each side.
const CELLS: usize = 64;

/// Grid points of a boundary.
pub(super) const SAMPLES: usize = CELLS * CELLS;

/// The margin of the grid on each side, as a share of the data's range.
const MARGIN: f64 = 0.1;

/// The highest confidence of a cell.
const CERTAIN: f64 = 31.0;

/// The approximate limit of boundaries of a run, after the one before training.
const MOST: u64 = 200;

/// Whether a boundary is recorded at the end of an epoch: of each, or of every nth in a long run, and of the last.
pub(super) fn wanted(epoch: u64, epochs: u64) -> bool {
    epoch.is_multiple_of(epochs.div_ceil(MOST).max(1)) || epoch == epochs
}

/// The current boundary; `None` for images.
pub(super) fn boundary(
    learner: &Learner,
    data: &Splits,
    epoch: u64,
    step: u64,
) -> Result<Option<Boundary>> {
    let Some(range) = data.range else {
        return Ok(None);
    };
    let [x, y] = range.map(|[low, high]| {
        let margin = MARGIN * if high > low { high - low } else { 1.0 };
        [low - margin, high + margin]
    });
    let middle =
        |[low, high]: [f64; 2], i: usize| low + (high - low) * (i as f64 + 0.5) / CELLS as f64;
    let mut values = Vec::with_capacity(2 * CELLS * CELLS);
    for row in 0..CELLS {
        for column in 0..CELLS {
            values.extend([middle(x, column) as f32, middle(y, row) as f32]);
        }
    }
    values
        .chunks_exact_mut(2)
        .for_each(|point| data.normalisation.apply(point));
    let scores = learner.scores(values, CELLS * CELLS, false)?;
    let cells = match learner.model.criterion() {
        Criterion::CrossEntropy => by_probability(&ops::softmax(&scores)?),
        Criterion::Perceptron => by_lead(&scores.to_vec2()?),
    };
    Ok(Some(Boundary {
        epoch,
        step,
        x,
        y,
        columns: CELLS,
        rows: CELLS,
        cells: STANDARD.encode(cells),
        linear: linear::weights(learner.served_model(), &data.normalisation)?,
    }))
}

/// Confidence from the probability: 0 where all classes are equally likely, the highest at probability 1.
fn by_probability(rows: &[Vec<f32>]) -> Vec<u8> {
    let cell = |row: &Vec<f32>| {
        let class = ops::argmax(row);
        let even = 1.0 / row.len() as f64;
        byte(class, (f64::from(row[class]) - even) / (1.0 - even))
    };
    rows.iter().map(cell).collect()
}

/// Confidence from the lead of the best score over the second, relative to the largest lead of the grid: a perceptron's
/// scores are distances from its lines, not probabilities.
fn by_lead(rows: &[Vec<f32>]) -> Vec<u8> {
    let leads: Vec<_> = rows
        .iter()
        .map(|row| {
            let class = ops::argmax(row);
            let others = row.iter().enumerate().filter(|(other, _)| *other != class);
            let second = others.fold(f32::NEG_INFINITY, |best, (_, score)| best.max(*score));
            (class, f64::from(row[class] - second))
        })
        .collect();
    let greatest = leads
        .iter()
        .fold(0.0, |greatest: f64, (_, lead)| greatest.max(*lead));
    let share = |lead| if greatest > 0.0 { lead / greatest } else { 0.0 };
    leads
        .iter()
        .map(|(class, lead)| byte(*class, share(*lead)))
        .collect()
}

fn byte(class: usize, confidence: f64) -> u8 {
    // NaN becomes 0.
    (class.min(7) * 32) as u8 + (confidence * CERTAIN).round().clamp(0.0, CERTAIN) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_run_has_a_boundary_after_every_epoch_and_a_long_one_has_no_more_than_its_share() {
        assert!((1..=200).all(|epoch| wanted(epoch, 200)));
        for epochs in [201, 399, 1000, 100_000] {
            let count = (1..=epochs).filter(|epoch| wanted(*epoch, epochs)).count();
            assert!((100..=201).contains(&count), "{count} of {epochs}");
            assert!(wanted(epochs, epochs));
        }
    }

    #[test]
    fn cells_hold_the_class_and_how_sure_it_is() {
        let cells = by_probability(&[vec![0.5, 0.5], vec![0.0, 1.0], vec![0.75, 0.25]]);
        assert_eq!(cells, [0, 32 + 31, 16]);
        assert_eq!(
            by_lead(&[vec![0.0, 2.0], vec![0.0, -1.0], vec![0.0, 0.0]]),
            [32 + 31, 16, 0]
        );
        assert_eq!(by_lead(&[vec![0.0, 0.0]]), [0]);
        let mut last = vec![0.0; 8];
        last[7] = 1.0;
        assert_eq!(by_probability(&[last]), [255]);
    }
}
