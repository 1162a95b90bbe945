//! The weights of a network of one linear layer on points in the plane, whose boundary consists of straight lines.

use crate::contract::{LinearWeights, Normalisation};
use crate::error::{Error, Result};
use crate::graph::{Graph, Operation};
use crate::networks::{Model, TensorValues};

/// Whether a network of points is one linear layer, whose scores are those of all classes or of the second of two.
pub(super) fn is_linear(graph: &Graph) -> bool {
    let mut rows = None;
    let mut is_padded = false;
    for node in &graph.nodes {
        match node.operation {
            Operation::Input | Operation::Flatten | Operation::Identity => {}
            Operation::Linear { out_features, .. } if rows.is_none() => rows = Some(out_features),
            // The first of two classes has the score 0.
            Operation::ZeroPad1d { padding: [1, 0] } if rows == Some(1) && !is_padded => {
                is_padded = true;
            }
            _ => return false,
        }
    }
    let is_of_points = matches!(graph.input(), [2]);
    is_of_points && rows.is_some_and(|rows| is_padded || rows >= 2)
}

/// The weights of a network of one linear layer; `None` for any other network.
pub(super) fn weights(model: &Model, of: &Normalisation) -> Result<Option<LinearWeights>> {
    if !is_linear(model.graph()) {
        return Ok(None);
    }
    let (Ok(mean), Ok(deviation)) = (
        <[f64; 2]>::try_from(&*of.mean),
        <[f64; 2]>::try_from(&*of.deviation),
    ) else {
        return Ok(None);
    };
    Ok(Some(LinearWeights {
        rows: rows(model)?,
        mean,
        deviation,
    }))
}

/// The rows of the linear layer: two weights and the bias, which is 0 where the layer has none.
pub(super) fn rows(model: &Model) -> Result<Vec<[f32; 3]>> {
    let mut rows: Vec<[f32; 3]> = Vec::new();
    for (_, shape, values) in model.weights()? {
        let TensorValues::F32(values) = values else {
            continue;
        };
        match shape[..] {
            [_, 2] => rows = values.chunks_exact(2).map(|w| [w[0], w[1], 0.0]).collect(),
            _ => {
                for (row, bias) in rows.iter_mut().zip(values) {
                    row[2] = bias;
                }
            }
        }
    }
    Ok(rows)
}

/// Sets the rows of the linear layer.
///
/// # Errors
/// When the layer has another number of rows.
pub(super) fn set_rows(model: &Model, rows: &[[f32; 3]]) -> Result<()> {
    let mut weights = model.weights()?;
    for (name, shape, values) in &mut weights {
        let TensorValues::F32(values) = values else {
            continue;
        };
        let given: Vec<f32> = match shape[..] {
            [_, 2] => rows.iter().flat_map(|[x, y, _]| [*x, *y]).collect(),
            _ => rows.iter().map(|[.., bias]| *bias).collect(),
        };
        if given.len() != values.len() {
            return Err(Error::Shape {
                place: name.clone(),
                expected: format!("{shape:?}"),
                got: vec![rows.len()],
            });
        }
        *values = given;
    }
    model.set_weights(&weights)
}
