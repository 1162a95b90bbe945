//! Statistics over the epochs of a run: mean and standard deviation of loss and accuracy.

use rusqlite::Connection;
use serde::Serialize;
use utoipa::ToSchema;

use super::positions::{self, Curve};
use super::runs;
use crate::error::Result;
use crate::run_dir::RunId;

/// The statistics of a run's epochs; of an imported run, of the values of each curve.
#[derive(Debug, Serialize, ToSchema)]
pub struct Statistics {
    /// The number of epochs.
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
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct Spread {
    /// The mean of the finite values.
    pub mean: f64,
    /// Their standard deviation, of a sample (n - 1); `null` for one value.
    pub std: Option<f64>,
    /// The number of values.
    pub count: usize,
}

/// Reads the epochs of a run.
///
/// # Errors
/// [`Error::NotFound`](crate::error::Error::NotFound) when there is no such run.
pub fn read(connection: &Connection, id: RunId) -> Result<Statistics> {
    let run = runs::get(connection, id)?;
    let imported = run.source.is_some();
    let curve = |name: &str| positions::named(connection, run.number, name, imported);
    let over = |name: &str| {
        // An imported run has the curves of its files; the matching one is used.
        let name = match (imported, name) {
            (true, "epoch_train_loss") => "train_loss",
            (true, "epoch_train_accuracy") => "train_accuracy",
            _ => name,
        };
        spread(&curve(name)?)
    };
    Ok(Statistics {
        epochs: if imported {
            0
        } else {
            curve("epoch_train_loss")?.count as usize
        },
        train_loss: over("epoch_train_loss")?,
        train_accuracy: over("epoch_train_accuracy")?,
        validation_loss: over("validation_loss")?,
        validation_accuracy: over("validation_accuracy")?,
    })
}

/// Reads a curve twice in pieces, so its length does not matter.
fn spread(curve: &Curve<'_>) -> Result<Option<Spread>> {
    let each = |take: &mut dyn FnMut(f64)| {
        curve.stored.values(0..curve.count, |_, value| {
            if value.is_finite() {
                take(value);
            }
        })
    };
    let (mut count, mut sum) = (0, 0.0);
    each(&mut |value| {
        count += 1;
        sum += value;
    })?;
    if count == 0 {
        return Ok(None);
    }
    let mean = sum / count as f64;
    let mut squares = 0.0;
    each(&mut |value| squares += (value - mean).powi(2))?;
    let std = (count > 1).then(|| (squares / (count - 1) as f64).sqrt());
    Ok(Some(Spread { mean, std, count }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::extremes::StoredCurve;
    use crate::index::schema;

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        let folder = tempfile::tempdir().unwrap();
        let connection = schema::open(&folder.path().join("index.sqlite3")).unwrap();
        let of = |series, values: &[f64]| {
            let stored = StoredCurve {
                connection: &connection,
                run: 1,
                series,
                width: 1,
            };
            stored.append(0, values).unwrap();
            let mut curve = positions::named(&connection, 1, "train_loss", false).unwrap();
            (curve.stored, curve.count) = (stored, values.len() as u64);
            spread(&curve).unwrap()
        };
        let found = of(0, &[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0, f64::NAN]).unwrap();
        assert_eq!((found.mean, found.count), (5.0, 8));
        assert!((found.std.unwrap() - (32.0f64 / 7.0).sqrt()).abs() < 1e-12);
        assert_eq!(of(1, &[3.0]).unwrap().std, None);
        assert_eq!(of(2, &[f64::NAN]), None);
    }
}
