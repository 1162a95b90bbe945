//! The content of a record: the part of TensorFlow's protocol buffers that scalars and hyperparameters need
//! (`event.proto`, `summary.proto`, `tensor.proto`, and TensorBoard's `plugin_data.proto` of hparams).

use std::collections::BTreeMap;

/// An event at one moment.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    /// The training step.
    #[prost(int64, tag = "2")]
    pub step: i64,
    /// In the first event of a file: `brain.Event:2`.
    #[prost(string, optional, tag = "3")]
    pub file_version: Option<String>,
    /// Values.
    #[prost(message, optional, tag = "5")]
    pub summary: Option<Summary>,
    /// The start of a session, a checkpoint, an end.
    #[prost(message, optional, tag = "7")]
    pub session_log: Option<SessionLog>,
}

/// Marks the start or resumption of training.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SessionLog {
    /// [`SessionLog::START`]; other values do not matter here.
    #[prost(int32, tag = "1")]
    pub status: i32,
}

impl SessionLog {
    /// Training resumes at the event's step: values of this and later steps are void.
    pub const START: i32 = 1;
}

/// The values of one event.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Summary {
    /// Each with its tag.
    #[prost(message, repeated, tag = "1")]
    pub value: Vec<Value>,
}

/// A value; one of the optional fields is set.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Value {
    /// Its tag.
    #[prost(string, tag = "1")]
    pub tag: String,
    /// The metadata of the tag.
    #[prost(message, optional, tag = "9")]
    pub metadata: Option<Metadata>,
    /// A scalar, as PyTorch and TensorFlow 1 write it.
    #[prost(float, optional, tag = "2")]
    pub simple_value: Option<f32>,
    /// A picture.
    #[prost(message, optional, tag = "4")]
    pub image: Option<Unread>,
    /// A histogram.
    #[prost(message, optional, tag = "5")]
    pub histo: Option<Unread>,
    /// An audio clip.
    #[prost(message, optional, tag = "6")]
    pub audio: Option<Unread>,
    /// A tensor, as TensorFlow 2 writes everything; the metadata tells its meaning.
    #[prost(message, optional, tag = "8")]
    pub tensor: Option<Tensor>,
}

/// A message whose content is not needed.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Unread {}

/// The metadata of a tag.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Metadata {
    /// The plugin that shows it.
    #[prost(message, optional, tag = "1")]
    pub plugin_data: Option<PluginData>,
}

/// The plugin that shows a tag.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PluginData {
    /// `scalars`, `text`, `hparams` and others.
    #[prost(string, tag = "1")]
    pub plugin_name: String,
    /// Data for the plugin.
    #[prost(bytes = "vec", tag = "2")]
    pub content: Vec<u8>,
}

/// A tensor of numbers or strings.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Tensor {
    /// One of the constants of [`Tensor`], or another type.
    #[prost(int32, tag = "1")]
    pub dtype: i32,
    /// Its shape; none for a scalar.
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
    /// The raw bytes, little-endian.
    #[prost(bytes = "vec", tag = "4")]
    pub tensor_content: Vec<u8>,
    /// 32-bit floats.
    #[prost(float, repeated, tag = "5")]
    pub float_val: Vec<f32>,
    /// 64-bit floats.
    #[prost(double, repeated, tag = "6")]
    pub double_val: Vec<f64>,
    /// Integers of up to 32 bits.
    #[prost(int32, repeated, tag = "7")]
    pub int_val: Vec<i32>,
    /// Strings.
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub string_val: Vec<Vec<u8>>,
    /// 64-bit integers.
    #[prost(int64, repeated, tag = "10")]
    pub int64_val: Vec<i64>,
    /// 16-bit floats, each in the lower half.
    #[prost(int32, repeated, tag = "13")]
    pub half_val: Vec<i32>,
}

/// The shape of a tensor.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Shape {
    /// Its dimensions.
    #[prost(message, repeated, tag = "2")]
    pub dim: Vec<Side>,
}

/// A dimension of a tensor.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Side {
    /// Its length.
    #[prost(int64, tag = "1")]
    pub size: i64,
}

impl Tensor {
    const FLOAT: i32 = 1;
    const DOUBLE: i32 = 2;
    const INT32: i32 = 3;
    /// Strings.
    pub const STRING: i32 = 7;
    const INT64: i32 = 9;
    const BFLOAT16: i32 = 14;
    const HALF: i32 = 19;

    /// A scalar.
    pub fn one(value: f32) -> Self {
        Self {
            dtype: Self::FLOAT,
            float_val: vec![value],
            shape: Some(Shape::default()),
            ..Self::default()
        }
    }

    /// The value of a tensor with exactly one number.
    pub fn scalar(&self) -> Option<f64> {
        let sides = self.shape.iter().flat_map(|shape| &shape.dim);
        if sides.into_iter().any(|side| side.size != 1) {
            return None;
        }
        let content = &self.tensor_content[..];
        if content.is_empty() {
            return match self.dtype {
                Self::FLOAT => only(&self.float_val).map(f64::from),
                Self::DOUBLE => only(&self.double_val),
                Self::INT32 => only(&self.int_val).map(f64::from),
                Self::INT64 => only(&self.int64_val).map(|value| value as f64),
                Self::HALF => only(&self.half_val).map(|bits| half(bits as u16)),
                Self::BFLOAT16 => only(&self.half_val).map(|bits| bfloat(bits as u16)),
                _ => None,
            };
        }
        match self.dtype {
            Self::FLOAT => Some(f32::from_le_bytes(content.try_into().ok()?).into()),
            Self::DOUBLE => Some(f64::from_le_bytes(content.try_into().ok()?)),
            Self::INT32 => Some(i32::from_le_bytes(content.try_into().ok()?).into()),
            Self::INT64 => Some(i64::from_le_bytes(content.try_into().ok()?) as f64),
            Self::HALF => Some(half(u16::from_le_bytes(content.try_into().ok()?))),
            Self::BFLOAT16 => Some(bfloat(u16::from_le_bytes(content.try_into().ok()?))),
            _ => None,
        }
    }
}

