//! What a run's epochs were like on the whole: mean and standard deviation of loss and accuracy.

use rusqlite::Connection;
use serde::Serialize;

use super::curves::{self, Curves, End};
use super::runs;
use crate::error::Result;
use crate::run_dir::RunId;

/// Over the epochs of a run; of an imported one, over the values of each curve.
#[derive(Debug, Serialize)]
pub struct Statistics {
    /// How many epochs there are.
    pub epochs: usize,
    /// Mean loss of each epoch's steps.
    pub train_loss: Option<Spread>,
    /// Accuracy over each epoch's steps, 0 to 1.
    pub train_accuracy: Option<Spread>,
    /// After each epoch.
    pub validation_loss: Option<Spread>,
    /// After each epoch, 0 to 1.
    pub validation_accuracy: Option<Spread>,
}

/// Mean and standard deviation.
#[derive(Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The mean of the finite values.
    pub mean: f64,
    /// Their standard deviation, of a sample (n - 1); `null` for one value.
    pub std: Option<f64>,
    /// How many values there are.
    pub count: usize,
}

/// Reads the epochs of a run.
///
/// # Errors
/// [`Error::NotFound`](crate::error::Error::NotFound) when there is no such run.
pub fn read(connection: &Connection, id: RunId) -> Result<Statistics> {
    let Curves {
        epochs, imported, ..
    } = curves::without_steps(connection, runs::key(connection, id)?)?;
    let over = |name: &str, value: fn(&End) -> Option<f64>| match imported.get(name) {
        Some(points) => spread(points.value.iter().copied()),
        None => spread(epochs.iter().filter_map(value)),
    };
    Ok(Statistics {
        epochs: epochs.len(),
        train_loss: over("train_loss", |end| Some(end.train_loss)),
        train_accuracy: over("train_accuracy", |end| Some(end.train_accuracy)),
        validation_loss: over("validation_loss", |end| Some(end.validation?.0)),
        validation_accuracy: over("validation_accuracy", |end| Some(end.validation?.1)),
    })
}

fn spread(values: impl Iterator<Item = f64>) -> Option<Spread> {
    let values: Vec<_> = values.filter(|value| value.is_finite()).collect();
    let count = values.len();
    if count == 0 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count as f64;
    let squares = values.iter().map(|value| (value - mean).powi(2));
    let std = (count > 1).then(|| (squares.sum::<f64>() / (count - 1) as f64).sqrt());
    Some(Spread { mean, std, count })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        let found = spread([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0, f64::NAN].into_iter()).unwrap();
        assert_eq!((found.mean, found.count), (5.0, 8));
        assert!((found.std.unwrap() - (32.0f64 / 7.0).sqrt()).abs() < 1e-12);
        assert_eq!(spread([3.0].into_iter()).unwrap().std, None);
        assert_eq!(spread([f64::NAN].into_iter()), None);
    }
}
