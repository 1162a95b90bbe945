//! Tensors of a file.

use super::proto::{self, TensorProto};
use super::{ImportError, Outcome};

/// The most values of all tensors of a file.
pub(super) const MAX_VALUES: usize = 1 << 31;

/// A tensor that is known.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Constant {
    /// The name of the initializer; empty if it has none.
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) values: Values,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    F32(Vec<f32>),
    I64(Vec<i64>),
}

/// The values are in another file.
const EXTERNAL: i32 = 1;

impl Constant {
    /// The name in messages.
    pub(super) fn shown(&self) -> &str {
        if self.name.is_empty() {
            "a constant"
        } else {
            &self.name
        }
    }

    /// Reads a tensor.
    pub(super) fn read(tensor: &TensorProto) -> Outcome<Self> {
        let name = if tensor.name.is_empty() {
            "a constant"
        } else {
            &tensor.name
        };
        let fault = |message: String| ImportError::new(format!("the tensor {name} {message}"));
        if tensor.data_location == EXTERNAL || !tensor.external_data.is_empty() {
            return Err(fault(
                "has its values in another file: export the model again with its weights inside (torch.onnx.export with \
                 external_data=False)"
                    .to_owned(),
            ));
        }
        let side = |dim: &i64| usize::try_from(*dim).ok();
        let shape = tensor.dims.iter().map(side).collect::<Option<Vec<_>>>();
        let shape = shape
            .ok_or_else(|| fault(format!("has a negative size: {:?}", shown(&tensor.dims))))?;
        let count = shape
            .iter()
            .try_fold(1usize, |count, side| count.checked_mul(*side))
            .filter(|count| *count <= MAX_VALUES);
        let count = count.ok_or_else(|| {
            fault(format!(
                "has {:?} values, more than {MAX_VALUES}",
                shown(&tensor.dims)
            ))
        })?;
        let wrong_len = |got: usize| {
            fault(format!(
                "has {got} values where its shape {:?} takes {count}",
                shown(&tensor.dims)
            ))
        };
        let values = match tensor.data_type {
            proto::FLOAT => Values::F32(match &tensor.raw_data {
                Some(raw) if raw.len() == 4 * count => {
                    let (chunks, _) = raw.as_chunks::<4>();
                    chunks
                        .iter()
                        .map(|bytes| f32::from_le_bytes(*bytes))
                        .collect()
                }
                Some(raw) if tensor.float_data.is_empty() => return Err(wrong_len(raw.len() / 4)),
                _ if tensor.float_data.len() == count => tensor.float_data.clone(),
                _ => return Err(wrong_len(tensor.float_data.len())),
            }),
            proto::INT64 => Values::I64(match &tensor.raw_data {
                Some(raw) if raw.len() == 8 * count => {
                    let (chunks, _) = raw.as_chunks::<8>();
                    chunks
                        .iter()
                        .map(|bytes| i64::from_le_bytes(*bytes))
                        .collect()
                }
                Some(raw) if tensor.int64_data.is_empty() => return Err(wrong_len(raw.len() / 8)),
                _ if tensor.int64_data.len() == count => tensor.int64_data.clone(),
                _ => return Err(wrong_len(tensor.int64_data.len())),
            }),
            other => {
                return Err(fault(format!(
                    "has values of the type {}: only f32 weights and i64 shapes are read",
                    type_name(other)
                )));
            }
        };
        Ok(Self {
            name: tensor.name.clone(),
            shape,
            values,
        })
    }

    pub(super) fn floats(&self) -> Outcome<&[f32]> {
        match &self.values {
            Values::F32(values) => Ok(values),
            Values::I64(_) => Err(ImportError::new(format!(
                "{} must be f32, not i64",
                self.shown()
            ))),
        }
    }

    /// The only value.
    pub(super) fn scalar(&self) -> Option<f32> {
        match &self.values {
            Values::F32(values) if values.len() == 1 => Some(values[0]),
            _ => None,
        }
    }

    /// The tensor with its dimensions in another order.
    pub(super) fn permuted(&self, order: &[usize]) -> Option<Self> {
        let rank = self.shape.len();
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        if sorted != (0..rank).collect::<Vec<_>>() {
            return None;
        }
        let mut strides = vec![1; rank];
        for axis in (1..rank).rev() {
            strides[axis - 1] = strides[axis] * self.shape[axis];
        }
        let shape: Vec<_> = order.iter().map(|axis| self.shape[*axis]).collect();
        let steps: Vec<_> = order.iter().map(|axis| strides[*axis]).collect();
        let count = shape.iter().product();
        let mut places = Vec::with_capacity(count);
        let mut index = vec![0; rank];
        let mut place = 0;
        for _ in 0..count {
            places.push(place);
            for axis in (0..rank).rev() {
                index[axis] += 1;
                place += steps[axis];
                if index[axis] < shape[axis] {
                    break;
                }
                place -= steps[axis] * shape[axis];
                index[axis] = 0;
            }
        }
        Some(Self {
            name: self.name.clone(),
            shape,
            values: match &self.values {
                Values::F32(values) => Values::F32(places.iter().map(|at| values[*at]).collect()),
                Values::I64(values) => Values::I64(places.iter().map(|at| values[*at]).collect()),
            },
        })
    }
}

/// The first sizes of a shape.
fn shown(dims: &[i64]) -> &[i64] {
    &dims[..dims.len().min(8)]
}

/// The name of a type of tensors.
pub(super) fn type_name(number: i32) -> String {
    const NAMES: [&str; 17] = [
        "undefined",
        "f32",
        "u8",
        "i8",
        "u16",
        "i16",
        "i32",
        "i64",
        "string",
        "bool",
        "f16",
        "f64",
        "u32",
        "u64",
        "complex64",
        "complex128",
        "bf16",
    ];
    let name = usize::try_from(number).ok().and_then(|at| NAMES.get(at));
    name.map_or_else(|| format!("number {number}"), |name| (*name).to_owned())
}