fn only<T: Copy>(values: &[T]) -> Option<T> {
    match values {
        [only] => Some(*only),
        _ => None,
    }
}

/// Converts an IEEE 754 half.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let fraction = f64::from(bits & 0x3ff) / 1024.0;
    sign * match bits >> 10 & 0x1f {
        0 => fraction * 2f64.powi(-14),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        exponent => (1.0 + fraction) * 2f64.powi(i32::from(exponent) - 15),
    }
}

/// Converts a bfloat16.
fn bfloat(bits: u16) -> f64 {
    f32::from_bits(u32::from(bits) << 16).into()
}

/// The data of the plugin hparams.
#[derive(Clone, PartialEq, prost::Message)]
pub struct HParamsData {
    /// The version of the format.
    #[prost(int32, tag = "1")]
    pub version: i32,
    /// The hyperparameters of a session, at its start.
    #[prost(message, optional, tag = "3")]
    pub session_start_info: Option<SessionStart>,
}

/// The hyperparameters of a session.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SessionStart {
    /// By name.
    #[prost(btree_map = "string, message", tag = "1")]
    pub hparams: BTreeMap<String, Setting>,
    /// Sessions of one group are shown as one: repeats.
    #[prost(string, tag = "4")]
    pub group_name: String,
    /// Seconds since 1970.
    #[prost(double, tag = "5")]
    pub start_time_secs: f64,
}

/// A hyperparameter; one of the fields is set.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Setting {
    /// A number.
    #[prost(double, optional, tag = "2")]
    pub number: Option<f64>,
    /// A string.
    #[prost(string, optional, tag = "3")]
    pub text: Option<String>,
    /// A boolean.
    #[prost(bool, optional, tag = "4")]
    pub switch: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message as _;

    #[test]
    fn a_scalar_is_read_from_every_form_of_a_tensor() {
        let forms = [
            Tensor {
                dtype: Tensor::FLOAT,
                float_val: vec![0.5],
                ..Tensor::default()
            },
            Tensor {
                dtype: Tensor::FLOAT,
                tensor_content: 0.5f32.to_le_bytes().into(),
                ..Tensor::default()
            },
            Tensor {
                dtype: Tensor::DOUBLE,
                double_val: vec![0.5],
                ..Tensor::default()
            },
            Tensor {
                dtype: Tensor::DOUBLE,
                tensor_content: 0.5f64.to_le_bytes().into(),
                ..Tensor::default()
            },
            Tensor {
                dtype: Tensor::HALF,
                half_val: vec![0x3800],
                ..Tensor::default()
            },
            Tensor {
                dtype: Tensor::BFLOAT16,
                half_val: vec![0x3f00],
                ..Tensor::default()
            },
        ];
        for tensor in forms {
            assert_eq!(tensor.scalar(), Some(0.5), "{tensor:?}");
        }
        let whole = Tensor {
            dtype: Tensor::INT64,
            int64_val: vec![7],
            ..Tensor::default()
        };
        assert_eq!(whole.scalar(), Some(7.0));
    }

    #[test]
    fn what_is_no_single_number_is_no_scalar() {
        let shape = Some(Shape {
            dim: vec![Side { size: 2 }],
        });
        for tensor in [
            Tensor {
                dtype: Tensor::FLOAT,
                shape,
                float_val: vec![0.5],
                ..Tensor::default()
            },
            Tensor {
                dtype: Tensor::FLOAT,
                float_val: vec![0.5, 1.0],
                ..Tensor::default()
            },
            Tensor {
                dtype: Tensor::FLOAT,
                tensor_content: vec![1, 2, 3],
                ..Tensor::default()
            },
            Tensor {
                dtype: Tensor::STRING,
                string_val: vec![b"0.5".to_vec()],
                ..Tensor::default()
            },
            Tensor::default(),
        ] {
            assert_eq!(tensor.scalar(), None, "{tensor:?}");
        }
    }

    #[test]
    fn halves_are_what_they_are() {
        let known = [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 2f64.powi(-24)),
            (0x7c00, f64::INFINITY),
        ];
        for (bits, value) in known {
            assert_eq!(half(bits), value, "{bits:x}");
        }
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn whatever_bytes_come_nothing_panics() {
        let event = Event {
            wall_time: 1.0,
            step: 3,
            summary: Some(Summary {
                value: vec![Value {
                    tag: "loss".into(),
                    simple_value: Some(1.0),
                    ..Value::default()
                }],
            }),
            ..Event::default()
        };
        let bytes = event.encode_to_vec();
        assert_eq!(Event::decode(&bytes[..]).unwrap(), event);
        for at in 0..bytes.len() {
            for with in [0, 0x7f, 0x80, 0xff] {
                let mut wrong = bytes.clone();
                wrong[at] = with;
                let _ = Event::decode(&wrong[..at]);
                let _ = Event::decode(&wrong[..]);
            }
        }
    }
}
